//! `GET /containers/ID/logs`: frames, terminals, `tail`, `follow`, `timestamps`, and all that goes wrong with them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::{Response, StatusCode};
use migwatch::model::log::Stream;
use migwatch::model::service::ContainerId;
use migwatch::model::time::Timestamp;
use tokio::sync::watch;

use super::containers::{Container, Cut, Entry, LogRequest};
use super::routes::{self, Answer};
use super::{Chunks, Shared, State};

pub(super) fn answer(shared: &Arc<Shared>, id: &str, query: &str) -> Answer {
    let parameters: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let is = |name: &str| {
        parameters
            .get(name)
            .is_some_and(|value| value == "1" || value == "true")
    };
    if !is("stdout") && !is("stderr") {
        return routes::refuse(
            StatusCode::BAD_REQUEST,
            "Bad parameters: you must choose at least one stream",
        );
    }
    let tail = parameters
        .get("tail")
        .cloned()
        .unwrap_or_else(|| "all".to_owned());
    let request = LogRequest {
        tail,
        follow: is("follow"),
        query: query.to_owned(),
    };
    let opened = shared.change(|state, _| open(state, id, request, is("timestamps")));
    let reader = match opened {
        Ok(reader) => reader,
        Err(refusal) => return *refusal,
    };
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

fn open(state: &mut State, id: &str, request: LogRequest, stamped: bool) -> Result<Reader, Box<Answer>> {
    let missing = || {
        Box::new(routes::refuse(
            StatusCode::NOT_FOUND,
            &format!("No such container: {id}"),
        ))
    };
    let container = state.container(id).ok_or_else(missing)?.id.clone();
    let follow = request.follow;
    let tail = request.tail.parse().unwrap_or(usize::MAX);
    let number = state.containers.open_log(&container, request);
    let found = state.containers.get(&container);
    if found.spec.log_driver == "none" {
        let message = "configured logging driver does not support reading";
        return Err(Box::new(routes::refuse(StatusCode::NOT_IMPLEMENTED, message)));
    }
    let length = found.entries.len();
    let next = length.saturating_sub(tail).max(found.forgotten);
    let shape = Shape {
        tty: found.spec.tty,
        stamped,
        podman: state.podman,
    };
    let start = found.starts();
    let reader = Reader {
        container,
        number,
        follow,
        start,
        next,
        live_from: length,
        pending: Bytes::new(),
        halved: false,
        failed: false,
        shape,
    };
    Ok(reader)
}

/// One open stream.
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
            let step = {
                let state = self.shared.state();
                self.reader.next(&state)
            };
            match step {
                Step::Chunk(chunk) => return Some((Ok(Frame::data(chunk)), Some(self))),
                Step::End => return None,
                Step::Break => {
                    // What was given before is flushed first.
                    tokio::task::yield_now().await;
                    return Some((Err(io::ErrorKind::ConnectionReset.into()), None));
                }
                Step::Wait => self.changes.changed().await.ok()?,
            }
        }
    }
}

enum Step {
    Chunk(Bytes),
    End,
    Break,
    Wait,
}

#[derive(Clone, Copy)]
struct Shape {
    tty: bool,
    stamped: bool,
    podman: bool,
}

struct Reader {
    container: ContainerId,
    number: u64,
    follow: bool,
    /// The start that it follows; its stream ends with it.
    start: usize,
    next: usize,
    /// Entries from here on were written while it followed.
    live_from: usize,
    /// Given out in pieces.
    pending: Bytes,
    halved: bool,
    failed: bool,
    shape: Shape,
}

impl Reader {
    fn next(&mut self, state: &State) -> Step {
        let Some(container) = state.containers.opened(&self.container) else {
            return Step::End;
        };
        if let Some((before, cut)) = container.cut
            && self.number < before
        {
            return self.cut(container, cut);
        }
        if self.number < container.stalled {
            return Step::Wait;
        }
        if let Chunks::Bytes(size) = state.chunks
            && !self.pending.is_empty()
        {
            return Step::Chunk(self.pending.split_to(size.min(self.pending.len())));
        }
        let end = self
            .start
            .checked_sub(1)
            .and_then(|start| container.ends.get(start))
            .copied();
        let end = end.unwrap_or(container.entries.len());
        if self.next < end {
            return Step::Chunk(self.chunk(container, end, state.chunks));
        }
        if let Some(text) = &container.log_error
            && !std::mem::replace(&mut self.failed, true)
        {
            return Step::Chunk(frame(3, text.as_bytes()));
        }
        let ended = container.starts() != self.start || !container.running;
        if ended || !self.follow || self.failed {
            Step::End
        } else {
            Step::Wait
        }
    }

    fn cut(&mut self, container: &Container, cut: Cut) -> Step {
        match cut {
            Cut::InGoodOrder => Step::End,
            Cut::BetweenLines => Step::Break,
            Cut::InsideTheNextLine if self.halved => Step::Break,
            Cut::InsideTheNextLine => container.entries.get(self.next).map_or(Step::Wait, |entry| {
                self.halved = true;
                let line = self.shape.entry(entry);
                Step::Chunk(line.slice(..line.len() / 2))
            }),
        }
    }

    fn chunk(&mut self, container: &Container, end: usize, chunks: Chunks) -> Bytes {
        let Chunks::Bytes(size) = chunks else {
            return self.entry(container);
        };
        let mut all = BytesMut::new();
        while self.next < end {
            all.extend_from_slice(&self.entry(container));
        }
        self.pending = all.freeze();
        self.pending.split_to(size.min(self.pending.len()))
    }

    fn entry(&mut self, container: &Container) -> Bytes {
        let entry = &container.entries[self.next];
        let bytes = self.shape.entry(entry);
        let again = entry.twice && self.next >= self.live_from;
        self.next += 1;
        if again {
            [bytes.clone(), bytes].concat().into()
        } else {
            bytes
        }
    }
}

impl Shape {
    fn entry(self, entry: &Entry) -> Bytes {
        let mut line = Vec::new();
        if self.stamped {
            line.extend_from_slice(stamp(entry.at, self.podman).as_bytes());
            line.push(b' ');
        }
        line.extend_from_slice(&entry.text);
        match entry.stream {
            _ if self.tty => line.into(),
            Stream::Stdout => frame(1, &line),
            Stream::Stderr => frame(2, &line),
        }
    }
}

fn frame(kind: u8, payload: &[u8]) -> Bytes {
    let length = u32::try_from(payload.len())
        .expect("a piece is short")
        .to_be_bytes();
    [&[kind, 0, 0, 0], length.as_slice(), payload].concat().into()
}

/// Docker: nine digits, UTC. Podman: whole seconds in the host's zone.
fn stamp(at: Timestamp, podman: bool) -> String {
    if !podman {
        return at.to_string();
    }
    let seoul = Timestamp::from_seconds(at.as_nanos() / 1_000_000_000 + 9 * 3600).to_string();
    format!("{}+09:00", &seoul[..19])
}
