//! Migrations: each occurrence from its first evidence to its settled outcome, and what is counted of it.
//!
//! `hearing` reads lines, `confirming` reads version tables, `settling` reads exits, health and time. All three only return facts;
//! what they mean for the state is in `apply` here.

pub mod confirming;
pub mod executing;
pub mod hearing;
mod identity;
mod opening;
pub mod out_of_band;
mod part;
pub(super) mod reading;
mod record;
pub mod settling;
mod stand;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use super::{State, pairs};
use crate::model::exec::ExecId;
use crate::model::fact::{Fact, MigrationSchemaChanged};
use crate::model::migration::{Acknowledgement, Migration, MigrationId, Outcome, Runner, Trigger, Verdict};
use crate::model::observation::Observation;
use crate::model::service::{ContainerId, ServiceId};
use crate::model::time::Timestamp;

pub(super) use identity::base36;
pub use record::Tracked;
pub(super) use record::in_words;

use part::Part;

/// Settled migrations kept in memory; older ones are in the journal's history.
const KEEP_SETTLED: usize = 200;

/// A settled migration stays at least this long: late lines and retries find it.
const KEEP_AT_LEAST: Duration = Duration::from_secs(48 * 3600);

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Migrations {
    /// Open and recent ones. Shared, because the state is shown after every batch and most of them change no more.
    pub all: BTreeMap<MigrationId, Arc<Tracked>>,
    /// What was counted, by service.
    #[serde(with = "pairs")]
    pub counts: BTreeMap<ServiceId, Counts>,
}

/// What is counted of a service's migrations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Settled ones by outcome.
    #[serde(with = "pairs")]
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Those that moved or tried to, by trigger and verdict.
    #[serde(with = "pairs")]
    pub verdicts: BTreeMap<(Trigger, Verdict), u64>,
}

impl Migrations {
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::MigrationOpened { id, .. } => {
                if let Some(tracked) = Tracked::opened(fact) {
                    self.all.entry(id.clone()).or_insert_with(|| Arc::new(tracked));
                }
            }
            Fact::MigrationRetried { id, .. }
            | Fact::MigrationStepped { id, .. }
            | Fact::MigrationEvidenced { id, .. }
            | Fact::MigrationErred { id, .. }
            | Fact::MigrationJoined { id, .. }
            | Fact::MigrationExecEnded { id, .. }
            | Fact::MigrationRunnerEnded { id, .. }
            | Fact::MigrationPresumed { id, .. }
            | Fact::MigrationSuperseded { id, .. }
            | Fact::MigrationConfirmed { id, .. }
            | Fact::MigrationRejudged { id, .. }
            | Fact::MigrationSettled { id, .. }
            | Fact::MigrationAcknowledged { id, .. }
            | Fact::MigrationSchemaChanged(MigrationSchemaChanged { id, .. }) => {
                self.pass_on(fact);
                if let Some(tracked) = self.all.get_mut(id).map(Arc::make_mut) {
                    tracked.apply(fact);
                    if tracked.is_countable() {
                        let counts = self.counts.entry(tracked.migration.service.clone());
                        counts.or_default().count(tracked);
                    }
                }
            }
            _ => {}
        }
    }

    /// What was counted as one is not counted as another: the migration that stands for both takes the count over, and what was done
    /// to schemas.
    fn pass_on(&mut self, fact: &Fact) {
        let Fact::MigrationSuperseded { id, by, .. } = fact else {
            return;
        };
        let Some(finding) = self.all.get(id).map(Arc::clone) else {
            return;
        };
        if let Some(stands) = self.all.get_mut(by).map(Arc::make_mut) {
            stands.counts.outcome |= finding.counts.outcome;
            stands.counts.verdict |= finding.counts.verdict;
            stands.schema.take_over(finding.schema.clone());
        }
    }

    /// The migration that a start of a container runs or ran by itself (not by an exec), the latest if several.
    pub fn of_start(&self, container: &ContainerId, started_at: Timestamp) -> Option<&Tracked> {
        let is_its = |runner: &Runner| {
            runner.container == *container && runner.started_at == started_at && runner.exec.is_none()
        };
        self.on(container)
            .filter(|tracked| tracked.runners().any(is_its) || tracked.migration.runners.iter().any(is_its))
            .max_by_key(|tracked| tracked.last_attempt_at())
    }

    /// The latest migration that a container ran by itself.
    pub fn latest_on(&self, container: &ContainerId) -> Option<&Tracked> {
        self.on(container).max_by_key(|tracked| tracked.last_attempt_at())
    }

    /// The one that an exec runs or ran.
    pub fn of_exec(&self, exec: &ExecId) -> Option<&Tracked> {
        let is_its = |runner: &Runner| runner.exec.as_ref() == Some(exec);
        self.all
            .values()
            .map(Arc::as_ref)
            .find(|tracked| tracked.runners().any(is_its) || tracked.migration.runners.iter().any(is_its))
    }

    /// The execs that work on something and have not ended, and when they began.
    pub(super) fn open_execs(&self) -> impl Iterator<Item = (ContainerId, ExecId, Timestamp)> {
        let open = self.all.values().filter(|tracked| tracked.is_open());
        open.flat_map(|tracked| Part::all(tracked))
            .filter_map(|part| part.open_exec())
    }

    fn on<'a, 'c>(&'a self, container: &'c ContainerId) -> impl Iterator<Item = &'a Tracked> + use<'a, 'c> {
        self.all.values().map(Arc::as_ref).filter(move |tracked| {
            tracked
                .runners()
                .any(|runner| runner.container == *container && runner.exec.is_none())
        })
    }

    /// Whether a container carries a migration that has not ended.
    pub(super) fn is_open_on(&self, container: &ContainerId) -> bool {
        let is_there =
            |tracked: &&Arc<Tracked>| tracked.runners().any(|runner| runner.container == *container);
        self.all
            .values()
            .filter(is_there)
            .any(|tracked| tracked.is_open())
    }

    /// The container whose lines a migration's are.
    pub(super) fn container_of(&self, id: &MigrationId) -> Option<&ContainerId> {
        self.all.get(id)?.runner().map(|runner| &runner.container)
    }

    /// A migration of this service that runs now, witnessed.
    pub fn running(&self, service: &ServiceId) -> Option<&Tracked> {
        self.all
            .values()
            .map(Arc::as_ref)
            .find(|tracked| tracked.migration.service == *service && tracked.is_open() && !tracked.is_claim())
    }

    /// The services of which a witnessed migration runs now.
    pub fn migrating(&self) -> BTreeSet<ServiceId> {
        let all = self.all.values().map(Arc::as_ref);
        let running =
            all.filter(|tracked| tracked.is_open() && !tracked.is_claim() && !tracked.migration.history);
        running.map(|tracked| tracked.migration.service.clone()).collect()
    }

    /// Drops the oldest settled ones beyond what is kept; returns them for the history.
    pub(super) fn forget(&mut self, now: Timestamp) -> Vec<Migration> {
        let mut settled: Vec<_> = self.all.values().filter(|tracked| !tracked.is_open()).collect();
        settled.sort_by_key(|tracked| std::cmp::Reverse(tracked.last_attempt_at()));
        let left: Vec<Migration> = settled
            .into_iter()
            .skip(KEEP_SETTLED)
            .filter(|tracked| now.since(tracked.last_attempt_at()) > KEEP_AT_LEAST)
            .map(|tracked| tracked.migration.clone())
            .collect();
        for migration in &left {
            self.all.remove(&migration.id);
        }
        left
    }
}

impl Counts {
    /// Each counter counts a migration once: its outcome when it is first settled, its verdict when it has also moved or failed. A
    /// correction that comes later moves no counter twice.
    fn count(&mut self, tracked: &mut Tracked) {
        let migration = &tracked.migration;
        if !std::mem::replace(&mut tracked.counts.outcome, true) {
            let outcome = self.outcomes.entry(migration.outcome).or_default();
            *outcome = outcome.saturating_add(1);
        }
        let has_verdict = migration.moved() || is_failure(migration.outcome);
        if has_verdict && !std::mem::replace(&mut tracked.counts.verdict, true) {
            let key = (migration.trigger, migration.judgement.verdict);
            let verdict = self.verdicts.entry(key).or_default();
            *verdict = verdict.saturating_add(1);
        }
    }
}

/// Whether an outcome is bad in itself, expected or not.
pub fn is_failure(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Failed | Outcome::HalfApplied | Outcome::Interrupted
    )
}

/// Whether a run did what it set out to do.
pub fn is_carried_through(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Applied | Outcome::Downgraded | Outcome::Stamped)
}

/// ` (seen after the fact)` for what was over before this process watched: it is told all the same, but nobody saw it happen.
fn after_the_fact(state: &State, at: Timestamp) -> &'static str {
    let is_earlier = state.live.since.is_some_and(|since| at < since);
    if is_earlier { " (seen after the fact)" } else { "" }
}

/// A person closes a migration, by its ID.
pub(super) fn acknowledge(
    state: &State,
    _: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    let Observation::Acknowledged { id, by, note } = observation else {
        return Vec::new();
    };
    let acknowledgement = Acknowledgement {
        at: now,
        by: by.clone(),
        note: note.clone(),
    };
    let id = MigrationId(id.clone());
    match state.durable.migrations.all.get(&id) {
        Some(tracked) if tracked.migration.acknowledged.is_none() => {
            vec![Fact::MigrationAcknowledged { id, acknowledgement }]
        }
        _ => Vec::new(),
    }
}
