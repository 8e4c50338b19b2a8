//! What a followed log line costs: CPU a line of ours, from the engine's socket to the scanner, and of the engine's own.
//!
//! `cargo bench --bench log_stream` plays an engine that sends 1,000,000 lines of 150 bytes over a unix socket, one HTTP chunk a
//! line as the real one does; `cargo bench --bench log_stream -- real` reads 300,000 lines of a container of the host's engine
//! (which needs the `docker` command and the image `migwatch-demo-base`).
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures of three digits")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use migwatch::docker::endpoint::Endpoint;
use migwatch::docker::engine::ApiVersion;
use migwatch::docker::logs::{Tail, follow};
use migwatch::lines::Patterns;
use migwatch::model::container::FollowLogs;
use migwatch::model::log::ResumeFrom;
use migwatch::model::observation::Observation;
use migwatch::model::service::ContainerId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const PLAYED_LINES: usize = 1_000_000;
const REAL_LINES: usize = 300_000;
const LINE: usize = 150;
const STAMP: &str = "2026-11-23T09:31:06.123456789Z ";
/// Written at once by the played engine, which is not measured.
const LINES_A_WRITE: usize = 200;
/// Clock ticks a second in `/proc`, on every Linux of today.
const TICKS: f64 = 100.0;
const IMAGE: &str = "migwatch-demo-base";

/// What one reading took.
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    bytes: u64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    if std::env::args().any(|argument| argument == "real") {
        return real(&runtime);
    }
    for lines_a_chunk in [1, LINES_A_WRITE] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("the socket is free");
        let engine = std::thread::spawn(move || play(&listener, lines_a_chunk));
        let cost = runtime.block_on(read(&socket, "played"));
        engine
            .join()
            .expect("the played engine does not panic")
            .expect("the tail reads on");
        tell(&format!("played, {lines_a_chunk} a chunk"), PLAYED_LINES, &cost);
    }
}

fn tell(name: &str, lines: usize, cost: &Cost) {
    println!(
        "{name:<22} {:>5.2} Mlines/s {:>7.3} us of our CPU a line ({} lines, {:.1} MB, {:.2} s)",
        lines as f64 / cost.seconds / 1e6,
        cost.cpu_seconds * 1e6 / lines as f64,
        lines,
        cost.bytes as f64 / 1e6,
        cost.seconds,
    );
}

/// Follows one log to its end on this thread.
async fn read(socket: &Path, container: &str) -> Cost {
    let (inbox, mut told) = mpsc::channel(64);
    let (_running, running) = watch::channel(false);
    let tail = Tail {
        endpoint: Endpoint::Unix(socket.to_owned()),
        api: ApiVersion { major: 1, minor: 41 },
        container: ContainerId(container.to_owned()),
        tty: false,
        logs: FollowLogs::Always,
        resume: ResumeFrom::Everything,
        patterns: Arc::new(Patterns::builtin()),
        inbox,
        running,
        looked: watch::channel(true).1,
        stop: CancellationToken::new(),
    };
    let (began, cpu) = (Instant::now(), own_cpu());
    let mut tails = JoinSet::new();
    tails.spawn(follow(tail));
    let mut bytes = 0;
    while let Some(observation) = told.recv().await {
        if let Observation::LogProgress { bytes: more, .. } = observation {
            bytes += more;
        }
    }
    Cost {
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: own_cpu() - cpu,
        bytes,
    }
}

/// CPU seconds of this thread, which is the runtime's only one.
fn own_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    let nanos: u64 = text
        .split(' ')
        .next()
        .and_then(|nanos| nanos.parse().ok())
        .expect("it begins with nanoseconds");
    nanos as f64 / 1e9
}

/// Answers one request with [`PLAYED_LINES`] lines.
fn play(listener: &UnixListener, lines_a_chunk: usize) -> std::io::Result<()> {
    let (socket, _) = listener.accept()?;
    let mut request = BufReader::new(socket.try_clone()?).lines();
    while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut socket: UnixStream = socket;
    socket.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let text = format!(
        "{STAMP}{:<width$}\n",
        "INFO  app.orders  GET /api/v1/orders/42 200 in 12 ms",
        width = LINE - STAMP.len() - 1
    );
    let length = u32::try_from(text.len()).expect("a line is short").to_be_bytes();
    let frame = [&[1, 0, 0, 0], length.as_slice(), text.as_bytes()].concat();
    let payload = frame.repeat(lines_a_chunk);
    let chunk = [format!("{:x}\r\n", payload.len()).as_bytes(), &payload, b"\r\n"].concat();
    let write = chunk.repeat(LINES_A_WRITE / lines_a_chunk);
    for _ in 0..PLAYED_LINES / LINES_A_WRITE {
        socket.write_all(&write)?;
    }
    socket.write_all(b"0\r\n\r\n")
}

fn real(runtime: &tokio::runtime::Runtime) {
    let line = format!(
        "{:<width$}",
        "INFO  app.orders  GET /api/v1/orders/42 200 in 12 ms",
        width = LINE - STAMP.len() - 1
    );
    let script = format!("yes '{line}' | head -n {REAL_LINES}");
    let container = docker(&[
        "create",
        "--label",
        "migwatch.test=bench",
        "--log-opt",
        "max-size=500m",
        "--log-opt",
        "max-file=1",
        IMAGE,
        "sh",
        "-c",
        &script,
    ]);
    docker(&["start", "--attach", &container]);
    let engine_before = engine_cpu();
    let cost = runtime.block_on(read(Path::new("/var/run/docker.sock"), &container));
    let engine = engine_cpu() - engine_before;
    docker(&["rm", "--force", &container]);
    let expected = REAL_LINES * (LINE + 8);
    assert!(
        usize::try_from(cost.bytes).is_ok_and(|bytes| bytes == expected),
        "the whole log is read: {expected} bytes, not {}",
        cost.bytes
    );
    tell("real engine", REAL_LINES, &cost);
    println!(
        "{:<22} {:>24.3} us of the engine's CPU a line",
        "",
        engine * 1e6 / REAL_LINES as f64
    );
}

/// CPU seconds of `dockerd`.
fn engine_cpu() -> f64 {
    let pid = std::fs::read_to_string("/var/run/docker.pid").expect("the engine wrote its process ID");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).expect("the engine runs");
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th field behind it.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    ticks / TICKS
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .expect("the docker command is installed");
    assert!(
        output.status.success(),
        "docker: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
