//! The edge that asks services whether they answer: one task a target, each with its own pace.
//!
//! Promises one [`Observation::Probed`] for each probe, and one [`Observation::ProbeGone`], after the last of them, for a target
//! that is taken away. Refuses to know streaks, thresholds and what a failure means for a service: the judge concludes.

pub mod found;
pub mod target;

mod body;
mod http;
mod request;
mod tcp;
mod tls;
mod trace;

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::model::fnv::Fnv;
use crate::model::observation::Observation;
use crate::model::probe::{ProbeId, ProbeResult};
use crate::model::time::Clock;

pub use target::{Ask, HttpAsk, JsonExpectation, Target};
use trace::Trace;

/// All probes: what is to be asked, and whom to tell.
pub struct Probes {
    targets: watch::Receiver<Arc<Vec<Target>>>,
    asker: Asker,
    running: HashMap<ProbeId, Running>,
}

/// What each child task needs besides its target.
#[derive(Clone)]
struct Asker {
    tls: Arc<rustls::ClientConfig>,
    inbox: mpsc::Sender<Observation>,
    clock: Arc<dyn Clock>,
}

/// A child task, seen from its parent.
struct Running {
    target: Target,
    stop: CancellationToken,
}

impl Probes {
    /// Probes of whatever `targets` holds; nothing is asked before [`run`](Self::run).
    pub fn new(
        targets: watch::Receiver<Arc<Vec<Target>>>,
        tls: Arc<rustls::ClientConfig>,
        inbox: mpsc::Sender<Observation>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            targets,
            asker: Asker { tls, inbox, clock },
            running: HashMap::new(),
        }
    }

    /// Probes until `stop`. A target that changes begins anew; one that goes is reported gone.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut children = JoinSet::new();
        self.follow_targets(&mut children, &stop);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = changed(&mut self.targets) => self.follow_targets(&mut children, &stop),
                Some(ended) = children.join_next() => self.on_ended(ended).await,
            }
        }
        while let Some(ended) = children.join_next().await {
            probe_of(ended);
        }
    }

    /// Brings the child tasks in line with the present targets.
    fn follow_targets(&mut self, children: &mut JoinSet<ProbeId>, stop: &CancellationToken) {
        let targets = Arc::clone(&self.targets.borrow_and_update());
        self.running.retain(|_, running| {
            let stays = targets.contains(&running.target);
            if !stays {
                running.stop.cancel();
            }
            stays
        });
        for target in targets.iter() {
            if self.running.contains_key(&target.id) {
                continue;
            }
            let running = Running {
                target: target.clone(),
                stop: stop.child_token(),
            };
            children.spawn(keep_asking(
                target.clone(),
                self.asker.clone(),
                running.stop.clone(),
            ));
            self.running.insert(target.id.clone(), running);
        }
    }

    /// A child ended. If nothing took its place its probe is gone: said here, so that it comes after the child's last result.
    async fn on_ended(&self, ended: Result<ProbeId, JoinError>) {
        let probe = probe_of(ended);
        if !self.running.contains_key(&probe) {
            // A closed inbox means that the daemon is stopping: nobody is left to tell.
            let _ = self.asker.inbox.send(Observation::ProbeGone(probe)).await;
        }
    }
}

/// Resolves when the targets changed; never if nobody can change them any more.
async fn changed(targets: &mut watch::Receiver<Arc<Vec<Target>>>) {
    if targets.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// The probe of an ended child. A child's panic goes on in its parent: the supervisor names the task.
fn probe_of(ended: Result<ProbeId, JoinError>) -> ProbeId {
    match ended {
        Ok(probe) => probe,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Asks one target at its interval until `stop`.
async fn keep_asking(target: Target, asker: Asker, stop: CancellationToken) -> ProbeId {
    let mut turns = interval_at(Instant::now() + first_wait(&target), target.interval);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        loop {
            turns.tick().await;
            let result = probe_once(&target, &asker.tls, asker.clock.as_ref()).await;
            let report = Observation::Probed {
                probe: target.id.clone(),
                result,
            };
            if asker.inbox.send(report).await.is_err() {
                return;
            }
        }
    };
    // The inbox closes only when the daemon ends, so that a child that ends by itself is no loss.
    let _ = stop.run_until_cancelled(asking).await;
    target.id
}

/// How long a target's first probe waits: anywhere within its interval, the same at each start, so that many targets do
/// not knock together.
fn first_wait(target: &Target) -> Duration {
    let text = format!(
        "{}/{}/{}",
        target.id.service,
        target.id.name,
        target.id.via.as_str()
    );
    let hash = Fnv::of_bytes(text.as_bytes());
    // The upper half: FNV's low bits tell similar names apart badly.
    let share = u32::try_from((hash >> 32) % 1024).unwrap_or(0);
    target.interval.saturating_mul(share) / 1024
}

/// Asks `target` once, within its timeout. Also what `migwatch check` does.
pub async fn probe_once(target: &Target, tls: &Arc<rustls::ClientConfig>, clock: &dyn Clock) -> ProbeResult {
    let mut trace = Trace::default();
    let asked = tokio::time::timeout(target.timeout, async {
        match &target.ask {
            Ask::Http(ask) => http::ask(ask, target.timeout, tls, &mut trace).await,
            Ask::Tcp { host, port } => tcp::connect(host, *port, target.timeout, &mut trace)
                .await
                .map(drop),
        }
    })
    .await;
    let failure = match asked {
        Ok(answer) => answer.err(),
        Err(_) => Some(trace.timed_out(&target.ask.shown(), target.timeout)),
    };
    trace.into_result(clock.now(), failure)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ask, Target, first_wait};
    use crate::model::probe::{ProbeId, Via};
    use crate::model::service::ServiceId;

    fn target(name: &str) -> Target {
        Target {
            id: ProbeId {
                service: ServiceId::new("coe", "backend"),
                name: name.to_owned(),
                via: Via::Direct,
            },
            ask: Ask::Tcp {
                host: "db".to_owned(),
                port: 3306,
            },
            interval: Duration::from_secs(16),
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn first_probes_are_spread_over_the_interval_and_the_same_at_each_start() {
        let waits: Vec<_> = (0..64)
            .map(|n| first_wait(&target(&format!("probe-{n}"))))
            .collect();
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(16)));
        for quarter in 0..4 {
            let from = Duration::from_secs(4 * quarter);
            assert!(
                waits
                    .iter()
                    .any(|wait| (from..from + Duration::from_secs(4)).contains(wait)),
                "{waits:?}"
            );
        }
        assert_eq!(first_wait(&target("probe-1")), waits[1]);
    }
}
