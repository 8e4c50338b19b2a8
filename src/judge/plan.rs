//! What a migration of a service would do now, as its own newest code and its version tables say. A view: nothing is concluded.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use super::code::{self, Seen};
use crate::alembic::plan;
use crate::model::plan::{Plan, PlanScene};
use crate::model::revision::{DatabaseId, Heads, Standing, VersionTable};
use crate::model::service::ServiceId;

/// The plans of a service: one a version table of each of its Alembic environments.
///
/// # Errors
/// One sentence, where there is nothing to plan with: no such service, or no code of it.
pub fn plans(state: &State, service: &ServiceId, target: &str) -> Result<Vec<Plan>, String> {
    if !state.durable.containers.services.contains_key(service) {
        return Err(unknown(state, service));
    }
    let newest = code::newest(state, service);
    if newest.is_empty() {
        return Err(format!(
            "no Alembic scripts of {service} are known: there is no container of it, its image holds none where migwatch looks (label migwatch.alembic.dir tells it), or they are still being read"
        ));
    }
    let mut plans = Vec::new();
    for seen in newest.into_values() {
        let bound = state.durable.tables.bound(service).map(|(table, _)| table);
        let own: Vec<&VersionTable> = bound
            .filter(|table| code::migrates(state, service, &seen, table))
            .collect();
        if own.is_empty() {
            plans.push(of(state, service, &seen, None, target));
        }
        for table in own {
            plans.push(of(state, service, &seen, Some(table), target));
        }
    }
    Ok(plans)
}

fn of(
    state: &State,
    service: &ServiceId,
    seen: &Seen<'_>,
    table: Option<&VersionTable>,
    target: &str,
) -> Plan {
    let plan = plan::of(&seen.environment.code, scene(state, service, table), target);
    Plan {
        environment: seen.name.to_owned(),
        image: Some(seen.live.look.image.clone()),
        known_by: code::known_by(state, &plan.unknown),
        ..plan
    }
}

/// Where a migration of the service would run.
fn scene(state: &State, service: &ServiceId, table: Option<&VersionTable>) -> PlanScene {
    let near = state
        .live
        .databases_of(service)
        .next()
        .map(|live| &live.reading.database);
    let database = table.map(|table| &table.database).or(near);
    let live = database.and_then(|database| state.live.databases.get(database));
    let record = table.and_then(|table| state.durable.tables.known.get(table));
    PlanScene {
        service: Some(service.clone()),
        table: table.cloned(),
        kind: live.map(|live| live.reading.kind),
        current: record.map(|record| match &record.standing {
            Standing::At(heads) => heads.clone(),
            Standing::Missing => Heads::default(),
        }),
        owners: database
            .map(|database| owners(state, database))
            .unwrap_or_default(),
    }
}

/// Whose scripts create which tables of a database; of what no scripts create, who was seen to.
fn owners(state: &State, database: &DatabaseId) -> BTreeMap<String, BTreeSet<ServiceId>> {
    let mut owners: BTreeMap<String, BTreeSet<ServiceId>> = BTreeMap::new();
    let live = state.live.databases.get(database);
    let near = live.map(|live| live.reading.services.as_slice());
    let compared = |table: &str| plan::compared(table, live.map(|live| live.reading.kind), Some(database));
    for service in near.unwrap_or_default() {
        for seen in code::newest(state, service).into_values() {
            for table in &seen.environment.graph.creates {
                let made = owners.entry(compared(table)).or_default();
                made.insert(service.clone());
            }
        }
    }
    let seen = state.durable.schemas.known.get(database);
    for (table, owner) in seen.into_iter().flat_map(|record| &record.owners) {
        owners
            .entry(compared(table))
            .or_insert_with(|| BTreeSet::from([owner.clone()]));
    }
    owners
}

/// That there is no such service, with those that there are.
pub(super) fn unknown(state: &State, service: &ServiceId) -> String {
    let known: Vec<String> = state
        .durable
        .containers
        .services
        .keys()
        .map(ToString::to_string)
        .collect();
    format!("there is no service {service}; known are {}", known.join(", "))
}
