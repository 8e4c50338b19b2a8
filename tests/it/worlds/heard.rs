//! What of a world reached migwatch in the end: the oracle's only knowledge of what was done to the streams.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use migwatch::model::exec::ExecId;
use migwatch::model::migration::Outcome;
use migwatch::model::observation::Observation;
use migwatch::model::revision::Standing;
use migwatch::model::service::ContainerId;
use migwatch::model::time::Timestamp;

use super::world::ms;

/// Everything that was delivered, as far as its absence would matter.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// The moment that the first look at a container shows.
    pub(super) first_look: BTreeMap<ContainerId, Timestamp>,
    /// Containers of which a start is known, and since when it is taken to have run.
    pub(super) starts: BTreeMap<ContainerId, Timestamp>,
    /// When containers were found gone whose removal no event told.
    pub(super) gone: BTreeMap<ContainerId, Timestamp>,
    pub(super) deaths: BTreeSet<ContainerId>,
    pub(super) exec_starts: BTreeSet<ExecId>,
    /// When an exec ended, as far as is known.
    pub(super) exec_ends: BTreeMap<ExecId, Timestamp>,
    /// How many different lines of a container's log came.
    pub(super) lines: BTreeMap<ContainerId, usize>,
    seen_lines: BTreeSet<(ContainerId, Timestamp)>,
    /// When a line of the local process's file is taken to have been written, by its end.
    written: BTreeMap<u64, Timestamp>,
    /// When the database was read.
    readings: BTreeSet<Timestamp>,
    /// When migwatch came up, and when it was killed after that.
    pub(super) lives: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Heard {
    /// One report arrives; `shows` is the moment that a look shows.
    pub(super) fn takes(&mut self, observation: &Observation, shows: Timestamp) {
        match observation {
            Observation::Looked(look) => self.looks(&look.id, look.started_at, look.finished_at, shows),
            Observation::FullLook(looks) => {
                let is_there = |id: &ContainerId| looks.iter().any(|look| look.id == *id);
                let missing = self.first_look.keys().filter(|id| !is_there(id));
                for id in missing.cloned().collect::<Vec<_>>() {
                    self.gone.entry(id).or_insert(shows);
                }
                for look in looks {
                    self.looks(&look.id, look.started_at, look.finished_at, shows);
                }
            }
            Observation::Started { container, at } => {
                self.starts.entry(container.clone()).or_insert(*at);
            }
            Observation::Died { container, .. } => drop(self.deaths.insert(container.clone())),
            Observation::ExecStarted { exec, .. } => drop(self.exec_starts.insert(exec.clone())),
            Observation::ExecEnded { exec, at, .. } => {
                self.exec_ends.entry(exec.clone()).or_insert(*at);
            }
            Observation::Line { container, line }
                if self.seen_lines.insert((container.clone(), line.key.at)) =>
            {
                *self.lines.entry(container.clone()).or_default() += 1;
            }
            Observation::ProcessLine { position, line, .. } => {
                self.written.entry(position.offset).or_insert(line.key.at);
            }
            Observation::Database(reading) => drop(self.readings.insert(reading.at)),
            _ => {}
        }
    }

    fn looks(
        &mut self,
        container: &ContainerId,
        started: Option<Timestamp>,
        finished: Option<Timestamp>,
        shows: Timestamp,
    ) {
        self.first_look.entry(container.clone()).or_insert(shows);
        if let Some(started) = started {
            self.starts.entry(container.clone()).or_insert(started);
        }
        if finished.is_some() {
            self.deaths.insert(container.clone());
        }
    }

    /// Whether one life of migwatch saw so much of the time between two moments.
    pub(super) fn watched(&self, from: Timestamp, until: Timestamp, so_long: Duration) -> bool {
        let mut lives = self.lives.iter();
        lives.any(|(up, down)| {
            let end = down.map_or(until, |down| down.min(until));
            end.since(from.max(*up)) >= so_long
        })
    }

    /// Whether the lines that tell of a move were read before or about when the move was seen: only then does one prove the other.
    pub(super) fn is_told_in_time(&self, moved_at: Option<Timestamp>, lines: &[u64]) -> bool {
        let Some(moved_at) = moved_at else { return true };
        let seen = self.readings.range(moved_at..).next();
        let told = lines.iter().filter_map(|end| self.written.get(end)).max();
        match (told, seen) {
            (Some(told), Some(seen)) => told.before(ms(2_000)) <= *seen,
            _ => false,
        }
    }

    /// What a move is taken for by somebody who sees nothing but the table, when it was read: back to where it stood earlier is down.
    pub(super) fn as_found(&self, history: &[(Timestamp, Standing)], moved_at: Timestamp) -> Outcome {
        const REMEMBERED: usize = 11;
        let seen = self
            .readings
            .range(moved_at..)
            .next()
            .copied()
            .unwrap_or(moved_at);
        let mut stood: Vec<&Standing> = Vec::new();
        for at in self.readings.range(..=seen) {
            let standing = history
                .iter()
                .rfind(|(since, _)| since <= at)
                .map(|(_, standing)| standing);
            if stood.last().copied() != standing {
                stood.extend(standing);
            }
        }
        let kept = &stood[stood.len().saturating_sub(REMEMBERED)..];
        let first = |wanted: &Standing| kept.iter().position(|standing| *standing == wanted);
        match kept {
            [.., from, to] if first(to) < first(from) => Outcome::Downgraded,
            _ => Outcome::Applied,
        }
    }
}
