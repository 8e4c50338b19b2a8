//! The whole edge with its inbox and its inventory, as the tests hold it.

use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::{Choice, Choose, Config, Container, Docker, Endpoint, Wiring};
use migwatch::lines::Patterns;
use migwatch::model::container::ContainerLook;
use migwatch::model::log::{LogLine, ResumeFrom};
use migwatch::model::observation::Observation;
use migwatch::model::service::ContainerId;
use migwatch::model::time::Clock;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::fake_engine::FakeEngine;

/// With paused time none of it passes, unless nothing else is left to happen.
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) struct Watched {
    inbox: mpsc::Receiver<Observation>,
    pub(super) inventory: watch::Receiver<Arc<Vec<Container>>>,
    /// All that was taken out of the inbox so far.
    pub(super) seen: Vec<Observation>,
    stop: CancellationToken,
    edge: JoinSet<()>,
}

/// Watches the played engine with a full look every hour.
pub(super) fn watch(engine: &FakeEngine) -> Watched {
    watch_as(
        engine,
        Duration::from_hours(1),
        Arc::new(|look| Choice::of_labels(&look.labels)),
    )
}

/// The same with everything that can be chosen.
pub(super) fn watch_as(engine: &FakeEngine, resync: Duration, choose: Choose) -> Watched {
    watch_at(Endpoint::Unix(engine.socket()), resync, engine.clock(), choose)
}

pub(super) fn watch_at(
    endpoint: Endpoint,
    resync: Duration,
    clock: Arc<dyn Clock>,
    choose: Choose,
) -> Watched {
    let (sender, inbox) = mpsc::channel(64);
    let (publish, inventory) = watch::channel(Arc::default());
    let wiring = Wiring {
        inbox: sender,
        inventory: publish,
        clock,
        choose,
        resume: Arc::new(|_, _| ResumeFrom::Everything),
        begun: Vec::new(),
        patterns: Arc::new(Patterns::builtin()),
    };
    let stop = CancellationToken::new();
    let mut edge = JoinSet::new();
    edge.spawn(Docker::new(Config { endpoint, resync }, wiring).run(stop.clone()));
    Watched {
        inbox,
        inventory,
        seen: Vec::new(),
        stop,
        edge,
    }
}

impl Watched {
    /// The first observation from here on of which `wanted` makes something.
    pub(super) async fn until<T>(&mut self, what: &str, wanted: impl Fn(&Observation) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                let observation = self.inbox.recv().await.expect("the edge still tells");
                let found = wanted(&observation);
                self.seen.push(observation);
                if let Some(found) = found {
                    return found;
                }
            }
        });
        match found.await {
            Ok(found) => found,
            Err(error) => panic!("{what} did not come ({error}); instead: {:#?}", self.seen),
        }
    }

    pub(super) async fn full_look(&mut self) -> Vec<ContainerLook> {
        let full = |observation: &Observation| match observation {
            Observation::FullLook(looks) => Some(looks.clone()),
            _ => None,
        };
        self.until("a full look", full).await
    }

    pub(super) async fn looked(&mut self, id: &ContainerId) -> ContainerLook {
        self.looked_with(id, |_| true).await
    }

    /// A look at `id`, alone or among all, that shows `what`.
    pub(super) async fn looked_with(
        &mut self,
        id: &ContainerId,
        what: impl Fn(&ContainerLook) -> bool,
    ) -> ContainerLook {
        let looked = |observation: &Observation| match observation {
            Observation::Looked(look) if look.id == *id && what(look) => Some((**look).clone()),
            Observation::FullLook(looks) => looks.iter().find(|look| look.id == *id && what(look)).cloned(),
            _ => None,
        };
        self.until("a look at the container", looked).await
    }

    pub(super) async fn line(&mut self) -> LogLine {
        let line = |observation: &Observation| match observation {
            Observation::Line { line, .. } => Some(line.clone()),
            _ => None,
        };
        self.until("a line", line).await
    }

    pub(super) async fn removed(&mut self, id: &ContainerId) {
        let removed = |observation: &Observation| matches!(observation, Observation::Removed { container, .. } if container == id);
        self.until("the removal", |observation| removed(observation).then_some(()))
            .await;
    }

    /// `looked`, `started`, `died 3`, ... of one container, in the order of the inbox.
    pub(super) fn story(&self, id: &ContainerId) -> Vec<String> {
        let told = |observation: &Observation| match observation {
            Observation::Looked(look) if look.id == *id => Some(format!("looked {}", look.state.as_str())),
            Observation::Started { container, .. } if container == id => Some("started".to_owned()),
            Observation::Died {
                container, exit_code, ..
            } if container == id => Some(format!("died {exit_code}")),
            Observation::Killed { container, .. } if container == id => Some("killed".to_owned()),
            Observation::OutOfMemory { container, .. } if container == id => Some("out of memory".to_owned()),
            Observation::Removed { container, .. } if container == id => Some("removed".to_owned()),
            _ => None,
        };
        self.seen.iter().filter_map(told).collect()
    }

    /// Ends the edge; every task of it has ended then.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        let mut inbox = self.inbox;
        let drain = async { while inbox.recv().await.is_some() {} };
        let ended = async { while self.edge.join_next().await.is_some() {} };
        timeout(PATIENCE, async { tokio::join!(drain, ended) })
            .await
            .expect("the edge ends when it is told to");
    }
}
