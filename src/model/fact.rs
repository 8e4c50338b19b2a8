//! What was concluded: the only thing that is written.
//!
//! Each fact has a stable `kind` (its serde tag), independent of Rust names; [`FORMAT`] is the version of the whole set. A kind is
//! never reused for another meaning; a field may be added with a default.

use serde::{Deserialize, Serialize};

use super::alert::{Alert, Fingerprint, Resolution};
use super::approval::{Approval, ApprovalEnd, ApprovalId};
use super::cause::Cause;
use super::exec::ExecId;
use super::file::FilePosition;
use super::log::{LineKey, Step};
use super::migration::{
    Acknowledgement, Evidence, Grade, Judgement, MigrationId, Movement, Outcome, Runner, Trigger,
};
use super::revision::{DatabaseId, Standing, VersionTable};
use super::service::{ContainerId, ServiceId};
use super::time::Timestamp;
pub use container::ContainerDiscovered;
pub use schema::{DatabaseReplaced, ForeignChange, MigrationSchemaChanged, TableSeen};
pub use schema::{SchemaBaselined, SchemaChangeShared, SchemaDrifted, SchemaSeen, SchemaSettled};

mod about;
mod binding;
mod container;
mod schema;

pub use binding::BindingProof;

/// The version of the journal's format. A journal with a higher one is refused, never taken for corruption.
pub const FORMAT: u32 = 1;

/// One conclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// The first full look of this journal's life: what is older is history.
    WatchStarted {
        /// When.
        at: Timestamp,
    },
    /// A container was seen for the first time.
    ContainerDiscovered(ContainerDiscovered),
    /// A container began a start.
    ContainerStarted {
        /// Which.
        container: ContainerId,
        /// When (the engine's time).
        started_at: Timestamp,
        /// It had never been started before.
        first: bool,
    },
    /// A container's start ended.
    ContainerFinished {
        /// Which.
        container: ContainerId,
        /// When (the engine's time).
        finished_at: Timestamp,
        /// The exit code.
        exit_code: i32,
        /// Somebody asked for it through the API.
        asked: bool,
    },
    /// A container is gone.
    ContainerRemoved {
        /// Which.
        container: ContainerId,
        /// When.
        at: Timestamp,
    },
    /// A container's log was taken in up to here.
    LogRead {
        /// Which.
        container: ContainerId,
        /// The time of the last whole line.
        position: Timestamp,
    },
    /// Lines of a log were lost.
    LogLost {
        /// Which.
        container: ContainerId,
        /// The last line before; the same as `to` where nobody knows.
        from: Timestamp,
        /// The first line after.
        to: Timestamp,
    },
    /// A start said that it skips migrations.
    MigrationSkipped {
        /// The container.
        container: ContainerId,
        /// The line that said so.
        line: LineKey,
        /// It is from before the watch: not counted.
        history: bool,
    },
    /// A migration began.
    MigrationOpened {
        /// Its identity.
        id: MigrationId,
        /// The service.
        service: ServiceId,
        /// What set it off.
        trigger: Trigger,
        /// Who runs it.
        runner: Runner,
        /// How sure we are.
        grade: Grade,
        /// Whether it is expected, and why.
        judgement: Judgement,
        /// What was seen.
        evidence: Evidence,
        /// The line that was seen, if it was one.
        line: Option<LineKey>,
        /// It is from before the watch.
        history: bool,
    },
    /// A start of the same container tries the failed migration again.
    MigrationRetried {
        /// Which migration.
        id: MigrationId,
        /// Who runs it now.
        runner: Runner,
        /// The line that was seen.
        line: Option<LineKey>,
    },
    /// A step was logged.
    MigrationStepped {
        /// Which migration.
        id: MigrationId,
        /// The step.
        step: Step,
        /// The line that said so; its time is the step's.
        line: LineKey,
        /// When it had arrived here (our clock).
        observed_at: Timestamp,
        /// Whose line it was, if not the latest runner's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<ContainerId>,
    },
    /// Something else was seen that belongs to the migration (`Running` again, `Context`, an error after the first).
    MigrationEvidenced {
        /// Which migration.
        id: MigrationId,
        /// What was seen; `None` if it only makes the line known.
        evidence: Option<Evidence>,
        /// The line that was seen.
        line: Option<LineKey>,
        /// Whose line it was, if not the latest runner's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<ContainerId>,
    },
    /// Another runner works on the same version table at the same time.
    MigrationJoined {
        /// Which migration.
        id: MigrationId,
        /// Who joined.
        runner: Runner,
        /// The line that was seen.
        line: Option<LineKey>,
    },
    /// The command of an exec ended.
    MigrationExecEnded {
        /// Which migration.
        id: MigrationId,
        /// Which exec.
        exec: ExecId,
        /// When (the engine's time).
        at: Timestamp,
        /// The exit code; `None` if nobody can tell.
        exit_code: Option<i32>,
    },
    /// One of several runners came to its end; the migration ends with the last of them.
    MigrationRunnerEnded {
        /// Which migration.
        id: MigrationId,
        /// Whose end.
        runner: Runner,
        /// How it ended for this runner.
        outcome: Outcome,
        /// When (the engine's time).
        at: Timestamp,
        /// Why it is believed to have ended so.
        reason: String,
    },
    /// It runs for so long that it is taken as moving something, though nothing of that is readable.
    MigrationPresumed {
        /// Which migration.
        id: MigrationId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// Late evidence explains it: it is the same as another migration, which stands for both.
    MigrationSuperseded {
        /// Which migration.
        id: MigrationId,
        /// Which one stands for it.
        by: MigrationId,
        /// When.
        at: Timestamp,
        /// What showed it.
        reason: String,
    },
    /// A log file of a local process was taken in up to here.
    FileRead {
        /// Whose.
        process: ServiceId,
        /// How far.
        position: FilePosition,
    },
    /// The first error of the migration was logged.
    MigrationErred {
        /// Which migration.
        id: MigrationId,
        /// The error.
        cause: Cause,
        /// The line that said so.
        line: LineKey,
        /// Whose line it was, if not the latest runner's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<ContainerId>,
    },
    /// A version table moved with the migration: the database agrees.
    MigrationConfirmed {
        /// Which migration.
        id: MigrationId,
        /// The move.
        movement: Movement,
        /// When the reading had arrived here (our clock).
        observed_at: Timestamp,
    },
    /// The verdict or the grade became another.
    MigrationRejudged {
        /// Which migration.
        id: MigrationId,
        /// How sure we are now.
        grade: Grade,
        /// The judgement now, with the reason for the change.
        judgement: Judgement,
    },
    /// The migration ended; a later one for the same migration is a correction (a retry that ended otherwise).
    MigrationSettled {
        /// Which migration.
        id: MigrationId,
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// Why it is believed to have ended so.
        reason: String,
    },
    /// A person closed the migration's alerts.
    MigrationAcknowledged {
        /// Which migration.
        id: MigrationId,
        /// Who and why.
        acknowledgement: Acknowledgement,
    },
    /// Somebody approved a migration beforehand.
    ApprovalOpened {
        /// What was approved.
        approval: Approval,
    },
    /// A migration that an approval covers moved something.
    ApprovalUsed {
        /// The approval.
        id: ApprovalId,
        /// The migration.
        migration: MigrationId,
    },
    /// An approval is over: what begins from then on is not covered by it.
    ApprovalClosed {
        /// Which.
        id: ApprovalId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: ApprovalEnd,
    },
    /// A database answered for the first time ever.
    DatabaseConnected {
        /// Which.
        database: DatabaseId,
        /// When.
        at: Timestamp,
    },
    /// A version table was read for the first time: a baseline.
    TableDiscovered {
        /// Which.
        table: VersionTable,
        /// What stands in it.
        standing: Standing,
        /// When the reading was made.
        at: Timestamp,
    },
    /// A version table stands elsewhere than at the last reading.
    TableMoved {
        /// Which.
        table: VersionTable,
        /// Before.
        from: Standing,
        /// Now.
        to: Standing,
        /// When the reading was made.
        at: Timestamp,
        /// The last reading before, which had still shown the old standing: it moved between the two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read_before: Option<Timestamp>,
    },
    /// A version table still stands where it stood; what ended before this did not move it.
    TableSeen(TableSeen),
    /// A service is known to migrate this version table.
    TableBound {
        /// The service.
        service: ServiceId,
        /// The table.
        table: VersionTable,
        /// What proves it.
        proof: BindingProof,
    },
    /// A schema was read for the first time: a baseline.
    SchemaBaselined(SchemaBaselined),
    /// The schema is still the known one; what ended before this did not change it.
    SchemaSeen(SchemaSeen),
    /// The schema changed, and no migration did it.
    SchemaDrifted(SchemaDrifted),
    /// The drift of a schema is over: changed back, or accepted.
    SchemaSettled(SchemaSettled),
    /// A migration changed the schema.
    MigrationSchemaChanged(MigrationSchemaChanged),
    /// Migrations of several services ran while the schema changed: which of them did it cannot be told.
    SchemaChangeShared(SchemaChangeShared),
    /// Tables of a database vanished or came back wholesale.
    DatabaseReplaced(DatabaseReplaced),
    /// An alert began to fire.
    AlertFired {
        /// The alert.
        alert: Alert,
    },
    /// An alert that fires has more to say, or another severity.
    AlertEnriched {
        /// The alert as it is now.
        alert: Alert,
    },
    /// An alert is over.
    AlertResolved {
        /// Which.
        fingerprint: Fingerprint,
        /// When and why.
        resolution: Resolution,
    },
    /// A person closed an alert.
    AlertAcknowledged {
        /// Which.
        fingerprint: Fingerprint,
        /// Who and why.
        acknowledgement: Acknowledgement,
    },
    /// A receiver took every transition up to this number.
    Notified {
        /// The receiver's name.
        receiver: String,
        /// The number of the last transition it has.
        up_to: u64,
    },
    /// A receiver is no longer configured.
    ReceiverRemoved {
        /// Its name.
        receiver: String,
    },
}
