//! How and when a migration ends. Level-based: it looks at every open one after each observation, so a lost event costs time, never
//! the answer.

use std::time::Duration;

use super::super::State;
use super::super::containers::Finish;
use super::super::live::LiveContainer;
use super::super::settings::Settings;
use super::Tracked;
use crate::model::container::{ContainerState, Health};
use crate::model::fact::Fact;
use crate::model::log::StepKind;
use crate::model::migration::Outcome;
use crate::model::observation::{LogStatus, Observation};
use crate::model::probe::Via;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// After an exit the rest of the log is waited for, at most this long.
const REST_OF_LOG: Duration = Duration::from_secs(2);

/// A claim, a piece of history, or a run whose last step stands in the database, is closed if nothing more was said for this time.
const UNENDED: Duration = Duration::from_secs(60);

/// Ends after which the same start may still migrate (a second Alembic environment, say).
pub(super) const FINISHED: &str = "it said that it finished";
pub(super) const CARRIED_OUT: &str = "its last step stands in the database and nothing more was said";

/// A run that moved nothing and said nothing for this time is over: its application just never says that it is up.
const SILENT: Duration = Duration::from_mins(15);

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
        moments.extend(silence_of(state, tracked).map(|(at, _)| at));
        let live = tracked
            .runner()
            .and_then(|runner| state.live.containers.get(&runner.container));
        moments.extend(live.map(LiveContainer::caught_up_by));
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
    if !migration.history
        && let Some((at, reason)) = serves(state, tracked, now)
    {
        return Some(settled(tracked, at, reason));
    }
    let (over_at, reason) = silence_of(state, tracked)?;
    (now >= over_at).then(|| settled(tracked, last_sign_of(tracked), reason))
}

/// When silence alone ends it, and what that means; never while a step may still be at work.
fn silence_of(state: &State, tracked: &Tracked) -> Option<(Timestamp, &'static str)> {
    let migration = &tracked.migration;
    let last_sign = last_sign_of(tracked);
    if migration.history {
        // Old lines are read from the moment on at which their container was first seen.
        let runner = tracked.runner()?;
        let known = state.durable.containers.known.get(&runner.container)?;
        let read_from = known.history_until.unwrap_or_default();
        return Some((
            last_sign.max(read_from).after(UNENDED),
            "nothing more was said of it",
        ));
    }
    if tracked.is_claim() {
        return Some((last_sign.after(UNENDED), "nothing stood behind the line"));
    }
    if is_carried_out(tracked) {
        return Some((last_sign.after(UNENDED), CARRIED_OUT));
    }
    let is_silent = migration.steps.is_empty() && migration.movements.is_empty();
    is_silent.then(|| {
        (
            last_sign.after(SILENT),
            "nothing moved, and nothing more was said",
        )
    })
}

/// The last thing that was heard of the latest attempt.
pub(in super::super) fn last_sign_of(tracked: &Tracked) -> Timestamp {
    let migration = &tracked.migration;
    let step = migration.steps.last().map(|timed| timed.at);
    let moved = migration.movements.iter().map(|movement| movement.at).max();
    tracked.last_attempt_at().max(step.max(moved).unwrap_or_default())
}

/// The database stands where the last logged step leads, so that no step is at work.
pub(in super::super) fn is_carried_out(tracked: &Tracked) -> bool {
    let migration = &tracked.migration;
    let Some(last) = migration.steps.last() else {
        return false;
    };
    let reached = &last.step.to;
    !tracked.erred_in_this_attempt
        && migration.movements.iter().any(|movement| {
            let heads = &movement.to.0;
            reached.iter().all(|revision| heads.contains(revision))
                && (!reached.is_empty() || heads.is_empty())
        })
}

/// How the start that ran it ended, where the next start of the same container is already heard.
pub(super) fn ended_by_exit(state: &State, tracked: &Tracked) -> Option<Fact> {
    finish_of(state, tracked).map(|finish| exited(tracked, &finish))
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

/// When the exit was heard of by this process, on our clock: right after a restart the rest of the log is still to be read.
fn finish_seen(state: &State, tracked: &Tracked, finish: &Finish) -> Timestamp {
    let live = tracked
        .runner()
        .and_then(|runner| state.live.containers.get(&runner.container));
    let seen = live.map(|live| live.died_at.unwrap_or(live.since));
    finish.at.max(seen.or(state.live.since).unwrap_or(finish.at))
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
    let is_cut_off = finish.asked || matches!(finish.exit_code, 137 | 143 | -1);
    let (outcome, reason) = match finish.exit_code {
        _ if is_cut_off && is_carried_out(tracked) => (
            by_steps(tracked),
            "its last step stood in the database before its process ended".to_owned(),
        ),
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
    // What serves now says nothing of lines that are still to be read.
    if live.look.state != ContainerState::Running || !live.is_caught_up(now) {
        return None;
    }
    if live.look.health == Some(Health::Healthy) {
        return Some((now, "the container's health check passed after it"));
    }
    answered(state, &tracked.migration.service, tracked.last_attempt_at())
        .map(|at| (at, "its endpoint answered after it"))
}

/// When the endpoint of a service with a single replica answered after `since`.
pub(super) fn answered(state: &State, service: &ServiceId, since: Timestamp) -> Option<Timestamp> {
    let answered = state.live.probes_of(service).find(|(probe, live)| {
        probe.via == Via::Direct && live.result.failure.is_none() && live.result.at > since
    });
    answered
        .filter(|_| state.live.replicas(service).count() == 1)
        .map(|(_, live)| live.result.at)
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
        Some(kind) => by_kind(kind),
        None if migration.movements.is_empty() => Outcome::NothingToDo,
        None => Outcome::Applied,
    }
}

/// What a step does once it is carried out.
pub(super) fn by_kind(kind: StepKind) -> Outcome {
    match kind {
        StepKind::Upgrade => Outcome::Applied,
        StepKind::Downgrade => Outcome::Downgraded,
        StepKind::Stamp => Outcome::Stamped,
    }
}
