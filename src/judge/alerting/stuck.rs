//! The alert of migrations that get no further: they wait for a lock, or show no progress for long. Level-based and pure, like all
//! that is wanted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::State;
use super::super::live::LiveWait;
use super::super::migration::reading::SKEW;
use super::super::migration::{self, Tracked, settling};
use super::super::schema;
use super::super::settings::Settings;
use super::undecided;
use super::wanted::{alert, labels};
use crate::model::alert::{Alert, AlertName, Severity};
use crate::model::lock::{LockWait, Session};
use crate::model::policy::Policy;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// A lock is waited for this long before it is said.
const WAITED: Duration = Duration::from_secs(5);

/// What is so many times as long is critical.
const CRITICAL: u32 = 3;

/// One alert a service: the worst of its running migrations.
pub(super) fn conditions(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut worst: BTreeMap<&ServiceId, Alert> = BTreeMap::new();
    for tracked in running(state) {
        let by_lock = waits(state, tracked)
            .filter(|it| now >= it.since.after(WAITED))
            .min_by_key(|it| it.since)
            .map(|it| locked(tracked, it, now));
        let Some(mut alert) = by_lock.or_else(|| overdue(state, settings, tracked, now)) else {
            continue;
        };
        if tracked.migration.judgement.policy == Policy::Allow {
            alert.severity = Severity::Warning;
        }
        let service = &tracked.migration.service;
        if worst
            .get(service)
            .is_none_or(|known| known.severity < alert.severity)
        {
            worst.insert(service, alert);
        }
    }
    let mut alerts: Vec<Alert> = worst.into_values().collect();
    for alert in &mut alerts {
        alert.observed_at = now;
    }
    alerts
}

/// When one begins or gets worse by time alone.
pub(super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    moments.push(heard_by(state));
    moments.extend(state.live.since.map(|since| since.after(undecided::LOCKS)));
    let waits = state.live.locks.values().flat_map(BTreeMap::values);
    moments.extend(waits.flat_map(|it| [it.since.after(WAITED), it.since.after(WAITED * CRITICAL)]));
    for tracked in running(state).filter(|tracked| is_at_work(tracked)) {
        let since = settling::last_sign_of(tracked);
        let most = settings.max_duration;
        moments.extend([since.after(most), since.after(most.saturating_mul(CRITICAL))]);
    }
}

fn running(state: &State) -> impl Iterator<Item = &Tracked> {
    let all = state.durable.migrations.all.values().map(AsRef::as_ref);
    all.filter(|tracked| tracked.is_open() && !tracked.is_claim() && !tracked.migration.history)
}

/// Something says that it is at work: a step, or a command whose end will be heard. A start that announced a run and then says
/// nothing may long be serving.
fn is_at_work(tracked: &Tracked) -> bool {
    let is_command = tracked.runner().is_some_and(|runner| runner.command.is_some());
    (is_command || tracked.migration.moved()) && !settling::is_carried_out(tracked)
}

/// What was said while nobody listened is read by then: old lines are no silence.
fn heard_by(state: &State) -> Timestamp {
    let began = state.live.since.max(state.live.engine.since);
    began.unwrap_or_default().after(undecided::LOCKS)
}

fn stuck_since(tracked: &Tracked, since: Timestamp, is_critical: bool) -> Alert {
    let severity = if is_critical {
        Severity::Critical
    } else {
        Severity::Warning
    };
    alert(
        AlertName::MigrationStuck,
        severity,
        labels(&tracked.migration.service),
        since,
    )
}

fn overdue(state: &State, settings: &Settings, tracked: &Tracked, now: Timestamp) -> Option<Alert> {
    let (since, most) = (settling::last_sign_of(tracked), settings.max_duration);
    if !is_at_work(tracked) || now < since.after(most) || now < heard_by(state) {
        return None;
    }
    let migration = &tracked.migration;
    let mut alert = stuck_since(tracked, since, now >= since.after(most.saturating_mul(CRITICAL)));
    alert.summary = format!("A migration of {} gets no further", migration.service);
    let step = migration.steps.last().map_or_else(
        || "it began".to_owned(),
        |timed| {
            format!(
                "its last step was announced ({})",
                migration::in_words(&timed.step)
            )
        },
    );
    alert.description = format!(
        "It runs since {}, and nothing was seen of it since {since}, when {step}. No lock is seen that it waits for: either the step takes long, or the database does not show it (see the runbook).",
        migration.started_at
    );
    Some(alert)
}

fn locked(tracked: &Tracked, live: &LiveWait, now: Timestamp) -> Alert {
    let wait = &live.wait;
    let is_critical = now >= live.since.after(WAITED * CRITICAL);
    let mut alert = stuck_since(tracked, live.since, is_critical);
    let holder = wait.holder.as_ref();
    let by = holder.map_or_else(String::new, |holder| {
        format!(" that {}{holder} holds", probably(wait))
    });
    alert.summary = format!(
        "A migration of {} waits for a lock{by}",
        tracked.migration.service
    );
    let held = match holder {
        Some(holder) => format!("It is {}held by {}.", probably(wait), told(holder)),
        None => "Who holds it cannot be seen with migwatch's rights.".to_owned(),
    };
    alert.description = format!(
        "Seen waiting since {}: {}.\n{held}\nLet that session end its transaction, or end it; then the migration goes on by itself.",
        live.since,
        told(&wait.waiting)
    );
    alert
}

fn probably(wait: &LockWait) -> &'static str {
    if wait.probably { "probably " } else { "" }
}

fn told(session: &Session) -> String {
    let since = session.since.map(|since| format!(", at it since {since}"));
    let since = since.unwrap_or_default();
    let does = match (&session.statement, session.idle) {
        (Some(statement), false) => format!(": {statement}"),
        (Some(statement), true) => format!(", idle in a transaction after: {statement}"),
        (None, true) => ", idle in a transaction".to_owned(),
        (None, false) => " (its statement is not shown to migwatch)".to_owned(),
    };
    format!("{session}{since}{does}")
}

/// The waits that may be this migration's, of the databases that it has to do with.
fn waits<'a>(state: &'a State, tracked: &'a Tracked) -> impl Iterator<Item = &'a LiveWait> {
    let near = state
        .live
        .locks
        .iter()
        .filter(|(database, _)| schema::is_near(state, tracked, database));
    near.flat_map(|(_, waits)| waits.values())
        .filter(|it| is_a_migrations(tracked, &it.wait.waiting))
}

/// Whether the session that waits is a migration's and not the application's own: it changes the schema or a version table, or it
/// logged in after the migration began.
fn is_a_migrations(tracked: &Tracked, session: &Session) -> bool {
    const WORDS: [&str; 9] = [
        "ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE", "COMMENT", "LOCK", "REINDEX", "OPTIMIZE",
    ];
    let is_younger = session
        .connected_at
        .is_some_and(|at| at.after(SKEW) >= tracked.migration.started_at);
    let statement = session.statement.as_deref().unwrap_or_default();
    let word = statement.split_whitespace().next().unwrap_or_default();
    is_younger
        || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || statement.to_ascii_lowercase().contains("version_num")
}
