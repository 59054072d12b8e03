//! What is demanded of the claims of a token whose signature is right (RFC 7519, RFC 8725, RFC 9068).

use std::sync::Arc;

use tmf::time::Timestamp;

use super::compact::Header;
use crate::access::claims::Claims;

/// The latest time of a claim, in seconds: the end of the year 9999.
const SECONDS_MAX: u64 = 253_402_300_799;

/// Claims that only ID tokens have: hashes of what they were given out with.
const OF_ID_TOKENS: [&str; 3] = ["at_hash", "c_hash", "s_hash"];

/// The types that providers write into claims of tokens that are no access tokens.
const OTHER_TYPES: [&str; 5] = ["ID", "Refresh", "Offline", "Logout", "Registration"];

/// What tokens of an issuer must claim.
#[derive(Clone, Debug)]
pub struct Policy {
    pub issuer: Arc<str>,
    /// Whom tokens are meant for: one of these.
    pub audience: Vec<String>,
    /// By how much clocks may differ, in seconds.
    pub skew_s: u64,
}

/// Why claims prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    #[error("`{0}` is missing, or no whole number of seconds since 1970")]
    Time(&'static str),
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    Premature,
    #[error("it was issued in the future")]
    Future,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is meant for others: `aud` has none of the audiences")]
    Audience,
    #[error("it is no access token")]
    Kind,
    #[error("it is bound to a key of its client (`cnf`), which is not checked here")]
    Bound,
}

impl Policy {
    /// Checks claims; returns until when they count.
    pub(super) fn check(
        &self,
        header: &Header,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<Timestamp, ClaimError> {
        if claims.get("iss").and_then(|issuer| issuer.as_str()) != Some(&*self.issuer) {
            return Err(ClaimError::Issuer);
        }
        if !self.is_meant(claims) {
            return Err(ClaimError::Audience);
        }
        if is_other(header, claims) {
            return Err(ClaimError::Kind);
        }
        if claims.contains_key("cnf") {
            return Err(ClaimError::Bound);
        }
        let now_s = u64::try_from(now.0.div_euclid(1_000)).unwrap_or(0);
        let until_s = seconds(claims, "exp")?.ok_or(ClaimError::Time("exp"))? + self.skew_s;
        if until_s <= now_s {
            return Err(ClaimError::Expired);
        }
        if seconds(claims, "nbf")?.is_some_and(|begin| begin > now_s + self.skew_s) {
            return Err(ClaimError::Premature);
        }
        if seconds(claims, "iat")?.is_some_and(|issued| issued > now_s + self.skew_s) {
            return Err(ClaimError::Future);
        }
        Ok(Timestamp(0).plus_ms(until_s.saturating_mul(1_000)))
    }

    /// Whether one of the audiences is named, by a text or in a list of texts.
    fn is_meant(&self, claims: &Claims) -> bool {
        let is_ours = |text: &str| self.audience.iter().any(|own| own == text);
        let Some(audience) = claims.get("aud") else { return false };
        match audience.as_array() {
            Some(list) => {
                list.iter().all(|one| one.is_string())
                    && list.iter().filter_map(|one| one.as_str()).any(is_ours)
            }
            None => audience.as_str().is_some_and(is_ours),
        }
    }
}

/// Whether it is another kind of token than one for access, as far as that can be told: an ID token has
/// hashes or a type that access tokens do not have. One that is marked `at+jwt` is an access token.
fn is_other(header: &Header, claims: &Claims) -> bool {
    if header.is_access_token() {
        return false;
    }
    let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
    OF_ID_TOKENS.iter().any(|name| claims.contains_key(*name))
        || claims.contains_key("events")
        || text("typ")
            .is_some_and(|typ| OTHER_TYPES.iter().any(|one| typ.eq_ignore_ascii_case(one)))
        || text("token_use").is_some_and(|usage| usage != "access")
}

/// A time in whole seconds.
fn seconds(claims: &Claims, name: &'static str) -> Result<Option<u64>, ClaimError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let time = value.as_u64().filter(|time| *time <= SECONDS_MAX);
            time.map(Some).ok_or(ClaimError::Time(name))
        }
    }
}
