//! What alerts say to people: what was seen, when and by which witness, and what to do.

use super::super::State;
use super::super::expectation::Missing;
use super::super::live::LiveDatabase;
use super::super::migration::Tracked;
use super::databases;
use crate::model::alert::{Alert, AlertName};
use crate::model::container::Armed;
use crate::model::database::DatabaseProblem;
use crate::model::migration::{Migration, MigrationId, Outcome};
use crate::model::service::ServiceId;

/// Evidence quoted in an alert: the first pieces tell how it came about; the page has the rest.
const QUOTED: usize = 6;

/// Summary and description of a migration's alert.
pub(super) fn of_migration(name: AlertName, tracked: &Tracked) -> (String, String) {
    let migration = &tracked.migration;
    let service = &migration.service;
    let span = match (migration.from(), migration.to()) {
        (Some(from), Some(to)) => format!(" ({from} -> {to})"),
        _ => String::new(),
    };
    if name == AlertName::ForeignSchemaChange {
        let (summary, changes) = databases::foreign_change(migration, &tracked.schema.foreign);
        return (summary, format!("{changes}\n{}", description(migration)));
    }
    let summary = match name {
        AlertName::UnexpectedMigration => format!("A migration of {service} ran that nobody planned{span}"),
        AlertName::MigrationInterrupted => format!("A migration of {service} was interrupted{span}"),
        AlertName::MigrationHalfApplied => {
            let changes = tracked.schema.changes.join(", ");
            format!("A migration of {service} failed{span}, and a part of it stayed: {changes}")
        }
        AlertName::MigrationNothingApplied => {
            format!("A migration of {service} said that it ran, and the database stayed where it was{span}")
        }
        AlertName::ConcurrentMigrations => {
            format!("Several processes migrated {service} at the same time{span}")
        }
        _ => {
            let cause = migration
                .cause
                .as_ref()
                .map(|cause| format!(": {}", cause.message));
            format!(
                "A migration of {service} failed{span}{}",
                cause.unwrap_or_default()
            )
        }
    };
    (summary, description(migration))
}

fn description(migration: &Migration) -> String {
    let mut lines = vec![format!(
        "Verdict: {} by rule {} of policy {}: {}.",
        migration.judgement.verdict.as_str(),
        migration.judgement.rule.as_str(),
        migration.judgement.policy,
        migration.judgement.reason
    )];
    lines.push(format!(
        "Evidence ({}), trigger {}:",
        migration.grade.as_str(),
        migration.trigger.as_str()
    ));
    for piece in migration.evidence.iter().take(QUOTED) {
        lines.push(format!(
            "- {} {}: {}",
            piece.at,
            piece.witness.as_str(),
            piece.text
        ));
    }
    if migration.attempts > 1 {
        lines.push(format!(
            "It was tried {} times; the first error is the cause.",
            migration.attempts.min(100)
        ));
    }
    if let Some(cause) = &migration.cause {
        let code = cause
            .code
            .as_ref()
            .map(|code| format!(" ({code})"))
            .unwrap_or_default();
        lines.push(format!(
            "First cause: {}{code}: {}",
            cause.class.as_str(),
            cause.message
        ));
        if let Some(statement) = &cause.statement {
            lines.push(format!("Statement: {statement}"));
        }
        lines.push(format!("What to do: {}", cause.class.remedy()));
    }
    lines.join("\n")
}

/// One line for the condition of a service.
pub(super) fn condition(name: AlertName, service: &ServiceId) -> String {
    match name {
        AlertName::RestartLoop => format!("{service} restarts again and again"),
        AlertName::ServiceUnhealthy => format!("{service} is unhealthy"),
        AlertName::EndpointDown => format!("{service} runs, but its endpoint does not answer as it should"),
        AlertName::ProxyDown => format!("{service} answers itself, but not through the proxy in front"),
        _ => format!("{service} is down"),
    }
}

/// Summary and description of an armed service.
pub(super) fn armed(service: &ServiceId, armed: &Armed) -> (String, String) {
    let summary = format!("The next start of {service} would run migrations");
    let why = armed.source.explain();
    (
        summary,
        format!("It is armed: {why}. Recreate it with the switch off once the deploy is done."),
    )
}

/// Summary and description of a migration that was expected and did not come.
pub(super) fn missing(missing: &Missing<'_>) -> (String, String) {
    let Missing { service, by, .. } = missing;
    let summary = match &missing.to {
        Some((to, _)) => format!("{service} was to be migrated to {to}, and is not there"),
        None => format!("{service} was to be migrated, and no migration of it came through"),
    };
    let standing = match &missing.to {
        Some((_, standing)) => format!(" As last read: {standing}."),
        None => " Nothing was seen to run since it was approved.".to_owned(),
    };
    let description = format!(
        "The {} {} is over ({}) and was not used; {}.{standing}",
        by.0, by.1, missing.end, missing.whose
    );
    (summary, description)
}

/// Summary and description of a database that is away.
pub(super) fn database(live: &LiveDatabase, problem: &DatabaseProblem) -> (String, String) {
    let database = &live.reading.database;
    let last = live
        .last_read
        .map(|at| format!(" Last read {at}."))
        .unwrap_or_default();
    (
        format!("Database {database} cannot be read"),
        format!("{}.{last}", problem.detail.trim_end_matches('.')),
    )
}

/// The service that an alert is about.
pub(super) fn service_of(alert: &Alert) -> Option<ServiceId> {
    Some(ServiceId::new(
        alert.labels.get("project")?,
        alert.labels.get("service")?,
    ))
}

/// Why an alert is over.
pub(super) fn why_resolved(state: &State, alert: &Alert) -> String {
    let migration = alert.labels.get("migration").map(|id| MigrationId(id.clone()));
    let tracked = migration.and_then(|id| state.durable.migrations.all.get(&id));
    if let Some(acknowledgement) = tracked.and_then(|tracked| tracked.migration.acknowledged.as_ref()) {
        return by_whom("acknowledged", acknowledgement);
    }
    if let Some(by) = tracked.and_then(|tracked| tracked.migration.superseded_by.as_ref()) {
        return format!("{by} explains it: late evidence showed who moved the database");
    }
    let has_moved = tracked.is_none_or(|tracked| tracked.migration.moved());
    match alert.name {
        AlertName::UnexpectedMigration if !has_moved => "it moved nothing after all".to_owned(),
        AlertName::UnexpectedMigration | AlertName::ForeignSchemaChange => {
            "kept for its time; nobody acknowledged it".to_owned()
        }
        AlertName::MigrationFailed
            if tracked.is_some_and(|tracked| tracked.failed_as == Some(Outcome::HalfApplied)) =>
        {
            "a part of it stayed: see MigrationHalfApplied".to_owned()
        }
        AlertName::MigrationFailed | AlertName::MigrationHalfApplied | AlertName::MigrationInterrupted => {
            "a later run came through, or it was kept for its time".to_owned()
        }
        AlertName::MigrationStuck => "it moved on, or it ended".to_owned(),
        AlertName::SchemaDrift => "the schema is as it should be, or a migration explains it".to_owned(),
        AlertName::DatabaseReplaced => "told for its time; the new baseline stays".to_owned(),
        _ => "it is over".to_owned(),
    }
}

pub(super) fn by_whom(done: &str, acknowledgement: &crate::model::migration::Acknowledgement) -> String {
    let note = if acknowledgement.note.is_empty() {
        String::new()
    } else {
        format!(": {}", acknowledgement.note)
    };
    format!("{done} by {}{note}", acknowledgement.by)
}
