//! What probes say of a service that runs, and which of them are believed.

use super::super::State;
use super::super::live::LiveProbe;
use super::super::settings::Settings;
use super::{database_behind, word};
use crate::model::probe::{ProbeId, Via};
use crate::model::service::ServiceId;
use crate::model::status::{Condition, ConditionWord};

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
