//! Which approval or window covers a migration: whose, when, set off by what, to which revision, and not used by another.

use super::super::State;
use super::super::migration::{Tracked, is_carried_through, is_failure};
use super::super::settings::{Opening, Scope, Settings, Window};
use super::super::verdict::{Asked, Case};
use super::{is_judged_by, same_app, tracked};
use crate::model::approval::ApprovalRecord;
use crate::model::migration::{Outcome, Rule, Trigger};
use crate::model::revision::Revision;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// What lets a migration run.
pub(in super::super) enum Leave<'a> {
    /// Somebody's approval.
    Approval(&'a ApprovalRecord),
    /// A window's opening.
    Window(&'a str, Opening),
}

/// Whether a movement keeps to the one revision that it may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is there, or may still get there.
    Fits,
    /// It went on from there.
    Beyond,
    /// It ended without having been there.
    Elsewhere,
}

/// The approval, else the window that covers it.
pub(in super::super) fn leave<'a>(
    state: &'a State,
    settings: &'a Settings,
    asked: &Asked<'_>,
) -> Option<Leave<'a>> {
    let span = span(state, asked.case);
    let before = asked.tracked.map(|tracked| &tracked.migration.judgement);
    let approvals = state.durable.expectations.approvals.values();
    let covering = approvals.filter(|record| covers(state, settings, record, asked, span));
    if let Some(record) = covering.min_by_key(|record| (record.approval.from, &record.approval.id)) {
        return Some(Leave::Approval(record));
    }
    let mut windows = settings.windows.named.iter();
    windows.find_map(|(name, window)| {
        let is_its =
            before.is_some_and(|it| it.rule == Rule::Window && it.expectation.as_ref() == Some(name));
        let began = asked
            .tracked
            .filter(|_| is_its)
            .map(|tracked| tracked.migration.started_at);
        let opening = window
            .open_between(span.0, span.1)
            .or_else(|| window.open_at(began?))?;
        let is_policy = asked.windows().any(|policy| policy == name);
        let is_theirs = is_policy || window_covers(state, settings, (name, window), asked.case.service);
        (is_theirs && fits(window.to.as_ref(), asked.tracked)).then_some(Leave::Window(name, opening))
    })
}

fn covers(
    state: &State,
    settings: &Settings,
    record: &ApprovalRecord,
    asked: &Asked<'_>,
    (from, to): (Timestamp, Timestamp),
) -> bool {
    let (approval, case) = (&record.approval, asked.case);
    let is_theirs = same_app(state, settings, &approval.service, case.service)
        || asked.kin().is_some_and(|owner| *owner == approval.service);
    // One movement with all its runners, however long that takes.
    let is_its = asked
        .tracked
        .is_some_and(|tracked| is_judged_by(tracked, &approval.id));
    let is_in_time = approval.from <= to && from < record.over_at();
    is_theirs
        && (is_in_time || is_its)
        && (approval.triggers.is_empty() || approval.triggers.contains(&case.trigger))
        && fits(approval.to.as_ref(), asked.tracked)
        && is_available(state, record, asked)
}

/// The time in which it began: for a start from the start itself to its first evidence; for a move that only the database tells of
/// from the reading before to the one that showed it.
fn span(state: &State, case: &Case<'_>) -> (Timestamp, Timestamp) {
    let began = case.began_at;
    let from = match (case.trigger, case.container) {
        (Trigger::Startup | Trigger::OneOff | Trigger::Hook, Some((_, Some(start)))) => start.started_at,
        (_, None) => read_before(state, case).unwrap_or(began),
        _ => began,
    };
    (from.min(began), began)
}

fn read_before(state: &State, case: &Case<'_>) -> Option<Timestamp> {
    let tables = &state.durable.tables.known;
    let moves = case.moved.iter().filter_map(|table| tables.get(table));
    let mut moves = moves.flat_map(|record| record.moves.iter());
    moves.find(|moved| moved.at == case.began_at)?.read_before
}

/// Not used by another movement. One that failed, or moved nothing after all, gives it back, and what one start runs is one deed of a
/// person.
fn is_available(state: &State, record: &ApprovalRecord, asked: &Asked<'_>) -> bool {
    record.used_by.iter().all(|id| {
        let is_own = asked.tracked.is_some_and(|own| own.migration.id == *id);
        let Some(user) = tracked(state, id) else {
            return is_own;
        };
        let outcome = user.migration.outcome;
        let has_moved = user.migration.moved() && outcome != Outcome::NothingApplied;
        let is_in_vain = !user.is_open() && (is_failure(outcome) || !has_moved);
        let gave_back = is_in_vain || user.migration.superseded_by.is_some();
        is_own || !is_judged_by(user, &record.approval.id) || gave_back || is_of_one_start(user, asked.case)
    })
}

fn is_of_one_start(user: &Tracked, case: &Case<'_>) -> bool {
    let is_start = |trigger| matches!(trigger, Trigger::Startup | Trigger::OneOff | Trigger::Hook);
    let Some((known, Some(start))) = case.container else {
        return false;
    };
    let mut runners = user.migration.runners.iter();
    is_start(case.trigger)
        && is_start(user.migration.trigger)
        && runners.any(|runner| runner.name == known.name && runner.started_at == start.started_at)
}

fn fits(to: Option<&Revision>, tracked: Option<&Tracked>) -> bool {
    match (to, tracked) {
        (Some(to), Some(tracked)) => fit(to, tracked) == Fit::Fits,
        _ => true,
    }
}

/// Steps on the way are fine until it has ended. A failure was on its way.
pub(super) fn fit(to: &Revision, tracked: &Tracked) -> Fit {
    let migration = &tracked.migration;
    let holds = |revisions: &[Revision]| {
        if to.is_base() {
            revisions.is_empty()
        } else {
            revisions.contains(to)
        }
    };
    let (mut is_there, mut went_on) = (false, false);
    for timed in &migration.steps {
        let (leaves, reaches) = (holds(&timed.step.from), holds(&timed.step.to));
        // The first step from base is no departure from it, unless it was reached before.
        let leaves = leaves && (!to.is_base() || is_there);
        is_there = reaches || (is_there && !leaves);
        went_on = leaves || (went_on && !reaches);
    }
    is_there |= migration.movements.iter().any(|movement| movement.to.hold(to));
    let is_through = is_carried_through(migration.outcome);
    if went_on {
        Fit::Beyond
    } else if is_through && !tracked.is_open() && migration.moved() && !is_there {
        Fit::Elsewhere
    } else {
        Fit::Fits
    }
}

/// Whether a window is meant for this service, be it by its own list or as the service's policy.
pub(in super::super) fn window_covers(
    state: &State,
    settings: &Settings,
    (name, window): (&str, &Window),
    service: &ServiceId,
) -> bool {
    let record = state.durable.containers.services.get(service);
    let (label, by_label) = record.map_or((None, None), |record| (record.policy, record.window.as_deref()));
    let is_policy = settings.ruling(service, label, by_label).window == Some(name);
    is_policy
        || window.covers.iter().any(|scope| match scope {
            Scope::Everything => true,
            Scope::Project(project) => {
                let one = ServiceId::new(project, &service.service);
                scope.holds(service) || same_app(state, settings, &one, service)
            }
            Scope::Service(one) => same_app(state, settings, one, service),
        })
}
