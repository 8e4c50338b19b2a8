//! The part of one runner in a migration: a container's own process, or an exec; and how its end is seen.

use std::time::Duration;

use super::super::State;
use super::super::containers::{Finish, Known};
use super::super::live::LiveContainer;
use super::record::{ExecEnd, Run};
use super::{Tracked, reading, settling};
use crate::model::container::{ContainerState, Health};
use crate::model::exec::ExecId;
use crate::model::fact::Fact;
use crate::model::migration::{Outcome, Runner};
use crate::model::observation::LogStatus;
use crate::model::probe::Via;
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::time::Timestamp;

/// After an exit the rest of the log is waited for, at most this long.
const REST_OF_LOG: Duration = Duration::from_secs(2);

/// A shell's exit codes for a command that it cannot run or find.
const NOT_RUN: [i32; 2] = [126, 127];

/// The exit code of an end that nobody saw.
const UNSEEN: i32 = -1;

/// How a part, or the whole, ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) at: Timestamp,
    pub(super) reason: String,
}

/// How far a process has come to its end.
pub(super) enum Progress {
    /// It runs.
    Running,
    /// It has ended, and more is to be known before that counts.
    Ending,
    /// It has ended so.
    Ended(End),
}

/// One runner's part.
pub(super) struct Part<'a> {
    pub(super) tracked: &'a Tracked,
    pub(super) runner: &'a Runner,
    erred: bool,
    exec_end: Option<&'a ExecEnd>,
    end: Option<&'a (Outcome, Timestamp, String)>,
}

impl<'a> Part<'a> {
    /// That of the runner that began it; none where nobody is known.
    pub(super) fn main(tracked: &'a Tracked) -> Option<Self> {
        let runner = tracked.runner()?;
        Some(Self {
            tracked,
            runner,
            erred: tracked.erred_in_this_attempt,
            exec_end: tracked.exec_end.as_ref(),
            end: tracked.run(runner).and_then(|run| run.end.as_ref()),
        })
    }

    /// Every part, the main one first.
    pub(super) fn all(tracked: &'a Tracked) -> impl Iterator<Item = Self> {
        let main = tracked.runner();
        let others = tracked
            .runs
            .iter()
            .filter(move |run| Some(&run.runner) != main)
            .map(move |run| Self::of_run(tracked, run));
        Self::main(tracked).into_iter().chain(others)
    }

    /// That of a container's own process; the latest if it has several.
    pub(super) fn of(tracked: &'a Tracked, container: &ContainerId) -> Option<Self> {
        Self::all(tracked)
            .filter(|part| part.runner.container == *container && part.runner.exec.is_none())
            .max_by_key(|part| part.runner.at)
    }

    fn of_run(tracked: &'a Tracked, run: &'a Run) -> Self {
        Self {
            tracked,
            runner: &run.runner,
            erred: run.erred,
            exec_end: run.exec_end.as_ref(),
            end: run.end.as_ref(),
        }
    }

    /// It logged an error.
    pub(super) fn has_erred(&self) -> bool {
        self.erred
    }

    /// The exec that it is, if it has not ended, and when it began.
    pub(super) fn open_exec(&self) -> Option<(ContainerId, ExecId, Timestamp)> {
        let exec = self.runner.exec.clone()?;
        let is_open = self.end.is_none() && self.exec_end.is_none();
        is_open.then(|| (self.runner.container.clone(), exec, self.runner.at))
    }

    /// The end that it is known to have come to before others.
    pub(super) fn known_end(&self) -> Option<End> {
        let (outcome, at, reason) = self.end?;
        Some(End {
            outcome: *outcome,
            at: *at,
            reason: reason.clone(),
        })
    }

    /// That it came to its end before others.
    pub(super) fn ended(&self, end: &End) -> Fact {
        Fact::MigrationRunnerEnded {
            id: self.tracked.migration.id.clone(),
            runner: self.runner.clone(),
            outcome: end.outcome,
            at: end.at,
            reason: end.reason.clone(),
        }
    }

    /// It is over, as its log, its health or silence tells.
    pub(super) fn over(&self, at: Timestamp, reason: &str) -> End {
        End {
            outcome: self.by_steps(),
            at,
            reason: reason.to_owned(),
        }
    }

    /// The end that its process came to.
    pub(super) fn by_its_process(&self, state: &State, now: Timestamp) -> Progress {
        let Some(finish) = self.finish(state) else {
            return Progress::Running;
        };
        let seen = self.finish_seen(state, &finish);
        let is_log_read =
            self.runner.exec.is_some() || self.is_log_read(state) || now >= seen.after(REST_OF_LOG);
        if !is_log_read {
            return Progress::Ending;
        }
        let end = self.exited(state, &finish);
        // An end in peace that shows no movement: only a reading after it tells whether there was none.
        let is_unseen = finish.exit_code == UNSEEN;
        let is_open_question = end.outcome == Outcome::NothingToDo || self.exec_end.is_some() || is_unseen;
        let is_answered = || self.is_read_since(state, &finish) || now >= seen.after(reading::READ_AFTER_END);
        let is_told = super::is_failure(end.outcome) && !is_unseen;
        if !is_open_question || is_told || is_answered() {
            Progress::Ended(end)
        } else {
            Progress::Ending
        }
    }

    fn is_read_since(&self, state: &State, finish: &Finish) -> bool {
        reading::is_read_after(state, &self.tracked.migration.service, finish.at)
    }

    /// How its process ended, where something of the same container that came later is already heard.
    pub(super) fn ended_by_exit(&self, state: &State) -> Option<End> {
        let finish = self.finish(state)?;
        Some(self.exited(state, &finish))
    }

    pub(super) fn deadlines(&self, state: &State, moments: &mut Vec<Timestamp>) {
        moments.extend(self.live(state).map(LiveContainer::caught_up_by));
        if let Some(finish) = self.finish(state) {
            let seen = self.finish_seen(state, &finish);
            moments.push(seen.after(REST_OF_LOG));
            moments.push(seen.after(reading::READ_AFTER_END));
        }
    }

    fn live<'s>(&self, state: &'s State) -> Option<&'s LiveContainer> {
        state.live.containers.get(&self.runner.container)
    }

    /// How its process ended, if it did.
    fn finish(&self, state: &State) -> Option<Finish> {
        if self.tracked.migration.history {
            return None;
        }
        if let Some(end) = self.exec_end {
            return Some(Finish {
                at: end.at,
                exit_code: end.exit_code.unwrap_or(0),
                asked: false,
            });
        }
        let known = state.durable.containers.known.get(&self.runner.container)?;
        known.start(self.runner.started_at)?.finish.clone()
    }

    /// When the end was heard of by this process, on our clock: right after a restart the rest of the log is still to be read.
    fn finish_seen(&self, state: &State, finish: &Finish) -> Timestamp {
        let seen = match self.exec_end {
            Some(_) => state.live.since,
            None => self.live(state).map(|live| live.died_at.unwrap_or(live.since)),
        };
        finish.at.max(seen.or(state.live.since).unwrap_or(finish.at))
    }

    /// Whether every line of that start was taken in: its stream has ended, or there was none.
    fn is_log_read(&self, state: &State) -> bool {
        match self.live(state) {
            Some(live) => matches!(live.log, Some(LogStatus::Ended | LogStatus::Unreadable { .. })),
            None => false,
        }
    }

    fn exited(&self, state: &State, finish: &Finish) -> End {
        let (outcome, reason) = match &self.runner.exec {
            Some(_) => self.by_exec(),
            None => self.by_exit(state, finish),
        };
        End {
            outcome,
            at: finish.at,
            reason,
        }
    }

    fn by_exit(&self, state: &State, finish: &Finish) -> (Outcome, String) {
        let is_out_of_memory = || self.live(state).is_some_and(|live| live.look.oom_killed);
        let moves = &self.tracked.migration.movements;
        // What moved after the end may be the work of the start that followed.
        let is_by_next = |at: Timestamp| at > finish.at && self.is_followed(state, at);
        let by_next = moves.iter().any(|moved| is_by_next(moved.at));
        let is_silent = self.tracked.migration.steps.is_empty();
        let is_cut_off = finish.asked || matches!(finish.exit_code, 137 | 143 | UNSEEN);
        match finish.exit_code {
            _ if is_cut_off && !by_next && settling::is_carried_out(self.tracked) => (
                self.by_steps(),
                "its last step stood in the database before its process ended".to_owned(),
            ),
            _ if self.erred => (Outcome::Failed, format!("{} after an error", exit(finish))),
            UNSEEN if !by_next && !moves.is_empty() && (is_silent || self.runner.command.is_some()) => (
                self.by_steps(),
                "its container ended unseen, and its version table has moved".to_owned(),
            ),
            // A child that is killed for memory inside a shell leaves exit code 0 behind.
            0 if is_out_of_memory() && !settling::is_carried_out(self.tracked) => (
                Outcome::Interrupted,
                "a process of its container was killed for memory".to_owned(),
            ),
            0 => (self.by_steps(), "its process exited 0".to_owned()),
            // What ran for so long that it most likely did something may have been cut off in the middle of it.
            UNSEEN if is_silent && !self.tracked.migration.moved() && self.is_read_since(state, finish) => (
                Outcome::NothingToDo,
                "its container ended unseen, and no version table has moved".to_owned(),
            ),
            137 | 143 => (
                Outcome::Interrupted,
                format!("its process was killed ({})", exit(finish)),
            ),
            _ if finish.asked => (
                Outcome::Interrupted,
                format!("its container was stopped ({})", exit(finish)),
            ),
            UNSEEN => (Outcome::Interrupted, "its container ended unseen".to_owned()),
            _ => (
                Outcome::Failed,
                format!("{} without a readable error", exit(finish)),
            ),
        }
    }

    /// Its container was started again by then.
    pub(super) fn is_followed(&self, state: &State, by: Timestamp) -> bool {
        let known = state.durable.containers.known.get(&self.runner.container);
        let latest = known.and_then(Known::current).map(|latest| latest.started_at);
        latest.is_some_and(|latest| latest > self.runner.started_at && latest <= by)
    }

    fn by_exec(&self) -> (Outcome, String) {
        let Some(end) = self.exec_end else {
            return (
                Outcome::Interrupted,
                "its container ended before the command did".to_owned(),
            );
        };
        match end.exit_code {
            Some(0) => (self.by_steps(), "its command exited 0".to_owned()),
            None => (
                self.by_steps(),
                "its command ended, and nobody can tell how".to_owned(),
            ),
            Some(code) if NOT_RUN.contains(&code) && self.tracked.migration.movements.is_empty() => (
                Outcome::NothingToDo,
                format!("the command could not be run (exit code {code})"),
            ),
            Some(code @ (130 | 137 | 143)) => (
                Outcome::Interrupted,
                format!("its command was killed (exit code {code})"),
            ),
            Some(code) => (Outcome::Failed, format!("its command exited with code {code}")),
        }
    }

    /// The application serves, so what ran before it is over. That a replica serves says nothing of what runs beside it once.
    pub(super) fn serves(&self, state: &State, now: Timestamp) -> Option<(Timestamp, &'static str)> {
        let live = self.live(state)?;
        if self.runner.exec.is_some() || live.look.role != Role::Replica {
            return None;
        }
        // What serves now says nothing of lines that are still to be read.
        if live.look.state != ContainerState::Running || !live.is_caught_up(now) {
            return None;
        }
        if live.look.health == Some(Health::Healthy) {
            return Some((now, "the container's health check passed after it"));
        }
        answered(state, &self.tracked.migration.service, self.runner.at)
            .map(|at| (at, "its endpoint answered after it"))
    }

    /// What steps, moves, errors and the command say.
    fn by_steps(&self) -> Outcome {
        let migration = &self.tracked.migration;
        let last = migration.steps.last().map(|timed| timed.step.kind);
        let command = self.runner.command.as_ref().map(|command| command.action);
        match (last, command) {
            // An error of an earlier attempt says nothing about one that came through.
            _ if self.erred => Outcome::Failed,
            (Some(kind), _) => settling::by_kind(kind),
            (None, _) if migration.movements.is_empty() => Outcome::NothingToDo,
            (None, action) => settling::by_action(action),
        }
    }
}

fn exit(finish: &Finish) -> String {
    format!("exit code {}", finish.exit_code)
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
