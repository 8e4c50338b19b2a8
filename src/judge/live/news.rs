//! Which observations change what is seen, and which only move a time or a count: most do only that, and nothing need be judged or
//! shown anew because of them.

use super::{Live, LiveDatabase, LiveProbe};
use crate::model::observation::Observation;

impl Live {
    /// Whether it changes what is seen by more than a time or a count.
    pub(super) fn is_news(&self, observation: &Observation) -> bool {
        match observation {
            Observation::LogProgress { .. }
            | Observation::ProcessRead { .. }
            | Observation::ProcessLine { .. }
            | Observation::Line { .. }
            | Observation::LogGap { .. }
            | Observation::ProcessLogGap { .. }
            | Observation::Acknowledged { .. }
            | Observation::Approved(_)
            | Observation::ApprovalRevoked { .. }
            | Observation::DeployEnded { .. }
            | Observation::Tick => false,
            Observation::Unshown(containers) => *containers != self.unshown,
            Observation::EngineClock { ahead } => *ahead != self.engine.ahead,
            Observation::LogStatus { container, status } => {
                let live = self.containers.get(container);
                live.is_some_and(|live| live.log.as_ref() != Some(status))
            }
            Observation::Probed { probe, result } => {
                let before = self.probes.get(probe);
                let is_as_before = |before: &LiveProbe| before.answered && before.result.failure.is_none();
                result.failure.is_some() || !before.is_some_and(is_as_before)
            }
            Observation::Database(reading) => {
                let before = self.databases.get(&reading.database);
                let is_same = |before: &LiveDatabase| {
                    before.reading.tables == reading.tables && before.reading.services == reading.services
                };
                reading.tables.is_err() || !before.is_some_and(is_same)
            }
            Observation::Schema(reading) => self.is_new_schema(reading),
            Observation::LockWaits(waits) => self.are_new_waits(waits),
            Observation::Delivered { receiver, .. } => {
                let before = self.receivers.get(receiver);
                before.is_none_or(|before| before.problem.is_some())
            }
            _ => true,
        }
    }
}
