//! Waiting for a condition outside of this process: asked again and again, with a generous time-out.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

/// From one question to the next.
const AGAIN: Duration = Duration::from_millis(75);

/// A busy machine is no failure.
const PATIENCE: Duration = Duration::from_mins(3);

/// Asks until the answer is `Ok`, and gives it. `Err` is what was there instead; the last one is shown when it never comes.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFn() -> Result<T, String>) -> T {
    let given_up = Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval(AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match ask().await {
            Ok(answer) => return answer,
            Err(instead) => assert!(Instant::now() < given_up, "waited in vain: {what}\n{instead}"),
        }
    }
}
