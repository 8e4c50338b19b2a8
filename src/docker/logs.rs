//! Follows the log of one start of one container, from where it was left to the container's exit.
//!
//! Promises: every line once the engine has it, in the engine's order; after any cut, resumption from the last line taken in,
//! overlapping a little (so that a line may come twice, with the same key); a position that never runs ahead of the lines; a
//! named status whenever the log cannot be read; a look behind a stream that stays silent, for silence is not health; memory
//! bounded by one chunk whatever is printed. The inbox may make it wait.
//! Refuses to know what the lines mean, when containers start, and the journal.
//!
//! Never asks with `since`: the engine then scans the whole file (seconds of its CPU), where a growing `tail` costs
//! milliseconds.

mod reach;
mod reading;
mod report;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::reach::Reach;
use self::reading::BEAT;
use self::report::Report;
use super::endpoint::Endpoint;
use super::engine::ApiVersion;
use super::wire::WireError;
use crate::lines::Patterns;
use crate::model::backoff;
use crate::model::container::FollowLogs;
use crate::model::log::ResumeFrom;
use crate::model::observation::{LogStatus, Observation};
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// Before a log is tried again whose refusal will not pass by itself (a driver that cannot be read, a corrupt file).
const SLOW_RETRY: Duration = Duration::from_mins(1);

/// A look at the engine that takes no longer than this is not worth a word: it follows every cut of the events.
const LOOK: Duration = Duration::from_secs(2);

/// What is followed, from where, and who is told.
pub struct Tail {
    /// The engine.
    pub endpoint: Endpoint,
    /// The API version agreed on.
    pub api: ApiVersion,
    /// Whose log.
    pub container: ContainerId,
    /// It has a terminal: the log has no frames.
    pub tty: bool,
    /// Always, or only until the application is up.
    pub logs: FollowLogs,
    /// Where to begin.
    pub resume: ResumeFrom,
    /// What is understood.
    pub patterns: Arc<Patterns>,
    /// Who is told; may be full for a while.
    pub inbox: mpsc::Sender<Observation>,
    /// Whether this start of the container still runs: turns false at its exit and never true again (a later start has a tail
    /// of its own). A dropped sender counts as false.
    pub running: watch::Receiver<bool>,
    /// Whether the engine was looked at since it was last lost. A cut stream is opened again only then: a container may have been
    /// started anew meanwhile, and that must be told before its lines. A dropped sender counts as true.
    pub looked: watch::Receiver<bool>,
    /// Ends the tail at once.
    pub stop: CancellationToken,
}

/// How a tail ended: the container's log ended, the container is gone, or it was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The time of the last line taken in, from where the container's next start is followed; `None` if none ever came.
    pub position: Option<Timestamp>,
}

/// Follows one start of a container's log until it ends, the container is gone, or `stop`.
pub async fn follow(tail: Tail) -> Ended {
    let (stop, inbox) = (tail.stop.clone(), tail.inbox.clone());
    let mut follower = Follower::new(tail);
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = inbox.closed() => {}
        () = follower.run() => {}
    }
    Ended {
        position: follower.report.position(),
    }
}

/// Why reading stopped.
enum Stopped {
    /// The log is complete, or the container is gone.
    Over,
    /// The application is up and only starts are followed.
    Chosen,
    /// The stream was cut while there may be more.
    Cut,
    /// The log cannot be read.
    Unreadable { reason: String, lasting: bool },
    /// The stream began after the position: more of the log is needed.
    TooShort(Reach),
}

struct Follower {
    tail: Tail,
    report: Report,
    /// Some stream of this start was open before: the next is a reconnect.
    opened: bool,
    /// This connection's status was reported.
    announced: bool,
    /// The engine broke the last stream off with an error of its own: headers alone prove nothing.
    wary: bool,
    /// The last line that a stream left out at its end: what a second stream does not give either is not waited for.
    missed: Option<Timestamp>,
}

impl Follower {
    fn new(tail: Tail) -> Self {
        let resumed = match tail.resume {
            ResumeFrom::Position(position) => Some(position),
            ResumeFrom::Recent | ResumeFrom::Everything => None,
        };
        let report = Report::new(tail.container.clone(), tail.inbox.clone(), resumed);
        Self {
            tail,
            report,
            opened: false,
            announced: false,
            wary: false,
            missed: None,
        }
    }

    async fn run(&mut self) {
        if self.tail.logs == FollowLogs::Never {
            return self.rest("never, by choice").await;
        }
        let mut attempt = 0;
        loop {
            self.engine_looked_at().await;
            let (before, began) = (self.report.position(), Instant::now());
            let stopped = self.connection().await;
            if self.report.position() > before || began.elapsed() >= BEAT {
                attempt = 0;
            }
            match stopped {
                Stopped::Over => break,
                Stopped::Chosen => return self.rest("after the application is up, by choice").await,
                Stopped::Unreadable {
                    reason,
                    lasting: true,
                } => {
                    self.report.unreadable(reason).await;
                    if self.ended_within(SLOW_RETRY).await {
                        break;
                    }
                }
                Stopped::Unreadable {
                    reason,
                    lasting: false,
                } => {
                    self.report.unreadable(reason).await;
                    sleep(backoff::delay(attempt, self.seed())).await;
                }
                Stopped::Cut | Stopped::TooShort(_) if attempt == 0 => {}
                Stopped::Cut | Stopped::TooShort(_) => sleep(backoff::delay(attempt - 1, self.seed())).await,
            }
            attempt = attempt.saturating_add(1);
        }
        self.report.status(LogStatus::Ended).await;
    }

    /// Reads from the position on, reaching further back as long as the stream begins too late.
    async fn connection(&mut self) -> Stopped {
        self.announced = false;
        let mut reach = Reach::new(self.tail.resume, self.report.position());
        loop {
            match self.read(reach).await {
                Stopped::TooShort(further) => reach = further,
                stopped => return stopped,
            }
        }
    }

    fn failed(&self, error: &WireError) -> Stopped {
        match error.status() {
            // 409: "can not get logs from container which is dead or marked for removal".
            Some(404 | 409) => Stopped::Over,
            // A proxy in front of the engine says that the engine is away.
            None | Some(502..=504) => Stopped::Unreadable {
                reason: error.sentence(),
                lasting: false,
            },
            Some(_) if !self.is_running() => Stopped::Over,
            Some(_) => Stopped::Unreadable {
                reason: error.sentence(),
                lasting: true,
            },
        }
    }

    async fn announce(&mut self) {
        if !std::mem::replace(&mut self.announced, true) {
            self.wary = false;
            let reconnect = std::mem::replace(&mut self.opened, true);
            self.report.status(LogStatus::Following { reconnect }).await;
        }
    }

    /// Chosen blindness until the container's exit.
    async fn rest(&mut self, reason: &str) {
        self.report
            .status(LogStatus::NotFollowed {
                reason: reason.to_owned(),
            })
            .await;
        if self.tail.running.wait_for(|running| !running).await.is_err() {
            tracing::debug!(container = %self.tail.container, "nobody tells any more whether the container runs");
        }
    }

    /// Waits until the engine was looked at, and says that nothing is read if that takes its time.
    async fn engine_looked_at(&mut self) {
        let mut looked = self.tail.looked.clone();
        if timeout(LOOK, looked.wait_for(|looked| *looked)).await.is_err() {
            self.report
                .unreadable("the engine does not answer".to_owned())
                .await;
            // Dropped means that nobody looks any more.
            let _ = looked.wait_for(|looked| *looked).await;
        }
    }

    fn is_running(&self) -> bool {
        *self.tail.running.borrow() && self.tail.running.has_changed().is_ok()
    }

    async fn ended_within(&mut self, patience: Duration) -> bool {
        timeout(patience, self.tail.running.wait_for(|running| !running))
            .await
            .is_ok()
    }

    fn path(&self, query: &str) -> String {
        let Tail { api, container, .. } = &self.tail;
        let ContainerId(id) = container;
        format!("/v{api}/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&{query}")
    }

    /// Different containers wait differently.
    fn seed(&self) -> u64 {
        self.tail
            .container
            .0
            .bytes()
            .fold(0, |seed, byte| seed.rotate_left(5) ^ u64::from(byte))
    }
}
