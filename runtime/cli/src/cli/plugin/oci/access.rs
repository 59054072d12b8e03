//! How registries are reached: by TLS, and for whom.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::cli::Usage;

#[derive(Debug, Default, Args)]
pub(crate) struct Access {
    /// The CAs of the registry in PEM, if they are not those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Speak to the registry without TLS; on a loopback address that is usual.
    #[arg(long, conflicts_with = "ca")]
    plain_http: bool,
}

/// Whether a registry is spoken to by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    Tls,
    Plain,
}

impl Access {
    /// `host` has no port.
    pub(super) fn security(&self, host: &str) -> Security {
        let is_plain = self.plain_http || (self.ca.is_none() && is_loopback(host));
        if is_plain { Security::Plain } else { Security::Tls }
    }

    /// TLS 1.2 and 1.3 with the algorithms of `ring`.
    pub(super) fn tls(&self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("TLS cannot be used")?;
        let config = config.with_root_certificates(self.roots()?).with_no_client_auth();
        Ok(Arc::new(config))
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.ca else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        let unusable = |error: &dyn std::fmt::Display| {
            Usage(format!("`{}` has no certificates in PEM: {error}", path.display()))
        };
        let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
        for certificate in read {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        if roots.is_empty() {
            return Err(unusable(&"it is empty of them").into());
        }
        Ok(roots)
    }
}

/// Whether a host, which has no port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let ip: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || ip.is_some_and(|ip| ip.is_loopback())
}
