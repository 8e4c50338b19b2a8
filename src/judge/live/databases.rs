//! Databases as they were last tried.

use super::Live;
use crate::model::database::DatabaseReading;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// One database as last tried.
#[derive(Clone, Debug)]
pub struct LiveDatabase {
    /// The last reading.
    pub reading: DatabaseReading,
    /// When it was last read with success.
    pub last_read: Option<Timestamp>,
    /// The reading with success before that one.
    pub read_before: Option<Timestamp>,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
}

impl Live {
    pub(super) fn read(&mut self, reading: &DatabaseReading, now: Timestamp) {
        let before = self.databases.get(&reading.database);
        let (last_read, failing_since) = match &reading.tables {
            Ok(_) => (Some(reading.at), None),
            Err(_) => (
                before.and_then(|before| before.last_read),
                before.and_then(|before| before.failing_since).or(Some(now)),
            ),
        };
        let is_older = |at: &Timestamp| Some(*at) < last_read;
        let read_before = before.and_then(|before| before.last_read.filter(is_older).or(before.read_before));
        let live = LiveDatabase {
            reading: reading.clone(),
            last_read,
            read_before,
            failing_since,
        };
        self.databases.insert(reading.database.clone(), live);
        self.stand(reading, None, now);
    }

    /// The databases that a service uses.
    pub fn databases_of<'a>(&'a self, service: &'a ServiceId) -> impl Iterator<Item = &'a LiveDatabase> {
        self.databases
            .values()
            .filter(move |live| live.reading.services.contains(service))
    }
}
