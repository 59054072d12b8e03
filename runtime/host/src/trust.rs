//! The keys that the operator trusts to vouch for plugins, and the proofs that come along with one.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use model::{Digest, PluginId};

use crate::certificate::{self, CERTIFICATE_BYTES_MAX, Certificates, Certified};
use crate::error::InstallError;
use crate::provenance::{Provenance, Source};
use crate::regular;
use crate::signature::{self, SIGNATURE_BYTES_MAX, Signatures, Signed};

/// The keys that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Those that sign plugins.
    pub signatures: Signatures,
    /// Those that certify plugins.
    pub certificates: Certificates,
}

/// The files that come along with a plugin, as text; they are not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Its signature.
    pub signature: Option<String>,
    /// Its certificate.
    pub certificate: Option<String>,
}

/// Proofs that were checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proven {
    pub(crate) signed: Option<Signed>,
    pub(crate) certified: Option<Certified>,
    /// The files that prove it.
    pub(crate) proofs: Proofs,
}

impl Proofs {
    /// The proofs beside the file of a plugin. More than a proof may have is not read.
    pub fn beside(file: &Path) -> io::Result<Self> {
        let read = |kind, bytes_max| read(&file.with_extension(kind), bytes_max);
        Ok(Self {
            signature: read(signature::KIND, SIGNATURE_BYTES_MAX)?,
            certificate: read(certificate::KIND, CERTIFICATE_BYTES_MAX)?,
        })
    }

    /// Each kind of file beside a plugin, with its text.
    pub fn files(&self) -> [(&'static str, Option<&str>); 2] {
        [
            (signature::KIND, self.signature.as_deref()),
            (certificate::KIND, self.certificate.as_deref()),
        ]
    }

    /// Those of kinds of which there is no other.
    pub(crate) fn without(self, others: &Self) -> Self {
        Self {
            signature: self.signature.filter(|_| others.signature.is_none()),
            certificate: self.certificate.filter(|_| others.certificate.is_none()),
        }
    }

    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.signature.is_none() && self.certificate.is_none()
    }
}

impl Trust {
    /// Whether proofs are not looked at.
    pub(crate) fn is_off(&self) -> bool {
        self.signatures.are_off() && self.certificates.are_off()
    }

    /// Why a version that was taken in would be refused now; `None` if it would not.
    pub(crate) fn distrusts(&self, id: &PluginId, known: &Provenance) -> Option<String> {
        let signed = self.signatures.still(id, known.signed.as_ref());
        let certified = self.certificates.still(id, known.certified.as_ref());
        match (known.source, signed, certified) {
            (Source::Program, ..) => None,
            (Source::File | Source::Upload, Err(error), _) => Some(error.to_string()),
            (Source::File | Source::Upload, Ok(()), Err(error)) => Some(error.to_string()),
            (Source::File | Source::Upload, Ok(()), Ok(())) => None,
        }
    }

    /// Checks that what comes along with a plugin vouches for it.
    pub fn vouches(
        &self,
        id: &PluginId,
        plugin: &[u8],
        proofs: &Proofs,
    ) -> Result<(), InstallError> {
        self.signatures.check(id, plugin, proofs.signature.as_deref())?;
        self.certificates.check(id, &Digest::of(plugin), proofs.certificate.as_deref())?;
        Ok(())
    }

    /// Checks what proves the bytes of a plugin: of each kind the given one, or else the one that is kept of the
    /// same bytes.
    pub(crate) fn check(
        &self,
        id: &PluginId,
        (digest, bytes): (&Digest, &[u8]),
        given: Proofs,
        kept: Proofs,
    ) -> Result<Proven, InstallError> {
        let (signed, signature) =
            either(given.signature, kept.signature, |text| self.signatures.check(id, bytes, text))?;
        let (certified, certificate) = either(given.certificate, kept.certificate, |text| {
            self.certificates.check(id, digest, text)
        })?;
        Ok(Proven { signed, certified, proofs: Proofs { signature, certificate } })
    }
}

/// The keys of now.
#[derive(Default)]
pub(crate) struct Trusted(RwLock<Arc<Trust>>);

impl Trusted {
    pub(crate) fn new(trust: Trust) -> Self {
        Self(RwLock::new(Arc::new(trust)))
    }

    pub(crate) fn now(&self) -> Arc<Trust> {
        // Every change leaves it whole, so a poisoned lock is still good.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Trusts other keys; returns whether they are others.
    pub(crate) fn replace(&self, trust: Trust) -> bool {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = **now != trust;
        *now = Arc::new(trust);
        is_other
    }
}

/// What the given text proves, or else the kept one, with the text that does.
fn either<T, E>(
    given: Option<String>,
    kept: Option<String>,
    check: impl Fn(Option<&str>) -> Result<Option<T>, E>,
) -> Result<(Option<T>, Option<String>), E> {
    let found = check(given.as_deref());
    if let Ok(Some(proven)) = found {
        return Ok((Some(proven), given));
    }
    match kept.as_deref().map(|kept| check(Some(kept))) {
        Some(Ok(Some(proven))) => Ok((Some(proven), kept)),
        // Of the two errors, that of the proof that is there counts.
        Some(Err(error)) if given.is_none() => Err(error),
        Some(Ok(None) | Err(_)) | None => found.map(|_| (None, None)),
    }
}

fn read(path: &Path, bytes_max: usize) -> io::Result<Option<String>> {
    match regular::read(path, bytes_max) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("`{}`: {error}", path.display());
            Err(io::Error::new(error.kind(), message))
        }
    }
}
