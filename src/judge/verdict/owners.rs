//! Whose word counts: a migration belongs to the version tables that it moves, and the strictest policy of all services that
//! migrate them applies, remembered after they have stopped.

use super::super::State;
use super::super::expectation::same_app;
use super::super::migration::Tracked;
use super::super::settings::{Ruling, Settings};
use super::Case;
use crate::model::revision::VersionTable;
use crate::model::service::ServiceId;

/// A case with whoever has a say in it.
pub(in super::super) struct Asked<'a> {
    /// The case.
    pub(in super::super) case: &'a Case<'a>,
    /// What is known of the migration by now, if it was judged before.
    pub(in super::super) tracked: Option<&'a Tracked>,
    pub(super) state: &'a State,
    pub(super) settings: &'a Settings,
    /// The policy of the service itself.
    pub(super) own: Ruling<'a>,
    owner: Option<Owner<'a>>,
}

/// Another service that migrates the same table, under a stricter policy.
pub(in super::super) struct Owner<'a> {
    /// Which.
    pub(in super::super) service: &'a ServiceId,
    /// Its policy.
    pub(super) ruling: Ruling<'a>,
    /// The table.
    pub(super) table: &'a VersionTable,
    /// It is of the same project or app.
    pub(super) is_kin: bool,
}

impl<'a> Asked<'a> {
    pub(in super::super) fn new(
        state: &'a State,
        settings: &'a Settings,
        case: &'a Case<'a>,
        tracked: Option<&'a Tracked>,
    ) -> Self {
        let record = state.durable.containers.services.get(case.service);
        let remembered = record.and_then(|record| record.policy);
        // Out of band there is no container whose label could be asked.
        let label = case.label.or(remembered.filter(|_| case.container.is_none()));
        let window = record.and_then(|record| record.window.as_deref());
        let window = window.filter(|_| case.label.is_none());
        let own = settings.ruling(case.service, label, window);
        let owner = strictest(state, settings, case, own);
        Self {
            case,
            tracked,
            state,
            settings,
            own,
            owner,
        }
    }

    /// The strictest other owner of the tables, if it is stricter than the service itself.
    pub(in super::super) fn owner(&self) -> Option<&Owner<'a>> {
        self.owner.as_ref()
    }

    /// That owner, if it is of the same project or app: its expectations count as the service's own.
    pub(in super::super) fn kin(&self) -> Option<&'a ServiceId> {
        self.owner()
            .filter(|owner| owner.is_kin)
            .map(|owner| owner.service)
    }

    /// The windows that are the policy here.
    pub(in super::super) fn windows(&self) -> impl Iterator<Item = &'a str> {
        let of_owner = self.owner().filter(|owner| owner.is_kin);
        let of_owner = of_owner.and_then(|owner| owner.ruling.window);
        self.own.window.into_iter().chain(of_owner)
    }

    /// The policy that applies.
    pub(super) fn ruling(&self) -> Ruling<'a> {
        self.owner().map_or(self.own, |owner| owner.ruling)
    }
}

fn strictest<'a>(
    state: &'a State,
    settings: &'a Settings,
    case: &'a Case<'a>,
    own: Ruling<'_>,
) -> Option<Owner<'a>> {
    let tables = &state.durable.tables;
    let bound = tables.bound(case.service).map(|(table, _)| table);
    let moved: Vec<&VersionTable> = case.moved.iter().chain(bound).collect();
    let shared = tables.bindings.iter().filter_map(|(service, bound)| {
        let table = bound.tables.keys().find(|table| moved.contains(table))?;
        (service != case.service).then_some((service, table))
    });
    let owners = shared.map(|(service, table)| {
        let record = state.durable.containers.services.get(service);
        let (label, window) = record.map_or((None, None), |record| (record.policy, record.window.as_deref()));
        Owner {
            service,
            ruling: settings.ruling(service, label, window),
            table,
            is_kin: service.project == case.service.project
                || same_app(state, settings, service, case.service),
        }
    });
    owners
        .filter(|owner| owner.ruling.policy < own.policy)
        .min_by_key(|owner| (owner.ruling.policy, owner.service))
}
