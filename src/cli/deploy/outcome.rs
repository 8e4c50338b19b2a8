//! What became of a deploy, as far as the status tells: well, badly, or not known yet.

use std::time::Duration;

use crate::model::approval::Approval;
use crate::model::migration::{Grade, Migration, Outcome, Verdict};
use crate::model::revision::{Revision, Standing};
use crate::model::status::{ConditionWord, ServiceStatus, Status};

/// Where nothing runs and nothing starts, a migration that was not seen by then does not come.
const NOTHING_COMES: Duration = Duration::from_secs(15);

/// What is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It is as it should be: one sentence.
    Good(String),
    /// It is not: one sentence.
    Bad(String),
    /// It may still become so; what is missing.
    Open(String),
}

impl Outlook {
    pub(super) fn said(&self) -> &str {
        match self {
            Self::Good(said) | Self::Bad(said) | Self::Open(said) => said,
        }
    }

    pub(super) fn is_good(&self) -> bool {
        matches!(self, Self::Good(_))
    }
}

/// What became of it, `waited` after the command had ended.
pub(super) fn of(status: &Status, approval: &Approval, waited: Duration) -> Outlook {
    // Newest first.
    let own: Vec<&Migration> = status
        .migrations
        .iter()
        .filter(|migration| is_own(migration, approval))
        .collect();
    let unplanned = own.iter().find(|one| {
        one.moved() && one.judgement.verdict == Verdict::Unexpected && one.acknowledged.is_none()
    });
    if let Some(one) = unplanned {
        return Outlook::Bad(format!(
            "a migration ran that was not approved: {}",
            one.judgement.reason
        ));
    }
    if let Some(one) = own.iter().find(|one| one.outcome == Outcome::Running) {
        return Outlook::Open(format!("the migration {} still runs", one.id));
    }
    if let Some(failed) = own.first().and_then(|latest| failure(latest)) {
        return Outlook::Bad(failed);
    }
    match &approval.to {
        Some(to) => at(status, approval, to),
        None => ran(status, approval, &own, waited),
    }
}

fn is_own(migration: &Migration, approval: &Approval) -> bool {
    let is_approved = migration.judgement.expectation.as_deref() == Some(&approval.id.0);
    let is_since = migration.service == approval.service && migration.started_at >= approval.from;
    let is_claim = migration.grade == Grade::Claimed;
    (is_approved || is_since) && !migration.history && !is_claim && migration.superseded_by.is_none()
}

fn failure(latest: &Migration) -> Option<String> {
    let is_bad = matches!(
        latest.outcome,
        Outcome::Failed | Outcome::HalfApplied | Outcome::Interrupted | Outcome::NothingApplied
    );
    let reason = latest.outcome_reason.clone().unwrap_or_default();
    let why = latest
        .cause
        .as_ref()
        .map_or(reason, |cause| cause.message.clone());
    is_bad.then(|| {
        format!(
            "the migration {} ended as {}: {why}",
            latest.id,
            latest.outcome.as_str()
        )
    })
}

/// Whether the database is where it should be.
fn at(status: &Status, approval: &Approval, to: &Revision) -> Outlook {
    let service = &approval.service;
    let standings = standings(status, approval);
    let is_there = |standing: &&Standing| match standing {
        Standing::At(heads) => heads.hold(to),
        Standing::Missing => to.is_base(),
    };
    if standings.iter().any(|(_, standing)| is_there(standing)) {
        return Outlook::Good(format!("{service} is at {to}"));
    }
    if standings.is_empty() {
        return Outlook::Open(format!(
            "no readable database says where {service} stands, so {to} is not confirmed"
        ));
    }
    let each = standings
        .iter()
        .map(|(table, standing)| format!("{table} at {standing}"));
    let each = each.collect::<Vec<_>>().join(", ");
    Outlook::Open(format!("{service} is not at {to}: {each}"))
}

/// The service's version tables; where none is known to be its own, all in its databases.
fn standings<'a>(status: &'a Status, approval: &Approval) -> Vec<(&'a str, &'a Standing)> {
    let bound = service(status, approval)
        .map(|service| service.tables.as_slice())
        .unwrap_or_default();
    let readable = status.databases.iter().filter(|database| database.up);
    let of_service = readable.flat_map(|database| {
        let uses = database.services.contains(&approval.service);
        database.tables.iter().filter_map(move |(table, standing)| {
            let is_bound = |one: &crate::model::status::Binding| {
                one.table.database == database.database && one.table.table == *table
            };
            let is_own = if bound.is_empty() {
                uses
            } else {
                bound.iter().any(is_bound)
            };
            is_own.then_some((table.as_str(), standing))
        })
    });
    of_service.collect()
}

fn service<'a>(status: &'a Status, approval: &Approval) -> Option<&'a ServiceStatus> {
    status
        .services
        .iter()
        .find(|service| service.service == approval.service)
}

/// Without a revision: something ran, and the database agrees.
fn ran(status: &Status, approval: &Approval, own: &[&Migration], waited: Duration) -> Outlook {
    let Some(latest) = own.first() else {
        return nothing(status, approval, waited);
    };
    let outcome = latest.outcome.as_str();
    let unconfirmed = own.iter().any(|one| one.moved() && one.grade != Grade::Confirmed);
    let is_known = status
        .databases
        .iter()
        .any(|database| database.services.contains(&approval.service));
    match (unconfirmed, is_known) {
        (true, true) => Outlook::Open(format!(
            "the database has not confirmed the migration {} yet",
            latest.id
        )),
        (true, false) => Outlook::Good(format!(
            "the migration {} ended as {outcome}; no database is known that could confirm it",
            latest.id
        )),
        (false, _) => Outlook::Good(format!("the migration {} ended as {outcome}", latest.id)),
    }
}

fn nothing(status: &Status, approval: &Approval, waited: Duration) -> Outlook {
    let known = service(status, approval);
    let skipped = known.and_then(|known| known.last_start.as_ref());
    if skipped.is_some_and(|start| start.skipped && start.at >= approval.from) {
        return Outlook::Bad(format!("the start of {} skipped migrations", approval.service));
    }
    let starts = known.is_some_and(|known| {
        matches!(
            known.condition.word,
            ConditionWord::Starting | ConditionWord::Migrating
        )
    });
    let said = format!("no migration of {} was seen", approval.service);
    if starts || waited < NOTHING_COMES {
        Outlook::Open(said)
    } else {
        Outlook::Bad(said)
    }
}
