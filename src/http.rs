//! Edge: shows the state to people, Prometheus and programs, and takes the few commands that change something.
//!
//! Promises that no request, however made, can stop or slow the watching: connections, headers, bodies and waits are bounded.
//! Promises that nothing changes for a caller who neither holds the token nor owns the unix socket.
//! Refuses to know how the state comes about: it sees [`Views`] of it and sends [`Command`]s.

mod api;
mod listener;
pub mod metrics;
pub mod page;
mod routes;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::judge::preflight;
use crate::model::approval::{Approval, ApprovalId, ApprovalRequest};
use crate::model::migration::Migration;
use crate::model::plan::Plan;
use crate::model::preflight::Check;
use crate::model::service::ServiceId;
use crate::model::status::Status;
use crate::model::time::Timestamp;

pub use server::Http;

/// Where to listen and who may change things.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// TCP address; `None` listens on no TCP port.
    pub listen: Option<SocketAddr>,
    /// Unix socket, open to its owner only; `None` makes none.
    pub socket: Option<PathBuf>,
    /// What a `POST` over TCP must bear; `None` refuses them all.
    pub token: Option<SecretString>,
}

/// Which migwatch this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The version, as in `Cargo.toml`.
    pub version: String,
    /// The source revision it was built from; may be empty.
    pub revision: String,
}

/// Gives the newest status.
pub type StatusView = Arc<dyn Fn() -> Arc<Status> + Send + Sync>;
/// Says whether everything has started; else one sentence why not.
pub type ReadyView = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;
/// Looks up migrations, newest first; may block, since it is called off the event loop. The error is one sentence.
pub type HistoryView = Arc<dyn Fn(HistoryQuery) -> Result<Vec<Migration>, String> + Send + Sync>;
/// Has the code of a service read as it is now, before it is judged. The error is one sentence.
pub type RefreshView = Arc<dyn Fn(ServiceId) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;
/// Plans migrations of a service; the error is one sentence.
pub type PlanView = Arc<dyn Fn(PlanQuery) -> Result<Vec<Plan>, String> + Send + Sync>;
/// Answers the checks before a deploy that need the state; may block. The error is one sentence.
pub type PreflightView = Arc<dyn Fn(preflight::Question) -> Result<Vec<Check>, String> + Send + Sync>;

/// What may be seen.
#[derive(Clone)]
pub struct Views {
    /// The newest status.
    pub status: StatusView,
    /// Whether everything has started.
    pub ready: ReadyView,
    /// Migrations, old ones too.
    pub history: HistoryView,
    /// The code of a service, read now.
    pub refresh: RefreshView,
    /// What a migration would do.
    pub plan: PlanView,
    /// Whether anything stands in the way of a deploy.
    pub preflight: PreflightView,
    /// Metrics that are counted where they happen: `process_*` and those that [`metrics::NAMES`] marks as such.
    pub registry: prometheus::Registry,
    /// Which migwatch this is.
    pub build: Build,
}

/// Which migrations are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only of this compose project.
    pub project: Option<String>,
    /// Only of services of this name.
    pub service: Option<String>,
    /// Only those that began at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many; 1 to 1000.
    pub limit: usize,
}

/// Which plan is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanQuery {
    /// Whose.
    pub service: ServiceId,
    /// What the upgrade would be asked for.
    pub target: String,
}

/// What a caller wants changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A person closes an alert or a migration.
    Acknowledge {
        /// A migration ID or an alert fingerprint.
        id: String,
        /// Who says so.
        by: String,
        /// Their note; may be empty.
        note: String,
    },
    /// A person approves a migration beforehand.
    Approve(ApprovalRequest),
    /// A person takes an approval back.
    Revoke {
        /// Which.
        id: ApprovalId,
        /// Who says so.
        by: String,
    },
    /// The command of a deploy ended.
    EndDeploy {
        /// The approval that was opened for it.
        id: ApprovalId,
    },
    /// Read the config file again.
    Reload,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// One sentence.
    pub message: String,
    /// The approval that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

impl From<String> for Done {
    fn from(message: String) -> Self {
        Self {
            message,
            approval: None,
        }
    }
}

/// The answer to a command, once it is written; the error is one sentence.
pub type Reply = oneshot::Sender<Result<Done, String>>;
/// Where commands go.
pub type Commands = mpsc::Sender<(Command, Reply)>;

/// Why serving could not begin.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The TCP port.
    #[error(
        "cannot listen on {address}: choose another --web.listen-address, or end the process that holds it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The unix socket.
    #[error(
        "cannot make the unix socket {path}: its folder must exist and be writable, and the path at most 107 bytes long"
    )]
    Socket {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process answers on the unix socket.
    #[error("another process answers on the unix socket {path}: end it, or choose another web.socket")]
    SocketTaken {
        /// The path.
        path: PathBuf,
    },
    /// Something that is no socket stands in its place.
    #[error("{path} exists and is no socket: move it away, or choose another web.socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
}
