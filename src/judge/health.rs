//! How each service does, from its containers, its probes and the database behind it: one word, one sentence.
//!
//! Tells "the service is down" from "the proxy in front is broken" from "somebody stopped it".

mod endpoints;

use std::collections::BTreeMap;
use std::time::Duration;

use super::State;
use super::containers::{Known, Start};
use super::live::LiveContainer;
use super::migration::Tracked;
use super::settings::Settings;
use crate::model::container::{ContainerState, Health, RestartPolicy};
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::status::{Condition, ConditionWord};
use crate::model::time::Timestamp;

pub(super) use endpoints::{is_failing, may_answer_yet};

/// An exited container whose restart policy brings it back is given this long.
const COMES_BACK: Duration = Duration::from_secs(30);

/// A container that has run this long since its last exit, and twice as long as its short lives before, is out of its restart loop.
const STABLE: Duration = Duration::from_secs(120);

/// A start that lived longer than this was not part of a loop.
const LONG_LIFE: Duration = Duration::from_mins(10);

/// The state with what the conditions of all services need, found once.
pub struct Sight<'a> {
    state: &'a State,
    replicas: BTreeMap<&'a ServiceId, Vec<&'a LiveContainer>>,
    /// The latest migration of each container.
    latest: BTreeMap<&'a ContainerId, &'a Tracked>,
}

impl<'a> Sight<'a> {
    /// Looks at the whole state once.
    pub fn new(state: &'a State) -> Self {
        let mut replicas: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for live in state.live.containers.values() {
            if live.look.role == Role::Replica {
                replicas.entry(&live.look.service).or_default().push(live);
            }
        }
        let mut latest: BTreeMap<&ContainerId, &Tracked> = BTreeMap::new();
        for tracked in state.durable.migrations.all.values() {
            let Some(runner) = tracked.runner() else { continue };
            let known = latest.entry(&runner.container).or_insert(tracked);
            if tracked.last_attempt_at() >= known.last_attempt_at() {
                *known = tracked;
            }
        }
        Self {
            state,
            replicas,
            latest,
        }
    }
}

/// The condition of a service.
pub fn condition(sight: &Sight<'_>, settings: &Settings, service: &ServiceId, now: Timestamp) -> Condition {
    let state = sight.state;
    if !state.live.engine.looked {
        return word(
            ConditionWord::Unknown,
            "the engine has not been looked at yet",
            None,
        );
    }
    if !state.live.engine.up {
        let since = state.live.engine.since;
        return word(ConditionWord::Unknown, "the engine does not answer", since);
    }
    let none = Vec::new();
    let replicas = sight.replicas.get(service).unwrap_or(&none);
    let of = |replica: &&LiveContainer| of_container(sight, settings, replica, now);
    let started = replicas.iter().filter(|replica| !waits_to_start(replica));
    let mut each: Vec<Condition> = started.map(of).collect();
    // One that waits for its first start says nothing of those that run.
    if !each.iter().any(is_running) {
        each = replicas.iter().map(of).collect();
    }
    each.sort_by_key(|condition| condition.word);
    let running = each.iter().filter(|each| is_running(each)).count();
    // A replica that somebody stopped says nothing about those that run.
    let is_quiet =
        |condition: &Condition| matches!(condition.word, ConditionWord::Stopped | ConditionWord::Completed);
    let Some(worst) = each.into_iter().find(|each| running == 0 || !is_quiet(each)) else {
        return without_replicas(state, settings, service);
    };
    match worst.word {
        ConditionWord::Down if running > 0 => {
            let detail = format!("{} of {} replicas run; {}", running, replicas.len(), worst.detail);
            word(ConditionWord::Unhealthy, &detail, worst.since)
        }
        ConditionWord::Up => endpoints::condition(state, settings, service).unwrap_or(worst),
        _ => worst,
    }
}

fn is_running(condition: &Condition) -> bool {
    !matches!(
        condition.word,
        ConditionWord::Down | ConditionWord::RestartLoop | ConditionWord::Stopped | ConditionWord::Completed
    )
}

/// Created, and not tried to be started yet: the engine leaves a container whose start failed `created` too, with an exit code.
fn waits_to_start(live: &LiveContainer) -> bool {
    live.look.state == ContainerState::Created && live.look.exit_code == 0
}

fn word(word: ConditionWord, detail: &str, since: Option<Timestamp>) -> Condition {
    Condition {
        word,
        detail: detail.to_owned(),
        since,
    }
}

fn without_replicas(state: &State, settings: &Settings, service: &ServiceId) -> Condition {
    let record = state.durable.containers.services.get(service);
    let since = record.and_then(|record| record.removed_at);
    if let Some(process) = state.live.processes.get(service) {
        let detail = format!("a local process: only its log is watched, {}", process.path);
        return word(ConditionWord::Unknown, &detail, None);
    }
    // What its last container's label said is remembered; the configuration can take that back.
    let configured = settings
        .services
        .get(service)
        .and_then(|settings| settings.required);
    let is_required = configured.or(record.and_then(|record| record.required));
    if is_required == Some(true) {
        return word(
            ConditionWord::Down,
            "it has no container, and it is required",
            since,
        );
    }
    word(ConditionWord::Stopped, "it has no container", since)
}

fn of_container(sight: &Sight<'_>, settings: &Settings, live: &LiveContainer, now: Timestamp) -> Condition {
    let look = &live.look;
    let state = sight.state;
    if let Some((count, since)) = restart_loop(state, settings, live, now) {
        let detail = format!(
            "{} exited {count} times within {}, last with code {}{}",
            look.name,
            humantime::format_duration(settings.restarts_within),
            look.exit_code,
            cause(sight, live)
        );
        return word(ConditionWord::RestartLoop, &detail, Some(since));
    }
    match look.state {
        ContainerState::Running => running(sight, live, now),
        ContainerState::Restarting => word(
            ConditionWord::Starting,
            "the engine restarts it",
            look.finished_at,
        ),
        ContainerState::Created if waits_to_start(live) => word(
            ConditionWord::Starting,
            "created, not started",
            Some(look.created_at),
        ),
        // No restart policy tries it again.
        ContainerState::Created => {
            let detail = format!("{} cannot be started: code {}", look.name, look.exit_code);
            word(ConditionWord::Down, &detail, Some(look.created_at))
        }
        ContainerState::Paused => word(ConditionWord::Unhealthy, "it is paused", Some(live.since)),
        ContainerState::Removing => word(ConditionWord::Stopped, "it is being removed", None),
        ContainerState::Exited | ContainerState::Dead => exited(sight, settings, live, now),
    }
}

fn running(sight: &Sight<'_>, live: &LiveContainer, now: Timestamp) -> Condition {
    let look = &live.look;
    let migration = sight.latest.get(&look.id);
    if let Some(tracked) = migration.filter(|tracked| tracked.is_open() && !tracked.is_claim()) {
        let since = Some(tracked.last_attempt_at());
        return word(
            ConditionWord::Migrating,
            "a migration runs before it serves",
            since,
        );
    }
    match look.health {
        Some(Health::Unhealthy) => {
            let detail = format!(
                "the health check of {} fails{}",
                look.name,
                database_behind(sight.state, &look.service)
            );
            word(ConditionWord::Unhealthy, &detail, Some(live.since))
        }
        Some(Health::Starting) => word(
            ConditionWord::Starting,
            "its health check has not passed yet",
            look.started_at,
        ),
        None if may_answer_yet(sight.state, live, now) => word(
            ConditionWord::Starting,
            "it has not answered since its start",
            look.started_at,
        ),
        Some(Health::Healthy) | None => word(ConditionWord::Up, "it runs", look.started_at),
    }
}

fn exited(sight: &Sight<'_>, settings: &Settings, live: &LiveContainer, now: Timestamp) -> Condition {
    let look = &live.look;
    let known = sight.state.durable.containers.known.get(&look.id);
    let finish = known
        .and_then(|known| known.current())
        .and_then(|start| start.finish.as_ref());
    let since = finish.map(|finish| finish.at).or(look.finished_at);
    let asked = finish.is_some_and(|finish| finish.asked);
    let detail = format!(
        "{} exited with code {}{}",
        look.name,
        look.exit_code,
        cause(sight, live)
    );
    if settings.is_required(&look.service, look.labels.required) {
        return word(
            ConditionWord::Down,
            &format!("{detail}, and it is required"),
            since,
        );
    }
    if asked {
        return word(
            ConditionWord::Stopped,
            &format!("{} was stopped", look.name),
            since,
        );
    }
    match (look.restart_policy, look.exit_code) {
        (RestartPolicy::No | RestartPolicy::OnFailure, 0) => word(
            ConditionWord::Completed,
            &format!("{} ran to its end", look.name),
            since,
        ),
        (RestartPolicy::Always | RestartPolicy::UnlessStopped | RestartPolicy::OnFailure, _)
            if since.is_some_and(|since| now < since.after(COMES_BACK)) =>
        {
            word(
                ConditionWord::Starting,
                "it exited; its restart policy brings it back",
                since,
            )
        }
        _ => word(ConditionWord::Down, &detail, since),
    }
}

/// How often it exited unasked within the time that makes a loop, and since when it is one. An exit after which the engine leaves the
/// container alone is no part of a loop: whoever runs a one-shot three times means it.
fn restart_loop(
    state: &State,
    settings: &Settings,
    live: &LiveContainer,
    now: Timestamp,
) -> Option<(usize, Timestamp)> {
    let known = state.durable.containers.known.get(&live.look.id)?;
    let begin = now.before(settings.restarts_within);
    let exits: Vec<Timestamp> = known
        .starts
        .iter()
        .filter_map(|start| start.finish.as_ref())
        .filter(|finish| live.look.restart_policy.restarts(finish.exit_code))
        .filter(|finish| !finish.asked && finish.at >= begin)
        .map(|finish| finish.at)
        .collect();
    let current = known.current()?;
    let is_stable = current.finish.is_none() && now >= stable_at(known, current);
    let was_stopped = current.finish.as_ref().is_some_and(|finish| finish.asked);
    let since = *exits.get(settings.restarts.checked_sub(1)?)?;
    (!is_stable && !was_stopped).then_some((exits.len(), since))
}

/// When a start that still runs is out of the loop: it must outlive by far what the ones before it reached.
fn stable_at(known: &Known, current: &Start) -> Timestamp {
    let lives = known
        .starts
        .iter()
        .filter_map(|start| Some(start.finish.as_ref()?.at.since(start.started_at)));
    let longest = lives.filter(|life| *life < LONG_LIFE).max().unwrap_or_default();
    current.started_at.after(STABLE.max(longest * 2))
}

/// `; first cause: ...` where a migration failed on this container.
fn cause(sight: &Sight<'_>, live: &LiveContainer) -> String {
    let tracked = sight.latest.get(&live.look.id);
    let cause = tracked
        .filter(|tracked| !tracked.migration.history)
        .and_then(|tracked| {
            let cause = tracked.migration.cause.as_ref()?;
            tracked
                .failed_at
                .map(|_| format!("; first cause: {}", cause.message))
        });
    let oom = if live.look.oom_killed {
        "; killed for memory"
    } else {
        ""
    };
    format!("{}{oom}", cause.unwrap_or_default())
}

/// `; its database ... does not answer` where that is so.
fn database_behind(state: &State, service: &ServiceId) -> String {
    let failing = state
        .live
        .databases_of(service)
        .find(|live| live.failing_since.is_some());
    failing
        .map(|live| format!("; its database {} does not answer", live.reading.database))
        .unwrap_or_default()
}

/// When a condition may change by time alone.
pub(super) fn deadlines(state: &State, settings: &Settings, moments: &mut Vec<Timestamp>) {
    let started = state.live.containers.values();
    let started = started.filter_map(|live| live.look.started_at);
    moments.extend(started.map(|at| at.after(endpoints::SLOW_START)));
    for known in state.durable.containers.known.values() {
        let Some(start) = known.current() else { continue };
        match &start.finish {
            Some(finish) => moments.push(finish.at.after(COMES_BACK)),
            None => moments.push(stable_at(known, start)),
        }
        let exits = known.starts.iter().filter_map(|start| start.finish.as_ref());
        moments.extend(exits.map(|finish| finish.at.after(settings.restarts_within)));
    }
}
