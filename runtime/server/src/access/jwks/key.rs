//! A public key, and the check of a signature by it. The arithmetic is that of `ring`, which TLS uses too.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::algorithm::Algorithm;

/// The bits that the modulus of an RSA key may have.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// A key as it stands in a JWK set (RFC 7517). Other members are ignored, private parts too.
#[derive(Debug, Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// A public key of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    pub kid: Option<String>,
    /// The only algorithm that it is for, if it names one.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point, uncompressed.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why a key of a set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unused {
    #[error("it is not for signatures")]
    Purpose,
    #[error("its algorithm is not known here, or no asymmetric one")]
    Algorithm,
    #[error("its type or curve is not known here")]
    Kind,
    #[error("its numbers are missing or wrong")]
    Numbers,
}

impl Jwk {
    pub(super) fn read(self) -> Result<PublicKey, Unused> {
        let is_for_checks = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !is_for_checks {
            return Err(Unused::Purpose);
        }
        let algorithm = match &self.alg {
            None => None,
            Some(name) => Some(Algorithm::named(name).ok_or(Unused::Algorithm)?),
        };
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (number(self.n.as_ref())?, number(self.e.as_ref())?);
                let leading = n.first().map_or(0, |first| first.leading_zeros() as usize);
                let bits = (n.len() * 8).saturating_sub(leading);
                // `ring` refuses leading zeros.
                if !RSA_BITS.contains(&bits)
                    || n[0] == 0
                    || e.first().is_none_or(|first| *first == 0)
                {
                    return Err(Unused::Numbers);
                }
                Material::Rsa { n, e }
            }
            ("EC", Some("P-256")) => Material::P256(self.point(32)?),
            ("EC", Some("P-384")) => Material::P384(self.point(48)?),
            ("OKP", Some("Ed25519")) => {
                Material::Ed25519(number(self.x.as_ref()).and_then(|x| sized(x, 32))?)
            }
            _ => return Err(Unused::Kind),
        };
        let key = PublicKey { kid: self.kid, algorithm, material };
        match algorithm {
            Some(algorithm) if !key.fits(algorithm) => Err(Unused::Algorithm),
            _ => Ok(key),
        }
    }

    fn point(&self, bytes: usize) -> Result<Vec<u8>, Unused> {
        let x = sized(number(self.x.as_ref())?, bytes)?;
        let y = sized(number(self.y.as_ref())?, bytes)?;
        Ok([&[4], x.as_slice(), y.as_slice()].concat())
    }
}

fn number(text: Option<&String>) -> Result<Vec<u8>, Unused> {
    let bytes = text.and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
    bytes.ok_or(Unused::Numbers)
}

fn sized(bytes: Vec<u8>, length: usize) -> Result<Vec<u8>, Unused> {
    if bytes.len() == length { Ok(bytes) } else { Err(Unused::Numbers) }
}

impl PublicKey {
    /// Whether signatures by an algorithm can be checked by it.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        let is_kind = match (&self.material, algorithm) {
            (Material::Rsa { .. }, A::RS256 | A::RS384 | A::RS512)
            | (Material::Rsa { .. }, A::PS256 | A::PS384 | A::PS512)
            | (Material::P256(_), A::ES256)
            | (Material::P384(_), A::ES384)
            | (Material::Ed25519(_), A::EdDSA) => true,
            (Material::Rsa { .. }, A::ES256 | A::ES384 | A::EdDSA)
            | (Material::P256(_) | Material::P384(_) | Material::Ed25519(_), _) => false,
        };
        is_kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Whether a signature by an algorithm is right.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        let checked = match &self.material {
            Material::Rsa { n, e } => match rsa(algorithm) {
                Some(parameters) => {
                    RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
                }
                None => return false,
            },
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Material::P384(point) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            Material::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
        };
        checked.is_ok()
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => None,
    }
}
