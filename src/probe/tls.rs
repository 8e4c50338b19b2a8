//! A TLS session over a connection, and when the server's certificate ends.
//!
//! Promises a full handshake each time, so that an expired certificate is noticed at once. Refuses to decide whom to trust:
//! that came with the configuration handed in.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::trace::{Trace, fail};
use crate::model::probe::{FailureReason, Phase, ProbeFailure};
use crate::model::time::Timestamp;

/// Shakes hands with `host` over `stream`.
pub(super) async fn handshake(
    host: &str,
    stream: TcpStream,
    tls: &Arc<rustls::ClientConfig>,
    trace: &mut Trace,
) -> Result<TlsStream<TcpStream>, ProbeFailure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare).map_err(|_| {
        fail(
            FailureReason::Tls,
            format!("{host} is no name that a certificate can have"),
        )
    })?;
    trace.begin(Phase::Tls);
    let shaken = TlsConnector::from(fresh(tls)).connect(name, stream).await;
    trace.end();
    let stream = shaken.map_err(|error| {
        fail(
            FailureReason::Tls,
            format!("the TLS handshake with {host} failed: {error}"),
        )
    })?;
    let certificates = stream.get_ref().1.peer_certificates();
    trace.certificate_until = certificates.and_then(|chain| chain.first()).and_then(ends_at);
    Ok(stream)
}

/// `tls` without what a single fresh HTTP/1.1 connection must not have: a resumed session is not verified again, and HTTP/2
/// is not spoken here.
fn fresh(tls: &rustls::ClientConfig) -> Arc<rustls::ClientConfig> {
    let mut config = tls.clone();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// When `certificate` ends; `None` for one that cannot be read (rustls has verified it by its own rules).
fn ends_at(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let until = certificate
        .tbs_certificate()
        .validity()
        .not_after
        .to_unix_duration();
    Some(Timestamp::from_nanos(0).after(until))
}
