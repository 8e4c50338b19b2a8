//! The status as Prometheus reads it.
//!
//! Promises text of format 0.0.4 in which no series comes twice, every counter of a known service is there from its discovery on,
//! and a gauge of something unknown is absent. No IDs, commands or log text as labels. Pure: refuses to know when it is asked.

mod code;
mod exposition;
mod host;
mod migrations;
mod services;

use prometheus::Registry;

use super::Build;
use crate::model::status::Status;
use exposition::Exposition;

/// The content type of what [`encode`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What Prometheus is told a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts in buckets.
    Histogram,
}

impl Kind {
    /// The word after `# TYPE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

use Kind::{Counter, Gauge, Histogram};

/// Every metric that is served: name, kind and help. There is no other list.
pub const NAMES: &[(&str, Kind, &str)] = &[
    (
        "migwatch_build_info",
        Gauge,
        "Always 1; the labels say which migwatch this is.",
    ),
    (
        "migwatch_config_last_reload_successful",
        Gauge,
        "Whether the config in force is the one in the file.",
    ),
    (
        "migwatch_docker_up",
        Gauge,
        "Whether the container engine answers and its events flow.",
    ),
    ("migwatch_containers", Gauge, "Containers of a service by state."),
    (
        "migwatch_container_health",
        Gauge,
        "Containers of a service by their health check's status.",
    ),
    (
        "migwatch_container_restarts_total",
        Counter,
        "Restarts by the engine's restart policy.",
    ),
    (
        "migwatch_service_up",
        Gauge,
        "Whether a service runs, or was stopped or completed on purpose.",
    ),
    (
        "migwatch_log_readable",
        Gauge,
        "Whether the logs of a service that should be read can be read.",
    ),
    ("migwatch_log_bytes_total", Counter, "Log bytes read."),
    (
        "migwatch_log_gaps_total",
        Counter,
        "Gaps in logs: lines were lost and could not be had again.",
    ),
    (
        "migwatch_log_reconnects_total",
        Counter,
        "Log streams reopened within one start of a container.",
    ),
    (
        "migwatch_probe_success",
        Gauge,
        "Whether the last probe succeeded.",
    ),
    (
        "migwatch_probe_duration_seconds",
        Gauge,
        "How long each phase of the last probe took.",
    ),
    (
        "migwatch_probe_http_status_code",
        Gauge,
        "The HTTP status of the last probe.",
    ),
    (
        "migwatch_probe_failures_total",
        Counter,
        "Failed probes by reason.",
    ),
    (
        "migwatch_migrations_total",
        Counter,
        "Settled migrations by outcome.",
    ),
    (
        "migwatch_migration_verdicts_total",
        Counter,
        "Verdicts on migrations that moved something or failed.",
    ),
    (
        "migwatch_migration_skips_total",
        Counter,
        "Starts that said they skip migrations.",
    ),
    ("migwatch_migration_running", Gauge, "Migrations that run now."),
    (
        "migwatch_migration_start_timestamp_seconds",
        Gauge,
        "When the longest running migration began; only while one runs.",
    ),
    (
        "migwatch_migration_last_timestamp_seconds",
        Gauge,
        "When the last migration with this verdict moved something or failed.",
    ),
    (
        "migwatch_migration_last_duration_seconds",
        Gauge,
        "How long the last settled migration took.",
    ),
    (
        "migwatch_unexpected_migrations_open",
        Gauge,
        "Unexpected migrations whose alert nobody has closed.",
    ),
    (
        "migwatch_armed",
        Gauge,
        "Whether the next start would run migrations: 1 for the state that holds.",
    ),
    (
        "migwatch_expectation_open",
        Gauge,
        "Approvals and windows that are open for a service now.",
    ),
    (
        "migwatch_database_up",
        Gauge,
        "Whether the last reading of a database succeeded.",
    ),
    (
        "migwatch_database_last_read_timestamp_seconds",
        Gauge,
        "When a database was last read with success.",
    ),
    (
        "migwatch_revision_info",
        Gauge,
        "Always 1; a revision that stands in a version table.",
    ),
    (
        "migwatch_revision_at_head",
        Gauge,
        "Whether everything in the newest code of a service has run in its version table.",
    ),
    (
        "migwatch_revisions_pending",
        Gauge,
        "Revisions of the newest code of a service that have not run.",
    ),
    (
        "migwatch_revisions_pending_destructive",
        Gauge,
        "Pending revisions that drop, narrow or delete something.",
    ),
    (
        "migwatch_revision_unknown",
        Gauge,
        "Whether a version table stands at a revision that the newest code of a service does not know.",
    ),
    (
        "migwatch_code_heads",
        Gauge,
        "Heads in the newest code of a service, by its version table.",
    ),
    (
        "migwatch_schema_drift",
        Gauge,
        "Whether a schema differs from what migrations made of it.",
    ),
    (
        "migwatch_alerts_firing",
        Gauge,
        "Alerts that fire now; without project for those about the whole host.",
    ),
    (
        "migwatch_notifications_total",
        Counter,
        "Messages handed to receivers, by result.",
    ),
    (
        "migwatch_outbox",
        Gauge,
        "Transitions of alerts that at least one receiver has not taken yet.",
    ),
    (
        "migwatch_detection_seconds",
        Histogram,
        "From the arrival of evidence to the alert's hand-over to a receiver.",
    ),
    (
        "process_cpu_seconds_total",
        Counter,
        "Total user and system CPU time spent in seconds.",
    ),
    (
        "process_max_fds",
        Gauge,
        "Maximum number of open file descriptors.",
    ),
    ("process_open_fds", Gauge, "Number of open file descriptors."),
    (
        "process_resident_memory_bytes",
        Gauge,
        "Resident memory size in bytes.",
    ),
    (
        "process_start_time_seconds",
        Gauge,
        "Start time of the process since unix epoch in seconds.",
    ),
    ("process_threads", Gauge, "Number of OS threads in the process."),
    (
        "process_virtual_memory_bytes",
        Gauge,
        "Virtual memory size in bytes.",
    ),
];

/// Those of [`NAMES`] that are counted where they happen and come out of [`super::Views::registry`].
pub const FROM_REGISTRY: &[&str] = &[
    "migwatch_detection_seconds",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// The help of a metric, for whoever registers it; empty for an unknown name.
pub fn help(name: &str) -> &'static str {
    NAMES
        .iter()
        .find(|(known, ..)| *known == name)
        .map_or("", |(.., help)| *help)
}

/// Everything that is served at `/metrics`: the status first, then what `registry` counted.
pub fn encode(status: &Status, build: &Build, registry: &Registry) -> String {
    let mut text = of_status(status, build);
    let mut counted = registry.gather();
    // A name that came twice would make Prometheus refuse the whole scrape.
    counted.retain(|family| {
        let name = family.name();
        !NAMES.iter().any(|(known, ..)| *known == name) || FROM_REGISTRY.contains(&name)
    });
    if let Err(error) = prometheus::TextEncoder::new().encode_utf8(&counted, &mut text) {
        tracing::warn!(%error, "a counted metric cannot be shown");
    }
    text
}

/// The part of [`encode`] that comes from the status alone.
pub fn of_status(status: &Status, build: &Build) -> String {
    let mut exposition = Exposition::default();
    host::add(&mut exposition, status, build);
    services::add(&mut exposition, status);
    migrations::add(&mut exposition, status);
    code::add(&mut exposition, status);
    exposition.to_text()
}
