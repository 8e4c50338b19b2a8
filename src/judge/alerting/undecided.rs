//! Which alerts stay as they are because nothing can be said about their subject yet: after a restart of migwatch, or while the
//! engine is away. Refuses to raise anything.

use std::time::Duration;

use super::super::settings::Settings;
use super::super::{State, health};
use super::{databases, revisions, words};
use crate::model::alert::{Alert, AlertName as Name};
use crate::model::observation::LogStatus;
use crate::model::service::ServiceId;
use crate::model::status::ConditionWord;
use crate::model::time::Timestamp;

/// A subject that shows no sign at all is waited for at most this long after the start of this process.
pub(super) const LONGEST: Duration = Duration::from_mins(5);

/// A wait for a lock is seen again within this time.
pub(super) const LOCKS: Duration = Duration::from_secs(30);

/// Whether an alert that fires, and is not wanted now, stays: its subject was not looked at long enough to say that it is over.
pub(super) fn is_undecided(state: &State, settings: &Settings, alert: &Alert, now: Timestamp) -> bool {
    let is_young = state.live.since.is_none_or(|since| now < since.after(LONGEST));
    let is_engine_silent = !state.live.engine.looked || !state.live.engine.up;
    match alert.name {
        name if name.is_per_occurrence() => false,
        Name::DatabaseUnreachable => match database(state, alert) {
            Some(is_missed) => is_missed,
            None => is_young,
        },
        Name::WatcherBlind => match alert.labels.get("blind").map(String::as_str) {
            Some("engine") => !state.live.engine.up && is_young,
            Some("log") => is_engine_silent || is_log_unsure(state, alert, is_young),
            _ => false,
        },
        Name::EndpointDown | Name::ProxyDown => {
            is_engine_silent || are_probes_unsure(state, settings, alert, is_young, now)
        }
        // Both are kept, not seen.
        Name::SchemaDrift | Name::DatabaseReplaced => false,
        Name::RevisionBehind | Name::RevisionUnknown | Name::MultipleHeads | Name::RevisionGraphBroken => {
            let unread = |service| revisions::is_unread(state, &service);
            is_engine_silent || (is_young && words::service_of(alert).is_some_and(unread))
        }
        Name::MigrationStuck => is_lock_unsure(state, alert, now),
        _ => is_engine_silent,
    }
}

/// Whether the migration still runs, and who waits for whom was not looked at for long enough.
fn is_lock_unsure(state: &State, alert: &Alert, now: Timestamp) -> bool {
    let is_young = state.live.since.is_none_or(|since| now < since.after(LOCKS));
    let runs = |service| state.durable.migrations.running(&service).is_some();
    is_young && words::service_of(alert).is_some_and(runs)
}

/// Whether the alert's database is missed still, if only for less than the grace; `None` if it was not tried yet.
fn database(state: &State, alert: &Alert) -> Option<bool> {
    let name = alert.labels.get("database")?;
    let mut known = state.live.databases.iter();
    let (_, live) = known.find(|(database, _)| database.0 == *name)?;
    Some(databases::missed_since(state, live).is_some())
}

fn is_log_unsure(state: &State, alert: &Alert, is_young: bool) -> bool {
    let Some(service) = words::service_of(alert) else {
        return false;
    };
    let containers = state.live.containers.values();
    let mut logs = containers.filter(|live| live.look.service == service).peekable();
    if logs.peek().is_none() {
        return false;
    }
    let statuses: Vec<_> = logs.filter_map(|live| live.log.as_ref()).collect();
    let fails = |status: &&LogStatus| matches!(status, LogStatus::Unreadable { .. });
    statuses.iter().any(fails) || (statuses.is_empty() && is_young)
}

/// The service runs, and none of its probes has answered since, or failed often enough to be believed; or it may answer yet.
fn are_probes_unsure(
    state: &State,
    settings: &Settings,
    alert: &Alert,
    is_young: bool,
    now: Timestamp,
) -> bool {
    let Some(service) = words::service_of(alert) else {
        return false;
    };
    let mut replicas = state.live.replicas(&service);
    if replicas.any(|live| health::may_answer_yet(state, live, now)) {
        return true;
    }
    let runs = |service: &ServiceId| {
        let sight = health::Sight::new(state);
        health::condition(&sight, settings, service, now).word == ConditionWord::Up
    };
    let mut probes = state.live.probes_of(&service).peekable();
    let is_unsure = match probes.peek() {
        None => is_young,
        Some(_) => {
            probes.any(|(id, live)| live.result.failure.is_some() && !health::is_failing(settings, id, live))
        }
    };
    is_unsure && runs(&service)
}
