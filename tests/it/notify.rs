//! The notify edge against real receivers on loopback, and a real Alertmanager.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod alertmanager;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use migwatch::model::alert::{Alert, AlertName, Outbox, Resolution, Severity, Transition};
use migwatch::model::observation::Observation;
use migwatch::model::time::Timestamp;
use migwatch::notify::{Config, Done, Format, Notify, Receiver as To, Wiring};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::clock::wall_clock;
use crate::support::receiver::{PATIENCE, Received};

const RESEND: Duration = Duration::from_mins(10);

fn webhook(name: &str, url: String) -> To {
    To::Webhook {
        name: name.to_owned(),
        url: url.into(),
        format: Format::Json,
    }
}

fn alert(migration: &str) -> Alert {
    let now = wall_clock().now();
    Alert {
        name: AlertName::UnexpectedMigration,
        severity: Severity::Critical,
        labels: BTreeMap::from([("migration".to_owned(), migration.to_owned())]),
        summary: format!("{migration} moved"),
        description: "log: Running upgrade  -> 18c1".to_owned(),
        starts_at: now.before(Duration::from_secs(5)),
        observed_at: now,
        resolved: None,
    }
}

fn resolved(alert: &Alert) -> Alert {
    let resolution = Resolution {
        at: wall_clock().now(),
        reason: "acknowledged by kim".to_owned(),
    };
    Alert {
        resolved: Some(resolution),
        ..alert.clone()
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    builder.tls_certs_only([]).build().unwrap()
}

/// The edge under way, with the test in the monitor's place.
struct Edge {
    outbox: watch::Sender<Arc<Outbox>>,
    inbox: mpsc::Receiver<Observation>,
    handed: Arc<Mutex<Vec<String>>>,
    stop: CancellationToken,
    tasks: JoinSet<Done>,
}

impl Edge {
    fn start(receivers: Vec<To>, outbox: Outbox) -> Self {
        Self::with(
            Config {
                resend: RESEND,
                timeout: PATIENCE,
            },
            receivers,
            outbox,
        )
    }

    /// The monitor knows the receivers: what is not delivered is owed.
    fn with(config: Config, receivers: Vec<To>, mut outbox: Outbox) -> Self {
        for receiver in &receivers {
            outbox.delivered.entry(receiver.name().to_owned()).or_default();
        }
        Self::after(Done::default(), config, receivers, outbox)
    }

    /// The one before left this as done; the outbox is as it is.
    fn after(done: Done, config: Config, receivers: Vec<To>, outbox: Outbox) -> Self {
        let (outbox, published) = watch::channel(Arc::new(outbox));
        let (reports, inbox) = mpsc::channel(64);
        let handed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&handed);
        let handed_over = move |alert: &Alert, _: Timestamp| seen.lock().unwrap().push(alert.summary.clone());
        let wiring = Wiring {
            outbox: published,
            client: client(),
            inbox: reports,
            clock: wall_clock(),
            handed: Arc::new(handed_over),
        };
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(Notify::new(config, receivers, &wiring, done).run(stop.clone()));
        Self {
            outbox,
            inbox,
            handed,
            stop,
            tasks,
        }
    }

    fn publish(&self, change: impl FnOnce(&mut Outbox)) {
        self.outbox.send_modify(|outbox| change(Arc::make_mut(outbox)));
    }

    async fn report(&mut self) -> Observation {
        tokio::time::timeout(PATIENCE, self.inbox.recv())
            .await
            .expect("a report")
            .expect("the edge lives")
    }

    /// The receiver and number of the next delivery, which must be the next report.
    async fn delivered(&mut self) -> (String, u64) {
        let report = self.report().await;
        let Observation::Delivered { receiver, up_to, .. } = report else {
            unreachable!("a delivery should come, not {report:?}")
        };
        (receiver, up_to)
    }

    /// The reason of the next report, which must be a failure.
    async fn failed(&mut self) -> String {
        let report = self.report().await;
        let Observation::DeliveryFailed { reason, .. } = report else {
            unreachable!("a failure should come, not {report:?}")
        };
        reason
    }

    /// The alerts that were handed over for the first time, in order.
    fn handed(&self) -> Vec<String> {
        self.handed.lock().unwrap().clone()
    }

    async fn stopped(mut self) -> Done {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.tasks.join_next()).await;
        ended
            .expect("it ends in time")
            .expect("it ran")
            .expect("it ended well")
    }
}

/// An outbox that owes these alerts, numbered from 1.
fn owing(alerts: Vec<Alert>) -> Outbox {
    let alerts: Vec<_> = alerts.into_iter().map(Arc::new).collect();
    let numbered = (1..).zip(alerts.clone());
    Outbox {
        firing: alerts
            .into_iter()
            .filter(|alert| alert.resolved.is_none())
            .collect(),
        transitions: numbered
            .map(|(number, alert)| Transition { number, alert })
            .collect(),
        delivered: BTreeMap::new(),
    }
}

fn summaries(received: &[Received]) -> Vec<&str> {
    received
        .iter()
        .filter_map(|message| message.body.pointer("/alert/annotations/summary")?.as_str())
        .collect()
}
