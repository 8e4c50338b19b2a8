//! The task of one database: reads it at its pace and reports.
//!
//! Promises that nothing is reported after its farewell, and that a problem is logged once when it begins and once when it ends.
//! Refuses to know other databases.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{Notify, watch as channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::read::{Reader, Standings};
use super::{Shared, Target};
use crate::model::database::{DatabaseProblem, DatabaseReading};
use crate::model::observation::Observation;
use crate::model::time::Timestamp;

/// One database's task.
pub(super) struct Watch {
    target: channel::Receiver<Target>,
    hurry: Arc<Notify>,
    gone: CancellationToken,
    shared: Shared,
    reader: Reader,
    pace: Pace,
    in_trouble: bool,
}

impl Watch {
    /// Reads `target`, sooner when notified of a `hurry`, until the database is `gone` or all stop.
    pub(super) fn new(
        mut target: channel::Receiver<Target>,
        hurry: Arc<Notify>,
        gone: CancellationToken,
        shared: Shared,
    ) -> Self {
        let reader = Reader::new(target.borrow_and_update().clone(), shared.config.timeout);
        let pace = Pace::new(shared.config.interval);
        Self {
            target,
            hurry,
            gone,
            shared,
            reader,
            pace,
            in_trouble: false,
        }
    }

    /// Ends when the database is gone, after having said so, or when all stop.
    pub(super) async fn run(mut self) {
        let (gone, stop) = (self.gone.clone(), self.shared.stop.clone());
        tokio::select! {
            () = stop.cancelled() => {}
            () = gone.cancelled() => {}
            () = self.read_for_ever() => {}
        }
        self.reader.close().await;
        if gone.is_cancelled() {
            let farewell = Observation::DatabaseGone(self.reader.target().id.clone());
            tokio::select! {
                () = stop.cancelled() => {}
                _ = self.shared.inbox.send(farewell) => {}
            }
        }
    }

    /// Ends only when nobody listens any more.
    async fn read_for_ever(&mut self) {
        let seed = RandomState::new().hash_one(&self.reader.target().id.0);
        loop {
            tokio::select! {
                biased;
                Ok(()) = self.target.changed() => self.retarget().await,
                () = self.hurry.notified() => self.pace.hurry(Instant::now()),
                () = tokio::time::sleep_until(self.pace.due(Instant::now(), seed)) => {
                    if self.read().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn retarget(&mut self) {
        let target = self.target.borrow_and_update().clone();
        if target.url != self.reader.target().url {
            self.pace.afresh();
        }
        self.reader.retarget(target).await;
    }

    /// One reading and its report. A new address ends it without one: what the old address answers is no news.
    async fn read(&mut self) -> Result<(), Closed> {
        let search = self.pace.begin(Instant::now());
        let at = self.shared.clock.now();
        let tables = tokio::select! {
            biased;
            Ok(()) = self.target.changed() => {
                self.target.mark_changed();
                return Ok(());
            }
            tables = self.reader.read(search) => tables,
        };
        self.pace.end(&tables);
        self.log(&tables);
        self.report(at, tables).await
    }

    async fn report(&self, at: Timestamp, tables: Result<Standings, DatabaseProblem>) -> Result<(), Closed> {
        let Target { id, services, .. } = self.reader.target().clone();
        let reading = DatabaseReading {
            database: id,
            services,
            at,
            tables,
        };
        self.shared
            .inbox
            .send(Observation::Database(reading))
            .await
            .map_err(|_| Closed)
    }

    fn log(&mut self, tables: &Result<Standings, DatabaseProblem>) {
        let database = &self.reader.target().id;
        match tables {
            Err(problem) if !self.in_trouble => {
                tracing::warn!(%database, kind = problem.kind.as_str(), "{}", problem.detail);
            }
            Ok(_) if self.in_trouble => tracing::info!(%database, "the database can be read again"),
            _ => {}
        }
        self.in_trouble = tables.is_err();
    }
}

/// Nobody listens any more.
struct Closed;
