//! When a database is another one: restored, emptied, made anew. Tables vanish or come back wholesale, mostly with their version
//! tables, and nobody's migration does that.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::State;
use super::super::migration::Tracked;
use super::super::settings::Settings;
use super::super::tables::{Move, TableRecord};
use super::explaining::{Change, Scene};
use super::{Replaced, SETTLE, SKEW, is_elsewhere, is_near, is_restore_approved};
use crate::model::fact::{DatabaseReplaced, Fact};
use crate::model::observation::Observation;
use crate::model::revision::{DatabaseId, Heads, Standing};
use crate::model::schema::{Patch, Schema, TablePatch};
use crate::model::time::Timestamp;

/// So many tables make a replacement ...
const SEVERAL: usize = 3;

/// ... after this time, in which a migration may still be found that did it.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// What vanishes is told this long, and what comes back within it belongs to it: a large backup takes its time.
pub(in super::super) const RETURN: Duration = Duration::from_secs(3600);

/// Whatever changes so soon after it belongs to it.
const SOON: Duration = Duration::from_secs(60);

/// A version table is read at most this long before the schema that tells why it moved.
const READ_BEFORE: Duration = Duration::from_secs(10);

/// Takes in a replacement; one soon after another is the same.
pub(super) fn apply(known: &mut BTreeMap<DatabaseId, Replaced>, it: &DatabaseReplaced) {
    match known.get_mut(&it.database) {
        Some(before) if it.at <= before.last_at.after(RETURN) => {
            before.last_at = before.last_at.max(it.at);
            before.approved &= it.approved;
            let known: Vec<String> = before.changes.clone();
            let new = it.changes.iter().filter(|words| !known.contains(words));
            before
                .changes
                .extend(new.take(20_usize.saturating_sub(known.len())).cloned());
        }
        _ => {
            let replaced = Replaced {
                since: it.at,
                last_at: it.at,
                changes: it.changes.clone(),
                approved: it.approved,
            };
            known.insert(it.database.clone(), replaced);
        }
    }
}

/// At least half of the tables, and at least [`SEVERAL`], are gone at once.
fn is_vanished(before: &Schema, patch: &Patch) -> bool {
    let dropped = patch
        .0
        .values()
        .filter(|it| matches!(it, TablePatch::Dropped))
        .count();
    dropped >= SEVERAL && dropped * 2 >= before.0.len()
}

/// Nothing is left of what there was.
fn is_emptied(before: &Schema, after: &Schema) -> bool {
    !before.0.is_empty() && after.0.is_empty()
}

/// At least half of the tables, and at least [`SEVERAL`], are there all at once.
fn is_arrived(after: &Schema, patch: &Patch) -> bool {
    let created = patch
        .0
        .values()
        .filter(|it| matches!(it, TablePatch::Created(_)))
        .count();
    created >= SEVERAL && created * 2 >= after.0.len()
}

/// The tables vanished, and every version table with them: no migration does that, for it needs its own. What is left or there
/// again is then the work of a migration from the very beginning.
pub(super) fn is_swept(scene: &Scene<'_>, change: &Change<'_>, suspects: &[&Tracked]) -> bool {
    let began = |tracked: &&Tracked| {
        tracked
            .migration
            .from()
            .is_none_or(|heads| heads == Heads::default())
            && !tracked.migration.steps.is_empty()
    };
    let is_begun_anew = |name: &str| {
        suspects.iter().filter(|tracked| began(tracked)).any(|tracked| {
            let tables = &scene.state.durable.tables;
            let mut bound = tables.bound(&tracked.migration.service);
            bound.any(|(table, _)| table.table == name && table.database == *scene.database)
        })
    };
    let mut tables = version_tables(scene.state, scene.database).peekable();
    let is_less = is_vanished(change.before, &change.patch) || is_emptied(change.before, &scene.sight.schema);
    is_less
        && tables.peek().is_some()
        && tables.all(|(name, record)| went(record, change.since) || is_begun_anew(name))
}

/// Whether a version table is gone, or was at some time since then.
fn went(record: &TableRecord, since: Timestamp) -> bool {
    let is_gap = |it: &&Move| it.at.after(SKEW) >= since && (is_missing(&it.from) || is_missing(&it.to));
    record.standing == Standing::Missing || record.moves.iter().any(|it| is_gap(&it))
}

fn is_missing(standing: &Standing) -> bool {
    *standing == Standing::Missing
}

/// Whether so much changed at once that it is no drift. Arrivals, and the last of very few tables, count only where the version tables
/// came or went too, or none is there: a small database doubles its tables easily.
pub(super) fn is_wholesale(scene: &Scene<'_>, change: &Change<'_>) -> bool {
    let after = &scene.sight.schema;
    let mut tables = version_tables(scene.state, scene.database);
    is_vanished(change.before, &change.patch)
        || ((is_emptied(change.before, after) || is_arrived(after, &change.patch))
            && tables.all(|(_, record)| went(record, change.since)))
}

/// Whether a version table moved meanwhile: somebody migrated it, and may still be found.
pub(super) fn is_moved(state: &State, database: &DatabaseId, change: &Change<'_>) -> bool {
    let mut tables = version_tables(state, database);
    tables.any(|(_, record)| {
        let mut moves = record.moves.iter();
        moves.any(|it| it.at.after(SKEW) >= change.since && it.at <= change.at.after(SETTLE))
    })
}

/// Whether tables come back, or move a last time, soon after the database was replaced.
pub(super) fn is_return(scene: &Scene<'_>, change: &Change<'_>) -> bool {
    let Some(replaced) = scene.state.durable.schemas.replaced.get(scene.database) else {
        return false;
    };
    let is_arrival = change
        .patch
        .0
        .values()
        .all(|it| matches!(it, TablePatch::Created(_)));
    // A backup is played back piece by piece: what was there before its version tables came with it, and what went right before they did
    // went with them.
    let has_begun = || {
        let mut tables = version_tables(scene.state, scene.database);
        tables.all(|(_, record)| went(record, change.since))
            && (is_arrival || change.at.after(SETTLE) >= replaced.since)
    };
    (change.at >= replaced.since || has_begun())
        && (change.at <= replaced.last_at.after(SOON)
            || (is_arrival && change.at <= replaced.last_at.after(RETURN)))
}

/// Whether the version tables went and are there again, and nobody was told yet what that means for what else changed.
pub(super) fn is_returning(state: &State, database: &DatabaseId) -> bool {
    returned_at(state, database).is_some()
}

fn version_tables<'a>(
    state: &'a State,
    database: &'a DatabaseId,
) -> impl Iterator<Item = (&'a str, &'a TableRecord)> {
    let known = state.durable.tables.known.iter();
    known
        .filter(move |(table, _)| table.database == *database)
        .map(|(table, record)| (table.table.as_str(), record))
}

/// Whether a move of a version table at this time belongs to a replacement of the whole database (or is approved as one), and so is
/// nobody's migration. To be asked when the time for other explanations is over, not at once: the schema is read after the version
/// tables.
pub fn is_replacement(state: &State, settings: &Settings, database: &DatabaseId, at: Timestamp) -> bool {
    let replaced = state.durable.schemas.replaced.get(database);
    let is_known = replaced.is_some_and(|replaced| {
        let began = at.after(READ_BEFORE) >= replaced.since;
        let returns = || {
            let mut tables = version_tables(state, database);
            tables.any(|(_, record)| {
                let mut moves = record.moves.iter();
                moves.any(|it| it.at == at && is_missing(&it.from))
            })
        };
        began && (at <= replaced.last_at.after(SOON) || (at <= replaced.last_at.after(RETURN) && returns()))
    });
    is_known
        || is_pending(state, settings, database)
        || returned_at(state, database).is_some_and(|returned| at <= returned)
        || is_restore_approved(state, settings, database, at)
}

/// A wholesale change that is not decided on yet.
fn is_pending(state: &State, settings: &Settings, database: &DatabaseId) -> bool {
    let (Some(live), Some(record)) = (
        state.live.schemas.get(database),
        state.durable.schemas.known.get(database),
    ) else {
        return gone_at(state, database).is_some();
    };
    let Some(sight) = &live.sight else {
        return gone_at(state, database).is_some();
    };
    let scene = Scene {
        state,
        settings,
        now: sight.seen_at,
        database,
        live,
        sight,
        record,
    };
    sight.fingerprint != record.fingerprint && is_wholesale(&scene, &scene.change())
}

/// What the version tables alone tell: all of them are gone and the schema itself cannot be read, or they went and are there again.
pub(in super::super) fn by_version_tables(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    if is_elsewhere(observation) {
        return Vec::new();
    }
    let told = |database: &DatabaseId| {
        let gone = gone_at(state, database).map(|at| (at, "all version tables are gone"));
        let returned =
            || returned_at(state, database).map(|at| (at, "all version tables went and are there again"));
        let (at, words) = gone.or_else(returned)?;
        let is_due = now >= at.after(SETTLE) && !is_migrated(state, database);
        is_due.then(|| {
            Fact::DatabaseReplaced(DatabaseReplaced {
                database: database.clone(),
                at,
                patch: Patch::default(),
                changes: vec![words.to_owned()],
                approved: is_restore_approved(state, settings, database, at),
            })
        })
    };
    state.live.databases.keys().filter_map(told).collect()
}

/// When a replacement is decided on by time alone.
pub(super) fn deadlines(state: &State, moments: &mut Vec<Timestamp>) {
    let databases = state.live.databases.keys();
    let moved = databases.flat_map(|database| [gone_at(state, database), returned_at(state, database)]);
    moments.extend(moved.flatten().map(|at| at.after(SETTLE)));
}

/// When the last version table of a database went whose schema cannot be read, unless that is told already.
fn gone_at(state: &State, database: &DatabaseId) -> Option<Timestamp> {
    let live = state.live.schemas.get(database);
    if live.is_some_and(|live| live.sight.is_some() && live.problem.is_none()) {
        return None;
    }
    let stood = |(_, record): &(&str, &TableRecord)| {
        record.standing != Standing::Missing || record.moves.iter().any(|it| !is_missing(&it.from))
    };
    let mut gone_at = None;
    for (_, record) in version_tables(state, database).filter(stood) {
        if record.standing != Standing::Missing {
            return None;
        }
        gone_at = gone_at.max(Some(record.since));
    }
    let replaced = state.durable.schemas.replaced.get(database);
    gone_at.filter(|at| replaced.is_none_or(|replaced| replaced.last_at < *at))
}

/// When the last version table came back of a database whose version tables had all gone, unless a migration made it or that is told
/// already: a backup that is small is played back between two readings of the schema.
fn returned_at(state: &State, database: &DatabaseId) -> Option<Timestamp> {
    let mut returned_at = None;
    for (_, record) in version_tables(state, database) {
        let vanished = record.moves.iter().position(|it| is_missing(&it.to))?;
        let since = record.moves.iter().skip(vanished);
        let returned = since.filter(|it| is_missing(&it.from) && !it.explained);
        returned_at = returned_at.max(returned.map(|it| it.at).max());
    }
    let replaced = state.durable.schemas.replaced.get(database);
    returned_at.filter(|at| replaced.is_none_or(|replaced| replaced.last_at.after(RETURN) < *at))
}

fn is_migrated(state: &State, database: &DatabaseId) -> bool {
    let mut all = state.durable.migrations.all.values();
    all.any(|tracked| tracked.is_open() && !tracked.is_claim() && is_near(state, tracked, database))
}
