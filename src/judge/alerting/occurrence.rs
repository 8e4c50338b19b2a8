//! The alerts of single migrations: which should fire, and how they are told apart. Words are made only where they are needed.

use std::collections::BTreeMap;

use super::super::State;
use super::super::migration::Tracked;
use super::super::settings::Settings;
use super::wanted::alert;
use super::{databases, words};
use crate::model::alert::{Alert, AlertName, Fingerprint, Severity};
use crate::model::migration::{Grade, Outcome, Verdict};
use crate::model::policy::Policy;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// An alert of one migration, not worded yet.
pub(super) struct Occurrence<'a> {
    name: AlertName,
    severity: Severity,
    at: Timestamp,
    observed_at: Option<Timestamp>,
    tracked: &'a Tracked,
}

impl Occurrence<'_> {
    /// In the order of their keys.
    fn labels<'b>(&'b self, settings: &'b Settings) -> impl Iterator<Item = (&'b str, &'b str)> {
        let migration = &self.tracked.migration;
        let host = (!settings.host.is_empty()).then_some(("host", settings.host.as_str()));
        host.into_iter().chain([
            ("migration", migration.id.0.as_str()),
            ("project", migration.service.project.as_str()),
            ("service", migration.service.service.as_str()),
        ])
    }

    pub(super) fn fingerprint(&self, settings: &Settings) -> Fingerprint {
        Fingerprint::of(self.name, self.labels(settings))
    }

    pub(super) fn worded(&self, settings: &Settings, now: Timestamp) -> Alert {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let labels = self.labels(settings).map(owned).collect();
        let mut alert = alert(self.name, self.severity, labels, self.at);
        alert.observed_at = self.observed_at.unwrap_or(now);
        (alert.summary, alert.description) = words::of_migration(self.name, self.tracked);
        alert
    }
}

/// The alerts of one migration: each closed by a person or by time, never by being covered by the next.
pub(super) fn all<'a>(
    state: &State,
    settings: &Settings,
    tracked: &'a Tracked,
    successes: &BTreeMap<&ServiceId, Timestamp>,
    now: Timestamp,
) -> Vec<Occurrence<'a>> {
    let migration = &tracked.migration;
    let is_closed = migration.acknowledged.is_some() || migration.superseded_by.is_some();
    if migration.history || migration.grade == Grade::Claimed || is_closed {
        return Vec::new();
    }
    let severity = match migration.judgement.policy {
        Policy::Allow => Severity::Warning,
        Policy::Explicit | Policy::Deny => Severity::Critical,
    };
    let mut occurrences = Vec::new();
    let mut raise = |name, severity, at: Timestamp, observed_at| {
        if now < at.after(settings.keep) {
            occurrences.push(Occurrence {
                name,
                severity,
                at,
                observed_at,
                tracked,
            });
        }
    };
    if let Some(at) = migration.moved_at
        && migration.judgement.verdict == Verdict::Unexpected
    {
        raise(
            AlertName::UnexpectedMigration,
            severity,
            at,
            tracked.moved_observed_at,
        );
    }
    if let Some(at) = tracked.failed_at
        && !came_through(successes, tracked)
    {
        // While it is tried again it stays what it was at first.
        let name = match tracked.failed_as {
            Some(Outcome::Interrupted) if migration.cause.is_none() => AlertName::MigrationInterrupted,
            Some(Outcome::HalfApplied) => AlertName::MigrationHalfApplied,
            _ => AlertName::MigrationFailed,
        };
        raise(name, severity, at, None);
    }
    if let Some(at) = tracked.schema.foreign_at {
        let severity = databases::severity_of_foreign(state, settings, &tracked.schema.foreign, severity);
        raise(AlertName::ForeignSchemaChange, severity, at, None);
    }
    if migration.outcome == Outcome::NothingApplied
        && let Some(at) = migration.ended_at
    {
        raise(AlertName::MigrationNothingApplied, Severity::Warning, at, None);
    }
    if migration.concurrent
        && let Some(at) = migration.moved_at
    {
        raise(AlertName::ConcurrentMigrations, Severity::Warning, at, None);
    }
    occurrences
}

/// When the latest run that came through began, by service.
pub(super) fn successes(state: &State) -> BTreeMap<&ServiceId, Timestamp> {
    let mut latest = BTreeMap::new();
    for tracked in state.durable.migrations.all.values() {
        let migration = &tracked.migration;
        if is_good(migration.outcome) && !tracked.is_claim() {
            let at = latest.entry(&migration.service).or_insert(migration.started_at);
            *at = migration.started_at.max(*at);
        }
    }
    latest
}

fn is_good(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Applied | Outcome::NothingToDo | Outcome::Stamped | Outcome::Downgraded
    )
}

/// It was tried again with success, or a later migration of the same service was.
fn came_through(successes: &BTreeMap<&ServiceId, Timestamp>, failed: &Tracked) -> bool {
    let migration = &failed.migration;
    let later = successes.get(&migration.service);
    is_good(migration.outcome) || later.is_some_and(|later| *later > migration.started_at)
}
