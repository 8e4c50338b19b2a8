//! One receiver's task: finds what is owed to it, hands it over, reports, and tries again for ever.
//!
//! Promises to send nothing twice while it or who takes its place lives: it remembers what it has handed over until the outbox says
//! so too (the outbox may be published for another reason before the delivery's report was taken in). Refuses to know the other receivers.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::alertmanager::{Level, Told};
use super::post::{Failure, Post};
use super::{Config, Receiver, Wiring, webhook};
use crate::model::alert::{Outbox, Transition};
use crate::model::backoff;
use crate::model::observation::Observation;

/// How long what is owed is still tried after the stop: the rest stays in the outbox for the next start.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The task of one receiver.
pub(super) struct Courier {
    receiver: Receiver,
    resend: Duration,
    post: Post,
    wiring: Wiring,
    /// The last transition that any receiver has taken in this process, shared by all couriers.
    first_handed: Arc<AtomicU64>,
    /// What an Alertmanager was told.
    told: Told,
    /// When the level is sent again.
    resend_at: Option<Instant>,
    done: Done,
}

/// What outlives a courier: the one that takes its place goes on from there.
#[derive(Default)]
pub(super) struct Done {
    /// The last transition that this receiver has taken in this process.
    pub(super) sent: u64,
    failing: Option<Failing>,
}

/// A failure that lasts.
struct Failing {
    cause: String,
    attempts: u32,
}

/// What one turn came to.
enum Turn {
    /// Something was handed over; there may be more.
    Delivered,
    /// Nothing is owed.
    Idle,
    /// Not taken: wait so long before the next try.
    Failed(Duration),
}

impl Courier {
    pub(super) fn new(
        receiver: Receiver,
        config: Config,
        wiring: Wiring,
        first_handed: Arc<AtomicU64>,
        done: Done,
    ) -> Self {
        let post = Post {
            client: wiring.client.clone(),
            timeout: config.timeout,
        };
        Self {
            receiver,
            resend: config.resend,
            post,
            wiring,
            first_handed,
            told: Told::default(),
            resend_at: None,
            done,
        }
    }

    /// Delivers until `stop`, and then for at most [`LAST_WORDS`]. A request that is under way then is let finish: cut off, it
    /// would be repeated after the next start.
    pub(super) async fn run(mut self, stop: CancellationToken) -> (String, Done) {
        let over = async {
            stop.cancelled().await;
            sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = self.serve(&stop) => {}
            () = over => {}
        }
        (self.receiver.name().to_owned(), self.done)
    }

    async fn serve(&mut self, stop: &CancellationToken) {
        loop {
            match self.turn().await {
                Turn::Delivered => {}
                _ if stop.is_cancelled() => return,
                Turn::Idle => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.something_new() => {}
                    }
                }
                Turn::Failed(pause) => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = sleep(pause) => {}
                    }
                }
            }
        }
    }

    /// Resolves when the outbox was published anew or it is time to send the level again.
    async fn something_new(&mut self) {
        let resend_at = self.resend_at;
        let resend = async {
            match resend_at {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let published = async {
            if self.wiring.outbox.changed().await.is_err() {
                // Nobody publishes any more: the daemon is ending.
                pending::<()>().await;
            }
        };
        tokio::select! {
            () = published => {}
            () = resend => {}
        }
    }

    /// Hands over what comes next.
    async fn turn(&mut self) -> Turn {
        let outbox = Arc::clone(&self.wiring.outbox.borrow_and_update());
        let Some(known) = outbox.delivered.get(self.receiver.name()) else {
            // A new one is owed what comes from now on. From where that is, the monitor says: what is there is not owed.
            return Turn::Idle;
        };
        let taken = self.done.sent.max(*known);
        let owed: Vec<&Transition> = outbox
            .transitions
            .iter()
            .filter(|transition| transition.number > taken)
            .collect();
        let (handed, result) = match &self.receiver {
            Receiver::Webhook { url, format, .. } => {
                let Some(next) = owed.first() else {
                    return Turn::Idle;
                };
                (&owed[..1], webhook::deliver(&self.post, url, *format, next).await)
            }
            Receiver::Alertmanager { url, .. } => {
                let due = self.resend_at.is_some_and(|at| at <= Instant::now());
                let is_well = self.done.failing.is_none();
                if owed.is_empty() && !due && is_well && !self.told.differs(&outbox.firing) {
                    return Turn::Idle;
                }
                let level = Level {
                    firing: &outbox.firing,
                    owed: &owed,
                    now: self.wiring.clock.now(),
                };
                let result = self.told.deliver(&self.post, url, level, self.resend).await;
                if result.is_ok() {
                    self.resend_at = (!outbox.firing.is_empty()).then(|| Instant::now() + self.resend);
                }
                (&owed[..], result)
            }
        };
        match result {
            Ok(()) => {
                self.on_taken(&outbox, handed, taken).await;
                Turn::Delivered
            }
            Err(failure) => Turn::Failed(self.on_failure(failure).await),
        }
    }

    /// Tells what was handed over; also that nothing was owed, where the last word was a failure: it is over.
    async fn on_taken(&mut self, outbox: &Outbox, handed: &[&Transition], taken: u64) {
        let has_failed = self.done.failing.take().is_some();
        if has_failed {
            tracing::info!(
                receiver = self.receiver.name(),
                "the receiver takes messages again"
            );
        }
        if handed.is_empty() && !has_failed {
            return;
        }
        let at = self.wiring.clock.now();
        let up_to = handed.last().map_or(taken, |last| last.number);
        self.done.sent = up_to;
        // What any receiver has had before, in this process or an earlier one, was measured then.
        let earlier = outbox.delivered.values().copied().max().unwrap_or(0);
        let before = self.first_handed.fetch_max(up_to, Ordering::Relaxed).max(earlier);
        for transition in handed.iter().filter(|transition| transition.number > before) {
            if transition.alert.resolved.is_none() {
                (self.wiring.handed)(&transition.alert, at);
            }
        }
        let receiver = self.receiver.name().to_owned();
        self.report(Observation::Delivered { receiver, up_to, at }).await;
    }

    /// Says it once for each change of the cause; gives the pause before the next try.
    async fn on_failure(&mut self, failure: Failure) -> Duration {
        let attempts = self.done.failing.as_ref().map_or(0, |failing| failing.attempts);
        let is_new = self
            .done
            .failing
            .as_ref()
            .is_none_or(|failing| failing.cause != failure.cause);
        if self.done.failing.is_none() {
            let receiver = self.receiver.name();
            tracing::warn!(receiver, reason = %failure.sentence, "the receiver takes no messages; trying again until it does");
        }
        self.done.failing = Some(Failing {
            cause: failure.cause,
            attempts: attempts.saturating_add(1),
        });
        if is_new {
            let receiver = self.receiver.name().to_owned();
            self.report(Observation::DeliveryFailed {
                receiver,
                reason: failure.sentence,
            })
            .await;
        }
        backoff::delay(attempts, self.seed()).max(failure.pause)
    }

    /// From the name, so that receivers of one host do not try in step.
    fn seed(&self) -> u64 {
        self.receiver.name().bytes().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
    }

    async fn report(&self, observation: Observation) {
        // The inbox closes when the daemon ends: what is undelivered is then still delivered, and at worst repeated.
        let _ = self.wiring.inbox.send(observation).await;
    }
}
