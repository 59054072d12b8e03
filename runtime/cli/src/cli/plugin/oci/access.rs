//! How registries are reached: by TLS, and for whom.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use rustls::ClientConfig;

use crate::cli::Usage;
use crate::client::trust;

#[derive(Debug, Default, Args)]
pub(crate) struct Access {
    /// The CAs of the registry in PEM, if they are not those of the system; of `install`, those of the server too.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
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
        let tls = trust::tls(self.ca.as_deref()).map_err(|error| Usage(error.to_string()))?;
        Ok(Arc::new(tls.with_no_client_auth()))
    }
}

/// Whether a host, which has no port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let ip: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || ip.is_some_and(|ip| ip.is_loopback())
}
