//! What a log line means for migrations. A line is anybody's text: it opens a *witnessed* migration only inside a start that can
//! migrate and has not got past it; everywhere else it is a claim.

use std::time::Duration;

use super::super::State;
use super::super::containers::{Known, Start};
use super::super::settings::Settings;
use super::super::verdict;
use super::{Tracked, is_failure, settling};
use crate::model::cause::Cause;
use crate::model::container::{ArmedSource, ArmedState, Health};
use crate::model::fact::Fact;
use crate::model::log::{LogLine, Saying};
use crate::model::migration::{Evidence, Grade, MigrationId, Runner, Trigger, Witness};
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
    let Observation::Line { container, line } = observation else {
        return Vec::new();
    };
    let Some(known) = state.durable.containers.known.get(container) else {
        return Vec::new();
    };
    if known.has_taken_in(&line.key) {
        return Vec::new();
    }
    let history = known.history_until.is_some_and(|until| line.key.at <= until);
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
                id,
                step: step.clone(),
                line: self.line.key.clone(),
                observed_at: self.now,
            }),
            Saying::Failed(cause) => self.failed(cause),
            Saying::Finished => self.over("it said that it finished"),
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
        let is_late = |ended: Timestamp| self.line.key.at <= ended.after(JITTER);
        let belongs = tracked.is_open() || tracked.migration.ended_at.is_some_and(is_late);
        (belongs && tracked.migration.history == self.history || tracked.is_open()).then_some(tracked)
    }

    fn skipped(&self) -> Vec<Fact> {
        if self.current().is_some_and(Tracked::is_open) {
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
            Some(before) if self.history && before.is_open() => {
                let mut facts = vec![settling::settled(
                    before,
                    self.line.key.at,
                    "the next run followed",
                )];
                facts.extend(self.open("announced").1);
                facts
            }
            Some(before) if before.is_open() => vec![Fact::MigrationEvidenced {
                id: before.migration.id.clone(),
                evidence: None,
                line: Some(self.line.key.clone()),
            }],
            _ => self.open("a migration run was announced").1,
        }
    }

    /// Alembic's context lines precede harmless commands too: a run only where the command has no other reason to say them.
    fn context(&self, dialect: &str) -> Vec<Fact> {
        let is_bare = self.known.armed.source == ArmedSource::Command;
        if self.current().is_some() || !is_bare || !self.is_witnessed() {
            return Vec::new();
        }
        self.open(&format!(
            "Alembic connected ({dialect}) in a start whose command migrates"
        ))
        .1
    }

    fn failed(&self, cause: &Cause) -> Vec<Fact> {
        let erred = |id| Fact::MigrationErred {
            id,
            cause: cause.clone(),
            line: self.line.key.clone(),
        };
        if let Some(tracked) = self.current() {
            let id = tracked.migration.id.clone();
            let mut facts = vec![erred(id)];
            // The exit was heard before the error: the error says more.
            if !tracked.is_open() && !tracked.migration.history && tracked.migration.cause.is_none() {
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

    fn corrected_to_failed(&self, tracked: &Tracked) -> Fact {
        Fact::MigrationSettled {
            id: tracked.migration.id.clone(),
            outcome: crate::model::migration::Outcome::Failed,
            at: tracked.migration.ended_at.unwrap_or(self.line.key.at),
            reason: "its error was read after its end".to_owned(),
        }
    }

    /// The run is over, as the log says.
    fn over(&self, reason: &str) -> Vec<Fact> {
        match self.current() {
            Some(tracked) if tracked.is_open() => vec![settling::settled(tracked, self.line.key.at, reason)],
            _ => Vec::new(),
        }
    }

    /// The fact that belongs to the current migration, which is opened (or tried again) if need be.
    fn with_migration(&self, fact: impl FnOnce(MigrationId) -> Fact) -> Vec<Fact> {
        if let Some(tracked) = self.current() {
            let id = tracked.migration.id.clone();
            let mut facts = vec![fact(id)];
            if !tracked.is_open() && !is_failure(tracked.migration.outcome) && self.is_step() {
                facts.push(self.corrected_by_step(tracked));
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

    fn is_step(&self) -> bool {
        matches!(self.line.saying, Saying::Step(_))
    }

    /// A step read after the end: what was taken for nothing was something.
    fn corrected_by_step(&self, tracked: &Tracked) -> Fact {
        Fact::MigrationSettled {
            id: tracked.migration.id.clone(),
            outcome: crate::model::migration::Outcome::Applied,
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
            judgement: verdict::baseline(self.settings, self.known, self.label()),
        }
    }

    /// Opens a migration, or tries the failed one of this container again.
    fn open(&self, text: &str) -> (MigrationId, Vec<Fact>) {
        let runner = Runner {
            container: self.container.clone(),
            name: self.known.name.clone(),
            started_at: self.start.map_or(self.line.key.at, |start| start.started_at),
            at: self.line.key.at,
        };
        if let Some(failed) = self.failed_before(&runner) {
            let id = failed.migration.id.clone();
            let line = Some(self.line.key.clone());
            return (id.clone(), vec![Fact::MigrationRetried { id, runner, line }]);
        }
        let grade = if self.is_witnessed() {
            Grade::Witnessed
        } else {
            Grade::Claimed
        };
        let judgement = if self.history {
            verdict::baseline(self.settings, self.known, self.label())
        } else {
            verdict::judge(self.settings, self.known, self.start, self.label(), grade)
        };
        let id = migration_id(self.container, self.line.key.at);
        let evidence = Evidence {
            at: self.line.key.at,
            witness: Witness::Log,
            text: text.to_owned(),
        };
        let opened = Fact::MigrationOpened {
            id: id.clone(),
            service: self.known.service.clone(),
            trigger: trigger(self.known.role),
            runner,
            grade,
            judgement,
            evidence,
            line: Some(self.line.key.clone()),
            history: self.history,
        };
        (id, vec![opened])
    }

    /// A restart loop is one migration with many attempts, and its first cause.
    fn failed_before(&self, runner: &Runner) -> Option<&Tracked> {
        let before = self.state.durable.migrations.latest_on(self.container)?;
        let earlier_start = before
            .runner()
            .is_some_and(|earlier| earlier.started_at < runner.started_at);
        let migration = &before.migration;
        (earlier_start
            && is_failure(migration.outcome)
            && !before.is_open()
            && migration.acknowledged.is_none()
            && migration.history == self.history)
            .then_some(before)
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
            let finished = tracked.migration.outcome_reason.as_deref() == Some("it said that it finished");
            !tracked.is_open() && !finished && !tracked.is_claim()
        });
        let is_healthy = self
            .state
            .live
            .containers
            .get(self.container)
            .is_some_and(|live| live.look.health == Some(Health::Healthy));
        self.known.armed.state != ArmedState::Disarmed
            && start.skipped_at.is_none()
            && !is_past
            && !(is_healthy && start.finish.is_none())
            && at <= start.started_at.after(STARTUP)
    }
}

fn trigger(role: Role) -> Trigger {
    match role {
        Role::Replica => Trigger::Startup,
        Role::OneOff => Trigger::OneOff,
        Role::Hook => Trigger::Hook,
    }
}

/// `<container>-<milliseconds, base 36>`: the first runner's, so that up, down, up are three.
fn migration_id(container: &ContainerId, at: Timestamp) -> MigrationId {
    let mut millis = u64::try_from(at.as_nanos() / 1_000_000).unwrap_or(0);
    let mut digits = Vec::new();
    while millis > 0 {
        let digit = u32::try_from(millis % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        millis /= 36;
    }
    let time: String = digits.into_iter().rev().collect();
    let short: String = container.0.chars().take(6).collect();
    MigrationId(format!("{short}-{time}"))
}
