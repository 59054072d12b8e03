//! How a command proves to a server who runs it: by a token or a client certificate. A token never stands on the
//! command line, where other users of the machine see it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use engine::tenant::{NAME_BYTES_MAX, TenantName};
use host::pem;
use hyper::Uri;
use hyper::header::HeaderValue;
use rustls::ClientConfig;

use super::trust;

/// The variable with a token.
const TOKEN: &str = "FERRULE_TOKEN";

/// The variable with the name of a tenant.
const TENANT: &str = "FERRULE_TENANT";

/// The variable with a file of CAs.
const CA: &str = "FERRULE_CA";

/// Max bytes of a token.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// Whom a command trusts, and how it proves who runs it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Login {
    /// The CAs of the server in PEM, if they are not those of the system.
    #[arg(long, value_name = "FILE", env = CA)]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) proof: Proof,
}

/// How a command proves who runs it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Proof {
    /// A file with a token; by default the token is that of the variable `FERRULE_TOKEN`, if it is set.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A client certificate in PEM, with those between it and its CA.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// The key of the client certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<PathBuf>,
    /// The tenant, if it is not that of the identity: its paths begin with `/tenants/NAME`.
    #[arg(long, value_name = "NAME", env = TENANT)]
    tenant: Option<String>,
}

impl Proof {
    /// A login with the CAs of a file, or of the variable.
    pub(crate) fn with_ca(self, ca: Option<PathBuf>) -> Login {
        let ca = ca.or_else(|| std::env::var_os(CA).map(PathBuf::from));
        Login { ca, proof: self }
    }
}

impl Login {
    /// The URL of the tenant at a server.
    pub(super) fn place(&self, base: &str) -> Result<String> {
        let Some(name) = self.tenant()? else { return Ok(base.to_owned()) };
        if base.contains("/tenants/") {
            bail!("`{base}` names a tenant: leave out `--tenant` and {TENANT}");
        }
        Ok(format!("{base}/tenants/{name}"))
    }

    /// The tenant, if one is named.
    pub(crate) fn tenant(&self) -> Result<Option<TenantName>> {
        let Some(tenant) = &self.proof.tenant else { return Ok(None) };
        let Some(name) = TenantName::parse(tenant) else {
            bail!(
                "`{tenant}` is no name of a tenant: 1 to {NAME_BYTES_MAX} of `a` to `z`, `0` to `9` and `-`"
            );
        };
        Ok(Some(name))
    }

    /// The header with the token, if there is one. It goes by TLS or on this machine only.
    pub(super) fn authorization(&self, base: &str) -> Result<Option<HeaderValue>> {
        let token = match &self.proof.token_file {
            Some(path) => read_token(path)?,
            None => std::env::var(TOKEN).unwrap_or_default(),
        };
        let token = token.trim();
        if token.is_empty() {
            if let Some(path) = &self.proof.token_file {
                bail!("`{}` has no token: write one into it, such as an API key", path.display());
            }
            return Ok(None);
        }
        if !base.starts_with("https://") && !is_loopback(base) {
            bail!("a token is not sent to `{base}` in clear: use `https://`");
        }
        let header = HeaderValue::from_str(&format!("Bearer {token}")).ok();
        let is_token =
            token.len() <= TOKEN_BYTES_MAX && token.bytes().all(|b| b.is_ascii_graphic());
        let Some(mut header) = header.filter(|_| is_token) else {
            bail!(
                "the token is no token: visible ASCII without spaces, up to {TOKEN_BYTES_MAX} bytes"
            );
        };
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// How connections by TLS are made.
    pub(super) fn tls(&self) -> Result<ClientConfig> {
        let config = trust::tls(self.ca.as_deref())?;
        let mut config = match (&self.proof.cert, &self.proof.cert_key) {
            (Some(cert), Some(key)) => {
                let (chain, read) = (pem::certificates_in(cert)?, pem::key_in(key)?);
                config.with_client_auth_cert(chain, read).with_context(|| {
                    format!("`{}` is not the key of `{}`", key.display(), cert.display())
                })?
            }
            (None, _) | (_, None) => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// How connections by TLS are made; read where the URL needs them.
    pub(super) fn tls_for(&self, base: &str) -> Result<Option<Arc<ClientConfig>>> {
        match base.starts_with("https://") {
            true => Ok(Some(Arc::new(self.tls()?))),
            false => Ok(None),
        }
    }
}

fn read_token(path: &Path) -> Result<String> {
    host::regular::read_text(path, TOKEN_BYTES_MAX)
        .with_context(|| format!("cannot read the token in `{}`", path.display()))
}

/// Whether a URL leads to this machine.
fn is_loopback(base: &str) -> bool {
    let uri: Option<Uri> = base.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let ip: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback())
}
