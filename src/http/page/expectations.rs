//! What expects migrations: open windows, open approvals, and approvals that were open lately.

use maud::{Markup, html};

use super::words::{Tone, badge, clock, moment, short_moment};
use crate::model::approval::{ApprovalEnd, ApprovalRecord};
use crate::model::migration::{Migration, Rule};
use crate::model::service::ServiceId;
use crate::model::status::{OpenWindow, Status};

/// Approvals that are over are shown here as long as there are not more than these.
const SHOWN: usize = 5;

/// Open ones first; nothing at all where nothing was ever expected.
pub(super) fn section(status: &Status) -> Markup {
    if status.approvals.is_empty() && status.windows.is_empty() {
        return html! {};
    }
    let (open, over): (Vec<_>, Vec<_>) = status.approvals.iter().partition(|record| record.is_open());
    html! {
        section #expectations {
            h2 { "Expected migrations" }
            @if open.is_empty() && status.windows.is_empty() { p.quiet { "Nothing is expected now." } }
            @for window in &status.windows { (window_card(status, window)) }
            @for record in open.into_iter().chain(over.into_iter().take(SHOWN)) { (card(status, record)) }
        }
    }
}

fn window_card(status: &Status, window: &OpenWindow) -> Markup {
    let services: Vec<String> = window.services.iter().map(ServiceId::to_string).collect();
    html! {
        article.card {
            p.head {
                (badge(Tone::Busy, "open")) " " strong { "window " (window.name) } " "
                span.quiet { "since " (short_moment(status.at, window.from)) " · until " (clock(window.until)) }
            }
            p {
                "covers " @if services.is_empty() { "no service that is known" } @else { (services.join(", ")) }
                @if let Some(to) = &window.to { ", to go to " code { (to) } }
            }
        }
    }
}

fn card(status: &Status, record: &ApprovalRecord) -> Markup {
    let approval = &record.approval;
    let (tone, word) = state(record);
    let triggers: Vec<&str> = approval.triggers.iter().map(|trigger| trigger.as_str()).collect();
    html! {
        article.card id={ "a-" (approval.id) } {
            p.head {
                (badge(tone, &word)) " " strong { (approval.service) } " "
                span.quiet { (approval.kind.as_str()) " by " (approval.by) ", " (moment(status.at, approval.from)) }
            }
            p { (approval.reason) }
            p.quiet {
                "until " (clock(approval.until))
                @if let Some(to) = &approval.to { " · only to " code { (to) } }
                @if !triggers.is_empty() { " · only by " (triggers.join(", ")) }
                @if approval.restore { " · the database may be replaced" }
                " · " code { (approval.id) }
            }
            @if !record.used_by.is_empty() {
                p.quiet { "used by" @for id in &record.used_by { " " a href={ "#m-" (id) } { code { (id) } } } }
            }
        }
    }
}

fn state(record: &ApprovalRecord) -> (Tone, String) {
    let Some(ended) = &record.ended else {
        return (Tone::Busy, "open".to_owned());
    };
    let tone = match &ended.why {
        ApprovalEnd::UsedUp => Tone::Good,
        _ => Tone::Quiet,
    };
    (tone, ended.why.to_string())
}

/// What covered a migration: the approval with a link to it, or the window.
pub(super) fn covered(migration: &Migration) -> Markup {
    let judgement = &migration.judgement;
    html! {
        @match (judgement.rule, &judgement.expectation) {
            (Rule::Approved, Some(id)) => { " · approval " a href={ "#a-" (id) } { code { (id) } } },
            (Rule::Window, Some(name)) => { " · window " (name) },
            _ => {},
        }
    }
}
