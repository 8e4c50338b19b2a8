//! One migration as it is kept, and what each fact changes about it.

use serde::{Deserialize, Serialize};

use super::super::schema::{self, SchemaWork};
use super::is_failure;
use crate::model::fact::Fact;
use crate::model::log::{Step, StepKind};
use crate::model::migration::{Evidence, Grade, Migration, Movement, Outcome, Runner, TimedStep, Witness};
use crate::model::redact::shorten;
use crate::model::time::Timestamp;

/// Pieces of evidence kept for a migration: the first ones tell how it came about.
const KEEP_EVIDENCE: usize = 20;

/// Steps kept for a migration; Alembic histories of real products stay far below.
const KEEP_STEPS: usize = 2_000;

/// Runners kept: the first and the latest retries.
const KEEP_RUNNERS: usize = 10;

/// A migration with what only the judge needs to know of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    /// The migration as shown.
    pub migration: Migration,
    /// It has been counted.
    pub counted: bool,
    /// When the evidence of its first movement had arrived here (our clock).
    pub moved_observed_at: Option<Timestamp>,
    /// When it was first settled as failed or interrupted.
    pub failed_at: Option<Timestamp>,
    /// As which of the two it was settled then.
    pub failed_as: Option<Outcome>,
    /// An end was reported for the latest attempt.
    pub settled: bool,
    /// The latest attempt logged an error.
    pub erred_in_this_attempt: bool,
    /// What it did to schemas.
    #[serde(default)]
    pub schema: SchemaWork,
}

impl Tracked {
    pub(super) fn opened(fact: &Fact) -> Option<Self> {
        let Fact::MigrationOpened {
            id,
            service,
            trigger,
            runner,
            grade,
            judgement,
            evidence,
            history,
            ..
        } = fact
        else {
            return None;
        };
        let migration = Migration {
            id: id.clone(),
            service: service.clone(),
            trigger: *trigger,
            runners: vec![runner.clone()],
            attempts: 1,
            steps: Vec::new(),
            movements: Vec::new(),
            outcome: Outcome::Running,
            outcome_reason: None,
            grade: *grade,
            judgement: judgement.clone(),
            cause: None,
            started_at: runner.at,
            ended_at: None,
            moved_at: None,
            history: *history,
            evidence: vec![evidence.clone()],
            acknowledged: None,
            concurrent: false,
            superseded_by: None,
        };
        Some(Self {
            migration,
            counted: false,
            moved_observed_at: None,
            failed_at: None,
            failed_as: None,
            settled: false,
            erred_in_this_attempt: false,
            schema: SchemaWork::default(),
        })
    }

    /// It has not ended, or is tried again.
    pub fn is_open(&self) -> bool {
        !self.settled
    }

    /// Nothing but a line stands behind it.
    pub fn is_claim(&self) -> bool {
        self.migration.grade == Grade::Claimed
    }

    /// The process that runs it, or ran it last.
    pub fn runner(&self) -> Option<&Runner> {
        self.migration.runners.last()
    }

    /// When its latest attempt began.
    pub fn last_attempt_at(&self) -> Timestamp {
        self.runner()
            .map_or(self.migration.started_at, |runner| runner.at)
    }

    pub(super) fn is_due_to_count(&self) -> bool {
        self.settled && !self.counted && !self.migration.history && !self.is_claim()
    }

    pub(super) fn apply(&mut self, fact: &Fact) {
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
            Fact::MigrationErred { cause, line, .. } => {
                let text = shorten(&cause.message, 160);
                self.evidence(Evidence {
                    at: line.at,
                    witness: Witness::Log,
                    text,
                });
                self.migration.cause.get_or_insert_with(|| cause.clone());
                self.erred_in_this_attempt = true;
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
            } => {
                self.settled = true;
                self.migration.outcome = *outcome;
                self.migration.ended_at = Some(*at);
                self.migration.outcome_reason = Some(reason.clone());
                if is_failure(*outcome) {
                    self.failed_at.get_or_insert(*at);
                    self.failed_as.get_or_insert(*outcome);
                }
                if *outcome == Outcome::HalfApplied {
                    self.failed_as = Some(*outcome);
                }
                let text = format!("{}: {reason}", outcome.as_str());
                self.evidence(Evidence {
                    at: *at,
                    witness: Witness::Engine,
                    text,
                });
            }
            Fact::MigrationSchemaChanged(change) => {
                self.evidence(Evidence {
                    at: change.at,
                    witness: Witness::Database,
                    text: schema::evidence(change),
                });
                self.schema.apply(change);
            }
            Fact::MigrationAcknowledged { acknowledgement, .. } => {
                self.migration.acknowledged = Some(acknowledgement.clone());
            }
            _ => {}
        }
    }

    fn retried(&mut self, runner: &Runner) {
        let migration = &mut self.migration;
        migration.attempts = migration.attempts.saturating_add(1);
        migration.runners.push(runner.clone());
        if migration.runners.len() > KEEP_RUNNERS {
            migration.runners.remove(1);
        }
        migration.outcome = Outcome::Running;
        self.settled = false;
        self.erred_in_this_attempt = false;
    }

    fn stepped(&mut self, step: &Step, at: Timestamp, observed_at: Timestamp) {
        let is_known = self.migration.steps.iter().any(|timed| timed.step == *step);
        if !is_known && self.migration.steps.len() < KEEP_STEPS {
            self.migration.steps.push(TimedStep {
                at,
                step: step.clone(),
            });
            self.evidence(Evidence {
                at,
                witness: Witness::Log,
                text: in_words(step),
            });
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
        self.evidence(Evidence {
            at: movement.at,
            witness: Witness::Database,
            text,
        });
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

    fn evidence(&mut self, evidence: Evidence) {
        let kept = &mut self.migration.evidence;
        if kept.len() < KEEP_EVIDENCE && !kept.contains(&evidence) {
            kept.push(evidence);
        }
    }
}

/// `upgrade a -> b, title`.
pub(in super::super) fn in_words(step: &Step) -> String {
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
