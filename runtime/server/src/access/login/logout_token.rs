//! Logout tokens, by which a provider ends sessions (OpenID Connect Back-Channel Logout 1.0).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm, JsonWebKeyUse as _};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tmf::time::Timestamp;

use super::provider::ALGORITHMS;
use crate::access::role::OneOrMore;

/// The event that a logout token is about.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How old a token may be, and how far in the future, in seconds.
const AGE_S: i64 = 300;
const SKEW_S: i64 = 60;

/// Max bytes of a token, and of its id.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;
const JTI_BYTES_MAX: usize = 256;

/// Max ids of tokens that are remembered.
const USED_MAX: usize = 10_000;

/// Whose sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The user; all of their sessions if there is no `sid`.
    pub subject: Option<String>,
    /// The session, by the id that the provider knows.
    pub sid: Option<String>,
}

/// Why a token ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALogout {
    #[error("it has not the form of a signed token")]
    Form,
    #[error("its algorithm is not taken")]
    Algorithm,
    #[error("its type is that of another token")]
    Type,
    #[error("no key of the provider has made its signature")]
    Signature,
    #[error("its issuer is another")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("it is too old, expired, or from the future")]
    Time,
    #[error("it has no id, or was used before")]
    Used,
    #[error("it is not about a logout")]
    Event,
    #[error("it has a nonce, as tokens of logins have")]
    Nonce,
    #[error("it names neither a user nor a session")]
    NoOne,
}

/// The ids of tokens that were used, with the times until which they are remembered.
#[derive(Default)]
pub struct Used(Mutex<BTreeMap<String, Timestamp>>);

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: OneOrMore,
    iat: i64,
    exp: Option<i64>,
    #[serde(default)]
    jti: String,
    #[serde(default)]
    events: BTreeMap<String, IgnoredAny>,
    nonce: Option<IgnoredAny>,
    sub: Option<String>,
    sid: Option<String>,
}

/// Who sends a token, and to whom.
pub struct Parties<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub keys: &'a CoreJsonWebKeySet,
}

/// Whose sessions a token ends.
pub fn read(
    token: &str,
    parties: &Parties<'_>,
    used: &Used,
    now: Timestamp,
) -> Result<Named, NotALogout> {
    let payload = verified(token, parties.keys)?;
    if payload.iss != parties.issuer {
        return Err(NotALogout::Issuer);
    }
    if !payload.aud.texts().iter().any(|audience| audience == parties.client) {
        return Err(NotALogout::Audience);
    }
    let (now_s, iat) = (now.0 / 1_000, payload.iat);
    let is_now = (now_s.saturating_sub(AGE_S)..=now_s.saturating_add(SKEW_S)).contains(&iat);
    if !is_now || payload.exp.is_some_and(|exp| exp <= now_s.saturating_sub(SKEW_S)) {
        return Err(NotALogout::Time);
    }
    if !payload.events.contains_key(EVENT) {
        return Err(NotALogout::Event);
    }
    if payload.nonce.is_some() {
        return Err(NotALogout::Nonce);
    }
    if payload.sub.is_none() && payload.sid.is_none() {
        return Err(NotALogout::NoOne);
    }
    used.take(payload.jti, now)?;
    Ok(Named { subject: payload.sub, sid: payload.sid })
}

/// The payload of a token, whose signature is checked before anything of it is believed.
fn verified(token: &str, keys: &CoreJsonWebKeySet) -> Result<Payload, NotALogout> {
    let pieces: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = pieces.as_slice() else { return Err(NotALogout::Form) };
    if token.len() > TOKEN_BYTES_MAX {
        return Err(NotALogout::Form);
    }
    let bytes = |piece: &str| URL_SAFE_NO_PAD.decode(piece).map_err(|_| NotALogout::Form);
    let header_bytes = bytes(header)?;
    let read: Header = serde_json::from_slice(&header_bytes).map_err(|_| NotALogout::Form)?;
    if !ALGORITHMS.contains(&read.alg) || read.crit.is_some() {
        return Err(NotALogout::Algorithm);
    }
    let kind = read.typ.as_deref().unwrap_or("JWT");
    if !["JWT", "logout+jwt"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Err(NotALogout::Type);
    }
    let signature = bytes(signature)?;
    let message = token.rsplit_once('.').map_or("", |(message, _)| message);
    let mut keys = keys.keys().iter().filter(|key| is_usable(key, &read));
    let is_signed = |key: &CoreJsonWebKey| {
        key.verify_signature(&read.alg, message.as_bytes(), &signature).is_ok()
    };
    if !keys.any(is_signed) {
        return Err(NotALogout::Signature);
    }
    serde_json::from_slice(&bytes(payload)?).map_err(|_| NotALogout::Form)
}

/// Whether a key may have made the signature under a header.
fn is_usable(key: &CoreJsonWebKey, header: &Header) -> bool {
    let is_named =
        header.kid.as_ref().is_none_or(|kid| key.key_id().is_some_and(|id| **id == *kid));
    let is_for_signatures = key.key_use().is_none_or(|it| it.allows_signature());
    let is_for_algorithm = match key.signing_alg() {
        JsonWebKeyAlgorithm::Algorithm(algorithm) => *algorithm == header.alg,
        JsonWebKeyAlgorithm::Unspecified => true,
        JsonWebKeyAlgorithm::Unsupported => false,
    };
    is_named && is_for_signatures && is_for_algorithm
}

impl Used {
    /// Takes an id into use, once.
    fn take(&self, jti: String, now: Timestamp) -> Result<(), NotALogout> {
        if jti.is_empty() || jti.len() > JTI_BYTES_MAX {
            return Err(NotALogout::Used);
        }
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| now < *until);
        // Only tokens of the provider come this far. Should it send too many, the rest waits for its turn.
        if used.len() >= USED_MAX || used.contains_key(&jti) {
            return Err(NotALogout::Used);
        }
        let remembered_ms = u64::try_from(AGE_S + 2 * SKEW_S).unwrap_or_default() * 1_000;
        used.insert(jti, now.plus_ms(remembered_ms));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
