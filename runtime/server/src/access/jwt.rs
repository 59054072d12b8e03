//! Bearer tokens of issuers: JWTs (RFC 7519) that are signed with a key of their issuer and meant for
//! Ferrule. A verified token is remembered for a while, so that a request with one costs little more than
//! a request without.

mod cache;
mod checks;
mod compact;

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tmf::time::Timestamp;

pub use checks::{ClaimError, Policy};
pub use compact::{FormError, TOKEN_BYTES_MAX};

use self::cache::{Cache, Known};
use self::compact::Compact;
use super::claims::{ClaimRules, ClaimsError};
use super::identity::SUBJECT_BYTES_MAX;
use super::jwks::{Algorithm, Keys, NoKey};
use super::{Identity, Proof};

/// An issuer whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name in the settings.
    pub name: String,
    pub policy: Policy,
    pub algorithms: Vec<Algorithm>,
    /// The claim with the subject.
    pub subject_claim: String,
    pub rules: ClaimRules,
    pub keys: Keys,
}

/// The issuers, by what tokens call them.
#[derive(Debug, Default)]
pub struct Issuers {
    issuers: BTreeMap<Arc<str>, Issuer>,
    verified: Cache,
}

/// Why a token proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("its issuer is not set up here")]
    Issuer,
    #[error("`{issuer}` does not sign by {algorithm:?} here")]
    Algorithm { issuer: String, algorithm: String },
    #[error("`{issuer}`: {reason}")]
    Key { issuer: String, reason: NoKey },
    #[error("the signature is wrong for the keys of `{0}`")]
    Signature(String),
    #[error("`{issuer}`: {reason}")]
    Claim { issuer: String, reason: ClaimError },
    #[error("`{issuer}`: {reason}")]
    Claims { issuer: String, reason: ClaimsError },
    #[error("`{issuer}`: the claim `{claim}` with the subject is missing, empty or too long")]
    Subject { issuer: String, claim: String },
}

impl Issuers {
    /// These issuers. Each has another name in its tokens.
    pub fn new(issuers: Vec<Issuer>) -> Self {
        let by_name = issuers.into_iter().map(|issuer| (Arc::clone(&issuer.policy.issuer), issuer));
        Self { issuers: by_name.collect(), verified: Cache::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.issuers.is_empty()
    }

    /// Fetches the keys of all issuers, for the first requests.
    pub async fn fetch(&self, now: Timestamp) {
        for issuer in self.issuers.values() {
            issuer.keys.fetch_once(now).await;
        }
    }

    /// The identity that a token proves.
    pub async fn identify(&self, token: &str, now: Timestamp) -> Result<Arc<Identity>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(FormError::TooLong.into());
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(known) = self.verified.get(&hash)
            && self.still_counts(&known, now)
        {
            return Ok(known.identity);
        }
        let compact = Compact::read(token)?;
        let issuer = self.issuers.get(compact.issuer()).ok_or(TokenError::Issuer)?;
        let generation = issuer.verify(&compact, now).await?;
        let identity = Arc::new(issuer.identity(compact, now)?);
        let known = Known {
            identity: Arc::clone(&identity),
            issuer: Arc::clone(&issuer.policy.issuer),
            generation,
        };
        self.verified.put(hash, known);
        Ok(identity)
    }

    /// Whether what was verified is still so: it has not expired, and the keys are the same.
    fn still_counts(&self, known: &Known, now: Timestamp) -> bool {
        let Some(issuer) = self.issuers.get(&known.issuer) else { return false };
        let current = issuer.keys.current(now);
        current.generation == known.generation
            && current.counts(now)
            && known.identity.until.is_some_and(|until| now < until)
    }
}

impl Issuer {
    /// Checks the signature of a token; returns the generation of the keys.
    async fn verify(&self, compact: &Compact<'_>, now: Timestamp) -> Result<u64, TokenError> {
        let issuer = || self.name.to_owned();
        let named = Algorithm::named(&compact.header.alg);
        let Some(algorithm) = named.filter(|named| self.algorithms.contains(named)) else {
            let algorithm = compact.header.alg.chars().take(16).collect();
            return Err(TokenError::Algorithm { issuer: issuer(), algorithm });
        };
        let found = self.keys.find(compact.header.kid.as_deref(), algorithm, now).await;
        let (keys, generation) =
            found.map_err(|reason| TokenError::Key { issuer: issuer(), reason })?;
        let is_right =
            keys.iter().any(|key| key.verifies(algorithm, compact.signed, &compact.signature));
        if is_right { Ok(generation) } else { Err(TokenError::Signature(issuer())) }
    }

    /// The identity of a token whose signature is right.
    fn identity(&self, compact: Compact<'_>, now: Timestamp) -> Result<Identity, TokenError> {
        let issuer = || self.name.to_owned();
        let Compact { header, claims, .. } = compact;
        let until = self.policy.check(&header, &claims, now);
        let until = until.map_err(|reason| TokenError::Claim { issuer: issuer(), reason })?;
        let granted = self.rules.read(&claims);
        let granted = granted.map_err(|reason| TokenError::Claims { issuer: issuer(), reason })?;
        let subject = claims.get(&self.subject_claim).and_then(|subject| subject.as_str());
        let is_subject = |subject: &&str| {
            !subject.trim().is_empty()
                && subject.len() <= SUBJECT_BYTES_MAX
                && !subject.chars().any(char::is_control)
        };
        let Some(subject) = subject.filter(is_subject).map(str::to_owned) else {
            let claim = self.subject_claim.to_owned();
            return Err(TokenError::Subject { issuer: issuer(), claim });
        };
        Ok(Identity {
            subject,
            proof: Proof::Token { issuer: issuer() },
            tenant: granted.tenant,
            roles: granted.roles,
            plugins: granted.plugins,
            claims,
            only: None,
            until: Some(until),
            entry: None,
        })
    }
}

#[cfg(test)]
mod tests;
