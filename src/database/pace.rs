//! When a database is read next.
//!
//! Promises at most one reading in 50 ms and at least one an interval. Pure but for the type of its instants.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::backoff;
use crate::model::database::{DatabaseProblem, DatabaseProblemKind};

/// The least time between two readings, however many hints come.
const AT_LEAST: Duration = Duration::from_millis(50);

/// From one reading to the next while a migration is likely under way.
const CLOSELY: Duration = Duration::from_millis(500);

/// From one reading to the next while one is known to run.
const MIGRATING: Duration = Duration::from_secs(1);

/// How long after the last hint a migration is likely under way.
const CLOSELY_FOR: Duration = Duration::from_secs(5);

/// When one database was read, how that went, and who is in a hurry.
pub(super) struct Pace {
    interval: Duration,
    last: Option<Instant>,
    hinted: Option<Instant>,
    hurried: bool,
    migrating: bool,
    failures: u32,
    denied: bool,
}

impl Pace {
    /// The first reading is due at once.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
            hinted: None,
            hurried: false,
            migrating: false,
            failures: 0,
            denied: false,
        }
    }

    /// Something says that the database may just be moving.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.hinted = Some(now);
        self.hurried = true;
    }

    /// Whether a migration that may move it is known to run.
    pub(super) fn migrates(&mut self, migrating: bool) {
        self.migrating = migrating;
    }

    /// The address changed: what happened at the old one counts no more.
    pub(super) fn afresh(&mut self) {
        *self = Self {
            hinted: self.hinted,
            hurried: true,
            migrating: self.migrating,
            last: self.last,
            ..Self::new(self.interval)
        };
    }

    /// A reading begins; whether hints ask for it to look everything up again.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        self.last = Some(now);
        std::mem::take(&mut self.hurried) || self.is_close(now)
    }

    /// It ended.
    pub(super) fn end<T>(&mut self, result: &Result<T, DatabaseProblem>) {
        let problem = result.as_ref().err();
        self.failures = if problem.is_some() {
            self.failures.saturating_add(1)
        } else {
            0
        };
        self.denied = problem.is_some_and(|problem| problem.kind == DatabaseProblemKind::AccessDenied);
    }

    /// When the next one is due; `seed` spreads several databases of one dead server.
    pub(super) fn due(&self, now: Instant, seed: u64) -> Instant {
        let Some(last) = self.last else { return now };
        if self.denied {
            // hints do not hasten it: servers lock users out who fail too often, and this is the application's own user
            return last + self.interval;
        }
        if self.hurried {
            return last + AT_LEAST;
        }
        let rest = match self.failures {
            0 => self.interval,
            failures => self.interval.min(backoff::delay(failures - 1, seed)),
        };
        let rest = if self.migrating { rest.min(MIGRATING) } else { rest };
        last + if self.is_close(last) {
            rest.min(CLOSELY)
        } else {
            rest
        }
    }

    fn is_close(&self, at: Instant) -> bool {
        self.hinted
            .is_some_and(|hinted| at.saturating_duration_since(hinted) < CLOSELY_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::model::database::{DatabaseProblem, DatabaseProblemKind};
    use std::time::Duration;
    use tokio::time::Instant;

    const MS: Duration = Duration::from_millis(1);

    fn failed(kind: DatabaseProblemKind) -> Result<(), DatabaseProblem> {
        Err(DatabaseProblem {
            kind,
            detail: String::new(),
        })
    }

    /// Reads whenever it is due until `until`, and says when, in milliseconds.
    fn readings(
        pace: &mut Pace,
        start: Instant,
        until: u64,
        result: &Result<(), DatabaseProblem>,
    ) -> Vec<u128> {
        let mut times = Vec::new();
        loop {
            let now = pace.due(start, 0);
            if now > start + MS * u32::try_from(until).unwrap() {
                return times;
            }
            times.push((now - start).as_millis());
            pace.begin(now);
            pace.end(result);
        }
    }

    #[test]
    fn at_rest_a_database_is_read_once_an_interval() {
        let start = Instant::now();
        assert_eq!(
            readings(&mut Pace::new(MS * 15_000), start, 31_000, &Ok(())),
            [0, 15_000, 30_000]
        );
    }

    #[test]
    fn a_hint_is_followed_by_a_reading_at_once_and_by_five_close_seconds() {
        let (start, mut pace) = (Instant::now(), Pace::new(MS * 15_000));
        readings(&mut pace, start, 0, &Ok(()));
        pace.hurry(start + MS * 10);
        let times = readings(&mut pace, start, 40_000, &Ok(()));
        assert_eq!(times.first(), Some(&50));
        assert_eq!(times.iter().filter(|time| **time < 6_000).count(), 11);
        assert!(times.windows(2).any(|pair| pair == [5_050, 20_050]), "{times:?}");
    }

    #[test]
    fn a_database_is_read_every_second_while_a_migration_of_it_runs() {
        let (start, mut pace) = (Instant::now(), Pace::new(MS * 15_000));
        pace.migrates(true);
        assert_eq!(
            readings(&mut pace, start, 3_000, &Ok(())),
            [0, 1_000, 2_000, 3_000]
        );
        pace.migrates(false);
        assert_eq!(pace.due(start, 0), start + MS * 18_000);
    }

    #[test]
    fn a_failing_database_is_tried_with_growing_gaps_up_to_the_interval() {
        let times = readings(
            &mut Pace::new(MS * 3_000),
            Instant::now(),
            12_000,
            &failed(DatabaseProblemKind::Connect),
        );
        assert_eq!(times, [0, 250, 750, 1_750, 3_750, 6_750, 9_750]);
    }

    #[test]
    fn no_hint_hastens_another_login_after_a_refused_one() {
        let (start, mut pace) = (Instant::now(), Pace::new(MS * 15_000));
        readings(&mut pace, start, 0, &failed(DatabaseProblemKind::AccessDenied));
        pace.hurry(start + MS * 100);
        assert_eq!(pace.due(start, 0), start + MS * 15_000);
        pace.afresh();
        assert_eq!(pace.due(start, 0), start + MS * 50);
    }
}
