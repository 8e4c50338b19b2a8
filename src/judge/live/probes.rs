//! Probes as they last went. Refuses to know whom they accuse.

use super::Live;
use crate::model::probe::{ProbeId, ProbeResult, Via};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// One probe as last seen.
#[derive(Clone, Debug)]
pub struct LiveProbe {
    /// What it found last.
    pub result: ProbeResult,
    /// It succeeded at least once since this process began, if only on a container before this one.
    pub proven: bool,
    /// It succeeded since the last start of a container of its service.
    pub answered: bool,
    /// Failures in a row.
    pub failures: u32,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
}

impl Live {
    pub(super) fn probed(&mut self, probe: &ProbeId, result: &ProbeResult) {
        let before = self.probes.get(probe);
        if before.is_some_and(|before| before.result == *result) {
            return;
        }
        let (failures, failing_since) = match (&result.failure, before) {
            (None, _) => (0, None),
            (Some(_), Some(before)) => (
                before.failures.saturating_add(1),
                before.failing_since.or(Some(result.at)),
            ),
            (Some(_), None) => (1, Some(result.at)),
        };
        if let Some(failure) = &result.failure {
            let counts = self.counts.entry(probe.service.clone()).or_default();
            let key = (probe.name.clone(), probe.via, failure.reason);
            let count = counts.probe_failures.entry(key).or_default();
            *count = count.saturating_add(1);
        }
        let answered = result.failure.is_none() || before.is_some_and(|before| before.answered);
        let proven = self.proven.contains(probe) || result.failure.is_none();
        if proven {
            self.proven.insert(probe.clone());
        }
        let live = LiveProbe {
            result: result.clone(),
            proven,
            answered,
            failures,
            failing_since,
        };
        self.probes.insert(probe.clone(), live);
    }

    /// A container that stops, or is made anew, takes its probe with it for a while. That the probe was right once stays known: else the
    /// endpoint of a bad deploy, which never answers, would accuse nobody.
    pub(super) fn probe_gone(&mut self, probe: &ProbeId) {
        self.probes.remove(probe);
    }

    /// What a probe missed while nothing ran is no failure of what runs now, and what answered it before is gone.
    pub(super) fn forgive(&mut self, service: &ServiceId) {
        for (_, live) in self
            .probes
            .iter_mut()
            .filter(|(probe, _)| probe.service == *service)
        {
            live.failures = 0;
            live.failing_since = None;
            live.answered = false;
        }
    }

    /// The probes of a service.
    pub fn probes_of<'a>(
        &'a self,
        service: &'a ServiceId,
    ) -> impl Iterator<Item = (&'a ProbeId, &'a LiveProbe)> {
        // IDs are ordered by their service first.
        let first = ProbeId {
            service: service.clone(),
            name: String::new(),
            via: Via::Edge,
        };
        self.probes
            .range(first..)
            .take_while(move |(probe, _)| probe.service == *service)
    }
}
