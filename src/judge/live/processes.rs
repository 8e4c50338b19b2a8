//! Local processes as last seen: only their log files.

use super::Live;
use crate::model::file::FilePosition;
use crate::model::observation::{LogStatus, Observation};
use crate::model::time::Timestamp;

/// One process.
#[derive(Clone, Debug, Default)]
pub struct LiveProcess {
    /// Its files as the configuration names them.
    pub path: String,
    /// How its log stands.
    pub log: Option<LogStatus>,
    /// Since when its log cannot be read.
    pub unreadable_since: Option<Timestamp>,
    /// How far its log was taken in.
    pub position: Option<FilePosition>,
}

impl Live {
    /// Takes in what is told of processes.
    pub(super) fn process(&mut self, observation: &Observation, now: Timestamp) {
        match observation {
            Observation::ProcessWatched { process, path } => {
                let live = self.processes.entry(process.clone()).or_default();
                path.clone_into(&mut live.path);
                self.counts.entry(process.clone()).or_default();
            }
            Observation::ProcessRead {
                process,
                position,
                bytes,
            } => {
                let counts = self.counts.entry(process.clone()).or_default();
                counts.log_bytes = counts.log_bytes.saturating_add(*bytes);
                let live = self.processes.entry(process.clone()).or_default();
                live.position = Some(position.clone());
            }
            Observation::ProcessLogStatus { process, status } => {
                let live = self.processes.entry(process.clone()).or_default();
                if matches!(status, LogStatus::Unreadable { .. }) {
                    live.unreadable_since.get_or_insert(now);
                } else {
                    live.unreadable_since = None;
                }
                live.log = Some(status.clone());
            }
            Observation::ProcessGone(process) => {
                self.processes.remove(process);
            }
            _ => {}
        }
    }
}
