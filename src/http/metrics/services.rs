//! The services, their containers, logs and probes as metrics.

use std::collections::BTreeSet;

use super::exposition::Exposition;
use super::host::{count, truth};
use crate::model::container::{ArmedState, ContainerState, Health};
use crate::model::probe::{FailureReason, ProbeId, Via};
use crate::model::status::{ConditionWord, LogView, ProbeStatus, ServiceStatus, Status};

/// Adds every service and every probe.
pub(super) fn add(to: &mut Exposition, status: &Status) {
    for service in &status.services {
        add_containers(to, service);
        add_state(to, service);
        add_expectations(to, service);
        add_log(to, service);
    }
    for probe in &status.probes {
        add_probe(to, probe);
    }
    add_probe_failures(to, status);
}

fn add_containers(to: &mut Exposition, service: &ServiceStatus) {
    let id = &service.service;
    for state in ContainerState::ALL {
        to.add_of(id, "migwatch_containers", &[("state", state.as_str())], 0.0);
    }
    for container in &service.containers {
        to.add_of(
            id,
            "migwatch_containers",
            &[("state", container.state.as_str())],
            1.0,
        );
        let Some(health) = container.health else { continue };
        for status in Health::ALL {
            let one = truth(status == health);
            to.add_of(
                id,
                "migwatch_container_health",
                &[("status", status.as_str())],
                one,
            );
        }
    }
    to.add_of(
        id,
        "migwatch_container_restarts_total",
        &[],
        count(service.counters.restarts),
    );
}

fn add_state(to: &mut Exposition, service: &ServiceStatus) {
    let id = &service.service;
    if service.condition.word != ConditionWord::Unknown {
        to.set_of(id, "migwatch_service_up", &[], truth(service.is_up()));
    }
    if let Some(armed) = service.armed_state() {
        for state in ArmedState::ALL {
            to.set_of(
                id,
                "migwatch_armed",
                &[("state", state.as_str())],
                truth(state == armed),
            );
        }
    }
}

fn add_expectations(to: &mut Exposition, service: &ServiceStatus) {
    let open = service.expectations;
    for (kind, number) in [("approval", open.approvals), ("window", open.windows)] {
        let labels = [("kind", kind)];
        to.set_of(
            &service.service,
            "migwatch_expectation_open",
            &labels,
            f64::from(number),
        );
    }
}

fn add_log(to: &mut Exposition, service: &ServiceStatus) {
    let id = &service.service;
    if let Some(readable) = readable(&service.log) {
        to.set_of(id, "migwatch_log_readable", &[], truth(readable));
    }
    let counters = &service.counters;
    for (name, value) in [
        ("migwatch_log_bytes_total", counters.log_bytes),
        ("migwatch_log_gaps_total", counters.log_gaps),
        ("migwatch_log_reconnects_total", counters.log_reconnects),
    ] {
        to.set_of(id, name, &[], count(value));
    }
}

/// Absent where no log is read by choice, or none is there to read.
fn readable(log: &LogView) -> Option<bool> {
    match (&log.unreadable, log.following) {
        (Some(_), _) => Some(false),
        (None, 0) => None,
        (None, _) => Some(true),
    }
}

fn add_probe(to: &mut Exposition, probe: &ProbeStatus) {
    let id = &probe.probe.service;
    let labels = [
        ("probe", probe.probe.name.as_str()),
        ("via", probe.probe.via.as_str()),
    ];
    to.set_of(
        id,
        "migwatch_probe_success",
        &labels,
        truth(probe.result.failure.is_none()),
    );
    for (phase, took) in &probe.result.phases {
        let [name, via] = labels;
        let labels = [name, via, ("phase", phase.as_str())];
        to.add_of(id, "migwatch_probe_duration_seconds", &labels, took.as_secs_f64());
    }
    if let Some(code) = probe.result.http_status {
        to.set_of(id, "migwatch_probe_http_status_code", &labels, f64::from(code));
    }
}

/// Counters live as long as their service, those of a probe that is gone too.
fn add_probe_failures(to: &mut Exposition, status: &Status) {
    let mut set =
        |probe: (&crate::model::service::ServiceId, &str, Via), reason: FailureReason, failures: u64| {
            let (service, name, via) = probe;
            let labels = [
                ("probe", name),
                ("via", via.as_str()),
                ("reason", reason.as_str()),
            ];
            to.add_of(service, "migwatch_probe_failures_total", &labels, count(failures));
        };
    let mut born = BTreeSet::new();
    for ProbeId { service, name, via } in status.probes.iter().map(|probe| &probe.probe) {
        born.insert((service, name.as_str(), *via));
    }
    for service in &status.services {
        for ((name, via, reason), failures) in &service.counters.probe_failures {
            born.insert((&service.service, name.as_str(), *via));
            set((&service.service, name, *via), *reason, *failures);
        }
    }
    for probe in born {
        for reason in FailureReason::ALL {
            set(probe, reason, 0);
        }
    }
}
