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
use super::rhythm::{LockPace, SchemaPace};
use super::{Shared, Target};
use crate::model::database::{DatabaseProblem, DatabaseReading, SchemaReading};
use crate::model::lock::LockWaits;
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
    schema_pace: SchemaPace,
    lock_pace: LockPace,
    /// What stood in the version tables at the last reading.
    standings: Option<Standings>,
    /// The last look showed somebody waiting.
    is_waited: bool,
    in_trouble: bool,
    /// Why the schema was not read the last time.
    schema_problem: Option<DatabaseProblem>,
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
        let schema_pace = SchemaPace::new(shared.config.schema_interval);
        Self {
            target,
            hurry,
            gone,
            shared,
            reader,
            pace,
            schema_pace,
            lock_pace: LockPace::default(),
            standings: None,
            is_waited: false,
            in_trouble: false,
            schema_problem: None,
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
            let migrating = self.is_migrating();
            self.pace.migrates(migrating);
            let now = Instant::now();
            let (versions, locks) = (self.pace.due(now, seed), self.lock_pace.due(now, migrating));
            // Whoever cannot be connected to is not asked for more.
            let schema = Some(self.schema_pace.due(now)).filter(|_| !self.in_trouble);
            let readings = schema.map_or(versions, |schema| schema.min(versions));
            let due = locks.map_or(readings, |locks| locks.min(readings));
            tokio::select! {
                biased;
                Ok(()) = self.target.changed() => self.retarget().await,
                () = self.hurry.notified() => {
                    let now = Instant::now();
                    self.pace.hurry(now);
                    self.schema_pace.hint(now);
                }
                Ok(()) = self.shared.migrating.changed() => {
                    if self.look_at_nobody().await.is_err() {
                        return;
                    }
                }
                () = tokio::time::sleep_until(due) => {
                    let done = if due == readings { self.read().await } else { self.look_at_locks().await };
                    if done.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether a migration of one of its services is known to run.
    fn is_migrating(&self) -> bool {
        let migrating = self.shared.migrating.borrow();
        let services = &self.reader.target().services;
        services.iter().any(|service| migrating.contains(service))
    }

    async fn retarget(&mut self) {
        let target = self.target.borrow_and_update().clone();
        if target.url != self.reader.target().url {
            self.pace.afresh();
            self.schema_pace.afresh();
        }
        self.reader.retarget(target).await;
    }

    /// One reading and its report; the schema after it, if that is due. A new address ends it without one: what the old address
    /// answers is no news.
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
        let is_back = self.in_trouble && tables.is_ok();
        self.log(&tables);
        if let Ok(standings) = &tables {
            let has_moved = self.standings.as_ref().is_some_and(|before| before != standings);
            if has_moved || is_back {
                self.schema_pace.hint(Instant::now());
            }
            self.standings = Some(standings.clone());
        }
        self.report(at, tables).await?;
        let now = Instant::now();
        if !self.in_trouble && self.schema_pace.due(now) <= now {
            return self.read_schema().await;
        }
        Ok(())
    }

    async fn read_schema(&mut self) -> Result<(), Closed> {
        let at = self.shared.clock.now();
        let schema = tokio::select! {
            biased;
            Ok(()) = self.target.changed() => {
                self.target.mark_changed();
                return Ok(());
            }
            schema = self.reader.schema() => schema,
        };
        self.schema_pace.read(Instant::now(), schema.is_ok());
        self.log_schema(schema.as_ref().err());
        let Target { id, services, .. } = self.reader.target().clone();
        self.send(Observation::Schema(SchemaReading {
            database: id,
            services,
            at,
            schema,
        }))
        .await
    }

    /// A problem is said once, and its end once.
    fn log_schema(&mut self, problem: Option<&DatabaseProblem>) {
        let database = &self.reader.target().id;
        if let Some(problem) = problem.filter(|problem| self.schema_problem.as_ref() != Some(problem)) {
            tracing::warn!(%database, kind = problem.kind.as_str(), "{}", problem.detail);
        } else if problem.is_none() && self.schema_problem.is_some() {
            tracing::info!(%database, "the schema can be read again");
        }
        self.schema_problem = problem.cloned();
    }

    /// Who waits for whom. That nobody does is told once; what cannot be seen is no news.
    async fn look_at_locks(&mut self) -> Result<(), Closed> {
        self.lock_pace.looked(Instant::now());
        let at = self.shared.clock.now();
        match self.reader.lock_waits(at).await {
            Ok(waits) if waits.is_empty() => self.look_at_nobody_at(at).await,
            Ok(waits) => {
                self.is_waited = true;
                let database = self.reader.target().id.clone();
                self.send(Observation::LockWaits(LockWaits { database, at, waits }))
                    .await
            }
            Err(problem) => {
                let database = &self.reader.target().id;
                tracing::debug!(%database, kind = problem.kind.as_str(), "{}", problem.detail);
                Ok(())
            }
        }
    }

    /// Once no migration runs any more, nobody is looked at.
    async fn look_at_nobody(&mut self) -> Result<(), Closed> {
        if self.is_migrating() {
            return Ok(());
        }
        let at = self.shared.clock.now();
        self.look_at_nobody_at(at).await
    }

    async fn look_at_nobody_at(&mut self, at: Timestamp) -> Result<(), Closed> {
        if !std::mem::take(&mut self.is_waited) {
            return Ok(());
        }
        let (database, waits) = (self.reader.target().id.clone(), Vec::new());
        self.send(Observation::LockWaits(LockWaits { database, at, waits }))
            .await
    }

    async fn report(&self, at: Timestamp, tables: Result<Standings, DatabaseProblem>) -> Result<(), Closed> {
        let Target {
            id, services, url, ..
        } = self.reader.target().clone();
        let reading = DatabaseReading {
            database: id,
            kind: url.kind(),
            services,
            at,
            tables,
        };
        self.send(Observation::Database(reading)).await
    }

    async fn send(&self, observation: Observation) -> Result<(), Closed> {
        self.shared.inbox.send(observation).await.map_err(|_| Closed)
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
