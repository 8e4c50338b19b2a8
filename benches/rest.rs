//! What watching costs while nothing happens: memory and CPU of the optimised program over some minutes.
//!
//! `cargo bench --bench rest` (needs the host's engine, the `docker` command and the image `migwatch-demo-base`). It watches every
//! compose container that is there, and some idle ones of its own whose logs are followed; it is scraped as Prometheus would.
//!
//! `MIGWATCH_BENCH_CONTAINERS` (20) of its own, `MIGWATCH_BENCH_SECONDS` (600), `MIGWATCH_BENCH_SCRAPE_SECONDS` (15).
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::panic, reason = "a benchmark that cannot measure says why and ends")]

#[path = "support/containers.rs"]
mod containers;
#[path = "support/settings.rs"]
mod settings;
#[path = "support/socket.rs"]
mod socket;
#[path = "support/usage.rs"]
mod usage;
#[path = "support/watcher.rs"]
mod watcher;

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval};

use containers::Containers;
use watcher::Watcher;

/// What the start itself costs is not rest.
const SETTLING: Duration = Duration::from_secs(30);

const SCRIPT: &str = "if [ \"${RUN_MIGRATIONS:-true}\" = true ]; then alembic upgrade head; \
                      else echo 'Skipping Alembic migrations (RUN_MIGRATIONS=false)'; fi; \
                      echo '[INFO] Listening at: http://0.0.0.0:8000'; exec sleep 86400";

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
    let own = settings::number("MIGWATCH_BENCH_CONTAINERS", 20);
    let length = seconds("MIGWATCH_BENCH_SECONDS", 600);
    let every = seconds("MIGWATCH_BENCH_SCRAPE_SECONDS", 15);
    let load_before = settings::load();
    let _containers = Containers::start("mwrest", own, "false", SCRIPT);
    let watcher = Watcher::start("").await;
    scrape(&watcher, SETTLING.min(length), every).await;
    let process = watcher.proc();
    println!("after its start: {}", usage::memory(&process));
    forget_peak(&process);
    let (began, cpu) = (Instant::now(), usage::cpu(&process));
    let (scrapes, bytes) = scrape(&watcher, length, every).await;
    let (cpu, took) = (usage::cpu(&process) - cpu, began.elapsed().as_secs_f64());
    println!("{}", watched(&watcher).await);
    println!(
        "{took:.0} s, {scrapes} scrapes, one every {every:?}, of {bytes} bytes; {load_before} before, {} after",
        settings::load()
    );
    println!(
        "at rest: {} (the peak is of this time only)",
        usage::memory(&process)
    );
    println!("CPU {cpu:.2} s, {:.3} % of a core", cpu / took * 100.0);
    println!("CPU nanoseconds by thread: {}", threads(&process));
}

fn seconds(name: &str, usual: usize) -> Duration {
    Duration::from_secs(settings::number(name, usual).try_into().unwrap_or(u64::MAX))
}

/// Scrapes for so long: how often, and the bytes of the last answer.
async fn scrape(watcher: &Watcher, length: Duration, every: Duration) -> (u32, usize) {
    let until = Instant::now() + length;
    let mut ticks = interval(every);
    let (mut scrapes, mut bytes) = (0, 0);
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(until) => return (scrapes, bytes),
            _ = ticks.tick() => {}
        }
        let metrics = watcher.ask("GET", "/metrics", "").await;
        bytes = metrics
            .unwrap_or_else(|error| panic!("{error}:\n{}", watcher.log()))
            .len();
        scrapes += 1;
    }
}

/// Lets the peak (`VmHWM`) begin anew: proc(5), `clear_refs`.
fn forget_peak(process: &Path) {
    fs::write(process.join("clear_refs"), "5").expect("Linux lets the owner of a process do so");
}

/// What it watches, in a sentence.
async fn watched(watcher: &Watcher) -> String {
    let status = watcher.json("/api/v1/status").await;
    let services = status["services"].as_array().cloned().unwrap_or_default();
    let containers: usize = services
        .iter()
        .filter_map(|service| Some(service["containers"].as_array()?.len()))
        .sum();
    let followed: u64 = services
        .iter()
        .filter_map(|service| service["log"]["following"].as_u64())
        .sum();
    let count = |key: &str| status[key].as_array().map_or(0, Vec::len);
    format!(
        "{containers} containers of {} services, {followed} logs followed, {} probes, {} databases, default intervals",
        services.len(),
        count("probes"),
        count("databases")
    )
}

/// Where the CPU time went since the start: finer than ticks, but without threads that have ended.
fn threads(process: &Path) -> String {
    let read = |path: &Path, file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
    let threads = fs::read_dir(process.join("task")).expect("the program runs");
    let told = threads.flatten().map(|thread| {
        let time = read(&thread.path(), "schedstat");
        let nanos = time.split(' ').next().unwrap_or_default().to_owned();
        format!("{} {nanos}", read(&thread.path(), "comm").trim())
    });
    told.collect::<Vec<_>>().join(", ")
}
