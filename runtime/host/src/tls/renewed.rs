//! A certificate or a key that is a secret. Another value counts for the next connection, without a restart.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::pem;
use crate::secret::{Safe, Secret};

/// A part of what is shown: read from its file, or the name of a secret.
pub(super) enum Part<T> {
    Read(T),
    Secret(String),
}

/// Shows the certificate that the secrets of now make.
pub(super) struct Renewed {
    pub(super) safe: Arc<Safe>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) certificate: Part<Vec<CertificateDer<'static>>>,
    pub(super) key: Part<PrivateKeyDer<'static>>,
    /// Where it is set.
    pub(super) table: String,
    pub(super) made: Mutex<Made>,
}

/// What was made of a generation of secrets.
#[derive(Default)]
pub(super) struct Made {
    generation: Option<u64>,
    shown: Option<Arc<CertifiedKey>>,
    /// Why the last one cannot be used, which is logged once.
    failure: Option<String>,
}

impl Renewed {
    /// What is shown now; that of before if another cannot be used.
    pub(super) fn now(&self) -> Option<Arc<CertifiedKey>> {
        let generation = self.safe.generation();
        // Every change leaves it consistent, so a poisoned lock is still good.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.generation != Some(generation) {
            made.generation = Some(generation);
            match self.make() {
                Ok(shown) => {
                    made.shown = Some(Arc::new(shown));
                    made.failure = None;
                }
                Err(failure) if made.failure.as_ref() == Some(&failure) => {}
                Err(failure) => {
                    let setting = self.table.as_str();
                    tracing::error!(
                        setting,
                        reason = failure,
                        "a certificate keeps its last value"
                    );
                    made.failure = Some(failure);
                }
            }
        }
        made.shown.as_ref().map(Arc::clone)
    }

    fn make(&self) -> Result<CertifiedKey, String> {
        let chain = match &self.certificate {
            Part::Read(chain) => chain.to_vec(),
            Part::Secret(name) => {
                let value = self.value(name)?;
                let read = pem::certificates(&place(name), value.expose().as_bytes());
                read.map_err(|error| error.to_string())?
            }
        };
        let key = match &self.key {
            Part::Read(key) => key.clone_key(),
            Part::Secret(name) => {
                let value = self.value(name)?;
                let read = pem::key(&place(name), value.expose().as_bytes());
                read.map_err(|error| error.to_string())?
            }
        };
        CertifiedKey::from_der(chain, key, &self.provider)
            .map_err(|error| format!("the key does not fit the certificate: {error}"))
    }

    fn value(&self, name: &str) -> Result<Arc<Secret>, String> {
        let missing = || format!("the secret `{name}` has no value: see `[secrets.{name}]`");
        self.safe.get(name).ok_or_else(missing)
    }
}

fn place(name: &str) -> String {
    format!("the secret `{name}`")
}

impl ResolvesClientCert for Renewed {
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.now().filter(|shown| shown.key.choose_scheme(schemes).is_some())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewed").field("table", &self.table).finish_non_exhaustive()
    }
}
