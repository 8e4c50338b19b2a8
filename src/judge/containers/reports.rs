//! What the engine's reports say about containers: who is new, began, ended, went. In any order and twice, the same facts once.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::State;
use super::super::settings::Settings;
use super::starts;
use crate::model::container::ContainerLook;
use crate::model::fact::{ContainerDiscovered, Fact};
use crate::model::observation::Observation;
use crate::model::service::{ContainerId, Role};
use crate::model::time::Timestamp;

/// A position is written alone only when it has moved by this much; with other facts at once.
const POSITION_STEP: Duration = Duration::from_secs(30);

/// What the engine's reports say about containers.
pub(in super::super) fn decide(
    state: &State,
    _: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    match observation {
        Observation::FullLook(looks) => facts.extend(full_look(state, looks, now)),
        Observation::Looked(look) => facts.extend(looked(state, look, now)),
        Observation::Started { container, at } => {
            if let Some(known) = state.durable.containers.known.get(container) {
                facts.extend(known.on_started(container, *at));
            }
        }
        Observation::Died {
            container,
            at,
            exit_code,
        } => {
            if let Some(known) = state.durable.containers.known.get(container) {
                let killed = state
                    .live
                    .containers
                    .get(container)
                    .and_then(|live| live.killed_at);
                facts.extend(known.on_died(container, *at, *exit_code, killed));
            }
        }
        Observation::Removed { container, at } => {
            if let Some(known) = state.durable.containers.known.get(container)
                && known.removed_at.is_none()
            {
                facts.extend(known.missed_end(container, *at));
                facts.push(Fact::ContainerRemoved {
                    container: container.clone(),
                    at: *at,
                });
            }
        }
        Observation::Line { container, line } => {
            if let Some(known) = state.durable.containers.known.get(container)
                && !known.has_taken_in(&line.key)
            {
                facts.extend(known.on_line(container, line.key.at));
            }
        }
        Observation::LogProgress {
            container,
            position: Some(position),
            ..
        } => {
            facts.extend(read_on(state, container, *position));
        }
        Observation::LogGap { container, from, to } if is_new_gap(state, container, (*from, *to)) => {
            facts.push(Fact::LogLost {
                container: container.clone(),
                from: *from,
                to: *to,
            });
        }
        _ => {}
    }
    facts
}

fn full_look(state: &State, looks: &[ContainerLook], now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    if state.durable.watch_since.is_none() {
        facts.push(Fact::WatchStarted { at: now });
    }
    for look in looks {
        facts.extend(looked(state, look, now));
    }
    let there: BTreeSet<&ContainerId> = looks.iter().map(|look| &look.id).collect();
    for (container, known) in &state.durable.containers.known {
        let is_told = known.role != Role::Process && !state.live.unshown.contains(container);
        if known.removed_at.is_none() && is_told && !there.contains(container) {
            facts.extend(known.missed_end(container, now));
            facts.push(Fact::ContainerRemoved {
                container: container.clone(),
                at: now,
            });
        }
    }
    facts
}

/// A look that was on its way when its container went: no news. A container that is there after all is found by the next full look.
pub(in super::super) fn is_stale(state: &State, look: &ContainerLook) -> bool {
    let known = state.durable.containers.known.get(&look.id);
    let removed_at = known.and_then(|known| known.removed_at);
    removed_at.is_some_and(|removed_at| look.started_at.is_none_or(|started| started <= removed_at))
}

/// The same gap told twice is one.
pub(in super::super) fn is_new_gap(
    state: &State,
    container: &ContainerId,
    gap: (Timestamp, Timestamp),
) -> bool {
    let containers = &state.durable.containers;
    let known = containers.known.get(container);
    known.is_some_and(|known| {
        let record = containers.services.get(&known.service);
        record.is_none_or(|record| record.last_gap != Some(gap))
    })
}

fn looked(state: &State, look: &ContainerLook, now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(known) = state.durable.containers.known.get(&look.id) {
        let killed = state
            .live
            .containers
            .get(&look.id)
            .and_then(|live| live.killed_at);
        if known.removed_at.is_some() {
            facts.push(discovered(look, known.history_until));
        }
        facts.extend(known.on_looked(look, killed));
        return facts;
    }
    let is_history = state
        .durable
        .watch_since
        .is_none_or(|since| look.created_at < since);
    facts.push(discovered(look, is_history.then_some(now)));
    facts.extend(starts::first_sight(look));
    facts
}

fn discovered(look: &ContainerLook, history_until: Option<Timestamp>) -> Fact {
    Fact::ContainerDiscovered(ContainerDiscovered {
        container: look.id.clone(),
        service: look.service.clone(),
        role: look.role,
        name: look.name.clone(),
        number: look.number,
        created_at: look.created_at,
        armed: look.armed.clone(),
        history_until,
        policy: look.labels.migrations,
        window: look.labels.window.clone(),
        app: look.labels.app.clone(),
        required: look.labels.required,
        restart_policy: Some(look.restart_policy),
    })
}

/// A position commits with the facts of its lines, and alone only now and then.
fn read_on(state: &State, container: &ContainerId, position: Timestamp) -> Option<Fact> {
    let known = state.durable.containers.known.get(container)?;
    let due = match known.log_position {
        None => true,
        Some(before) => {
            position > before && (position >= before.after(POSITION_STEP) || !known.lines.is_empty())
        }
    };
    due.then(|| Fact::LogRead {
        container: container.clone(),
        position,
    })
}
