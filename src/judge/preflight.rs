//! The checklist before a deploy, as far as what is known can answer it. Those checks that follow from a plan alone are in [`planned`], for
//! whoever has a plan; the others need the state. Views: nothing is concluded.

pub mod planned;

use std::collections::BTreeSet;

use super::State;
use super::health::{self, Sight};
use super::plan;
use super::settings::Settings;
use crate::alembic::graph::Graph;
use crate::model::container::ArmedState;
use crate::model::migration::{Migration, Outcome};
use crate::model::preflight::{Check, CheckName, CheckResult};
use crate::model::revision::{Heads, Revision};
use crate::model::service::{Role, ServiceId};
use crate::model::status::ConditionWord;
use crate::model::time::Timestamp;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose migration is planned.
    pub service: ServiceId,
    /// The revisions that it would run.
    pub revisions: Vec<Revision>,
    /// The project in which they shall have run before.
    pub rehearsed_in: Option<String>,
}

/// The checks that need the state: whether it was rehearsed, nobody else migrates, all are healthy, nobody is armed. `history` are the
/// migrations of the rehearsal's project, old ones too.
///
/// # Errors
/// One sentence, if there is no such service.
pub fn checks(
    state: &State,
    settings: &Settings,
    question: &Question,
    (history, now): (&[Migration], Timestamp),
) -> Result<Vec<Check>, String> {
    let service = &question.service;
    if !state.durable.containers.services.contains_key(service) {
        return Err(plan::unknown(state, service));
    }
    Ok(vec![
        rehearsed(state, question, history),
        alone(state, service),
        healthy(state, settings, service, now),
        armed(state, service),
    ])
}

fn rehearsed(state: &State, question: &Question, history: &[Migration]) -> Check {
    let name = CheckName::Rehearsed;
    let Some(project) = &question.rehearsed_in else {
        return Check::unasked(
            name,
            "name the project where it ran before: --rehearsed-in PROJECT",
        );
    };
    if question.revisions.is_empty() {
        return Check::new(
            name,
            CheckResult::Pass,
            "nothing is pending, so there is nothing to rehearse",
        );
    }
    let ran = |migration: &&Migration| {
        migration.service.project == *project
            && migration.superseded_by.is_none()
            && migration.outcome == Outcome::Applied
    };
    let ran: Vec<&Migration> = history.iter().filter(ran).collect();
    let missing: Vec<String> = question
        .revisions
        .iter()
        .filter(|revision| {
            !ran.iter()
                .any(|migration| has_applied(state, migration, revision))
        })
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        let count = question.revisions.len();
        return Check::new(
            name,
            CheckResult::Pass,
            format!("{count} of {count} pending revisions were applied in {project}"),
        );
    }
    let reason = format!(
        "{} of {} pending revisions were never seen to be applied in {project}",
        missing.len(),
        question.revisions.len()
    );
    Check::new(name, CheckResult::Fail, reason).with(missing)
}

/// By a step that it logged, or because it moved a table over it.
fn has_applied(state: &State, migration: &Migration, revision: &Revision) -> bool {
    let mut steps = migration.steps.iter();
    if steps.any(|timed| timed.step.to.contains(revision)) {
        return true;
    }
    migration.movements.iter().any(|movement| {
        !movement.from.hold(revision)
            && (movement.to.hold(revision) || lies_between(state, &movement.from, &movement.to, revision))
    })
}

/// As any code that is known puts them in order.
fn lies_between(state: &State, from: &Heads, to: &Heads, revision: &Revision) -> bool {
    let mut environments = state.live.code.all().flat_map(|(_, known)| known.values());
    let Some(known) = environments.find(|environment| {
        let revisions = &environment.graph.revisions;
        revisions.contains(revision) && to.0.iter().all(|row| revisions.contains(row))
    }) else {
        return false;
    };
    let graph = Graph::new(&known.code.scripts);
    let is_below = |heads: &Heads| heads.0.iter().any(|row| graph.is_ancestor(revision, row));
    is_below(to) && !is_below(from)
}

/// The services whose version tables or databases are the service's own too.
fn neighbours(state: &State, service: &ServiceId) -> BTreeSet<ServiceId> {
    let mut all: BTreeSet<ServiceId> = state
        .live
        .databases_of(service)
        .flat_map(|live| live.reading.services.iter().cloned())
        .collect();
    all.insert(service.clone());
    all
}

fn alone(state: &State, service: &ServiceId) -> Check {
    let name = CheckName::Alone;
    let neighbours = neighbours(state, service);
    let mut against: Vec<String> = neighbours
        .iter()
        .filter_map(|other| state.durable.migrations.running(other))
        .map(|tracked| format!("{} of {} runs", tracked.migration.id, tracked.migration.service))
        .collect();
    for live in state.live.databases_of(service) {
        if let Some(locks) = state.live.locks.get(&live.reading.database)
            && !locks.is_empty()
        {
            against.push(format!("in {} somebody waits for a lock", live.reading.database));
        }
    }
    let unread: Vec<String> = state
        .live
        .databases_of(service)
        .filter_map(|live| {
            Some(format!(
                "{}: {}",
                live.reading.database,
                live.reading.tables.as_ref().err()?.detail
            ))
        })
        .collect();
    if !against.is_empty() {
        return Check::new(name, CheckResult::Fail, "somebody else is at work").with(against);
    }
    if !unread.is_empty() {
        return Check::new(name, CheckResult::CannotTell, "the database cannot be read").with(unread);
    }
    if state.live.databases_of(service).next().is_none() {
        return Check::new(
            name,
            CheckResult::CannotTell,
            "no database of the service is known",
        );
    }
    Check::new(name, CheckResult::Pass, "no migration runs in its database")
}

fn healthy(state: &State, settings: &Settings, service: &ServiceId, now: Timestamp) -> Check {
    let name = CheckName::Healthy;
    let sight = Sight::new(state);
    let mut against = Vec::new();
    let mut count = 0_usize;
    for other in neighbours(state, service) {
        let condition = health::condition(&sight, settings, &other, now);
        count += 1;
        if !matches!(condition.word, ConditionWord::Up) && !is_at_rest(&other, service, condition.word) {
            against.push(format!(
                "{other} is {}: {}",
                condition.word.as_str(),
                condition.detail
            ));
        }
    }
    if against.is_empty() {
        let reason = match count {
            1 => "it is up".to_owned(),
            _ => format!("of the {count} services on its database none has trouble"),
        };
        return Check::new(name, CheckResult::Pass, reason);
    }
    Check::new(name, CheckResult::Fail, "not every service on its database is up").with(against)
}

/// What was stopped on purpose beside it is no obstacle.
fn is_at_rest(other: &ServiceId, service: &ServiceId, word: ConditionWord) -> bool {
    other != service && matches!(word, ConditionWord::Stopped | ConditionWord::Completed)
}

fn armed(state: &State, service: &ServiceId) -> Check {
    let name = CheckName::Armed;
    let armed: BTreeSet<String> = state
        .live
        .containers
        .values()
        .filter(|live| {
            live.look.service.project == service.project
                && live.look.role == Role::Replica
                && live.look.armed.state == ArmedState::Armed
                && live.look.state.may_start()
        })
        .map(|live| live.look.name.clone())
        .collect();
    if armed.is_empty() {
        let reason = format!(
            "no container of {} would migrate at its next start",
            service.project
        );
        return Check::new(name, CheckResult::Pass, reason);
    }
    let reason = "a restart of these would migrate, planned or not";
    Check::new(name, CheckResult::Fail, reason).with(armed.into_iter().collect())
}
