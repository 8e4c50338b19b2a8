//! A runner sets to work: a migration is opened, joined (another runner works on it now), or tried again (a restart loop is one
//! migration with many attempts, and its first cause).

use std::time::Duration;

use super::super::State;
use super::super::containers::{Known, Start};
use super::super::settings::Settings;
use super::super::verdict::{self, Case};
use super::identity::migration_id;
use super::part::Part;
use super::{Tracked, after_the_fact, is_failure, out_of_band, settling};
use crate::model::fact::Fact;
use crate::model::log::LineKey;
use crate::model::migration::{Evidence, Grade, Judgement, MigrationId, Runner, Trigger, Verdict};
use crate::model::policy::Policy;

/// Attempts of one restart loop follow within this time: the engine waits a minute at most between them.
const ONE_LOOP: Duration = Duration::from_mins(10);

/// A runner that was seen to set to work, and by what.
pub(super) struct Opening<'a> {
    pub(super) state: &'a State,
    pub(super) settings: &'a Settings,
    pub(super) known: &'a Known,
    pub(super) start: Option<&'a Start>,
    /// The policy that the container's label asks for.
    pub(super) label: Option<Policy>,
    pub(super) runner: Runner,
    pub(super) trigger: Trigger,
    pub(super) grade: Grade,
    pub(super) evidence: Evidence,
    pub(super) line: Option<LineKey>,
    pub(super) history: bool,
}

impl<'a> Opening<'a> {
    /// The migration that it works on, and what is to be written of that.
    pub(super) fn facts(self) -> (MigrationId, Vec<Fact>) {
        let before = self.before();
        // Lines come in order: the rest of the log of the start before was read.
        let ended = before
            .filter(|before| before.is_open() && !before.migration.history)
            .and_then(|before| Part::of(before, &self.runner.container))
            .filter(|part| part.known_end().is_none())
            .and_then(|part| Some(settling::ended(&part, part.ended_by_exit(self.state)?)));
        let mut facts: Vec<Fact> = ended.into_iter().collect();
        // Of several runners it may have been the last that could come through: then all of it has failed, and is tried again.
        if let (Some(before), Some(last @ Fact::MigrationRunnerEnded { .. })) = (before, facts.first()) {
            facts.extend(settling::failed_with(before, last));
        }
        if let Some(before) = before
            && self.is_tried_again(before, &facts)
        {
            let id = before.migration.id.clone();
            facts.push(Fact::MigrationRetried {
                id: id.clone(),
                runner: self.runner,
                line: self.line,
            });
            return (id, facts);
        }
        if let Some(open) = self.joinable(&facts) {
            let id = open.migration.id.clone();
            facts.extend(self.joined(open));
            return (id, facts);
        }
        let id = self.opened(&mut facts);
        (id, facts)
    }

    fn opened(mut self, facts: &mut Vec<Fact>) -> MigrationId {
        if !self.history {
            let text = &mut self.evidence.text;
            text.push_str(after_the_fact(self.state, self.evidence.at));
        }
        let id = migration_id(&self.runner.container, self.runner.at);
        let judgement = self.judgement(None);
        facts.push(Fact::MigrationOpened {
            id: id.clone(),
            service: self.known.service.clone(),
            trigger: self.trigger,
            runner: self.runner,
            grade: self.grade,
            judgement,
            evidence: self.evidence,
            line: self.line,
            history: self.history,
        });
        id
    }

    /// By itself, or as one more runner of a migration.
    fn judgement(&self, of: Option<&Tracked>) -> Judgement {
        if self.history {
            return verdict::baseline(self.settings, &self.known.service, self.label);
        }
        let case = Case {
            service: &self.known.service,
            trigger: self.trigger,
            began_at: self.runner.at,
            grade: self.grade,
            container: Some((self.known, self.start)),
            label: self.label,
            moved: &[],
        };
        let asked = verdict::Asked::new(self.state, self.settings, &case, of);
        let mut judgement = verdict::judge_as(&asked);
        judgement.reason.push_str(&self.state.live.engine.skew());
        judgement
    }

    /// The latest migration of an earlier start of this container.
    fn before(&self) -> Option<&'a Tracked> {
        if self.runner.exec.is_some() {
            return None;
        }
        let before = self.state.durable.migrations.latest_on(&self.runner.container)?;
        let earlier = Part::of(before, &self.runner.container)?;
        (earlier.runner.started_at < self.runner.started_at).then_some(before)
    }

    /// Soon after the failure: what is started days later is another deed, with a verdict of its own.
    fn is_tried_again(&self, before: &Tracked, just_ended: &[Fact]) -> bool {
        let migration = &before.migration;
        let (outcome, ended_at) = match just_ended.last() {
            Some(Fact::MigrationSettled { outcome, at, .. }) => (*outcome, Some(*at)),
            _ => (migration.outcome, migration.ended_at),
        };
        let is_loop = || ended_at.is_some_and(|ended| self.runner.at <= ended.after(ONE_LOOP));
        is_failure(outcome) && !before.is_claim() && is_loop() && migration.history == self.history
    }

    /// A migration of the same service that was at work at the same time: of several runners of one service that overlap nobody can
    /// tell which of them moves the table. Logs of two containers come in any order, so one that has ended counts as well.
    fn joinable(&self, just_ended: &[Fact]) -> Option<&'a Tracked> {
        if self.grade == Grade::Claimed || self.history {
            return None;
        }
        let has_ended = |tracked: &Tracked| {
            let is_its_end = |fact: &Fact| matches!(fact, Fact::MigrationSettled { id, .. } if *id == tracked.migration.id);
            just_ended.iter().any(is_its_end)
        };
        let all = self.state.durable.migrations.all.values().map(AsRef::as_ref);
        let mut others = all.filter(|other| {
            other.migration.service == self.known.service
                && !out_of_band::is_finding(other)
                && !other.migration.history
                && !other.is_claim()
        });
        others.find(|other| !self.works_on(other) && self.overlaps(other) && !has_ended(other))
    }

    /// It is one of its runners already, or was.
    fn works_on(&self, other: &Tracked) -> bool {
        let is_it = |runner: &Runner| {
            (&runner.container, runner.started_at, &runner.exec)
                == (&self.runner.container, self.runner.started_at, &self.runner.exec)
        };
        other.runners().any(is_it)
    }

    /// Somebody else works on it, or did so then. Starts of one container never overlap.
    fn overlaps(&self, other: &Tracked) -> bool {
        let is_own = |runner: &Runner| {
            runner.container == self.runner.container && runner.exec.is_none() && self.runner.exec.is_none()
        };
        Part::all(other)
            .filter(|part| !is_own(part.runner))
            .any(|part| self.overlaps_part(other, &part))
    }

    /// What is open only because nobody says that it ended does not overlap with anything.
    fn overlaps_part(&self, other: &Tracked, part: &Part<'_>) -> bool {
        let settled = other.migration.ended_at.filter(|_| !other.is_open());
        if let Some(ended) = part.known_end().map(|end| end.at).or(settled) {
            return ended > self.runner.at && self.is_near(other);
        }
        let has_command = other.runners().any(|runner| runner.exec.is_some());
        !self.was_carried_out(other) && (self.is_near(other) || has_command)
    }

    /// The database stood where its last step leads before this runner began.
    fn was_carried_out(&self, other: &Tracked) -> bool {
        let mut moves = other.migration.movements.iter();
        settling::is_carried_out(other) && moves.all(|moved| moved.at <= self.runner.at)
    }

    fn is_near(&self, other: &Tracked) -> bool {
        let waits = if other.migration.steps.is_empty() {
            settling::UNENDED
        } else {
            ONE_LOOP
        };
        self.runner.at <= settling::last_sign_of(other).after(waits)
    }

    /// One verdict for all its runners: the worst.
    fn joined(self, open: &Tracked) -> Vec<Fact> {
        let (id, judgement) = (open.migration.id.clone(), self.judgement(Some(open)));
        // A container that tries again is judged once, as in a restart loop.
        let mut runners = open.migration.runners.iter();
        let is_again = runners
            .any(|runner| runner.container == self.runner.container && runner.exec.is_none())
            && self.runner.exec.is_none();
        let is_worse = judgement.verdict == Verdict::Unexpected
            && open.migration.judgement.verdict != Verdict::Unexpected
            && !is_again;
        let mut facts = Vec::new();
        if is_worse {
            let mut judgement = judgement;
            judgement.reason = format!("{} joined it: {}", self.runner.name, judgement.reason);
            facts.push(Fact::MigrationRejudged {
                id: id.clone(),
                grade: open.migration.grade,
                judgement,
            });
        }
        facts.push(Fact::MigrationJoined {
            id,
            runner: self.runner,
            line: self.line,
        });
        facts
    }
}
