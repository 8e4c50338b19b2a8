//! How and when a migration ends. Level-based: it looks at every open one after each observation, so a lost event costs time, never
//! the answer.

use std::time::Duration;

use super::super::State;
use super::super::containers::Finish;
use super::super::settings::Settings;
use super::Tracked;
use crate::model::container::{ContainerState, Health};
use crate::model::fact::Fact;
use crate::model::log::StepKind;
use crate::model::migration::Outcome;
use crate::model::observation::{LogStatus, Observation};
use crate::model::probe::Via;
use crate::model::time::Timestamp;

/// After an exit the rest of the log is waited for, at most this long.
const REST_OF_LOG: Duration = Duration::from_secs(2);

/// A claim or a piece of history that nothing ended is closed after this time.
const UNENDED: Duration = Duration::from_secs(60);

/// Ends every open migration whose end can be seen.
pub(in super::super) fn decide(state: &State, _: &Settings, now: Timestamp, _: &Observation) -> Vec<Fact> {
    let open = state
        .durable
        .migrations
        .all
        .values()
        .filter(|tracked| tracked.is_open());
    open.filter_map(|tracked| end_of(state, tracked, now)).collect()
}

/// When an open migration may end by time alone.
pub(in super::super) fn deadlines(state: &State, moments: &mut Vec<Timestamp>) {
    for tracked in state
        .durable
        .migrations
        .all
        .values()
        .filter(|tracked| tracked.is_open())
    {
        if tracked.is_claim() || tracked.migration.history {
            moments.push(tracked.last_attempt_at().after(UNENDED));
        }
        if let Some(finish) = finish_of(state, tracked) {
            moments.push(finish_seen(state, tracked, &finish).after(REST_OF_LOG));
        }
    }
}

fn end_of(state: &State, tracked: &Tracked, now: Timestamp) -> Option<Fact> {
    let migration = &tracked.migration;
    if let Some(finish) = finish_of(state, tracked) {
        let is_read = is_log_read(state, tracked);
        let is_late = now >= finish_seen(state, tracked, &finish).after(REST_OF_LOG);
        return (is_read || is_late).then(|| exited(tracked, &finish));
    }
    if (tracked.is_claim() || migration.history) && now >= tracked.last_attempt_at().after(UNENDED) {
        let reason = if migration.history {
            "nothing more was said of it"
        } else {
            "nothing stood behind the line"
        };
        return Some(settled(tracked, tracked.last_attempt_at(), reason));
    }
    if migration.history {
        return None;
    }
    serves(state, tracked, now).map(|(at, reason)| settled(tracked, at, reason))
}

/// How the start that runs the migration ended, if it did.
fn finish_of(state: &State, tracked: &Tracked) -> Option<Finish> {
    if tracked.migration.history {
        return None;
    }
    let runner = tracked.runner()?;
    let known = state.durable.containers.known.get(&runner.container)?;
    known.start(runner.started_at)?.finish.clone()
}

/// When the exit was heard of, on our clock where that is known.
fn finish_seen(state: &State, tracked: &Tracked, finish: &Finish) -> Timestamp {
    let live = tracked
        .runner()
        .and_then(|runner| state.live.containers.get(&runner.container));
    live.and_then(|live| live.died_at).unwrap_or(finish.at)
}

/// Whether every line of that start was taken in: its stream has ended, or there was none.
fn is_log_read(state: &State, tracked: &Tracked) -> bool {
    let live = tracked
        .runner()
        .and_then(|runner| state.live.containers.get(&runner.container));
    match live {
        Some(live) => matches!(live.log, Some(LogStatus::Ended | LogStatus::Unreadable { .. })),
        None => false,
    }
}

fn exited(tracked: &Tracked, finish: &Finish) -> Fact {
    let migration = &tracked.migration;
    let (outcome, reason) = match finish.exit_code {
        _ if tracked.erred_in_this_attempt => (Outcome::Failed, format!("{} after an error", exit(finish))),
        0 => (by_steps(tracked), "its process exited 0".to_owned()),
        137 | 143 => (
            Outcome::Interrupted,
            format!("its process was killed ({})", exit(finish)),
        ),
        _ if finish.asked => (
            Outcome::Interrupted,
            format!("its container was stopped ({})", exit(finish)),
        ),
        -1 => (Outcome::Interrupted, "its container ended unseen".to_owned()),
        _ => (
            Outcome::Failed,
            format!("{} without a readable error", exit(finish)),
        ),
    };
    Fact::MigrationSettled {
        id: migration.id.clone(),
        outcome,
        at: finish.at,
        reason,
    }
}

fn exit(finish: &Finish) -> String {
    format!("exit code {}", finish.exit_code)
}

/// The application serves, so what ran before it is over.
fn serves(state: &State, tracked: &Tracked, now: Timestamp) -> Option<(Timestamp, &'static str)> {
    let runner = tracked.runner()?;
    let live = state.live.containers.get(&runner.container)?;
    if live.look.state != ContainerState::Running {
        return None;
    }
    if live.look.health == Some(Health::Healthy) {
        return Some((now, "the container's health check passed after it"));
    }
    let service = &tracked.migration.service;
    let is_only_one = state.live.replicas(service).count() == 1;
    let answered = state.live.probes.iter().find(|(probe, live)| {
        probe.service == *service
            && probe.via == Via::Direct
            && live.result.failure.is_none()
            && live.result.at > tracked.last_attempt_at()
    });
    answered
        .filter(|_| is_only_one)
        .map(|(_, live)| (live.result.at, "its endpoint answered after it"))
}

/// The end of a migration that was not ended by an exit.
pub(super) fn settled(tracked: &Tracked, at: Timestamp, reason: &str) -> Fact {
    Fact::MigrationSettled {
        id: tracked.migration.id.clone(),
        outcome: by_steps(tracked),
        at,
        reason: reason.to_owned(),
    }
}

/// What steps, moves and errors say.
fn by_steps(tracked: &Tracked) -> Outcome {
    let migration = &tracked.migration;
    let last = migration.steps.last().map(|timed| timed.step.kind);
    match last {
        // An error of an earlier attempt says nothing about one that came through.
        _ if tracked.erred_in_this_attempt => Outcome::Failed,
        Some(StepKind::Upgrade) => Outcome::Applied,
        Some(StepKind::Downgrade) => Outcome::Downgraded,
        Some(StepKind::Stamp) => Outcome::Stamped,
        None if migration.movements.is_empty() => Outcome::NothingToDo,
        None => Outcome::Applied,
    }
}
