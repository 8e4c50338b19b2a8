//! How and when a migration ends. Level-based: it looks at every open one after each observation, so a lost event costs time, never
//! the answer. Of several runners each comes to its end, and the migration with the last of them.

use std::time::Duration;

use super::super::State;
use super::super::code;
use super::super::settings::Settings;
use super::part::{End, Part, Progress};
use super::reading;
use super::{Tracked, is_carried_through};
use crate::model::exec::Action;
use crate::model::fact::Fact;
use crate::model::log::StepKind;
use crate::model::migration::{Outcome, Trigger};
use crate::model::observation::Observation;
use crate::model::time::Timestamp;

/// A claim, a piece of history, or a run whose last step stands in the database, is closed if nothing more was said for this time.
pub(super) const UNENDED: Duration = Duration::from_secs(60);

/// A step of a local process may take this long.
const LOCAL_STEP: Duration = Duration::from_hours(1);

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
    open.flat_map(|tracked| ends_of(state, tracked, now)).collect()
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
        for part in Part::all(tracked) {
            part.deadlines(state, moments);
        }
    }
}

fn ends_of(state: &State, tracked: &Tracked, now: Timestamp) -> Vec<Fact> {
    if tracked.runs.is_empty() {
        let end = Part::main(tracked).and_then(|main| end_of(state, &main, now));
        return end.map(|end| settled_as(tracked, end)).into_iter().collect();
    }
    let mut facts = Vec::new();
    let mut ends = Vec::new();
    let mut parts = 0_usize;
    for part in Part::all(tracked) {
        parts += 1;
        if let Some(end) = part.known_end() {
            ends.push(end);
        } else if let Some(end) = end_of(state, &part, now) {
            facts.push(part.ended(&end));
            ends.push(end);
        }
    }
    if ends.len() == parts
        && let Some(end) = together(ends)
    {
        facts.push(settled_as(tracked, end));
    }
    facts
}

/// The end of the last of several runners, with the outcome of the one that got furthest: who moved the table explains those who
/// failed because it had moved.
fn together(ends: Vec<End>) -> Option<End> {
    let rank = |outcome: Outcome| match outcome {
        _ if is_carried_through(outcome) => 3,
        Outcome::Failed | Outcome::HalfApplied => 2,
        Outcome::Interrupted => 1,
        _ => 0,
    };
    let count = ends.len();
    let failed = ends.iter().filter(|end| super::is_failure(end.outcome)).count();
    let at = ends.iter().map(|end| end.at).max()?;
    let furthest = ends.into_iter().max_by_key(|end| rank(end.outcome))?;
    let reason = match failed {
        0 => format!("{}, the last of {count} runners", furthest.reason),
        _ => format!("{}; {failed} of {count} runners failed", furthest.reason),
    };
    Some(End {
        at,
        reason,
        ..furthest
    })
}

fn end_of(state: &State, part: &Part<'_>, now: Timestamp) -> Option<End> {
    let tracked = part.tracked;
    let migration = &tracked.migration;
    match part.by_its_process(state, now) {
        Progress::Running => {}
        Progress::Ending => return None,
        Progress::Ended(end) => return Some(end),
    }
    if !migration.history
        && let Some((at, reason)) = part.serves(state, now)
    {
        return Some(part.over(at, reason));
    }
    let (over_at, reason) = silence_of(state, tracked)?;
    (now >= over_at).then(|| part.over(last_sign_of(tracked), reason))
}

/// When silence alone ends it, and what that means; never while a step or a command may still be at work.
fn silence_of(state: &State, tracked: &Tracked) -> Option<(Timestamp, &'static str)> {
    let migration = &tracked.migration;
    let last_sign = last_sign_of(tracked);
    let runner = tracked.runner()?;
    if runner.exec.is_some() {
        return None;
    }
    if migration.history {
        // Old lines are read from the moment on at which their container was first seen.
        let known = state.durable.containers.known.get(&runner.container)?;
        let read_from = known.history_until.unwrap_or_default();
        return Some((
            last_sign.max(read_from).after(UNENDED),
            "nothing more was said of it",
        ));
    }
    // Nobody is silent before anybody listens: what was logged while migwatch was away is read when it is back.
    let listeners = tracked
        .runners()
        .filter_map(|runner| state.live.containers.get(&runner.container));
    let heard_from = listeners.map(|live| live.seen_at).max().unwrap_or_default();
    let silent_from = last_sign.max(heard_from);
    if tracked.is_claim() {
        // Nobody tells when a local process ends, and each of its steps may be a long one.
        let is_at_work = migration.trigger == Trigger::Process
            && !migration.steps.is_empty()
            && !tracked.erred_in_this_attempt;
        let waits = if is_at_work { LOCAL_STEP } else { UNENDED };
        return Some((silent_from.after(waits), "nothing stood behind the line"));
    }
    if is_carried_out(tracked) {
        return Some((silent_from.after(UNENDED), CARRIED_OUT));
    }
    let is_silent = migration.steps.is_empty() && migration.movements.is_empty();
    is_silent.then(|| {
        (
            silent_from.after(SILENT),
            "nothing moved, and nothing more was said",
        )
    })
}

/// The last thing that was heard of the latest attempt.
pub(in super::super) fn last_sign_of(tracked: &Tracked) -> Timestamp {
    let migration = &tracked.migration;
    let step = migration.steps.last().map(|timed| timed.at);
    let moved = migration.movements.iter().map(|movement| movement.at).max();
    let joined = tracked.runs.iter().map(|run| run.runner.at).max();
    tracked
        .last_attempt_at()
        .max(step.max(moved).max(joined).unwrap_or_default())
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

fn settled_as(tracked: &Tracked, end: End) -> Fact {
    Fact::MigrationSettled {
        id: tracked.migration.id.clone(),
        outcome: end.outcome,
        at: end.at,
        reason: end.reason,
    }
}

/// The end of the part that this container has in a migration, as its log or its exit tells: of all of it where nobody else works on it.
pub(super) fn ended(part: &Part<'_>, end: End) -> Fact {
    if part.tracked.runs.is_empty() {
        settled_as(part.tracked, end)
    } else {
        part.ended(&end)
    }
}

/// The failure of all of it, where this was the end of the last of its runners and none came through.
pub(super) fn failed_with(tracked: &Tracked, last: &Fact) -> Option<Fact> {
    let after = tracked.with(last);
    let ends: Option<Vec<End>> = Part::all(&after).map(|part| part.known_end()).collect();
    let end = together(ends?)?;
    super::is_failure(end.outcome).then(|| settled_as(tracked, end))
}

/// What a step does once it is carried out.
pub(super) fn by_kind(kind: StepKind) -> Outcome {
    match kind {
        StepKind::Upgrade => Outcome::Applied,
        StepKind::Downgrade => Outcome::Downgraded,
        StepKind::Stamp => Outcome::Stamped,
    }
}

/// What a command does that said no steps.
pub(super) fn by_action(action: Option<Action>) -> Outcome {
    match action {
        Some(Action::Downgrade) => Outcome::Downgraded,
        Some(Action::Stamp) => Outcome::Stamped,
        Some(Action::Upgrade) | None => Outcome::Applied,
    }
}

/// Steps were logged, its process ended well, and yet the version table stayed where it was: the silent failure that leaves a deploy
/// green. Judged when the database was read well after the end.
pub(in super::super) fn contradicted(
    state: &State,
    _: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    if !matches!(observation, Observation::Database(_) | Observation::Tick) {
        return Vec::new();
    }
    let recent = state.durable.migrations.all.values().filter(|tracked| {
        let ended = tracked.migration.ended_at;
        !tracked.is_open() && ended.is_some_and(|ended| now.since(ended) < reading::LATE)
    });
    recent
        .filter_map(|tracked| contradiction(state, tracked, now))
        .collect()
}

fn contradiction(state: &State, tracked: &Tracked, now: Timestamp) -> Option<Fact> {
    let migration = &tracked.migration;
    if migration.outcome == Outcome::NothingToDo {
        return still_behind(state, tracked, now);
    }
    let is_said = is_carried_through(migration.outcome);
    if !is_said || !migration.movements.is_empty() || migration.history || tracked.is_claim() {
        return None;
    }
    let (last, ended) = (migration.steps.last()?, migration.ended_at?);
    let table = reading::stayed_behind(state, &migration.service, &last.step.to, migration.started_at)?;
    let is_settled = now.since(ended) >= reading::SETTLE
        && reading::is_seen_after(state, &migration.service, ended.after(reading::SKEW));
    is_settled.then(|| Fact::MigrationSettled {
        id: migration.id.clone(),
        outcome: Outcome::NothingApplied,
        at: ended,
        reason: format!(
            "its steps were logged and it ended well, and yet {table}: one contradicts the other"
        ),
    })
}

/// It ran to its end, said no step and moved nothing, and yet its own code has more than its version table.
fn still_behind(state: &State, tracked: &Tracked, now: Timestamp) -> Option<Fact> {
    let (migration, ended) = (&tracked.migration, tracked.migration.ended_at?);
    let runner = tracked.runner()?;
    let live = state.live.containers.get(&runner.container);
    let start = || live.and_then(|live| live.look.runs.as_ref());
    let command = runner.command.as_ref().or_else(start);
    let wants_all = command.map_or(migration.trigger == Trigger::Startup, |command| {
        let target = command.target.as_deref();
        command.action == Action::Upgrade
            && target.is_some_and(|target| target == "head" || target == "heads")
    });
    if !wants_all || migration.history || tracked.is_claim() || now.since(ended) < reading::SETTLE {
        return None;
    }
    // A script that came later was not there to be run.
    let by_then = ended.after(reading::SETTLE);
    let (table, pending) = code::behind_in(state, &migration.service, &runner.container, by_then)?;
    reading::is_seen_after(state, &migration.service, ended.after(reading::SKEW)).then(|| Fact::MigrationSettled {
        id: migration.id.clone(),
        outcome: Outcome::NothingApplied,
        at: ended,
        reason: format!(
            "it ended well and said no step, and yet {table} is {pending} behind the code in its own container"
        ),
    })
}
