//! What is kept of an API key.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use super::token::{Hashed, KeyId, Token};
use crate::access::RoleName;
use crate::access::identity::SUBJECT_BYTES_MAX;

/// A key as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub name: String,
    /// The SHA-256 of the secret in base64url.
    hash: String,
    pub roles: BTreeSet<RoleName>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub plugins: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    pub created: Timestamp,
    pub created_by: Creator,
    pub expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// The request that made it, if it had an `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
}

/// Who made a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Creator {
    pub subject: String,
    /// How it was proven.
    pub proof: String,
}

/// A request that can be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The client's key, with who sent it.
    pub key: String,
    /// The digest of its body.
    pub digest: String,
}

/// The wish for a new key.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub name: String,
    pub roles: BTreeSet<RoleName>,
    pub plugins: BTreeSet<String>,
    pub scope: Vec<String>,
    pub days: u64,
    pub created_by: Creator,
    /// The names that its maker may choose from.
    pub names: Names,
    pub request: Option<Request>,
}

/// The names that a maker of keys may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Administrators may replace the keys of all.
    All,
    /// Those that no key of another maker has or had.
    Own,
}

/// Days for which a key is valid, by default.
pub const DAYS: u64 = 90;

/// Max days for which a key is valid.
pub const DAYS_MAX: u64 = 730;

const DAY_MS: u64 = 86_400_000;

/// Why a key cannot be made as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    #[error("a name has 1 to {SUBJECT_BYTES_MAX} bytes without control characters")]
    Name,
    #[error("a key has at least one role")]
    NoRole,
    #[error("a key is valid for 1 to {DAYS_MAX} days")]
    Days,
}

impl NotAKey {
    /// The attribute that is wrong.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NoRole => "roles",
            Self::Days => "days",
        }
    }
}

/// The state of a key at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Active,
    Expired,
    Revoked,
}

impl NewKey {
    /// Checks what does not depend on settings or on who asks.
    pub fn check(&self) -> Result<(), NotAKey> {
        let name = self.name.trim();
        let is_name = !name.is_empty() && name.len() <= SUBJECT_BYTES_MAX;
        if !is_name || name.chars().any(char::is_control) {
            return Err(NotAKey::Name);
        }
        if self.roles.is_empty() {
            return Err(NotAKey::NoRole);
        }
        if (1..=DAYS_MAX).contains(&self.days) { Ok(()) } else { Err(NotAKey::Days) }
    }

    /// The record of it.
    pub fn record(self, token: &Token, now: Timestamp) -> Record {
        let Self { name, roles, plugins, scope, days, created_by, names: _, request } = self;
        Record {
            name: name.trim().to_owned(),
            hash: token.hashed().text(),
            roles,
            plugins,
            scope,
            created: now,
            created_by,
            expires: now.plus_ms(days.saturating_mul(DAY_MS)),
            revoked: None,
            request,
        }
    }
}

impl Record {
    /// The hash of its secret; `None` if the record is damaged.
    pub fn hashed(&self) -> Option<Hashed> {
        Hashed::read(&self.hash)
    }

    pub fn state(&self, now: Timestamp) -> State {
        match self.revoked {
            Some(_) => State::Revoked,
            None if self.expires <= now => State::Expired,
            None => State::Active,
        }
    }

    /// As a fact of the store.
    pub fn fact(&self, id: &KeyId) -> Result<(Vec<u8>, Option<Vec<u8>>), serde_json::Error> {
        Ok((engine::keys::api_key(id.as_str()), Some(serde_json::to_vec(self)?)))
    }

    /// Reads a fact of the store; `None` if it is damaged.
    pub fn read((key, value): &(Vec<u8>, Vec<u8>)) -> Option<(KeyId, Self)> {
        let id = std::str::from_utf8(key.strip_prefix(engine::keys::API_KEYS)?).ok()?;
        let record: Self = serde_json::from_slice(value).ok()?;
        record.hashed()?;
        Some((KeyId::read(id)?, record))
    }
}
