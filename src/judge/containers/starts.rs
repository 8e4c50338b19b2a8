//! The starts of one container: when each began and ended, and which one a moment belongs to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Known;
use crate::model::container::{ContainerLook, ContainerState};
use crate::model::fact::Fact;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// `StartedAt` of an inspect may lie this much after a first line or an event of the same start.
const SAME_START: Duration = Duration::from_millis(250);

/// The last lines of a start may be stamped this much after its end; the next start needs longer than that to print.
const LAST_LINES: Duration = Duration::from_millis(100);

/// A `start` event may come this much after `StartedAt` was read by an inspect.
const LATE_EVENT: Duration = Duration::from_secs(5);

/// An exit within this time of a `kill` through the API was asked for. A stop sends its signal once, and what grace it gives
/// (`stop_grace_period`; 10 s where nobody says) the event does not tell: workers that finish their jobs are given many minutes.
const ASKED_WITHIN: Duration = Duration::from_hours(1);

/// A container whose first start was missed and that is over now is taken as started once if it began within this time of its
/// creation (compose creates everything first and waits for dependencies before it starts).
const CREATED_TO_START: Duration = Duration::from_secs(300);

/// A kill by the stop's grace, by SIGTERM, or an end in peace: what `stop` leaves behind when nobody saw it happen.
const LOOKS_ASKED: [i32; 3] = [0, 137, 143];

/// One start of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The first evidence of it (engine's clock).
    pub started_at: Timestamp,
    /// The container had never been started before.
    pub first: bool,
    /// How it ended.
    pub finish: Option<Finish>,
    /// When it said that it skips migrations.
    pub skipped_at: Option<Timestamp>,
}

/// How a start ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// When.
    pub at: Timestamp,
    /// The exit code.
    pub exit_code: i32,
    /// Somebody asked for it through the API.
    pub asked: bool,
}

impl Start {
    pub(super) fn new(started_at: Timestamp, first: bool) -> Self {
        Self {
            started_at,
            first,
            finish: None,
            skipped_at: None,
        }
    }

    fn reaches(&self, at: Timestamp) -> bool {
        let finish = self.finish.as_ref();
        finish.is_none_or(|finish| finish.at.after(LAST_LINES) >= at)
    }
}

/// The starts of a container that was never seen before.
pub(super) fn first_sight(look: &ContainerLook) -> Vec<Fact> {
    let Some(started_at) = look.started_at else {
        return Vec::new();
    };
    let over = look.finished_at.filter(|finished| *finished >= started_at);
    let first = look.restart_count == 0
        && match (look.finished_at, over) {
            // It runs and never ended before.
            (None, _) => true,
            // It is over; whether that was its only start, only the distance to its creation tells.
            (_, Some(_)) => started_at.since(look.created_at) <= CREATED_TO_START,
            // It runs and ended before.
            (Some(_), None) => false,
        };
    let mut facts = vec![Fact::ContainerStarted {
        container: look.id.clone(),
        started_at,
        first,
    }];
    if let Some(finished_at) = over {
        facts.push(finished(&look.id, finished_at, look.exit_code, looks_asked(look)));
    }
    facts
}

/// Nobody saw it end; a kill for memory has the same exit code as one by the stop's grace.
fn looks_asked(look: &ContainerLook) -> bool {
    LOOKS_ASKED.contains(&look.exit_code) && !look.oom_killed
}

fn finished(container: &ContainerId, finished_at: Timestamp, exit_code: i32, asked: bool) -> Fact {
    Fact::ContainerFinished {
        container: container.clone(),
        finished_at,
        exit_code,
        asked,
    }
}

/// Whether the end of a start was asked for. A `kill` before that start was meant for an earlier one.
fn was_asked(killed: Option<Timestamp>, started_at: Timestamp, ended: Timestamp) -> bool {
    killed.is_some_and(|killed| killed >= started_at && killed.after(ASKED_WITHIN) >= ended)
}

impl Known {
    /// Whether this was before the watch of it began.
    pub(in super::super) fn is_history(&self, at: Timestamp) -> bool {
        self.history_until.is_some_and(|until| at <= until)
    }

    /// The start that was running, or ran last.
    pub fn current(&self) -> Option<&Start> {
        self.starts.last()
    }

    fn open(&self) -> Option<&Start> {
        self.current().filter(|start| start.finish.is_none())
    }

    /// The start that a moment belongs to: the one that had begun by then, else the first one whose end does not lie before it.
    pub fn start_at(&self, at: Timestamp) -> Option<&Start> {
        self.index_at(at).and_then(|index| self.starts.get(index))
    }

    fn index_at(&self, at: Timestamp) -> Option<usize> {
        let begun = |start: &Start| start.started_at <= at && start.reaches(at);
        let mut starts = self.starts.iter();
        self.starts
            .iter()
            .rposition(begun)
            .or_else(|| starts.position(|start| start.reaches(at)))
    }

    /// The start with this identity.
    pub fn start(&self, started_at: Timestamp) -> Option<&Start> {
        self.starts.iter().find(|start| start.started_at == started_at)
    }

    pub(super) fn skipped(&mut self, at: Timestamp) {
        if let Some(start) = self.index_at(at).and_then(|index| self.starts.get_mut(index)) {
            start.skipped_at = Some(at);
        }
    }

    fn begin(&self, container: &ContainerId, started_at: Timestamp) -> Fact {
        Fact::ContainerStarted {
            container: container.clone(),
            started_at,
            first: self.starts.is_empty(),
        }
    }

    /// A `start` event.
    pub(super) fn on_started(&self, container: &ContainerId, at: Timestamp) -> Vec<Fact> {
        match self.current() {
            Some(start) if start.finish.is_none() && at <= start.started_at.after(LATE_EVENT) => Vec::new(),
            Some(start) if start.finish.is_none() => {
                vec![finished(container, at, -1, false), self.begin(container, at)]
            }
            // Heard late: the start it speaks of is known and over.
            Some(start) if start.finish.as_ref().is_some_and(|finish| finish.at >= at) => Vec::new(),
            _ => vec![self.begin(container, at)],
        }
    }

    /// A `die` event.
    pub(super) fn on_died(
        &self,
        container: &ContainerId,
        at: Timestamp,
        exit_code: i32,
        killed: Option<Timestamp>,
    ) -> Option<Fact> {
        let start = self.open()?;
        let asked = was_asked(killed, start.started_at, at);
        (at >= start.started_at).then(|| finished(container, at, exit_code, asked))
    }

    /// A line of a start whose event is still on its way.
    pub(super) fn on_line(&self, container: &ContainerId, at: Timestamp) -> Option<Fact> {
        if self.is_history(at) || self.start_at(at).is_some() {
            return None;
        }
        Some(self.begin(container, at))
    }

    /// It went, and its end was not seen.
    pub(super) fn missed_end(&self, container: &ContainerId, at: Timestamp) -> Option<Fact> {
        self.open().map(|_| finished(container, at, -1, true))
    }

    /// Whether a start that began and ended so was over before the current one began: a full look may be older than the last events.
    fn began_after(&self, started_at: Timestamp, finished_at: Timestamp) -> bool {
        let [.., before, current] = self.starts.as_slice() else {
            return false;
        };
        let is_earlier = before
            .finish
            .as_ref()
            .is_some_and(|finish| started_at <= finish.at);
        is_earlier && finished_at < current.started_at
    }

    /// A look at a known container: finds starts and ends that no event told of.
    pub(super) fn on_looked(&self, look: &ContainerLook, killed: Option<Timestamp>) -> Vec<Fact> {
        let Some(started_at) = look.started_at else {
            return Vec::new();
        };
        let over = look.finished_at.filter(|finished| *finished >= started_at);
        let mut facts = Vec::new();
        let asked = |at: Timestamp| was_asked(killed, started_at, at) || looks_asked(look);
        let is_same = match self.current() {
            None => false,
            Some(start) => match &start.finish {
                // Another start needs an end in between.
                None => {
                    let ended_since = look
                        .finished_at
                        .is_some_and(|finished| finished >= start.started_at);
                    !ended_since || started_at <= start.started_at.after(SAME_START)
                }
                Some(finish) => started_at <= finish.at,
            },
        };
        if !is_same {
            if let Some(open) = self.open() {
                let ended = look
                    .finished_at
                    .filter(|finished| *finished < started_at)
                    .unwrap_or(started_at);
                let asked = was_asked(killed, open.started_at, ended);
                facts.push(finished(&look.id, ended, -1, asked));
            }
            facts.push(self.begin(&look.id, started_at));
        }
        let is_open = !is_same || self.open().is_some();
        if let Some(finished_at) = over
            && is_open
            && look.state != ContainerState::Running
            && !self.began_after(started_at, finished_at)
        {
            facts.push(finished(
                &look.id,
                finished_at,
                look.exit_code,
                asked(finished_at),
            ));
        }
        facts
    }
}
