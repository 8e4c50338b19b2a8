//! A migration: one judged occurrence, with its evidence, its outcome and its verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::exec::{ExecId, MigrationCommand};
use super::log::Step;
use super::revision::{Heads, VersionTable};
use super::service::{ContainerId, ServiceId};
use super::time::Timestamp;

mod judgement;

pub use judgement::{Judgement, Rule, Verdict};

/// Identifies a migration; comes from its first runner: `<container>-<time in milliseconds, base 36>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MigrationId(pub String);

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What set it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A regular container's start.
    Startup,
    /// A container made by `compose run`.
    OneOff,
    /// A hook's container, or a command that Compose starts right after a container (`post_start`).
    Hook,
    /// A command started inside a running container.
    Exec,
    /// A local process, outside of containers.
    Process,
    /// The database moved, and nobody on this host did it.
    OutOfBand,
}

impl Trigger {
    /// Every trigger known so far.
    pub const ALL: [Self; 6] = [
        Self::Startup,
        Self::OneOff,
        Self::Hook,
        Self::Exec,
        Self::Process,
        Self::OutOfBand,
    ];

    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::OneOff => "one_off",
            Self::Hook => "hook",
            Self::Exec => "exec",
            Self::Process => "process",
            Self::OutOfBand => "out_of_band",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not ended yet.
    Running,
    /// Steps were carried out.
    Applied,
    /// It ran, and there was nothing to do.
    NothingToDo,
    /// It said that it ran and exited well, and yet the version table stayed behind.
    NothingApplied,
    /// Steps went down.
    Downgraded,
    /// The version was set without steps.
    Stamped,
    /// An error ended it.
    Failed,
    /// An error ended it, and a part of what it did stayed (databases whose DDL cannot be rolled back).
    HalfApplied,
    /// Its process was killed while it ran.
    Interrupted,
}

impl Outcome {
    /// Every settled outcome known so far, in the order in which they are shown.
    pub const SETTLED: [Self; 8] = [
        Self::Applied,
        Self::NothingToDo,
        Self::NothingApplied,
        Self::Downgraded,
        Self::Stamped,
        Self::Failed,
        Self::HalfApplied,
        Self::Interrupted,
    ];

    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Applied => "applied",
            Self::NothingToDo => "nothing_to_do",
            Self::NothingApplied => "nothing_applied",
            Self::Downgraded => "downgraded",
            Self::Stamped => "stamped",
            Self::Failed => "failed",
            Self::HalfApplied => "half_applied",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How sure we are that it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A log line alone.
    Claimed,
    /// Also a process that can migrate.
    Witnessed,
    /// The database agrees.
    Confirmed,
}

impl Grade {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Witnessed => "witnessed",
            Self::Confirmed => "confirmed",
        }
    }
}

/// One process that carried the migration out, or tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// The container.
    pub container: ContainerId,
    /// The container's name at that time.
    pub name: String,
    /// When this container's start began.
    pub started_at: Timestamp,
    /// The first evidence of this attempt.
    pub at: Timestamp,
    /// The exec that runs it, if it is no container's own process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecId>,
    /// The command, where one is known that migrates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<MigrationCommand>,
}

/// A logged step with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedStep {
    /// When it was announced.
    pub at: Timestamp,
    /// What was announced.
    #[serde(flatten)]
    pub step: Step,
}

/// A move of a version table that belongs to a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The table.
    pub table: VersionTable,
    /// Where it stood before.
    pub from: Heads,
    /// Where it stands after.
    pub to: Heads,
    /// When the reading that showed it was made.
    pub at: Timestamp,
}

/// One judged occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// Its identity.
    pub id: MigrationId,
    /// The service whose process ran it.
    pub service: ServiceId,
    /// What set it off.
    pub trigger: Trigger,
    /// The processes that ran it: the first, then the latest retries.
    pub runners: Vec<Runner>,
    /// How often it was tried.
    pub attempts: u32,
    /// The steps it logged, over all attempts, each once.
    pub steps: Vec<TimedStep>,
    /// The version tables that moved with it.
    pub movements: Vec<Movement>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is believed to have ended so.
    pub outcome_reason: Option<String>,
    /// How sure we are.
    pub grade: Grade,
    /// Whether it was expected, and why.
    pub judgement: Judgement,
    /// The first error.
    pub cause: Option<Cause>,
    /// The engine's time of the first evidence.
    pub started_at: Timestamp,
    /// The engine's time of the end; of the last attempt if it was retried.
    pub ended_at: Option<Timestamp>,
    /// When a step was first logged or a table first moved.
    pub moved_at: Option<Timestamp>,
    /// It was over before migwatch saw the container: shown, never counted, never alerted.
    pub history: bool,
    /// What was seen, when, by which witness: one sentence each, oldest first, at most 20.
    pub evidence: Vec<Evidence>,
    /// Who acknowledged it.
    pub acknowledged: Option<Acknowledgement>,
    /// Several runners worked on the same version table at the same time.
    #[serde(default)]
    pub concurrent: bool,
    /// The migration that explains this one after all: late evidence showed who moved the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<MigrationId>,
}

/// One piece of evidence as shown to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was (engine's clock where there is one).
    pub at: Timestamp,
    /// Which witness: `log`, `engine`, `database`.
    pub witness: Witness,
    /// What it said.
    pub text: String,
}

/// The kinds of witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Witness {
    Log,
    Engine,
    Database,
    Probe,
}

impl Witness {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Engine => "engine",
            Self::Database => "database",
            Self::Probe => "probe",
        }
    }
}

/// Who closed something, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Their note; may be empty.
    pub note: String,
}

impl Migration {
    /// Whether it moved a schema, as far as anybody saw.
    pub fn moved(&self) -> bool {
        self.moved_at.is_some()
    }

    /// Where it began, if steps or tables say so.
    pub fn from(&self) -> Option<Heads> {
        if let Some(movement) = self.movements.first() {
            return Some(movement.from.clone());
        }
        self.steps
            .first()
            .map(|timed| Heads(timed.step.from.iter().cloned().collect()))
    }

    /// Where it ended, if steps or tables say so.
    pub fn to(&self) -> Option<Heads> {
        if let Some(movement) = self.movements.last() {
            return Some(movement.to.clone());
        }
        self.steps
            .last()
            .map(|timed| Heads(timed.step.to.iter().cloned().collect()))
    }
}
