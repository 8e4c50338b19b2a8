//! Whether the database agrees: version tables are compared with what migrations logged. Level-based, so that it does not matter
//! which of the two arrives first.

use std::time::Duration;

use super::super::State;
use super::super::settings::Settings;
use super::super::tables::TableRecord;
use super::super::verdict;
use super::Tracked;
use crate::model::fact::{BindingProof, Fact};
use crate::model::migration::{Grade, Movement};
use crate::model::observation::Observation;
use crate::model::revision::{Heads, Standing, VersionTable};
use crate::model::time::Timestamp;

/// How long after its end a migration may still be confirmed.
const LATE: Duration = Duration::from_secs(120);

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
        let Some(by_step) = agreement(tracked, record, heads, is_bound) else {
            continue;
        };
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
        let id = migration.id.clone();
        facts.push(Fact::MigrationConfirmed {
            id,
            movement,
            observed_at: now,
        });
        facts.extend(no_longer_a_claim(state, settings, tracked));
    }
    facts
}

/// The tables that this migration may have moved: those its service is bound to, else every one in its databases.
fn candidates<'a>(
    state: &'a State,
    tracked: &'a Tracked,
) -> impl Iterator<Item = (&'a VersionTable, &'a TableRecord, bool)> {
    let tables = &state.durable.tables;
    let service = &tracked.migration.service;
    let is_any_bound = tables.bound(service).next().is_some();
    tables.known.iter().filter_map(move |(table, record)| {
        let is_bound = tables.bound(service).any(|(bound, _)| bound == table);
        let is_near = || {
            state
                .live
                .databases
                .get(&table.database)
                .is_some_and(|live| live.reading.services.contains(service))
        };
        (is_bound || (!is_any_bound && is_near())).then_some((table, record, is_bound))
    })
}

/// `Some(true)`: a logged step reached what stands there; `Some(false)`: the bound table moved while it ran.
fn agreement(tracked: &Tracked, record: &TableRecord, heads: &Heads, is_bound: bool) -> Option<bool> {
    let since = record.since.after(SKEW);
    let reached = tracked.migration.steps.iter().rev().any(|timed| {
        since >= timed.at
            && if timed.step.to.is_empty() {
                heads.0.is_empty()
            } else {
                timed.step.to.iter().all(|revision| heads.0.contains(revision))
            }
    });
    if reached {
        return Some(true);
    }
    let moved = is_bound && tracked.migration.steps.is_empty() && !tracked.is_claim() && tracked.is_open();
    let in_time = record
        .moves
        .back()
        .is_some_and(|last| last.at >= tracked.last_attempt_at());
    (moved && in_time).then_some(false)
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
    let mut judgement = verdict::judge(settings, known, start, label, Grade::Confirmed);
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
