//! Signs tokens as an issuer does, for tests.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use serde_json::{Value, json};

/// A key of RSA with 2,048 bits, for tests only: `ring` draws none.
const RSA: &[u8] = include_bytes!("signing/rsa.der");

/// A key of an issuer.
pub(crate) struct Signer {
    pub(crate) kid: String,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// Base64url, as in tokens.
pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub(crate) fn es256(kid: &str) -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let drawn = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, drawn.as_ref(), &random).unwrap();
        Self { kid: kid.into(), pair: Pair::Es256(pair) }
    }

    pub(crate) fn ed25519(kid: &str) -> Self {
        let drawn = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(drawn.as_ref()).unwrap();
        Self { kid: kid.into(), pair: Pair::Ed25519(pair) }
    }

    pub(crate) fn rsa(kid: &str) -> Self {
        let pair = RsaKeyPair::from_pkcs8(RSA).unwrap();
        Self { kid: kid.into(), pair: Pair::Rsa(Box::new(pair)) }
    }

    /// Its public key, in a JWK set.
    pub(crate) fn jwk(&self) -> Value {
        let mut key = match &self.pair {
            Pair::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()) })
            }
            Pair::Rsa(pair) => {
                let public: signature::RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({ "kty": "RSA", "n": encoded(public.n), "e": encoded(public.e) })
            }
        };
        key["kid"] = json!(self.kid);
        key["use"] = json!("sig");
        key
    }

    /// The default algorithm of its kind.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm(), "kid": self.kid, "typ": "JWT" });
        self.signed(&header.to_string(), &claims.to_string())
    }

    /// A token of a header and claims as they are written.
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let is_pss = header.contains("PS256");
        let signature = self.sign(message.as_bytes(), is_pss);
        format!("{message}.{}", encoded(signature))
    }

    fn sign(&self, message: &[u8], is_pss: bool) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn signature::RsaEncoding =
                    if is_pss { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}
