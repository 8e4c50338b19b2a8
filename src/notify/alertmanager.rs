//! How an Alertmanager wants it: the present level, again and again (its API v2, `POST /api/v2/alerts`).
//!
//! Promises that what fires here fires there, and that what ended here ends there. Refuses to know why.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::message::Annotations;
use super::post::{Failure, Post, Quote};
use crate::model::alert::{Alert, Transition};
use crate::model::time::Timestamp;

/// A firing alert is valid for so many re-send intervals: three re-sends may get lost before it would end over there, and if
/// migwatch dies it does end. Without an end of our own Alertmanager would apply its `resolve_timeout`, which may be shorter than
/// our interval. Prometheus does the same with its alerts.
const VALID_FOR: u32 = 4;

/// Alertmanager's identity of an alert: all of its labels, severity included.
type Labels = BTreeMap<String, String>;

/// One alert as Alertmanager takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Postable<'a> {
    labels: Labels,
    annotations: Annotations<'a>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// What an Alertmanager was told last.
#[derive(Default)]
pub(super) struct Told {
    firing: Vec<Arc<Alert>>,
}

impl Told {
    /// Whether the level `firing` is news.
    pub(super) fn differs(&self, firing: &[Arc<Alert>]) -> bool {
        let is_same = |(told, fires): (&Arc<Alert>, &Arc<Alert>)| Arc::ptr_eq(told, fires);
        self.firing.len() != firing.len() || !self.firing.iter().zip(firing).all(is_same)
    }

    /// Sends the level, the end of each of `owed` that is over, and the end of what was told before and is in neither: an alert
    /// whose severity changed is another one over there.
    pub(super) async fn deliver(
        &mut self,
        post: &Post,
        url: &Url,
        level: Level<'_>,
        resend: Duration,
    ) -> Result<(), Failure> {
        let endpoint = endpoint(url);
        let alerts = postable(level, &self.firing, resend);
        post.send(post.client.post(endpoint).json(&alerts), Quote::Text)
            .await?;
        self.firing = level.firing.to_vec();
        Ok(())
    }
}

/// What is to be told.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    /// Every alert that fires.
    pub(super) firing: &'a [Arc<Alert>],
    /// The transitions that this Alertmanager has not taken yet.
    pub(super) owed: &'a [&'a Transition],
    /// The wall clock.
    pub(super) now: Timestamp,
}

fn postable<'a>(level: Level<'a>, before: &'a [Arc<Alert>], resend: Duration) -> Vec<Postable<'a>> {
    let valid_until = level.now.after(resend.saturating_mul(VALID_FOR));
    let mut by_labels: BTreeMap<Labels, Postable<'a>> = BTreeMap::new();
    // Later ones win: what vanished, then what ended, then what fires.
    let vanished = before.iter().map(|alert| (alert, level.now));
    let ended = level.owed.iter().filter_map(|transition| {
        let resolution = transition.alert.resolved.as_ref()?;
        Some((&transition.alert, resolution.at))
    });
    let firing = level.firing.iter().map(|alert| (alert, valid_until));
    for (alert, ends_at) in vanished.chain(ended).chain(firing) {
        let labels = labels(alert);
        // Alertmanager refuses an alert that ends before it starts; clocks can step back.
        let ends_at = ends_at.max(alert.starts_at);
        let annotations = Annotations::of(alert);
        by_labels.insert(
            labels.clone(),
            Postable {
                labels,
                annotations,
                starts_at: alert.starts_at,
                ends_at,
            },
        );
    }
    by_labels.into_values().collect()
}

fn labels(alert: &Alert) -> Labels {
    let mut labels = alert.labels.clone();
    labels.insert("alertname".to_owned(), alert.name.as_str().to_owned());
    labels.insert("severity".to_owned(), alert.severity.as_str().to_owned());
    labels
}

/// `url` with the API's path under its route prefix.
fn endpoint(url: &Url) -> Url {
    let mut endpoint = url.clone();
    let prefix = url.path().trim_end_matches('/').to_owned();
    endpoint.set_path(&format!("{prefix}/api/v2/alerts"));
    endpoint
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Level, endpoint, postable};
    use crate::model::alert::{Alert, Severity, Transition};
    use crate::model::time::Timestamp;
    use crate::notify::message::tests::{alert, resolved};

    const NOW: Timestamp = Timestamp::from_seconds(2_000);

    /// (`migration`, severity, when it ends) of what is posted.
    fn posted(firing: &[Alert], owed: &[Alert], before: &[Alert]) -> Vec<(String, String, i64)> {
        let shared = |alerts: &[Alert]| -> Vec<_> { alerts.iter().cloned().map(Arc::new).collect() };
        let (firing, before) = (shared(firing), shared(before));
        let owed: Vec<_> = owed
            .iter()
            .map(|alert| Transition {
                number: 1,
                alert: Arc::new(alert.clone()),
            })
            .collect();
        let owed: Vec<_> = owed.iter().collect();
        let level = Level {
            firing: &firing,
            owed: &owed,
            now: NOW,
        };
        postable(level, &before, Duration::from_mins(1))
            .into_iter()
            .map(|alert| {
                let ends = alert.ends_at.as_nanos() / 1_000_000_000;
                (
                    alert.labels["migration"].clone(),
                    alert.labels["severity"].clone(),
                    ends,
                )
            })
            .collect()
    }

    fn row(migration: &str, severity: &str, ends: i64) -> (String, String, i64) {
        (migration.to_owned(), severity.to_owned(), ends)
    }

    #[test]
    fn the_whole_level_goes_out_with_the_end_of_what_is_over() {
        assert_eq!(
            posted(
                &[alert("a"), alert("b")],
                &[alert("b"), resolved(&alert("c"))],
                &[alert("a")]
            ),
            [
                row("a", "critical", 2_240),
                row("b", "critical", 2_240),
                row("c", "critical", 1_090)
            ]
        );
    }

    #[test]
    fn what_fires_again_is_not_ended_by_its_own_earlier_end() {
        let owed = [resolved(&alert("a")), alert("a")];
        assert_eq!(posted(&[alert("a")], &owed, &[]), [row("a", "critical", 2_240)]);
    }

    #[test]
    fn a_changed_severity_ends_the_alert_that_it_was_before() {
        let warning = Alert {
            severity: Severity::Warning,
            ..alert("a")
        };
        assert_eq!(
            posted(&[alert("a")], &[alert("a")], &[warning]),
            [row("a", "critical", 2_240), row("a", "warning", 2_000)]
        );
    }

    #[test]
    fn no_alert_ends_before_it_starts_though_the_clock_stepped_back() {
        let future = Alert {
            starts_at: Timestamp::from_seconds(9_000),
            ..alert("a")
        };
        assert_eq!(posted(&[future], &[], &[]), [row("a", "critical", 9_000)]);
    }

    #[test]
    fn the_api_lies_under_the_route_prefix() {
        for (url, expected) in [
            ("http://am:9093", "http://am:9093/api/v2/alerts"),
            ("http://am:9093/", "http://am:9093/api/v2/alerts"),
            ("https://host/alerts/", "https://host/alerts/api/v2/alerts"),
        ] {
            assert_eq!(endpoint(&url.parse().unwrap()).as_str(), expected);
        }
    }
}
