//! The probe edge against real servers on loopback, well-behaved and odd.

mod answers;
mod certificates;
mod redirects;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use migwatch::model::probe::{FailureReason, ProbeId, ProbeResult, Via};
use migwatch::model::service::ServiceId;
use migwatch::probe::{Ask, HttpAsk, Target, probe_once};
use rustls::{ClientConfig, RootCertStore};

use crate::support::clock::WallClock;
use crate::support::http_service::HttpService;
use crate::support::receiver::PATIENCE;

fn target(name: &str, ask: Ask) -> Target {
    Target {
        id: ProbeId {
            service: ServiceId::new("coe", "backend"),
            name: name.to_owned(),
            via: Via::Direct,
        },
        ask,
        interval: Duration::from_millis(20),
        timeout: PATIENCE,
    }
}

fn tls(roots: RootCertStore) -> Arc<ClientConfig> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Arc::new(
        ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

async fn probe(ask: HttpAsk) -> ProbeResult {
    probe_once(
        &target("health", Ask::Http(ask)),
        &tls(RootCertStore::empty()),
        &WallClock,
    )
    .await
}

/// Reason and sentence of a failure, with `service`'s address as `HOST`.
fn failure(service: &HttpService, result: &ProbeResult) -> (FailureReason, String) {
    let failure = result.failure.as_ref().expect("it should have failed");
    (
        failure.reason,
        failure.detail.replace(&service.address.to_string(), "HOST"),
    )
}
