//! Certificates of plugins: that the bytes with a digest passed every cell of `ferrule plugin test`.

use std::collections::BTreeSet;

use model::{Digest, PluginId};
use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::plain::plain;
use crate::signer::{Distrust, NotOwned, Policy, Signers, Vouched};

/// The kind of the file with the certificate, beside that of the plugin.
pub const KIND: &str = "wasm.cert";

/// Max bytes of a certificate: it fits into a header.
pub const CERTIFICATE_BYTES_MAX: usize = 128 << 10;

/// The version of the shape of certificates.
pub const SCHEMA: u32 = 1;

/// Max names of a kind that are shown of a certificate.
const NAMES_MAX: usize = 100;

/// Max characters of a name that are shown.
const NAME_MAX: usize = 200;

/// The file beside a plugin.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The statement, as JSON: these very bytes are signed.
    pub statement: String,
    /// The signature of minisign.
    pub signature: String,
}

/// The signed part of a certificate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Statement {
    /// The version of its shape.
    pub schema: u32,
    /// The id of the plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the plugin.
    pub digest: Digest,
    /// When it was tested.
    pub tested_at: Moment,
    /// The version of the program that tested it.
    pub tested_by: String,
    /// The SHA-256 of the cases.
    pub cases: Digest,
    /// The cells that passed.
    pub passed: Vec<String>,
    /// The cells that failed: then the certificate is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// The cells that a case leaves out, each with the reason.
    pub left_out: Vec<LeftOut>,
}

/// A cell that was not played.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Its name.
    pub cell: String,
    /// Why.
    pub reason: String,
}

/// The keys that are trusted to certify plugins, and whether they must.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    policy: Policy,
    signers: Signers,
}

/// By whom bytes are certified, and what they passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certified {
    /// The name of the key in the settings.
    pub key: String,
    /// The key itself.
    pub public_key: String,
    /// When the plugin was tested.
    pub tested_at: Moment,
    /// The version of the program that tested it.
    pub tested_by: String,
    /// The cases that it passed, at most 100 of them.
    pub cases: Vec<String>,
    /// The number of cells that passed.
    pub passed: usize,
    /// The cells that were left out, each with the reason, at most 100 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is none.
    #[error(
        "the plugin is not certified, and `[install] certificates` of ferrule.toml is `required`: certify it \
         with `ferrule plugin certify --key FILE`, then put `plugin.wasm.cert` beside it, or send it along"
    )]
    Missing,
    /// It is larger than certificates may be.
    #[error(
        "the certificate has {bytes} bytes or more, it may have {CERTIFICATE_BYTES_MAX}: test fewer cases"
    )]
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// It is no certificate.
    #[error("the certificate cannot be read: write it with `ferrule plugin certify --key FILE`")]
    Malformed,
    /// It is of another version of the program.
    #[error(
        "the certificate has schema {found}, this host reads {SCHEMA}: certify the plugin with the \
         `ferrule` of this host"
    )]
    OtherSchema {
        /// The version of its shape.
        found: u32,
    },
    /// It is of a key that is not trusted.
    #[error(
        "the certificate is signed by a key that is not trusted: have the plugin certified by another, or \
         add the key to `[install.certifiers]` of ferrule.toml"
    )]
    UnknownKey,
    /// It was changed.
    #[error(
        "the certificate is not the one that `{key}` signed: it was changed since; have it written again"
    )]
    Changed {
        /// The key that it claims.
        key: String,
    },
    /// It is of other bytes.
    #[error(
        "the certificate is of other bytes: it is for sha256 {certified}, the plugin is {found}; certify it again"
    )]
    OtherBytes {
        /// The digest that it is for.
        certified: String,
        /// The digest of the plugin.
        found: Digest,
    },
    /// Its key may not certify this plugin.
    #[error(transparent)]
    NotOwned(NotOwned),
    /// The plugin did not pass.
    #[error(
        "the certificate does not show that the plugin passed ({what}): run `ferrule plugin test`, mend the \
         plugin and certify it again"
    )]
    Failed {
        /// What failed.
        what: String,
    },
}

impl Certificates {
    /// Trusts these keys.
    pub fn new(policy: Policy, signers: Signers) -> Self {
        Self { policy, signers }
    }

    /// Whether they are not looked at.
    pub(crate) fn are_off(&self) -> bool {
        self.policy == Policy::Off
    }

    /// By whom the bytes of a plugin with a digest are certified. `Ok(None)` if they are not and need not be.
    pub fn check(
        &self,
        id: &PluginId,
        digest: &Digest,
        certificate: Option<&str>,
    ) -> Result<Option<Certified>, CertificateError> {
        match (self.policy, certificate) {
            (Policy::Off, _) | (Policy::Checked, None) => Ok(None),
            (Policy::Required, None) => Err(CertificateError::Missing),
            (Policy::Checked | Policy::Required, Some(text)) => {
                let (vouched, statement) = self.read(id, text)?;
                statement.check(digest)?;
                Ok(Some(Certified::new(vouched, &statement)))
            }
        }
    }

    /// Checks that a plugin would be taken in again that was certified so.
    pub(crate) fn still(
        &self,
        id: &PluginId,
        certified: Option<&Certified>,
    ) -> Result<(), CertificateError> {
        match (self.policy, certified) {
            (Policy::Off, _) | (Policy::Checked, None) => Ok(()),
            (Policy::Required, None) => Err(CertificateError::Missing),
            (Policy::Checked | Policy::Required, Some(certified)) => {
                Ok(self.signers.still(id, &certified.key, &certified.public_key)?)
            }
        }
    }

    /// The statement of a certificate, and who signed it.
    fn read(&self, id: &PluginId, text: &str) -> Result<(Vouched, Statement), CertificateError> {
        if text.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge { bytes: text.len() });
        }
        let malformed = |_| CertificateError::Malformed;
        let certificate: Certificate = serde_json::from_str(text).map_err(malformed)?;
        let signed = certificate.statement.as_bytes();
        let vouched = self.signers.verify(id, signed, &certificate.signature)?;
        let statement = serde_json::from_str(&certificate.statement).map_err(malformed)?;
        Ok((vouched, statement))
    }
}

impl Statement {
    /// Checks that the bytes with this digest passed.
    fn check(&self, digest: &Digest) -> Result<(), CertificateError> {
        if self.schema != SCHEMA {
            return Err(CertificateError::OtherSchema { found: self.schema });
        }
        if self.digest != *digest {
            let certified = short(self.digest.as_str());
            return Err(CertificateError::OtherBytes { certified, found: digest.clone() });
        }
        let what = match (self.failed.first(), self.passed.len()) {
            (Some(first), _) => {
                format!("{} cells failed, the first is {}", self.failed.len(), short(first))
            }
            (None, 0) => "no cell was played".into(),
            (None, _) => return Ok(()),
        };
        Err(CertificateError::Failed { what })
    }
}

impl Certified {
    fn new(vouched: Vouched, statement: &Statement) -> Self {
        // A cell is named by its case first: `set-speed/run-1/lost-answer`.
        let case = |cell: &String| cell.split('/').next().map(short);
        let cases: BTreeSet<String> = statement.passed.iter().filter_map(case).collect();
        let left_out =
            statement.left_out.iter().map(|one| short(&format!("{}: {}", one.cell, one.reason)));
        Self {
            key: vouched.name,
            public_key: vouched.public,
            tested_at: statement.tested_at,
            tested_by: short(&statement.tested_by),
            cases: cases.into_iter().take(NAMES_MAX).collect(),
            passed: statement.passed.len(),
            left_out: left_out.take(NAMES_MAX).collect(),
        }
    }
}

impl From<Distrust> for CertificateError {
    fn from(distrust: Distrust) -> Self {
        match distrust {
            Distrust::Malformed => Self::Malformed,
            Distrust::UnknownKey => Self::UnknownKey,
            Distrust::OtherBytes { key } => Self::Changed { key },
            Distrust::NotOwned(not_owned) => Self::NotOwned(not_owned),
        }
    }
}

/// A name as it may be shown.
fn short(name: &str) -> String {
    plain(&name.chars().take(NAME_MAX).collect::<String>())
}

#[cfg(test)]
mod tests;
