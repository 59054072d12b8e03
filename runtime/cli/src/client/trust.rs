//! Whom the command line trusts by TLS.

use std::path::Path;
use std::sync::Arc;

use host::pem::{self, PemError};
use rustls::client::WantsClientCert;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// A file without usable CAs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCas {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("`{file}` holds no usable CA")]
    Unusable {
        file: String,
        #[source]
        source: rustls::Error,
    },
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
    for certificate in pem::certificates_in(path)? {
        let unusable = |source| NoCas::Unusable { file: path.display().to_string(), source };
        roots.add(certificate).map_err(unusable)?;
    }
    Ok(roots)
}
