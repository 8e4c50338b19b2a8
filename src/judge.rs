//! Floor 2, the heart: observations in, facts out.
//!
//! Promises that [`decide`] and [`State::apply`] are pure: no tokio, no I/O, no clock (time is an argument), no logging; that applying
//! the facts of the journal gives the state again without judging anything anew; and that an observation seen twice decides nothing
//! the second time. Refuses to know where observations come from and who reads the facts.
//!
//! Each subject has its file: it owns its part of [`Durable`], its facts (`apply`), its decisions (`decide`) and the moments at
//! which something changes by itself (`deadlines`). This file only dispatches.

pub mod alerting;
pub mod code;
pub mod containers;
pub mod expectation;
pub mod health;
pub mod live;
pub mod migration;
mod pairs;
pub mod plan;
pub mod preflight;
pub mod processes;
pub mod schema;
pub mod settings;
pub mod tables;
pub mod verdict;
pub mod view;

use serde::{Deserialize, Serialize};

use crate::model::exec::ExecId;
use crate::model::fact::Fact;
use crate::model::file::{FileId, FilePosition};
use crate::model::log::ResumeFrom;
use crate::model::observation::Observation;
use crate::model::service::{ContainerId, ServiceId};
use crate::model::time::Timestamp;

use alerting::Alerts;
use containers::Containers;
use expectation::Expectations;
use live::Live;
use migration::Migrations;
use processes::Processes;
use schema::Schemas;
use settings::Settings;
use tables::Tables;

/// What is known: the fold of all facts, and the latest looks.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The fold of facts; survives a restart.
    pub durable: Durable,
    /// The latest looks; rebuilt after a restart, never journaled.
    pub live: Live,
}

/// The fold of facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durable {
    /// When this journal's watch began.
    pub watch_since: Option<Timestamp>,
    /// Containers, their starts, and services.
    pub containers: Containers,
    /// Migrations and their counters.
    pub migrations: Migrations,
    /// Databases and version tables.
    pub tables: Tables,
    /// Approvals.
    pub expectations: Expectations,
    /// Schemas of databases.
    pub schemas: Schemas,
    /// Local processes and how far their files were read.
    pub processes: Processes,
    /// Alerts and what receivers have of them.
    pub alerts: Alerts,
}

impl Durable {
    /// Takes in one fact. Cannot fail: a fact about something unknown changes nothing.
    pub fn apply(&mut self, fact: &Fact) {
        if let Fact::WatchStarted { at } = fact {
            self.watch_since = Some(*at);
        }
        self.containers.apply(fact);
        self.migrations.apply(fact);
        if let Some((id, line, container)) = fact.migration_line()
            && let Some(container) = container.or_else(|| self.migrations.container_of(id))
        {
            self.containers.saw_line(container, line);
        }
        self.processes.apply(fact);
        self.tables.apply(fact);
        self.expectations.apply(fact);
        self.schemas.apply(fact);
        self.alerts.apply(fact);
    }

    /// Drops what nobody asks for any more: containers long gone, migrations long settled. Open things stay. Called only where a
    /// snapshot is written, so that replay stays the same. Returns the settled migrations that left.
    pub fn forget(&mut self, now: Timestamp) -> Vec<crate::model::migration::Migration> {
        let left = self.migrations.forget(now);
        self.containers.forget(now, &self.migrations);
        self.expectations.forget(now);
        self.alerts.forget(now);
        left
    }
}

impl State {
    /// Takes in one fact.
    pub fn apply(&mut self, fact: &Fact) {
        self.durable.apply(fact);
    }

    /// The next moment at which something changes by itself.
    pub fn deadline(&self, settings: &Settings, now: Timestamp) -> Option<Timestamp> {
        let mut moments = Vec::new();
        migration::settling::deadlines(self, &mut moments);
        schema::deadlines(self, settings, &mut moments);
        migration::executing::deadlines(self, &mut moments);
        migration::out_of_band::deadlines(self, &mut moments);
        health::deadlines(self, settings, &mut moments);
        expectation::deadlines(self, settings, now, &mut moments);
        alerting::wanted::deadlines(self, settings, &mut moments);
        moments.into_iter().filter(|moment| *moment > now).min()
    }

    /// Where a local process's log file is to be taken up when it is opened.
    pub fn file_position(&self, process: &ServiceId, file: &FileId) -> Option<FilePosition> {
        self.durable.processes.resume(process, file).cloned()
    }

    /// Commands inside containers that have begun and are not known to have ended: whoever watches the engine anew asks it for them.
    pub fn open_execs(&self) -> impl Iterator<Item = (ContainerId, ExecId, Timestamp)> {
        self.durable.migrations.open_execs()
    }

    /// From where a container's log is to be read when it is first opened.
    pub fn resume_from(&self, container: &ContainerId, created_at: Timestamp) -> ResumeFrom {
        match (
            self.durable.containers.known.get(container),
            self.durable.watch_since,
        ) {
            (Some(known), _) => match (known.log_position, known.history_until) {
                (Some(position), _) => ResumeFrom::Position(position),
                (None, Some(_)) => ResumeFrom::Recent,
                (None, None) => ResumeFrom::Everything,
            },
            (None, Some(since)) if created_at > since => ResumeFrom::Everything,
            (None, _) => ResumeFrom::Recent,
        }
    }
}

/// What a later subject concludes may let an earlier one conclude more (whose a change of the schema was, say, and so that a move is
/// nobody's): at once, not when something else is heard. Two rounds do; more would mean that subjects answer each other.
const ROUNDS: usize = 4;

/// Judges one observation that arrived at `now` (our wall clock): updates the live looks, applies and returns the facts.
pub fn decide(
    state: &mut State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    type Subject = fn(&State, &Settings, Timestamp, &Observation) -> Vec<Fact>;
    const SUBJECTS: [Subject; 20] = [
        containers::decide,
        tables::decide,
        migration::hearing::decide,
        processes::decide,
        migration::executing::decide,
        migration::confirming::decide,
        migration::settling::decide,
        migration::settling::contradicted,
        migration::executing::presume,
        migration::out_of_band::decide,
        schema::by_version_tables,
        expectation::reconsider,
        expectation::decide,
        schema::decide,
        schema::close,
        tables::close,
        schema::correct,
        migration::acknowledge,
        alerting::acknowledge,
        alerting::deliveries,
    ];
    let observation = match observation {
        Observation::Looked(look) if containers::is_stale(state, look) => &Observation::Tick,
        observation => observation,
    };
    let before = state.live.changes;
    state.live.look(now, observation);
    let mut facts = Vec::new();
    for _ in 0..ROUNDS {
        let known = facts.len();
        for subject in SUBJECTS {
            for fact in subject(state, settings, now, observation) {
                let correction = expectation::correction(state, settings, &fact);
                for fact in correction.into_iter().chain([fact]) {
                    state.apply(&fact);
                    facts.push(fact);
                }
            }
        }
        // What a person says is said once.
        if facts.len() == known || matches!(observation, Observation::Acknowledged { .. }) {
            break;
        }
    }
    // A report that changes nothing (most are: a log read on, a probe that still succeeds) raises and ends no alert either.
    let is_news = state.live.changes != before || *observation == Observation::Tick;
    if is_news || !facts.is_empty() {
        let concluded = alerting::decide(state, settings, now, &facts);
        for fact in &concluded {
            state.apply(fact);
        }
        facts.extend(concluded);
    }
    facts
}
