//! What each fact changes about a migration. Cannot fail, and bounds what is kept.

use super::{ExecEnd, Run, Tracked};
use crate::judge::migration::is_failure;
use crate::judge::schema;
use crate::model::exec::ExecId;
use crate::model::fact::Fact;
use crate::model::log::{Step, StepKind};
use crate::model::migration::{Evidence, Grade, Movement, Outcome, Runner, TimedStep, Witness};
use crate::model::redact::shorten;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// Pieces of evidence kept for a migration: the first ones tell how it came about.
const KEEP_EVIDENCE: usize = 20;

/// Steps kept for a migration; Alembic histories of real products stay far below.
const KEEP_STEPS: usize = 2_000;

/// Runners kept: the first and the latest retries.
const KEEP_RUNNERS: usize = 10;

impl Tracked {
    pub(in crate::judge::migration) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::MigrationRetried { runner, .. } => self.retried(runner),
            Fact::MigrationStepped {
                step,
                line,
                observed_at,
                ..
            } => {
                self.stepped(step, line.at, *observed_at);
            }
            Fact::MigrationEvidenced {
                evidence: Some(evidence),
                ..
            } => self.evidence(evidence.clone()),
            Fact::MigrationErred {
                cause,
                line,
                container,
                ..
            } => {
                self.witnessed(line.at, Witness::Log, shorten(&cause.message, 160));
                self.migration.cause.get_or_insert_with(|| cause.clone());
                self.erred_at = self.erred_at.max(Some(line.at));
                self.erred(container.as_ref());
            }
            Fact::MigrationJoined { runner, .. } => self.joined(runner),
            Fact::MigrationExecEnded {
                exec, at, exit_code, ..
            } => self.exec_ended(exec, *at, *exit_code),
            Fact::MigrationRunnerEnded {
                runner,
                outcome,
                at,
                reason,
                ..
            } => self.runner_ended(runner, (*outcome, *at, reason.clone())),
            Fact::MigrationPresumed { at, reason, .. } => {
                self.presumed_at.get_or_insert(*at);
                self.witnessed(*at, Witness::Engine, reason.clone());
                self.moved(*at, *at);
            }
            Fact::MigrationSuperseded { by, at, reason, .. } => {
                self.migration.superseded_by = Some(by.clone());
                self.witnessed(*at, Witness::Log, format!("it is the same as {by}: {reason}"));
            }
            Fact::MigrationConfirmed {
                movement,
                observed_at,
                ..
            } => self.confirmed(movement, *observed_at),
            Fact::MigrationRejudged { grade, judgement, .. } => {
                self.migration.grade = *grade;
                self.migration.judgement = judgement.clone();
                self.migration.history = false;
            }
            Fact::MigrationSettled {
                outcome, at, reason, ..
            } => self.ended(*outcome, *at, reason),
            Fact::MigrationSchemaChanged(change) => {
                self.witnessed(change.at, Witness::Database, schema::evidence(change));
                self.schema.apply(change);
            }
            Fact::MigrationAcknowledged { acknowledgement, .. } => {
                self.migration.acknowledged = Some(acknowledgement.clone());
            }
            _ => {}
        }
    }

    fn ended(&mut self, outcome: Outcome, at: Timestamp, reason: &str) {
        self.settled = true;
        self.migration.outcome = outcome;
        self.migration.ended_at = Some(at);
        self.migration.outcome_reason = Some(reason.to_owned());
        let is_presumed_only = self.migration.steps.is_empty() && self.migration.movements.is_empty();
        // Its end was late to be heard of: it had not run for so long.
        let was_short = self.presumed_at.is_some_and(|presumed| at < presumed);
        if is_presumed_only && (outcome == Outcome::NothingToDo || was_short) {
            self.migration.moved_at = None;
        }
        if is_failure(outcome) {
            self.failed_at.get_or_insert(at);
            self.failed_as.get_or_insert(outcome);
        }
        if outcome == Outcome::HalfApplied {
            self.failed_as = Some(outcome);
        }
        let text = format!("{}: {reason}", outcome.as_str());
        self.evidence(Evidence {
            at,
            witness: Witness::Engine,
            text,
        });
    }

    fn retried(&mut self, runner: &Runner) {
        let migration = &mut self.migration;
        migration.attempts = migration.attempts.saturating_add(1);
        migration.outcome = Outcome::Running;
        self.settled = false;
        self.earlier_ended_at = migration.ended_at;
        self.erred_in_this_attempt = false;
        self.exec_end = None;
        self.runs.retain(|run| run.runner.container != runner.container);
        self.main = Some(runner.clone());
        self.show(runner);
    }

    fn show(&mut self, runner: &Runner) {
        let runners = &mut self.migration.runners;
        runners.push(runner.clone());
        if runners.len() > KEEP_RUNNERS {
            runners.remove(1);
        }
    }

    fn joined(&mut self, runner: &Runner) {
        self.reopen();
        let is_again = self
            .runs
            .iter()
            .any(|run| run.runner.container == runner.container);
        if is_again {
            self.migration.attempts = self.migration.attempts.saturating_add(1);
            self.runs
                .retain(|run| run.runner.container != runner.container || run.runner.exec != runner.exec);
        }
        self.migration.concurrent = true;
        self.runs.push(Run {
            runner: runner.clone(),
            erred: false,
            end: None,
            exec_end: None,
        });
        self.witnessed(
            runner.at,
            Witness::Engine,
            format!("{} works on it at the same time", runner.name),
        );
        self.show(runner);
    }

    /// What had ended before somebody was seen to have worked on it too has not ended as a whole: the end was its own.
    fn reopen(&mut self) {
        if !self.settled {
            return;
        }
        let migration = &mut self.migration;
        let reason = migration.outcome_reason.clone().unwrap_or_default();
        let end = migration.ended_at.map(|at| (migration.outcome, at, reason));
        migration.outcome = Outcome::Running;
        self.settled = false;
        let main = self.runner().cloned();
        let is_recorded = main.as_ref().is_some_and(|main| self.run(main).is_some());
        if let (Some(runner), Some(end), false) = (main, end, is_recorded) {
            self.runs.push(Run {
                runner,
                erred: self.erred_in_this_attempt,
                end: Some(end),
                exec_end: self.exec_end.clone(),
            });
        }
    }

    fn erred(&mut self, container: Option<&ContainerId>) {
        let own = |run: &&mut Run| Some(&run.runner.container) == container;
        let mut others: Vec<&mut Run> = self.runs.iter_mut().filter(own).collect();
        let open = others.iter().rposition(|run| run.end.is_none());
        let latest = open.or(others.len().checked_sub(1));
        match latest.and_then(|latest| others.get_mut(latest)) {
            Some(run) => run.erred = true,
            None => self.erred_in_this_attempt = true,
        }
    }

    fn exec_ended(&mut self, exec: &ExecId, at: Timestamp, exit_code: Option<i32>) {
        let end = ExecEnd { at, exit_code };
        let is_it = |runner: &Runner| runner.exec.as_ref() == Some(exec);
        if self.runner().is_some_and(is_it) {
            self.exec_end = Some(end.clone());
        }
        for run in self.runs.iter_mut().filter(|run| is_it(&run.runner)) {
            run.exec_end = Some(end.clone());
        }
        let code = exit_code.map_or("its exit code is not known".to_owned(), |code| {
            format!("exit code {code}")
        });
        self.witnessed(at, Witness::Engine, format!("the command ended ({code})"));
    }

    fn runner_ended(&mut self, runner: &Runner, end: (Outcome, Timestamp, String)) {
        let text = format!("{} of {}: {}", end.0.as_str(), runner.name, end.2);
        self.witnessed(end.1, Witness::Engine, text);
        match self.runs.iter_mut().find(|run| run.runner == *runner) {
            Some(run) => run.end = Some(end),
            None => self.runs.push(Run {
                runner: runner.clone(),
                erred: self.erred_in_this_attempt,
                end: Some(end),
                exec_end: self.exec_end.clone(),
            }),
        }
    }

    fn stepped(&mut self, step: &Step, at: Timestamp, observed_at: Timestamp) {
        let mut steps = self.migration.steps.iter_mut();
        if let Some(known) = steps.find(|timed| timed.step == *step) {
            // A later attempt says it again.
            known.at = known.at.max(at);
        } else if self.migration.steps.len() < KEEP_STEPS {
            self.migration.steps.push(TimedStep {
                at,
                step: step.clone(),
            });
            self.witnessed(at, Witness::Log, in_words(step));
        }
        self.moved(at, observed_at);
    }

    fn moved(&mut self, at: Timestamp, observed_at: Timestamp) {
        self.migration.moved_at.get_or_insert(at);
        self.moved_observed_at.get_or_insert(observed_at);
    }

    fn confirmed(&mut self, movement: &Movement, observed_at: Timestamp) {
        let text = format!(
            "{} moved from {} to {}",
            movement.table, movement.from, movement.to
        );
        self.witnessed(movement.at, Witness::Database, text);
        self.migration.grade = Grade::Confirmed;
        self.moved(movement.at, observed_at);
        match self
            .migration
            .movements
            .iter_mut()
            .find(|known| known.table == movement.table)
        {
            Some(known) => {
                known.to = movement.to.clone();
                known.at = movement.at;
            }
            None => self.migration.movements.push(movement.clone()),
        }
    }

    fn witnessed(&mut self, at: Timestamp, witness: Witness, text: String) {
        self.evidence(Evidence { at, witness, text });
    }

    fn evidence(&mut self, evidence: Evidence) {
        let kept = &mut self.migration.evidence;
        if kept.len() < KEEP_EVIDENCE && !kept.contains(&evidence) {
            kept.push(evidence);
        }
    }
}

/// `upgrade a -> b, title`.
pub(in crate::judge) fn in_words(step: &Step) -> String {
    let list = |revisions: &[crate::model::revision::Revision]| match revisions {
        [] => "base".to_owned(),
        some => some
            .iter()
            .map(|revision| revision.0.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    };
    let kind = match step.kind {
        StepKind::Upgrade => "upgrade",
        StepKind::Downgrade => "downgrade",
        StepKind::Stamp => "stamp",
    };
    let title = step
        .title
        .as_ref()
        .map(|title| format!(", {title}"))
        .unwrap_or_default();
    format!("{kind} {} -> {}{title}", list(&step.from), list(&step.to))
}
