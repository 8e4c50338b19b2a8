//! The whole edge with its inbox and a folder of logs, as the tests hold it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use migwatch::files::{Files, LogPath, Process, Wiring};
use migwatch::lines::Patterns;
use migwatch::model::file::{FileId, FilePosition};
use migwatch::model::log::{LogLine, Saying};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::service::ServiceId;
use migwatch::model::time::{Clock, Timestamp};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Real time: a loaded machine may take a while.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads are told with this time.
const NOW: i64 = 1_795_000_000;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }
}

/// The positions that were told, as the journal would keep them.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<FilePosition>>>);

impl Kept {
    /// The same positions, whatever is kept elsewhere from now on.
    pub(super) fn copy(&self) -> Self {
        let positions = self.0.lock().unwrap().clone();
        Self(Arc::new(Mutex::new(positions)))
    }

    fn keep(&self, position: &FilePosition) {
        let mut kept = self.0.lock().unwrap();
        kept.retain(|known| known.file != position.file);
        kept.push(position.clone());
    }

    fn of(&self, file: &FileId) -> Option<FilePosition> {
        let kept = self.0.lock().unwrap();
        let same = |known: &&FilePosition| (known.file.device, known.file.inode) == (file.device, file.inode);
        let at_path = |known: &&FilePosition| known.file.path == file.path;
        kept.iter()
            .find(same)
            .or_else(|| kept.iter().rev().find(at_path))
            .cloned()
    }
}

/// A folder of logs.
pub(super) struct Logs(TempDir);

impl Logs {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Appends to a file, which is made if it is not there.
    pub(super) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let opened = OpenOptions::new().create(true).append(true).open(self.path(name));
        opened.unwrap().write_all(text.as_ref()).unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Cuts a file, which stays the same file, to nothing.
    pub(super) fn truncate(&self, name: &str) {
        File::options()
            .write(true)
            .open(self.path(name))
            .unwrap()
            .set_len(0)
            .unwrap();
    }
}

pub(super) fn backend() -> ServiceId {
    ServiceId::new("local", "backend")
}

/// The edge, watching `backend` and whoever else is named.
pub(super) struct Watched {
    inbox: mpsc::Receiver<Observation>,
    processes: watch::Sender<Arc<Vec<Process>>>,
    pub(super) seen: Vec<Observation>,
    kept: Kept,
    stop: CancellationToken,
    edge: JoinSet<()>,
}

pub(super) fn process(logs: &Logs, service: &str, log: &str) -> Process {
    Process {
        id: ServiceId::new("local", service),
        log: LogPath::parse(log, logs.0.path()).unwrap(),
    }
}

/// Watches `log` as the log of `backend`, going on where `kept` says.
pub(super) fn watch_again(logs: &Logs, log: &str, kept: Kept) -> Watched {
    let (sender, inbox) = mpsc::channel(64);
    let (processes, named) = watch::channel(Arc::new(vec![process(logs, "backend", log)]));
    let positions = kept.clone();
    let wiring = Wiring {
        inbox: sender,
        clock: Arc::new(StandingClock),
        patterns: Arc::new(Patterns::builtin()),
        resume: Arc::new(move |_, file| positions.of(file)),
    };
    let stop = CancellationToken::new();
    let mut edge = JoinSet::new();
    edge.spawn(Files::new(named, wiring).run(stop.clone()));
    Watched {
        inbox,
        processes,
        seen: Vec::new(),
        kept,
        stop,
        edge,
    }
}

/// Watches for the first time; returns once the log is open.
pub(super) async fn watch(logs: &Logs, log: &str) -> Watched {
    let mut watched = watch_again(logs, log, Kept::default());
    watched.following().await;
    watched
}

impl Watched {
    pub(super) fn name(&self, processes: Vec<Process>) {
        self.processes.send_replace(Arc::new(processes));
    }

    /// The first observation from here on of which `wanted` makes something.
    pub(super) async fn until<T>(&mut self, what: &str, wanted: impl Fn(&Observation) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                let observation = self.inbox.recv().await.expect("the edge still tells");
                self.keep(&observation);
                let found = wanted(&observation);
                self.seen.push(observation);
                if let Some(found) = found {
                    return found;
                }
            }
        });
        match found.await {
            Ok(found) => found,
            Err(error) => panic!("{what} did not come ({error}); instead: {:#?}", self.seen),
        }
    }

    fn keep(&self, observation: &Observation) {
        if let Observation::ProcessRead { position, .. } = observation {
            self.kept.keep(position);
        }
    }

    pub(super) async fn following(&mut self) -> bool {
        let following = |observation: &Observation| match observation {
            Observation::ProcessLogStatus {
                status: LogStatus::Following { reconnect },
                ..
            } => Some(*reconnect),
            _ => None,
        };
        self.until("the word that the log is read", following).await
    }

    pub(super) async fn unreadable(&mut self) -> String {
        let unreadable = |observation: &Observation| match observation {
            Observation::ProcessLogStatus {
                status: LogStatus::Unreadable { reason },
                ..
            } => Some(reason.clone()),
            _ => None,
        };
        self.until("the word that the log cannot be read", unreadable)
            .await
    }

    pub(super) async fn line(&mut self) -> (FilePosition, LogLine) {
        let line = |observation: &Observation| match observation {
            Observation::ProcessLine { position, line, .. } => Some((position.clone(), line.clone())),
            _ => None,
        };
        self.until("a line", line).await
    }

    /// The revisions that the next `count` lines say are reached.
    pub(super) async fn steps(&mut self, count: usize) -> Vec<String> {
        let mut steps = Vec::new();
        while steps.len() < count {
            steps.push(revision(&self.line().await.1));
        }
        steps
    }

    /// Waits until everything up to this offset is told as read.
    pub(super) async fn read_to(&mut self, offset: u64) {
        let read = |observation: &Observation| match observation {
            Observation::ProcessRead { position, .. } if position.offset == offset => Some(()),
            _ => None,
        };
        self.until("the word how far the log was read", read).await;
    }

    /// Ends the edge; gives what is kept for the next one.
    pub(super) async fn stop(mut self) -> Kept {
        self.stop.cancel();
        let drained = async {
            while let Some(observation) = self.inbox.recv().await {
                if let Observation::ProcessRead { position, .. } = &observation {
                    self.kept.keep(position);
                }
            }
        };
        let ended = async { while self.edge.join_next().await.is_some() {} };
        timeout(PATIENCE, async { tokio::join!(drained, ended) })
            .await
            .expect("the edge ends when it is told to");
        self.kept
    }
}

/// What a line says is reached, or what else it says.
pub(super) fn revision(line: &LogLine) -> String {
    match &line.saying {
        Saying::Step(step) => step.to.iter().map(ToString::to_string).collect(),
        other => format!("{other:?}"),
    }
}

/// Alembic's own line for a step to `revision`.
pub(super) fn step(revision: &str) -> String {
    format!("INFO  [alembic.runtime.migration] Running upgrade aaa111 -> {revision}, title\n")
}
