//! `[tls]` of `ferrule.toml`: the certificate of the listener, and those of its clients.

use std::path::PathBuf;

use serde::Deserialize;

/// The certificate of the listener, and those of its clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tls {
    /// A PEM file with the certificate of the server, then those between it and its CA.
    pub certificate: PathBuf,
    /// A PEM file with its key.
    pub key: PathBuf,
    /// A PEM file with the CAs of client certificates.
    pub client_ca: Option<PathBuf>,
    /// A file with lists of revoked client certificates, or a folder of such files.
    pub client_crls: Option<PathBuf>,
    /// Whether clients show a certificate.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
}

/// Whether clients show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// They are not asked for one.
    #[default]
    Off,
    /// One that is shown must be of the CAs.
    Optional,
    /// No connection without one.
    Required,
}

impl Tls {
    /// Refuses settings that have no effect or no CA.
    pub(super) fn check(&self) -> Result<(), String> {
        match (self.client_certificates, &self.client_ca) {
            (ClientCertificates::Off, Some(_)) => Err("`[tls] client-ca` is of no use while \
                 `client-certificates` is \"off\": set it to \"optional\" or \"required\", or remove \
                 `client-ca`"
                .into()),
            (ClientCertificates::Optional | ClientCertificates::Required, None) => Err(
                "`[tls] client-certificates` needs the CAs that issue them: add `client-ca`, a PEM file"
                    .into(),
            ),
            (ClientCertificates::Off, None) if self.client_crls.is_some() => {
                Err("`[tls] client-crls` is of no use without `client-ca`: add the CAs that issue \
                     client certificates, or remove `client-crls`"
                    .into())
            }
            (ClientCertificates::Off, None) | (_, Some(_)) => Ok(()),
        }
    }

    /// The files that are followed, beside those of revocation lists.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_ca)
    }
}
