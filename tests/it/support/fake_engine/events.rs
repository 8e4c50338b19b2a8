//! `GET /events`: what was and what comes, 256 remembered, some lost.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use migwatch::model::time::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::Shared;
use super::routes::Answer;

/// The real engine's memory.
const REMEMBERED: usize = 256;

/// One event as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) json: Value,
}

struct Happened {
    number: u64,
    event: Event,
    /// Not delivered to those who listened.
    lost: bool,
}

#[derive(Default)]
pub(crate) struct Events {
    memory: VecDeque<Happened>,
    count: u64,
    to_lose: usize,
    cuts: u64,
}

impl Events {
    pub(crate) fn push(&mut self, event: Event) {
        self.count += 1;
        let lost = self.to_lose > 0;
        self.to_lose = self.to_lose.saturating_sub(1);
        self.memory.push_back(Happened {
            number: self.count,
            event,
            lost,
        });
        while self.memory.len() > REMEMBERED {
            self.memory.pop_front();
        }
    }

    pub(crate) fn cut(&mut self) {
        self.cuts += 1;
    }

    pub(crate) fn lose_next(&mut self, count: usize) {
        self.to_lose = count;
    }

    pub(crate) fn forget(&mut self) {
        self.memory.clear();
    }
}

pub(super) fn answer(shared: &Arc<Shared>, query: &str) -> Answer {
    let parameters: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let wanted = parameters
        .get("filters")
        .map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_default());
    let time = |name: &str| parameters.get(name).and_then(|text| seconds(text));
    let (since, until) = (time("since"), time("until"));
    let state = shared.state();
    let now = state.events.count;
    let reader = Reader {
        next: if since.is_some() { 0 } else { now + 1 },
        live_from: now + 1,
        cuts: state.events.cuts,
        since,
        until,
        wanted,
    };
    drop(state);
    let streaming = Streaming {
        reader,
        shared: Arc::clone(shared),
        changes: shared.changes.subscribe(),
    };
    let frames = stream::unfold(
        Some(streaming),
        |streaming| async move { streaming?.next().await },
    );
    Response::new(BodyExt::boxed(StreamBody::new(frames)))
}

/// `SECONDS` or `SECONDS.NANOS`
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let nanos: u64 = format!("{part:0<9}").parse().ok()?;
    Some(Timestamp::from_seconds(whole.parse().ok()?).after(Duration::from_nanos(nanos)))
}

struct Reader {
    next: u64,
    /// Events from here on happened while it listened.
    live_from: u64,
    cuts: u64,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    wanted: Value,
}

impl Reader {
    /// The next event that is wanted, if it has happened.
    fn next(&mut self, events: &Events) -> Option<Value> {
        for happened in &events.memory {
            if happened.number < self.next {
                continue;
            }
            self.next = happened.number + 1;
            let at = happened.event.at;
            let missed = happened.lost && happened.number >= self.live_from;
            let in_time =
                self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until);
            if in_time && !missed && self.wants(&happened.event.json) {
                return Some(happened.event.json.clone());
            }
        }
        None
    }

    /// The engine matches an event's action by prefix up to its colon, so that `exec_create: CMD` is an `exec_create`.
    fn wants(&self, event: &Value) -> bool {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let action = text("Action");
        let action = [action, action.split(':').next().unwrap_or_default()];
        self.admits("type", &[text("Type")]) && self.admits("event", &action)
    }

    /// Filters are lists, or maps to `true` as older clients write them.
    fn admits(&self, filter: &str, any_of: &[&str]) -> bool {
        match self.wanted.get(filter) {
            Some(Value::Array(words)) => words.iter().any(|word| any_of.iter().any(|value| word == value)),
            Some(Value::Object(words)) => any_of.iter().any(|value| words.contains_key(*value)),
            _ => true,
        }
    }
}

struct Streaming {
    reader: Reader,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
}

type Next = Option<(Result<Frame<Bytes>, io::Error>, Option<Streaming>)>;

impl Streaming {
    async fn next(mut self) -> Next {
        loop {
            self.changes.mark_unchanged();
            let (event, cut) = {
                let state = self.shared.state();
                (
                    self.reader.next(&state.events),
                    state.events.cuts != self.reader.cuts,
                )
            };
            if cut {
                tokio::task::yield_now().await;
                return Some((Err(io::ErrorKind::ConnectionReset.into()), None));
            }
            if let Some(event) = event {
                return Some((Ok(Frame::data(format!("{event}\n").into())), Some(self)));
            }
            if self.reader.until.is_some() {
                return None;
            }
            self.changes.changed().await.ok()?;
        }
    }
}
