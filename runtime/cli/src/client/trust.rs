//! Whom the command line trusts by TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// A file without usable CAs.
#[derive(Debug, thiserror::Error)]
#[error("`{file}` has no certificates in PEM: {why}")]
pub(crate) struct NoCas {
    file: String,
    why: String,
}

/// TLS 1.2 and 1.3 with the algorithms of `ring`, for servers of the CAs of a file, or of those of the system.
pub(crate) fn tls(
    ca: Option<&Path>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, NoCas> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the algorithms of both versions");
    Ok(config.with_root_certificates(roots(ca)?))
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, NoCas> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let unusable = |error: &dyn std::fmt::Display| NoCas {
        file: path.display().to_string(),
        why: error.to_string(),
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
    for certificate in read {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"it is empty of them"));
    }
    Ok(roots)
}
