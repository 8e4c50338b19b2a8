//! What is said about an alert. Pure.
//!
//! Promises the same bytes for the same transition. Refuses to know how they are sent.

use serde::Serialize;

use super::Format;
use crate::model::alert::{Alert, Transition};
use crate::model::redact::shorten;
use crate::model::time::Timestamp;

/// The version of the JSON message; a change that a reader must know of raises it.
const VERSION: u32 = 1;

/// The most of an alert's evidence that a chat message carries, in characters; the page has all of it.
const EVIDENCE: usize = 1500;

/// The annotations of an alert, the same for every receiver.
#[derive(Serialize)]
pub(super) struct Annotations<'a> {
    summary: &'a str,
    description: &'a str,
    runbook_url: String,
    /// The command that closes it.
    ack: String,
}

impl<'a> Annotations<'a> {
    pub(super) fn of(alert: &'a Alert) -> Self {
        Self {
            summary: &alert.summary,
            description: &alert.description,
            runbook_url: alert.runbook(),
            ack: alert.ack_command(),
        }
    }
}

/// The body for one transition.
pub(super) fn body(transition: &Transition, format: Format) -> serde_json::Value {
    match format {
        Format::Json => json(transition),
        Format::Slack => serde_json::json!({ "text": text(&transition.alert) }),
    }
}

fn json(transition: &Transition) -> serde_json::Value {
    let alert = &transition.alert;
    serde_json::json!({
        "version": VERSION,
        "key": transition.key(),
        "phase": transition.phase(),
        "alert": {
            "name": alert.name.as_str(),
            "severity": alert.severity.as_str(),
            "labels": alert.labels,
            "annotations": Annotations::of(alert),
            "starts_at": alert.starts_at,
            "ends_at": alert.resolved.as_ref().map(|resolution| resolution.at),
        },
    })
}

/// A chat message in Slack's `mrkdwn`.
fn text(alert: &Alert) -> String {
    let head = format!("*{}* {}", alert.name.as_str(), escape(&alert.summary));
    let evidence = escape(&shorten(&alert.description, EVIDENCE));
    match &alert.resolved {
        Some(resolution) => {
            let lasted = lasted(alert.starts_at, resolution.at);
            format!(
                ":white_check_mark: resolved: {head}\n{} (after {lasted})",
                escape(&resolution.reason)
            )
        }
        None => format!(
            ":rotating_light: {}: {head}\n{evidence}\nTo close it: `{}` · {}",
            alert.severity.as_str(),
            escape(&alert.ack_command()),
            alert.runbook()
        ),
    }
}

fn lasted(from: Timestamp, to: Timestamp) -> humantime::FormattedDuration {
    humantime::format_duration(std::time::Duration::from_secs(to.since(from).as_secs()))
}

/// The three characters that Slack wants escaped, and only those (its "Formatting text for app surfaces").
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::{Format, body};
    use crate::model::alert::{Alert, AlertName, Resolution, Severity, Transition};
    use crate::model::time::Timestamp;

    pub(in crate::notify) fn alert(migration: &str) -> Alert {
        Alert {
            name: AlertName::UnexpectedMigration,
            severity: Severity::Critical,
            labels: [
                ("project", "coe"),
                ("service", "backend"),
                ("migration", migration),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
            summary: "coe/backend migrated <base> -> 18c1 & nobody planned it".to_owned(),
            description: "log: Running upgrade  -> 18c1".to_owned(),
            starts_at: Timestamp::from_seconds(1_000),
            observed_at: Timestamp::from_seconds(1_000),
            resolved: None,
        }
    }

    pub(in crate::notify) fn resolved(alert: &Alert) -> Alert {
        let resolution = Resolution {
            at: Timestamp::from_seconds(1_090),
            reason: "acknowledged by kim".to_owned(),
        };
        Alert {
            resolved: Some(resolution),
            ..alert.clone()
        }
    }

    fn text(alert: Alert) -> String {
        let alert = Arc::new(alert);
        let body = body(&Transition { number: 1, alert }, Format::Slack);
        body["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_chat_message_is_short_escaped_and_says_how_to_close_it() {
        assert_eq!(
            text(alert("m1")),
            ":rotating_light: critical: *UnexpectedMigration* coe/backend migrated &lt;base&gt; -&gt; 18c1 &amp; nobody \
             planned it\nlog: Running upgrade  -&gt; 18c1\nTo close it: `migwatch ack m1` · \
             docs/runbooks/UnexpectedMigration.md"
        );
        assert_eq!(
            text(resolved(&alert("m1"))),
            ":white_check_mark: resolved: *UnexpectedMigration* coe/backend migrated &lt;base&gt; -&gt; 18c1 &amp; nobody \
             planned it\nacknowledged by kim (after 1m 30s)"
        );
    }

    #[test]
    fn a_json_message_carries_the_whole_transition_and_its_key() {
        let transition = Transition {
            number: 7,
            alert: Arc::new(resolved(&alert("m1"))),
        };
        let message = body(&transition, Format::Json);
        assert_eq!(
            message,
            serde_json::json!({
                "version": 1,
                "key": transition.key(),
                "phase": "resolved",
                "alert": {
                    "name": "UnexpectedMigration",
                    "severity": "critical",
                    "labels": {"project": "coe", "service": "backend", "migration": "m1"},
                    "annotations": {
                        "summary": "coe/backend migrated <base> -> 18c1 & nobody planned it",
                        "description": "log: Running upgrade  -> 18c1",
                        "runbook_url": "docs/runbooks/UnexpectedMigration.md",
                        "ack": "migwatch ack m1",
                    },
                    "starts_at": "1970-01-01T00:16:40.000000000Z",
                    "ends_at": "1970-01-01T00:18:10.000000000Z",
                },
            })
        );
    }
}
