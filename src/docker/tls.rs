//! The TLS client for an engine that listens on TCP, from the three files that `DOCKER_CERT_PATH` names.
//!
//! Promises that the server is always verified against `ca.pem`. Refuses to trust any public authority: an engine is never behind one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error(
        "cannot read {path} for the engine's TLS; DOCKER_CERT_PATH must name a folder with ca.pem, cert.pem and key.pem"
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The files do not fit together.
    #[error("cannot use the certificates in {folder} for the engine's TLS")]
    Certificates {
        /// The folder they are in.
        folder: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// A client that trusts `ca.pem` in `folder` and shows `cert.pem` with `key.pem`.
///
/// # Errors
/// When one of the three files is missing, is no PEM, or does not fit the others.
pub fn client(folder: &Path) -> Result<Arc<rustls::ClientConfig>, TlsError> {
    let unusable = |source| TlsError::Certificates {
        folder: folder.to_owned(),
        source,
    };
    let mut roots = rustls::RootCertStore::empty();
    for authority in certificates(&folder.join("ca.pem"))? {
        roots.add(authority).map_err(unusable)?;
    }
    let own = certificates(&folder.join("cert.pem"))?;
    let path = folder.join("key.pem");
    let key = PrivateKeyDer::from_pem_file(&path).map_err(|source| TlsError::File { path, source })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let client = builder
        .with_root_certificates(roots)
        .with_client_auth_cert(own, key)
        .map_err(unusable)?;
    Ok(Arc::new(client))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::File {
        path: path.to_owned(),
        source,
    };
    CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)
}
