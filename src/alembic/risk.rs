//! Says what an operation risks: what is lost, what running code misses, who has to wait.
//!
//! Promises one short sentence a risk, and a grade of its own for what the script alone cannot tell. Refuses to know how many rows a
//! table has and whether anybody uses it: a table that is empty loses nothing. Refuses to take a guard for safety: what is dropped only
//! if it exists is lost all the same.

mod locking;
mod narrowing;
mod types;

use crate::model::database::DatabaseKind;
use crate::model::script::{Action, ColumnChange};

/// What an operation risks; each is one short sentence, without the names that the operation has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Risks {
    /// Rows, values or things are lost, or rows that are there make it fail.
    pub destructive: Option<String>,
    /// Whether something is lost cannot be told from the script.
    pub unclear: Option<String>,
    /// Code that runs already stops working.
    pub breaking: Option<String>,
    /// Who has to wait for it, or what it waits for.
    pub locking: Option<String>,
}

impl Risks {
    /// There is nothing to say.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What `action` risks in a database of this kind, or in any if that is not known.
pub fn risks(action: &Action, kind: Option<DatabaseKind>) -> Risks {
    let mut risks = Risks {
        destructive: lost(action, kind).map(str::to_owned),
        unclear: unclear(action).map(str::to_owned),
        breaking: breaking(action).map(str::to_owned),
        locking: locking::locking(action, kind).map(str::to_owned),
    };
    if let Action::AlterColumn { change, .. } = action {
        altered(change, kind, &mut risks);
    }
    risks
}

/// What is lost whatever the rows are. What becomes of a column's type is told by [`altered`].
fn lost(action: &Action, kind: Option<DatabaseKind>) -> Option<&'static str> {
    Some(match action {
        Action::DropTable { .. } => "the table goes, with its rows",
        Action::DropColumn { .. } => "the column goes, with its values",
        Action::Truncate { .. } => "all rows go",
        Action::Delete { has_where: true, .. } => "rows go",
        Action::Delete { has_where: false, .. } => "all rows go: there is no WHERE",
        Action::Update { has_where: false, .. } => {
            "the values of all rows are overwritten: there is no WHERE"
        }
        Action::AddColumn {
            nullable: Some(false),
            has_default: false,
            ..
        } => match kind {
            Some(DatabaseKind::MySql) => {
                "NOT NULL without a default: rows that are there get 0 or an empty text"
            }
            Some(DatabaseKind::Sqlite) => "NOT NULL without a default: SQLite refuses it",
            _ => "NOT NULL without a default: fails if the table has rows",
        },
        Action::DropOther { what, .. } => match what.as_str() {
            "schema" | "database" => "everything in it goes",
            "owned" => "everything that the role owns goes",
            "partition" | "rows of partition" => "the partition's rows go",
            "tablespace" | "history" => "the rows in it go",
            "materialized view" => "it goes, with the rows that it keeps",
            "type" | "domain" | "extension" => "it goes, and with CASCADE every column of it",
            "sequence" => "it goes, with its count",
            "attribute" => "the attribute goes, with its values in every row",
            _ => "it goes, and only its definition brings it back",
        },
        _ => return None,
    })
}

fn unclear(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::Unreadable { .. } => "what it does cannot be known without running it",
        Action::AddColumn {
            nullable: None,
            has_default: false,
            ..
        } => "whether it takes NULL cannot be read: if not, it fails on rows",
        // MySQL: ALTER TABLE … CONVERT TO CHARACTER SET
        Action::Statement { verb, .. } if verb.starts_with("ALTER TABLE CONVERT TO") => {
            "text that the new character set lacks is lost"
        }
        _ => return None,
    })
}

fn breaking(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::RenameTable { .. } => "code that runs still asks for the table's old name",
        Action::AlterColumn { change, .. } if change.rename.is_some() => {
            "code that runs still asks for the column's old name"
        }
        Action::Statement { verb, .. }
            if matches!(
                verb.as_str(),
                "ALTER SCHEMA RENAME" | "ALTER VIEW RENAME" | "ALTER DATABASE RENAME"
            ) =>
        {
            "code that runs still asks for the old name"
        }
        _ => return None,
    })
}

/// What a new type or NOT NULL does to values.
fn altered(change: &ColumnChange, kind: Option<DatabaseKind>, risks: &mut Risks) {
    if let Some(to) = &change.type_to {
        match change
            .type_from
            .as_deref()
            .map(|from| narrowing::fit(from, to, kind))
        {
            Some(narrowing::Fit::All) => {}
            Some(narrowing::Fit::Less(why)) => risks.destructive = Some(why),
            Some(narrowing::Fit::Unknown(why)) => risks.unclear = Some(why),
            None => {
                let why = "its type before is not given, so whether all values fit cannot be told";
                risks.unclear = Some(why.to_owned());
            }
        }
    }
    if change.nullable == Some(false) && risks.destructive.is_none() {
        let why = "NOT NULL: fails on rows that have no value there";
        risks.destructive = Some(why.to_owned());
    }
}

#[cfg(test)]
mod tests;
