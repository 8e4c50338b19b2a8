//! The watcher, the engine, the databases, the alerts and the receivers as metrics.

use super::Build;
use super::exposition::Exposition;
use crate::model::alert::{AlertName, Severity};
use crate::model::revision::Standing;
use crate::model::status::{DatabaseStatus, Status};

/// Adds what belongs to no single service.
pub(super) fn add(to: &mut Exposition, status: &Status, build: &Build) {
    let labels = [
        ("version", build.version.as_str()),
        ("revision", build.revision.as_str()),
    ];
    to.set("migwatch_build_info", &labels, 1.0);
    to.set(
        "migwatch_config_last_reload_successful",
        &[],
        truth(status.watcher.config_ok),
    );
    // Before the first try nothing is known of any engine.
    if !status.engine.endpoint.is_empty() {
        to.set(
            "migwatch_docker_up",
            &[("endpoint", &status.engine.endpoint)],
            truth(status.engine.up),
        );
    }
    for database in &status.databases {
        add_database(to, database);
    }
    add_alerts(to, status);
    // Each receiver takes transitions in order: what the slowest has not taken contains what the others have not.
    let waiting = status
        .receivers
        .iter()
        .map(|receiver| receiver.waiting)
        .max()
        .unwrap_or(0);
    to.set("migwatch_outbox", &[], count(waiting));
    for receiver in &status.receivers {
        for (result, number) in [("success", receiver.delivered), ("failure", receiver.failed)] {
            let labels = [("receiver", receiver.name.as_str()), ("result", result)];
            to.set("migwatch_notifications_total", &labels, count(number));
        }
    }
}

fn add_database(to: &mut Exposition, database: &DatabaseStatus) {
    let name = database.database.0.as_str();
    // Never reached is not connected, which is no failure.
    if database.up || !database.never_reached {
        to.set("migwatch_database_up", &[("database", name)], truth(database.up));
    }
    if let Some(at) = database.last_read {
        let labels = [("database", name)];
        to.set(
            "migwatch_database_last_read_timestamp_seconds",
            &labels,
            at.as_seconds_f64(),
        );
    }
    if !database.up {
        return;
    }
    let schema = database.schema.as_ref();
    if let Some(schema) = schema.filter(|schema| schema.last_read.is_some()) {
        let drifted = truth(schema.drift_since.is_some());
        to.set("migwatch_schema_drift", &[("database", name)], drifted);
    }
    for (table, standing) in &database.tables {
        let Standing::At(heads) = standing else { continue };
        let mut set = |revision: &str| {
            let labels = [
                ("database", name),
                ("table", table.as_str()),
                ("revision", revision),
            ];
            to.set("migwatch_revision_info", &labels, 1.0);
        };
        if heads.0.is_empty() {
            set("base");
        }
        heads.0.iter().for_each(|revision| set(&revision.0));
    }
}

/// The host's own series are there from the start, those of a service only while its alert fires.
fn add_alerts(to: &mut Exposition, status: &Status) {
    const NAME: &str = "migwatch_alerts_firing";
    for alert in AlertName::ALL {
        for severity in Severity::ALL {
            to.add(
                NAME,
                &[("alert", alert.as_str()), ("severity", severity.as_str())],
                0.0,
            );
        }
    }
    for alert in status.alerts.iter().filter(|alert| alert.resolved.is_none()) {
        let mut labels = Vec::new();
        for key in ["project", "service"] {
            labels.extend(
                alert
                    .labels
                    .get(key)
                    .filter(|value| !value.is_empty())
                    .map(|value| (key, value.as_str())),
            );
        }
        labels.extend([
            ("alert", alert.name.as_str()),
            ("severity", alert.severity.as_str()),
        ]);
        to.add(NAME, &labels, 1.0);
    }
}

/// 1 or 0.
pub(super) fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// A count as Prometheus keeps it.
#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus has floats only; exact up to 2^53"
)]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}
