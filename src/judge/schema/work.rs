//! What one migration did to schemas, as far as readings showed it.

use serde::{Deserialize, Serialize};

use crate::model::fact::{ForeignChange, MigrationSchemaChanged};
use crate::model::migration::Movement;
use crate::model::redact::shorten;
use crate::model::revision::DatabaseId;
use crate::model::time::Timestamp;

/// Changes kept for a migration: enough for its alert, the facts have all.
const KEEP_CHANGES: usize = 20;

/// Readings that showed changes, kept for a migration: the latest.
const KEEP_SPANS: usize = 10;

/// The longest piece of evidence about a schema, in characters.
const LONGEST: usize = 600;

/// What a migration did to schemas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchemaWork {
    /// The changes in words.
    pub changes: Vec<String>,
    /// Those to tables of other services.
    pub foreign: Vec<ForeignChange>,
    /// When the first of these was seen.
    pub foreign_at: Option<Timestamp>,
    /// There was no table before it.
    pub fresh: bool,
    /// When a schema was seen unchanged before the changes, by database.
    spans: Vec<(DatabaseId, Timestamp)>,
}

impl SchemaWork {
    /// Takes in what a reading showed.
    pub(in super::super) fn apply(&mut self, change: &MigrationSchemaChanged) {
        for words in &change.changes {
            if self.changes.len() < KEEP_CHANGES && !self.changes.contains(words) {
                self.changes.push(words.clone());
            }
        }
        for foreign in &change.foreign {
            if self.foreign.len() < KEEP_CHANGES && !self.foreign.contains(foreign) {
                self.foreign.push(foreign.clone());
                self.foreign_at.get_or_insert(change.at);
            }
        }
        self.fresh |= change.fresh;
        self.spans.push((change.database.clone(), change.since));
        let surplus = self.spans.len().saturating_sub(KEEP_SPANS);
        self.spans.drain(..surplus);
    }

    /// Takes over what another migration did that turned out to be the same.
    pub(in super::super) fn take_over(&mut self, other: Self) {
        let new = other.changes.into_iter().filter(|it| !self.changes.contains(it));
        let new: Vec<String> = new.collect();
        self.changes.extend(new);
        self.changes.truncate(KEEP_CHANGES);
        self.foreign.extend(other.foreign);
        self.foreign_at = self.foreign_at.or(other.foreign_at);
        self.fresh |= other.fresh;
        self.spans.extend(other.spans);
    }

    /// Whether something changed after the last move of the version table: work whose revision was never written down.
    pub(super) fn is_unrecorded(&self, movements: &[Movement]) -> bool {
        self.spans.iter().any(|(database, since)| {
            let moves = movements.iter().filter(|it| it.table.database == *database);
            moves.into_iter().all(|movement| movement.at <= *since)
        })
    }
}

/// One piece of evidence about a change.
pub(in super::super) fn evidence(change: &MigrationSchemaChanged) -> String {
    let mut parts = vec![format!(
        "the schema changed with it: {}",
        change.changes.join(", ")
    )];
    let whose = |it: &ForeignChange| format!("{} was made by {}", it.table, it.owner);
    parts.extend(change.foreign.iter().map(whose));
    if !change.ownerless.is_empty() {
        let (it, tables) = (it_is(&change.ownerless), change.ownerless.join(", "));
        parts.push(format!(
            "who made {tables} is not known: {it} older than the watch"
        ));
    }
    let late = if change.late {
        " (found after the fact)"
    } else {
        ""
    };
    let text = format!("{}{late}", parts.join("; "));
    shorten(&text, LONGEST)
}

fn it_is(tables: &[String]) -> &'static str {
    if tables.len() == 1 { "it is" } else { "they are" }
}
