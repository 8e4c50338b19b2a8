//! The alerts: what fires now with all that a person needs, then what is over.

use maud::{Markup, html};

use super::words::{Tone, badge, moment, short_moment};
use crate::model::alert::{Alert, Severity};
use crate::model::status::Status;

/// The alerts that fire.
pub(super) fn firing(status: &Status) -> impl Iterator<Item = &Alert> {
    status.alerts.iter().filter(|alert| alert.resolved.is_none())
}

/// Firing alerts first; resolved ones folded.
pub(super) fn section(status: &Status) -> Markup {
    let resolved: Vec<&Alert> = status
        .alerts
        .iter()
        .filter(|alert| alert.resolved.is_some())
        .collect();
    let number = firing(status).count();
    html! {
        section #alerts {
            h2 { "Alerts" @if number > 0 { " " span.number { (number) " firing" } } }
            @if number == 0 { p.quiet { "No alert fires." } }
            @for alert in firing(status) { (card(status, alert)) }
            @if !resolved.is_empty() {
                details {
                    summary { (resolved.len()) " resolved lately" }
                    ul.plain { @for alert in &resolved { (line(status, alert)) } }
                }
            }
        }
    }
}

fn card(status: &Status, alert: &Alert) -> Markup {
    let (class, tone) = match alert.severity {
        Severity::Critical => ("card alert critical", Tone::Bad),
        Severity::Warning => ("card alert warning", Tone::Doubtful),
    };
    html! {
        article class=(class) {
            p.head {
                (badge(tone, alert.severity.as_str())) " "
                strong { (alert.name.as_str()) } " "
                span.quiet { "began " (moment(status.at, alert.starts_at)) }
            }
            p.summary { (alert.summary) }
            @if !alert.description.is_empty() {
                details open[alert.severity == Severity::Critical] { summary { "Evidence and what to do" } p.text { (alert.description) } }
            }
            p.actions {
                "Close it: " code { (alert.ack_command()) }
                span.quiet { " · runbook: " (alert.runbook()) }
            }
        }
    }
}

fn line(status: &Status, alert: &Alert) -> Markup {
    html! {
        li {
            (badge(Tone::Quiet, "resolved")) " " strong { (alert.name.as_str()) } " " (alert.summary)
            @if let Some(resolution) = &alert.resolved {
                span.quiet { " " (short_moment(status.at, resolution.at)) ": " (resolution.reason) }
            }
        }
    }
}
