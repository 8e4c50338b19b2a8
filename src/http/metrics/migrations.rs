//! The migrations as metrics: counters from the services, gauges from the recent migrations.

use super::exposition::Exposition;
use super::host::count;
use crate::model::migration::{Migration, Outcome, Trigger, Verdict};
use crate::model::status::{ServiceStatus, Status};
use crate::model::time::Timestamp;

/// Adds what is known of every service's migrations.
pub(super) fn add(to: &mut Exposition, status: &Status) {
    for service in &status.services {
        add_counters(to, service);
        let own: Vec<&Migration> = status
            .migrations
            .iter()
            .filter(|migration| migration.service == service.service && !migration.history)
            .collect();
        add_running(to, service, &own);
        add_last(to, service, &own);
    }
}

/// All label values of the closed sets from the first scrape on: `increase()` does not see a series that is born at 1.
fn add_counters(to: &mut Exposition, service: &ServiceStatus) {
    let (id, counters) = (&service.service, &service.counters);
    for outcome in Outcome::SETTLED {
        let settled = counters.migrations.get(&outcome).copied().unwrap_or(0);
        to.set_of(
            id,
            "migwatch_migrations_total",
            &[("outcome", outcome.as_str())],
            count(settled),
        );
    }
    for trigger in Trigger::ALL {
        for verdict in Verdict::ALL {
            let given = counters.verdicts.get(&(trigger, verdict)).copied().unwrap_or(0);
            let labels = [("trigger", trigger.as_str()), ("verdict", verdict.as_str())];
            to.set_of(id, "migwatch_migration_verdicts_total", &labels, count(given));
        }
    }
    to.set_of(id, "migwatch_migration_skips_total", &[], count(counters.skips));
    let open = f64::from(service.unexpected_open);
    to.set_of(id, "migwatch_unexpected_migrations_open", &[], open);
}

fn add_running(to: &mut Exposition, service: &ServiceStatus, own: &[&Migration]) {
    let running = own
        .iter()
        .filter(|migration| migration.outcome == Outcome::Running);
    let number = u64::try_from(running.clone().count()).unwrap_or(u64::MAX);
    to.set_of(&service.service, "migwatch_migration_running", &[], count(number));
    if let Some(began) = running.map(|migration| migration.started_at).min() {
        let name = "migwatch_migration_start_timestamp_seconds";
        to.set_of(&service.service, name, &[], began.as_seconds_f64());
    }
}

fn add_last(to: &mut Exposition, service: &ServiceStatus, own: &[&Migration]) {
    for verdict in Verdict::ALL {
        let with_verdict = own
            .iter()
            .filter(|migration| migration.judgement.verdict == verdict);
        if let Some(at) = with_verdict.filter_map(|migration| counted_at(migration)).max() {
            let labels = [("verdict", verdict.as_str())];
            let name = "migwatch_migration_last_timestamp_seconds";
            to.set_of(&service.service, name, &labels, at.as_seconds_f64());
        }
    }
    let settled = own
        .iter()
        .filter_map(|migration| migration.ended_at.map(|end| (end, migration.started_at)));
    if let Some((end, began)) = settled.max() {
        let took = end.since(began).as_secs_f64();
        to.set_of(
            &service.service,
            "migwatch_migration_last_duration_seconds",
            &[],
            took,
        );
    }
}

/// When a migration first did what verdicts are about: moved something, or failed.
fn counted_at(migration: &Migration) -> Option<Timestamp> {
    let failed = matches!(migration.outcome, Outcome::Failed | Outcome::Interrupted);
    migration
        .moved_at
        .or_else(|| failed.then(|| migration.ended_at.unwrap_or(migration.started_at)))
}
