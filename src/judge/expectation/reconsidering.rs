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
use crate::model::migration::{MigrationId, Rule, Verdict};
use crate::model::observation::Observation;
use crate::model::revision::{Revision, VersionTable};
use crate::model::time::Timestamp;

/// A judged migration with what is known of it now.
struct Doubt<'a> {
    state: &'a State,
    settings: &'a Settings,
    judged: &'a Tracked,
    now: &'a Tracked,
    /// A table that it has just turned out to have moved.
    moved: Option<&'a VersionTable>,
}

/// The correction that a fact about a migration makes due. It is to be believed before the fact, so that what is counted and told
/// with the fact is so under the right verdict.
pub(in super::super) fn correction(state: &State, settings: &Settings, fact: &Fact) -> Option<Fact> {
    let moved = match fact {
        Fact::MigrationConfirmed { movement, .. } => Some(&movement.table),
        Fact::MigrationStepped { .. } | Fact::MigrationSettled { .. } => None,
        _ => return None,
    };
    let judged = tracked(state, fact.migration()?)?;
    if judged.migration.history || judged.is_claim() {
        return None;
    }
    let doubt = Doubt {
        state,
        settings,
        judged,
        now: judged,
        moved,
    };
    match (doubt.is_expected_by_name(), doubt.expected_revision()) {
        (true, Some(to)) => {
            // Only where a revision is asked for does the new evidence itself matter.
            let now = &judged.with(fact);
            let doubt = Doubt { now, ..doubt };
            let why = strayed(to, now).or_else(|| doubt.used_by_another())?;
            doubt.judged_again(&why)
        }
        (true, None) => doubt.judged_again(&doubt.used_by_another()?),
        (false, _) => moved.and_then(|_| doubt.owned()),
    }
}

/// What turns out to be about a table that somebody else owns, however that came to be known; and what turns out to be the movement
/// that an approval was used for, under another name.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    _: Timestamp,
    _: &Observation,
) -> Vec<Fact> {
    let doubt = |judged| Doubt {
        state,
        settings,
        judged,
        now: judged,
        moved: None,
    };
    let all = state.durable.migrations.all.values().map(AsRef::as_ref);
    let open = all
        .clone()
        .filter(|tracked: &&Tracked| tracked.is_open() && !tracked.is_claim() && !tracked.migration.history);
    let owned = open.filter_map(|judged| doubt(judged).owned());
    let taken_for = all.filter_map(|other: &Tracked| {
        let by = other.migration.superseded_by.as_ref()?;
        let is_approved = other.migration.judgement.rule == Rule::Approved;
        doubt(tracked(state, by).filter(|_| is_approved)?).stands_for(&other.migration.id)
    });
    owned.chain(taken_for).collect()
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

impl Doubt<'_> {
    /// By an approval or a window.
    fn is_expected_by_name(&self) -> bool {
        matches!(
            self.judged.migration.judgement.rule,
            Rule::Approved | Rule::Window
        )
    }

    /// The one revision that this approval or window is for.
    fn expected_revision(&self) -> Option<&Revision> {
        let judgement = &self.judged.migration.judgement;
        let name = judgement.expectation.as_ref()?;
        if judgement.rule == Rule::Window {
            return self.settings.windows.named.get(name)?.to.as_ref();
        }
        let approvals = &self.state.durable.expectations.approvals;
        approvals.get(&ApprovalId(name.clone()))?.approval.to.as_ref()
    }

    /// Of several that ran under one approval, the first that moves takes it.
    fn used_by_another(&self) -> Option<String> {
        let (migration, state) = (&self.judged.migration, self.state);
        if migration.judgement.rule != Rule::Approved {
            return None;
        }
        let id = ApprovalId(migration.judgement.expectation.clone()?);
        let record = state.durable.expectations.approvals.get(&id)?;
        if record.used_by.contains(&migration.id) {
            return None;
        }
        let uses_it = |user: &Tracked| is_judged_by(user, &id) && user.migration.superseded_by.is_none();
        let mut users = record.used_by.iter().rev();
        let user = users.find(|user| tracked(state, user).is_none_or(uses_it))?;
        Some(format!("the approval {id} is used by the migration {user}"))
    }

    /// It stands for one that an approval covered: what was used then was used by it.
    fn stands_for(&self, other: &MigrationId) -> Option<Fact> {
        if self.judged.migration.judgement.verdict != Verdict::Unexpected {
            return None;
        }
        let corrected = self.judged_again(&format!("{other} was the same movement"))?;
        // The policy of today makes nothing expected that has ended.
        let is_approved = |fact: &Fact| matches!(fact, Fact::MigrationRejudged { judgement, .. } if judgement.rule == Rule::Approved);
        Some(corrected).filter(is_approved)
    }

    /// What its policy let run, and what a stricter owner of its table does not.
    fn owned(&self) -> Option<Fact> {
        let judgement = &self.judged.migration.judgement;
        let is_by_policy = matches!(judgement.rule, Rule::AllowEverything | Rule::DeclaredDeploy);
        if judgement.verdict != Verdict::Expected || !is_by_policy {
            return None;
        }
        let tables = self.tables();
        let case = Case::of(self.state, self.judged, &tables);
        let asked = Asked::new(self.state, self.settings, &case, Some(self.judged));
        let owner = asked.owner()?.service;
        self.judged_again(&format!("that {owner} owns it too was not known at first"))
    }

    /// Every table that it is known to have moved.
    fn tables(&self) -> Vec<VersionTable> {
        let movements = self.now.migration.movements.iter();
        let known = movements.map(|movement| &movement.table);
        known.chain(self.moved).cloned().collect()
    }

    /// With what is known now; nothing if that changes nothing.
    fn judged_again(&self, why: &str) -> Option<Fact> {
        let tables = self.tables();
        let case = Case::of(self.state, self.judged, &tables);
        let asked = Asked::new(self.state, self.settings, &case, Some(self.now));
        let mut judgement = verdict::judge_as(&asked);
        let before = &self.judged.migration.judgement;
        let is_same = (judgement.verdict, judgement.rule) == (before.verdict, before.rule)
            && judgement.expectation == before.expectation;
        judgement.reason = format!("{}; {why}", judgement.reason);
        (!is_same).then(|| Fact::MigrationRejudged {
            id: self.judged.migration.id.clone(),
            grade: self.judged.migration.grade,
            judgement,
        })
    }
}
