//! The edge to the container engine: who is there, what happens to them, what they print.
//!
//! Promises every compose container of one engine, at once by its events and for certain by full looks, over interruptions of any length;
//! and the log tails of those that can migrate. Refuses to conclude anything, to change anything (all requests are GETs) and to wait for the
//! monitor where the engine is read.

pub mod endpoint;
pub mod engine;
pub mod environment;
pub mod inventory;
pub mod logs;
pub mod tls;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::lines::Patterns;
pub use endpoint::Endpoint;
pub use engine::{ApiVersion, EngineError, EngineInfo, check};
pub use environment::Environment;
pub use inventory::{Choice, Choose, Container, Follow, NetworkAddress, PublishedPort};

use crate::model::log::ResumeFrom;
use crate::model::observation::Observation;
use crate::model::service::ContainerId;
use crate::model::time::{Clock, Timestamp};

/// How the engine is watched.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is.
    pub endpoint: Endpoint,
    /// How often everything is looked at, whatever the events say.
    pub resync: Duration,
}

/// Where a container's log is to be taken up, asked when it is first opened: the container and when it was created.
pub type Resume = Arc<dyn Fn(&ContainerId, Timestamp) -> ResumeFrom + Send + Sync>;

/// What the edge is connected to.
pub struct Wiring {
    /// Takes what is observed.
    pub inbox: mpsc::Sender<Observation>,
    /// Takes the newest inventory.
    pub inventory: watch::Sender<Arc<Vec<Container>>>,
    /// The wall clock, for engines that do not tell the time.
    pub clock: Arc<dyn Clock>,
    /// What config and labels want for a container.
    pub choose: Choose,
    /// Where a log is to be taken up.
    pub resume: Resume,
    /// What is understood of log lines.
    pub patterns: Arc<Patterns>,
}

/// The edge.
pub struct Docker {
    config: Config,
    wiring: Wiring,
}

impl Docker {
    /// Not yet connected.
    pub fn new(config: Config, wiring: Wiring) -> Self {
        Self { config, wiring }
    }

    /// Watches until `stop`; whatever the engine does, it is tried again.
    pub async fn run(self, stop: CancellationToken) {
        let _ = (&self.config, &self.wiring);
        stop.cancelled().await;
    }
}
