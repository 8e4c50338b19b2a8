//! The alerts about databases: away, drifted, replaced; and what a migration changed of others. Level-based and pure, like all that is
//! wanted.

use super::super::State;
use super::super::containers::{Finish, KEEP_STARTS, Known};
use super::super::live::LiveDatabase;
use super::super::schema::{Drift, RETURN, Replaced, SchemaRecord};
use super::super::settings::Settings;
use super::wanted::alert;
use super::words;
use crate::model::alert::{Alert, AlertName, Severity};
use crate::model::database::DatabaseProblemKind;
use crate::model::fact::ForeignChange;
use crate::model::migration::Migration;
use crate::model::policy::Policy;
use crate::model::revision::DatabaseId;
use crate::model::schema::in_words;
use crate::model::service::{Role, ServiceId};
use crate::model::time::Timestamp;

/// The conditions of databases.
pub(super) fn conditions(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts = unreachable(state, settings, now);
    let schemas = &state.durable.schemas;
    let known = schemas.known.iter();
    alerts
        .extend(known.filter_map(|(database, record)| Some(drift(database, record, record.drift.as_ref()?))));
    let replaced = schemas.replaced.iter();
    let told = replaced.filter(|(_, it)| !it.approved && now < it.last_at.after(RETURN));
    alerts.extend(told.map(|(database, it)| replacement(database, it)));
    for alert in &mut alerts {
        alert.observed_at = now;
    }
    alerts
}

/// When one of them begins or ends by time alone.
pub(super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    let databases = state.live.databases.values();
    let missed = databases.filter_map(|live| missed_since(state, live));
    moments.extend(missed.map(|since| since.after(settings.database_grace)));
    let replaced = state.durable.schemas.replaced.values();
    moments.extend(replaced.map(|it| it.last_at.after(RETURN)));
}

fn unreachable(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for (database, live) in &state.live.databases {
        let (Some(since), Err(problem)) = (missed_since(state, live), &live.reading.tables) else {
            continue;
        };
        let migrates = live
            .reading
            .services
            .iter()
            .any(|service| state.durable.migrations.running(service).is_some());
        let is_busy = migrates && problem.kind == DatabaseProblemKind::Timeout;
        let is_known = state.durable.tables.connected.contains(database);
        if !is_known || is_busy || now < since.after(settings.database_grace) {
            continue;
        }
        let labels = [("database".to_owned(), database.0.clone())].into();
        let mut alert = alert(AlertName::DatabaseUnreachable, Severity::Warning, labels, since);
        (alert.summary, alert.description) = words::database(live, problem);
        alerts.push(alert);
    }
    alerts
}

/// Since when a database is away that somebody would use. One that was stopped together with everybody who uses it (a stack at night) is
/// missed by nobody, and what was missed before they start is not held against it.
pub(super) fn missed_since(state: &State, live: &LiveDatabase) -> Option<Timestamp> {
    let failing_since = live.failing_since?;
    let services = &live.reading.services;
    let seen = &state.durable.containers.services;
    let is_elsewhere =
        |service: &ServiceId| !seen.contains_key(service) || state.live.processes.contains_key(service);
    // Of these nobody can say whether they run.
    if services.is_empty() || services.iter().any(is_elsewhere) || !state.live.engine.looked {
        return Some(failing_since);
    }
    let containers = state.live.containers.values();
    let users = containers.filter(|live| services.contains(&live.look.service));
    let known = users.filter_map(|live| state.durable.containers.known.get(&live.look.id));
    let used_since = known.filter_map(at_work_since).min()?;
    Some(failing_since.max(used_since))
}

/// Since when a container is at work, over all ends that nobody asked for: it may be the missing database that ends it.
fn at_work_since(known: &Known) -> Option<Timestamp> {
    let stays_away = known.restart_policy.is_some_and(|policy| !policy.restarts(0));
    let is_over = |finish: &Finish| {
        finish.asked || known.role != Role::Replica || (stays_away && finish.exit_code == 0)
    };
    // Of one that ends again and again only the last starts are kept.
    let may_lack_starts = known.starts.is_empty() || known.starts.len() >= KEEP_STARTS;
    let mut since = may_lack_starts.then_some(known.created_at);
    for start in &known.starts {
        since.get_or_insert(start.started_at);
        if start.finish.as_ref().is_some_and(is_over) {
            since = None;
        }
    }
    since
}

fn of_database(name: AlertName, database: &DatabaseId, at: Timestamp) -> Alert {
    let labels = [("database".to_owned(), database.0.clone())].into();
    alert(name, Severity::Warning, labels, at)
}

fn drift(database: &DatabaseId, record: &SchemaRecord, drift: &Drift) -> Alert {
    let mut alert = of_database(AlertName::SchemaDrift, database, drift.at);
    let changes = in_words(&record.differences());
    alert.summary = format!(
        "The schema of {database} changed, and no migration did it{}",
        first(&changes)
    );
    let late = if drift.late {
        "It was found after the fact: it happened while migwatch did not run.\n"
    } else {
        ""
    };
    alert.description = format!(
        "Since {}:\n{}\n{late}Change it back, or acknowledge this to accept the schema as it is.",
        drift.at,
        list(&changes)
    );
    alert
}

fn replacement(database: &DatabaseId, replaced: &Replaced) -> Alert {
    let mut alert = of_database(AlertName::DatabaseReplaced, database, replaced.since);
    alert.summary = format!(
        "Tables of {database} vanished or came back all at once{}",
        first(&replaced.changes)
    );
    alert.description = format!(
        "Since {}:\n{}\nNo migration does that: it looks like a restored backup, an emptied or a new database. What stands there now is the new baseline.",
        replaced.since,
        list(&replaced.changes)
    );
    alert
}

fn first(changes: &[String]) -> String {
    match changes {
        [] => String::new(),
        [only] => format!(": {only}"),
        [first, rest @ ..] => format!(": {first} and {} more", rest.len()),
    }
}

fn list(changes: &[String]) -> String {
    let lines: Vec<String> = changes.iter().map(|words| format!("- {words}")).collect();
    lines.join("\n")
}

/// Summary and description of a migration that changed what others had made.
pub(super) fn foreign_change(migration: &Migration, foreign: &[ForeignChange]) -> (String, String) {
    let told: Vec<String> = foreign
        .iter()
        .map(|it| {
            let done = if it.dropped { "dropped" } else { "altered" };
            format!("table {} of {} {done}", it.table, it.owner)
        })
        .collect();
    let summary = format!(
        "A migration of {} changed tables of another service{}",
        migration.service,
        first(&told)
    );
    (summary, list(&told))
}

/// How bad that is: under `allow` a warning, unless the owner's policy is another.
pub(super) fn severity_of_foreign(
    state: &State,
    settings: &Settings,
    foreign: &[ForeignChange],
    own: Severity,
) -> Severity {
    let services = &state.durable.containers.services;
    let remembered = |owner: &ServiceId| services.get(owner).and_then(|record| record.policy);
    let is_strict = |owner: &ServiceId| settings.policy_of(owner, remembered(owner)) != Policy::Allow;
    if foreign.iter().any(|it| is_strict(&it.owner)) {
        Severity::Critical
    } else {
        own
    }
}
