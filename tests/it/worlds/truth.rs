//! What really happened, and what of it can be known by somebody whom some of it never reached. The oracle: it never asks the judge.

use std::collections::BTreeSet;

use migwatch::model::alert::AlertName;
use migwatch::model::exec::ExecId;
use migwatch::model::migration::{Outcome, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::revision::Heads;
use migwatch::model::service::{ContainerId, ServiceId};
use migwatch::model::time::Timestamp;

use super::heard::Heard;
use super::world::World;
use crate::support::story::{BACKEND, service_id};

/// One migration that happened.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub(super) service: ServiceId,
    pub(super) trigger: Trigger,
    pub(super) outcome: Outcome,
    pub(super) verdict: Verdict,
    /// Where its table moved: from, to.
    pub(super) moved: Option<(Heads, Heads)>,
    /// When it moved, at last.
    pub(super) moved_at: Option<Timestamp>,
    /// The version table.
    pub(super) table: &'static str,
    /// Steps were logged, whether they came through or not.
    pub(super) stepped: bool,
    /// Several runners worked on it at the same time.
    pub(super) concurrent: bool,
    pub(super) began_at: Timestamp,
    pub(super) policy: Policy,
    pub(super) by: By,
}

/// Who did it, as far as that may remain unknown.
#[derive(Clone, Debug)]
pub(super) enum By {
    /// The start of containers that stay, so that their logs are read in the end.
    Starts {
        /// Containers whose first start was followed by another soon.
        restarted: Vec<(ContainerId, Timestamp)>,
    },
    Exec {
        exec: ExecId,
        at: Timestamp,
        until: Timestamp,
    },
    OneOff {
        container: ContainerId,
        /// How many lines it logs.
        lines: usize,
    },
    Local {
        /// The ends of the lines in its file that tell what it moved.
        lines: Vec<u64>,
    },
    Elsewhere,
}

/// What is compared: a migration as it should be known in the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expected {
    pub(super) service: ServiceId,
    pub(super) trigger: Trigger,
    pub(super) outcome: Outcome,
    pub(super) verdict: Verdict,
    pub(super) moved: Option<(Heads, Heads)>,
    /// The alerts of it that stay open.
    pub(super) open: BTreeSet<AlertName>,
}

/// An `exec` or one-off that runs for longer than this is presumed to move something.
const PRESUMED: std::time::Duration = std::time::Duration::from_secs(5);

impl Truth {
    /// The same, as somebody who only saw the database move knows it.
    fn seen_in_the_database_only(&self, world: &World, heard: &Heard) -> Option<Self> {
        let moved = self.moved.clone()?;
        let verdict = match self.policy {
            Policy::Allow => Verdict::Expected,
            Policy::Explicit | Policy::Deny => Verdict::Unexpected,
        };
        Some(Self {
            trigger: Trigger::OutOfBand,
            verdict,
            outcome: heard.as_found(&world.tables[self.table], self.moved_at?),
            moved: Some(moved),
            stepped: false,
            concurrent: false,
            by: By::Elsewhere,
            ..self.clone()
        })
    }

    /// As much of it as can be known from what was heard; and whether a command is known to have run for long.
    fn known(&self, world: &World, heard: &Heard) -> Option<(Self, bool)> {
        match &self.by {
            By::Elsewhere => Some((self.seen_in_the_database_only(world, heard)?, false)),
            By::Local { lines } if heard.is_told_in_time(self.moved_at, lines) => Some((self.clone(), false)),
            // Nobody knows when a line was written that is read much later: it proves nothing.
            By::Local { .. } => {
                let mut known = self.seen_in_the_database_only(world, heard)?;
                known.service = service_id(BACKEND);
                Some((known, false))
            }
            By::Starts { restarted } => {
                let mut known = self.clone();
                // That a start was the first one, only those know who saw the container before its second.
                let is_missed = restarted.iter().any(|(container, again)| {
                    heard.first_look.get(container).is_none_or(|first| first >= again)
                });
                if is_missed && self.policy == Policy::Explicit {
                    known.verdict = Verdict::Unexpected;
                }
                Some((known, false))
            }
            By::Exec { exec, at, until } => {
                if !heard.exec_starts.contains(exec) {
                    return Some((self.seen_in_the_database_only(world, heard)?, false));
                }
                let until = heard.exec_ends.get(exec).copied().unwrap_or(*until);
                Some((self.clone(), heard.watched(*at, until, PRESUMED)))
            }
            By::OneOff { container, lines } => self.known_of_one_off((world, heard), container, *lines),
        }
    }

    fn known_of_one_off(
        &self,
        (world, heard): (&World, &Heard),
        container: &ContainerId,
        lines: usize,
    ) -> Option<(Self, bool)> {
        let Some(started) = heard.starts.get(container) else {
            return Some((self.seen_in_the_database_only(world, heard)?, false));
        };
        let read = heard.lines.get(container).copied().unwrap_or(0);
        let mut known = self.clone();
        known.stepped &= read > 1;
        let mut is_long = false;
        if !heard.deaths.contains(container) {
            let gone = heard.gone.get(container);
            is_long = gone.is_some_and(|gone| heard.watched(*started, *gone, PRESUMED));
            // Gone, and nobody saw how: only the database can tell that it came through.
            let said_all = read >= lines;
            known.outcome = match (self.outcome, &self.moved) {
                (outcome, Some(_)) => outcome,
                (Outcome::Failed, None) if said_all => Outcome::Failed,
                _ if known.stepped || is_long => Outcome::Interrupted,
                _ => Outcome::NothingToDo,
            };
        }
        Some((known, is_long))
    }
}

fn is_good(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Applied | Outcome::NothingToDo | Outcome::Stamped | Outcome::Downgraded
    )
}

/// What is to be known of everything that happened, in a fixed order.
pub(super) fn expected(world: &World, heard: &Heard) -> Vec<Expected> {
    let known: Vec<(Truth, bool)> = world
        .truths
        .iter()
        .filter_map(|truth| truth.known(world, heard))
        .collect();
    let mut all: Vec<Expected> = known
        .iter()
        .map(|(truth, is_long)| {
            let came_through = known.iter().any(|(later, _)| {
                later.service == truth.service && later.began_at > truth.began_at && is_good(later.outcome)
            });
            truth.expected(*is_long, came_through)
        })
        .collect();
    all.sort();
    all
}

impl Truth {
    fn expected(&self, is_long: bool, came_through: bool) -> Expected {
        let mut open = BTreeSet::new();
        let has_moved = self.moved.is_some() || self.stepped || (is_long && !is_good(self.outcome));
        if self.verdict == Verdict::Unexpected && has_moved {
            open.insert(AlertName::UnexpectedMigration);
        }
        if self.concurrent && has_moved {
            open.insert(AlertName::ConcurrentMigrations);
        }
        match self.outcome {
            Outcome::Failed if !came_through => drop(open.insert(AlertName::MigrationFailed)),
            Outcome::Interrupted if !came_through => drop(open.insert(AlertName::MigrationInterrupted)),
            Outcome::NothingApplied => drop(open.insert(AlertName::MigrationNothingApplied)),
            _ => {}
        }
        Expected {
            service: self.service.clone(),
            trigger: self.trigger,
            outcome: self.outcome,
            verdict: self.verdict,
            moved: self.moved.clone(),
            open,
        }
    }
}
