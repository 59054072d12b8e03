//! How plugins connect by TLS: whom they trust, and the certificate that they show, as
//! `[plugins.<id>.targets."host:port"]` names them. Everything is read and checked when the grants are.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use engine::clock::{Clock as _, System};
use hyper::Uri;
use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tmf::time::Timestamp;
use zeroize::Zeroizing;

use self::renewed::{Part, Renewed};
use crate::grants::{self, Connecting, Grants, Http2, Pem, Target};
use crate::pem::{self, PemError};
use crate::regular;
use crate::secret::Safe;

mod renewed;
mod trust;
mod validity;

pub use self::trust::Trust;
pub use self::validity::{instant, not_after};

/// How the targets of one plugin are connected to.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    /// For targets without an entry.
    usual: Option<Arc<Secured>>,
    targets: BTreeMap<Target, Arc<Secured>>,
    /// Changes when the content of a file does.
    fingerprint: [u8; 32],
}

/// How one target is connected to.
pub(crate) struct Secured {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) asked: Arc<Asked>,
    /// The name that its certificate must have, if it is not the host.
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) http2: Http2,
    /// The file with the CAs, if it has its own.
    pub(crate) ca: Option<PathBuf>,
    /// The certificate that is shown, and when it expires.
    pub(crate) certificate: Option<Shown>,
    /// What is shown, if a part of it is a secret.
    renewed: Option<Arc<Renewed>>,
}

/// Shows our certificate, if there is one, and remembers that it was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    ours: Arc<dyn ResolvesClientCert>,
    was_asked: AtomicBool,
}

/// Why a setting of a target cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {what}", format!("{table} {key}").trim_end())]
pub struct TargetFault {
    table: String,
    key: &'static str,
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Tls {
    /// Reads what a plugin's grants name.
    pub(crate) fn read(
        plugin: &str,
        grants: &Grants,
        safe: &Arc<Safe>,
    ) -> Result<Self, TargetFault> {
        if let Err(what) = grants.limits.throttle().check() {
            let table = format!("[plugins.{}.limits]", grants::table_key(plugin));
            return Err(At { table }.wrong("burst", what));
        }
        let is_secure = grants.http.iter().any(grants::Rule::is_https);
        let mut hash = Sha256::new();
        let mut targets = BTreeMap::new();
        for (target, connecting) in &grants.targets {
            let at = At { table: grants::target_table(plugin, target) };
            check_granted(&at, target, connecting, grants)?;
            targets.insert(target.clone(), Arc::new(at.secured(connecting, safe, &mut hash)?));
        }
        let usual = match targets.remove(&Target::Others) {
            Some(others) => Some(others),
            None if is_secure => Some(usual()),
            None => None,
        };
        Ok(Self { usual, targets, fingerprint: hash.finalize().into() })
    }

    /// How the target of a request is connected to; `None` if nothing about it is set, and no grant
    /// leads to a target with TLS.
    pub(crate) fn of(&self, uri: &Uri) -> Option<&Arc<Secured>> {
        let found = Target::of(uri).and_then(|target| self.targets.get(&target));
        found.or(self.usual.as_ref())
    }

    /// Whether the files have the same content.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

/// Refuses settings that no request could ever need.
fn check_granted(
    at: &At,
    target: &Target,
    connecting: &Connecting,
    grants: &Grants,
) -> Result<(), TargetFault> {
    let mut rules = grants.http.iter().filter(|rule| target.is_under(rule)).peekable();
    if rules.peek().is_none() {
        let what =
            format!("no `http` grant of the plugin leads to `{target}`: add one, or remove this");
        return Err(at.wrong("", what));
    }
    let throttle = connecting.throttle();
    throttle.check().map_err(|what| at.wrong("burst", what))?;
    if *target == Target::Others && !throttle.is_open() {
        let what = "a rate is of one target: name it by `host:port`, or set that of the plugin's calls \
                    in its `limits`";
        return Err(at.wrong("", what));
    }
    if connecting.is_about_tls() && !rules.any(grants::Rule::is_https) {
        let what = format!("`{target}` is granted without TLS: grant `https://{target}`");
        return Err(at.wrong("", what));
    }
    Ok(())
}

/// A table of the settings.
struct At {
    table: String,
}

impl At {
    fn wrong(&self, key: &'static str, what: impl Into<String>) -> TargetFault {
        TargetFault { table: self.table.clone(), key, what: what.into(), source: None }
    }

    fn secured(
        &self,
        connecting: &Connecting,
        safe: &Arc<Safe>,
        hash: &mut Sha256,
    ) -> Result<Secured, TargetFault> {
        let roots = match &connecting.ca {
            Some(path) => self.roots("ca", path, hash)?,
            None => system_roots(),
        };
        let builder = client().with_root_certificates(roots);
        let mut renewed = None;
        let (mut config, certificate) = match (&connecting.certificate, &connecting.key) {
            (None, None) => (builder.with_no_client_auth(), None),
            (Some(Pem::File(certificate)), Some(Pem::File(key))) => {
                let chain = self.certificates("certificate", certificate, hash)?;
                let end = chain.first().and_then(|first| validity::not_after(first));
                let key = self.key(key, hash)?;
                let config = builder.with_client_auth_cert(chain, key).map_err(|error| {
                    TargetFault {
                    source: Some(Box::new(error)),
                    ..self.wrong(
                        "key",
                        format!(
                            "the key does not fit the certificate in `{}`: name the key that it \
                             was requested with",
                            certificate.display()
                        ),
                    )
                }
                })?;
                let shown = (certificate.clone(), end);
                self.warn_of_expiry(&shown);
                (config, Some(shown))
            }
            (Some(certificate), Some(key)) => {
                let (shown, resolver) = self.renewed((certificate, key), safe, hash)?;
                renewed = Some(Arc::clone(&resolver));
                (builder.with_client_cert_resolver(resolver), Some(shown))
            }
            (Some(_), None) => return Err(self.wrong("certificate", "it needs its `key`: add it")),
            (None, Some(_)) => {
                return Err(self.wrong("key", "it needs its `certificate`: add it"));
            }
        };
        let asked = Asked::install(&mut config, connecting.http2);
        let server_name = connecting.server_name.as_deref().map(|name| self.server_name(name));
        Ok(Secured {
            config: Arc::new(config),
            asked,
            server_name: server_name.transpose()?,
            http2: connecting.http2,
            ca: connecting.ca.clone(),
            certificate,
            renewed,
        })
    }

    /// Shows a certificate of which a part is a secret.
    fn renewed(
        &self,
        (certificate, key): (&Pem, &Pem),
        safe: &Arc<Safe>,
        hash: &mut Sha256,
    ) -> Result<(Shown, Arc<Renewed>), TargetFault> {
        let (shown, certificate) = match certificate {
            Pem::File(path) => {
                let chain = self.certificates("certificate", path, hash)?;
                let end = chain.first().and_then(|first| validity::not_after(first));
                let shown = (path.to_owned(), end);
                self.warn_of_expiry(&shown);
                (shown, Part::Read(chain))
            }
            Pem::Secret { secret } => {
                ((format!("secret {secret}").into(), None), Part::Secret(secret.to_owned()))
            }
        };
        let key = match key {
            Pem::File(path) => Part::Read(self.key(path, hash)?),
            Pem::Secret { secret } => Part::Secret(secret.to_owned()),
        };
        let (safe, provider) = (Arc::clone(safe), Arc::clone(provider()));
        let (table, made) = (self.table.to_owned(), Mutex::default());
        let renewed = Renewed { safe, provider, certificate, key, table, made };
        Ok((shown, Arc::new(renewed)))
    }

    fn roots(
        &self,
        key: &'static str,
        path: &Path,
        hash: &mut Sha256,
    ) -> Result<Arc<RootCertStore>, TargetFault> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates(key, path, hash)? {
            roots.add(certificate).map_err(|error| TargetFault {
                source: Some(Box::new(error)),
                ..self.wrong(key, format!("`{}` holds no usable CA", path.display()))
            })?;
        }
        Ok(Arc::new(roots))
    }

    fn certificates(
        &self,
        key: &'static str,
        path: &Path,
        hash: &mut Sha256,
    ) -> Result<Vec<CertificateDer<'static>>, TargetFault> {
        let pem = self.file(key, path, hash)?;
        pem::certificates(&pem::place(path), &pem).map_err(|error| self.unusable(key, error))
    }

    fn key(&self, path: &Path, hash: &mut Sha256) -> Result<PrivateKeyDer<'static>, TargetFault> {
        let pem = self.file("key", path, hash)?;
        let key = pem::key(&pem::place(path), &pem).map_err(|error| self.unusable("key", error))?;
        regular::check_private(path).map_err(|error| self.wrong("key", error.to_string()))?;
        Ok(key)
    }

    fn file(
        &self,
        key: &'static str,
        path: &Path,
        hash: &mut Sha256,
    ) -> Result<Zeroizing<Vec<u8>>, TargetFault> {
        let bytes = pem::read(path).map_err(|error| self.unusable(key, error))?;
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(&*bytes);
        Ok(bytes)
    }

    fn unusable(&self, key: &'static str, error: PemError) -> TargetFault {
        let fault = self.wrong(key, error.to_string());
        TargetFault { source: error.into_source(), ..fault }
    }

    fn server_name(&self, name: &str) -> Result<ServerName<'static>, TargetFault> {
        let what = || self.wrong("server-name", format!("`{name}` is no name of a host"));
        ServerName::try_from(name.to_owned()).map_err(|_| what())
    }

    /// Requests with an expired certificate fail one by one; the operator hears of it at once.
    fn warn_of_expiry(&self, (path, end): &Shown) {
        let Some(end) = end.filter(|end| *end <= now()) else { return };
        tracing::error!(
            setting = format!("{} certificate", self.table),
            "`{}` expired on {}: replace the file, which counts without a restart",
            path.display(),
            end.date()
        );
    }
}

/// A file with a certificate, and when that expires.
type Shown = (PathBuf, Option<Timestamp>);

impl Secured {
    /// Whether our certificate or its key is a secret that has no usable value.
    pub(crate) fn is_unready(&self) -> bool {
        self.renewed.as_ref().is_some_and(|renewed| renewed.now().is_none())
    }

    /// The certificate that is shown, if it has expired.
    pub(crate) fn expired(&self) -> Option<(&Path, Timestamp)> {
        let (path, end) = self.certificate.as_ref()?;
        end.filter(|end| *end <= now()).map(|end| (path.as_path(), end))
    }
}

impl Asked {
    fn install(config: &mut ClientConfig, http2: Http2) -> Arc<Self> {
        config.alpn_protocols = protocols(http2);
        let ours = Arc::clone(&config.client_auth_cert_resolver);
        let asked = Arc::new(Self { ours, was_asked: AtomicBool::new(false) });
        config.client_auth_cert_resolver = Arc::<Self>::clone(&asked);
        asked
    }

    /// Whether a target asked for it.
    pub(crate) fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::Relaxed);
        self.ours.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.ours.has_certs()
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").field("ca", &self.ca).finish_non_exhaustive()
    }
}

fn now() -> Timestamp {
    System::default().now()
}

/// What is offered by ALPN.
fn protocols(http2: Http2) -> Vec<Vec<u8>> {
    let (first, second) = (b"h2".to_vec(), b"http/1.1".to_vec());
    match http2 {
        Http2::Negotiate => vec![first, second],
        Http2::Always => vec![first],
        Http2::Never => vec![second],
    }
}

/// The algorithms of `ring`.
fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider()))
}

/// TLS 1.2 and 1.3 with the algorithms of `ring`.
fn client() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the algorithms of both versions")
}

/// What the system trusts, and no certificate of our own.
fn usual() -> Arc<Secured> {
    let mut config = client().with_root_certificates(system_roots()).with_no_client_auth();
    let asked = Asked::install(&mut config, Http2::Negotiate);
    Arc::new(Secured {
        config: Arc::new(config),
        asked,
        server_name: None,
        http2: Http2::Negotiate,
        ca: None,
        certificate: None,
        renewed: None,
    })
}

/// The CAs that the system trusts, or that `SSL_CERT_FILE` names; read once.
fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (usable, unusable) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
            tracing::warn!(
                errors = errors.join("; "),
                "the system has no CAs: install the package `ca-certificates`, or name a file in \
                 SSL_CERT_FILE or in the `ca` of each target"
            );
        }
        tracing::debug!(usable, unusable, "read the CAs of the system");
        Arc::new(roots)
    });
    Arc::clone(roots)
}

#[cfg(test)]
mod tests;
