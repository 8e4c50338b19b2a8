//! Expectations: approvals from their opening to their end, and what asks about them.
//!
//! Promises that a migration is matched by when it began, so that an approval that ends in the middle changes nothing; that one that
//! is over still covers what is only heard of later; and that an open one is never forgotten.

mod covering;
mod missing;
mod reconsidering;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::State;
use super::migration::{Tracked, is_carried_through};
use super::settings::Settings;
use crate::model::approval::{ApprovalEnd, ApprovalId, ApprovalRecord, Ended};
use crate::model::fact::Fact;
use crate::model::migration::{MigrationId, Rule};
use crate::model::observation::Observation;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

pub(super) use covering::{Leave, leave, window_covers};
pub(super) use missing::{Missing, deadlines as missing_deadlines, missing};
pub(super) use reconsidering::{correction, decide as reconsider};

/// An approval that is over is kept so long: for evidence that comes late, and while its migration is missing.
pub(super) const KEEP_ENDED: Duration = Duration::from_hours(7 * 24);

/// Of those that are over, at most so many are kept.
const MOST_ENDED: usize = 200;

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expectations {
    /// Every approval that is open, or was lately.
    pub approvals: BTreeMap<ApprovalId, ApprovalRecord>,
}

impl Expectations {
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::ApprovalOpened { approval } => {
                let new = || ApprovalRecord::new(approval.clone());
                self.approvals.entry(approval.id.clone()).or_insert_with(new);
            }
            Fact::ApprovalUsed { id, migration } => {
                if let Some(record) = self.approvals.get_mut(id)
                    && !record.used_by.contains(migration)
                {
                    record.used_by.push(migration.clone());
                }
            }
            Fact::ApprovalClosed { id, at, reason } => {
                if let Some(record) = self.approvals.get_mut(id) {
                    record.ended.get_or_insert(Ended {
                        at: *at,
                        why: reason.clone(),
                    });
                }
            }
            _ => {}
        }
    }

    /// Drops what was over long ago; never what is open.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.approvals
            .retain(|_, record| record.is_open() || now < record.over_at().after(KEEP_ENDED));
        let ended = self.approvals.values().filter(|record| !record.is_open());
        let mut ended: Vec<_> = ended
            .map(|record| (record.over_at(), record.approval.id.clone()))
            .collect();
        ended.sort();
        for (_, id) in ended.iter().rev().skip(MOST_ENDED) {
            self.approvals.remove(id);
        }
    }

    /// Those that are open.
    pub fn open(&self) -> impl Iterator<Item = &ApprovalRecord> {
        self.approvals.values().filter(|record| record.is_open())
    }

    /// An identity for an approval that is given now.
    pub fn new_id(&self, now: Timestamp) -> ApprovalId {
        let mut at = now;
        loop {
            let id = ApprovalId(format!("ap-{}", super::migration::base36(at)));
            if !self.approvals.contains_key(&id) {
                return id;
            }
            at = at.after(Duration::from_millis(1));
        }
    }
}

/// What people and time do to approvals, and which migrations use them.
pub(super) fn decide(state: &State, _: &Settings, now: Timestamp, observation: &Observation) -> Vec<Fact> {
    let approvals = &state.durable.expectations.approvals;
    let new = match observation {
        Observation::Approved(approval) if !approvals.contains_key(&approval.id) => {
            Some(ApprovalRecord::new(approval.clone()))
        }
        _ => None,
    };
    let opened = new.iter().map(|record| Fact::ApprovalOpened {
        approval: record.approval.clone(),
    });
    let used = state.durable.migrations.all.values();
    let used = used.filter_map(|tracked| used_by(state, tracked));
    let open = state.durable.expectations.open().chain(&new);
    let closed = open.filter_map(|record| {
        let (at, reason) = end_of(state, record, now, observation)?;
        let id = record.approval.id.clone();
        Some(Fact::ApprovalClosed { id, at, reason })
    });
    opened.chain(used).chain(closed).collect()
}

/// When and why an open approval is over.
fn end_of(
    state: &State,
    record: &ApprovalRecord,
    now: Timestamp,
    observation: &Observation,
) -> Option<(Timestamp, ApprovalEnd)> {
    let until = record.approval.until;
    if let Some(why) = by_person(record, observation) {
        Some((now, why))
    } else if is_used_up(state, record) {
        Some((now, ApprovalEnd::UsedUp))
    } else {
        (now >= until).then_some((until, ApprovalEnd::Expired))
    }
}

fn by_person(record: &ApprovalRecord, observation: &Observation) -> Option<ApprovalEnd> {
    match observation {
        Observation::ApprovalRevoked { id, by } if *id == record.approval.id => {
            Some(ApprovalEnd::Revoked { by: by.clone() })
        }
        Observation::DeployEnded { id } if *id == record.approval.id => Some(ApprovalEnd::CommandEnded),
        _ => None,
    }
}

/// The first movement uses an approval; a run with nothing to do does not.
fn used_by(state: &State, tracked: &Tracked) -> Option<Fact> {
    let migration = &tracked.migration;
    if migration.judgement.rule != Rule::Approved || !migration.moved() {
        return None;
    }
    let id = ApprovalId(migration.judgement.expectation.clone()?);
    let record = state.durable.expectations.approvals.get(&id)?;
    (!record.used_by.contains(&migration.id)).then(|| Fact::ApprovalUsed {
        id,
        migration: migration.id.clone(),
    })
}

/// Only what came through uses it up: whoever fails may try again.
fn is_used_up(state: &State, record: &ApprovalRecord) -> bool {
    judged_by(state, &record.approval.id).any(|tracked| {
        let is_through = is_carried_through(tracked.migration.outcome);
        !tracked.is_open() && tracked.migration.moved() && is_through
    })
}

/// The migrations that this approval covers.
fn judged_by<'a>(state: &'a State, id: &'a ApprovalId) -> impl Iterator<Item = &'a Tracked> {
    let all = state.durable.migrations.all.values().map(AsRef::as_ref);
    all.filter(move |tracked: &&Tracked| is_judged_by(tracked, id))
}

fn is_judged_by(tracked: &Tracked, id: &ApprovalId) -> bool {
    let judgement = &tracked.migration.judgement;
    judgement.rule == Rule::Approved && judgement.expectation.as_deref() == Some(&id.0)
}

/// When an approval ends, or a window opens or closes, by time alone.
pub(super) fn deadlines(state: &State, settings: &Settings, now: Timestamp, moments: &mut Vec<Timestamp>) {
    let open = state.durable.expectations.open();
    moments.extend(open.map(|record| record.approval.until));
    let windows = settings.windows.named.values();
    moments.extend(windows.filter_map(|window| window.next_change(now)));
    missing_deadlines(state, settings, moments);
}

/// Whether two services are one deployment: the same, or of one name in two projects of one app. Undeclared projects are strangers.
pub fn same_app(state: &State, settings: &Settings, one: &ServiceId, other: &ServiceId) -> bool {
    let app = |service: &ServiceId| -> Option<String> {
        let record = state.durable.containers.services.get(service);
        let label = record.and_then(|record| record.app.clone());
        label.or_else(|| settings.apps.get(&service.project).cloned())
    };
    one == other || (one.service == other.service && app(one).is_some_and(|name| app(other) == Some(name)))
}

/// How many approvals and how many windows are open for this service now.
pub(super) fn open_for(
    state: &State,
    settings: &Settings,
    service: &ServiceId,
    now: Timestamp,
) -> (usize, usize) {
    let open = state.durable.expectations.open();
    let approvals = open.filter(|record| {
        record.approval.from <= now
            && now < record.over_at()
            && same_app(state, settings, &record.approval.service, service)
    });
    let windows = settings.windows.named.iter().filter(|(name, window)| {
        window.open_at(now).is_some() && window_covers(state, settings, (name, window), service)
    });
    (approvals.count(), windows.count())
}

/// Whether a migration of this service is expected now: an approval or a window is open.
pub fn is_expected_now(state: &State, settings: &Settings, service: &ServiceId, now: Timestamp) -> bool {
    open_for(state, settings, service, now) != (0, 0)
}

/// The approval under which the databases of these services may be replaced at `at`.
pub fn approved_restore<'a>(
    state: &'a State,
    settings: &Settings,
    services: &[ServiceId],
    at: Timestamp,
) -> Option<&'a ApprovalRecord> {
    let mut all = state.durable.expectations.approvals.values();
    all.find(|record| {
        let approval = &record.approval;
        let is_theirs = |service| same_app(state, settings, &approval.service, service);
        approval.restore && approval.from <= at && at < record.over_at() && services.iter().any(is_theirs)
    })
}

/// Why nothing can be approved for this service: nobody knows it. Names those that are known.
pub fn refusal(state: &State, settings: &Settings, service: &ServiceId) -> Option<String> {
    let seen = state.durable.containers.services.keys();
    let known: std::collections::BTreeSet<_> = seen.chain(settings.services.keys()).collect();
    let is_known = known.iter().any(|one| same_app(state, settings, one, service));
    if is_known {
        return None;
    }
    let mut names: Vec<String> = known.iter().map(ToString::to_string).collect();
    // The likeliest first: the same project, the same name.
    names.sort_by_key(|name| {
        let is_near = name
            .split_once('/')
            .is_some_and(|(project, one)| project == service.project || one == service.service);
        !is_near
    });
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let mut known = names.join(", ");
    if more > 0 {
        known = format!("{known} and {more} more");
    }
    let known = if known.is_empty() { "none" } else { &known };
    Some(format!(
        "no service {service} is known, so nothing was approved; known are {known}"
    ))
}

/// Services that a refusal names.
const NAMED: usize = 12;

/// The migration with this identity, if it is still kept.
fn tracked<'a>(state: &'a State, id: &MigrationId) -> Option<&'a Tracked> {
    state.durable.migrations.all.get(id).map(AsRef::as_ref)
}
