//! The sessions, and what ends them. Pure: it is given the time, and collects what is to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::keys;
use engine::store::Write;
use model::Digest;
use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use crate::access::claims::Claims;
use crate::access::secret::Hash;
use crate::access::{Identity, Proof, RoleName};

/// Max sessions.
const SESSIONS_MAX: usize = 10_000;

/// Max sessions of one person; the oldest ends when another begins.
const SESSIONS_OF_ONE_MAX: usize = 10;

/// How old the time of the last use on disk may be, in milliseconds.
const USE_WRITTEN_MS: u64 = 60_000;

/// Characters of a hash that are the id of the session.
const ID_CHARS: usize = 24;

/// How long sessions go on.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// From the login, in milliseconds.
    pub whole_ms: u64,
    /// From the last use, in milliseconds.
    pub idle_ms: u64,
}

/// A session as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// Who logged in, by the name that the issuer knows.
    pub subject: String,
    /// How they are called on pages.
    pub name: String,
    /// The URL of the provider, or [`LOCAL`].
    pub issuer: String,
    pub tenant: Option<String>,
    pub roles: BTreeSet<RoleName>,
    pub plugins: BTreeSet<String>,
    pub claims: Claims,
    pub begun: Timestamp,
    pub provider: Option<Provider>,
    /// The digest of the entry of the user file that proved it; none for a login at a provider.
    #[serde(default)]
    pub entry: Option<Digest>,
}

/// The issuer of the sessions of local users: the URL of no provider.
pub const LOCAL: &str = "local";

/// What is kept of a login at a provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct Provider {
    /// Its id of the session.
    pub sid: Option<String>,
    /// The ID token, if it is needed for the logout.
    pub id_token: Option<String>,
}

/// A session as administrators see it.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub record: Arc<Record>,
    pub used: Timestamp,
    pub ends: Timestamp,
}

impl Record {
    /// Whether it began with the password of a user of the file.
    pub fn is_local(&self) -> bool {
        self.issuer == LOCAL
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Record {}

/// There are too many sessions.
#[derive(Debug, thiserror::Error)]
#[error("there are {SESSIONS_MAX} sessions already")]
pub struct Full;

/// All sessions by the hashes of their secrets.
pub(super) struct Table {
    life: Life,
    sessions: BTreeMap<Hash, Session>,
    writes: Vec<Write>,
}

struct Session {
    record: Arc<Record>,
    identity: Arc<Identity>,
    used: Timestamp,
    /// The last use that is on disk.
    written: Timestamp,
}

impl Life {
    /// Whether a session is over.
    fn is_over(self, begun: Timestamp, used: Timestamp, now: Timestamp) -> bool {
        now.ms_since(begun) >= self.whole_ms || now.ms_since(used) >= self.idle_ms
    }

    /// When a session ends if it is not used again.
    fn end(self, begun: Timestamp, used: Timestamp) -> Timestamp {
        begun.plus_ms(self.whole_ms).min(used.plus_ms(self.idle_ms))
    }
}

/// The id of a session, which is no secret.
pub(super) fn id_of(hash: &Hash) -> &str {
    hash.as_str().get(..ID_CHARS).unwrap_or_default()
}

impl Table {
    pub(super) fn new(life: Life) -> Self {
        Self { life, sessions: BTreeMap::new(), writes: Vec::new() }
    }

    /// Puts a session in that was stored.
    pub(super) fn restore(&mut self, hash: Hash, record: Record) {
        let session = Session::new(&hash, record, self.life);
        self.sessions.insert(hash, session);
    }

    /// Puts in the last use of a session that was stored.
    pub(super) fn restore_use(&mut self, hash: &Hash, used: Timestamp) {
        match self.sessions.get_mut(hash) {
            Some(session) => (session.used, session.written) = (used, used),
            None => self.forget(hash),
        }
    }

    /// Removes the facts of a session.
    pub(super) fn forget(&mut self, hash: &Hash) {
        self.writes.push((keys::session(hash.as_str()), None));
        self.writes.push((keys::session_use(hash.as_str()), None));
    }

    /// Begins a session. Those that are over make room, and the oldest of the same person.
    pub(super) fn begin(&mut self, hash: Hash, record: Record, now: Timestamp) -> Result<(), Full> {
        self.end_expired(now);
        let is_same = |other: &Record| {
            other.subject == record.subject
                && other.issuer == record.issuer
                && other.tenant == record.tenant
        };
        let own = self.sessions.iter().filter(|(_, session)| is_same(&session.record));
        let mut own: Vec<_> =
            own.map(|(hash, session)| (session.record.begun, hash.to_owned())).collect();
        own.sort();
        let excess = (own.len() + 1).saturating_sub(SESSIONS_OF_ONE_MAX);
        let oldest: BTreeSet<_> = own.into_iter().take(excess).map(|(_, hash)| hash).collect();
        self.end(|hash, _| oldest.contains(hash));
        if self.sessions.len() >= SESSIONS_MAX {
            return Err(Full);
        }
        let bytes = serde_json::to_vec(&record).expect("a session has texts and times only");
        self.writes.push((keys::session(hash.as_str()), Some(bytes)));
        self.restore(hash, record);
        Ok(())
    }

    /// Whose session it is; it is used now.
    pub(super) fn identify(&mut self, hash: &Hash, now: Timestamp) -> Option<Arc<Identity>> {
        let life = self.life;
        let session = self.sessions.get_mut(hash)?;
        if life.is_over(session.record.begun, session.used, now) {
            self.end(|other, _| other == hash);
            return None;
        }
        session.used = session.used.max(now);
        if now.ms_since(session.written) >= USE_WRITTEN_MS.min(life.idle_ms / 4) {
            session.written = now;
            let bytes = now.0.to_be_bytes().to_vec();
            self.writes.push((keys::session_use(hash.as_str()), Some(bytes)));
        }
        Some(Arc::clone(&session.identity))
    }

    pub(super) fn record(&self, hash: &Hash, now: Timestamp) -> Option<Arc<Record>> {
        let session = self.sessions.get(hash).filter(|session| self.goes_on(session, now))?;
        Some(Arc::clone(&session.record))
    }

    pub(super) fn has(&self, id: &str, now: Timestamp) -> bool {
        let mut sessions = self.sessions.iter();
        sessions.any(|(hash, session)| id_of(hash) == id && self.goes_on(session, now))
    }

    /// Ends some sessions; returns how many.
    pub(super) fn end(&mut self, is_ended: impl Fn(&Hash, &Record) -> bool) -> usize {
        let ended = self.sessions.iter().filter(|(hash, session)| is_ended(hash, &session.record));
        let ended: Vec<_> = ended.map(|(hash, _)| hash.to_owned()).collect();
        for hash in &ended {
            self.sessions.remove(hash);
            self.forget(hash);
        }
        ended.len()
    }

    /// Ends the sessions that are over.
    pub(super) fn end_expired(&mut self, now: Timestamp) {
        let over = self.sessions.iter().filter(|(_, session)| !self.goes_on(session, now));
        let over: BTreeSet<_> = over.map(|(hash, _)| hash.to_owned()).collect();
        self.end(|hash, _| over.contains(hash));
    }

    /// The sessions that go on, the latest first.
    pub(super) fn list(&self, now: Timestamp) -> Vec<Listed> {
        let sessions = self.sessions.iter().filter(|(_, session)| self.goes_on(session, now));
        let listed = sessions.map(|(hash, session)| Listed {
            id: id_of(hash).to_owned(),
            record: Arc::clone(&session.record),
            used: session.used,
            ends: self.life.end(session.record.begun, session.used),
        });
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by_key(|one| std::cmp::Reverse(one.record.begun));
        listed
    }

    pub(super) fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// What is to be written, once.
    pub(super) fn writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }

    fn goes_on(&self, session: &Session, now: Timestamp) -> bool {
        !self.life.is_over(session.record.begun, session.used, now)
    }
}

impl Session {
    fn new(hash: &Hash, record: Record, life: Life) -> Self {
        let (issuer, id) = (record.issuer.to_owned(), id_of(hash).to_owned());
        let identity = Identity {
            subject: record.subject.to_owned(),
            proof: Proof::Session { issuer, id },
            tenant: record.tenant.as_deref().map(str::to_owned),
            roles: record.roles.iter().map(|role| RoleName::new(role.as_str())).collect(),
            plugins: record.plugins.iter().map(String::to_owned).collect(),
            claims: record
                .claims
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            only: None,
            until: Some(record.begun.plus_ms(life.whole_ms)),
            entry: None,
        };
        let used = record.begun;
        Self { record: Arc::new(record), identity: Arc::new(identity), used, written: used }
    }
}

#[cfg(test)]
mod tests;
