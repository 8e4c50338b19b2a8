//! The one place where the wall clock is asked.

use crate::model::time::{Clock, Timestamp};

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the rightful place")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanos = since_epoch
            .ok()
            .and_then(|since| i64::try_from(since.as_nanos()).ok());
        Timestamp::from_nanos(nanos.unwrap_or(0))
    }
}
