//! Late evidence: when what was judged no longer holds. Only evidence about the migration itself makes a verdict another one; the
//! configuration of today never does so for what has ended.

use super::super::State;
use super::super::migration::Tracked;
use super::super::settings::Settings;
use super::super::verdict::{self, Asked, Case};
use super::covering::{Fit, fit};
use super::{is_judged_by, tracked};
use crate::model::approval::ApprovalId;
use crate::model::fact::Fact;
use crate::model::migration::{Rule, Verdict};
use crate::model::observation::Observation;
use crate::model::revision::{Revision, VersionTable};
use crate::model::time::Timestamp;

/// The correction that a fact about a migration makes due. It is to be believed before the fact, so that what is counted and told
/// with the fact is so under the right verdict.
pub(in super::super) fn correction(state: &State, settings: &Settings, fact: &Fact) -> Option<Fact> {
    let is_evidence = matches!(
        fact,
        Fact::MigrationStepped { .. } | Fact::MigrationConfirmed { .. } | Fact::MigrationSettled { .. }
    );
    let judged = tracked(state, fact.migration()?)?;
    let migration = &judged.migration;
    if !is_evidence || migration.history || judged.is_claim() {
        return None;
    }
    match migration.judgement.rule {
        Rule::Approved | Rule::Window => {
            let to = expected_revision(state, settings, judged);
            // Only where a revision is asked for does the new evidence itself matter.
            let now = to.map(|_| judged.with(fact));
            let now = now.as_ref().unwrap_or(judged);
            let why = to
                .and_then(|to| strayed(to, now))
                .or_else(|| used_by_another(state, judged))?;
            again(state, settings, judged, now, &[], &why)
        }
        _ => {
            let Fact::MigrationConfirmed { movement, .. } = fact else {
                return None;
            };
            let moved = std::slice::from_ref(&movement.table);
            owned(state, settings, judged, moved)
        }
    }
}

/// Open ones that turn out to be about a table that somebody else owns, however that came to be known.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    _: Timestamp,
    _: &Observation,
) -> Vec<Fact> {
    let all = state.durable.migrations.all.values();
    let open = all.filter(|tracked| tracked.is_open() && !tracked.is_claim() && !tracked.migration.history);
    open.filter_map(|tracked| owned(state, settings, tracked, &[]))
        .collect()
}

/// The one revision that the migration's approval or window is for.
fn expected_revision<'a>(state: &'a State, settings: &'a Settings, judged: &Tracked) -> Option<&'a Revision> {
    let judgement = &judged.migration.judgement;
    let name = judgement.expectation.as_ref()?;
    if judgement.rule == Rule::Window {
        return settings.windows.named.get(name)?.to.as_ref();
    }
    let record = state
        .durable
        .expectations
        .approvals
        .get(&ApprovalId(name.clone()))?;
    record.approval.to.as_ref()
}

fn strayed(to: &Revision, now: &Tracked) -> Option<String> {
    match fit(to, now) {
        Fit::Fits => None,
        Fit::Beyond => Some(format!("it was expected to go to {to}, and went on from there")),
        Fit::Elsewhere => Some(match now.migration.to() {
            Some(heads) => format!("it was expected to go to {to}, and ended at {heads}"),
            None => format!("it was expected to go to {to}, and ended elsewhere"),
        }),
    }
}

/// Of several that ran under one approval, the first that moves takes it.
fn used_by_another(state: &State, judged: &Tracked) -> Option<String> {
    let judgement = &judged.migration.judgement;
    if judgement.rule != Rule::Approved {
        return None;
    }
    let id = ApprovalId(judgement.expectation.clone()?);
    let record = state.durable.expectations.approvals.get(&id)?;
    if record.used_by.is_empty() || record.used_by.contains(&judged.migration.id) {
        return None;
    }
    let users = record.used_by.iter();
    let user = users
        .rev()
        .find(|user| tracked(state, user).is_none_or(|user| is_judged_by(user, &id)))?;
    Some(format!("the approval {id} is used by the migration {user}"))
}

/// What its policy let run, and what a stricter owner of its table does not.
fn owned(state: &State, settings: &Settings, judged: &Tracked, moved: &[VersionTable]) -> Option<Fact> {
    let judgement = &judged.migration.judgement;
    let is_by_policy = matches!(judgement.rule, Rule::AllowEverything | Rule::DeclaredDeploy);
    if judgement.verdict != Verdict::Expected || !is_by_policy {
        return None;
    }
    let tables: Vec<VersionTable> = tables_of(judged, moved);
    let case = Case::of(state, judged, &tables);
    let asked = Asked::new(state, settings, &case, Some(judged));
    let owner = asked.owner()?;
    let why = format!("that {} owns it too was not known at first", owner.service);
    again(state, settings, judged, judged, moved, &why)
}

fn tables_of(judged: &Tracked, moved: &[VersionTable]) -> Vec<VersionTable> {
    let known = judged.migration.movements.iter().map(|movement| &movement.table);
    known.chain(moved).cloned().collect()
}

/// Judges once more, with what is known `now`; nothing if that changes nothing.
fn again(
    state: &State,
    settings: &Settings,
    judged: &Tracked,
    now: &Tracked,
    moved: &[VersionTable],
    why: &str,
) -> Option<Fact> {
    let tables = tables_of(now, moved);
    let case = Case::of(state, judged, &tables);
    let mut judgement = verdict::judge_as(&Asked::new(state, settings, &case, Some(now)));
    let before = &judged.migration.judgement;
    if (judgement.verdict, judgement.rule, &judgement.expectation)
        == (before.verdict, before.rule, &before.expectation)
    {
        return None;
    }
    judgement.reason = format!("{}; {why}", judgement.reason);
    Some(Fact::MigrationRejudged {
        id: judged.migration.id.clone(),
        grade: judged.migration.grade,
        judgement,
    })
}
