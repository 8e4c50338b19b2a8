//! Targets that come, change and go while others are asked.

use std::sync::Arc;

use migwatch::model::observation::Observation;
use migwatch::probe::{Ask, HttpAsk, Probes, Target};
use rustls::RootCertStore;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{target, tls};
use crate::support::clock::wall_clock;
use crate::support::http_service::{HttpService, Reply};
use crate::support::receiver::PATIENCE;

/// The edge under way, and what it reports.
struct Edge {
    targets: watch::Sender<Arc<Vec<Target>>>,
    inbox: mpsc::Receiver<Observation>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Edge {
    fn start(targets: Vec<Target>) -> Self {
        let (targets, watched) = watch::channel(Arc::new(targets));
        let (reports, inbox) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let probes = Probes::new(watched, tls(RootCertStore::empty()), reports, wall_clock());
        let mut tasks = JoinSet::new();
        tasks.spawn(probes.run(stop.clone()));
        Self {
            targets,
            inbox,
            stop,
            tasks,
        }
    }

    /// Reports until `wanted` comes; gives all of them, the wanted one last.
    async fn until(&mut self, wanted: impl Fn(&Observation) -> bool) -> Vec<Observation> {
        let mut seen = Vec::new();
        let reports = async {
            while !seen.last().is_some_and(&wanted) {
                seen.push(self.inbox.recv().await.expect("the edge lives"));
            }
        };
        let came = tokio::time::timeout(PATIENCE, reports).await;
        assert!(
            came.is_ok(),
            "what was waited for never came; the last report is {:?}",
            seen.last()
        );
        seen
    }
}

fn probed(name: &str, status: u16) -> impl Fn(&Observation) -> bool {
    move |observation| match observation {
        Observation::Probed { probe, result } => probe.name == name && result.http_status == Some(status),
        _ => false,
    }
}

fn is_about(observation: &Observation, name: &str) -> bool {
    match observation {
        Observation::Probed { probe, .. } | Observation::ProbeGone(probe) => probe.name == name,
        _ => false,
    }
}

#[tokio::test]
async fn targets_come_change_and_go_while_the_others_go_on() {
    let good = HttpService::always(Reply::with(200, "", "")).await;
    let other = HttpService::always(Reply::with(204, "", "")).await;
    let good_at = |name: &str| target(name, Ask::Http(HttpAsk::get(good.url("/"))));
    let mut edge = Edge::start(vec![good_at("a")]);
    edge.until(probed("a", 200)).await;

    edge.targets
        .send_replace(Arc::new(vec![good_at("a"), good_at("b")]));
    edge.until(probed("b", 200)).await;

    let changed = target("a", Ask::Http(HttpAsk::get(other.url("/"))));
    edge.targets.send_replace(Arc::new(vec![changed, good_at("b")]));
    let seen = edge.until(probed("a", 204)).await;
    assert!(
        !seen
            .iter()
            .any(|report| matches!(report, Observation::ProbeGone(_))),
        "{seen:?}"
    );

    edge.targets.send_replace(Arc::new(vec![good_at("b")]));
    edge.until(|report| matches!(report, Observation::ProbeGone(probe) if probe.name == "a"))
        .await;
    // The other one's later results would come behind any that were left of the first.
    for _ in 0..3 {
        let later = edge.until(probed("b", 200)).await;
        assert!(!later.iter().any(|report| is_about(report, "a")), "{later:?}");
    }
}

#[tokio::test]
async fn a_hanging_service_delays_neither_the_others_nor_the_stop() {
    let hanging = HttpService::always(Reply::Stall(Vec::new())).await;
    let good = HttpService::always(Reply::with(200, "", "")).await;
    let hangs = target("hangs", Ask::Http(HttpAsk::get(hanging.url("/"))));
    let mut edge = Edge::start(vec![
        hangs,
        target("good", Ask::Http(HttpAsk::get(good.url("/")))),
    ]);
    for _ in 0..3 {
        edge.until(probed("good", 200)).await;
    }
    edge.stop.cancel();
    // Nobody reads the full inbox any more: the stop must not wait for it, nor for the hanging service's timeout.
    let ended = tokio::time::timeout(PATIENCE / 2, edge.tasks.join_next()).await;
    assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
}
