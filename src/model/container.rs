//! What one look at a container shows. No environment here: that holds secrets and stays in the docker edge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exec::MigrationCommand;
use super::policy::Policy;
use super::service::{ContainerId, Role, ServiceId};
use super::time::Timestamp;

/// One container as inspected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerLook {
    /// Its identity.
    pub id: ContainerId,
    /// Its present name, without the leading slash.
    pub name: String,
    /// The compose service it belongs to.
    pub service: ServiceId,
    /// What it is to the service.
    pub role: Role,
    /// Compose's `container-number`, absent for one-offs.
    pub number: Option<u32>,
    /// The image's name as configured.
    pub image: String,
    /// When it was created (engine's clock).
    pub created_at: Timestamp,
    /// What it is doing.
    pub state: ContainerState,
    /// When its last start began; `None` if it never started.
    pub started_at: Option<Timestamp>,
    /// When its last start ended; `None` if none ever ended. Still set while a later start runs.
    pub finished_at: Option<Timestamp>,
    /// The last exit code; meaningful once something finished.
    pub exit_code: i32,
    /// The engine saw the kernel kill for memory.
    pub oom_killed: bool,
    /// How often the engine restarted it by policy.
    pub restart_count: u32,
    /// What the engine does when it exits.
    pub restart_policy: RestartPolicy,
    /// The container health check's word; `None` without a health check.
    pub health: Option<Health>,
    /// It has a terminal: its log has no frames and stderr is folded into stdout.
    pub tty: bool,
    /// Whether its next start would migrate.
    pub armed: Armed,
    /// What its command would do to a schema, where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<MigrationCommand>,
    /// Its `migwatch.*` labels, parsed.
    pub labels: WatchLabels,
}

/// The engine's container states; Podman's `stopped` is `Exited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the engine's own words")]
pub enum ContainerState {
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
    Dead,
    Removing,
}

impl ContainerState {
    /// Every state, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Running,
        Self::Paused,
        Self::Restarting,
        Self::Exited,
        Self::Dead,
        Self::Removing,
    ];

    /// Whether it can be started again: not once its removal has begun, be it that the engine could not finish that.
    pub fn may_start(self) -> bool {
        !matches!(self, Self::Dead | Self::Removing)
    }

    /// The engine's word, also the metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Removing => "removing",
        }
    }
}

/// The restart policy of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the engine's own words")]
pub enum RestartPolicy {
    No,
    OnFailure,
    Always,
    UnlessStopped,
}

impl RestartPolicy {
    /// Whether the engine starts a container again that ended by itself with this exit code.
    pub fn restarts(self, exit_code: i32) -> bool {
        match self {
            Self::No => false,
            Self::OnFailure => exit_code != 0,
            Self::Always | Self::UnlessStopped => true,
        }
    }
}

/// The container health check's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the engine's own words")]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

impl Health {
    /// Every status, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Starting, Self::Healthy, Self::Unhealthy];

    /// The engine's word, also the metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// Whether the next start of a container would run migrations, and how we know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// The answer.
    pub state: ArmedState,
    /// What says so.
    pub source: ArmedSource,
}

/// The three answers of [`Armed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArmedState {
    /// The next start would run migrations.
    Armed,
    /// The next start would not.
    Disarmed,
    /// It can migrate, but nothing readable says whether the next start would.
    Unknown,
}

impl ArmedState {
    /// Every state, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Armed, Self::Disarmed, Self::Unknown];

    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Disarmed => "disarmed",
            Self::Unknown => "unknown",
        }
    }
}

/// What says that a container is armed or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ArmedSource {
    /// A switch variable is set in the container's environment.
    Environment {
        /// `RUN_MIGRATIONS` or one of its sisters.
        variable: String,
        /// Its value as set.
        value: String,
    },
    /// The variable is unset; the command's own default (`${RUN_MIGRATIONS:-true}`) decides.
    CommandDefault {
        /// The variable that the command asks.
        variable: String,
        /// The default written in the command.
        value: String,
    },
    /// The command runs migrations with no switch at all.
    Command,
    /// The image holds Alembic (or a label or the config says that it migrates), but neither environment nor command says when.
    Image,
    /// Nothing says that this container can migrate.
    Nothing,
}

impl ArmedSource {
    /// Whether the environment itself says it: a deploy that declares itself.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Environment { .. })
    }

    /// One clause for people: `RUN_MIGRATIONS=true in the environment`.
    pub fn explain(&self) -> String {
        match self {
            Self::Environment { variable, value } => format!("{variable}={value} in the environment"),
            Self::CommandDefault { variable, value } => {
                format!("{variable} is unset and the command's default is {value}")
            }
            Self::Command => "the command runs migrations with no switch".to_owned(),
            Self::Image => "it can migrate, but nothing readable says when".to_owned(),
            Self::Nothing => "nothing says that it can migrate".to_owned(),
        }
    }
}

/// The `migwatch.*` labels of a container, parsed; `None` means not given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchLabels {
    /// `migwatch.enable`
    pub enable: Option<bool>,
    /// `migwatch.migrations`, one of the three words
    pub migrations: Option<Policy>,
    /// `migwatch.migrations`, the name of a window; whether there is one of this name, the configuration says
    pub window: Option<String>,
    /// `migwatch.app`
    pub app: Option<String>,
    /// `migwatch.required`
    pub required: Option<bool>,
    /// `migwatch.logs`
    pub logs: Option<FollowLogs>,
    /// `migwatch.health.url`
    pub health_url: Option<String>,
    /// `migwatch.health.interval`
    pub health_interval: Option<std::time::Duration>,
    /// `migwatch.health.expect`: an HTTP status
    pub health_expect: Option<u16>,
    /// `migwatch.db.enable`
    pub db_enable: Option<bool>,
    /// `migwatch.db.table` (or `migwatch.env.default.db.table`)
    pub db_table: Option<String>,
    /// `migwatch.env.NAME.db.table`: the version tables of further Alembic environments, by the name that a command selects
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env_tables: BTreeMap<String, String>,
    /// `migwatch.alembic.dir` (or `migwatch.env.default.dir`) and `migwatch.env.NAME.dir`: where Alembic environments lie, by name
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_dirs: BTreeMap<String, String>,
    /// One sentence for each unknown key and bad value, naming it.
    pub warnings: Vec<String>,
}

impl WatchLabels {
    /// The version table of the Alembic environment that a command selects (`-n NAME`, `-c FILE`), as the labels name it.
    pub fn table_of(&self, environment: Option<&str>) -> Option<&str> {
        let named = environment.and_then(|name| self.env_tables.get(name));
        named.or(self.db_table.as_ref()).map(String::as_str)
    }
}

/// When a container's log is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowLogs {
    /// Always.
    #[default]
    Always,
    /// From each start until the application is up: chosen blindness afterwards.
    Startup,
    /// Never: chosen blindness.
    Never,
}
