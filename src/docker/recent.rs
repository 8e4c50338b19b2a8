//! The events that were taken in lately: a new subscription delivers the last ones again.

use std::collections::VecDeque;
use std::time::Duration;

use super::events::Event;
use crate::model::time::Timestamp;

/// The engine itself remembers 256 events; twice that leaves nothing to chance.
const REMEMBERED: usize = 512;
/// How far a new subscription goes back behind the last event, or behind the engine's clock (which tells whole seconds).
const OVERLAP: Duration = Duration::from_secs(2);

/// The last events.
#[derive(Default)]
pub(super) struct Recent {
    events: VecDeque<Event>,
    newest: Option<Timestamp>,
}

impl Recent {
    /// Whether the event was not taken in before; then it is from now on.
    pub(super) fn is_new(&mut self, event: Event) -> bool {
        if self.events.contains(&event) {
            return false;
        }
        self.newest = self.newest.max(Some(event.at));
        if self.events.len() == REMEMBERED {
            self.events.pop_front();
        }
        self.events.push_back(event);
        true
    }

    /// From when a new subscription asks for events; `now` is the engine's clock.
    pub(super) fn resume(&self, now: Timestamp) -> Timestamp {
        self.newest.unwrap_or(now).before(OVERLAP)
    }
}

#[cfg(test)]
mod tests {
    use super::{REMEMBERED, Recent};
    use crate::docker::events::{Event, Happening};
    use crate::model::service::ContainerId;
    use crate::model::time::Timestamp;

    fn event(second: i64) -> Event {
        let container = ContainerId("c".to_owned());
        Event {
            container,
            at: Timestamp::from_seconds(second),
            what: Happening::Started,
            compose: true,
        }
    }

    #[test]
    fn an_event_that_comes_again_is_not_new_and_a_new_subscription_reaches_behind_the_last_one() {
        let mut recent = Recent::default();
        assert_eq!(
            recent.resume(Timestamp::from_seconds(100)),
            Timestamp::from_seconds(98)
        );
        assert!(recent.is_new(event(50)));
        assert!(!recent.is_new(event(50)));
        assert_eq!(
            recent.resume(Timestamp::from_seconds(100)),
            Timestamp::from_seconds(48)
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut recent = Recent::default();
        for second in 0..2000 {
            assert!(recent.is_new(event(second)));
        }
        assert_eq!(recent.events.len(), REMEMBERED);
    }
}
