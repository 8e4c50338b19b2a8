//! When a container's code is read. What is just being made or taken away is left alone: the engine cannot remove a container whose files
//! it is packing, and says so to whoever wanted it removed.

use std::time::Duration;

use tokio::time::Instant;

use super::super::inventory::Container;
use super::{CodeReader, MOUNTED_AGAIN, shared};
use crate::model::container::{ArmedSource, ContainerState};
use crate::model::service::{ContainerId, Role};

/// A container that has rested for this long stays for a while: Compose removes what it stops within the time that it gives to stop, and
/// starts what it makes at once.
const CALM: Duration = Duration::from_secs(30);

/// Whether its files are in use anyway, so that packing them keeps the engine from nothing.
pub(super) fn runs(state: ContainerState) -> bool {
    matches!(state, ContainerState::Running | ContainerState::Paused)
}

impl CodeReader {
    pub(super) fn is_due(&self, container: &Container, now: Instant) -> bool {
        self.due_at(container).is_some_and(|due| due <= now)
    }

    /// Whether somebody waits for it.
    pub(super) fn is_asked(&self, id: &ContainerId) -> bool {
        let is_waited_for = self.waiting.iter().any(|waiting| waiting.container == *id);
        is_waited_for || self.told.get(id).is_some_and(|told| told.is_asked)
    }

    /// When something is read by time alone.
    pub(super) fn next(&self, containers: &[Container]) -> Instant {
        let due = containers.iter().filter_map(|container| self.due_at(container));
        due.min().unwrap_or_else(|| Instant::now() + MOUNTED_AGAIN)
    }

    /// When it is to be read; `None` if not by time.
    fn due_at(&self, container: &Container) -> Option<Instant> {
        let look = &container.look;
        if look.armed.source == ArmedSource::Nothing {
            return None;
        }
        let told = self
            .told
            .get(&look.id)
            .filter(|told| told.place == container.code);
        let due = match told {
            Some(told) => told.is_read_again().then_some(told.due)?,
            None => self.since,
        };
        if self.is_asked(&look.id) {
            return Some(due);
        }
        let calm = match self.resting.get(&look.id) {
            // Nothing is asked of the engine.
            _ if told.is_none() && shared(&self.images, &container.code).is_some() => due,
            // What lives for one command only is gone in a moment.
            _ if look.role != Role::Replica => return None,
            None => due,
            Some(since) if told.is_none() => *since + CALM,
            // It is read again once it runs.
            Some(_) => return None,
        };
        let again = self.unreadable.get(&look.id).map(|unreadable| unreadable.again);
        Some(due.max(calm).max(again.unwrap_or(due)))
    }
}
