//! The latest looks: containers, logs, probes, databases, the engine. Rebuilt by a full look after a restart.

mod code;
mod databases;
mod engine;
mod execs;
mod news;
mod probes;
mod processes;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::container::{ContainerLook, ContainerState, Health};
use crate::model::log::{LogLine, Saying};
use crate::model::observation::{LogStatus, Observation};
use crate::model::probe::{FailureReason, ProbeId, Via};
use crate::model::revision::DatabaseId;
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::time::Timestamp;

pub use code::{CodeGraph, Environments, LiveCode, LiveEnvironment, LiveStanding};
pub use databases::LiveDatabase;
pub use engine::Engine;
pub use execs::UntoldExec;
pub use probes::LiveProbe;
pub use processes::LiveProcess;
pub use schema::{LiveLocks, LiveSchema, LiveWait, Sight};

/// What a container logged before it was first seen is read within this time: a tail of a file on the engine's disk.
const CATCH_UP: Duration = Duration::from_secs(5);

/// The latest looks.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// When the first observation of this process came.
    pub since: Option<Timestamp>,
    /// The engine.
    pub engine: Engine,
    /// Every container that is there now.
    pub containers: BTreeMap<ContainerId, LiveContainer>,
    /// Every probe that was made and is made still.
    pub probes: BTreeMap<ProbeId, LiveProbe>,
    /// Every probe that ever succeeded, those that are gone too.
    pub proven: BTreeSet<ProbeId>,
    /// Every database that was tried.
    pub databases: BTreeMap<DatabaseId, LiveDatabase>,
    /// Every schema that was tried.
    pub schemas: BTreeMap<DatabaseId, LiveSchema>,
    /// Sessions that wait for a lock, looked at while a migration runs.
    pub locks: BTreeMap<DatabaseId, LiveLocks>,
    /// The code of every container that may migrate.
    pub code: LiveCode,
    /// Counts since this process began, by service.
    pub counts: BTreeMap<ServiceId, LiveCounts>,
    /// Facts that the disk has refused so far, and since when.
    pub unwritten: Option<(u64, Timestamp)>,
    /// Receivers that were tried.
    pub receivers: BTreeMap<String, LiveReceiver>,
    /// Every local process that is watched.
    pub processes: BTreeMap<ServiceId, LiveProcess>,
    /// Execs whose command the engine does not tell, the latest ones.
    pub untold: Vec<UntoldExec>,
    /// Containers that are there, of which full looks say nothing.
    pub unshown: BTreeSet<ContainerId>,
    /// Counts what came and changed more than a time or a count.
    pub changes: u64,
}

/// One container as last seen.
#[derive(Clone, Debug)]
pub struct LiveContainer {
    /// The look.
    pub look: ContainerLook,
    /// The last `kill` through the API.
    pub killed_at: Option<Timestamp>,
    /// When its death was heard of, our clock.
    pub died_at: Option<Timestamp>,
    /// Since when state and health are what they are, as far as this process saw.
    pub since: Timestamp,
    /// When this process looked at it first.
    pub seen_at: Timestamp,
    /// When its application said that it serves.
    pub application_up_at: Option<Timestamp>,
    /// How its log stands.
    pub log: Option<LogStatus>,
    /// Since when its log cannot be read.
    pub unreadable_since: Option<Timestamp>,
    /// How far its log was taken in.
    pub position: Option<Timestamp>,
}

/// One receiver since this process began.
#[derive(Clone, Debug, Default)]
pub struct LiveReceiver {
    /// Why it does not take messages.
    pub problem: Option<String>,
    /// Deliveries that it took and that told something new.
    pub delivered: u64,
    /// Failures, each told once for as long as its reason stays.
    pub failed: u64,
}

/// What is counted only while the process lives.
#[derive(Clone, Debug, Default)]
pub struct LiveCounts {
    /// Log bytes read.
    pub log_bytes: u64,
    /// Log streams reopened within one start.
    pub log_reconnects: u64,
    /// Failed probes.
    pub probe_failures: BTreeMap<(String, Via, FailureReason), u64>,
}

impl LiveContainer {
    /// Whether what it logged before this process saw it was read, as far as can be told.
    pub fn is_caught_up(&self, now: Timestamp) -> bool {
        let ran_before = self.look.started_at.is_some_and(|at| at < self.seen_at);
        let is_read = self.position.is_some_and(|position| position >= self.seen_at);
        !ran_before || is_read || now >= self.caught_up_by()
    }

    /// When its log is taken as read up to the first look at it.
    pub fn caught_up_by(&self) -> Timestamp {
        self.seen_at.after(CATCH_UP)
    }
}

impl Live {
    /// Takes in one observation.
    pub fn look(&mut self, now: Timestamp, observation: &Observation) {
        self.since.get_or_insert(now);
        if self.is_news(observation) {
            self.changes = self.changes.wrapping_add(1);
        }
        match observation {
            Observation::EngineUp { endpoint, version } => {
                self.engine.up(endpoint, Some(version.clone()), now);
            }
            Observation::EngineDown { endpoint, reason } => self.engine.down(endpoint, reason, now),
            Observation::EngineClock { ahead } => self.engine.ahead = *ahead,
            Observation::Unshown(containers) => self.unshown.clone_from(containers),
            Observation::FullLook(looks) => self.looked_at_all(looks, now),
            Observation::Looked(look) => self.looked(look, now),
            Observation::Started { container, at } => self.started(container, *at),
            Observation::Died {
                container,
                at,
                exit_code,
            } => self.died(container, (*at, *exit_code), now),
            Observation::Killed { container, at } => self.with(container, |live| live.killed_at = Some(*at)),
            Observation::Removed { container, .. } => self.removed(container),
            Observation::Code {
                container,
                environments,
            } => self.code_read(container, environments, now),
            Observation::LogProgress {
                container,
                position,
                bytes,
            } => {
                self.progress(container, *position, *bytes);
            }
            Observation::LogStatus { container, status } => self.log_status(container, status, now),
            Observation::Probed { probe, result } => self.probed(probe, result),
            Observation::ProbeGone(probe) => self.probe_gone(probe),
            Observation::Database(reading) => self.read(reading, now),
            Observation::DatabaseGone(database) => {
                self.databases.remove(database);
                self.forget_standings(database);
                self.look_at_schema(now, observation);
            }
            Observation::Delivered { receiver, .. } => self.delivered(receiver, None),
            Observation::DeliveryFailed { receiver, reason } => self.delivered(receiver, Some(reason)),
            Observation::OutOfMemory { container, .. } => {
                self.with(container, |live| live.look.oom_killed = true);
            }
            Observation::Line { container, line } => self.said(container, line),
            Observation::ExecStarted {
                container,
                exec,
                at,
                command,
            } => self.exec_started(container, exec, *at, command),
            Observation::ExecEnded { exec, at, .. } => self.exec_ended(exec, *at),
            Observation::ProcessWatched { .. }
            | Observation::ProcessLine { .. }
            | Observation::ProcessRead { .. }
            | Observation::ProcessLogStatus { .. }
            | Observation::ProcessGone(_) => self.process(observation, now),
            Observation::Schema(_) | Observation::LockWaits(_) => self.look_at_schema(now, observation),
            Observation::LogGap { .. }
            | Observation::ProcessLogGap { .. }
            | Observation::Acknowledged { .. }
            | Observation::Approved(_)
            | Observation::ApprovalRevoked { .. }
            | Observation::DeployEnded { .. }
            | Observation::Tick => {}
        }
    }

    fn looked_at_all(&mut self, looks: &[ContainerLook], now: Timestamp) {
        self.engine.looked = true;
        let unshown = &self.unshown;
        self.containers
            .retain(|id, _| unshown.contains(id) || looks.iter().any(|look| look.id == *id));
        for look in looks {
            self.looked(look, now);
        }
        self.forget_code();
    }

    fn removed(&mut self, container: &ContainerId) {
        self.containers.remove(container);
        self.forget_code();
    }

    fn with(&mut self, container: &ContainerId, change: impl FnOnce(&mut LiveContainer)) {
        if let Some(live) = self.containers.get_mut(container) {
            change(live);
        }
    }

    /// Taken, or not for this reason.
    fn delivered(&mut self, receiver: &str, problem: Option<&String>) {
        let live = self.receivers.entry(receiver.to_owned()).or_default();
        live.problem = problem.cloned();
        let count = if problem.is_none() {
            &mut live.delivered
        } else {
            &mut live.failed
        };
        *count = count.saturating_add(1);
    }

    fn said(&mut self, container: &ContainerId, line: &LogLine) {
        if let (Some(live), Saying::ApplicationUp) = (self.containers.get_mut(container), &line.saying) {
            live.application_up_at = live.application_up_at.max(Some(line.key.at));
        }
    }

    fn looked(&mut self, look: &ContainerLook, now: Timestamp) {
        let before = self.containers.get(&look.id).map(|live| live.look.state);
        if look.state == ContainerState::Running && before != Some(look.state) {
            self.forgive(&look.service);
        }
        if let Some(live) = self.containers.get_mut(&look.id) {
            if (live.look.state, live.look.health) != (look.state, look.health) {
                live.since = now;
            }
            // An end that no event told of.
            let ended = look
                .finished_at
                .filter(|_| look.finished_at > live.look.finished_at);
            if ended.is_some() && live.died_at < ended {
                live.died_at = Some(now);
            }
            live.look = look.clone();
        } else {
            let fresh = LiveContainer {
                look: look.clone(),
                killed_at: None,
                died_at: None,
                since: now,
                seen_at: now,
                application_up_at: None,
                log: None,
                unreadable_since: None,
                position: None,
            };
            self.containers.insert(look.id.clone(), fresh);
        }
        self.counts.entry(look.service.clone()).or_default();
    }

    /// An old look's health must not speak for a new start. Nor does an event that waited for the first look speak of a start that is
    /// over in it.
    fn started(&mut self, container: &ContainerId, at: Timestamp) {
        if let Some(live) = self.containers.get_mut(container)
            && live.look.finished_at.is_none_or(|finished| finished < at)
        {
            live.look.state = ContainerState::Running;
            live.look.started_at = Some(at);
            live.look.oom_killed = false;
            live.look.health = live.look.health.map(|_| Health::Starting);
            live.died_at = None;
            live.killed_at = None;
            let service = live.look.service.clone();
            self.forgive(&service);
        }
    }

    /// A new subscription repeats the last events: the end of an earlier start says nothing of what runs now.
    fn died(&mut self, container: &ContainerId, (at, exit_code): (Timestamp, i32), now: Timestamp) {
        if let Some(live) = self.containers.get_mut(container)
            && live.look.started_at.is_none_or(|started| started <= at)
        {
            live.look.state = ContainerState::Exited;
            live.look.exit_code = exit_code;
            live.died_at = Some(now);
        }
    }

    fn progress(&mut self, container: &ContainerId, position: Option<Timestamp>, bytes: u64) {
        if let Some(live) = self.containers.get_mut(container) {
            live.position = live.position.max(position);
            let counts = self.counts.entry(live.look.service.clone()).or_default();
            counts.log_bytes = counts.log_bytes.saturating_add(bytes);
        }
    }

    fn log_status(&mut self, container: &ContainerId, status: &LogStatus, now: Timestamp) {
        let Some(live) = self.containers.get_mut(container) else {
            return;
        };
        if matches!(status, LogStatus::Unreadable { .. }) {
            live.unreadable_since.get_or_insert(now);
        } else {
            live.unreadable_since = None;
        }
        if matches!(status, LogStatus::Following { reconnect: true }) {
            let counts = self.counts.entry(live.look.service.clone()).or_default();
            counts.log_reconnects = counts.log_reconnects.saturating_add(1);
        }
        live.log = Some(status.clone());
    }

    /// The service's regular containers that are there now.
    pub fn replicas<'a>(&'a self, service: &'a ServiceId) -> impl Iterator<Item = &'a LiveContainer> {
        self.containers
            .values()
            .filter(move |live| live.look.service == *service && live.look.role == Role::Replica)
    }
}
