//! TLS and HTTP clients, made once and handed to the edges.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// The web's roots, for probes.
pub fn config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
    roots.add_parsable_certificates(certificates);
    Arc::new(
        ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

/// The client for receivers: no redirects, because a followed one turns a POST into a GET.
///
/// # Errors
/// When the TLS settings do not suit the library: a bug.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    builder
        .use_preconfigured_tls(ClientConfig::clone(&config()))
        .build()
}

/// Puts the one TLS provider in place; the first thing that `main` does.
pub fn install_provider() {
    // Already there when called again: that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
