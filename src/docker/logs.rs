//! Follows the log of one container.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::engine::ApiVersion;
use crate::model::container::FollowLogs;
use crate::model::log::ResumeFrom;
use crate::model::observation::Observation;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// Stand-in for `lines::Patterns`.
#[derive(Debug)]
pub struct Patterns;

/// What following one start of one container needs.
pub struct Tail {
    /// Where the engine is.
    pub endpoint: Endpoint,
    /// The version agreed on.
    pub api: ApiVersion,
    /// Whose log.
    pub container: ContainerId,
    /// It has a terminal.
    pub tty: bool,
    /// Until when it is followed.
    pub logs: FollowLogs,
    /// Where to begin.
    pub resume: ResumeFrom,
    /// What is understood.
    pub patterns: Arc<Patterns>,
    /// Where lines are reported.
    pub inbox: mpsc::Sender<Observation>,
    /// Ends it.
    pub stop: CancellationToken,
    /// Whether the container runs, as far as events say.
    pub running: watch::Receiver<bool>,
}

/// How a tail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The time of the last whole line; `None` if none came.
    pub position: Option<Timestamp>,
}

/// Follows until the container exits or `stop`.
pub async fn follow(tail: Tail) -> Ended {
    tail.stop.cancelled().await;
    Ended { position: None }
}
