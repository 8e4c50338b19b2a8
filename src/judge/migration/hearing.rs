//! What a log line means for migrations. A line is anybody's text: it opens a *witnessed* migration only inside a start that can
//! migrate and has not got past it; everywhere else it is a claim.

use std::time::Duration;

use super::super::containers::{Known, Start};
use super::super::settings::Settings;
use super::super::{State, processes, verdict};
use super::identity::trigger;
use super::opening::Opening;
use super::part::{Part, answered};
use super::{Tracked, is_carried_through, settling};
use crate::model::cause::Cause;
use crate::model::container::{ArmedSource, ArmedState, Health};
use crate::model::fact::Fact;
use crate::model::log::{LogLine, Saying, StepKind};
use crate::model::migration::{Evidence, Grade, MigrationId, Outcome, Runner, Witness};
use crate::model::observation::Observation;
use crate::model::policy::Policy;
use crate::model::service::{ContainerId, Role};
use crate::model::time::Timestamp;

/// Where nothing says that the application is up, a start is taken to be past its migrations after this time.
const STARTUP: Duration = Duration::from_secs(15 * 60);

/// Lines of the two streams may overtake each other by this much (measured: 5.6 ms).
const JITTER: Duration = Duration::from_secs(1);

/// One line with everything that is known of its place.
struct Scene<'a> {
    state: &'a State,
    settings: &'a Settings,
    now: Timestamp,
    container: &'a ContainerId,
    known: &'a Known,
    line: &'a LogLine,
    start: Option<&'a Start>,
    history: bool,
}

/// Judges a log line.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    let stand_in;
    let (container, line) = match observation {
        Observation::Line { container, line } => (container, line),
        Observation::ProcessLine {
            process,
            position,
            line,
        } if !state.durable.processes.has_taken_in(process, position) => {
            stand_in = processes::stand_in(process);
            (&stand_in, line)
        }
        _ => return Vec::new(),
    };
    let Some(known) = state.durable.containers.known.get(container) else {
        return Vec::new();
    };
    if known.has_taken_in(&line.key) {
        return Vec::new();
    }
    let history = known.is_history(line.key.at);
    let start = known.start_at(line.key.at);
    Scene {
        state,
        settings,
        now,
        container,
        known,
        line,
        start,
        history,
    }
    .hear()
}

impl Scene<'_> {
    fn hear(&self) -> Vec<Fact> {
        match &self.line.saying {
            Saying::Skipped => self.skipped(),
            Saying::Running => self.announced(),
            Saying::Context { dialect } => self.context(dialect),
            Saying::Step(step) => self.with_migration(|id| Fact::MigrationStepped {
                container: self.beside(&id),
                id,
                step: step.clone(),
                line: self.line.key.clone(),
                observed_at: self.now,
            }),
            Saying::Failed(cause) => self.failed(cause),
            Saying::Finished => self.over(settling::FINISHED),
            Saying::ApplicationUp => self.over("the application came up after it"),
        }
    }

    /// The migration that this line belongs to, if one is there.
    fn current(&self) -> Option<&Tracked> {
        let migrations = &self.state.durable.migrations;
        let tracked = match self.start {
            Some(start) => migrations.of_start(self.container, start.started_at)?,
            None => migrations.latest_on(self.container)?,
        };
        let belongs = tracked.migration.history == self.history && self.is_before_the_end_of(tracked);
        (belongs || tracked.is_open()).then_some(tracked)
    }

    /// A line of an ended migration that was overtaken by its end. After an exit the process says nothing any more; after its
    /// application came up, what is said is the application's.
    fn is_before_the_end_of(&self, tracked: &Tracked) -> bool {
        let Some(ended) = tracked.migration.ended_at else {
            return false;
        };
        let finish = self.start.and_then(|start| start.finish.as_ref());
        let by_exit = finish.is_some_and(|finish| finish.at == ended);
        let until = if by_exit { ended.after(JITTER) } else { ended };
        self.line.key.at <= until
    }

    fn skipped(&self) -> Vec<Fact> {
        let is_known = !self.history && self.start.is_some_and(|start| start.skipped_at.is_some());
        if is_known || self.is_serving() || self.current().is_some_and(Tracked::is_open) {
            return Vec::new();
        }
        vec![Fact::MigrationSkipped {
            container: self.container.clone(),
            line: self.line.key.clone(),
            history: self.history,
        }]
    }

    fn announced(&self) -> Vec<Fact> {
        match self.current() {
            // In history the ends of starts are not known: a new announcement ends the run before it.
            Some(_) if self.history && self.current().is_some_and(Tracked::is_open) => {
                let mut facts = self.over("the next run followed");
                facts.extend(self.open("announced").1);
                facts
            }
            Some(before) if before.is_open() && self.has_failed(before) => vec![self.again(before)],
            // Also where its end was heard of before its lines.
            Some(before) => vec![Fact::MigrationEvidenced {
                id: before.migration.id.clone(),
                evidence: None,
                line: Some(self.line.key.clone()),
                container: self.beside(&before.migration.id),
            }],
            None => self.open("a migration run was announced").1,
        }
    }

    /// Alembic's context lines precede harmless commands too: a run only where the command has no other reason to say them.
    fn context(&self, dialect: &str) -> Vec<Fact> {
        let is_bare = self.known.armed.source == ArmedSource::Command;
        if let Some(before) = self.current()
            && is_bare
            && before.is_open()
            && self.has_failed(before)
        {
            return vec![self.again(before)];
        }
        if self.current().is_some() || !is_bare || !self.is_witnessed() {
            return Vec::new();
        }
        self.open(&format!(
            "Alembic connected ({dialect}) in a start whose command migrates"
        ))
        .1
    }

    /// An error was logged, and then the run begins anew: it was restarted meanwhile, and nobody saw that.
    fn has_failed(&self, before: &Tracked) -> bool {
        let part = Part::of(before, self.container);
        // Lines come again: one from before the error says nothing new.
        let is_later = before.erred_at.is_some_and(|erred| self.line.key.at > erred);
        is_later && part.is_some_and(|part| part.has_erred() && part.known_end().is_none())
    }

    fn again(&self, before: &Tracked) -> Fact {
        let id = before.migration.id.clone();
        let (runner, line) = (self.runner(), Some(self.line.key.clone()));
        match self.beside(&id) {
            None => Fact::MigrationRetried { id, runner, line },
            Some(_) => Fact::MigrationJoined { id, runner, line },
        }
    }

    fn failed(&self, cause: &Cause) -> Vec<Fact> {
        let erred = |id| Fact::MigrationErred {
            container: self.beside(&id),
            id,
            cause: cause.clone(),
            line: self.line.key.clone(),
        };
        if let Some(tracked) = self.current() {
            let id = tracked.migration.id.clone();
            let mut facts = vec![erred(id)];
            if tracked.migration.history && !self.history {
                facts.push(self.no_longer_history(tracked));
            }
            // The exit was heard before the error: the error says more.
            let is_told = tracked.migration.cause.is_some() || self.is_done_by_others(tracked);
            if !tracked.is_open() && !tracked.migration.history && !is_told {
                facts.push(self.corrected_to_failed(tracked));
            }
            return facts;
        }
        let is_bare = self.known.armed.source == ArmedSource::Command;
        if is_bare && self.is_witnessed() {
            return self.with_migration(erred);
        }
        Vec::new()
    }

    /// Of several runners another one came through: that this one erred makes no failure of the whole.
    fn is_done_by_others(&self, tracked: &Tracked) -> bool {
        let others = tracked
            .runs
            .iter()
            .filter(|run| run.runner.container != *self.container);
        let mut ends = others.filter(|run| !run.erred).filter_map(|run| run.end.as_ref());
        ends.any(|(outcome, ..)| is_carried_through(*outcome))
    }

    fn corrected_to_failed(&self, tracked: &Tracked) -> Fact {
        Fact::MigrationSettled {
            id: tracked.migration.id.clone(),
            outcome: Outcome::Failed,
            at: tracked.migration.ended_at.unwrap_or(self.line.key.at),
            reason: "its error was read after its end".to_owned(),
        }
    }

    /// The run is over, as the log says.
    fn over(&self, reason: &str) -> Vec<Fact> {
        let current = self.current().filter(|tracked| tracked.is_open());
        let end = current
            .and_then(|tracked| Part::of(tracked, self.container))
            .filter(|part| part.known_end().is_none())
            .map(|part| settling::ended(&part, part.over(self.line.key.at, reason)));
        end.into_iter().collect()
    }

    /// The fact that belongs to the current migration, which is opened (or tried again) if need be.
    fn with_migration(&self, fact: impl FnOnce(MigrationId) -> Fact) -> Vec<Fact> {
        if let Some(tracked) = self.current() {
            let id = tracked.migration.id.clone();
            let mut facts = vec![fact(id)];
            if let Saying::Step(step) = &self.line.saying
                && !tracked.is_open()
                && tracked.migration.outcome == Outcome::NothingToDo
            {
                facts.push(self.corrected_by_step(tracked, step.kind));
            }
            if tracked.migration.history && !self.history {
                facts.push(self.no_longer_history(tracked));
            }
            return facts;
        }
        let (id, mut facts) = self.open("a migration step was logged");
        facts.push(fact(id));
        facts
    }

    /// A step read after the end: what was taken for nothing was something.
    fn corrected_by_step(&self, tracked: &Tracked, kind: StepKind) -> Fact {
        Fact::MigrationSettled {
            id: tracked.migration.id.clone(),
            outcome: settling::by_kind(kind),
            at: tracked.migration.ended_at.unwrap_or(self.line.key.at),
            reason: "a step of it was read after its end".to_owned(),
        }
    }

    fn no_longer_history(&self, tracked: &Tracked) -> Fact {
        Fact::MigrationRejudged {
            id: tracked.migration.id.clone(),
            grade: if self.is_witnessed() {
                Grade::Witnessed
            } else {
                tracked.migration.grade
            },
            judgement: verdict::baseline(self.settings, &self.known.service, self.label()),
        }
    }

    /// Opens a migration, joins one, or tries the failed one of this container again.
    fn open(&self, text: &str) -> (MigrationId, Vec<Fact>) {
        let is_witnessed = self.is_witnessed();
        let opening = Opening {
            state: self.state,
            settings: self.settings,
            known: self.known,
            start: self.start,
            label: self.label(),
            runner: self.runner(),
            trigger: trigger(self.known.role),
            grade: if is_witnessed {
                Grade::Witnessed
            } else {
                Grade::Claimed
            },
            evidence: Evidence {
                at: self.line.key.at,
                witness: Witness::Log,
                text: text.to_owned(),
            },
            line: Some(self.line.key.clone()),
            history: self.history,
        };
        opening.facts()
    }

    fn runner(&self) -> Runner {
        Runner {
            container: self.container.clone(),
            name: self.known.name.clone(),
            started_at: self.start.map_or(self.line.key.at, |start| start.started_at),
            at: self.line.key.at,
            exec: None,
            command: None,
        }
    }

    /// This container, where the line of a migration is not its main runner's.
    fn beside(&self, id: &MigrationId) -> Option<ContainerId> {
        let main = self.state.durable.migrations.container_of(id);
        main.is_some_and(|main| main != self.container)
            .then(|| self.container.clone())
    }

    fn label(&self) -> Option<Policy> {
        self.state
            .live
            .containers
            .get(self.container)
            .and_then(|live| live.look.labels.migrations)
    }

    /// Whether a process stands behind the line: a start that can migrate and is not past it.
    fn is_witnessed(&self) -> bool {
        let Some(start) = self.start else { return false };
        let at = self.line.key.at;
        let before = self
            .state
            .durable
            .migrations
            .of_start(self.container, start.started_at);
        let is_past = before.is_some_and(|tracked| {
            let reason = tracked.migration.outcome_reason.as_deref();
            let more_may_follow = matches!(reason, Some(settling::FINISHED | settling::CARRIED_OUT));
            !tracked.is_open() && !more_may_follow && !tracked.is_claim()
        });
        self.known.armed.state != ArmedState::Disarmed
            && start.skipped_at.is_none()
            && !is_past
            && !self.is_serving()
            && at <= start.started_at.after(STARTUP)
    }

    /// Whether the application of this start already serves: what its log says from then on is not its start's.
    fn is_serving(&self) -> bool {
        let Some(live) = self.state.live.containers.get(self.container) else {
            return false;
        };
        let Some(start) = self.start.filter(|start| start.finish.is_none()) else {
            return false;
        };
        let since_start = |at: Timestamp| at >= start.started_at && at < self.line.key.at;
        // Lines of the time before it was seen healthy are its start's, however late they are read: migwatch may have been away.
        let is_healthy = || live.look.health == Some(Health::Healthy) && live.since < self.line.key.at;
        let has_answered = || {
            let answered = answered(self.state, &self.known.service, start.started_at);
            answered.is_some_and(|at| at < self.line.key.at)
        };
        // What runs beside the replicas once does not serve because they do.
        let is_replica = self.known.role == Role::Replica;
        live.application_up_at.is_some_and(since_start) || (is_replica && (is_healthy() || has_answered()))
    }
}
