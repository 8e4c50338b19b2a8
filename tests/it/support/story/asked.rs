//! What a story may be asked at its end.

use migwatch::judge::view;
use migwatch::model::alert::{Alert, AlertName};
use migwatch::model::fact::Fact;
use migwatch::model::migration::{Migration, Outcome, Trigger, Verdict};
use migwatch::model::status::{ConditionWord, Counters, ServiceStatus};

use super::{Story, service_id};

impl Story {
    /// Every migration, oldest first.
    pub(crate) fn migrations(&self) -> Vec<&Migration> {
        let all = self.state.durable.migrations.all.values();
        let mut all: Vec<_> = all.map(|tracked| &tracked.migration).collect();
        all.sort_by_key(|migration| migration.started_at);
        all
    }

    /// The only migration.
    pub(crate) fn migration(&self) -> &Migration {
        let all = self.migrations();
        assert_eq!(all.len(), 1, "one migration: {all:#?}");
        all[0]
    }

    /// Outcome and verdict of each migration, oldest first.
    pub(crate) fn judged(&self) -> Vec<(Outcome, Verdict)> {
        let all = self.migrations();
        all.iter()
            .map(|migration| (migration.outcome, migration.judgement.verdict))
            .collect()
    }

    /// Which alerts fire, by name.
    pub(crate) fn firing(&self) -> Vec<AlertName> {
        let mut names: Vec<_> = self.alerts().iter().map(|alert| alert.name).collect();
        names.sort();
        names
    }

    pub(crate) fn alerts(&self) -> Vec<&Alert> {
        self.state
            .durable
            .alerts
            .firing
            .values()
            .map(AsRef::as_ref)
            .collect()
    }

    pub(crate) fn alert(&self, name: AlertName) -> &Alert {
        let found = self.alerts().into_iter().find(|alert| alert.name == name);
        found.unwrap_or_else(|| panic!("{name:?} fires; there are {:?}", self.firing()))
    }

    /// Every message that a receiver with us from the beginning was owed: `UnexpectedMigration firing`.
    pub(crate) fn sent(&self) -> Vec<String> {
        let mut names = std::collections::BTreeMap::new();
        let mut sent = Vec::new();
        for fact in &self.facts {
            match fact {
                Fact::AlertFired { alert } => {
                    names.insert(alert.fingerprint(), alert.name);
                    sent.push(format!("{} firing", alert.name.as_str()));
                }
                Fact::AlertResolved { fingerprint, .. } if names.contains_key(fingerprint) => {
                    if let Some(name) = names.remove(fingerprint) {
                        sent.push(format!("{} resolved", name.as_str()));
                    }
                }
                _ => {}
            }
        }
        sent
    }

    pub(crate) fn service(&self, name: &str) -> ServiceStatus {
        let status = view::status(&self.state, &self.settings, self.now);
        let mut services = status.services.into_iter();
        services
            .find(|service| service.service == service_id(name))
            .unwrap_or_else(|| panic!("{name} is known"))
    }

    pub(crate) fn condition(&self, name: &str) -> ConditionWord {
        self.service(name).condition.word
    }

    pub(crate) fn counters(&self, name: &str) -> Counters {
        self.service(name).counters
    }

    /// How often an outcome was counted.
    pub(crate) fn counted(&self, name: &str, outcome: Outcome) -> u64 {
        let counted = self.counters(name).migrations;
        counted.get(&outcome).copied().unwrap_or(0)
    }

    /// How often a start got this verdict.
    pub(crate) fn counted_as(&self, name: &str, verdict: Verdict) -> u64 {
        let counted = self.counters(name).verdicts;
        counted.get(&(Trigger::Startup, verdict)).copied().unwrap_or(0)
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.sent().is_empty()
    }
}
