//! The notify edge against real receivers on loopback, and a real Alertmanager.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use migwatch::model::alert::{Alert, AlertName, Outbox, Resolution, Severity, Transition};
use migwatch::model::observation::Observation;
use migwatch::model::time::Timestamp;
use migwatch::notify::{Config, Format, Notify, Receiver as To, Wiring};
use tokio::process::Command;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::clock::wall_clock;
use crate::support::receiver::{Answer, Down, PATIENCE, Received, Receiver};

const RESEND: Duration = Duration::from_mins(10);

fn webhook(name: &str, url: String) -> To {
    To::Webhook {
        name: name.to_owned(),
        url: url.into(),
        format: Format::Json,
    }
}

fn alertmanager(url: &str) -> To {
    To::Alertmanager {
        name: "am".to_owned(),
        url: url.parse().unwrap(),
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
    tasks: JoinSet<()>,
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

    fn with(config: Config, receivers: Vec<To>, outbox: Outbox) -> Self {
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
        tasks.spawn(Notify::new(config, receivers, &wiring).run(stop.clone()));
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
        match self.report().await {
            Observation::Delivered { receiver, up_to, .. } => (receiver, up_to),
            other => panic!("{other:?}"),
        }
    }

    /// The reason of the next report, which must be a failure.
    async fn failed(&mut self) -> String {
        match self.report().await {
            Observation::DeliveryFailed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    async fn stopped(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.tasks.join_next()).await;
        assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
    }
}

/// An outbox that owes these alerts, numbered from 1.
fn owing(alerts: Vec<Alert>) -> Outbox {
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

#[tokio::test]
async fn nothing_is_lost_while_a_receiver_is_down_and_the_order_is_kept() {
    let down = Down::reserve();
    let mut edge = Edge::start(
        vec![webhook("ops", down.url("/hook"))],
        owing(vec![alert("a"), alert("b")]),
    );
    assert_eq!(edge.failed().await, "Connection refused (os error 111)");
    let third = Transition {
        number: 3,
        alert: resolved(&alert("a")),
    };
    edge.publish(|outbox| outbox.transitions.push(third));
    let receiver = down.up();
    for number in 1..=3 {
        assert_eq!(edge.delivered().await, ("ops".to_owned(), number));
    }
    let received = receiver.received();
    assert_eq!(summaries(&received), ["a moved", "b moved", "a moved"]);
    assert_eq!(received[2].body["phase"], "resolved");
    assert_eq!(*edge.handed.lock().unwrap(), ["a moved", "b moved"]);
    edge.stopped().await;
}

#[tokio::test]
async fn an_unrelated_change_during_a_slow_delivery_sends_nothing_twice() {
    let receiver = Receiver::start();
    receiver.answer(Answer::Hold);
    let mut edge = Edge::start(
        vec![webhook("ops", receiver.url("/hook"))],
        owing(vec![alert("a")]),
    );
    receiver.count(1).await;
    // Published while the delivery is under way, and once more before its report is taken in: the outbox still owes it.
    edge.publish(|outbox| outbox.firing.clear());
    receiver.answer(Answer::status(200));
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 1));
    edge.publish(|outbox| outbox.firing.clear());
    edge.publish(|outbox| {
        outbox.transitions.push(Transition {
            number: 2,
            alert: alert("b"),
        })
    });
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 2));
    assert_eq!(summaries(&receiver.received()), ["a moved", "b moved"]);
    // Once the outbox knows, what follows is owed as ever.
    edge.publish(|outbox| {
        outbox.delivered.insert("ops".to_owned(), 2);
        outbox.transitions = vec![Transition {
            number: 3,
            alert: alert("c"),
        }];
    });
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 3));
    assert_eq!(summaries(&receiver.received()), ["a moved", "b moved", "c moved"]);
}

#[tokio::test]
async fn what_was_delivered_before_the_start_is_not_sent_again() {
    let receiver = Receiver::start();
    let mut outbox = owing(vec![alert("a"), alert("b")]);
    outbox.delivered.insert("ops".to_owned(), 1);
    let mut edge = Edge::start(vec![webhook("ops", receiver.url("/hook"))], outbox);
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 2));
    assert_eq!(summaries(&receiver.received()), ["b moved"]);
}

#[tokio::test]
async fn a_crash_between_answer_and_report_repeats_the_message_with_the_same_key() {
    let receiver = Receiver::start();
    let outbox = owing(vec![alert("a")]);
    let to = || vec![webhook("ops", receiver.url("/hook"))];
    let mut first = Edge::start(to(), outbox.clone());
    first.delivered().await;
    drop(first);
    let mut second = Edge::start(to(), outbox);
    second.delivered().await;
    let received = receiver.received();
    let keys: Vec<&str> = received.iter().map(Received::key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].ends_with("-firing-1"), "{keys:?}");
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].body["key"], keys[0]);
}

#[tokio::test]
async fn a_failure_is_reported_once_for_each_change_of_its_reason() {
    let receiver = Receiver::start();
    receiver.answer(Answer::With(500, vec![], "the page repeats /hook/s3cret"));
    let mut edge = Edge::start(
        vec![webhook("ops", receiver.url("/hook/s3cret"))],
        owing(vec![alert("a")]),
    );
    assert_eq!(edge.failed().await, "it answered 500");
    receiver.count(3).await;
    receiver.answer(Answer::status(503));
    assert_eq!(edge.failed().await, "it answered 503");
    receiver.answer(Answer::status(202));
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 1));
}

#[tokio::test]
async fn a_refusal_quotes_a_receivers_own_word_and_a_redirect_is_not_followed() {
    for (answer, reason) in [
        (
            Answer::With(400, vec![], "invalid_payload"),
            "it answered 400: invalid_payload",
        ),
        (
            Answer::With(404, vec![], "Cannot POST /hook/s3cret"),
            "it answered 404",
        ),
        (
            Answer::With(302, vec![("location", "/elsewhere".to_owned())], ""),
            "it answered 302: it redirects; name the place where messages are taken",
        ),
    ] {
        let receiver = Receiver::start();
        receiver.answer(answer);
        let mut edge = Edge::start(
            vec![webhook("ops", receiver.url("/hook/s3cret"))],
            owing(vec![alert("a")]),
        );
        assert_eq!(edge.failed().await, reason);
        // The stop brings one more try, without waiting for the slow pause to end.
        edge.stop.cancel();
        let paths: Vec<_> = receiver
            .count(2)
            .await
            .into_iter()
            .map(|request| request.path)
            .collect();
        assert_eq!(paths, ["/hook/s3cret", "/hook/s3cret"]);
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_cut_off_and_another_is_not_delayed() {
    let slow = Receiver::start();
    slow.answer(Answer::Hold);
    let quick = Receiver::start();
    let receivers = vec![webhook("slow", slow.url("/")), webhook("quick", quick.url("/"))];
    let config = Config {
        resend: RESEND,
        timeout: Duration::from_millis(500),
    };
    let mut edge = Edge::with(config, receivers, owing(vec![alert("a"), alert("b")]));
    assert_eq!(edge.delivered().await, ("quick".to_owned(), 1));
    assert_eq!(edge.delivered().await, ("quick".to_owned(), 2));
    assert_eq!(edge.failed().await, "it did not answer within 500ms");
    slow.answer(Answer::status(200));
    assert_eq!(edge.delivered().await, ("slow".to_owned(), 1));
    assert_eq!(edge.delivered().await, ("slow".to_owned(), 2));
    // Each alert was handed over once: by whoever was first.
    assert_eq!(*edge.handed.lock().unwrap(), ["a moved", "b moved"]);
}

#[tokio::test]
async fn the_stop_lets_a_delivery_under_way_end_and_tries_what_is_owed() {
    let receiver = Receiver::start();
    receiver.answer(Answer::Hold);
    let edge = Edge::start(
        vec![webhook("ops", receiver.url("/"))],
        owing(vec![alert("a"), alert("b")]),
    );
    receiver.count(1).await;
    edge.stop.cancel();
    receiver.answer(Answer::status(200));
    edge.stopped().await;
    assert_eq!(summaries(&receiver.received()), ["a moved", "b moved"]);
}

#[tokio::test]
async fn the_stop_does_not_wait_for_a_receiver_that_hangs() {
    let receiver = Receiver::start();
    receiver.answer(Answer::Hold);
    let edge = Edge::start(vec![webhook("ops", receiver.url("/"))], owing(vec![alert("a")]));
    receiver.count(1).await;
    edge.stopped().await;
}

/// What the nth request told an Alertmanager: (migration, whether it still fires).
fn told(request: &Received) -> Vec<(String, bool)> {
    let alerts = request.body.as_array().unwrap();
    let mut told: Vec<_> = alerts
        .iter()
        .map(|alert| {
            let ends_at: Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
            let migration = alert["labels"]["migration"].as_str().unwrap().to_owned();
            (migration, ends_at > request.at)
        })
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn an_alertmanager_gets_the_whole_level_at_each_change_and_its_end() {
    let receiver = Receiver::start();
    let mut edge = Edge::start(
        vec![alertmanager(&receiver.url("/am/"))],
        owing(vec![alert("a"), alert("b")]),
    );
    assert_eq!(edge.delivered().await, ("am".to_owned(), 2));
    let over = resolved(&alert("a"));
    edge.publish(|outbox| {
        outbox.firing.remove(0);
        outbox.delivered.insert("am".to_owned(), 2);
        outbox.transitions = vec![Transition {
            number: 3,
            alert: over,
        }];
    });
    assert_eq!(edge.delivered().await, ("am".to_owned(), 3));
    let received = receiver.received();
    assert!(received.iter().all(|request| request.path == "/am/api/v2/alerts"));
    let fires = |migration: &str, still: bool| (migration.to_owned(), still);
    let told: Vec<_> = received.iter().map(told).collect();
    assert_eq!(
        told,
        [
            [fires("a", true), fires("b", true)],
            [fires("a", false), fires("b", true)]
        ]
    );
    assert_eq!(received[0].body[0]["labels"]["alertname"], "UnexpectedMigration");
    assert_eq!(received[0].body[0]["annotations"]["ack"], "migwatch ack a");
}

#[tokio::test]
async fn what_fires_is_sent_to_an_alertmanager_again_without_a_report_and_an_unrelated_change_is_not() {
    let receiver = Receiver::start();
    let config = Config {
        resend: Duration::from_millis(50),
        timeout: PATIENCE,
    };
    let mut edge = Edge::with(
        config,
        vec![alertmanager(&receiver.url("/"))],
        owing(vec![alert("a")]),
    );
    assert_eq!(edge.delivered().await, ("am".to_owned(), 1));
    receiver.count(4).await;
    // A failed re-send is tried again and said like any other failure.
    receiver.answer(Answer::With(400, vec![], r#"{"message":"bad label"}"#));
    assert_eq!(edge.failed().await, r#"it answered 400: {"message":"bad label"}"#);

    let receiver = Receiver::start();
    let mut edge = Edge::start(vec![alertmanager(&receiver.url("/"))], owing(vec![alert("a")]));
    assert_eq!(edge.delivered().await, ("am".to_owned(), 1));
    edge.publish(|outbox| drop(outbox.delivered.insert("someone-else".to_owned(), 1)));
    edge.publish(|outbox| {
        outbox.transitions.push(Transition {
            number: 2,
            alert: alert("b"),
        })
    });
    assert_eq!(edge.delivered().await, ("am".to_owned(), 2));
    assert_eq!(receiver.received().len(), 2);
}

/// An Alertmanager in a container, removed when the test ends.
struct RealAlertmanager {
    container: String,
    url: String,
}

const IMAGE: &str = "migwatch-demo-alertmanager";

async fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

impl RealAlertmanager {
    async fn start() -> Self {
        let has_image = docker(&["image", "inspect", IMAGE]).await.is_ok();
        assert!(
            has_image,
            "the image {IMAGE} is missing: run \"make images\" first"
        );
        let config = "route: {receiver: none}\nreceivers: [{name: none}]\n";
        let script = format!(
            "printf '{config}' > /tmp/am.yml && exec /usr/bin/prometheus-alertmanager --config.file=/tmp/am.yml \
             --storage.path=/tmp/am --cluster.listen-address="
        );
        let run = [
            "run",
            "--detach",
            "--publish",
            "127.0.0.1:0:9093",
            "--entrypoint",
            "sh",
            IMAGE,
            "-c",
            &script,
        ];
        let container = docker(&run).await.unwrap();
        let mut started = Self {
            container,
            url: String::new(),
        };
        let port = docker(&["port", &started.container, "9093/tcp"]).await.unwrap();
        started.url = format!("http://{port}");
        started
    }

    /// The `status.state` of each alert there, by its label `migration`; `None` while it does not answer.
    async fn alerts(&self) -> Option<BTreeMap<String, String>> {
        let response = client()
            .get(format!("{}/api/v2/alerts", self.url))
            .send()
            .await
            .ok()?;
        let alerts: serde_json::Value = response.json().await.ok()?;
        let alert = |alert: &serde_json::Value| {
            let word = |pointer: &str| Some(alert.pointer(pointer)?.as_str()?.to_owned());
            Some((word("/labels/migration")?, word("/status/state")?))
        };
        Some(alerts.as_array()?.iter().filter_map(alert).collect())
    }

    async fn until(&self, what: &str, condition: impl Fn(&BTreeMap<String, String>) -> bool) {
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        let waited = tokio::time::timeout(PATIENCE, async {
            while !self.alerts().await.is_some_and(|alerts| condition(&alerts)) {
                pace.tick().await;
            }
        });
        assert!(
            waited.await.is_ok(),
            "{what} never held; the Alertmanager has {:?}",
            self.alerts().await
        );
    }
}

impl Drop for RealAlertmanager {
    fn drop(&mut self) {
        let remove = std::process::Command::new("docker")
            .args(["rm", "--force", "--volumes", &self.container])
            .output();
        assert!(
            remove.is_ok_and(|output| output.status.success()),
            "container {} stays",
            self.container
        );
    }
}

#[tokio::test]
async fn a_real_alertmanager_shows_an_alert_while_it_fires_and_no_longer_once_it_is_resolved() {
    let real = RealAlertmanager::start().await;
    // It may not be listening yet: the edge tries until it does.
    let mut edge = Edge::start(vec![alertmanager(&real.url)], owing(vec![alert("a"), alert("b")]));
    real.until("a and b fire", |alerts| {
        ["a", "b"]
            .iter()
            .all(|name| alerts.get(*name).is_some_and(|state| state == "active"))
    })
    .await;
    while !matches!(edge.report().await, Observation::Delivered { up_to: 2, .. }) {}
    let over = resolved(&alert("a"));
    edge.publish(|outbox| {
        outbox.firing.remove(0);
        outbox.transitions = vec![Transition {
            number: 3,
            alert: over,
        }];
    });
    assert_eq!(edge.delivered().await, ("am".to_owned(), 3));
    real.until("a is over and b fires", |alerts| {
        !alerts.contains_key("a") && alerts.contains_key("b")
    })
    .await;
    edge.stopped().await;
}
