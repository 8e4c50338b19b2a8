//! How long to wait before the next try. Pure: the attempt's number and a seed in, a delay out.

use std::time::Duration;

/// The first delay.
const FIRST: Duration = Duration::from_millis(250);

/// The longest delay: a dependency that comes back is noticed within this.
pub const LONGEST: Duration = Duration::from_secs(10);

/// The delay before try `attempt` (0 is the first retry), doubled each time up to [`LONGEST`], less up to a quarter by `seed`
/// so that several waiters do not knock together.
pub fn delay(attempt: u32, seed: u64) -> Duration {
    let doubled = FIRST
        .saturating_mul(1_u32.checked_shl(attempt.min(16)).unwrap_or(u32::MAX))
        .min(LONGEST);
    let jitter = u32::try_from(seed % 256).unwrap_or(0);
    doubled.saturating_sub(doubled.saturating_mul(jitter) / 1024)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, delay};
    use std::time::Duration;

    #[test]
    fn delays_grow_to_the_longest_and_stay_within_a_quarter_below_it() {
        assert_eq!(delay(0, 0), Duration::from_millis(250));
        assert_eq!(delay(1, 0), Duration::from_millis(500));
        for attempt in 10..100 {
            for seed in [0, 17, 255, u64::MAX] {
                let delay = delay(attempt, seed);
                assert!(delay <= LONGEST && delay >= LONGEST * 3 / 4, "{delay:?}");
            }
        }
    }
}
