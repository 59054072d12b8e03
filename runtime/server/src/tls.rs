//! TLS of the listener: the certificate that it shows and the clients that it trusts, as `[tls]` names them. Both are
//! replaced while it serves.

pub(crate) mod revoked;
pub mod seen;

use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use engine::clock::{Clock as _, System};
use host::not_after;
use host::pem::{self, PemError};
use host::regular::{Exposed, check_private};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};
use tmf::time::Timestamp;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::config::{ClientCertificates, Tls};

/// HTTP/2 by ALPN.
pub(crate) const H2: &[u8] = b"h2";

/// What the listener uses now.
#[derive(Clone)]
pub(crate) struct Serving {
    now: watch::Sender<Arc<Loaded>>,
    pub(crate) counts: Arc<Counts>,
}

/// What happened to the files and to connections since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Changed files that were taken into use.
    pub(crate) reloads: AtomicU64,
    /// Changed files that cannot be used.
    pub(crate) rejected: AtomicU64,
    /// Connections that ended before TLS stood.
    pub(crate) failed_handshakes: AtomicU64,
}

/// The content of the files, checked.
pub(crate) struct Loaded {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) not_after: Option<Timestamp>,
    /// When the first revocation list expires; from then on no certificate of its CA is accepted.
    pub(crate) lists_until: Option<Timestamp>,
    clients: Clients,
}

/// Whom the listener trusts: the mode, and a digest of the CAs with their revocation lists.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Clients(ClientCertificates, [u8; 32]);

/// Why the files of `[tls]` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`[tls] {setting}`: {what}")]
pub struct TlsError {
    setting: &'static str,
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Serving {
    pub(crate) fn new(loaded: Loaded) -> Self {
        Self { now: watch::Sender::new(Arc::new(loaded)), counts: Arc::default() }
    }

    pub(crate) fn now(&self) -> Arc<Loaded> {
        Arc::clone(&self.now.borrow())
    }

    /// Uses other certificates from the next connection on.
    pub(crate) fn replace(&self, loaded: Loaded) {
        self.now.send_replace(Arc::new(loaded));
    }

    /// Ends when other clients are trusted than when this was loaded: what a connection showed may be of no CA now.
    pub(crate) async fn is_outdated(&self, loaded: &Loaded) {
        let mut changes = self.now.subscribe();
        // An error means that the server is gone.
        changes.wait_for(|now| now.clients != loaded.clients).await.ok();
    }
}

impl Loaded {
    /// Reads and checks the files.
    pub(crate) fn read(tls: &Tls) -> Result<Self, TlsError> {
        let chain = certificates("certificate", &tls.certificate)?;
        let key = key(&tls.key)?;
        let Checks { verifier, clients, lists_until } = checks(tls)?;
        let not_after = chain.first().and_then(|first| not_after(first));
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the algorithms of both versions");
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        // The sessions are those of this configuration: none is resumed that another CA allowed.
        let mut config = builder.with_single_cert(chain, key).map_err(|error| TlsError {
            setting: "key",
            what: format!(
                "`{}` does not fit the certificate in `{}`: name the key that it was requested with",
                tls.key.display(),
                tls.certificate.display()
            ),
            source: Some(Box::new(error)),
        })?;
        config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), not_after, lists_until, clients })
    }

    /// Seconds until the certificate expires, negative after that.
    pub(crate) fn expires_in_s(&self) -> Option<i64> {
        self.not_after.map(|end| (end.0 - now().0) / 1_000)
    }

    /// Whether no request is taken without a certificate that is valid.
    pub(crate) fn requires_certificates(&self) -> bool {
        self.clients.0 == ClientCertificates::Required
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

pub(crate) fn now() -> Timestamp {
    System::default().now()
}

type Verifier = Arc<dyn rustls::server::danger::ClientCertVerifier>;

/// How client certificates are checked.
struct Checks {
    /// `None` if clients are not asked for one.
    verifier: Option<Verifier>,
    clients: Clients,
    /// When the first revocation list expires.
    lists_until: Option<Timestamp>,
}

/// How client certificates are checked, if they are asked for.
fn checks(tls: &Tls) -> Result<Checks, TlsError> {
    let mode = tls.client_certificates;
    let Some(path) = tls.client_ca.as_deref().filter(|_| mode != ClientCertificates::Off) else {
        let clients = Clients(ClientCertificates::Off, [0; 32]);
        return Ok(Checks { verifier: None, clients, lists_until: None });
    };
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| TlsError {
        setting: "client-ca",
        what: format!("`{}` holds no usable CA", path.display()),
        source: Some(source),
    };
    let (mut roots, mut digest) = (RootCertStore::empty(), Sha256::new());
    for certificate in certificates("client-ca", path)? {
        digest.update(&certificate);
        roots.add(certificate).map_err(|error| unusable(Box::new(error)))?;
    }
    let roots = Arc::new(roots);
    let builder =
        || WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider()));
    let (mut lists, mut lists_until) = (Vec::new(), None);
    if let Some(path) = &tls.client_crls {
        let read = revoked::read(path, now())?;
        revoked::check_complete(&roots, &read)?;
        for revoked::Read { path, lists: of_file } in read {
            lists_until =
                lists_until.into_iter().chain(of_file.iter().map(|list| list.next_update)).min();
            let of_file: Vec<_> = of_file.into_iter().map(|list| list.der).collect();
            of_file.iter().for_each(|list| digest.update(list));
            // Tried alone, so that the file can be named.
            builder().with_crls(of_file.to_vec()).build().map_err(|error| TlsError {
                setting: revoked::SETTING,
                what: format!("`{}` holds a list that cannot be used", path.display()),
                source: Some(Box::new(error)),
            })?;
            lists.extend(of_file);
        }
    }
    let builder = builder().with_crls(lists).enforce_revocation_expiration();
    let builder = match mode {
        ClientCertificates::Required => builder,
        ClientCertificates::Off | ClientCertificates::Optional => builder.allow_unauthenticated(),
    };
    let verifier = builder.build().map_err(|error| unusable(Box::new(error)))?;
    let clients = Clients(mode, digest.finalize().into());
    Ok(Checks { verifier: Some(verifier), clients, lists_until })
}

fn certificates(
    setting: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    pem::certificates_in(path).map_err(|error| unusable(setting, error))
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let key = pem::key_in(path).map_err(|error| unusable("key", error))?;
    let open = |what: Exposed| TlsError { setting: "key", what: what.to_string(), source: None };
    check_private(path).map_err(open)?;
    Ok(key)
}

fn file(setting: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    pem::read(path).map_err(|error| unusable(setting, error))
}

fn unusable(setting: &'static str, error: PemError) -> TlsError {
    TlsError { setting, what: error.to_string(), source: error.into_source() }
}

/// The algorithms of `ring`.
fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider()))
}

#[cfg(test)]
mod tests;
