//! Reads one stream of a log, from its headers to its end.
//!
//! Promises work a chunk that is little more than the scanner's, since the engine sends a chunk for every line, and a look behind
//! a stream that stays silent. Refuses to know what follows from its end.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Bytes;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

use super::reach::{Reach, Reached};
use super::{Follower, Stopped};
use crate::docker::wire::{self, WireError};
use crate::lines::{Framing, Scanner};
use crate::model::container::FollowLogs;
use crate::model::log::{LogLine, Saying};
use crate::model::time::Timestamp;

/// How often a stream is looked after: bytes without sayings are reported, silence is counted.
pub(super) const BEAT: Duration = Duration::from_secs(10);

/// After so many silent beats of a running container the engine is asked whether there are lines that the stream kept back.
const SILENT_BEATS: u32 = 6;

/// A `die` event comes 1 ms (median) to 69 ms (p99) after its cause: a stream that ended although the container still counts as
/// running was cut, once this has passed.
const DIE_EVENT_GRACE: Duration = Duration::from_secs(1);

/// An error waits for the line behind it, which may be its statement; in a silent log not longer than this.
const SAYING_GRACE: Duration = Duration::from_millis(200);

/// The engine stores lines in pieces of 16 KiB; its answer to `tail=1` is one of them.
const LONGEST_LAST_LINE: usize = 256 * 1024;

/// One open stream.
struct Stream {
    scanner: Scanner,
    /// Until the first line has shown that the stream reaches back to the position.
    unproven: Option<Reach>,
    said: Vec<LogLine>,
    /// The application announced itself and no migration was heard of since: several starts may lie behind one another.
    application_up: bool,
    /// Something came since the last beat.
    heard: bool,
    silent_beats: u32,
}

impl Follower {
    /// Reads one stream, opened as far back as `reach` says, until it stops.
    pub(super) async fn read(&mut self, reach: Reach) -> Stopped {
        // What an ended start left is read without following: the next start has its own tail, and just after an exit the engine
        // was seen to end a followed stream before the last line.
        let follow = if self.is_running() { "follow=1&" } else { "" };
        let path = self.path(&format!("{follow}tail={}", reach.tail()));
        let mut body = match wire::get(&self.tail.endpoint, &path).await {
            Ok(response) => response.into_body(),
            Err(error) => return self.failed(&error),
        };
        if !self.wary {
            self.announce().await;
        }
        self.report.reopened();
        let mut stream = self.stream(reach);
        let mut beat = beats();
        loop {
            let stopped = tokio::select! {
                frame = body.frame() => match frame {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(chunk) => self.take(&mut stream, &chunk).await,
                        Err(_trailers) => None,
                    },
                    Some(Err(error)) => {
                        tracing::debug!(container = %self.tail.container, %error, "log stream cut");
                        self.flush(&mut stream).await;
                        self.report.progress().await;
                        Some(Stopped::Cut)
                    }
                    None => Some(self.stream_ended(&mut stream).await),
                },
                _ = beat.tick() => self.beat(&mut stream).await,
                () = saying_grace(), if stream.scanner.is_waiting() => {
                    self.flush(&mut stream).await;
                    None
                }
            };
            if let Some(stopped) = stopped {
                return stopped;
            }
        }
    }

    fn stream(&self, reach: Reach) -> Stream {
        let framing = if self.tail.tty {
            Framing::Raw
        } else {
            Framing::Multiplexed
        };
        Stream {
            scanner: Scanner::new(Arc::clone(&self.tail.patterns), framing),
            unproven: Some(reach),
            said: Vec::new(),
            application_up: false,
            heard: false,
            silent_beats: 0,
        }
    }

    /// Takes one chunk in. It is called once a line: what is not needed for every line waits for a beat.
    async fn take(&mut self, stream: &mut Stream, chunk: &Bytes) -> Option<Stopped> {
        stream.heard = true;
        self.report.heard(chunk.len());
        let said = &mut stream.said;
        stream.scanner.feed(chunk, &mut |line| said.push(line));
        if let Some(reach) = &stream.unproven
            && let Some(first) = stream.scanner.first_seen()
        {
            match reach.judge(first) {
                Reached::TooShort(further) => return Some(Stopped::TooShort(further)),
                Reached::Gap { from, to } => self.report.gap(from, to).await,
                Reached::Enough => {}
            }
            stream.unproven = None;
        }
        if stream.scanner.engine_error().is_some() {
            return Some(self.engine_error(stream).await);
        }
        if self.wary && stream.scanner.position() > self.report.position() {
            self.announce().await;
        }
        if self.report.is_behind() || !stream.said.is_empty() {
            self.tell(stream).await;
        }
        None
    }

    /// Reports what was said so far.
    async fn tell(&mut self, stream: &mut Stream) {
        for line in &stream.said {
            stream.application_up = line.saying == Saying::ApplicationUp;
        }
        self.report
            .lines(&mut stream.said, stream.scanner.position())
            .await;
    }

    /// Reports what waits for its next line, which does not come.
    async fn flush(&mut self, stream: &mut Stream) {
        let said = &mut stream.said;
        stream.scanner.flush(&mut |line| said.push(line));
        self.tell(stream).await;
    }

    async fn beat(&mut self, stream: &mut Stream) -> Option<Stopped> {
        self.tell(stream).await;
        self.report.progress().await;
        if stream.application_up && self.tail.logs == FollowLogs::Startup {
            return Some(Stopped::Chosen);
        }
        stream.silent_beats = if std::mem::take(&mut stream.heard) {
            0
        } else {
            stream.silent_beats + 1
        };
        let running = self.is_running();
        if stream.silent_beats < if running { SILENT_BEATS } else { 1 } {
            return None;
        }
        stream.silent_beats = 0;
        match self.newest().await {
            Ok(newest) if newest > self.report.position() => {
                tracing::warn!(container = %self.tail.container, "log stream stalled: the engine has newer lines; reconnecting");
                Some(Stopped::Cut)
            }
            Ok(_) if !running => Some(Stopped::Over),
            Ok(_) if self.wary => {
                self.announce().await;
                None
            }
            Ok(_) => None,
            Err(error) => Some(self.failed(&error)),
        }
    }

    /// The time of the last line that the engine has.
    async fn newest(&self) -> Result<Option<Timestamp>, WireError> {
        let path = self.path("tail=1");
        let last = wire::get_whole(&self.tail.endpoint, &path, LONGEST_LAST_LINE).await?;
        let framing = if self.tail.tty {
            Framing::Raw
        } else {
            Framing::Multiplexed
        };
        let mut scanner = Scanner::new(Arc::clone(&self.tail.patterns), framing);
        scanner.feed(&last, &mut |_| {});
        scanner.end(&mut |_| {});
        Ok(scanner.position())
    }

    /// The engine ended the stream in good order: the container exited, or something between us and the engine cut it.
    async fn stream_ended(&mut self, stream: &mut Stream) -> Stopped {
        let said = &mut stream.said;
        stream.scanner.end(&mut |line| said.push(line));
        self.tell(stream).await;
        self.report.progress().await;
        if !self.ended_within(DIE_EVENT_GRACE).await {
            return Stopped::Cut;
        }
        // The real engine was seen (in 1 of 24 runs at rest, in most under load) to end a followed stream before the container's last line, if that has no
        // end of its own. By its `die` event the log is complete.
        match self.newest().await {
            Ok(newest) if newest > self.report.position() && newest > self.missed => {
                self.missed = newest;
                Stopped::Cut
            }
            Ok(_) | Err(_) => Stopped::Over,
        }
    }

    async fn engine_error(&mut self, stream: &mut Stream) -> Stopped {
        self.flush(stream).await;
        self.report.progress().await;
        self.wary = true;
        let text = stream.scanner.engine_error().unwrap_or_default().trim();
        let reason = format!("the engine cannot read this container's log: {text}; it is tried again");
        Stopped::Unreadable {
            reason,
            lasting: true,
        }
    }
}

fn beats() -> Interval {
    let mut beat = interval_at(Instant::now() + BEAT, BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

/// A future that costs nothing until it is polled: `select!` makes one for every chunk.
async fn saying_grace() {
    sleep(SAYING_GRACE).await;
}
