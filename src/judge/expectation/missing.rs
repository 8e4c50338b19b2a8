//! What was expected and did not come: an approval or a one-off window is over, and the database is not where it should be.
//!
//! Promises to say so only where it can be known: a revision was named and the version tables of the service were read; a deploy's
//! command ended and no migration of the service was seen to run; or the newest code has revisions that have not run.

use std::time::Duration;

use super::super::State;
use super::super::code;
use super::super::settings::{Scope, Settings, Times, Window};
use super::{KEEP_ENDED, judged_by, same_app};
use crate::model::approval::{ApprovalEnd, ApprovalKind, ApprovalRecord};
use crate::model::migration::Outcome;
use crate::model::revision::{DatabaseId, Heads, Revision, Standing, VersionTable};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// What moved at the last moment is read and heard by then.
const SETTLED_AFTER: Duration = Duration::from_mins(1);

/// A migration that was expected and did not come.
pub(in super::super) struct Missing<'a> {
    /// Whose.
    pub(in super::super) service: &'a ServiceId,
    /// The label and the name of what expected it: `approval` or `window`.
    pub(in super::super) by: (&'static str, &'a str),
    /// Since when it is over.
    pub(in super::super) over_at: Timestamp,
    /// How that came about.
    pub(in super::super) end: String,
    /// The revision that should stand there, and what does.
    pub(in super::super) to: Option<(&'a Revision, String)>,
    /// Who expected it, and why.
    pub(in super::super) whose: String,
}

/// Everything that is missing now.
pub(in super::super) fn missing<'a>(
    state: &'a State,
    settings: &'a Settings,
    now: Timestamp,
) -> Vec<Missing<'a>> {
    let due = |over_at: Timestamp| over_at.after(SETTLED_AFTER) <= now && now < over_at.after(KEEP_ENDED);
    let approvals = state.durable.expectations.approvals.values();
    let approvals = approvals.filter(|record| due(record.over_at()));
    let of_approvals = approvals.filter_map(|record| of_approval(state, settings, record));
    let windows = settings.windows.named.iter();
    let of_windows = windows.filter_map(|(name, window)| {
        let Times::Once { until, .. } = window.times else {
            return None;
        };
        // What was before the watch is history.
        let is_watched = state.durable.watch_since.is_some_and(|since| since < until);
        let missing = of_window(state, (name, window), until)?;
        (is_watched && due(until)).then_some(missing)
    });
    of_approvals.chain(of_windows).collect()
}

/// When something may begin or cease to be missing by time alone.
pub(in super::super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    let ended = state.durable.expectations.approvals.values();
    let ended = ended
        .filter(|record| !record.is_open())
        .map(ApprovalRecord::over_at);
    let windows = settings.windows.named.values();
    let closed = windows.filter_map(|window| match window.times {
        Times::Once { until, .. } if window.to.is_some() => Some(until),
        _ => None,
    });
    let over = ended.chain(closed);
    moments.extend(over.flat_map(|at| [at.after(SETTLED_AFTER), at.after(KEEP_ENDED)]));
}

fn of_approval<'a>(state: &'a State, settings: &Settings, record: &'a ApprovalRecord) -> Option<Missing<'a>> {
    let (approval, ended) = (&record.approval, record.ended.as_ref()?);
    if !matches!(ended.why, ApprovalEnd::Expired | ApprovalEnd::CommandEnded) {
        return None;
    }
    let is_at_work = |tracked: &super::Tracked| tracked.is_open() || tracked.migration.moved();
    if judged_by(state, &approval.id).any(is_at_work) {
        return None;
    }
    // What is at the head of its code has nothing left to run.
    let is_at_head = || code::is_at_head(state, &approval.service) == Some(true);
    let to = match &approval.to {
        Some(to) => Some((to, standing(state, &approval.service, to)?)),
        None if is_at_head() => return None,
        None if approval.kind == ApprovalKind::Deploy && !ran_since(state, settings, record) => None,
        // Who lets a database be restored plans no migration by that.
        None if code::is_behind(state, &approval.service) && !approval.restore => None,
        None => return None,
    };
    Some(Missing {
        service: &approval.service,
        by: ("approval", &approval.id.0),
        over_at: record.over_at(),
        end: ended.why.to_string(),
        to,
        whose: format!("{} had approved it: {}", approval.by, approval.reason),
    })
}

fn of_window<'a>(
    state: &'a State,
    (name, window): (&'a str, &'a Window),
    until: Timestamp,
) -> Option<Missing<'a>> {
    // The configuration sees to it that a window with a revision is for one service.
    let (Some(to), [Scope::Service(service)]) = (&window.to, window.covers.as_slice()) else {
        return None;
    };
    Some(Missing {
        service,
        by: ("window", name),
        over_at: until,
        end: "closed".to_owned(),
        to: Some((to, standing(state, service, to)?)),
        whose: format!("the window {name} was configured for it"),
    })
}

/// Where the service's tables stand, in words; nothing if one is at the revision, or if that is not known.
fn standing(state: &State, service: &ServiceId, to: &Revision) -> Option<String> {
    let tables = &state.durable.tables;
    let is_bound = |table: &VersionTable| tables.bound(service).any(|(bound, _)| bound == table);
    let is_near = |database: &DatabaseId| {
        state
            .live
            .databases_of(service)
            .any(|live| live.reading.database == *database)
    };
    let bound: Vec<_> = tables.known.iter().filter(|(table, _)| is_bound(table)).collect();
    // Where nothing binds it to a table, one of those in its databases is its own.
    let known = if bound.is_empty() {
        let near = tables.known.iter().filter(|(table, _)| is_near(&table.database));
        near.collect()
    } else {
        bound
    };
    let is_there = known.iter().any(|(_, record)| match &record.standing {
        Standing::At(heads) => heads.hold(to),
        Standing::Missing => Heads::default().hold(to),
    });
    if known.is_empty() || is_there {
        return None;
    }
    let each = known
        .iter()
        .map(|(table, record)| format!("{table} at {}", record.standing));
    Some(each.collect::<Vec<_>>().join(", "))
}

/// Whether a migration of the service came through, or runs, since the approval was given.
fn ran_since(state: &State, settings: &Settings, record: &ApprovalRecord) -> bool {
    let all = state.durable.migrations.all.values();
    let mut since = all.filter(|tracked| {
        let migration = &tracked.migration;
        migration.started_at >= record.approval.from
            && !migration.history
            && !tracked.is_claim()
            && same_app(state, settings, &migration.service, &record.approval.service)
    });
    since.any(|tracked| {
        let outcome = tracked.migration.outcome;
        let came_through = matches!(
            outcome,
            Outcome::Applied | Outcome::NothingToDo | Outcome::Downgraded | Outcome::Stamped
        );
        tracked.is_open() || came_through
    })
}
