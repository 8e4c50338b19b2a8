//! Containers and their starts: who is known since when, which start a line belongs to, what came before.
//!
//! Identity of a start: the first time evidence of it was seen. The engine's `start` event comes after `StartedAt`, and a process
//! may print a little before `StartedAt`; so a start is told from the one before it by the end that lies between them, not by
//! comparing these three times with each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::migration::Migrations;
use super::processes::{self, stand_in};
use super::{State, pairs};
use crate::model::container::{Armed, ArmedState, RestartPolicy};
use crate::model::fact::{ContainerDiscovered, Fact};
use crate::model::log::LineKey;
use crate::model::policy::Policy;
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::time::Timestamp;

mod reports;
mod starts;

pub(super) use reports::{decide, is_new_gap, is_stale};
pub use starts::{Finish, Start};

/// How far behind the position line keys are kept: what a reopened log may deliver again.
pub const OVERLAP: Duration = Duration::from_secs(2);

/// A container that is gone is kept this long, so that late lines of it find their place and its successor its predecessor.
const KEEP_REMOVED: Duration = Duration::from_secs(3600);

/// How many starts of a container are kept.
pub(super) const KEEP_STARTS: usize = 8;

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Containers {
    /// Every container that is there or went lately.
    #[serde(with = "pairs")]
    pub known: BTreeMap<ContainerId, Known>,
    /// Every service that was ever seen.
    #[serde(with = "pairs")]
    pub services: BTreeMap<ServiceId, ServiceRecord>,
}

/// What is kept of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Its service.
    pub service: ServiceId,
    /// Its role.
    pub role: Role,
    /// Its name when it was discovered.
    pub name: String,
    /// Compose's number.
    pub number: Option<u32>,
    /// When the engine created it.
    pub created_at: Timestamp,
    /// Whether its starts migrate.
    pub armed: Armed,
    /// The environment of the container before it armed it too.
    pub predecessor_armed: bool,
    /// Everything up to this time is history.
    pub history_until: Option<Timestamp>,
    /// Whether the engine starts it again; `None` where an older journal did not say.
    #[serde(default)]
    pub restart_policy: Option<RestartPolicy>,
    /// Its latest starts, oldest first.
    pub starts: Vec<Start>,
    /// When it went.
    pub removed_at: Option<Timestamp>,
    /// How far its log was taken in.
    pub log_position: Option<Timestamp>,
    /// The understood lines that were taken in, back to the position less [`OVERLAP`].
    pub lines: BTreeSet<LineKey>,
}

/// What is kept of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceRecord {
    /// Whether the last known container with this number was armed by its environment, and when it was created.
    #[serde(with = "pairs")]
    pub last_armed: BTreeMap<Option<u32>, (bool, Timestamp)>,
    /// When its last start said that it skips.
    pub skipped_at: Option<Timestamp>,
    /// Starts that said they skip.
    pub skips: u64,
    /// Exits that nobody asked for, and after which the engine starts the container again.
    pub restarts: u64,
    /// Gaps in logs.
    pub log_gaps: u64,
    /// The last gap: from, to.
    pub last_gap: Option<(Timestamp, Timestamp)>,
    /// The policy that the label of its newest container asks for.
    pub policy: Option<Policy>,
    /// The window that this label names as the policy.
    pub window: Option<String>,
    /// The app that a label of its newest container makes it a part of.
    pub app: Option<String>,
    /// Whether this label says that it must be there.
    pub required: Option<bool>,
    /// When its last container went; `None` while one is there.
    pub removed_at: Option<Timestamp>,
}

impl Containers {
    /// Takes in one fact.
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::ContainerDiscovered(seen) => self.discovered(seen),
            Fact::ContainerStarted {
                container,
                started_at,
                first,
            } => {
                if let Some(known) = self.known.get_mut(container) {
                    known.starts.push(Start::new(*started_at, *first));
                    let surplus = known.starts.len().saturating_sub(KEEP_STARTS);
                    known.starts.drain(..surplus);
                }
            }
            Fact::ContainerFinished {
                container,
                finished_at,
                exit_code,
                asked,
            } => {
                let finish = Finish {
                    at: *finished_at,
                    exit_code: *exit_code,
                    asked: *asked,
                };
                self.finished(container, finish);
            }
            Fact::ContainerRemoved { container, at } => self.removed(container, *at),
            Fact::LogRead { container, position } => {
                if let Some(known) = self.known.get_mut(container) {
                    known.read_to(*position);
                }
            }
            Fact::FileRead { process, .. } => {
                // A line of a file is told by its place: it is not kept.
                if let Some(known) = self.known.get_mut(&stand_in(process)) {
                    known.lines.clear();
                }
            }
            Fact::LogLost { container, from, to } => {
                if let Some(service) = self.service_of(container) {
                    service.log_gaps = service.log_gaps.saturating_add(1);
                    service.last_gap = Some((*from, *to));
                }
            }
            Fact::MigrationSkipped {
                container,
                line,
                history,
            } => self.skipped(container, line, *history),
            Fact::MigrationOpened {
                runner,
                line: Some(line),
                ..
            }
            | Fact::MigrationRetried {
                runner,
                line: Some(line),
                ..
            }
            | Fact::MigrationJoined {
                runner,
                line: Some(line),
                ..
            } => {
                self.saw_line(&runner.container, line);
            }
            _ => {}
        }
    }

    fn service_of(&mut self, container: &ContainerId) -> Option<&mut ServiceRecord> {
        let known = self.known.get(container)?;
        Some(self.services.entry(known.service.clone()).or_default())
    }

    fn finished(&mut self, container: &ContainerId, finish: Finish) {
        let Some(known) = self.known.get_mut(container) else {
            return;
        };
        let is_history = known.is_history(finish.at);
        let comes_back = known
            .restart_policy
            .is_none_or(|policy| policy.restarts(finish.exit_code));
        let is_restart = comes_back && !finish.asked && !is_history && known.role == Role::Replica;
        if let Some(start) = known.starts.last_mut() {
            start.finish = Some(finish);
        }
        if is_restart && let Some(service) = self.service_of(container) {
            service.restarts = service.restarts.saturating_add(1);
        }
    }

    fn skipped(&mut self, container: &ContainerId, line: &LineKey, history: bool) {
        self.saw_line(container, line);
        if let Some(known) = self.known.get_mut(container) {
            known.skipped(line.at);
        }
        if let Some(service) = self.service_of(container) {
            service.skipped_at = service.skipped_at.max(Some(line.at));
            service.skips = service.skips.saturating_add(u64::from(!history));
        }
    }

    /// Remembers that a line was taken in.
    pub(super) fn saw_line(&mut self, container: &ContainerId, line: &LineKey) {
        if let Some(known) = self.known.get_mut(container) {
            known.lines.insert(line.clone());
        }
    }

    fn discovered(&mut self, seen: &ContainerDiscovered) {
        let record = self.services.entry(seen.service.clone()).or_default();
        record.policy = seen.policy;
        record.window.clone_from(&seen.window);
        record.app.clone_from(&seen.app);
        record.required = seen.required;
        if seen.role.is_regular() {
            record.removed_at = None;
        }
        // Taken for gone by a look that was older than its creation: it keeps what is known of it.
        if let Some(known) = self.known.get_mut(&seen.container) {
            known.removed_at = None;
            return;
        }
        let predecessor_armed = record.predecessor_armed(seen.number, seen.created_at);
        if seen.role == Role::Replica {
            let is_armed = seen.armed.source.is_environment() && seen.armed.state == ArmedState::Armed;
            record.was_armed(seen.number, is_armed, seen.created_at);
        }
        let known = Known {
            service: seen.service.clone(),
            role: seen.role,
            name: seen.name.clone(),
            number: seen.number,
            created_at: seen.created_at,
            armed: seen.armed.clone(),
            predecessor_armed,
            history_until: seen.history_until,
            restart_policy: seen.restart_policy,
            starts: Vec::new(),
            removed_at: None,
            log_position: None,
            lines: BTreeSet::new(),
        };
        self.known.insert(seen.container.clone(), known);
    }

    fn removed(&mut self, container: &ContainerId, at: Timestamp) {
        let Some(known) = self.known.get_mut(container) else {
            return;
        };
        known.removed_at = Some(at);
        let service = known.service.clone();
        // Most that are remembered are gone, and names are long: what is cheap to see is asked first.
        let is_there =
            |known: &Known| known.removed_at.is_none() && known.role.is_regular() && known.service == service;
        if !self.known.values().any(is_there) {
            self.services.entry(service).or_default().removed_at = Some(at);
        }
    }

    /// Drops containers that went long ago and carry no open migration.
    pub(super) fn forget(&mut self, now: Timestamp, migrations: &Migrations) {
        self.known.retain(|id, known| {
            known.removed_at.is_none_or(|at| now.since(at) < KEEP_REMOVED) || migrations.is_open_on(id)
        });
    }
}

impl ServiceRecord {
    /// The newest container of a number counts, in whatever order they are seen.
    fn was_armed(&mut self, number: Option<u32>, armed: bool, created_at: Timestamp) {
        let last = self.last_armed.entry(number).or_insert((armed, created_at));
        if created_at >= last.1 {
            *last = (armed, created_at);
        }
    }

    /// Whether the container that a new one replaces was armed by its environment: the last of the same number, else the last of
    /// any number that was clearly created by an earlier deploy.
    fn predecessor_armed(&self, number: Option<u32>, created_at: Timestamp) -> bool {
        /// Containers of one deploy are created within this time of each other.
        const ONE_DEPLOY: Duration = Duration::from_secs(60);
        if let Some((armed, created)) = self.last_armed.get(&number)
            && *created <= created_at
        {
            return *armed;
        }
        let earlier = self
            .last_armed
            .values()
            .filter(|(_, created)| created.after(ONE_DEPLOY) < created_at);
        earlier
            .max_by_key(|(_, created)| *created)
            .is_some_and(|(armed, _)| *armed)
    }
}

impl Known {
    fn read_to(&mut self, position: Timestamp) {
        self.log_position = self.log_position.max(Some(position));
        let keep_from = position.before(OVERLAP);
        self.lines.retain(|line| line.at >= keep_from);
    }

    /// A line that was taken in before: seen, or older than what a reopened log may deliver again.
    pub(super) fn has_taken_in(&self, line: &LineKey) -> bool {
        self.lines.contains(line)
            || self
                .log_position
                .is_some_and(|position| line.at < position.before(OVERLAP))
    }
}

/// The positions that are not written yet: committed at the stop.
pub fn unwritten_positions(state: &State) -> Vec<Fact> {
    let unwritten = |(container, live): (&ContainerId, &super::live::LiveContainer)| {
        let position = live.position?;
        let known = state.durable.containers.known.get(container)?;
        (known.log_position < Some(position)).then(|| Fact::LogRead {
            container: container.clone(),
            position,
        })
    };
    let mut facts: Vec<Fact> = state.live.containers.iter().filter_map(unwritten).collect();
    facts.extend(processes::unwritten_positions(state));
    facts
}
