//! What a tail tells the inbox, in the order in which it must arrive.
//!
//! Promises that a position never runs ahead of its lines, that lines older than the overlap are not told again, and that an
//! unreadable log is logged once at its start and once at its end. Refuses to know streams and the engine.

use tokio::sync::mpsc;

use super::reach::OVERLAP;
use crate::model::log::LogLine;
use crate::model::observation::{LogStatus, Observation};
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

pub(super) struct Report {
    container: ContainerId,
    inbox: mpsc::Sender<Observation>,
    position: Option<Timestamp>,
    /// Lines before this were told by an earlier stream; `None` once the present stream has caught up. (It is not compared
    /// for ever: the engine's clock may be set back.)
    not_before: Option<Timestamp>,
    unreported_bytes: u64,
    /// The reason last told, while the log cannot be read.
    unreadable: Option<String>,
}

impl Report {
    pub(super) fn new(
        container: ContainerId,
        inbox: mpsc::Sender<Observation>,
        position: Option<Timestamp>,
    ) -> Self {
        Self {
            container,
            inbox,
            position,
            not_before: None,
            unreported_bytes: 0,
            unreadable: None,
        }
    }

    /// The time of the last line taken in, its sayings told.
    pub(super) fn position(&self) -> Option<Timestamp> {
        self.position
    }

    /// Another stream begins: it repeats what was told.
    pub(super) fn reopened(&mut self) {
        self.not_before = self.position.map(|position| position.before(OVERLAP));
    }

    /// The present stream still repeats what an earlier one told.
    pub(super) fn is_behind(&self) -> bool {
        self.not_before.is_some()
    }

    pub(super) fn heard(&mut self, bytes: usize) {
        self.unreported_bytes = self
            .unreported_bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Tells what was said and, behind it, how far the stream came.
    pub(super) async fn lines(&mut self, said: &mut Vec<LogLine>, came_to: Option<Timestamp>) {
        if let Some(not_before) = self.not_before {
            said.retain(|line| line.key.at >= not_before);
            if came_to >= Some(not_before) {
                self.not_before = None;
            }
        }
        let any = !said.is_empty();
        for line in said.drain(..) {
            self.send(Observation::Line {
                container: self.container.clone(),
                line,
            })
            .await;
        }
        if self.not_before.is_none() && came_to.is_some() {
            self.position = came_to;
        }
        if any {
            self.progress().await;
        }
    }

    /// Tells how far the stream came, if any bytes came since the last time.
    pub(super) async fn progress(&mut self) {
        if self.unreported_bytes == 0 {
            return;
        }
        let (container, position) = (self.container.clone(), self.position);
        let bytes = std::mem::take(&mut self.unreported_bytes);
        self.send(Observation::LogProgress {
            container,
            position,
            bytes,
        })
        .await;
    }

    pub(super) async fn gap(&mut self, from: Timestamp, to: Timestamp) {
        tracing::warn!(container = %self.container, %from, %to, "log lines were rotated away before they could be read");
        self.send(Observation::LogGap {
            container: self.container.clone(),
            from,
            to,
        })
        .await;
    }

    pub(super) async fn unreadable(&mut self, reason: String) {
        if self.unreadable.as_ref() == Some(&reason) {
            return;
        }
        if self.unreadable.is_none() {
            tracing::warn!(container = %self.container, %reason, "log cannot be read; it is tried again");
        }
        self.unreadable = Some(reason.clone());
        self.tell(LogStatus::Unreadable { reason }).await;
    }

    pub(super) async fn status(&mut self, status: LogStatus) {
        if self.unreadable.take().is_some() {
            tracing::info!(container = %self.container, ?status, "log is no longer unreadable");
        }
        self.tell(status).await;
    }

    async fn tell(&self, status: LogStatus) {
        self.send(Observation::LogStatus {
            container: self.container.clone(),
            status,
        })
        .await;
    }

    async fn send(&self, observation: Observation) {
        if self.inbox.send(observation).await.is_err() {
            // Nobody listens any more: `follow` sees that too and ends.
            std::future::pending::<()>().await;
        }
    }
}
