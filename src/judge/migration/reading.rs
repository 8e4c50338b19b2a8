//! What the database says of a migration after its end: whether it was read since, and whether a table stayed behind.

use std::time::Duration;

use super::super::State;
use super::super::live::LiveDatabase;
use crate::model::revision::{Revision, Standing, VersionTable};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// How long after its end a migration may still be confirmed.
pub(super) const LATE: Duration = Duration::from_secs(120);

/// The reading that an end hurries comes within this time after it, on a machine that is short of everything too: what was presumed is
/// not taken back before.
pub(super) const READ_AFTER_END: Duration = Duration::from_secs(30);

/// Our clock and the engine's may differ by this much without anybody minding.
pub(in super::super) const SKEW: Duration = Duration::from_secs(2);

/// After a start of migwatch its databases are read within this time.
pub(super) const FIRST_READING: Duration = Duration::from_secs(10);

/// What is judged by the absence of something is judged after this time: evidence that is on its way has come by then.
pub(in super::super) const SETTLE: Duration = Duration::from_secs(10);

/// Whether every database of the service that can be read was read after this time, so that what the service did by then is known.
pub(super) fn is_read_after(state: &State, service: &ServiceId, at: Timestamp) -> bool {
    let connected = &state.durable.tables.connected;
    let is_read = |live: &LiveDatabase| match live.failing_since {
        // One that was never reached, by an earlier process neither, tells nothing, and is not waited for.
        Some(_) => live.last_read.is_none() && !connected.contains(&live.reading.database),
        None => live.last_read.is_some_and(|read| read >= at),
    };
    // Right after a restart nothing was looked at yet.
    let is_tried = |(table, _): (&VersionTable, _)| state.live.databases.contains_key(&table.database);
    state.live.databases_of(service).all(is_read) && state.durable.tables.bound(service).all(is_tried)
}

/// Whether the service's version tables were seen after this time, every one of them.
pub(super) fn is_seen_after(state: &State, service: &ServiceId, at: Timestamp) -> bool {
    let mut bound = state.durable.tables.bound(service);
    bound.all(|(table, _)| {
        let live = state.live.databases.get(&table.database);
        live.is_some_and(|live| live.last_read.is_some_and(|read| read >= at))
    })
}

/// The table of the service that should stand at `to`, does not, and has not moved since `began`; in words.
pub(super) fn stayed_behind(
    state: &State,
    service: &ServiceId,
    to: &[Revision],
    began: Timestamp,
) -> Option<String> {
    let tables = &state.durable.tables;
    let bound: Vec<_> = tables
        .bound(service)
        .filter_map(|(table, _)| Some((table, tables.known.get(table)?)))
        .collect();
    let is_there = |standing: &Standing| match standing {
        Standing::At(heads) if to.is_empty() => heads.0.is_empty(),
        Standing::At(heads) => to.iter().all(|revision| heads.0.contains(revision)),
        Standing::Missing => false,
    };
    let has_moved = |at: Option<Timestamp>| at.is_some_and(|at| at >= began.before(SKEW));
    let is_behind = bound.iter().all(|(_, record)| {
        !is_there(&record.standing) && !has_moved(record.moves.back().map(|last| last.at))
    });
    let (table, record) = bound.first().filter(|_| is_behind)?;
    Some(format!("{table} still stands at {}", record.standing))
}
