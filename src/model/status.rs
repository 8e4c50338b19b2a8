//! What may be shown: the state as pages, API, metrics and the command line see it. JSON of the API is the serde form of these.

mod code;
mod expecting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::approval::ApprovalRecord;
use super::container::{Armed, ArmedState, ContainerLook};
use super::fact::BindingProof;
use super::migration::{Migration, Outcome, Trigger, Verdict};
use super::policy::Policy;
use super::probe::{FailureReason, ProbeId, ProbeResult};
use super::revision::{DatabaseId, Standing, VersionTable};
use super::service::ServiceId;
use super::time::Timestamp;

pub use code::{CodeStatus, PendingRevision, StandingWord, TableCode};
pub use expecting::{ExpectationsOpen, OpenWindow};

/// Everything at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// When this picture was taken (our clock).
    pub at: Timestamp,
    /// The host's configured name; may be empty.
    pub host: String,
    /// The engine.
    pub engine: EngineStatus,
    /// Every known service, by project and name.
    pub services: Vec<ServiceStatus>,
    /// Recent migrations and every open one, newest first.
    pub migrations: Vec<Migration>,
    /// Firing alerts, then recently resolved ones, newest first.
    pub alerts: Vec<Alert>,
    /// Every known database.
    pub databases: Vec<DatabaseStatus>,
    /// Every probe with its latest result.
    pub probes: Vec<ProbeStatus>,
    /// Approvals, newest first: the open ones, and those that were open lately.
    #[serde(default)]
    pub approvals: Vec<ApprovalRecord>,
    /// Windows that are open now.
    #[serde(default)]
    pub windows: Vec<OpenWindow>,
    /// Every configured receiver.
    pub receivers: Vec<ReceiverStatus>,
    /// How the watcher itself does.
    pub watcher: WatcherStatus,
}

/// The engine as last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// Where it is.
    pub endpoint: String,
    /// It answers and its events flow.
    pub up: bool,
    /// Its version, once it answered.
    pub version: Option<String>,
    /// Why it is not up.
    pub problem: Option<String>,
    /// Since when it is as it is.
    pub since: Option<Timestamp>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Which.
    pub service: ServiceId,
    /// `up`, or what is wrong, in one word and one sentence.
    pub condition: Condition,
    /// Its present containers.
    pub containers: Vec<ContainerLook>,
    /// The policy in force.
    pub policy: Policy,
    /// The window outside of which it denies, where the policy is a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Whether the next start of any replica would migrate.
    pub armed: Option<Armed>,
    /// What its last start said about migrations.
    pub last_start: Option<LastStart>,
    /// How its log is read.
    pub log: LogView,
    /// The version tables it is bound to.
    pub tables: Vec<Binding>,
    /// What its code says, an entry for each Alembic environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<CodeStatus>,
    /// It counts since the journal began (log figures: since this process began).
    pub counters: Counters,
    /// Gone from the engine since then; shown for one hour.
    pub removed_at: Option<Timestamp>,
    /// Unexpected migrations whose alert nobody has closed.
    pub unexpected_open: u32,
    /// What expects a migration of it now.
    #[serde(default)]
    pub expectations: ExpectationsOpen,
}

/// How a service does, worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The word.
    pub word: ConditionWord,
    /// One sentence: why.
    pub detail: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// The conditions of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionWord {
    /// It should run and does not.
    Down,
    /// It restarts again and again.
    RestartLoop,
    /// Its health check says no, or a part of its replicas is down.
    Unhealthy,
    /// It runs, and its endpoint does not answer as it should.
    EndpointDown,
    /// It answers itself, but not through the proxy in front.
    ProxyDown,
    /// A migration runs before it serves.
    Migrating,
    /// It starts.
    Starting,
    /// Somebody stopped it; quiet.
    Stopped,
    /// It ran to its end; quiet.
    Completed,
    /// It runs.
    Up,
    /// Nothing is known (the engine is away).
    Unknown,
}

impl ConditionWord {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::RestartLoop => "restart loop",
            Self::Unhealthy => "unhealthy",
            Self::EndpointDown => "endpoint down",
            Self::ProxyDown => "proxy down",
            Self::Migrating => "migrating",
            Self::Starting => "starting",
            Self::Stopped => "stopped",
            Self::Completed => "completed",
            Self::Up => "up",
            Self::Unknown => "unknown",
        }
    }
}

/// What the last start of a service said about migrations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastStart {
    /// When.
    pub at: Timestamp,
    /// `true`: it said that it skips; `false`: it ran them.
    pub skipped: bool,
}

/// How a service's logs are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// Containers whose log is followed now.
    pub following: u32,
    /// Why a log that should be read is not.
    pub unreadable: Option<String>,
    /// Why no log is followed, if that is by choice.
    pub not_followed: Option<String>,
}

/// A version table that a service migrates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The table.
    pub table: VersionTable,
    /// What proves it.
    pub proof: BindingProof,
}

/// A service's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Settled migrations by outcome.
    pub migrations: BTreeMap<Outcome, u64>,
    /// Verdicts on migrations that moved something or failed.
    #[serde(with = "verdict_counts")]
    pub verdicts: BTreeMap<(Trigger, Verdict), u64>,
    /// Starts that said they skip.
    pub skips: u64,
    /// Restarts by the engine's policy.
    pub restarts: u64,
    /// Log bytes read.
    pub log_bytes: u64,
    /// Gaps in logs.
    pub log_gaps: u64,
    /// Log streams reopened within one start.
    pub log_reconnects: u64,
    /// Failed probes by probe name, way and reason.
    #[serde(skip)]
    pub probe_failures: BTreeMap<(String, super::probe::Via, FailureReason), u64>,
}

/// JSON has no tuple keys: a list of entries instead.
mod verdict_counts {
    use super::{BTreeMap, Deserialize, Serialize, Trigger, Verdict};
    use serde::{Deserializer, Serializer};

    type Counts = BTreeMap<(Trigger, Verdict), u64>;

    pub(super) fn serialize<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
        let entries: Vec<_> = counts
            .iter()
            .map(|((trigger, verdict), count)| (trigger, verdict, count))
            .collect();
        entries.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
        let entries = Vec::<(Trigger, Verdict, u64)>::deserialize(deserializer)?;
        Ok(entries
            .into_iter()
            .map(|(trigger, verdict, count)| ((trigger, verdict), count))
            .collect())
    }
}

/// One database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseStatus {
    /// Which.
    pub database: DatabaseId,
    /// The services that use it.
    pub services: Vec<ServiceId>,
    /// The last reading succeeded.
    pub up: bool,
    /// It was never reached since the journal began.
    pub never_reached: bool,
    /// Why the last reading failed.
    pub problem: Option<String>,
    /// When it was last read with success.
    pub last_read: Option<Timestamp>,
    /// What stands in each version table.
    pub tables: BTreeMap<String, Standing>,
    /// What is known of its schema; `None` if it was never read.
    #[serde(default)]
    pub schema: Option<SchemaStatus>,
}

/// The schema of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaStatus {
    /// How many tables it has, version tables and views left out.
    pub tables: u64,
    /// When it was last read with success.
    pub last_read: Option<Timestamp>,
    /// Why it could not be read.
    pub problem: Option<String>,
    /// How it differs from what migrations made of it, in words.
    pub drift: Vec<String>,
    /// Since when.
    pub drift_since: Option<Timestamp>,
}

/// One probe with its latest result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStatus {
    /// Which.
    pub probe: ProbeId,
    /// What it found last.
    pub result: ProbeResult,
    /// How many times in a row it has failed.
    pub failures: u32,
}

/// One receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverStatus {
    /// Its name.
    pub name: String,
    /// Transitions that wait for it.
    pub waiting: u64,
    /// Deliveries since this process began that told something new and were taken.
    pub delivered: u64,
    /// Failures since this process began, each counted once for as long as its reason stays.
    pub failed: u64,
    /// Why the last delivery failed.
    pub problem: Option<String>,
}

/// How the watcher itself does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatcherStatus {
    /// Since when this journal watches.
    pub watching_since: Option<Timestamp>,
    /// The last reload of the config succeeded.
    pub config_ok: bool,
    /// Why not.
    pub config_problem: Option<String>,
    /// Facts that the disk refused so far.
    pub unwritten: u64,
    /// Where it is blind, one sentence each.
    pub blind: Vec<String>,
    /// Warnings about labels and found settings, one sentence each.
    pub warnings: Vec<String>,
}

impl ServiceStatus {
    /// Whether the service is up as `migwatch_service_up` means it: it runs, or it was stopped or completed on purpose.
    pub fn is_up(&self) -> bool {
        !matches!(
            self.condition.word,
            ConditionWord::Down | ConditionWord::RestartLoop | ConditionWord::Unknown
        )
    }

    /// The armed state as a metric shows it.
    pub fn armed_state(&self) -> Option<ArmedState> {
        self.armed.as_ref().map(|armed| armed.state)
    }
}
