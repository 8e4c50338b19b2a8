//! The edge to local files: log files of programs that somebody runs beside the containers, such as a project's `./run.sh`; and Alembic's
//! scripts in a folder ([`scripts`]).
//!
//! Promises each line once while it watches, over rotation by rename and by truncation, and a position to go on from after a restart. Refuses
//! to conclude anything, to write anywhere, and to know what runs: a file is all that it sees.

mod look;
mod paths;
mod process;
pub mod scripts;
mod tail;
mod wake;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub use look::check;
pub use paths::{LogPath, LogPathError};

use crate::lines::Patterns;
use crate::model::file::{FileId, FilePosition};
use crate::model::observation::Observation;
use crate::model::service::ServiceId;
use crate::model::time::Clock;
use process::Followed;
use wake::{Wake, Woken};

/// A local process that is watched through its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// As a service of a project of its own.
    pub id: ServiceId,
    /// Its log file, or files.
    pub log: LogPath,
}

/// How far a process's log was taken in: the position kept for this very file, else the newest one kept for its path, else none.
pub type Resume = Arc<dyn Fn(&ServiceId, &FileId) -> Option<FilePosition> + Send + Sync>;

/// What the edge is connected to.
#[derive(Clone)]
pub struct Wiring {
    /// Takes what is observed.
    pub inbox: mpsc::Sender<Observation>,
    /// Says when a line was read.
    pub clock: Arc<dyn Clock>,
    /// What is understood of lines.
    pub patterns: Arc<Patterns>,
    /// Where a file is to be taken up.
    pub resume: Resume,
}

/// Files are looked at so often though nothing was heard: file systems of other machines tell nothing.
const POLL: Duration = Duration::from_secs(2);
/// A process that writes without pause is read so often.
const PAUSE: Duration = Duration::from_millis(10);

/// The edge.
pub struct Files {
    processes: watch::Receiver<Arc<Vec<Process>>>,
    wiring: Wiring,
    followed: BTreeMap<ServiceId, Followed>,
    wake: Wake,
}

impl Files {
    /// Watches the processes that `processes` names, and no others.
    pub fn new(processes: watch::Receiver<Arc<Vec<Process>>>, wiring: Wiring) -> Self {
        Self {
            processes,
            wiring,
            followed: BTreeMap::new(),
            wake: Wake::default(),
        }
    }

    /// Watches until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.watch()).await;
        for followed in self.followed.values_mut() {
            followed.leave(&self.wiring).await;
        }
    }

    async fn watch(&mut self) {
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut woken = Woken::Looking;
        let mut not_before = Instant::now();
        self.take_up().await;
        loop {
            let waits = self.followed.values().filter_map(Followed::waits_until).min();
            tokio::select! {
                kind = self.wake.next(), if woken == Woken::Nothing => woken = kind,
                () = tokio::time::sleep_until(not_before), if woken != Woken::Nothing => {
                    let is_more = self.pass(std::mem::take(&mut woken)).await;
                    not_before = Instant::now() + PAUSE;
                    if is_more {
                        (woken, not_before) = (Woken::Reading, Instant::now());
                    }
                }
                _ = poll.tick() => woken = Woken::Looking,
                () = until(waits), if waits.is_some() => self.flush().await,
                Ok(()) = self.processes.changed() => {
                    self.take_up().await;
                    woken = Woken::Looking;
                }
            }
        }
    }

    /// Takes up the processes that are named now, and leaves the others.
    async fn take_up(&mut self) {
        let named = Arc::clone(&self.processes.borrow_and_update());
        let is_named = |id: &ServiceId, followed: &Followed| {
            named
                .iter()
                .any(|process| process.id == *id && process.log == *followed.log())
        };
        let left: Vec<ServiceId> = self
            .followed
            .iter()
            .filter(|(id, followed)| !is_named(id, followed))
            .map(|(id, _)| id.clone())
            .collect();
        for id in left {
            if let Some(mut followed) = self.followed.remove(&id) {
                followed.leave(&self.wiring).await;
            }
            if !named.iter().any(|process| process.id == id) {
                self.send(Observation::ProcessGone(id)).await;
            }
        }
        for process in named.iter() {
            if !self.followed.contains_key(&process.id) {
                let (process, path) = (process.clone(), process.log.to_string());
                self.send(Observation::ProcessWatched {
                    process: process.id.clone(),
                    path,
                })
                .await;
                self.followed.insert(process.id.clone(), Followed::new(process));
            }
        }
    }

    /// Reads what there is; whether there is more.
    async fn pass(&mut self, woken: Woken) -> bool {
        if woken == Woken::Looking {
            for followed in self.followed.values_mut() {
                followed.look(&self.wiring).await;
            }
            let folders = self.followed.values().flat_map(Followed::folders).collect();
            self.wake.watch(&folders);
        }
        let mut is_more = false;
        for followed in self.followed.values_mut() {
            is_more |= followed.read(&self.wiring).await;
        }
        is_more
    }

    /// Says what waited for lines that do not come.
    async fn flush(&mut self) {
        for followed in self.followed.values_mut() {
            followed.flush(&self.wiring).await;
        }
    }

    async fn send(&self, observation: Observation) {
        // A closed inbox means that the daemon stops; so does this edge, right after.
        let _ = self.wiring.inbox.send(observation).await;
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
