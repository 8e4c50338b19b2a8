//! How soon people are told: from the moment a container writes its first movement to the moment a webhook has the alert.
//!
//! `cargo bench --bench detection` (needs the host's engine, the `docker` command and the image `migwatch-demo-base`). Containers are
//! restarted one after another, each round settled and acknowledged before the next. Beside the whole way stand, in the same rounds, a
//! bare follower (what the engine's own delivery takes) and a synced append of three facts to a journal on the same disk.
//!
//! `MIGWATCH_BENCH_CONTAINERS` (20), `MIGWATCH_BENCH_ROUNDS` (50) a container; `MIGWATCH_BENCH_PAUSE_MS` (0) lies between the
//! announcement and the first step, where Alembic is imported in life; `MIGWATCH_BENCH_ACK` (1): 0 leaves all alerts open.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::panic, reason = "a benchmark that cannot measure says why and ends")]

#[path = "support/containers.rs"]
mod containers;
#[path = "detection/figures.rs"]
mod figures;
#[path = "detection/follower.rs"]
mod follower;
#[path = "detection/receiver.rs"]
mod receiver;
#[path = "support/settings.rs"]
mod settings;
#[path = "support/socket.rs"]
mod socket;
#[path = "support/usage.rs"]
mod usage;
#[path = "support/watcher.rs"]
mod watcher;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use migwatch::daemon::clock::SystemClock;
use migwatch::journal::Journal;
use migwatch::model::fact::Fact;
use migwatch::model::service::ContainerId;
use migwatch::model::time::{Clock as _, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use containers::Containers;
use figures::Figures;
use follower::{ENGINE, Found};
use receiver::Message;
use watcher::{POLL, Watcher};

const PROJECT: &str = "mwbench";

/// One round, with a start by an engine under load.
const ROUND: Duration = Duration::from_secs(60);

/// What the first movement of one start makes the daemon write: about so many facts.
const FACTS: usize = 3;

/// What is measured.
#[derive(Default)]
struct Measured {
    whole: Figures,
    bare: Figures,
    own: Figures,
    journal: Figures,
    /// Migrations that were judged to have ended otherwise than they did.
    otherwise: Vec<String>,
}

/// Everything that a round touches.
struct Bench {
    containers: Containers,
    watcher: Watcher,
    messages: mpsc::Receiver<Message>,
    found: mpsc::Receiver<Found>,
    /// When the round began, in nanoseconds.
    began: Arc<AtomicI64>,
    journal: Journal,
    acknowledge: bool,
    measured: Measured,
    /// Ends what runs beside the rounds.
    _tasks: JoinSet<()>,
    _folder: tempfile::TempDir,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be heard");
        tokio::select! {
            () = measure() => {}
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    });
}

async fn measure() {
    let count = settings::number("MIGWATCH_BENCH_CONTAINERS", 20);
    let rounds = settings::number("MIGWATCH_BENCH_ROUNDS", 50);
    let pause = settings::number("MIGWATCH_BENCH_PAUSE_MS", 0);
    let load_before = settings::load();
    let mut bench = Bench::begin(count, pause).await;
    let watched = bench.watcher.json("/api/v1/services").await;
    let watched = watched.as_array().map_or(0, Vec::len);
    let cpu = usage::cpu(&bench.watcher.proc());
    for _ in 0..rounds {
        for number in 0..count {
            timeout(ROUND, bench.round(number))
                .await
                .unwrap_or_else(|_| panic!("a round takes over a minute:\n{}", bench.watcher.log()));
        }
    }
    println!(
        "{count} containers, {rounds} rounds each, {pause} ms between announcement and step, {watched} services watched"
    );
    println!("{load_before} before, {} after", settings::load());
    let (cpu, process) = (usage::cpu(&bench.watcher.proc()) - cpu, bench.watcher.proc());
    println!(
        "migwatch: {cpu:.2} s of CPU in all rounds; {}",
        usage::memory(&process)
    );
    bench.tell().await;
}

/// What each container does at every start. An application needs a moment to come up after its migrations.
fn script(pause_ms: usize) -> String {
    let pause = match pause_ms {
        0 => String::new(),
        millis => format!("sleep {}.{:03}; ", millis / 1000, millis % 1000),
    };
    format!(
        "if [ \"${{RUN_MIGRATIONS:-true}}\" = true ]; then echo 'Running Alembic migrations...'; {pause}\
         echo 'INFO  [alembic.runtime.migration] Running upgrade 7456428295d9 -> a31f0c9be842, conversations' >&2; sleep 0.1; fi; \
         echo '[INFO] Listening at: http://0.0.0.0:8000'; exec sleep 86400"
    )
}

impl Bench {
    async fn begin(count: usize, pause_ms: usize) -> Self {
        let mut tasks = JoinSet::new();
        let containers = Containers::start(PROJECT, count, "true", &script(pause_ms));
        let (address, messages) = receiver::listen(PROJECT, &mut tasks).await;
        let watcher = Watcher::start(&format!(
            "[policy]\nmigrations = \"deny\"\n[databases]\nenable = false\n\
             [receiver.webhook.bench]\nurl = \"http://{address}/\"\n"
        ))
        .await;
        let began = Arc::new(AtomicI64::new(SystemClock.now().as_nanos()));
        let found = follower::follow(PROJECT, Arc::clone(&began), &mut tasks).await;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (journal, _) = Journal::open(folder.path(), SystemClock.now()).expect("a journal can be begun");
        Self {
            containers,
            watcher,
            messages,
            found,
            began,
            journal,
            acknowledge: settings::number("MIGWATCH_BENCH_ACK", 1) == 1,
            measured: Measured::default(),
            _tasks: tasks,
            _folder: folder,
        }
    }

    /// One restart of one container, to the end of what follows from it.
    async fn round(&mut self, number: usize) {
        let began = SystemClock.now();
        self.began.store(began.as_nanos(), Ordering::Relaxed);
        let container = self.containers.ids[number].clone();
        let path = format!("/containers/{container}/restart?t=0");
        let restarted = socket::whole(Path::new(ENGINE), "POST", &path, "").await;
        restarted.expect("the engine restarts the container");
        let service = format!("s{number}");
        let alert = self.message("firing", &service, began).await;
        let found = self.found.recv().await.expect("the follower lives");
        assert_eq!(
            (&found.container, found.line_at),
            (&container, alert.starts_at),
            "alert and bare follower speak of the same line"
        );
        let line = alert.starts_at.as_nanos();
        self.measured.whole.add(alert.at.as_nanos() - line);
        self.measured.bare.add(found.at.as_nanos() - line);
        self.measured.own.add(alert.at.as_nanos() - found.at.as_nanos());
        self.settle(&service, &alert.migration).await;
        self.append(&container, began);
    }

    /// The next message of this kind about the round that began at `since`.
    async fn message(&mut self, phase: &str, service: &str, since: Timestamp) -> Message {
        loop {
            let message = self.messages.recv().await.expect("the receiver lives");
            if message.phase == phase && message.service == service && message.starts_at >= since {
                return message;
            }
        }
    }

    /// Waits until the migration has its outcome, and closes its alert as a person would.
    async fn settle(&mut self, service: &str, migration: &str) {
        let path = format!("/api/v1/migrations?project={PROJECT}&service={service}&limit=1");
        loop {
            let latest = &self.watcher.json(&path).await[0];
            if latest["id"] == migration && latest["outcome"] != "running" {
                if latest["outcome"] != "applied" {
                    self.measured.otherwise.push(latest.to_string());
                }
                break;
            }
            sleep(POLL).await;
        }
        if self.acknowledge {
            let body = serde_json::json!({"id": migration, "note": "a round of a benchmark"});
            let answer = self.watcher.ask("POST", "/api/v1/ack", &body.to_string()).await;
            answer.expect("an open alert can be acknowledged");
            self.message("resolved", service, Timestamp::default()).await;
        }
    }

    /// Writes and syncs as many facts as the daemon did.
    fn append(&mut self, container: &str, at: Timestamp) {
        let fact = Fact::LogRead {
            container: ContainerId(container.to_owned()),
            position: at,
        };
        let began = Instant::now();
        let written = self.journal.append(&vec![fact; FACTS], at);
        written.expect("the disk takes facts");
        let nanos = began.elapsed().as_nanos();
        self.measured
            .journal
            .add(i64::try_from(nanos).unwrap_or(i64::MAX));
    }

    async fn tell(mut self) {
        println!("{:<44} {:>9} {:>9} {:>9}", "milliseconds", "p50", "p99", "max");
        let Measured {
            whole,
            bare,
            own,
            journal,
            otherwise,
        } = &mut self.measured;
        println!("{}", whole.row("line written -> webhook has the alert"));
        println!("{}", bare.row("line written -> bare follower has the line"));
        println!("{}", own.row("our own part (the difference, each round)"));
        println!("{}", journal.row("three facts appended to a journal, synced"));
        println!("judged to have ended otherwise than applied: {}", otherwise.len());
        for migration in otherwise {
            println!("{migration}");
        }
        let metrics = self.watcher.ask("GET", "/metrics", "").await;
        let metrics = metrics.expect("metrics are served");
        for line in metrics
            .lines()
            .filter(|line| line.starts_with("migwatch_detection_seconds"))
        {
            println!("{line}");
        }
    }
}
