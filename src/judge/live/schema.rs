//! The schemas and lock waits as last read. Refuses to know which schema is the right one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Live;
use crate::model::database::{DatabaseProblem, SchemaReading};
use crate::model::lock::{LockWait, LockWaits};
use crate::model::observation::Observation;
use crate::model::revision::DatabaseId;
use crate::model::schema::Schema;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// The schema of one database as last read.
#[derive(Clone, Debug)]
pub struct LiveSchema {
    /// The services that use the database.
    pub services: Vec<ServiceId>,
    /// What stands there, if it was ever read.
    pub sight: Option<Sight>,
    /// What stood there before that, as far as this process saw: its fingerprint, and when it was last read so.
    pub before: Option<(u64, Timestamp)>,
    /// Why the last reading failed.
    pub problem: Option<DatabaseProblem>,
}

/// One schema that was read, once or many times over.
#[derive(Clone, Debug)]
pub struct Sight {
    /// All of it.
    pub schema: Arc<Schema>,
    /// One number for all of it.
    pub fingerprint: u64,
    /// When it was first read so.
    pub first_at: Timestamp,
    /// When that reading had arrived here.
    pub seen_at: Timestamp,
    /// When it was last read so.
    pub last_at: Timestamp,
}

/// Who waits for whom, by who waits and who holds: each as it was when it was first seen.
pub type LiveLocks = BTreeMap<(i64, Option<i64>), LiveWait>;

/// One session that waits.
#[derive(Clone, Debug)]
pub struct LiveWait {
    /// As it was first seen, so that its words stay the same while it lasts.
    pub wait: LockWait,
    /// When it was first seen.
    pub since: Timestamp,
}

impl Live {
    /// Takes in a reading of a schema or of lock waits.
    pub(super) fn look_at_schema(&mut self, now: Timestamp, observation: &Observation) {
        match observation {
            Observation::Schema(reading) => self.read_schema(now, reading),
            Observation::LockWaits(waits) => self.saw_locks(now, waits),
            Observation::DatabaseGone(database) => {
                self.schemas.remove(database);
                self.locks.remove(database);
            }
            _ => {}
        }
    }

    fn read_schema(&mut self, now: Timestamp, reading: &SchemaReading) {
        let live = self
            .schemas
            .entry(reading.database.clone())
            .or_insert_with(|| LiveSchema {
                services: Vec::new(),
                sight: None,
                before: None,
                problem: None,
            });
        live.services.clone_from(&reading.services);
        let schema = match &reading.schema {
            Ok(schema) => schema,
            Err(problem) => {
                live.problem = Some(problem.clone());
                return;
            }
        };
        live.problem = None;
        let fingerprint = schema.fingerprint();
        match &mut live.sight {
            Some(sight) if reading.at < sight.last_at => {}
            Some(sight) if sight.fingerprint == fingerprint => sight.last_at = reading.at,
            known => {
                live.before = known.as_ref().map(|sight| (sight.fingerprint, sight.last_at));
                *known = Some(Sight {
                    schema: Arc::clone(schema),
                    fingerprint,
                    first_at: reading.at,
                    seen_at: now,
                    last_at: reading.at,
                });
            }
        }
    }

    fn saw_locks(&mut self, now: Timestamp, seen: &LockWaits) {
        let mut before = self.locks.remove(&seen.database).unwrap_or_default();
        let mut locks = LiveLocks::new();
        for wait in &seen.waits {
            let key = key(wait);
            let known = before
                .remove(&key)
                .filter(|known| known.wait.waiting.statement == wait.waiting.statement);
            let fresh = || LiveWait {
                wait: wait.clone(),
                since: now,
            };
            locks.insert(key, known.unwrap_or_else(fresh));
        }
        if !locks.is_empty() {
            self.locks.insert(seen.database.clone(), locks);
        }
    }

    /// Whether a reading of a schema shows another one than the last.
    pub(super) fn is_new_schema(&self, reading: &SchemaReading) -> bool {
        let Some(live) = self.schemas.get(&reading.database) else {
            return true;
        };
        match &reading.schema {
            Err(problem) => live.problem.as_ref() != Some(problem),
            Ok(schema) => {
                let fingerprint = live.sight.as_ref().map(|sight| sight.fingerprint);
                live.problem.is_some() || fingerprint != Some(schema.fingerprint())
            }
        }
    }

    /// Whether others wait than at the last look.
    pub(super) fn are_new_waits(&self, seen: &LockWaits) -> bool {
        let none = LiveLocks::new();
        let known = self.locks_of(&seen.database).unwrap_or(&none);
        let is_known = |wait: &LockWait| {
            known
                .get(&key(wait))
                .is_some_and(|live| live.wait.waiting.statement == wait.waiting.statement)
        };
        known.len() != seen.waits.len() || !seen.waits.iter().all(is_known)
    }

    fn locks_of(&self, database: &DatabaseId) -> Option<&LiveLocks> {
        self.locks.get(database)
    }
}

fn key(wait: &LockWait) -> (i64, Option<i64>) {
    (wait.waiting.id, wait.holder.as_ref().map(|holder| holder.id))
}
