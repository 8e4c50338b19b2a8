//! Whether the database agrees: version tables are compared with what migrations logged. Level-based, so that it does not matter
//! which of the two arrives first.

use std::time::Duration;

use super::super::State;
use super::super::settings::Settings;
use super::super::tables::TableRecord;
use super::super::verdict::{self, Case};
use super::Tracked;
use crate::model::fact::{BindingProof, Fact};
use crate::model::migration::{Grade, Movement, Outcome};
use crate::model::observation::Observation;
use crate::model::revision::{Heads, Standing, VersionTable};
use crate::model::time::Timestamp;

/// How long after its end a migration may still be confirmed.
const LATE: Duration = Duration::from_secs(120);

/// The reading that an end hurries comes within this time after it.
const READ_AFTER_END: Duration = Duration::from_secs(10);

/// Our clock and the engine's may differ by this much without anybody minding.
const SKEW: Duration = Duration::from_secs(2);

/// Confirms migrations by what stands in the version tables.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    if !matches!(observation, Observation::Database(_) | Observation::Line { .. }) {
        return Vec::new();
    }
    let recent = state.durable.migrations.all.values().filter(|tracked| {
        tracked.is_open()
            || tracked
                .migration
                .ended_at
                .is_some_and(|ended| now <= ended.after(LATE))
    });
    recent
        .flat_map(|tracked| confirm(state, settings, tracked, now))
        .collect()
}

fn confirm(state: &State, settings: &Settings, tracked: &Tracked, now: Timestamp) -> Vec<Fact> {
    let migration = &tracked.migration;
    let mut facts = Vec::new();
    for (table, record, is_bound) in candidates(state, tracked) {
        let Standing::At(heads) = &record.standing else {
            continue;
        };
        let by_step = is_reached(tracked, record, heads);
        let is_explained = || by_step || (is_bound && moved_with(state, tracked, record, heads));
        if (tracked.is_claim() && !has_moved(tracked, record)) || !is_explained() {
            continue;
        }
        if by_step && !is_bound {
            let service = migration.service.clone();
            facts.push(Fact::TableBound {
                service,
                table: table.clone(),
                proof: BindingProof::Learned,
            });
        }
        let is_told = migration
            .movements
            .iter()
            .any(|known| known.table == *table && known.to == *heads);
        if migration.history || is_told {
            continue;
        }
        let movement = Movement {
            table: table.clone(),
            from: origin(tracked, record),
            to: heads.clone(),
            at: record.since,
        };
        // Judged first: what is counted with the confirmation is counted under the right verdict.
        facts.extend(no_longer_a_claim(state, settings, tracked));
        let id = migration.id.clone();
        facts.push(Fact::MigrationConfirmed {
            id,
            movement,
            observed_at: now,
        });
        facts.extend(no_longer_nothing(tracked, record));
    }
    facts
}

/// The tables that this migration may have moved: those its service is bound to, and every one in its databases unless the
/// configuration names the table (the only table so far may be another service's).
fn candidates<'a>(
    state: &'a State,
    tracked: &'a Tracked,
) -> impl Iterator<Item = (&'a VersionTable, &'a TableRecord, bool)> {
    let tables = &state.durable.tables;
    let service = &tracked.migration.service;
    let is_configured = tables
        .bound(service)
        .any(|(_, proof)| proof == BindingProof::Configured);
    tables.known.iter().filter_map(move |(table, record)| {
        let is_bound = tables.bound(service).any(|(bound, _)| bound == table);
        let is_near = || {
            state
                .live
                .databases
                .get(&table.database)
                .is_some_and(|live| live.reading.services.contains(service))
        };
        (is_bound || (!is_configured && is_near())).then_some((table, record, is_bound))
    })
}

/// A logged step reached what stands there.
fn is_reached(tracked: &Tracked, record: &TableRecord, heads: &Heads) -> bool {
    let since = record.since.after(SKEW);
    tracked.migration.steps.iter().rev().any(|timed| {
        since >= timed.at
            && if timed.step.to.is_empty() {
                heads.0.is_empty()
            } else {
                timed.step.to.iter().all(|revision| heads.0.contains(revision))
            }
    })
}

/// The table was seen to move since the claim was made: that the right revision stands there proves nothing.
fn has_moved(tracked: &Tracked, record: &TableRecord) -> bool {
    let began = tracked.migration.started_at.before(SKEW);
    record.moves.back().is_some_and(|last| last.at >= began)
}

/// The service's own table moved while a run without readable steps was at work, and nobody else's steps explain it.
fn moved_with(state: &State, tracked: &Tracked, record: &TableRecord, heads: &Heads) -> bool {
    if !tracked.migration.steps.is_empty() || tracked.is_claim() {
        return false;
    }
    let until = tracked
        .migration
        .ended_at
        .filter(|_| !tracked.is_open())
        .map(|ended| ended.after(READ_AFTER_END));
    let in_time = record.moves.back().is_some_and(|last| {
        last.at >= tracked.last_attempt_at() && until.is_none_or(|until| last.at <= until)
    });
    let all = &state.durable.migrations.all;
    in_time && !all.values().any(|other| is_reached(other, record, heads))
}

/// Where the table stood before: its first move since the migration began, else what the first step said.
fn origin(tracked: &Tracked, record: &TableRecord) -> Heads {
    let began = tracked.migration.started_at.before(SKEW);
    match record
        .moves
        .iter()
        .find(|moved| moved.at >= began)
        .map(|moved| &moved.from)
    {
        Some(Standing::At(heads)) => heads.clone(),
        Some(Standing::Missing) => Heads::default(),
        None => tracked
            .migration
            .steps
            .first()
            .map(|timed| Heads(timed.step.from.iter().cloned().collect()))
            .unwrap_or_default(),
    }
}

/// A claim that the database confirms is judged by the policy.
fn no_longer_a_claim(state: &State, settings: &Settings, tracked: &Tracked) -> Option<Fact> {
    if !tracked.is_claim() {
        return None;
    }
    let runner = tracked.runner()?;
    let known = state.durable.containers.known.get(&runner.container)?;
    let label = state
        .live
        .containers
        .get(&runner.container)
        .and_then(|live| live.look.labels.migrations);
    let start = known.start(runner.started_at);
    let case = Case {
        service: &tracked.migration.service,
        trigger: tracked.migration.trigger,
        began_at: tracked.migration.started_at,
        grade: Grade::Confirmed,
        container: Some((known, start)),
        label,
        moved: &[],
    };
    let mut judgement = verdict::judge(state, settings, &case);
    judgement.reason = format!(
        "{}; at first only a log line said so, then the database moved",
        judgement.reason
    );
    Some(Fact::MigrationRejudged {
        id: tracked.migration.id.clone(),
        grade: Grade::Confirmed,
        judgement,
    })
}

/// A run that logged no step and was taken for idle moved its table after all.
fn no_longer_nothing(tracked: &Tracked, record: &TableRecord) -> Option<Fact> {
    let migration = &tracked.migration;
    (!tracked.is_open() && migration.outcome == Outcome::NothingToDo).then(|| Fact::MigrationSettled {
        id: migration.id.clone(),
        outcome: Outcome::Applied,
        at: migration.ended_at.unwrap_or(record.since),
        reason: "its version table moved, as the reading after its end showed".to_owned(),
    })
}
