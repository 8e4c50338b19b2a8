//! The wall clock of the tests.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use migwatch::model::time::{Clock, Timestamp};

/// The machine's own clock: an Alertmanager in a container compares it with its own.
pub(crate) struct WallClock;

impl Clock for WallClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' one clock; the product's belongs to its daemon"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_nanos(0).after(since)
    }
}

pub(crate) fn wall_clock() -> Arc<dyn Clock> {
    Arc::new(WallClock)
}
