//! The least that any watcher of logs must do: hear of a start, open the log, find `Running upgrade`. What it takes is the engine's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use memchr::memmem;
use migwatch::daemon::clock::SystemClock;
use migwatch::model::time::{Clock as _, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::form_urlencoded::byte_serialize;

use crate::socket;

/// Where the host's engine listens.
pub(crate) const ENGINE: &str = "/var/run/docker.sock";

/// Lines found that nobody has looked at yet; a round makes one.
const WAITING: usize = 64;

/// A log frame's header in front of each line.
const HEADER: usize = 8;

/// A line that says `Running upgrade`.
#[derive(Debug)]
pub(crate) struct Found {
    /// When it was here.
    pub(crate) at: Timestamp,
    pub(crate) container: String,
    /// The engine's time of it.
    pub(crate) line_at: Timestamp,
}

/// Follows every start in `project`. Lines before `since` (nanoseconds) are of earlier rounds.
pub(crate) async fn follow(
    project: &str,
    since: Arc<AtomicI64>,
    tasks: &mut JoinSet<()>,
) -> mpsc::Receiver<Found> {
    let filters = json!({"event": ["start"], "label": [format!("com.docker.compose.project={project}")]});
    let filters: String = byte_serialize(filters.to_string().as_bytes()).collect();
    let events = socket::open(
        Path::new(ENGINE),
        "GET",
        &format!("/events?filters={filters}"),
        "",
    )
    .await;
    let mut events = events.expect("the engine tells its events").lines();
    let (queue, found) = mpsc::channel(WAITING);
    tasks.spawn(async move {
        let mut logs = JoinSet::new();
        while let Ok(Some(event)) = events.next_line().await {
            let event: Value = serde_json::from_str(&event).unwrap_or_default();
            let Some(container) = event["id"].as_str().map(str::to_owned) else {
                continue;
            };
            let (queue, since) = (queue.clone(), since.load(Ordering::Relaxed));
            logs.spawn(async move {
                if let Ok(Some(line)) = find(container, since).await {
                    // A closed queue: the benchmark ends.
                    let _ = queue.send(line).await;
                }
            });
        }
    });
    found
}

async fn find(container: String, since: i64) -> std::io::Result<Option<Found>> {
    let (seconds, nanos) = (since / 1_000_000_000, since % 1_000_000_000);
    let path = format!(
        "/containers/{container}/logs?follow=1&stdout=1&stderr=1&timestamps=1&since={seconds}.{nanos:09}"
    );
    let mut log = socket::open(Path::new(ENGINE), "GET", &path, "").await?;
    let mut read = Vec::new();
    while log.read_buf(&mut read).await? > 0 {
        if let Some(said) = memmem::find(&read, b"Running upgrade") {
            let at = SystemClock.now();
            return Ok(line_time(&read, said).map(|line_at| Found {
                at,
                container,
                line_at,
            }));
        }
    }
    Ok(None)
}

/// The engine's time of the line that holds the byte `said`.
fn line_time(read: &[u8], said: usize) -> Option<Timestamp> {
    let before = read.get(..said)?;
    let line = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let text = std::str::from_utf8(before.get(line + HEADER..)?).ok()?;
    text.split(' ').next()?.parse().ok()
}
