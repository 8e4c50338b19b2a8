//! Approvals and windows as they may be shown, and which of them cover a service.

use super::super::State;
use super::super::expectation;
use super::super::settings::Settings;
use crate::model::approval::ApprovalRecord;
use crate::model::service::ServiceId;
use crate::model::status::{ExpectationsOpen, OpenWindow};
use crate::model::time::Timestamp;

/// Approvals, newest first.
pub(super) fn approvals(state: &State) -> Vec<ApprovalRecord> {
    let all = state.durable.expectations.approvals.values();
    let mut all: Vec<ApprovalRecord> = all.cloned().collect();
    all.sort_by_key(|record| std::cmp::Reverse(record.approval.from));
    all
}

/// Windows that are open now, with the known services that they cover.
pub(super) fn windows(state: &State, settings: &Settings, now: Timestamp) -> Vec<OpenWindow> {
    let open = settings.windows.named.iter().filter_map(|(name, window)| {
        let opening = window.open_at(now)?;
        let services = state.durable.containers.services.iter();
        let covered = services.filter(|(service, record)| {
            super::is_shown(record, now)
                && expectation::window_covers(state, settings, (name, window), service)
        });
        Some(OpenWindow {
            name: name.clone(),
            from: opening.from,
            until: opening.until,
            services: covered.map(|(service, _)| service.clone()).collect(),
            to: window.to.clone(),
        })
    });
    open.collect()
}

/// How many of each kind cover this service now.
pub(super) fn open_for(
    state: &State,
    settings: &Settings,
    service: &ServiceId,
    now: Timestamp,
) -> ExpectationsOpen {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (approvals, windows) = expectation::open_for(state, settings, service, now);
    ExpectationsOpen {
        approvals: count(approvals),
        windows: count(windows),
    }
}

/// Windows that the configuration or a label names in vain, one sentence each.
pub(super) fn warnings(state: &State, settings: &Settings) -> Vec<String> {
    let windows = &settings.windows;
    let live = state.live.containers.values();
    let unknown = live.filter_map(|live| {
        let name = live.look.labels.window.as_ref()?;
        (!windows.named.contains_key(name)).then(|| {
            format!(
                "{}: label migwatch.migrations: {name:?} is none of explicit, deny, allow, and there is no [window.{name}] in the \
                 configuration, so it has no effect",
                live.look.service
            )
        })
    });
    let labels = state.durable.containers.services.values();
    let by_label: Vec<&String> = labels.filter_map(|record| record.window.as_ref()).collect();
    let idle = windows.named.iter().filter(|(name, window)| {
        let policies = windows.projects.values().chain(windows.services.values());
        let mut policies = policies.chain(windows.everywhere.as_ref());
        window.covers.is_empty() && !policies.any(|policy| policy == *name) && !by_label.contains(name)
    });
    let idle = idle.map(|(name, _)| {
        format!(
            "window {name} covers no service: give it services = [\"PROJECT/SERVICE\"] or [\"*\"], or name it as a policy"
        )
    });
    let mut warnings: Vec<String> = unknown.chain(idle).collect();
    warnings.sort();
    warnings.dedup();
    warnings
}
