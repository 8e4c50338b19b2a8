//! One connection to the engine, from the subscription to its end: events hurry looks, full looks decide.
//!
//! Promises that a look which events have overtaken is never reported over newer knowledge, that the first report of a container is a
//! look, and that a full look follows every loss of events. Refuses to reconnect: whoever owns it does.

mod execs;
mod full;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::engine::EngineError;
use super::events::{Event, Happening};
use super::execs::ExecState;
use super::inspect::Inspected;
use super::inventory::{Container, Follow};
use super::look::{Looker, Seen};
use super::memory::{Known, Looking, Memory, Waiting};
use super::{Config, Wiring, signals};
use crate::model::exec::ExecId;
use crate::model::observation::{LogStatus, Observation};
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// How many looks hurried by events run at once.
const LOOKS: usize = 8;
/// Full looks follow each other no faster.
const SHORTEST_RESYNC: Duration = Duration::from_secs(1);
/// The result of a look and the number of the last event before it began.
enum Done {
    One(ContainerId, u64, Seen),
    All(u64, Result<BTreeMap<ContainerId, Seen>, EngineError>),
    /// `None`: the engine is away.
    Exec(ExecId, Option<ExecState>),
}

/// What a connection works with.
pub(super) struct Connection {
    pub(super) looker: Looker,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) lost: Arc<AtomicBool>,
}

/// One connection.
pub(super) struct Watching<'a> {
    config: &'a Config,
    wiring: &'a Wiring,
    memory: &'a mut Memory,
    connection: Connection,
    looks: JoinSet<Done>,
    permits: Arc<Semaphore>,
    /// Counts events.
    now: u64,
    full_look: bool,
    full_again: bool,
    /// The first full look was reported.
    begun: bool,
    /// Containers that were removed since the full look under way began.
    removed: BTreeSet<ContainerId>,
}

impl<'a> Watching<'a> {
    pub(super) fn new(
        config: &'a Config,
        wiring: &'a Wiring,
        memory: &'a mut Memory,
        connection: Connection,
    ) -> Self {
        for known in memory.known.values_mut() {
            (known.looking, known.touched) = (Looking::No, 0);
        }
        memory.execs.lost();
        Self {
            config,
            wiring,
            memory,
            connection,
            looks: JoinSet::new(),
            permits: Arc::new(Semaphore::new(LOOKS)),
            now: 0,
            full_look: false,
            full_again: false,
            begun: false,
            removed: BTreeSet::new(),
        }
    }

    /// Watches until the events end, the engine refuses a list (then with the reason), or the caller drops it.
    /// `up` is sent right before the first full look, once that has come.
    pub(super) async fn run(mut self, up: &mut Option<Observation>) -> Result<(), EngineError> {
        let resync = self.config.resync.max(SHORTEST_RESYNC);
        let mut resync = interval_at(Instant::now() + resync, resync);
        resync.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.look_at_all();
        loop {
            tokio::select! {
                event = self.connection.events.recv(), if self.begun => match event {
                    Some(event) => self.happened(event).await,
                    None => return Ok(()),
                },
                Some(done) = self.looks.join_next() => match done {
                    Ok(Done::One(id, began, seen)) => self.looked(id, began, seen).await,
                    Ok(Done::All(began, seen)) => {
                        let seen = seen?;
                        if let Some(up) = up.take() {
                            tracing::info!(endpoint = %self.config.endpoint, "the engine answers");
                            self.send(up).await;
                        }
                        self.looked_at_all(began, seen).await;
                    }
                    Ok(Done::Exec(exec, state)) => self.asked(&exec, state).await,
                    Err(error) => {
                        tracing::error!(%error, "a look at a container failed; everything is looked at again");
                        self.memory.known.values_mut().for_each(|known| known.looking = Looking::No);
                        self.full_look = false;
                        self.look_at_all();
                    }
                },
                () = self.memory.tails.reap(self.wiring) => {}
                _ = resync.tick() => self.look_at_all(),
            }
            if self.connection.lost.swap(false, Ordering::Relaxed) {
                self.memory.execs.lost();
                self.look_at_all();
            }
        }
    }

    async fn send(&self, observation: Observation) {
        // A closed inbox means that the daemon stops; so does this edge, right after.
        let _ = self.wiring.inbox.send(observation).await;
    }

    fn look_at_all(&mut self) {
        if std::mem::replace(&mut self.full_look, true) {
            self.full_again = true;
            return;
        }
        self.removed.clear();
        let (looker, began) = (self.connection.looker.clone(), self.now);
        self.looks
            .spawn(async move { Done::All(began, looker.all().await) });
    }

    fn look_at(&mut self, id: &ContainerId) {
        let known = self.memory.known.entry(id.clone()).or_default();
        if known.looking != Looking::No {
            known.looking = Looking::Again;
            return;
        }
        known.looking = Looking::Yes;
        let (looker, permits, began, id) = (
            self.connection.looker.clone(),
            self.permits.clone(),
            self.now,
            id.clone(),
        );
        self.looks.spawn(async move {
            let _permit = permits.acquire().await;
            let seen = looker.one(&id).await;
            Done::One(id, began, seen)
        });
    }

    async fn happened(&mut self, event: Event) {
        let Event {
            container: id,
            at,
            what,
            compose,
        } = event.clone();
        if !self.memory.recent.is_new(event) || !(compose || self.memory.known.contains_key(&id)) {
            return;
        }
        let what = match what {
            // They change nothing that a look shows.
            Happening::ExecStarted(start) => return self.exec_started(&id, at, start).await,
            Happening::ExecEnded { exec, exit_code } => {
                return self.exec_ended(&id, at, exec, exit_code).await;
            }
            other => other,
        };
        self.now += 1;
        self.memory.known.entry(id.clone()).or_default().touched = self.now;
        let container = id.clone();
        let observation = match &what {
            Happening::Created | Happening::Changed => None,
            Happening::ExecStarted(_) | Happening::ExecEnded { .. } => return,
            Happening::Started => {
                self.memory.tails.started(&id, at, self.wiring);
                Some(Observation::Started { container, at })
            }
            Happening::Died { exit_code } => {
                self.memory.tails.died(&id, at);
                Some(Observation::Died {
                    container,
                    at,
                    exit_code: *exit_code,
                })
            }
            Happening::Killed { signal } => self
                .asks_for_stop(&id, *signal)
                .then_some(Observation::Killed { container, at }),
            Happening::OutOfMemory => Some(Observation::OutOfMemory { container, at }),
            Happening::Removed => return self.removed(id, at).await,
        };
        if let Some(observation) = observation {
            self.report(&id, observation).await;
        }
        if matches!(what, Happening::Died { .. }) {
            self.execs_ended(&id, at).await;
        }
        if !matches!(what, Happening::Killed { .. } | Happening::OutOfMemory) {
            self.look_at(&id);
        }
    }

    fn asks_for_stop(&self, id: &ContainerId, signal: Option<i32>) -> bool {
        let inspected = self
            .memory
            .known
            .get(id)
            .and_then(|known| known.inspected.as_ref());
        signals::asks_for_stop(signal, inspected.and_then(|it| it.stop_signal.as_deref()))
    }

    /// Sends what happened, or keeps it until the container's first look.
    async fn report(&mut self, id: &ContainerId, observation: Observation) {
        let Some(known) = self.memory.known.get_mut(id) else {
            return;
        };
        if known.reported && known.enabled {
            self.send(observation).await;
        } else if !known.reported {
            known.hold(Waiting::Told(observation));
        }
    }

    async fn removed(&mut self, id: ContainerId, at: Timestamp) {
        self.memory.tails.removed(&id);
        self.memory.unreadable.remove(&id);
        self.removed.insert(id.clone());
        self.execs_ended(&id, at).await;
        let Some(known) = self.memory.known.remove(&id) else {
            return;
        };
        if known.reported && known.enabled {
            self.send(Observation::Removed { container: id, at }).await;
            self.publish();
        } else if known.ran_unseen() {
            tracing::warn!(
                container = %id,
                "a container ran and was removed before the engine had shown it: if it migrated, only the database tells"
            );
        }
    }

    async fn looked(&mut self, id: ContainerId, began: u64, seen: Seen) {
        let Some(known) = self.memory.known.get_mut(&id) else {
            return;
        }; // removed meanwhile
        let again = std::mem::take(&mut known.looking) == Looking::Again;
        let newest = known.touched <= began;
        match seen {
            // What is overtaken is still good for a first sight: its command, its terminal, its environment.
            Seen::Shown(inspected) if newest || !known.reported => {
                let was_left_out = !known.reported && self.memory.unreadable.contains(&id);
                self.take_in(&id, *inspected, newest).await;
                if was_left_out {
                    // A full look without it said that it is gone: only another one says that it is there.
                    self.look_at_all();
                }
            }
            Seen::Absent if !known.reported => drop(self.memory.known.remove(&id)),
            Seen::Shown(_) | Seen::Absent => {} // its removal is told by an event or by the next full look
            Seen::Unreadable(reason) => self.unreadable(&id, &reason),
        }
        if again && self.memory.known.contains_key(&id) {
            self.look_at(&id);
        }
        self.publish();
    }

    fn unreadable(&mut self, id: &ContainerId, reason: &str) {
        if self.memory.unreadable.insert(id.clone()) {
            tracing::warn!(container = %id, reason, "cannot look at a container; trying again with every full look");
        }
    }

    /// Keeps a look and reports it, with what waited for it.
    async fn take_in(&mut self, id: &ContainerId, inspected: Inspected, newest: bool) {
        let container = self.remember(id, inspected);
        let Some(known) = self.memory.known.get_mut(id) else {
            return;
        };
        known.reported = true;
        let pending = std::mem::take(&mut known.pending);
        if known.enabled {
            self.send(Observation::Looked(Box::new(container.look.clone())))
                .await;
            self.follow(&container, newest).await;
            self.tell_waiting(id, pending).await;
        }
    }

    /// Keeps a look, with what config and labels want for the container.
    fn remember(&mut self, id: &ContainerId, mut inspected: Inspected) -> Container {
        let choice = (self.wiring.choose)(&inspected.container.look);
        let look = &mut inspected.container.look;
        look.armed = choice.refine(look.armed.clone());
        inspected.container.follow = choice.follow(&look.armed);
        let known = self.memory.known.entry(id.clone()).or_default();
        known.enabled = choice.enabled;
        let container = inspected.container.clone();
        known.inspected = Some(inspected);
        if !choice.enabled {
            self.memory.tails.removed(id);
        }
        if self.memory.unreadable.remove(id) {
            tracing::info!(container = %id, "the container can be looked at again");
        }
        container
    }

    async fn follow(&mut self, container: &Container, newest: bool) {
        self.memory.tails.looked(container, newest, self.wiring);
        let reason = match &container.follow {
            Follow::Yes => None,
            Follow::No { reason } => Some(reason.clone()),
        };
        let Some(known) = self.memory.known.get_mut(&container.look.id) else {
            return;
        };
        if known.not_followed != reason {
            known.not_followed.clone_from(&reason);
            if let Some(reason) = reason {
                let container = container.look.id.clone();
                self.send(Observation::LogStatus {
                    container,
                    status: LogStatus::NotFollowed { reason },
                })
                .await;
            }
        }
    }

    fn enabled(&self) -> impl Iterator<Item = (&Known, &Container)> {
        let known = self.memory.known.values().filter(|known| known.enabled);
        known.filter_map(|known| Some((known, &known.inspected.as_ref()?.container)))
    }

    fn publish(&self) {
        let newest: Vec<Container> = self.enabled().map(|(_, container)| container.clone()).collect();
        self.wiring.inventory.send_if_modified(|published| {
            let changed = **published != newest;
            if changed {
                *published = Arc::new(newest);
            }
            changed
        });
    }
}
