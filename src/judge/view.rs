//! The state as it may be shown: what pages, API, metrics and the command line get instead of [`State`].

mod expectations;

use std::time::Duration;

use super::State;
use super::code;
use super::containers::ServiceRecord;
use super::health;
use super::live::LiveCounts;
use super::schema::SchemaRecord;
use super::settings::Settings;
use crate::model::alert::Alert;
use crate::model::container::{ArmedSource, ArmedState};
use crate::model::migration::{Migration, Verdict};
use crate::model::observation::LogStatus;
use crate::model::revision::{DatabaseId, Standing};
use crate::model::schema::in_words;
use crate::model::service::ServiceId;
use crate::model::status::{
    Binding, Condition, Counters, DatabaseStatus, EngineStatus, LastStart, LogView, ProbeStatus,
    ReceiverStatus, SchemaStatus, ServiceStatus, Status, WatcherStatus,
};
use crate::model::time::Timestamp;

/// A service that is gone is shown this long.
const SHOW_REMOVED: Duration = Duration::from_secs(3600);

/// The whole picture at `now`. What only the daemon knows of itself (config, unwritten facts) is filled in by it.
pub fn status(state: &State, settings: &Settings, now: Timestamp) -> Status {
    let durable = &state.durable;
    let sight = health::Sight::new(state);
    let services = durable
        .containers
        .services
        .iter()
        .filter(|(_, record)| is_shown(record, now));
    let mut migrations: Vec<Migration> = durable
        .migrations
        .all
        .values()
        .map(|tracked| tracked.migration.clone())
        .collect();
    migrations.sort_by_key(|migration| std::cmp::Reverse(migration.started_at));
    let alerts = durable
        .alerts
        .firing
        .values()
        .chain(durable.alerts.resolved.iter().rev());
    Status {
        at: now,
        host: settings.host.clone(),
        engine: engine(state),
        services: services
            .map(|(id, record)| {
                let condition = health::condition(&sight, settings, id, now);
                service(state, settings, (id, record), condition, now)
            })
            .collect(),
        migrations,
        alerts: alerts.map(|alert| Alert::clone(alert)).collect(),
        databases: databases(state),
        probes: probes(state),
        approvals: expectations::approvals(state),
        windows: expectations::windows(state, settings, now),
        receivers: receivers(state, settings),
        watcher: watcher(state, settings),
    }
}

fn is_shown(record: &ServiceRecord, now: Timestamp) -> bool {
    record.removed_at.is_none_or(|at| now < at.after(SHOW_REMOVED))
}

fn engine(state: &State) -> EngineStatus {
    let engine = &state.live.engine;
    EngineStatus {
        endpoint: engine.endpoint.clone(),
        up: engine.up,
        version: engine.version.clone(),
        problem: engine.problem.clone(),
        since: engine.since,
    }
}

fn service(
    state: &State,
    settings: &Settings,
    (id, record): (&ServiceId, &ServiceRecord),
    condition: Condition,
    now: Timestamp,
) -> ServiceStatus {
    let replicas: Vec<_> = state.live.replicas(id).collect();
    let label = replicas.iter().find_map(|live| live.look.labels.migrations);
    let window = replicas
        .iter()
        .find_map(|live| live.look.labels.window.as_deref());
    let ruling = settings.ruling(id, label, window);
    let armed = replicas
        .iter()
        .filter(|live| live.look.state.may_start())
        .map(|live| &live.look.armed)
        .filter(|armed| armed.source != ArmedSource::Nothing)
        .min_by_key(|armed| match armed.state {
            ArmedState::Armed => 0,
            ArmedState::Unknown => 1,
            ArmedState::Disarmed => 2,
        });
    let bindings = state.durable.tables.bound(id);
    ServiceStatus {
        service: id.clone(),
        condition,
        containers: state
            .live
            .containers
            .values()
            .filter(|live| live.look.service == *id)
            .map(|live| live.look.clone())
            .collect(),
        policy: ruling.policy,
        window: ruling.window.map(str::to_owned),
        armed: armed.cloned(),
        last_start: last_start(state, id, record),
        log: log(state, id),
        tables: bindings
            .map(|(table, proof)| Binding {
                table: table.clone(),
                proof,
            })
            .collect(),
        code: code::status(state, id),
        counters: counters(state, id, record),
        removed_at: record.removed_at,
        unexpected_open: unexpected_open(state, id),
        expectations: expectations::open_for(state, settings, id, now),
    }
}

fn unexpected_open(state: &State, id: &ServiceId) -> u32 {
    let open = state.durable.migrations.all.values().filter(|tracked| {
        let migration = &tracked.migration;
        migration.service == *id
            && migration.judgement.verdict == Verdict::Unexpected
            && migration.moved()
            && migration.acknowledged.is_none()
            && !migration.history
    });
    u32::try_from(open.count()).unwrap_or(u32::MAX)
}

fn last_start(state: &State, id: &ServiceId, record: &ServiceRecord) -> Option<LastStart> {
    let all = state.durable.migrations.all.values().map(std::sync::Arc::as_ref);
    let ran = all
        .filter(|tracked| tracked.migration.service == *id && !tracked.is_claim())
        .map(super::migration::Tracked::last_attempt_at)
        .max();
    match (ran, record.skipped_at) {
        (Some(ran), skipped) if skipped.is_none_or(|skipped| ran > skipped) => Some(LastStart {
            at: ran,
            skipped: false,
        }),
        (_, Some(skipped)) => Some(LastStart {
            at: skipped,
            skipped: true,
        }),
        _ => None,
    }
}

fn log(state: &State, id: &ServiceId) -> LogView {
    let mut view = LogView::default();
    for live in state
        .live
        .containers
        .values()
        .filter(|live| live.look.service == *id)
    {
        add(&mut view, live.log.as_ref());
    }
    if let Some(process) = state.live.processes.get(id) {
        add(&mut view, process.log.as_ref());
    }
    view
}

fn add(view: &mut LogView, status: Option<&LogStatus>) {
    match status {
        Some(LogStatus::Following { .. }) => view.following = view.following.saturating_add(1),
        Some(LogStatus::Unreadable { reason }) => view.unreadable = Some(reason.clone()),
        Some(LogStatus::NotFollowed { reason }) => view.not_followed = Some(reason.clone()),
        Some(LogStatus::Ended) | None => {}
    }
}

fn counters(state: &State, id: &ServiceId, record: &ServiceRecord) -> Counters {
    let counts = state
        .durable
        .migrations
        .counts
        .get(id)
        .cloned()
        .unwrap_or_default();
    let none = LiveCounts::default();
    let live = state.live.counts.get(id).unwrap_or(&none);
    Counters {
        migrations: counts.outcomes,
        verdicts: counts.verdicts,
        skips: record.skips,
        restarts: record.restarts,
        log_bytes: live.log_bytes,
        log_gaps: record.log_gaps,
        log_reconnects: live.log_reconnects,
        probe_failures: live.probe_failures.clone(),
    }
}

fn databases(state: &State) -> Vec<DatabaseStatus> {
    let known = &state.durable.tables;
    let each = state.live.databases.iter().map(|(database, live)| {
        let tables = known
            .known
            .iter()
            .filter(|(table, _)| table.database == *database);
        DatabaseStatus {
            database: database.clone(),
            services: live.reading.services.clone(),
            up: live.reading.tables.is_ok(),
            never_reached: !known.connected.contains(database),
            problem: live
                .reading
                .tables
                .as_ref()
                .err()
                .map(|problem| problem.detail.clone()),
            last_read: live.last_read,
            tables: tables
                .map(|(table, record)| (table.table.clone(), record.standing.clone()))
                .collect::<std::collections::BTreeMap<String, Standing>>(),
            schema: schema(state, database),
        }
    });
    each.collect()
}

fn schema(state: &State, database: &DatabaseId) -> Option<SchemaStatus> {
    let record = state.durable.schemas.known.get(database);
    let live = state.live.schemas.get(database);
    if record.is_none() && live.is_none() {
        return None;
    }
    let sight = live.and_then(|live| live.sight.as_ref());
    let problem = live.and_then(|live| live.problem.as_ref());
    Some(SchemaStatus {
        tables: record.map_or(0, |record| record.schema.0.len() as u64),
        last_read: sight.map(|sight| sight.last_at),
        problem: problem.map(|problem| problem.detail.clone()),
        drift: in_words(&record.map(SchemaRecord::differences).unwrap_or_default()),
        drift_since: record.and_then(|record| Some(record.drift.as_ref()?.at)),
    })
}

fn probes(state: &State) -> Vec<ProbeStatus> {
    let each = state.live.probes.iter().map(|(probe, live)| ProbeStatus {
        probe: probe.clone(),
        result: live.result.clone(),
        failures: live.failures,
    });
    each.collect()
}

fn receivers(state: &State, settings: &Settings) -> Vec<ReceiverStatus> {
    let alerts = &state.durable.alerts;
    let each = settings.receivers.iter().map(|name| {
        let live = state.live.receivers.get(name);
        let has = alerts.delivered.get(name).copied().unwrap_or(alerts.last_number);
        ReceiverStatus {
            name: name.clone(),
            waiting: alerts.last_number.saturating_sub(has),
            problem: live.and_then(|live| live.problem.clone()),
            delivered: live.map_or(0, |live| live.delivered),
            failed: live.map_or(0, |live| live.failed),
        }
    });
    each.collect()
}

fn watcher(state: &State, settings: &Settings) -> WatcherStatus {
    let firing = state.durable.alerts.firing.values();
    let blind = firing
        .filter(|alert| alert.name == crate::model::alert::AlertName::WatcherBlind)
        .map(|alert| format!("{}: {}", alert.summary, alert.description));
    let mut warnings: Vec<String> = state
        .live
        .containers
        .values()
        .flat_map(|live| {
            live.look
                .labels
                .warnings
                .iter()
                .map(|text| format!("{}: {text}", live.look.service))
        })
        .collect();
    warnings.sort();
    warnings.dedup();
    if state.live.engine.ahead != 0 {
        warnings.push(format!("set the clocks right{}", state.live.engine.skew()));
    }
    warnings.extend(expectations::warnings(state, settings));
    warnings.extend(state.live.databases.iter().filter_map(|(database, live)| {
        let problem = live.reading.tables.as_ref().err()?;
        let never = !state.durable.tables.connected.contains(database);
        never.then(|| format!("database {database} is not connected: {}", problem.detail))
    }));
    warnings.extend(state.live.schemas.iter().filter_map(|(database, live)| {
        let problem = live.problem.as_ref()?;
        Some(format!(
            "the schema of database {database} is not watched: {}",
            problem.detail
        ))
    }));
    WatcherStatus {
        watching_since: state.durable.watch_since,
        config_ok: true,
        config_problem: None,
        unwritten: state.live.unwritten.map_or(0, |(count, _)| count),
        blind: blind.collect(),
        warnings,
    }
}
