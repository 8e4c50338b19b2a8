//! The code of services, as their containers have it: which environment migrates which version table, where a table stands to the newest
//! code, who knows a revision, whose scripts create a table. Views only: it has no facts of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use super::expectation::same_app;
use super::live::{LiveContainer, LiveEnvironment, LiveStanding};
use super::settings::Settings;
use crate::alembic::plan;
use crate::model::container::ContainerState;
use crate::model::revision::{DatabaseId, Heads, Revision, VersionTable};
use crate::model::script::DEFAULT_ENVIRONMENT;
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::status::{CodeStatus, StandingWord, TableCode};
use crate::model::time::Timestamp;

/// Alembic's own name for the version table, where env.py gives no other.
const USUAL_TABLE: &str = "alembic_version";

/// One environment in one container.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) live: &'a LiveContainer,
    pub(super) name: &'a str,
    pub(super) environment: &'a LiveEnvironment,
}

/// The environments in a service's containers, the newest container's first.
pub(super) fn of<'a>(state: &'a State, service: &'a ServiceId) -> Vec<Seen<'a>> {
    let own = state
        .live
        .code
        .of(service)
        .filter_map(|(id, environments)| Some((state.live.containers.get(id)?, environments)));
    let mut seen: Vec<Seen<'_>> = own
        .flat_map(|(live, environments)| {
            environments.iter().map(move |(name, environment)| Seen {
                live,
                name,
                environment,
            })
        })
        .collect();
    seen.sort_by_key(|seen| std::cmp::Reverse(seen.live.look.created_at));
    seen
}

/// Each environment once, as the newest regular container has it.
pub(super) fn newest<'a>(state: &'a State, service: &'a ServiceId) -> BTreeMap<&'a str, Seen<'a>> {
    let mut newest = BTreeMap::new();
    for seen in of(state, service) {
        if seen.live.look.role == Role::Replica {
            newest.entry(seen.name).or_insert(seen);
        }
    }
    newest
}

/// Whether this environment of the service migrates this table, which the service is bound to.
pub(super) fn migrates(state: &State, service: &ServiceId, seen: &Seen<'_>, table: &VersionTable) -> bool {
    let labels = &seen.live.look.labels;
    let by_label = labels.env_tables.get(seen.name).or(labels
        .db_table
        .as_ref()
        .filter(|_| seen.name == DEFAULT_ENVIRONMENT));
    if let Some(named) = by_label {
        return *named == table.table;
    }
    if let Some(named) = named_table(seen.environment) {
        return named == table.table || is_default_schema(&named, &table.table);
    }
    let is_only = state.durable.tables.bound(service).count() == 1;
    is_only || (seen.name == DEFAULT_ENVIRONMENT && table.table == USUAL_TABLE)
}

/// The version table that env.py names, with its schema if it names one.
pub(super) fn named_table(environment: &LiveEnvironment) -> Option<String> {
    let code = &environment.code;
    let table = code.version_table.as_ref()?;
    Some(match &code.version_table_schema {
        Some(schema) => format!("{schema}.{table}"),
        None => table.clone(),
    })
}

/// A table in the default schema is read without it.
fn is_default_schema(named: &str, table: &str) -> bool {
    named.rsplit_once('.').is_some_and(|(_, name)| name == table)
}

/// How a table stands to the newest code of a service, and since when.
pub(super) fn standing<'a>(
    state: &'a State,
    service: &'a ServiceId,
    table: &VersionTable,
) -> Option<(Seen<'a>, &'a LiveStanding)> {
    newest(state, service).into_values().find_map(|seen| {
        let standing = seen.environment.standings.get(table)?;
        migrates(state, service, &seen, table).then_some((seen, standing))
    })
}

/// Whether every table of the service stands at the head of its newest code; `None` where that is not known of any.
pub(super) fn is_at_head(state: &State, service: &ServiceId) -> Option<bool> {
    let bound = state.durable.tables.bound(service);
    let words: Vec<StandingWord> = bound
        .filter_map(|(table, _)| Some(standing(state, service, table)?.1.word))
        .collect();
    let is_known = !words.is_empty() && !words.contains(&StandingWord::Unreadable);
    is_known.then(|| words.iter().all(|word| *word == StandingWord::AtHead))
}

/// Whether a table of the service is known to lack revisions that its newest code has.
pub(super) fn is_behind(state: &State, service: &ServiceId) -> bool {
    let mut bound = state.durable.tables.bound(service);
    bound.any(|(table, _)| {
        standing(state, service, table).is_some_and(|(_, standing)| standing.word == StandingWord::Behind)
    })
}

/// Services whose version table stands where their newest code does not know, with what stands there: their code may be other than
/// its image tells.
pub fn puzzles(state: &State) -> BTreeSet<(ServiceId, Heads)> {
    let mut puzzles = BTreeSet::new();
    for service in state.live.code.services() {
        for (table, _) in state.durable.tables.bound(service) {
            if let Some((_, standing)) = standing(state, service, table)
                && !standing.unknown.is_empty()
            {
                puzzles.insert((service.clone(), standing.heads.clone()));
            }
        }
    }
    puzzles
}

/// The table of a service that was behind the code in this container by then, and how many revisions.
pub(super) fn behind_in<'a>(
    state: &'a State,
    service: &'a ServiceId,
    container: &ContainerId,
    by: Timestamp,
) -> Option<(&'a VersionTable, usize)> {
    let own = of(state, service)
        .into_iter()
        .filter(|seen| seen.live.look.id == *container);
    let mut behind = own.flat_map(|seen| {
        let standings = seen.environment.standings.iter();
        standings.filter(move |(table, standing)| {
            standing.word == StandingWord::Behind
                && standing.since <= by
                && migrates(state, service, &seen, table)
                && is_bound(state, service, table)
        })
    });
    behind
        .next()
        .map(|(table, standing)| (table, standing.pending.len()))
}

/// Rows of a table that no running container of the service, or of its app, knows, although their code was read whole; none while
/// somebody may know them.
pub(super) fn unknown_to_all(
    state: &State,
    settings: &Settings,
    service: &ServiceId,
    table: &VersionTable,
) -> BTreeSet<Revision> {
    let Some((_, newest)) = standing(state, service, table) else {
        return BTreeSet::new();
    };
    let mut unknown: BTreeSet<Revision> = newest.unknown.iter().cloned().collect();
    if unknown.is_empty() {
        return unknown;
    }
    let running = state.live.containers.values().filter(|live| {
        live.look.state == ContainerState::Running && same_app(state, settings, &live.look.service, service)
    });
    let mut is_any = false;
    for live in running {
        let mut own = state.live.code.of(&live.look.service);
        let Some((_, environments)) = own.find(|(id, _)| **id == live.look.id) else {
            continue;
        };
        for environment in environments.values() {
            is_any = true;
            if !environment.code.unreadable.is_empty() {
                return BTreeSet::new();
            }
            unknown.retain(|revision| !environment.graph.revisions.contains(revision));
        }
    }
    if is_any { unknown } else { BTreeSet::new() }
}

/// Who on this host knows all of these revisions: `project/service (image)`.
pub(super) fn known_by(state: &State, revisions: &[Revision]) -> Vec<String> {
    let mut who = BTreeSet::new();
    for (id, environments) in state.live.code.all() {
        let Some(live) = state.live.containers.get(id) else {
            continue;
        };
        let knows = |environment: &LiveEnvironment| {
            revisions
                .iter()
                .all(|revision| environment.graph.revisions.contains(revision))
        };
        if !revisions.is_empty() && environments.values().any(knows) {
            who.insert(format!("{} ({})", live.look.service, live.look.image));
        }
    }
    who.into_iter().collect()
}

/// The services near a database whose scripts create this table.
pub(super) fn creators<'a>(state: &'a State, database: &DatabaseId, table: &str) -> BTreeSet<&'a ServiceId> {
    let live = state.live.databases.get(database);
    let near = live
        .map(|live| live.reading.services.as_slice())
        .unwrap_or_default();
    let compared = |table: &str| plan::compared(table, live.map(|live| live.reading.kind), Some(database));
    let table = compared(table);
    let creates = |service: &&ServiceId| {
        let mut own = state
            .live
            .code
            .of(service)
            .flat_map(|(_, environments)| environments.values());
        own.any(|environment| {
            let mut created = environment.graph.creates.iter();
            created.any(|created| compared(created) == table)
        })
    };
    near.iter().filter(creates).collect()
}

/// What is shown of the code of a service.
pub(super) fn status(state: &State, service: &ServiceId) -> Vec<CodeStatus> {
    let each = newest(state, service).into_values().map(|seen| {
        let environment = seen.environment;
        let own = environment
            .standings
            .iter()
            .filter(|(table, _)| migrates(state, service, &seen, table) && is_bound(state, service, table));
        CodeStatus {
            environment: seen.name.to_owned(),
            config: environment.code.config.clone(),
            image: seen.live.look.image.clone(),
            revisions: environment.graph.revisions.len() as u64,
            heads: environment.graph.heads.clone(),
            problems: environment.graph.problems.clone(),
            tables: own
                .map(|(table, standing)| TableCode {
                    table: table.clone(),
                    word: standing.word,
                    pending: standing.pending.clone(),
                    unknown: standing.unknown.clone(),
                    known_by: known_by(state, &standing.unknown),
                    reason: standing.reason.clone(),
                })
                .collect(),
        }
    });
    each.collect()
}

fn is_bound(state: &State, service: &ServiceId, table: &VersionTable) -> bool {
    state
        .durable
        .tables
        .bound(service)
        .any(|(bound, _)| bound == table)
}
