//! Local processes that are watched through their log files: who they are, and how far each file was taken in. A line of a file has no
//! time of its own; what makes it the same line when it is read again is its place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::containers::is_new_gap;
use super::settings::Settings;
use super::{State, pairs};
use crate::model::container::{Armed, ArmedSource, ArmedState};
use crate::model::fact::{ContainerDiscovered, Fact};
use crate::model::file::{FileId, FilePosition};
use crate::model::observation::Observation;
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::time::Timestamp;

/// Files of one process whose position is kept: all that its pattern matches, as a rule, and those that they were rotated from.
const KEEP_FILES: usize = 64;

/// A position is written alone only when it has moved by this many bytes; with other facts at once.
const POSITION_STEP: u64 = 1024 * 1024;

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processes {
    /// How far each file was taken in, the latest last.
    #[serde(with = "pairs")]
    pub read: BTreeMap<ServiceId, Vec<FilePosition>>,
}

impl Processes {
    pub(super) fn apply(&mut self, fact: &Fact) {
        let Fact::FileRead { process, position } = fact else {
            return;
        };
        let files = self.read.entry(process.clone()).or_default();
        files.retain(|known| known.file != position.file);
        files.push(position.clone());
        let surplus = files.len().saturating_sub(KEEP_FILES);
        files.drain(..surplus);
    }

    /// How far a file was taken in.
    pub fn position(&self, process: &ServiceId, file: &FileId) -> Option<&FilePosition> {
        let files = self.read.get(process)?;
        files.iter().find(|known| known.file == *file)
    }

    /// Where a file is to be taken up that is opened anew: the position of this very file, whatever it was called, else the latest of
    /// another one that had its name.
    pub fn resume(&self, process: &ServiceId, file: &FileId) -> Option<&FilePosition> {
        let files = self.read.get(process)?;
        let latest = |is_it: &dyn Fn(&FileId) -> bool| files.iter().rev().find(|known| is_it(&known.file));
        latest(&|known| (known.device, known.inode) == (file.device, file.inode))
            .or_else(|| latest(&|known| known.path == file.path))
    }

    /// A line that ends here was taken in before.
    pub(super) fn has_taken_in(&self, process: &ServiceId, position: &FilePosition) -> bool {
        let known = self.position(process, &position.file);
        known.is_some_and(|known| position.offset <= known.offset)
    }
}

/// What stands for a process where others have a container.
pub fn stand_in(process: &ServiceId) -> ContainerId {
    ContainerId(format!("{process} (local process)"))
}

/// What is told of processes. Lines are judged before this, so that their position commits with what they led to.
pub(super) fn decide(state: &State, _: &Settings, now: Timestamp, observation: &Observation) -> Vec<Fact> {
    let durable = &state.durable;
    let known = |process: &ServiceId| durable.containers.known.get(&stand_in(process));
    let read = |process: &ServiceId, position: &FilePosition| Fact::FileRead {
        process: process.clone(),
        position: position.clone(),
    };
    match observation {
        Observation::ProcessWatched { process, path } => {
            let is_known = known(process).is_some_and(|known| known.removed_at.is_none());
            (!is_known)
                .then(|| discovered(process, path, now))
                .into_iter()
                .collect()
        }
        Observation::ProcessGone(process) => {
            let is_there = known(process).is_some_and(|known| known.removed_at.is_none());
            let removed = Fact::ContainerRemoved {
                container: stand_in(process),
                at: now,
            };
            is_there.then_some(removed).into_iter().collect()
        }
        Observation::ProcessLine {
            process, position, ..
        } if !durable.processes.has_taken_in(process, position) => {
            vec![read(process, position)]
        }
        Observation::ProcessRead {
            process, position, ..
        } => {
            let before = durable.processes.position(process, &position.file);
            // Going back means that the file was cut and is written anew.
            let is_due = before.is_none_or(|before| {
                position.offset < before.offset || position.offset - before.offset >= POSITION_STEP
            });
            is_due.then(|| read(process, position)).into_iter().collect()
        }
        Observation::ProcessLogGap { process, at } => {
            let (container, from, to) = (stand_in(process), *at, *at);
            is_new_gap(state, &container, (from, to))
                .then_some(Fact::LogLost { container, from, to })
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn discovered(process: &ServiceId, path: &str, now: Timestamp) -> Fact {
    Fact::ContainerDiscovered(ContainerDiscovered {
        container: stand_in(process),
        service: process.clone(),
        role: Role::Process,
        name: path.to_owned(),
        number: None,
        created_at: now,
        armed: Armed {
            state: ArmedState::Unknown,
            source: ArmedSource::Image,
        },
        history_until: None,
        window: None,
        app: None,
        policy: None,
        required: None,
        restart_policy: None,
    })
}

/// The positions that are not written yet: committed at the stop.
pub(super) fn unwritten_positions(state: &State) -> Vec<Fact> {
    let unwritten = |(process, live): (&ServiceId, &super::live::LiveProcess)| {
        let position = live.position.clone()?;
        let is_written = state.durable.processes.has_taken_in(process, &position);
        (!is_written).then(|| Fact::FileRead {
            process: process.clone(),
            position,
        })
    };
    state.live.processes.iter().filter_map(unwritten).collect()
}
