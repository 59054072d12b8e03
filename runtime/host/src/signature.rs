//! Signatures of plugins, as minisign writes them: by which key the bytes of a component are signed.

use model::PluginId;
use serde::{Deserialize, Serialize};

use crate::signer::{Distrust, NotOwned, Policy, Signers, Vouched};

pub use crate::signer::SIGNATURE_BYTES_MAX;

/// The kind of the file with the signature, beside that of the plugin.
pub const KIND: &str = "wasm.minisig";

/// The keys that are trusted to sign plugins, and whether they must.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    policy: Policy,
    signers: Signers,
}

/// By whom bytes are signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// The name of the key in the settings.
    pub key: String,
    /// The comment that is signed too.
    pub comment: String,
    /// The key itself; empty if an older host checked it.
    #[serde(default)]
    pub public_key: String,
}

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error(
        "the plugin is not signed, and `[install] signatures` of ferrule.toml is `required`: sign it with \
         `minisign -Sm plugin.wasm`, then put `plugin.wasm.minisig` beside it, or send it along"
    )]
    Missing,
    /// It is no signature.
    #[error("the signature is none of minisign: write it with `minisign -Sm plugin.wasm`")]
    Malformed,
    /// It is of a key that is not trusted.
    #[error(
        "the plugin is signed by a key that is not trusted: have it signed by another, or add the key to \
         `[install.keys]` of ferrule.toml"
    )]
    UnknownKey,
    /// It is of other bytes.
    #[error(
        "the signature by `{key}` is not of these bytes: they were changed since, or the signature is of \
         another version"
    )]
    OtherBytes {
        /// The key that it claims.
        key: String,
    },
    /// Its key may not sign this plugin.
    #[error(transparent)]
    NotOwned(NotOwned),
}

impl Signatures {
    /// Trusts these keys.
    pub fn new(policy: Policy, signers: Signers) -> Self {
        Self { policy, signers }
    }

    /// Whether they are not looked at.
    pub(crate) fn are_off(&self) -> bool {
        self.policy == Policy::Off
    }

    /// By whom the bytes of a plugin are signed. `Ok(None)` if they are not and need not be.
    pub fn check(
        &self,
        id: &PluginId,
        bytes: &[u8],
        signature: Option<&str>,
    ) -> Result<Option<Signed>, SignatureError> {
        match (self.policy, signature) {
            (Policy::Off, _) | (Policy::Checked, None) => Ok(None),
            (Policy::Required, None) => Err(SignatureError::Missing),
            (Policy::Checked | Policy::Required, Some(signature)) => {
                let vouched = self.signers.verify(id, bytes, signature)?;
                let Vouched { name: key, comment, public: public_key } = vouched;
                Ok(Some(Signed { key, comment, public_key }))
            }
        }
    }

    /// Checks that a plugin would be taken in again that was signed so.
    pub(crate) fn still(
        &self,
        id: &PluginId,
        signed: Option<&Signed>,
    ) -> Result<(), SignatureError> {
        match (self.policy, signed) {
            (Policy::Off, _) | (Policy::Checked, None) => Ok(()),
            (Policy::Required, None) => Err(SignatureError::Missing),
            (Policy::Checked | Policy::Required, Some(signed)) => {
                Ok(self.signers.still(id, &signed.key, &signed.public_key)?)
            }
        }
    }
}

impl From<Distrust> for SignatureError {
    fn from(distrust: Distrust) -> Self {
        match distrust {
            Distrust::Malformed => Self::Malformed,
            Distrust::UnknownKey => Self::UnknownKey,
            Distrust::OtherBytes { key } => Self::OtherBytes { key },
            Distrust::NotOwned(not_owned) => Self::NotOwned(not_owned),
        }
    }
}

#[cfg(test)]
mod tests;
