//! What the health checks of others cost: each is an exec of which the engine tells three events, every few seconds, for every container.
//!
//! `cargo bench --bench health_checks` plays an engine with 50 containers whose checks run every 2 s, and has the optimised program watch
//! it: first without the checks' events, then with them. `MIGWATCH_BENCH_CONTAINERS` (50), `MIGWATCH_BENCH_SECONDS` (60).
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::panic, reason = "a benchmark that cannot measure says why and ends")]

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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use watcher::Watcher;

const EVERY: Duration = Duration::from_secs(2);
/// What the start itself costs is not measured.
const SETTLING: Duration = Duration::from_secs(5);
/// Labels of a container in the wild: they are part of every event.
const LABELS: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let containers = settings::number("MIGWATCH_BENCH_CONTAINERS", 50);
        let seconds = settings::number("MIGWATCH_BENCH_SECONDS", 60);
        let length = Duration::from_secs(seconds.try_into().unwrap_or(u64::MAX));
        println!("{containers} containers, {}", settings::load());
        for (what, checks) in [("without checks", false), ("a check every 2 s", true)] {
            measure(what, containers, checks, length).await;
        }
    });
}

async fn measure(what: &str, containers: usize, checks: bool, length: Duration) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("docker.sock");
    let engine = Arc::new(Engine {
        containers,
        checks,
        events: AtomicUsize::new(0),
    });
    let mut serving = JoinSet::new();
    serving.spawn(serve(
        UnixListener::bind(&path).expect("the socket is free"),
        engine.clone(),
    ));
    let watcher = Watcher::start(&configuration(&path)).await;
    sleep(SETTLING).await;
    let process = watcher.proc();
    let (began, cpu) = (Instant::now(), usage::cpu(&process));
    let before = engine.events.load(Ordering::Relaxed);
    sleep(length).await;
    let (cpu, took) = (usage::cpu(&process) - cpu, began.elapsed().as_secs_f64());
    let events = engine.events.load(Ordering::Relaxed) - before;
    let status = watcher.json("/api/v1/status").await;
    let services = status["services"].as_array().map_or(0, Vec::len);
    assert_eq!(services, containers, "all are watched");
    println!(
        "{what:<18} {events:>6} exec events, CPU {cpu:.2} s in {took:.0} s: {:.3} % of a core; {}",
        cpu / took * 100.0,
        usage::memory(&process)
    );
}

fn configuration(engine: &Path) -> String {
    format!("[engine]\nhost = \"unix://{}\"\n", engine.display())
}

/// An engine that answers what migwatch asks, and nothing else.
struct Engine {
    containers: usize,
    checks: bool,
    events: AtomicUsize,
}

async fn serve(listener: UnixListener, engine: Arc<Engine>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, engine.clone()));
    }
}

/// Answers one connection; one that is broken off is none of our concern.
async fn answer(stream: UnixStream, engine: Arc<Engine>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if stream.read_line(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let stream = stream.get_mut();
    if path.contains("/events") {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        return engine.tell(stream).await;
    }
    let body = engine.shown(path).map(|json| json.to_string());
    let (status, body) = body.map_or(("404 Not Found", "{}".to_owned()), |body| ("200 OK", body));
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await
}

impl Engine {
    fn shown(&self, path: &str) -> Option<Value> {
        if path.ends_with("/version") {
            return Some(json!({ "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12" }));
        }
        if path.contains("/containers/json") {
            let all =
                (0..self.containers).map(|number| json!({ "Id": id(number), "Labels": labels(number) }));
            return Some(all.collect());
        }
        let number = (0..self.containers)
            .find(|number| path.ends_with(&format!("/containers/{}/json", id(*number))))?;
        Some(json!({
            "Id": id(number), "Name": format!("/shop-s{number}-1"), "Image": "sha256:1", "Created": "2026-11-23T09:00:00Z", "RestartCount": 0,
            "State": { "Status": "running", "StartedAt": "2026-11-23T09:00:01Z", "FinishedAt": "0001-01-01T00:00:00Z", "ExitCode": 0 },
            "HostConfig": { "RestartPolicy": { "Name": "always" } },
            "Config": {
                "Image": "app", "Cmd": ["gunicorn", "app:app"], "Labels": labels(number), "Tty": false,
                "Healthcheck": { "Test": ["CMD-SHELL", CHECK] },
            },
        }))
    }

    /// The three events of each check, spread over the time between two.
    async fn tell(&self, stream: &mut UnixStream) -> std::io::Result<()> {
        if !self.checks {
            return std::future::pending().await;
        }
        let mut ticks = interval(EVERY / u32::try_from(self.containers).unwrap_or(1));
        for count in 0.. {
            ticks.tick().await;
            let mut events = String::new();
            // `exec_create` is not asked for, and the engine does not send it.
            for action in [format!("exec_start: /bin/sh -c {CHECK}"), "exec_die".to_owned()] {
                events.push_str(&event(count, count % self.containers, &action).to_string());
                events.push('\n');
                self.events.fetch_add(1, Ordering::Relaxed);
            }
            stream.write_all(events.as_bytes()).await?;
        }
        Ok(())
    }
}

const CHECK: &str = "curl --fail --silent --user probe:s3cret http://localhost:8000/health || exit 1";

fn id(number: usize) -> String {
    format!("{number:064x}")
}

fn labels(number: usize) -> Value {
    let own = (0..LABELS).map(|label| (format!("org.example.label-{label}"), Value::from("x".repeat(40))));
    let compose = [
        ("com.docker.compose.project".to_owned(), Value::from("shop")),
        (
            "com.docker.compose.service".to_owned(),
            Value::from(format!("s{number}")),
        ),
        ("com.docker.compose.oneoff".to_owned(), Value::from("False")),
    ];
    Value::Object(own.chain(compose).collect())
}

fn event(count: usize, number: usize, action: &str) -> Value {
    let mut attributes = labels(number);
    attributes["execID"] = format!("{:064x}", 0xe0_0000 + count).into();
    if action == "exec_die" {
        attributes["exitCode"] = "0".into();
    }
    json!({
        "status": action, "id": id(number), "from": "app", "Type": "container", "Action": action,
        "Actor": { "ID": id(number), "Attributes": attributes }, "scope": "local",
        "time": 1_795_000_000 + count, "timeNano": (1_795_000_000 + count) * 1_000_000_000,
    })
}
