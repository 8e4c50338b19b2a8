//! The alerts about code and its database: behind, unknown, several heads, a graph that does not hold together. Level-based and pure.

use std::time::Duration;

use super::super::State;
use super::super::code::{self, Seen};
use super::super::expectation;
use super::super::live::LiveStanding;
use super::super::migration::reading::SETTLE;
use super::super::settings::Settings;
use super::wanted::{alert, labels};
use crate::model::alert::{Alert, AlertName, Severity};
use crate::model::migration::{Trigger, Verdict};
use crate::model::policy::Policy;
use crate::model::revision::{Revision, VersionTable};
use crate::model::script::DEFAULT_ENVIRONMENT;
use crate::model::service::ServiceId;
use crate::model::status::StandingWord;
use crate::model::time::Timestamp;

/// How long it is waited for that code is read once more: on a busy host that takes a while, and where it cannot be read, it never comes.
const UNREAD: Duration = Duration::from_secs(30);

/// How many of a list are named.
const NAMED: usize = 10;

/// Everything about code that should fire.
pub(super) fn conditions(state: &State, settings: &Settings, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for (service, record) in &state.durable.containers.services {
        if record.removed_at.is_some() {
            continue;
        }
        for seen in code::newest(state, service).into_values() {
            alerts.extend(broken(service, &seen));
            alerts.extend(several_heads(service, &seen));
        }
        for (table, _) in state.durable.tables.bound(service) {
            alerts.extend(behind(state, settings, (service, table), now));
            alerts.extend(unknown(state, settings, (service, table), now));
        }
    }
    for alert in &mut alerts {
        alert.observed_at = now;
    }
    alerts
}

/// When one of them may begin by time alone.
pub(super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    let environments = state.live.code.all().flat_map(|(_, known)| known.values());
    for standing in environments.flat_map(|environment| environment.standings.values()) {
        if standing.word != StandingWord::AtHead {
            moments.push(standing.since.after(SETTLE));
            moments.push(standing.since.after(UNREAD));
            moments.push(standing.since.after(settings.behind_after));
        }
    }
}

/// Whether nothing can be said about a service's code yet: it was not read since this process began.
pub(super) fn is_unread(state: &State, service: &ServiceId) -> bool {
    let mut containers = state.live.containers.iter();
    let is_there = containers.any(|(_, live)| live.look.service == *service);
    is_there && code::of(state, service).is_empty()
}

/// Whether an alert with these labels fires: what has waited once does not wait again after a restart of migwatch.
fn is_firing(state: &State, alert: &Alert) -> bool {
    let mut own = state.durable.alerts.firing.values();
    own.any(|firing| {
        let same = |key: &str| firing.labels.get(key) == alert.labels.get(key);
        firing.name == alert.name
            && ["project", "service", "database", "table"]
                .iter()
                .all(|key| same(key))
    })
}

fn of_table(
    name: AlertName,
    severity: Severity,
    (service, table): (&ServiceId, &VersionTable),
    since: Timestamp,
) -> Alert {
    let mut labels = labels(service);
    labels.insert("database".to_owned(), table.database.0.clone());
    labels.insert("table".to_owned(), table.table.clone());
    alert(name, severity, labels, since)
}

fn behind(
    state: &State,
    settings: &Settings,
    (service, table): (&ServiceId, &VersionTable),
    now: Timestamp,
) -> Option<Alert> {
    let (seen, standing) = code::standing(state, service, table)?;
    if !matches!(standing.word, StandingWord::Behind | StandingWord::Diverged) || standing.pending.is_empty()
    {
        return None;
    }
    let mut alert = of_table(
        AlertName::RevisionBehind,
        Severity::Warning,
        (service, table),
        standing.since,
    );
    let is_due = now >= standing.since.after(settings.behind_after) || is_firing(state, &alert);
    if !is_due || is_awaited(state, settings, service, now) {
        return None;
    }
    let count = standing.pending.len();
    alert.summary = format!(
        "{table} is {count} {} behind the code of {service}",
        if count == 1 { "revision" } else { "revisions" }
    );
    alert.description = format!(
        "{table} stands at {}; the code in {} (image {}) has this pending:\n{}\nRun the migration as planned, or roll the image back. `migwatch plan {service}` shows what it would do.",
        standing.heads,
        seen.live.look.name,
        seen.live.look.image,
        pending(standing)
    );
    Some(alert)
}

/// Somebody migrates, or is about to.
fn is_awaited(state: &State, settings: &Settings, service: &ServiceId, now: Timestamp) -> bool {
    state.durable.migrations.running(service).is_some()
        || expectation::is_expected_now(state, settings, service, now)
}

fn pending(standing: &LiveStanding) -> String {
    let mut lines: Vec<String> = standing
        .pending
        .iter()
        .take(NAMED)
        .map(|pending| {
            let title = pending.title.as_deref().map(|title| format!(" {title}"));
            let mark = if pending.destructive { " (destructive)" } else { "" };
            format!("- {}{}{mark}", pending.revision, title.unwrap_or_default())
        })
        .collect();
    let rest = standing.pending.len().saturating_sub(NAMED);
    if rest > 0 {
        lines.push(format!("- and {rest} more"));
    }
    lines.join("\n")
}

fn unknown(
    state: &State,
    settings: &Settings,
    (service, table): (&ServiceId, &VersionTable),
    now: Timestamp,
) -> Option<Alert> {
    let revisions: Vec<Revision> = code::unknown_to_all(state, settings, service, table)
        .into_iter()
        .collect();
    let (seen, standing) = code::standing(state, service, table)?;
    // The code that knows comes right after.
    if revisions.is_empty() || is_awaited(state, settings, service, now) {
        return None;
    }
    let label = seen.live.look.labels.migrations;
    let severity = match settings.policy_of(service, label) {
        Policy::Allow => Severity::Warning,
        Policy::Explicit | Policy::Deny => Severity::Critical,
    };
    let mut alert = of_table(
        AlertName::RevisionUnknown,
        severity,
        (service, table),
        standing.since,
    );
    let wait = if was_planned(state, table, standing) {
        settings.behind_after
    } else if seen.environment.read_at >= standing.since {
        SETTLE
    } else {
        // Files may have changed since they were read: they are looked at again where a row is not known.
        UNREAD
    };
    if now < standing.since.after(wait) && !is_firing(state, &alert) {
        return None;
    }
    let list: Vec<&str> = revisions.iter().map(|revision| revision.0.as_str()).collect();
    let list = list.join(", ");
    alert.summary = format!("{table} stands at {list}, which no running container of {service} knows");
    let known_by = code::known_by(state, &revisions);
    let who = if known_by.is_empty() {
        "Nobody on this host knows it.".to_owned()
    } else {
        format!("On this host it is known to: {}.", known_by.join(", "))
    };
    alert.description = format!(
        "The database was migrated by newer or by other code than what runs in {} (image {}). {who}\nUntil the matching code runs, an upgrade there fails with \"Can't locate revision\", and the application meets a schema that it was not written for.",
        seen.live.look.name, seen.live.look.image
    );
    Some(alert)
}

/// Whether an expected migration on this host brought the table there: in a planned deploy the code that knows comes some time after.
fn was_planned(state: &State, table: &VersionTable, standing: &LiveStanding) -> bool {
    let mut all = state.durable.migrations.all.values();
    all.any(|tracked| {
        let migration = &tracked.migration;
        let mut moves = migration.movements.iter();
        migration.judgement.verdict == Verdict::Expected
            && migration.trigger != Trigger::OutOfBand
            && moves.any(|moved| moved.table == *table && moved.to == standing.heads)
    })
}

fn of_environment(name: AlertName, service: &ServiceId, seen: &Seen<'_>) -> Alert {
    let mut labels = labels(service);
    if seen.name != DEFAULT_ENVIRONMENT {
        labels.insert("environment".to_owned(), seen.name.to_owned());
    }
    alert(name, Severity::Warning, labels, seen.environment.since)
}

/// Where an environment was read.
fn place(seen: &Seen<'_>) -> String {
    format!(
        "{} (image {})",
        seen.environment.code.config, seen.live.look.image
    )
}

fn several_heads(service: &ServiceId, seen: &Seen<'_>) -> Option<Alert> {
    let heads = &seen.environment.graph.heads;
    if heads.len() < 2 {
        return None;
    }
    let mut alert = of_environment(AlertName::MultipleHeads, service, seen);
    let list: Vec<String> = heads.iter().take(NAMED).map(ToString::to_string).collect();
    alert.summary = format!("The code of {service} has {} heads", heads.len());
    alert.description = format!(
        "In {} these are heads: {}. `alembic upgrade head` refuses to choose. Merge them (`alembic merge heads`), or acknowledge this if the branches are meant.",
        place(seen),
        list.join(", ")
    );
    Some(alert)
}

fn broken(service: &ServiceId, seen: &Seen<'_>) -> Option<Alert> {
    let problems = &seen.environment.graph.problems;
    let first = problems.first()?;
    let mut alert = of_environment(AlertName::RevisionGraphBroken, service, seen);
    alert.summary = format!("The revision scripts of {service} do not hold together: {first}");
    let list: Vec<String> = problems
        .iter()
        .take(NAMED)
        .map(|problem| format!("- {problem}"))
        .collect();
    alert.description = format!("In {}:\n{}", place(seen), list.join("\n"));
    Some(alert)
}
