//! The host and the watcher itself: the engine, where it is blind, databases, receivers, warnings.

use maud::{Markup, html};

use super::words::{Tone, badge, moment, short_moment};
use crate::model::status::{DatabaseStatus, SchemaStatus, Status};

/// The engine in one line of the header.
pub(super) fn engine(status: &Status) -> Markup {
    let engine = &status.engine;
    html! {
        @if engine.up {
            (badge(Tone::Good, "up"))
        } @else if engine.problem.is_some() {
            (badge(Tone::Bad, "away"))
        } @else {
            (badge(Tone::Busy, "connecting"))
        }
        @if let Some(version) = &engine.version { " " (version) }
        @if !engine.endpoint.is_empty() { " " small { (engine.endpoint) } }
    }
}

/// Everything that migwatch cannot see now, loud and first.
pub(super) fn blind_spots(status: &Status) -> Markup {
    let (engine, watcher) = (&status.engine, &status.watcher);
    let away = engine.problem.as_ref().filter(|_| !engine.up);
    let config = watcher.config_problem.as_ref().filter(|_| !watcher.config_ok);
    if away.is_none() && config.is_none() && watcher.blind.is_empty() && watcher.unwritten == 0 {
        return html! {};
    }
    html! {
        section.blind role="alert" {
            h2 { "migwatch is not all right" }
            ul {
                @if let Some(problem) = away {
                    li {
                        strong { "The engine is away" } ": " (problem)
                        @if let Some(since) = engine.since { " · began " (moment(status.at, since)) }
                    }
                }
                @for sentence in &watcher.blind { li { strong { "Blind" } ": " (sentence) } }
                @if watcher.unwritten > 0 {
                    li { strong { "Unwritten" } ": " (watcher.unwritten) " facts wait for the disk" }
                }
                @if let Some(problem) = config { li { strong { "Config" } ": " (problem) } }
            }
        }
    }
}

/// Every known database.
pub(super) fn databases(status: &Status) -> Markup {
    html! {
        section #databases {
            h2 { "Databases" }
            @if status.databases.is_empty() { p.quiet { "No database is known." } }
            @for database in &status.databases { (one_database(status, database)) }
        }
    }
}

fn one_database(status: &Status, database: &DatabaseStatus) -> Markup {
    let (tone, word) = match (database.up, database.never_reached) {
        (true, _) => (Tone::Good, "up"),
        (false, true) => (Tone::Doubtful, "not connected"),
        (false, false) => (Tone::Bad, "unreachable"),
    };
    let services: Vec<String> = database.services.iter().map(ToString::to_string).collect();
    html! {
        article.card {
            p.head {
                (badge(tone, word)) " " strong { (database.database) } " "
                span.quiet {
                    @match database.last_read {
                        Some(at) => { "last read " (short_moment(status.at, at)) },
                        None => "never read",
                    }
                    @if !services.is_empty() { " · used by " (services.join(", ")) }
                }
            }
            @if let Some(problem) = &database.problem { p { (problem) } }
            @if let Some(schema) = &database.schema { (drift(status, schema)) }
            @if !database.tables.is_empty() {
                ul.plain {
                    @for (table, standing) in &database.tables { li { (table) ": " code { (standing) } } }
                }
            }
        }
    }
}

/// What differs from what migrations made; nothing where nothing does.
fn drift(status: &Status, schema: &SchemaStatus) -> Markup {
    html! {
        @if let Some(since) = schema.drift_since {
            p { (badge(Tone::Doubtful, "schema drift")) " no migration did this, seen " (short_moment(status.at, since)) ":" }
            ul { @for change in &schema.drift { li { (change) } } }
        }
        @if let Some(problem) = &schema.problem { p.quiet { (problem) } }
    }
}

/// Every configured receiver.
pub(super) fn receivers(status: &Status) -> Markup {
    html! {
        section #receivers {
            h2 { "Receivers" }
            @if status.receivers.is_empty() { p.quiet { "No receiver is configured: alerts are shown here only." } }
            ul.plain {
                @for receiver in &status.receivers {
                    li {
                        @match &receiver.problem {
                            None => (badge(Tone::Good, "delivers")),
                            Some(_) => (badge(Tone::Bad, "fails")),
                        }
                        " " strong { (receiver.name) }
                        @if receiver.waiting > 0 { " " (receiver.waiting) " waiting" }
                        @if let Some(problem) = &receiver.problem { " · " (problem) }
                    }
                }
            }
        }
    }
}

/// Labels and found settings that are not as somebody meant them.
pub(super) fn warnings(status: &Status) -> Markup {
    html! {
        @if !status.watcher.warnings.is_empty() {
            section #warnings {
                h2 { "Warnings" }
                ul.plain { @for warning in &status.watcher.warnings { li { (badge(Tone::Doubtful, "warning")) " " (warning) } } }
            }
        }
    }
}
