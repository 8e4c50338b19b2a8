//! Commands that migrate and say nothing in a log that is followed: execs, and one-off or hook containers whose command tells. They are
//! a run from their start on; whether they move anything, the database tells, or their length.

use std::time::Duration;

use super::super::State;
use super::super::containers::{Known, Start};
use super::super::settings::Settings;
use super::Tracked;
use super::identity::trigger;
use super::opening::Opening;
use crate::model::exec::{ExecCommand, ExecId, MigrationCommand};
use crate::model::fact::Fact;
use crate::model::migration::{Evidence, Grade, Runner, Trigger, Witness};
use crate::model::observation::Observation;
use crate::model::service::{ContainerId, Role};
use crate::model::time::Timestamp;

/// A command that migrates and runs for longer than this is taken as moving something: at head Alembic needs a second.
const PRESUMED_AFTER: Duration = Duration::from_secs(5);

/// Compose starts a `post_start` hook within this time after the container; a person needs longer.
const POST_START: Duration = Duration::from_secs(1);

/// Opens what the engine tells of, and ends execs.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    _: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    match observation {
        Observation::ExecStarted {
            container,
            exec,
            at,
            command: ExecCommand::Migrates(command),
        } => exec_started(state, settings, container, (exec, *at), command),
        Observation::ExecEnded {
            exec, at, exit_code, ..
        } => exec_ended(state, exec, *at, *exit_code),
        Observation::Started { container, .. } => begun(state, settings, container),
        Observation::Looked(look) => begun(state, settings, &look.id),
        Observation::FullLook(looks) => looks
            .iter()
            .flat_map(|look| begun(state, settings, &look.id))
            .collect(),
        _ => Vec::new(),
    }
}

fn exec_started(
    state: &State,
    settings: &Settings,
    container: &ContainerId,
    (exec, at): (&ExecId, Timestamp),
    command: &MigrationCommand,
) -> Vec<Fact> {
    let Some(known) = state.durable.containers.known.get(container) else {
        return Vec::new();
    };
    // The engine tells of the last seconds before the watch as well.
    if known.is_history(at) || state.durable.migrations.of_exec(exec).is_some() {
        return Vec::new();
    }
    let start = known.start_at(at);
    let is_hook = start.is_some_and(|start| at.since(start.started_at) <= POST_START);
    let runner = Runner {
        container: container.clone(),
        name: known.name.clone(),
        started_at: start.map_or(at, |start| start.started_at),
        at,
        exec: Some(exec.clone()),
        command: Some(command.clone()),
    };
    let what = if is_hook {
        "right after its start, in"
    } else {
        "an exec in"
    };
    let text = format!("{what} {}: {}", known.name, command.text);
    let trigger = if is_hook { Trigger::Hook } else { Trigger::Exec };
    opened((state, settings), (known, start), runner, trigger, text)
}

fn opened(
    (state, settings): (&State, &Settings),
    (known, start): (&Known, Option<&Start>),
    runner: Runner,
    trigger: Trigger,
    text: String,
) -> Vec<Fact> {
    let evidence = Evidence {
        at: runner.at,
        witness: Witness::Engine,
        text,
    };
    let live = state.live.containers.get(&runner.container);
    let opening = Opening {
        state,
        settings,
        known,
        start,
        label: live.and_then(|live| live.look.labels.migrations),
        runner,
        trigger,
        grade: Grade::Witnessed,
        evidence,
        line: None,
        history: false,
    };
    opening.facts().1
}

fn exec_ended(state: &State, exec: &ExecId, at: Timestamp, exit_code: Option<i32>) -> Vec<Fact> {
    let Some(tracked) = state.durable.migrations.of_exec(exec) else {
        return Vec::new();
    };
    let is_known = match tracked.runner() {
        Some(main) if main.exec.as_ref() == Some(exec) => tracked.exec_end.is_some(),
        _ => tracked
            .runs
            .iter()
            .any(|run| run.runner.exec.as_ref() == Some(exec) && run.exec_end.is_some()),
    };
    if is_known || !tracked.is_open() {
        return Vec::new();
    }
    vec![Fact::MigrationExecEnded {
        id: tracked.migration.id.clone(),
        exec: exec.clone(),
        at,
        exit_code,
    }]
}

/// A one-off or a hook whose command migrates has begun.
fn begun(state: &State, settings: &Settings, container: &ContainerId) -> Vec<Fact> {
    let (Some(known), Some(live)) = (
        state.durable.containers.known.get(container),
        state.live.containers.get(container),
    ) else {
        return Vec::new();
    };
    let is_alone = matches!(known.role, Role::OneOff | Role::Hook);
    let (Some(command), Some(start), true) = (&live.look.runs, known.current(), is_alone) else {
        return Vec::new();
    };
    let migrations = &state.durable.migrations;
    if known.is_history(start.started_at) || migrations.of_start(container, start.started_at).is_some() {
        return Vec::new();
    }
    let runner = Runner {
        container: container.clone(),
        name: known.name.clone(),
        started_at: start.started_at,
        at: start.started_at,
        exec: None,
        command: Some(command.clone()),
    };
    let text = format!("{} runs: {}", known.name, command.text);
    opened(
        (state, settings),
        (known, Some(start)),
        runner,
        trigger(known.role),
        text,
    )
}

/// A command that migrates and still runs moves something, most likely; said at once, taken back if nothing moved.
pub(in super::super) fn presume(state: &State, _: &Settings, now: Timestamp, _: &Observation) -> Vec<Fact> {
    let open = state.durable.migrations.all.values();
    open.filter_map(|tracked| {
        let since = presumed_at(state, tracked)?;
        let command = tracked.runner()?.command.as_ref()?;
        (now >= since).then(|| Fact::MigrationPresumed {
            id: tracked.migration.id.clone(),
            at: since,
            reason: format!(
                "{} has run for over {}: it does something",
                command.text,
                humantime::format_duration(PRESUMED_AFTER)
            ),
        })
    })
    .collect()
}

/// When it will be presumed to move something, if it goes on. Right after a start of migwatch the engine has not said yet whether it does.
fn presumed_at(state: &State, tracked: &Tracked) -> Option<Timestamp> {
    let runner = tracked.runner()?;
    let known = state.durable.containers.known.get(&runner.container);
    let start = known.and_then(|known| known.start(runner.started_at));
    let has_ended = tracked.exec_end.is_some() || start.is_some_and(|start| start.finish.is_some());
    let is_silent = tracked.is_open() && !has_ended && !tracked.migration.moved();
    let seen_from = runner.at.max(state.live.since.unwrap_or_default());
    (is_silent && runner.command.is_some() && !tracked.migration.history)
        .then(|| seen_from.after(PRESUMED_AFTER))
}

/// When something is presumed by time alone.
pub(in super::super) fn deadlines(state: &State, moments: &mut Vec<Timestamp>) {
    let open = state.durable.migrations.all.values();
    moments.extend(open.filter_map(|tracked| presumed_at(state, tracked)));
}
