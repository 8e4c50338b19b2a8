//! What an edge may report. Never a conclusion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::approval::{Approval, ApprovalId};
use super::container::ContainerLook;
use super::database::{DatabaseReading, SchemaReading};
use super::exec::{ExecCommand, ExecId};
use super::file::FilePosition;
use super::lock::LockWaits;
use super::log::LogLine;
use super::probe::{ProbeId, ProbeResult};
use super::script::Code;
use super::service::{ContainerId, ServiceId};
use super::time::Timestamp;

/// One report of an edge.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The engine answers; followed by a full look.
    EngineUp {
        /// Where it is, without secrets.
        endpoint: String,
        /// Its own version and the API version agreed on: `20.10.24, API 1.41`.
        version: String,
    },
    /// The engine does not answer, or its event stream ended.
    EngineDown {
        /// Where it should be.
        endpoint: String,
        /// One sentence: what failed and what to do.
        reason: String,
    },
    /// How far the engine's clock is from ours, as its answer to our greeting told, to the second.
    EngineClock {
        /// Seconds that it is ahead; negative behind. 0 within what the answer can tell.
        ahead: i64,
    },
    /// Containers that the engine lists and did not show: full looks say nothing of them, until this is told anew.
    Unshown(BTreeSet<ContainerId>),
    /// A full look: every compose container there is. What is not in it, and not unshown, is gone.
    FullLook(Vec<ContainerLook>),
    /// One container was looked at again.
    Looked(Box<ContainerLook>),
    /// `start` event.
    Started {
        /// Which.
        container: ContainerId,
        /// The engine's time of the event.
        at: Timestamp,
    },
    /// `die` event.
    Died {
        /// Which.
        container: ContainerId,
        /// The engine's time of the event.
        at: Timestamp,
        /// The exit code; 128 + signal when killed.
        exit_code: i32,
    },
    /// `kill` event: somebody asked through the API (`stop`, `restart`, `up`), so an exit that follows is no crash.
    Killed {
        /// Which.
        container: ContainerId,
        /// The engine's time of the event.
        at: Timestamp,
    },
    /// `oom` event.
    OutOfMemory {
        /// Which.
        container: ContainerId,
        /// The engine's time of the event.
        at: Timestamp,
    },
    /// `destroy` (Podman: `remove`) event.
    Removed {
        /// Which.
        container: ContainerId,
        /// The engine's time of the event.
        at: Timestamp,
    },
    /// An understood log line.
    Line {
        /// Whose.
        container: ContainerId,
        /// What it said.
        line: LogLine,
    },
    /// How far a log was taken in; travels behind its lines.
    LogProgress {
        /// Whose.
        container: ContainerId,
        /// The time of the last whole line; `None` if none came yet.
        position: Option<Timestamp>,
        /// Bytes read since the last report.
        bytes: u64,
    },
    /// Whether a log can be read.
    LogStatus {
        /// Whose.
        container: ContainerId,
        /// How it stands.
        status: LogStatus,
    },
    /// Lines were lost between two times and could not be had again.
    LogGap {
        /// Whose.
        container: ContainerId,
        /// The last line before.
        from: Timestamp,
        /// The first line after.
        to: Timestamp,
    },
    /// A command that may migrate was started inside a running container.
    ExecStarted {
        /// Where.
        container: ContainerId,
        /// Which.
        exec: ExecId,
        /// The engine's time of the event.
        at: Timestamp,
        /// What is known of it.
        command: ExecCommand,
    },
    /// Such a command ended.
    ExecEnded {
        /// Where.
        container: ContainerId,
        /// Which.
        exec: ExecId,
        /// The engine's time of the event; of our look if none was heard.
        at: Timestamp,
        /// The exit code; `None` if the end was found after the fact and the engine does not tell it right.
        exit_code: Option<i32>,
    },
    /// The log file of a local process is watched.
    ProcessWatched {
        /// The process, as a service of a project of its own.
        process: ServiceId,
        /// Its files as the configuration names them.
        path: String,
    },
    /// An understood line of a local process's log file.
    ProcessLine {
        /// Whose.
        process: ServiceId,
        /// The position behind the line.
        position: FilePosition,
        /// What it said; its time is when it was read.
        line: LogLine,
    },
    /// How far a log file was taken in; travels behind its lines.
    ProcessRead {
        /// Whose.
        process: ServiceId,
        /// How far.
        position: FilePosition,
        /// Bytes read since the last report.
        bytes: u64,
    },
    /// Whether the log file of a local process can be read.
    ProcessLogStatus {
        /// Whose.
        process: ServiceId,
        /// How it stands.
        status: LogStatus,
    },
    /// Lines of a local process were lost: its log was cut, or rotated away, before they could be read.
    ProcessLogGap {
        /// Whose.
        process: ServiceId,
        /// When it was seen. Since when they are lost, nobody knows: lines of a file have no time of their own.
        at: Timestamp,
    },
    /// The log file of a local process is no longer configured.
    ProcessGone(ServiceId),
    /// A probe ended.
    Probed {
        /// Which.
        probe: ProbeId,
        /// What it found.
        result: ProbeResult,
    },
    /// A probe is no longer configured or discovered.
    ProbeGone(ProbeId),
    /// The code of a container was read: its Alembic environments, by name; none if there is none.
    Code {
        /// Whose.
        container: ContainerId,
        /// What they say; containers of one image share it.
        environments: BTreeMap<String, Arc<Code>>,
    },
    /// A database was read, or not.
    Database(DatabaseReading),
    /// The schema of a database was read, or not.
    Schema(SchemaReading),
    /// Who waits for a lock in a database, looked at while a migration of one of its services runs.
    LockWaits(LockWaits),
    /// A database is no longer configured or discovered.
    DatabaseGone(super::revision::DatabaseId),
    /// A receiver took every transition up to this number.
    Delivered {
        /// The receiver's name.
        receiver: String,
        /// The number of the last transition it has.
        up_to: u64,
        /// When it answered.
        at: Timestamp,
    },
    /// A receiver refused or did not answer.
    DeliveryFailed {
        /// The receiver's name.
        receiver: String,
        /// One sentence, without secrets.
        reason: String,
    },
    /// A person closes an alert or a migration.
    Acknowledged {
        /// A migration ID or an alert fingerprint.
        id: String,
        /// Who says so.
        by: String,
        /// Their note.
        note: String,
    },
    /// A person approves a migration beforehand.
    Approved(Approval),
    /// A person takes an approval back.
    ApprovalRevoked {
        /// Which.
        id: ApprovalId,
        /// Who says so.
        by: String,
    },
    /// The command of `migwatch deploy` ended.
    DeployEnded {
        /// The approval that was opened for it.
        id: ApprovalId,
    },
    /// Time went on.
    Tick,
}

/// How following a container's log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogStatus {
    /// It is followed; a reconnect counts one.
    Following {
        /// This is a reconnect, not the first open of a start.
        reconnect: bool,
    },
    /// The container ended and so did its log.
    Ended,
    /// It should be followed and cannot be.
    Unreadable {
        /// One sentence: what failed and what to do.
        reason: String,
    },
    /// It is not followed by choice or because nothing says that it can migrate.
    NotFollowed {
        /// Which of these.
        reason: String,
    },
}
