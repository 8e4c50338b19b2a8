//! When a schema is read, and when who waits for a lock is looked at.
//!
//! Promises a reading of the schema soon after a hint and one more when things have calmed down, at most one a second, and at least one
//! an interval. Pure but for the type of its instants.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between two readings of a schema, however many hints come.
const AT_LEAST: Duration = Duration::from_secs(1);

/// What was done in the last moments of a migration shows by then for sure.
const CALM: Duration = Duration::from_secs(3);

/// A schema that cannot be read is tried again after this time, or at the interval if that is shorter.
const AGAIN: Duration = Duration::from_secs(30);

/// From one look at locks to the next.
const LOCKS: Duration = Duration::from_secs(1);

/// When a schema is read.
pub(super) struct SchemaPace {
    interval: Duration,
    last: Option<Instant>,
    hinted: Option<Instant>,
    is_wanted: bool,
    failed: bool,
}

impl SchemaPace {
    /// The first reading is due at once.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
            hinted: None,
            is_wanted: true,
            failed: false,
        }
    }

    /// Something says that the schema may have changed.
    pub(super) fn hint(&mut self, now: Instant) {
        self.hinted = Some(now);
        self.is_wanted = true;
    }

    /// It is another database now.
    pub(super) fn afresh(&mut self) {
        *self = Self::new(self.interval);
    }

    /// When it is read next.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let Some(last) = self.last else { return now };
        if self.failed {
            return last + self.interval.min(AGAIN);
        }
        let hinted = self.hinted.map(|hinted| hinted + CALM);
        let next = if self.is_wanted {
            last + AT_LEAST
        } else {
            last + self.interval
        };
        hinted.map_or(next, |calm| next.min(calm.max(last + AT_LEAST)))
    }

    /// It was read at `now`.
    pub(super) fn read(&mut self, now: Instant, is_ok: bool) {
        self.last = Some(now);
        self.is_wanted = false;
        self.failed = !is_ok;
        if self.hinted.is_some_and(|hinted| now >= hinted + CALM) {
            self.hinted = None;
        }
    }
}

/// When locks are looked at.
#[derive(Default)]
pub(super) struct LockPace {
    last: Option<Instant>,
}

impl LockPace {
    /// When it is done next; only while a migration runs.
    pub(super) fn due(&self, now: Instant, migrating: bool) -> Option<Instant> {
        migrating.then(|| self.last.map_or(now, |last| last + LOCKS))
    }

    /// It was done at `now`.
    pub(super) fn looked(&mut self, now: Instant) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::SchemaPace;
    use std::time::Duration;
    use tokio::time::Instant;

    const MS: Duration = Duration::from_millis(1);

    /// Reads whenever it is due until `until`, and says when, in milliseconds.
    fn readings(pace: &mut SchemaPace, start: Instant, until: u32, is_ok: bool) -> Vec<u128> {
        let mut times = Vec::new();
        loop {
            let now = pace.due(start);
            if now > start + MS * until {
                return times;
            }
            times.push((now - start).as_millis());
            pace.read(now, is_ok);
        }
    }

    #[test]
    fn at_rest_a_schema_is_read_once_an_interval() {
        let mut pace = SchemaPace::new(MS * 300_000);
        assert_eq!(
            readings(&mut pace, Instant::now(), 600_000, true),
            [0, 300_000, 600_000]
        );
    }

    #[test]
    fn a_hint_is_followed_by_a_reading_and_by_one_more_when_it_is_calm() {
        let (start, mut pace) = (Instant::now(), SchemaPace::new(MS * 300_000));
        assert_eq!(readings(&mut pace, start, 5_000, true), [0]);
        pace.hint(start + MS * 10_000);
        assert_eq!(readings(&mut pace, start, 100_000, true), [1_000, 13_000]);
    }

    #[test]
    fn many_hints_make_one_reading_a_second() {
        let (start, mut pace) = (Instant::now(), SchemaPace::new(MS * 300_000));
        let mut times = Vec::new();
        for hint in 0..20 {
            let at = hint * 100;
            pace.hint(start + MS * at);
            times.extend(readings(&mut pace, start, at, true));
        }
        times.extend(readings(&mut pace, start, 60_000, true));
        assert_eq!(times, [0, 1_000, 2_000, 4_900]);
    }

    #[test]
    fn a_schema_that_cannot_be_read_is_not_tried_at_every_hint() {
        let (start, mut pace) = (Instant::now(), SchemaPace::new(MS * 300_000));
        assert_eq!(readings(&mut pace, start, 31_000, false), [0, 30_000]);
        pace.hint(start + MS * 31_000);
        assert_eq!(pace.due(start), start + MS * 60_000);
    }
}
