//! The status page: everything at one look, worst first, without scripts.
//!
//! Promises that foreign text is shown as text, that no colour says what a word does not say too, and that nothing is fetched
//! from anywhere. Pure: ages are counted from the status' own time.

mod alerts;
mod code;
mod expectations;
mod host;
mod migrations;
mod services;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Build;
use crate::model::status::Status;
use words::moment;

/// Written for 390 to 1280 pixels, light and dark.
const STYLE: &str = include_str!("page/style.css");
/// How often the page refreshes itself, in seconds.
const REFRESH: &str = "15";

/// The page as HTML; with `still` it does not refresh itself, so that an unfolded text stays unfolded.
pub fn render(status: &Status, build: &Build, still: bool) -> String {
    let title = title(status);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if !still { meta http-equiv="refresh" content=(REFRESH); }
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(status, still))
                main {
                    (host::blind_spots(status))
                    (alerts::section(status))
                    (expectations::section(status))
                    (services::section(status))
                    (migrations::section(status))
                    (host::databases(status))
                    (host::receivers(status))
                    (host::warnings(status))
                }
                (footer(build))
            }
        }
    };
    page.into_string()
}

/// What a tab shows: the number of firing alerts first.
fn title(status: &Status) -> String {
    let firing = alerts::firing(status).count();
    let host = if status.host.is_empty() {
        "migwatch".to_owned()
    } else {
        format!("{} · migwatch", status.host)
    };
    if firing == 0 {
        host
    } else {
        format!("({firing}) {host}")
    }
}

fn header(status: &Status, still: bool) -> Markup {
    html! {
        header {
            div.name {
                h1 { "migwatch" }
                @if !status.host.is_empty() { span.host { (status.host) } }
            }
            dl.facts {
                div { dt { "Engine" } dd { (host::engine(status)) } }
                div {
                    dt { "Watching since" }
                    dd {
                        @match status.watcher.watching_since {
                            Some(since) => (moment(status.at, since)),
                            None => span.quiet { "the first look is not done yet" },
                        }
                    }
                }
                div {
                    dt { "This page" }
                    dd {
                        (words::clock(status.at)) " "
                        @if still { a href="/" { "refresh again" } } @else { a href="/?still" { "hold still" } }
                    }
                }
            }
        }
    }
}

fn footer(build: &Build) -> Markup {
    html! {
        footer {
            "migwatch " (build.version)
            @if !build.revision.is_empty() { " (" (build.revision) ")" }
            " · " a href="/metrics" { "metrics" }
            " · " a href="/api/v1/status" { "status as JSON" }
            " · " a href="/api/v1/migrations" { "migrations as JSON" }
            " · " a href="/api/v1/approvals" { "approvals as JSON" }
        }
    }
}
