//! What a probe has done so far, so that one that is cut off still tells how far it came.
//!
//! Promises each phase once, in the order in which they first happened; redirects add to the phases they repeat. Refuses to
//! know what success is.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::probe::{FailureReason, Phase, ProbeFailure, ProbeResult};
use crate::model::time::Timestamp;

/// The course of one probe.
#[derive(Default)]
pub(super) struct Trace {
    phases: Vec<(Phase, Duration)>,
    under_way: Option<(Phase, Instant)>,
    /// The status of the last answer.
    pub(super) http_status: Option<u16>,
    /// When the certificate of the last TLS server ends.
    pub(super) certificate_until: Option<Timestamp>,
}

impl Trace {
    /// The phase before ends, if one is under way, and `phase` begins.
    pub(super) fn begin(&mut self, phase: Phase) {
        self.end();
        self.under_way = Some((phase, Instant::now()));
    }

    /// The phase under way ends.
    pub(super) fn end(&mut self) {
        let Some((phase, since)) = self.under_way.take() else {
            return;
        };
        let took = since.elapsed();
        match self.phases.iter_mut().find(|(known, _)| *known == phase) {
            Some((_, sum)) => *sum += took,
            None => self.phases.push((phase, took)),
        }
    }

    /// The failure of a probe that was cut off now: names the phase that did not end.
    pub(super) fn timed_out(&self, asked: &str, timeout: Duration) -> ProbeFailure {
        let waited_for = match self.under_way {
            Some((Phase::Resolve, _)) => "its name was not resolved",
            Some((Phase::Connect, _)) | None => "it did not accept a connection",
            Some((Phase::Tls, _)) => "the TLS handshake did not end",
            Some((Phase::Response, _)) => "it did not answer",
            Some((Phase::Body, _)) => "its answer did not end",
        };
        fail(
            FailureReason::Timeout,
            format!("{asked}: {waited_for} within {timeout:?}"),
        )
    }

    /// What is reported.
    pub(super) fn into_result(mut self, at: Timestamp, failure: Option<ProbeFailure>) -> ProbeResult {
        self.end();
        ProbeResult {
            at,
            phases: self.phases,
            http_status: self.http_status,
            certificate_until: self.certificate_until,
            failure,
        }
    }
}

/// A failure; `detail` is one sentence without secrets.
pub(super) fn fail(reason: FailureReason, detail: impl Into<String>) -> ProbeFailure {
    ProbeFailure {
        reason,
        detail: detail.into(),
    }
}
