//! What the watch remembers from one connection to the next.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::execs::{ExecStart, Execs};
use super::inspect::Inspected;
use super::look::Places;
use super::recent::Recent;
use super::tails::Tails;
use crate::model::observation::Observation;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// How many events of a container may wait for its first look.
const PENDING: usize = 64;

/// Whether a look at a container is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Looking {
    #[default]
    No,
    Yes,
    /// An event came meanwhile: another look follows.
    Again,
}

/// What waits for a container's first look.
pub(super) enum Waiting {
    /// To be told as it is.
    Told(Observation),
    /// A command that began: what the look shows says whether it is told.
    Exec(Timestamp, Box<ExecStart>),
}

/// What is known of one container; survives connections.
#[derive(Default)]
pub(super) struct Known {
    /// The newest look.
    pub(super) inspected: Option<Inspected>,
    /// Config and labels want it watched.
    pub(super) enabled: bool,
    /// The number of the last event that touched it.
    pub(super) touched: u64,
    /// Whether it is being looked at.
    pub(super) looking: Looking,
    /// It was reported by a look.
    pub(super) reported: bool,
    /// Events that came before the first look.
    pub(super) pending: Vec<Waiting>,
    /// Why its log is not followed, as reported.
    pub(super) not_followed: Option<String>,
}

/// What outlives a connection.
pub(super) struct Memory {
    /// By ID.
    pub(super) known: BTreeMap<ContainerId, Known>,
    /// The log tails.
    pub(super) tails: Tails,
    /// The commands that run in containers and may migrate.
    pub(super) execs: Execs,
    /// The events taken in lately.
    pub(super) recent: Recent,
    /// Which images hold Alembic.
    pub(super) places: Places,
    /// Containers that could not be looked at, and were told so.
    pub(super) unreadable: BTreeSet<ContainerId>,
    /// Those of which the last full look could say nothing.
    pub(super) unshown: BTreeSet<ContainerId>,
}

impl Known {
    /// Keeps what happened until the first look.
    pub(super) fn hold(&mut self, waiting: Waiting) {
        if self.pending.len() < PENDING {
            self.pending.push(waiting);
        }
    }

    /// It was started, and whose it is was never seen.
    pub(super) fn ran_unseen(&self) -> bool {
        let is_start = |waiting: &Waiting| matches!(waiting, Waiting::Told(Observation::Started { .. }));
        !self.reported && self.pending.iter().any(is_start)
    }
}

impl Memory {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self {
            known: BTreeMap::new(),
            tails: Tails::new(stop),
            execs: Execs::default(),
            recent: Recent::default(),
            places: Places::default(),
            unreadable: BTreeSet::new(),
            unshown: BTreeSet::new(),
        }
    }
}
