//! The edge to the container engine: who is there, what happens to them, what they print.
//!
//! Promises every compose container of one engine, at once by its events and for certain by full looks, over interruptions of any length;
//! and the log tails and the code of those that can migrate. Refuses to conclude anything, to change anything (all requests are GETs, but for
//! [`code_of_image`], which a person asks for) and to wait for the monitor where the engine is read.

mod code;
pub mod endpoint;
pub mod engine;
pub mod environment;
mod events;
mod execs;
mod inspect;
pub mod inventory;
mod labels;
pub mod logs;
mod look;
mod memory;
mod recent;
mod signals;
mod switch;
mod tails;
pub mod tls;
mod watching;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use std::sync::atomic::AtomicBool;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use code::{Again, Answer, CodeReader, Environments, Found, of_image as code_of_image};
pub use endpoint::Endpoint;
use engine::Engine;
pub use engine::{ApiVersion, EngineError, EngineInfo, check};
pub use environment::Environment;
use execs::Sieve;
pub use inventory::{Choice, Choose, CodePlace, Container, Follow, NetworkAddress, PublishedPort};
use look::Looker;
use memory::Memory;
use watching::{Connection, Watching};

use crate::lines::Patterns;
use crate::model::backoff;
use crate::model::exec::ExecId;
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

/// A command inside a container that began before this process, and whose end nobody heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenExec {
    /// Where it runs.
    pub container: ContainerId,
    /// Which it is.
    pub exec: ExecId,
    /// When it began.
    pub at: Timestamp,
}

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
    /// Commands whose end is still to be told.
    pub execs: Vec<OpenExec>,
    /// What is understood of log lines.
    pub patterns: Arc<Patterns>,
}

/// The edge.
pub struct Docker {
    config: Config,
    wiring: Wiring,
    /// What was last reported of the engine.
    reported: Reported,
    /// How far its clock was last reported to be ahead, in seconds.
    ahead: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reported {
    Nothing,
    Up(String),
    /// And why.
    Down(String),
}

/// A connection that lasted so long was a good one: its end is followed by a new one at once.
const LASTED: Duration = Duration::from_secs(10);

impl Docker {
    /// Not yet connected.
    pub fn new(config: Config, wiring: Wiring) -> Self {
        Self {
            config,
            wiring,
            reported: Reported::Nothing,
            ahead: 0,
        }
    }

    /// Watches until `stop`; whatever the engine does, it is tried again.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut memory = Memory::new(stop.child_token());
        memory.execs.resume(std::mem::take(&mut self.wiring.execs));
        let _ = stop.run_until_cancelled(self.watch(&mut memory)).await;
        memory.tails.finish().await;
    }

    async fn watch(&mut self, memory: &mut Memory) {
        let mut attempt = 0_u32;
        loop {
            let began = Instant::now();
            let ended = self.connection(memory).await;
            if began.elapsed() >= LASTED {
                attempt = 0;
            }
            if let Err(error) = &ended {
                self.down(error).await;
            }
            if attempt > 0 || ended.is_err() {
                let seed = u64::from(began.elapsed().subsec_nanos());
                tokio::time::sleep(backoff::delay(attempt, seed)).await;
            }
            attempt = attempt.saturating_add(1);
        }
    }

    /// One connection, from the version to the end of the events.
    async fn connection(&mut self, memory: &mut Memory) -> Result<(), EngineError> {
        let engine = Engine::connect(&self.config.endpoint).await?;
        let since = memory
            .recent
            .resume(engine.clock.unwrap_or_else(|| self.wiring.clock.now()));
        // Subscribed before anything is listed, so that nothing falls between.
        let stream = engine.events(since, &events::filters(engine.is_podman())).await?;
        if let Some(clock) = engine.clock {
            let ahead = ahead(clock, self.wiring.clock.now());
            if std::mem::replace(&mut self.ahead, ahead) != ahead {
                let _ = self.wiring.inbox.send(Observation::EngineClock { ahead }).await;
            }
        }
        let version = format!("{}, API {}", engine.version, engine.api);
        let mut up = self.up(&version);
        let news = up.is_some();
        memory.tails.connected(engine.endpoint.clone(), engine.api);
        let (buffer, events) = mpsc::channel(events::BUFFER);
        let lost = Arc::new(AtomicBool::new(false));
        let mut reader = JoinSet::new();
        let sieve = Sieve::new(memory.execs.askable(), engine.is_podman());
        reader.spawn(events::read(stream, sieve, buffer, lost.clone()));
        let connection = Connection {
            looker: Looker::new(engine, memory.places.clone()),
            events,
            lost,
        };
        let ended = Watching::new(&self.config, &self.wiring, memory, connection)
            .run(&mut up)
            .await;
        memory.tails.lost();
        if news && up.is_none() {
            self.reported = Reported::Up(version);
        }
        ended?;
        if let Some(Ok(reason)) = reader.join_next().await {
            tracing::debug!(reason, "subscribing to events again");
        }
        Ok(())
    }

    /// What is to be reported of an engine that answers, if that is news.
    fn up(&self, version: &str) -> Option<Observation> {
        let version = version.to_owned();
        let is_news = self.reported != Reported::Up(version.clone());
        is_news.then(|| Observation::EngineUp {
            endpoint: self.config.endpoint.to_string(),
            version,
        })
    }

    /// Said once in the log; the reason is kept fresh, because the first one may only tell how the connection broke.
    async fn down(&mut self, error: &EngineError) {
        let (endpoint, reason) = (self.config.endpoint.to_string(), engine::whole(error));
        let now = Reported::Down(reason.clone());
        let before = std::mem::replace(&mut self.reported, now);
        if before == self.reported {
            return;
        }
        if !matches!(before, Reported::Down(_)) {
            tracing::warn!(
                endpoint,
                reason,
                "the engine does not answer; trying again until it does"
            );
        }
        let _ = self
            .wiring
            .inbox
            .send(Observation::EngineDown { endpoint, reason })
            .await;
    }
}

/// How many seconds the engine's clock is ahead. It tells whole seconds only, and its answer took its time: less than that is nothing.
fn ahead(engine: Timestamp, ours: Timestamp) -> i64 {
    const TOLD_TO: Duration = Duration::from_secs(2);
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let (before, behind) = (engine.since(ours), ours.since(engine));
    if before.max(behind) < TOLD_TO {
        0
    } else if engine > ours {
        seconds(before)
    } else {
        -seconds(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::ahead;
    use crate::model::time::Timestamp;

    #[test]
    fn a_clock_that_tells_whole_seconds_is_off_only_beyond_them() {
        let at = Timestamp::from_seconds;
        for (engine, ours, expected) in [(100, 100, 0), (100, 101, 0), (105, 100, 5), (100, 107, -7)] {
            assert_eq!(ahead(at(engine), at(ours)), expected, "{engine} and {ours}");
        }
    }
}
