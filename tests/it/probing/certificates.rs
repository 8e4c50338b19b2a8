//! TLS: when the server's certificate ends, and what is wrong with it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use migwatch::model::probe::{FailureReason, Phase};
use migwatch::probe::{Ask, HttpAsk, probe_once};
use rustls::RootCertStore;

use super::{target, tls};
use crate::support::clock::WallClock;
use crate::support::http_service::{HttpService, Reply};

/// A self-signed certificate for 127.0.0.1 that ends at `year`, with its key.
fn certificate(year: i32) -> (rcgen::Certificate, rcgen::KeyPair) {
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year, 7, 9);
    let key = rcgen::KeyPair::generate().unwrap();
    (parameters.self_signed(&key).unwrap(), key)
}

async fn tls_service(year: i32) -> (HttpService, RootCertStore) {
    let (certificate, key) = certificate(year);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (
        HttpService::with_tls(config, Reply::with(200, "", "healthy")).await,
        roots,
    )
}

#[tokio::test]
async fn the_end_of_a_servers_certificate_is_read_from_a_full_handshake_each_time() {
    let (service, roots) = tls_service(2099).await;
    let target = target("health", Ask::Http(HttpAsk::get(service.url("/health"))));
    let tls = tls(roots);
    // More than once: a resumed session is not verified again, so that its certificate could end unseen.
    for _ in 0..2 {
        let result = probe_once(&target, &tls, &WallClock).await;
        assert_eq!(result.failure, None);
        assert_eq!(
            result.certificate_until.unwrap().to_string(),
            "2099-07-09T00:00:00.000000000Z"
        );
        let phases: Vec<Phase> = result.phases.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases, [Phase::Connect, Phase::Tls, Phase::Response, Phase::Body]);
    }
    assert_eq!(service.resumed(), [false, false]);
}

#[tokio::test]
async fn an_expired_or_untrusted_certificate_and_no_tls_at_all_are_tls_failures() {
    let (expired, roots) = tls_service(2001).await;
    let (untrusted, _) = tls_service(2099).await;
    let plain = HttpService::always(Reply::Greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
    let mut no_tls = plain.url("/health");
    no_tls.set_scheme("https").unwrap();
    let tls = tls(roots);
    for (url, word) in [
        (expired.url("/health"), "expired"),
        (untrusted.url("/health"), "certificate"),
        (no_tls, "the TLS handshake with 127.0.0.1 failed"),
    ] {
        let result = probe_once(&target("health", Ask::Http(HttpAsk::get(url))), &tls, &WallClock).await;
        let failure = result.failure.unwrap();
        assert_eq!(failure.reason, FailureReason::Tls, "{}", failure.detail);
        assert!(failure.detail.contains(word), "{}", failure.detail);
    }
}
