//! What probes say of a service that runs, and which of them are believed.

use std::time::Duration;

use super::super::State;
use super::super::live::{LiveContainer, LiveProbe};
use super::super::settings::Settings;
use super::{database_behind, word};
use crate::model::container::ContainerState;
use crate::model::probe::{ProbeId, Via};
use crate::model::service::ServiceId;
use crate::model::status::{Condition, ConditionWord};
use crate::model::time::Timestamp;

/// A container without a health check is given this long from its start to answer a probe for the first time: models are loaded,
/// caches filled, before anything listens. Longer than the usual start period of a health check, shorter than people wait.
pub(super) const SLOW_START: Duration = Duration::from_mins(2);

/// Whether a container that runs may still be on its way: its service is probed, and no probe has succeeded since its start.
pub(in super::super) fn may_answer_yet(state: &State, live: &LiveContainer, now: Timestamp) -> bool {
    let look = &live.look;
    let is_young = look
        .started_at
        .is_some_and(|started| now < started.after(SLOW_START));
    let runs = look.state == ContainerState::Running && look.health.is_none();
    let mut probes = state.live.probes_of(&look.service).peekable();
    runs && is_young && probes.peek().is_some() && !probes.any(|(_, probe)| probe.answered)
}

/// What the probes of a running service say, if they say something bad.
pub(super) fn condition(state: &State, settings: &Settings, service: &ServiceId) -> Option<Condition> {
    let failing = |via: Via| {
        let mut probes = state.live.probes_of(service).filter(|(id, _)| id.via == via);
        probes.find(|(id, live)| is_failing(settings, id, live))
    };
    if let Some((id, live)) = failing(Via::Direct) {
        let detail = format!("{}{}", said(id, live), database_behind(state, service));
        return Some(word(ConditionWord::EndpointDown, &detail, live.failing_since));
    }
    let (id, live) = failing(Via::Edge)?;
    let mut probes = state.live.probes_of(service);
    let direct = probes.find(|(id, _)| id.via == Via::Direct);
    if let Some((_, direct)) = direct.filter(|(_, direct)| direct.result.failure.is_none()) {
        // What it answered before the trouble began accuses nobody: the next answer tells.
        live.failing_since.filter(|since| direct.result.at >= *since)?;
        let detail = format!("it answers itself, but {}", said(id, live));
        return Some(word(ConditionWord::ProxyDown, &detail, live.failing_since));
    }
    let detail = format!("{}{}", said(id, live), database_behind(state, service));
    Some(word(ConditionWord::EndpointDown, &detail, live.failing_since))
}

/// Failed often enough, and known to be right when it succeeds.
pub(in super::super) fn is_failing(settings: &Settings, id: &ProbeId, live: &LiveProbe) -> bool {
    let is_proven = live.proven || settings.configured_probes.contains(id);
    live.failures >= settings.failures && is_proven
}

fn said(id: &ProbeId, live: &LiveProbe) -> String {
    let detail = live
        .result
        .failure
        .as_ref()
        .map_or("it fails", |failure| failure.detail.as_str());
    format!("probe {} ({}): {detail}", id.name, id.via.as_str())
}
