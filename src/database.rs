//! The database edge: reads version tables and schemas of every known database, and who waits for a lock while a migration runs.
//!
//! Promises that a reader is never in anybody's way (autocommit, read-only, one short statement, no lock, no transaction left
//! open), that a database that hangs holds up no other, and a reading soon after a hint. Refuses to know what a revision means,
//! who may move it, and whether a database that was never reached is a fault.

mod connection;
pub mod found;
mod locks;
mod mysql;
mod pace;
mod postgres;
mod problem;
mod read;
mod rhythm;
mod schema;
mod sqlite;
mod statement;
mod target;
pub mod url;
mod watch;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch as channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::target::{Tables, Target};
pub use self::url::DatabaseUrl;
use self::watch::Watch;
use crate::model::database::DatabaseProblem;
use crate::model::lock::LockWait;
use crate::model::observation::Observation;
use crate::model::revision::{DatabaseId, Standing};
use crate::model::schema::Schema;
use crate::model::service::ServiceId;
use crate::model::time::{Clock, Timestamp};

/// How often and how patiently databases are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// From one reading to the next while nothing happens.
    pub interval: Duration,
    /// How long connecting, searching or reading may each take.
    pub timeout: Duration,
    /// From one reading of the schema to the next while nothing hints at a change.
    pub schema_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(2),
            schema_interval: Duration::from_secs(300),
        }
    }
}

/// Everything that every database's task needs.
#[derive(Clone)]
struct Shared {
    config: Config,
    migrating: Migrating,
    inbox: mpsc::Sender<Observation>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

/// The services of which a migration is known to run.
pub type Migrating = channel::Receiver<Arc<BTreeSet<ServiceId>>>;

/// Reads all databases, each in a task of its own.
pub struct Databases {
    config: Config,
    targets: channel::Receiver<Arc<Vec<Target>>>,
    hurry: mpsc::Receiver<ServiceId>,
    migrating: Migrating,
    inbox: mpsc::Sender<Observation>,
    clock: Arc<dyn Clock>,
}

/// The owner's end of one database's task.
struct Child {
    target: channel::Sender<Target>,
    hurry: Arc<Notify>,
    gone: CancellationToken,
}

impl Databases {
    /// Reads what `targets` names at any time; a service on `hurry` has its databases read at once. Reports to `inbox`.
    pub fn new(
        config: Config,
        targets: channel::Receiver<Arc<Vec<Target>>>,
        hurry: mpsc::Receiver<ServiceId>,
        inbox: mpsc::Sender<Observation>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            config,
            targets,
            hurry,
            migrating: channel::channel(Arc::default()).1,
            inbox,
            clock,
        }
    }

    /// While a migration of one of these services runs, its databases are read every second and asked who waits for whom.
    pub fn while_migrating(self, migrating: Migrating) -> Self {
        Self { migrating, ..self }
    }

    /// Runs until `stop`, or until nobody can give targets any more.
    ///
    /// # Panics
    /// When one of its own tasks did: that is a bug, for the supervisor to name.
    pub async fn run(mut self, stop: CancellationToken) {
        let shared = Shared {
            config: self.config,
            migrating: self.migrating,
            inbox: self.inbox,
            clock: self.clock,
            stop: stop.clone(),
        };
        let mut tasks: JoinSet<DatabaseId> = JoinSet::new();
        let mut children: BTreeMap<DatabaseId, Child> = BTreeMap::new();
        let mut can_hurry = true;
        reconcile(
            &self.targets.borrow_and_update().clone(),
            &mut children,
            &mut tasks,
            &shared,
        );
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = self.targets.changed() => if changed.is_err() { break },
                service = self.hurry.recv(), if can_hurry => {
                    match service {
                        Some(service) => hurry(&children, &service),
                        None => can_hurry = false,
                    }
                    continue;
                }
                Some(ended) = tasks.join_next() => match ended {
                    Ok(id) => { children.remove(&id); }
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
            }
            reconcile(
                &self.targets.borrow_and_update().clone(),
                &mut children,
                &mut tasks,
                &shared,
            );
        }
        shared.stop.cancel();
        while tasks.join_next().await.is_some() {}
    }
}

/// Starts what is new, retargets what is known, ends what is gone. What is ending is left alone until it has ended, so that its
/// last word never follows the first one of its successor.
fn reconcile(
    targets: &[Target],
    children: &mut BTreeMap<DatabaseId, Child>,
    tasks: &mut JoinSet<DatabaseId>,
    shared: &Shared,
) {
    let wanted = merge(targets);
    for (id, child) in children.iter() {
        if !wanted.contains_key(id) {
            child.gone.cancel();
        }
    }
    for (id, target) in wanted {
        match children.entry(id.clone()) {
            Entry::Occupied(child) => {
                child.get().target.send_if_modified(|current| {
                    let changed = *current != target;
                    *current = target;
                    changed
                });
            }
            Entry::Vacant(place) => {
                let (sender, receiver) = channel::channel(target);
                let (hurry, gone) = (Arc::new(Notify::new()), CancellationToken::new());
                let watch = Watch::new(receiver, Arc::clone(&hurry), gone.clone(), shared.clone());
                tasks.spawn(async move {
                    watch.run().await;
                    id
                });
                place.insert(Child {
                    target: sender,
                    hurry,
                    gone,
                });
            }
        }
    }
}

/// One target a database: the first counts, with the services of all.
fn merge(targets: &[Target]) -> BTreeMap<DatabaseId, Target> {
    let mut merged: BTreeMap<DatabaseId, Target> = BTreeMap::new();
    for target in targets {
        let one = merged.entry(target.id.clone()).or_insert_with(|| Target {
            services: Vec::new(),
            ..target.clone()
        });
        for service in &target.services {
            if !one.services.contains(service) {
                one.services.push(service.clone());
            }
        }
    }
    merged
}

/// A notification waits at most once: however many hints come during a reading, one more reading answers them all.
fn hurry(children: &BTreeMap<DatabaseId, Child>, service: &ServiceId) {
    for child in children
        .values()
        .filter(|child| child.target.borrow().services.contains(service))
    {
        child.hurry.notify_one();
    }
}

/// Reads a schema once, without the tables that `target` or their shape says hold versions.
///
/// # Errors
/// Why it cannot, and what to do.
pub async fn schema(target: &Target, timeout: Duration) -> Result<Arc<Schema>, DatabaseProblem> {
    let mut reader = read::Reader::new(target.clone(), timeout);
    let reading = reader.schema().await;
    reader.close().await;
    reading
}

/// Looks once who waits for whom; `at` is now.
///
/// # Errors
/// Why it cannot, and what to do.
pub async fn lock_waits(
    target: &Target,
    timeout: Duration,
    at: Timestamp,
) -> Result<Vec<LockWait>, DatabaseProblem> {
    let mut reader = read::Reader::new(target.clone(), timeout);
    let waits = reader.lock_waits(at).await;
    reader.close().await;
    waits
}

/// Reads a database once, for whoever wants to know whether it can be read.
///
/// # Errors
/// Why it cannot, and what to do.
pub async fn check(
    target: &Target,
    timeout: Duration,
) -> Result<BTreeMap<String, Standing>, DatabaseProblem> {
    let mut reader = read::Reader::new(target.clone(), timeout);
    let reading = reader.read(true).await;
    reader.close().await;
    reading
}
