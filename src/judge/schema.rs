//! Schemas: what each database's tables look like, who made them, and who changed them.
//!
//! A change belongs to the one migration that ran near the database meanwhile; to a replacement of the whole database; or, after a
//! time in which late evidence may still come, to nobody: that is a drift. All of it is level-based: as long as the schema that was
//! read last is not the known one, the difference waits for its explanation.

mod correcting;
mod explaining;
mod replacing;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::State;
use super::expectation;
use super::migration::Tracked;
use super::migration::reading::{SETTLE, SKEW};
use super::settings::Settings;
use crate::model::alert::{AlertName, Fingerprint};
use crate::model::fact::{Fact, SchemaBaselined, SchemaSettled};
use crate::model::observation::Observation;
use crate::model::revision::DatabaseId;
use crate::model::schema::{Patch, Schema, SchemaChange, TablePatch, diff};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

pub(super) use correcting::decide as correct;
pub(super) use replacing::RETURN;
pub(super) use replacing::by_version_tables;
pub use replacing::is_replacement;
pub use work::SchemaWork;
pub(super) use work::evidence;

/// Where a version table moved meanwhile, who did it is waited for longer.
const SETTLE_MOVED: Duration = Duration::from_secs(30);

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schemas {
    /// Every schema that was ever read.
    pub known: BTreeMap<DatabaseId, SchemaRecord>,
    /// Databases whose tables vanished or came back wholesale, each with the last time.
    pub replaced: BTreeMap<DatabaseId, Replaced>,
}

/// One schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SchemaRecord {
    /// When it was last written down that it stood so.
    pub at: Timestamp,
    /// What stands there, as far as it was concluded on.
    pub schema: Arc<Schema>,
    /// One number for it.
    pub fingerprint: u64,
    /// How it differs from what it should be.
    pub drift: Option<Drift>,
    /// Which service's migrations made which table, where that was seen.
    pub owners: BTreeMap<String, ServiceId>,
}

/// A difference that no migration explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// When the first difference was seen.
    pub at: Timestamp,
    /// What should stand there.
    pub accepted: Arc<Schema>,
    /// The last difference by itself: late evidence may still explain it.
    pub last: Option<LastDrift>,
    /// It was found after the fact.
    #[serde(default)]
    pub late: bool,
}

/// The last difference of a drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastDrift {
    /// When it was not there yet.
    pub since: Timestamp,
    /// When it was seen.
    pub at: Timestamp,
    /// The difference.
    pub patch: Patch,
}

/// The replacement of a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replaced {
    /// When it was first seen.
    pub since: Timestamp,
    /// When something of it was last seen.
    pub last_at: Timestamp,
    /// What vanished or came back, in words.
    pub changes: Vec<String>,
    /// Somebody had approved a restore.
    pub approved: bool,
}

impl SchemaRecord {
    fn baseline(baseline: &SchemaBaselined) -> Self {
        Self {
            at: baseline.at,
            schema: Arc::clone(&baseline.schema),
            fingerprint: baseline.schema.fingerprint(),
            drift: None,
            owners: BTreeMap::new(),
        }
    }

    /// How it differs from what it should be, in words.
    pub fn differences(&self) -> Vec<SchemaChange> {
        self.drift
            .as_ref()
            .map(|drift| diff(&drift.accepted, &self.schema))
            .unwrap_or_default()
    }

    fn moved(&mut self, patch: &Patch, at: Timestamp) {
        self.at = self.at.max(at);
        if !patch.0.is_empty() {
            self.schema = Arc::new(self.schema.patched(patch));
            self.fingerprint = self.schema.fingerprint();
        }
        if self
            .drift
            .as_ref()
            .is_some_and(|drift| drift.accepted == self.schema)
        {
            self.drift = None;
        }
    }

    /// Somebody stands for the change: it is what should be there.
    fn explained(&mut self, patch: &Patch, at: Timestamp) {
        if let Some(drift) = &mut self.drift {
            drift.accepted = Arc::new(drift.accepted.patched(patch));
            drift.last = None;
        }
        self.moved(patch, at);
    }

    fn drifted(&mut self, last: LastDrift, late: bool) {
        let (patch, at) = (last.patch.clone(), last.at);
        let accepted = Arc::clone(&self.schema);
        let drift = self.drift.get_or_insert(Drift {
            at,
            accepted,
            last: None,
            late,
        });
        drift.last = Some(last);
        self.moved(&patch, at);
    }

    /// Tables that came with `patch` belong to `owner`, or to nobody that is known; those that went belong to nobody.
    fn handed_over(&mut self, patch: &Patch, owner: Option<&ServiceId>) {
        for (table, change) in &patch.0 {
            match (change, owner) {
                (TablePatch::Created(_), Some(owner)) => {
                    self.owners.insert(table.clone(), owner.clone());
                }
                (TablePatch::Created(_) | TablePatch::Dropped, _) => {
                    self.owners.remove(table);
                }
                (TablePatch::Altered(_), _) => {}
            }
        }
    }
}

impl Schemas {
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::SchemaBaselined(it) => {
                let fresh = || SchemaRecord::baseline(it);
                self.known.entry(it.database.clone()).or_insert_with(fresh);
            }
            Fact::SchemaSeen(it) => self.with(&it.database, |record| record.at = record.at.max(it.at)),
            Fact::SchemaDrifted(it) => self.with(&it.database, |record| {
                let last = LastDrift {
                    since: it.since,
                    at: it.at,
                    patch: it.patch.clone(),
                };
                record.drifted(last, it.late);
            }),
            Fact::SchemaSettled(it) => self.with(&it.database, |record| {
                record.drift = None;
                record.moved(&it.patch, it.at);
            }),
            Fact::MigrationSchemaChanged(it) => self.with(&it.database, |record| {
                record.handed_over(&it.patch, Some(&it.service));
                record.explained(&it.patch, it.at);
            }),
            Fact::SchemaChangeShared(it) => self.with(&it.database, |record| {
                record.handed_over(&it.patch, None);
                record.explained(&it.patch, it.at);
            }),
            Fact::DatabaseReplaced(it) => {
                self.with(&it.database, |record| {
                    record.drift = None;
                    record.moved(&it.patch, it.at);
                });
                replacing::apply(&mut self.replaced, it);
            }
            _ => {}
        }
    }

    fn with(&mut self, database: &DatabaseId, change: impl FnOnce(&mut SchemaRecord)) {
        if let Some(record) = self.known.get_mut(database) {
            change(record);
        }
    }
}

/// Compares what was read last with what is known.
pub(super) fn decide(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    if is_elsewhere(observation) {
        return Vec::new();
    }
    if let Observation::Acknowledged { id, by, note } = observation
        && let Some(accepted) = accepted(state, id, by, note)
    {
        return vec![accepted];
    }
    scenes(state, settings, now)
        .flat_map(|scene| {
            if scene.is_different() {
                scene.explain()
            } else {
                scene.explained_late()
            }
        })
        .chain(baselines(state))
        .collect()
}

/// Closes the time in which what has ended may have changed a schema that is still the known one.
pub(super) fn close(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    if is_elsewhere(observation) {
        return Vec::new();
    }
    let same = scenes(state, settings, now).filter(|scene| !scene.is_different());
    same.filter_map(|scene| scene.seen()).collect()
}

/// The commonest reports say nothing of databases and migrations.
fn is_elsewhere(observation: &Observation) -> bool {
    matches!(
        observation,
        Observation::LogProgress { .. }
            | Observation::ProcessRead { .. }
            | Observation::Probed { .. }
            | Observation::Delivered { .. }
            | Observation::DeliveryFailed { .. }
    )
}

/// Every database whose schema is known and was read.
fn scenes<'a>(
    state: &'a State,
    settings: &'a Settings,
    now: Timestamp,
) -> impl Iterator<Item = explaining::Scene<'a>> {
    let schemas = state.live.schemas.iter();
    schemas.filter_map(move |(database, live)| {
        Some(explaining::Scene {
            state,
            settings,
            now,
            database,
            live,
            sight: live.sight.as_ref()?,
            record: state.durable.schemas.known.get(database)?,
        })
    })
}

/// Schemas that are seen for the first time.
fn baselines(state: &State) -> impl Iterator<Item = Fact> {
    let schemas = state.live.schemas.iter();
    let read = schemas.filter_map(|(database, live)| Some((database, live.sight.as_ref()?)));
    let known = &state.durable.schemas.known;
    read.filter(|(database, _)| !known.contains_key(*database))
        .map(|(database, sight)| {
            Fact::SchemaBaselined(SchemaBaselined {
                database: database.clone(),
                at: sight.first_at,
                schema: Arc::clone(&sight.schema),
            })
        })
}

/// When a difference is decided on by time alone.
pub(super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    for scene in scenes(state, settings, Timestamp::default()).filter(explaining::Scene::is_different) {
        for settle in [replacing::WAIT, SETTLE, SETTLE_MOVED] {
            moments.push(scene.sight.seen_at.after(settle));
        }
    }
    replacing::deadlines(state, moments);
}

/// A person takes the present schema as the right one.
fn accepted(state: &State, id: &str, by: &str, note: &str) -> Option<Fact> {
    let alert = state.durable.alerts.firing.get(&Fingerprint(id.to_owned()))?;
    if alert.name != AlertName::SchemaDrift {
        return None;
    }
    let database = DatabaseId(alert.labels.get("database")?.clone());
    let record = state.durable.schemas.known.get(&database)?;
    record.drift.as_ref()?;
    let note = if note.is_empty() {
        String::new()
    } else {
        format!(": {note}")
    };
    Some(Fact::SchemaSettled(SchemaSettled {
        database,
        at: record.at,
        patch: Patch::default(),
        reason: format!("accepted by {by}{note}"),
    }))
}

/// Whether a migration's service has to do with this database: it uses it, is bound to one of its version tables, or moved one.
pub(super) fn is_near(state: &State, tracked: &Tracked, database: &DatabaseId) -> bool {
    let service = &tracked.migration.service;
    let live = &state.live;
    let uses = |services: &[ServiceId]| services.contains(service);
    live.schemas
        .get(database)
        .is_some_and(|live| uses(&live.services))
        || live
            .databases
            .get(database)
            .is_some_and(|live| uses(&live.reading.services))
        || state
            .durable
            .tables
            .bound(service)
            .any(|(table, _)| table.database == *database)
        || tracked
            .migration
            .movements
            .iter()
            .any(|movement| movement.table.database == *database)
}

/// Whether somebody has approved that this database be replaced by a backup at that time.
fn is_restore_approved(state: &State, settings: &Settings, database: &DatabaseId, at: Timestamp) -> bool {
    let bound = state.durable.tables.bindings.iter();
    let bound = bound.filter(|(_, bound)| bound.tables.keys().any(|table| table.database == *database));
    let mut services: Vec<ServiceId> = bound.map(|(service, _)| service.clone()).collect();
    if let Some(live) = state.live.databases.get(database) {
        services.extend(live.reading.services.iter().cloned());
    }
    expectation::approved_restore(state, settings, &services, at).is_some()
}
