//! Certificates and keys in PEM: in files that an operator names, or in secrets.

use std::error::Error;
use std::io;
use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::regular;

/// Max bytes of a file with certificates or a key.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// Why there is no certificate or key. No message has a part of a key.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    #[error("{place} cannot be read: see that it is there and that it may be read")]
    Read {
        place: String,
        #[source]
        source: io::Error,
    },
    #[error("{place} has more than {FILE_BYTES_MAX} bytes")]
    Large { place: String },
    #[error("{place} holds no certificate in PEM, which begins with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate { place: String },
    #[error(
        "{place} holds no key in PEM without a password, which begins with `-----BEGIN PRIVATE KEY-----`"
    )]
    NoKey { place: String },
}

impl PemError {
    /// The cause, apart from the message.
    pub fn into_source(self) -> Option<Box<dyn Error + Send + Sync>> {
        match self {
            Self::Read { source, .. } => Some(Box::new(source)),
            Self::Large { .. } | Self::NoCertificate { .. } | Self::NoKey { .. } => None,
        }
    }
}

/// A file as messages name it.
pub(crate) fn place(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// The bytes of a file, which may have a key.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let unreadable = |source| PemError::Read { place: place(path), source };
    let bytes = regular::read(path, FILE_BYTES_MAX).map(Zeroizing::new).map_err(unreadable)?;
    match bytes.len() > FILE_BYTES_MAX {
        true => Err(PemError::Large { place: place(path) }),
        false => Ok(bytes),
    }
}

/// The certificates in a file: one or more.
pub fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    certificates(&place(path), &read(path)?)
}

/// The key in a file.
pub fn key_in(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    key(&place(path), &read(path)?)
}

/// The certificates in some bytes: one or more.
pub(crate) fn certificates(
    place: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(PemError::NoCertificate { place: place.into() }),
    }
}

/// The key in some bytes.
pub(crate) fn key(place: &str, pem: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    // The cause is left out: it may have a part of the key.
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| PemError::NoKey { place: place.into() })
}
