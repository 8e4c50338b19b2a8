//! Which log tails are open, and when one is opened, told of its container's end, or opened again.
//!
//! Promises one tail a start of a container, opened without waiting for anything, and a position that outlives the task that moved it.
//! Refuses to read logs itself and to know why a container is followed.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Wiring;
use super::endpoint::Endpoint;
use super::engine::ApiVersion;
use super::inventory::{Container, Follow};
use super::logs::{self, Ended, Tail};
use crate::model::container::{ContainerState, FollowLogs};
use crate::model::log::ResumeFrom;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// A container whose log is or was followed.
struct Followed {
    created_at: Timestamp,
    tty: bool,
    logs: FollowLogs,
    wanted: bool,
    /// The container is removed: forgotten as soon as its tail has ended.
    gone: bool,
    /// The start that was last followed, by the engine's clock.
    start: Option<Timestamp>,
    /// Where its last tail stopped.
    position: Option<Timestamp>,
    open: Option<Open>,
    /// A later start that waits for the open tail to read the earlier one to its end: when, and whether it runs.
    next: Option<(Timestamp, bool)>,
}

struct Open {
    running: watch::Sender<bool>,
    stop: CancellationToken,
}

impl Open {
    fn runs(&self) -> bool {
        *self.running.borrow()
    }

    fn over(&self) {
        self.running.send_replace(false);
    }
}

/// All tails.
pub(super) struct Tails {
    followed: BTreeMap<ContainerId, Followed>,
    tasks: JoinSet<Ended>,
    names: HashMap<tokio::task::Id, ContainerId>,
    stop: CancellationToken,
    engine: Option<(Endpoint, ApiVersion)>,
    /// Everything was looked at since the engine was last lost.
    looked: watch::Sender<bool>,
}

impl Tails {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self {
            followed: BTreeMap::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
            stop,
            engine: None,
            looked: watch::Sender::new(true),
        }
    }

    /// From now on tails are opened there.
    pub(super) fn connected(&mut self, endpoint: Endpoint, api: ApiVersion) {
        self.engine = Some((endpoint, api));
    }

    /// Its events have ended: what happens from now on is known at the next full look.
    pub(super) fn lost(&mut self) {
        self.looked.send_replace(false);
    }

    /// The full look was reported: lines of starts that it found come after it.
    pub(super) fn looked_at_all(&mut self) {
        self.looked.send_replace(true);
    }

    /// `start` event: opened at once if the container is known.
    pub(super) fn started(&mut self, id: &ContainerId, at: Timestamp, wiring: &Wiring) {
        let Some(followed) = self.followed.get_mut(id).filter(|followed| followed.wanted) else {
            return;
        };
        match &followed.open {
            // The same start, seen by a look before its event came.
            Some(open) if open.runs() => followed.start = followed.start.max(Some(at)),
            Some(_) => followed.next = Some((at, true)),
            None => self.open(id, at, true, wiring),
        }
    }

    /// `die` event: the tail reads to the end and stops.
    pub(super) fn died(&mut self, id: &ContainerId, at: Timestamp) {
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        if followed.start.is_some_and(|start| start > at) {
            return; // an earlier start's end, told late
        }
        if let Some(open) = &followed.open {
            open.over();
        }
        if let Some((_, running)) = followed.next.as_mut().filter(|(start, _)| *start <= at) {
            *running = false;
        }
    }

    /// The container is gone; its tail ends by itself with the log.
    pub(super) fn removed(&mut self, id: &ContainerId) {
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        followed.gone = true;
        followed.next = None;
        match &followed.open {
            Some(open) => open.over(),
            None => drop(self.followed.remove(id)),
        }
    }

    /// What a look says. `newest`: nothing happened to the container since the look began.
    pub(super) fn looked(&mut self, container: &Container, newest: bool, wiring: &Wiring) {
        let look = &container.look;
        let wanted = container.follow == Follow::Yes;
        let logs = (wiring.choose)(look).logs;
        let followed = self.followed.entry(look.id.clone()).or_insert_with(|| Followed {
            created_at: look.created_at,
            tty: look.tty,
            logs,
            wanted,
            gone: false,
            start: None,
            position: None,
            open: None,
            next: None,
        });
        (followed.tty, followed.logs, followed.wanted, followed.gone) = (look.tty, logs, wanted, false);
        if !wanted {
            if let Some(open) = &followed.open {
                open.stop.cancel();
            }
            return;
        }
        let Some(started) = look.started_at else { return };
        let running = matches!(look.state, ContainerState::Running | ContainerState::Paused);
        let later = followed.start.is_none_or(|start| started > start);
        match &followed.open {
            Some(open) if later => {
                open.over();
                followed.next = Some((started, running));
            }
            Some(open) if newest && !running => open.over(),
            // Not later but running without a tail: the last one ended too early.
            None if later || (newest && running && logs == FollowLogs::Always) => {
                self.open(&look.id, started, running, wiring);
            }
            _ => {}
        }
    }

    fn open(&mut self, id: &ContainerId, at: Timestamp, runs: bool, wiring: &Wiring) {
        let Some((endpoint, api)) = self.engine.clone() else {
            return;
        };
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        let resume = match (followed.position, followed.start) {
            (Some(position), _) => ResumeFrom::Position(position),
            // Followed before, and nothing was printed then.
            (None, Some(_)) => ResumeFrom::Everything,
            (None, None) => (wiring.resume)(id, followed.created_at),
        };
        let (running, is_running) = watch::channel(runs);
        let stop = self.stop.child_token();
        let tail = Tail {
            endpoint,
            api,
            container: id.clone(),
            tty: followed.tty,
            logs: followed.logs,
            resume,
            patterns: wiring.patterns.clone(),
            inbox: wiring.inbox.clone(),
            running: is_running,
            looked: self.looked.subscribe(),
            stop: stop.clone(),
        };
        followed.start = followed.start.max(Some(at));
        followed.open = Some(Open { running, stop });
        let task = self.tasks.spawn(logs::follow(tail));
        self.names.insert(task.id(), id.clone());
    }

    /// Waits for the next tail to end and takes in how it ended; for ever while none is open.
    pub(super) async fn reap(&mut self, wiring: &Wiring) {
        let Some(joined) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (task, ended) = match joined {
            Ok((task, ended)) => (task, Some(ended)),
            Err(error) => {
                tracing::error!(%error, "a log tail failed; it is opened again at the next look");
                (error.id(), None)
            }
        };
        let Some(id) = self.names.remove(&task) else {
            return;
        };
        let Some(followed) = self.followed.get_mut(&id) else {
            return;
        };
        followed.position = ended.and_then(|ended| ended.position).max(followed.position);
        followed.open = None;
        match followed.next.take() {
            Some((at, running)) if followed.wanted => self.open(&id, at, running, wiring),
            _ if followed.gone => drop(self.followed.remove(&id)),
            _ => {}
        }
    }

    /// Ends all tails and waits for them.
    pub(super) async fn finish(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
