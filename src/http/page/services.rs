//! The services: how each does, and what its next start would do.

use maud::{Markup, html};

use super::code;
use super::words::{Tone, badge, short_moment};
use crate::model::container::{ArmedState, ContainerLook, Health};
use crate::model::policy::Policy;
use crate::model::probe::Via;
use crate::model::status::{Binding, ConditionWord, ExpectationsOpen, ProbeStatus, ServiceStatus, Status};

/// Every service in a table; on a narrow screen each row becomes a card.
pub(super) fn section(status: &Status) -> Markup {
    html! {
        section #services {
            h2 { "Services" }
            @if status.services.is_empty() {
                p.quiet { "No compose service was seen yet." }
            } @else {
                table {
                    thead { tr {
                        @for heading in ["Service", "Condition", "Next start", "Last start", "Version tables", "Probes"] {
                            th scope="col" { (heading) }
                        }
                    } }
                    tbody { @for service in &status.services { (row(status, service)) } }
                }
            }
        }
    }
}

fn row(status: &Status, service: &ServiceStatus) -> Markup {
    html! {
        tr {
            th scope="row" data-label="Service" {
                span.quiet { (service.service.project) "/" } wbr; (service.service.service)
                @if let Some(at) = service.removed_at { small { "removed " (short_moment(status.at, at)) } }
                (containers(service))
                (log(service))
            }
            td data-label="Condition" { div { (condition(status, service)) } }
            td data-label="Next start" { div { (next_start(service)) } }
            td data-label="Last start" { div { (last_start(status, service)) } }
            td data-label="Version tables" { div { (tables(status, service)) } }
            td data-label="Probes" { div { (probes(status, service)) } }
        }
    }
}

fn condition(status: &Status, service: &ServiceStatus) -> Markup {
    let word = service.condition.word;
    html! {
        (badge(tone(word), word.as_str()))
        @if let Some(since) = service.condition.since { " " span.quiet { (short_moment(status.at, since)) } }
        @if !service.condition.detail.is_empty() { small { (service.condition.detail) } }
    }
}

fn tone(word: ConditionWord) -> Tone {
    match word {
        ConditionWord::Down | ConditionWord::RestartLoop => Tone::Bad,
        ConditionWord::Unhealthy
        | ConditionWord::EndpointDown
        | ConditionWord::ProxyDown
        | ConditionWord::Unknown => Tone::Doubtful,
        ConditionWord::Migrating | ConditionWord::Starting => Tone::Busy,
        ConditionWord::Stopped | ConditionWord::Completed => Tone::Quiet,
        ConditionWord::Up => Tone::Good,
    }
}

fn containers(service: &ServiceStatus) -> Markup {
    html! { @for container in &service.containers { small { (container.name) ": " (state(container)) } } }
}

fn state(container: &ContainerLook) -> String {
    let mut text = container.state.as_str().to_owned();
    if let Some(health) = container.health.map(Health::as_str) {
        text = format!("{text}, {health}");
    }
    match container.restart_count {
        0 => text,
        1 => format!("{text}, restarted once"),
        times => format!("{text}, restarted {times} times"),
    }
}

fn log(service: &ServiceStatus) -> Markup {
    html! {
        @if let Some(reason) = &service.log.unreadable {
            small { (badge(Tone::Doubtful, "log unreadable")) " " (reason) }
        } @else if let Some(reason) = &service.log.not_followed {
            small { "log not followed: " (reason) }
        }
    }
}

/// Armed is only bad where nobody allows everything.
fn next_start(service: &ServiceStatus) -> Markup {
    let armed = service.armed.as_ref().map(|armed| {
        let (tone, word) = match (armed.state, service.policy) {
            (ArmedState::Armed, Policy::Allow) => (Tone::Quiet, "would migrate"),
            (ArmedState::Armed, _) => (Tone::Doubtful, "would migrate"),
            (ArmedState::Disarmed, _) => (Tone::Good, "would not migrate"),
            (ArmedState::Unknown, _) => (Tone::Quiet, "unknown"),
        };
        html! { (badge(tone, word)) small { (armed.source.explain()) } }
    });
    html! {
        @match armed { Some(armed) => (armed), None => span.quiet { "–" } }
        small {
            "policy " (service.policy.as_str())
            @if let Some(window) = &service.window { " outside the window " (window) }
        }
        @if service.expectations != ExpectationsOpen::default() { small { (badge(Tone::Busy, "migration expected")) } }
        @match service.unexpected_open {
            0 => {},
            1 => small { (badge(Tone::Bad, "1 unexpected open")) },
            open => small { (badge(Tone::Bad, &format!("{open} unexpected open"))) },
        }
    }
}

fn last_start(status: &Status, service: &ServiceStatus) -> Markup {
    html! {
        @match &service.last_start {
            Some(start) => {
                @if start.skipped { "skipped migrations" } @else { "ran migrations" }
                small { (short_moment(status.at, start.at)) }
            }
            None => span.quiet { "–" },
        }
    }
}

fn tables(status: &Status, service: &ServiceStatus) -> Markup {
    html! {
        @if service.tables.is_empty() { span.quiet { "–" } }
        @for Binding { table, proof } in &service.tables {
            div.entry {
                code { (standing(status, table)) }
                small { (table.table) " " wbr; "in " (table.database) " (" (proof.as_str().replace('_', " ")) ")" }
                (code::of_table(service, table))
            }
        }
        (code::of_service(service))
    }
}

fn standing(status: &Status, table: &crate::model::revision::VersionTable) -> String {
    let database = status
        .databases
        .iter()
        .find(|database| database.database == table.database);
    match database {
        Some(database) if database.up => database
            .tables
            .get(&table.table)
            .map_or_else(|| "not read yet".to_owned(), ToString::to_string),
        _ => "not readable now".to_owned(),
    }
}

fn probes(status: &Status, service: &ServiceStatus) -> Markup {
    let own: Vec<&ProbeStatus> = status
        .probes
        .iter()
        .filter(|probe| probe.probe.service == service.service)
        .collect();
    html! {
        @if own.is_empty() { span.quiet { "–" } }
        @for probe in own { div.entry { (result(status, probe)) } }
    }
}

fn result(status: &Status, probe: &ProbeStatus) -> Markup {
    let (name, via) = (probe.probe.name.as_str(), probe.probe.via);
    let word = if name == via.as_str() {
        name.to_owned()
    } else {
        format!("{name} ({})", via.as_str())
    };
    let way = match via {
        Via::Edge => "through the proxy",
        Via::Direct => "to the service itself",
    };
    html! {
        @match &probe.result.failure {
            None => (badge(Tone::Good, &word)),
            Some(failure) => {
                (badge(Tone::Bad, &word))
                small { (failure.reason.as_str()) ": " (failure.detail) ", " (probe.failures) " in a row" }
            }
        }
        small { (way) ", " (short_moment(status.at, probe.result.at)) }
    }
}
