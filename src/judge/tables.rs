//! Databases and version tables: where each stood last, how it moved, and which service migrates it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::migration::confirming::may_move;
use super::settings::Settings;
use super::{State, code, pairs};
use crate::model::database::DatabaseReading;
use crate::model::fact::{BindingProof, Fact, TableSeen};
use crate::model::observation::Observation;
use crate::model::revision::{DatabaseId, Standing, VersionTable};
use crate::model::script::DEFAULT_ENVIRONMENT;
use crate::model::service::{ContainerId, ServiceId};
use crate::model::time::Timestamp;

/// How many moves of a table are kept to be matched with lines that come later.
const KEEP_MOVES: usize = 10;

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tables {
    /// Databases that answered at least once.
    pub connected: BTreeSet<DatabaseId>,
    /// Version tables.
    #[serde(with = "pairs")]
    pub known: BTreeMap<VersionTable, TableRecord>,
    /// Which service migrates which tables.
    #[serde(with = "pairs")]
    pub bindings: BTreeMap<ServiceId, BoundTables>,
}

/// Tables of one service with what proves it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BoundTables {
    /// Table to proof.
    #[serde(with = "pairs")]
    pub tables: BTreeMap<VersionTable, BindingProof>,
}

/// One version table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRecord {
    /// What stood in it at the last reading.
    pub standing: Standing,
    /// When that was first seen.
    pub since: Timestamp,
    /// Its last moves, oldest first.
    pub moves: VecDeque<Move>,
    /// When it was last written down that it still stood so.
    #[serde(default)]
    pub seen_at: Option<Timestamp>,
}

/// One move of a version table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Before.
    pub from: Standing,
    /// After.
    pub to: Standing,
    /// When the reading that showed it was made.
    pub at: Timestamp,
    /// The last reading before: it moved between the two.
    #[serde(default)]
    pub read_before: Option<Timestamp>,
    /// A migration has it, or a replacement of the whole database.
    #[serde(default)]
    pub explained: bool,
}

impl Tables {
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::DatabaseConnected { database, .. } => {
                self.connected.insert(database.clone());
            }
            Fact::TableDiscovered { table, standing, at } => {
                let record = TableRecord {
                    standing: standing.clone(),
                    since: *at,
                    moves: VecDeque::default(),
                    seen_at: None,
                };
                self.known.insert(table.clone(), record);
            }
            Fact::TableMoved {
                table,
                from,
                to,
                at,
                read_before,
            } => {
                if let Some(record) = self.known.get_mut(table) {
                    record.standing = to.clone();
                    record.since = *at;
                    record.moves.push_back(Move {
                        from: from.clone(),
                        to: to.clone(),
                        at: *at,
                        read_before: *read_before,
                        explained: false,
                    });
                    let surplus = record.moves.len().saturating_sub(KEEP_MOVES);
                    record.moves.drain(..surplus);
                }
            }
            Fact::TableSeen(seen) => {
                if let Some(record) = self.known.get_mut(&seen.table) {
                    record.seen_at = record.seen_at.max(Some(seen.at));
                }
            }
            Fact::MigrationConfirmed { movement, .. } => {
                let record = self.known.get_mut(&movement.table);
                let moves = record.into_iter().flat_map(|record| record.moves.iter_mut());
                for moved in moves.filter(|moved| moved.at == movement.at) {
                    moved.explained = true;
                }
            }
            Fact::DatabaseReplaced(it) => {
                let here = self
                    .known
                    .iter_mut()
                    .filter(|(table, _)| table.database == it.database);
                let moves = here.flat_map(|(_, record)| record.moves.iter_mut());
                for moved in moves.filter(|moved| moved.at <= it.at) {
                    moved.explained = true;
                }
            }
            Fact::TableBound {
                service,
                table,
                proof,
            } => {
                let tables = &mut self.bindings.entry(service.clone()).or_default().tables;
                let known = tables.entry(table.clone()).or_insert(*proof);
                *known = (*known).min(*proof);
            }
            _ => {}
        }
    }

    /// The tables that a service is bound to, with the proof.
    pub fn bound(&self, service: &ServiceId) -> impl Iterator<Item = (&VersionTable, BindingProof)> {
        self.bindings
            .get(service)
            .into_iter()
            .flat_map(|bound| bound.tables.iter().map(|(table, proof)| (table, *proof)))
    }
}

/// What a reading says about tables.
pub(super) fn decide(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    let reading = match observation {
        Observation::Database(reading) => reading,
        Observation::Code { container, .. } => return bind_by_code(state, settings, container),
        _ => return Vec::new(),
    };
    let Ok(found) = &reading.tables else {
        return Vec::new();
    };
    let tables = &state.durable.tables;
    let is_baseline = !tables.connected.contains(&reading.database);
    let mut facts = Vec::new();
    if is_baseline {
        facts.push(Fact::DatabaseConnected {
            database: reading.database.clone(),
            at: reading.at,
        });
    }
    // What is found at first is dated by the answer, which may show what was done after the question.
    let at = if is_baseline {
        now.max(reading.at)
    } else {
        reading.at
    };
    for (name, standing) in found {
        let table = VersionTable {
            database: reading.database.clone(),
            table: name.clone(),
        };
        facts.extend(read_table(tables, table, standing, at, is_baseline));
    }
    for (table, record) in &tables.known {
        let is_gone = table.database == reading.database && !found.contains_key(&table.table);
        if is_gone && reading.at >= record.since && record.standing != Standing::Missing {
            facts.extend(moved(
                table.clone(),
                &record.standing,
                &Standing::Missing,
                reading.at,
            ));
        }
    }
    let live = state.live.databases.get(&reading.database);
    for fact in &mut facts {
        if let Fact::TableMoved {
            table, read_before, ..
        } = fact
        {
            // An earlier process may have read it too.
            let seen_at = tables.known.get(table).and_then(|record| record.seen_at);
            *read_before = live.and_then(|live| live.read_before).max(seen_at);
        }
    }
    facts.extend(bind(state, settings, reading, found));
    facts
}

/// Writes down that what has ended did not move a table that was read since: after a restart nobody would know it.
pub(super) fn close(state: &State, _: &Settings, _: Timestamp, observation: &Observation) -> Vec<Fact> {
    let Observation::Database(reading) = observation else {
        return Vec::new();
    };
    let here = state.durable.tables.known.iter().filter(|(table, record)| {
        table.database == reading.database && reading.tables.is_ok() && record.since < reading.at
    });
    let is_due = |table: &VersionTable, record: &TableRecord| {
        let seen_at = record.seen_at.max(Some(record.since)).unwrap_or_default();
        let mut all = state.durable.migrations.all.values();
        all.any(|tracked| {
            let ended = tracked.migration.ended_at.filter(|_| !tracked.is_open());
            ended.is_some_and(|ended| seen_at < ended && ended <= reading.at)
                && may_move(state, &tracked.migration.service, table)
        })
    };
    here.filter(|(table, record)| is_due(table, record))
        .map(|(table, _)| {
            let (table, at) = (table.clone(), reading.at);
            Fact::TableSeen(TableSeen { table, at })
        })
        .collect()
}

fn read_table(
    tables: &Tables,
    table: VersionTable,
    standing: &Standing,
    at: Timestamp,
    is_baseline: bool,
) -> Vec<Fact> {
    match tables.known.get(&table) {
        Some(record) if record.standing == *standing => Vec::new(),
        Some(record) if at < record.since => Vec::new(),
        Some(record) => moved(table, &record.standing, standing, at),
        None if is_baseline => vec![Fact::TableDiscovered {
            table,
            standing: standing.clone(),
            at,
        }],
        // The database was read before and this table was not there: it was created.
        None => {
            let mut facts = vec![Fact::TableDiscovered {
                table: table.clone(),
                standing: Standing::Missing,
                at,
            }];
            facts.extend(moved(table, &Standing::Missing, standing, at));
            facts
        }
    }
}

fn moved(table: VersionTable, from: &Standing, to: &Standing, at: Timestamp) -> Vec<Fact> {
    if from == to {
        return Vec::new();
    }
    vec![Fact::TableMoved {
        table,
        from: from.clone(),
        to: to.clone(),
        at,
        read_before: None,
    }]
}

/// What new code says about the tables of its service.
fn bind_by_code(state: &State, settings: &Settings, container: &ContainerId) -> Vec<Fact> {
    let Some(live) = state.live.containers.get(container) else {
        return Vec::new();
    };
    let databases = state.live.databases_of(&live.look.service);
    let read = databases.filter_map(|live| Some((&live.reading, live.reading.tables.as_ref().ok()?)));
    read.flat_map(|(reading, found)| bind(state, settings, reading, found))
        .collect()
}

/// Binds services to tables by config, label, what their code says, or because there is only one. What is learned from lines is decided with them.
fn bind(
    state: &State,
    settings: &Settings,
    reading: &DatabaseReading,
    found: &BTreeMap<String, Standing>,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    for service in &reading.services {
        let (name, proof) = match configured_table(state, settings, reading, service) {
            Some(name) => (name, BindingProof::Configured),
            None => match (table_in_code(state, service, found), only_table(found)) {
                (Some(name), _) => (name, BindingProof::EnvPy),
                (None, Some(name)) if is_alone(state, service, reading) => (name, BindingProof::OnlyTable),
                _ => continue,
            },
        };
        let table = VersionTable {
            database: reading.database.clone(),
            table: name,
        };
        let known = state
            .durable
            .tables
            .bound(service)
            .any(|(bound, known)| *bound == table && known <= proof);
        if !known {
            facts.push(Fact::TableBound {
                service: service.clone(),
                table,
                proof,
            });
        }
    }
    facts
}

fn configured_table(
    state: &State,
    settings: &Settings,
    reading: &DatabaseReading,
    service: &ServiceId,
) -> Option<String> {
    let label = state
        .live
        .replicas(service)
        .find_map(|live| live.look.labels.db_table.clone());
    label.or_else(|| {
        let configured = settings.services.get(service)?;
        let is_here = configured
            .database
            .as_ref()
            .is_none_or(|database| *database == reading.database);
        configured.table.clone().filter(|_| is_here)
    })
}

/// The table that is there and that the service's `env.py` names.
fn table_in_code(state: &State, service: &ServiceId, found: &BTreeMap<String, Standing>) -> Option<String> {
    let newest = code::newest(state, service);
    let seen = newest.get(DEFAULT_ENVIRONMENT)?;
    let named = code::named_table(seen.environment)?;
    let unqualified = named.rsplit('.').next().unwrap_or_default();
    // Of the default schema it is found without it.
    [named.as_str(), unqualified]
        .into_iter()
        .find(|name| found.contains_key(*name))
        .map(str::to_owned)
}

fn only_table(found: &BTreeMap<String, Standing>) -> Option<String> {
    match found.keys().collect::<Vec<_>>().as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    }
}

/// Only a service that can migrate, and is the only such one here, owns the only table.
fn is_alone(state: &State, service: &ServiceId, reading: &DatabaseReading) -> bool {
    let can_migrate = |service: &ServiceId| {
        use crate::model::container::ArmedSource;
        state
            .live
            .replicas(service)
            .any(|live| live.look.armed.source != ArmedSource::Nothing)
    };
    can_migrate(service)
        && !reading
            .services
            .iter()
            .any(|other| other != service && can_migrate(other))
}
