//! What should fire now, given the state. Level-based and pure; nothing here remembers anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::State;
use super::super::health::{self, Sight};
use super::super::settings::Settings;
use super::{databases, expecting, occurrence, revisions, stuck, words};
use crate::model::alert::{Alert, AlertName, Fingerprint, Severity};
use crate::model::migration::MigrationId;
use crate::model::observation::LogStatus;
use crate::model::service::ServiceId;
use crate::model::status::ConditionWord;
use crate::model::time::Timestamp;

/// A gap in a log is said for this long.
const GAP: Duration = Duration::from_secs(3600);

/// What should fire.
pub(super) enum Wanted {
    /// It fires, and nothing was concluded that would change its words.
    AsItIs,
    /// As it should be now.
    Worded(Alert),
}

/// Everything that should fire. Those of migrations that are not `touched` are not worded anew.
pub(super) fn wanted(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    touched: &BTreeSet<&MigrationId>,
) -> BTreeMap<Fingerprint, Wanted> {
    let mut wanted = BTreeMap::new();
    let successes = occurrence::successes(state);
    for tracked in state.durable.migrations.all.values() {
        let is_touched = touched.contains(&tracked.migration.id);
        for occurrence in occurrence::all(state, settings, tracked, &successes, now) {
            let fingerprint = occurrence.fingerprint(settings);
            let is_said = !is_touched && state.durable.alerts.firing.contains_key(&fingerprint);
            let worded = || Wanted::Worded(occurrence.worded(settings, now));
            let alert = if is_said { Wanted::AsItIs } else { worded() };
            wanted.insert(fingerprint, alert);
        }
    }
    let conditions = conditions(state, settings, now).into_iter();
    wanted.extend(conditions.map(|alert| (alert.fingerprint(), Wanted::Worded(alert))));
    wanted
}

/// What fires as long as something is so.
fn conditions(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let sight = Sight::new(state);
    let seen = &state.durable.containers.services;
    let never_seen = settings.required().filter(|service| !seen.contains_key(service));
    for service in seen.keys().chain(never_seen) {
        alerts.extend(of_service(&sight, settings, service, now));
    }
    alerts.extend(expecting::armed(state, settings, now));
    alerts.extend(expecting::missing(state, settings, now));
    alerts.extend(databases::conditions(state, settings, now));
    alerts.extend(revisions::conditions(state, settings, now));
    alerts.extend(blind(state, settings, now));
    alerts.extend(stuck::conditions(state, settings, now));
    for alert in &mut alerts {
        if !settings.host.is_empty() {
            alert.labels.insert("host".to_owned(), settings.host.clone());
        }
    }
    alerts
}

/// An alert without its words.
pub(super) fn alert(
    name: AlertName,
    severity: Severity,
    labels: BTreeMap<String, String>,
    at: Timestamp,
) -> Alert {
    Alert {
        name,
        severity,
        labels,
        summary: String::new(),
        description: String::new(),
        starts_at: at,
        observed_at: at,
        resolved: None,
    }
}

pub(super) fn labels(service: &ServiceId) -> BTreeMap<String, String> {
    [("project", &service.project), ("service", &service.service)]
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .into()
}

/// The one alert of a service's condition.
fn of_service(sight: &Sight<'_>, settings: &Settings, service: &ServiceId, now: Timestamp) -> Option<Alert> {
    let condition = health::condition(sight, settings, service, now);
    let (name, severity) = match condition.word {
        ConditionWord::Down => (AlertName::ServiceDown, Severity::Critical),
        ConditionWord::RestartLoop => (AlertName::RestartLoop, Severity::Critical),
        ConditionWord::Unhealthy => (AlertName::ServiceUnhealthy, Severity::Warning),
        ConditionWord::EndpointDown => (AlertName::EndpointDown, Severity::Critical),
        ConditionWord::ProxyDown => (AlertName::ProxyDown, Severity::Critical),
        _ => return None,
    };
    let mut alert = alert(name, severity, labels(service), condition.since.unwrap_or(now));
    alert.observed_at = now;
    alert.summary = words::condition(name, service);
    alert.description = format!("{}.", condition.detail);
    Some(alert)
}

/// Where migwatch itself does not see.
fn blind(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut raise = |labels: BTreeMap<String, String>, since: Timestamp, what: &str, why: &str| {
        let mut alert = alert(AlertName::WatcherBlind, Severity::Warning, labels, since);
        alert.observed_at = now;
        alert.summary = format!("migwatch is blind: {what}");
        why.clone_into(&mut alert.description);
        alerts.push(alert);
    };
    let engine = &state.live.engine;
    if let (false, Some(since), Some(problem)) = (engine.up, engine.since, &engine.problem)
        && now >= since.after(settings.blind_grace)
    {
        let labels = [("blind".to_owned(), "engine".to_owned())].into();
        raise(labels, since, "the engine does not answer", problem);
    }
    if let Some((_, since)) = state.live.unwritten {
        let labels = [("blind".to_owned(), "journal".to_owned())].into();
        // No count here: it would change with every fact, this alert's own among them.
        let why = "The disk refuses facts: they are kept in memory only. Make room in the data folder.";
        raise(labels, since, "the journal cannot be written", why);
    }
    alerts.extend(blind_logs(state, settings, now));
    alerts
}

/// The blindness `kind` of one service; `words` are summary and description.
fn blind_log(
    service: &ServiceId,
    kind: &str,
    since: Timestamp,
    now: Timestamp,
    (what, why): (&str, &str),
) -> Alert {
    let mut labels = labels(service);
    labels.insert("blind".to_owned(), kind.to_owned());
    let mut alert = alert(AlertName::WatcherBlind, Severity::Warning, labels, since);
    alert.observed_at = now;
    alert.summary = format!("migwatch is blind: {what}");
    why.clone_into(&mut alert.description);
    alert
}

/// Logs with gaps, and logs that cannot be read.
fn blind_logs(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for (service, record) in &state.durable.containers.services {
        if let Some((from, to)) = record.last_gap
            && now < to.after(GAP)
        {
            let what = format!("the log of {service} has a gap");
            let when = if from == to {
                format!("from before {to}")
            } else {
                format!("between {from} and {to}")
            };
            let why = format!("Lines of {service} {when} are lost: what was logged then was not seen.");
            alerts.push(blind_log(service, "gap", to, now, (&what, &why)));
        }
    }
    // One outage of the engine is said once, not for every log; when it is over, each log is opened again in its turn.
    let engine = &state.live.engine;
    let since_back = |since: Timestamp| engine.since.map_or(since, |back| since.max(back));
    let containers = state.live.containers.values().filter(|_| engine.up);
    let containers = containers.map(|live| {
        let since = live.unreadable_since.map(since_back);
        (&live.look.service, &live.log, since)
    });
    let processes = state.live.processes.iter();
    let processes = processes.map(|(service, live)| (service, &live.log, live.unreadable_since));
    for (service, log, since) in containers.chain(processes) {
        let (Some(LogStatus::Unreadable { reason }), Some(since)) = (log, since) else {
            continue;
        };
        if now >= since.after(settings.blind_grace) {
            let what = format!("the log of {service} cannot be read");
            alerts.push(blind_log(service, "log", since, now, (&what, reason)));
        }
    }
    alerts
}

/// When an alert may begin or end by time alone.
pub(in super::super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    for tracked in state.durable.migrations.all.values() {
        let begins = [
            tracked.migration.moved_at,
            tracked.failed_at,
            tracked.schema.foreign_at,
        ];
        moments.extend(begins.into_iter().flatten().map(|at| at.after(settings.keep)));
    }
    let live = state.live.containers.values();
    moments.extend(
        live.clone()
            .filter_map(|live| Some(live.unreadable_since?.after(settings.blind_grace))),
    );
    let processes = state.live.processes.values();
    moments.extend(processes.filter_map(|live| Some(live.unreadable_since?.after(settings.blind_grace))));
    moments.extend(
        live.filter_map(|live| Some(expecting::armed_since(state, live)?.after(settings.armed_after))),
    );
    moments.extend(
        state
            .live
            .engine
            .since
            .map(|since| since.after(settings.blind_grace)),
    );
    moments.extend(
        state
            .live
            .since
            .map(|since| since.after(super::undecided::LONGEST)),
    );
    let gaps = state
        .durable
        .containers
        .services
        .values()
        .filter_map(|record| record.last_gap);
    moments.extend(gaps.map(|(_, to)| to.after(GAP)));
    databases::deadlines(state, settings, moments);
    revisions::deadlines(state, settings, moments);
    stuck::deadlines(state, settings, moments);
}
