//! Alerts about what is to come and what did not come: containers that are armed although nothing expects a migration, and migrations
//! that were expected and are missing.

use std::collections::BTreeMap;

use super::super::State;
use super::super::expectation;
use super::super::live::LiveContainer;
use super::super::settings::Settings;
use super::wanted::{alert, labels};
use super::words;
use crate::model::alert::{Alert, AlertName, Severity};
use crate::model::container::ArmedState;
use crate::model::policy::Policy;
use crate::model::service::{Role, ServiceId};
use crate::model::time::Timestamp;

/// Containers whose next start would migrate, left so for long, while nothing expects a migration.
pub(super) fn armed(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts: BTreeMap<&ServiceId, Alert> = BTreeMap::new();
    let live = state.live.containers.values();
    let live = live.filter(|live| live.look.role == Role::Replica && live.look.state.may_start());
    for live in live.filter(|live| live.look.armed.state == ArmedState::Armed) {
        let (service, wishes) = (&live.look.service, &live.look.labels);
        let ruling = settings.ruling(service, wishes.migrations, wishes.window.as_deref());
        let Some(since) = armed_since(state, live) else {
            continue;
        };
        if ruling.policy == Policy::Allow
            || now < since.after(settings.armed_after)
            || expectation::is_expected_now(state, settings, service, now)
        {
            continue;
        }
        let mut alert = alert(
            AlertName::MigrationArmed,
            Severity::Warning,
            labels(service),
            since,
        );
        alert.observed_at = now;
        (alert.summary, alert.description) = words::armed(service, &live.look.armed);
        alerts.entry(service).or_insert(alert);
    }
    alerts.into_values().collect()
}

/// From the discovery on: a stack that was armed for weeks before migwatch came gets the same hour.
pub(super) fn armed_since(state: &State, live: &LiveContainer) -> Option<Timestamp> {
    let known = state.durable.containers.known.get(&live.look.id)?;
    Some(known.history_until.unwrap_or(known.created_at))
}

/// Migrations that were expected and did not come.
pub(super) fn missing(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let all = expectation::missing(state, settings, now).into_iter();
    let each = all.map(|missing| {
        let mut labels = labels(missing.service);
        labels.insert(missing.by.0.to_owned(), missing.by.1.to_owned());
        let name = AlertName::ExpectedMigrationMissing;
        let mut alert = alert(name, Severity::Warning, labels, missing.over_at);
        alert.observed_at = now;
        (alert.summary, alert.description) = words::missing(&missing);
        alert
    });
    each.collect()
}
