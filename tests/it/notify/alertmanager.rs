//! Alertmanagers: the level at each change and again and again; last against a real one.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use migwatch::model::alert::Transition;
use migwatch::model::observation::Observation;
use migwatch::model::time::Timestamp;
use migwatch::notify::{Config, Receiver as To};
use tokio::process::Command;

use super::{Edge, alert, client, owing, resolved};
use crate::support::receiver::{Answer, PATIENCE, Received, Receiver};

fn alertmanager(url: &str) -> To {
    To::Alertmanager {
        name: "am".to_owned(),
        url: url.parse().unwrap(),
    }
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
            alert: Arc::new(over),
        }];
    });
    assert_eq!(edge.delivered().await, ("am".to_owned(), 3));
    let messages = receiver.received();
    assert!(messages.iter().all(|request| request.path == "/am/api/v2/alerts"));
    let fires = |migration: &str, still: bool| (migration.to_owned(), still);
    let told: Vec<_> = messages.iter().map(told).collect();
    assert_eq!(
        told,
        [
            [fires("a", true), fires("b", true)],
            [fires("a", false), fires("b", true)]
        ]
    );
    assert_eq!(messages[0].body[0]["labels"]["alertname"], "UnexpectedMigration");
    assert_eq!(messages[0].body[0]["annotations"]["ack"], "migwatch ack a");
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
    receiver.answer(Answer::With(503, vec![], r#"{"message":"no disk"}"#));
    assert_eq!(edge.failed().await, r#"it answered 503: {"message":"no disk"}"#);
    // That it is over is told too, though nothing new was owed.
    receiver.answer(Answer::status(200));
    assert_eq!(edge.delivered().await, ("am".to_owned(), 1));

    let receiver = Receiver::start();
    let mut edge = Edge::start(vec![alertmanager(&receiver.url("/"))], owing(vec![alert("a")]));
    assert_eq!(edge.delivered().await, ("am".to_owned(), 1));
    edge.publish(|outbox| outbox.delivered.extend([("someone-else".to_owned(), 1)]));
    edge.publish(|outbox| {
        outbox.transitions.push(Transition {
            number: 2,
            alert: Arc::new(alert("b")),
        });
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
            alert: Arc::new(over),
        }];
    });
    assert_eq!(edge.delivered().await, ("am".to_owned(), 3));
    real.until("a is over and b fires", |alerts| {
        !alerts.contains_key("a") && alerts.contains_key("b")
    })
    .await;
    edge.stopped().await;
}
