//! The API keys of one tenant.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use engine::documents::Error;
use engine::store::{Scan, Write, pages};
use tmf::time::Timestamp;
use tokio::sync::Mutex;

use super::KeyError;
use super::record::{Names, NewKey, NotAKey, Record, Request, State};
use super::token::{Hashed, KeyId, Token};
use crate::access::narrow::{Narrowing, NarrowingError};
use crate::access::{Identity, Permission, Proof, Roles};
use crate::documents::{Documents, Session};

/// Max keys of a tenant that are valid at one time.
pub const KEYS_MAX: usize = 1_000;

/// Max keys that are kept after their end, for the list.
const ENDED_MAX: usize = 1_000;

/// The time between two writes of when a key was used.
const USE_MS: u64 = 3_600_000;

/// Keys that are read from the store at once.
const FACTS_AT_ONCE: usize = 256;

/// The keys of a tenant.
pub struct Ring {
    documents: Documents,
    tenant: Option<String>,
    keys: RwLock<BTreeMap<KeyId, Arc<Key>>>,
    /// One change at a time, so that limits hold and no change is lost.
    changing: Mutex<()>,
}

struct Key {
    record: Record,
    hashed: Hashed,
    identity: Arc<Identity>,
    /// When it was used last, in milliseconds since 1970; 0 if never.
    used: AtomicI64,
}

/// A key as it is listed.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: KeyId,
    pub record: Record,
    pub used: Option<Timestamp>,
    pub state: State,
}

/// What became of a request for a key.
pub enum Made {
    New(Token, Shown),
    /// The same request made it before; its secret was shown then.
    Before(Shown),
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Wrong(#[from] NotAKey),
    #[error(transparent)]
    Scope(#[from] NarrowingError),
    #[error("there are {KEYS_MAX} keys, which is the limit: revoke those that are not needed")]
    TooMany,
    /// The client's `Idempotency-Key` was used with another body.
    #[error("the request differs from the first with its key")]
    Reused,
    #[error("a key of another maker has or had this name: choose another one")]
    Taken,
    #[error("no random bytes can be drawn")]
    Random(#[source] getrandom::Error),
    #[error("the key cannot be written")]
    Text(#[source] serde_json::Error),
    #[error("the store failed")]
    Store(#[from] Error),
}

/// What became of a request to revoke a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Done,
    Unknown,
}

impl Ring {
    /// The keys in a tenant's store, before they are read.
    pub fn new(documents: Documents, tenant: Option<String>) -> Self {
        let (keys, changing) = (RwLock::default(), Mutex::default());
        Self { documents, tenant, keys, changing }
    }

    /// Reads all keys. Roles and scopes that do not exist any more are logged, and allow nothing.
    pub async fn load(&self, roles: &Roles, known: &[Permission]) -> Result<(), Error> {
        let read = self.documents.read(read_all);
        for (id, record, used) in read.await? {
            for role in record.roles.iter().filter(|role| !roles.knows(role)) {
                tracing::warn!(key = %id, %role, "an API key has a role that is not there any more");
            }
            let only = Narrowing::read(&record.scope, known).unwrap_or_else(|error| {
                tracing::error!(key = %id, %error, "the scope of an API key cannot be read: revoke it");
                Some(Narrowing::nothing(&record.scope))
            });
            let key = Key::new(&id, record, self.tenant.to_owned(), only);
            key.used.store(used.0, Ordering::Relaxed);
            self.put(id, Arc::new(key));
        }
        Ok(())
    }

    fn put(&self, id: KeyId, key: Arc<Key>) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(id, key);
    }

    /// The identity that a key proves.
    pub(super) fn identify(&self, token: &Token) -> Result<Arc<Identity>, KeyError> {
        let found = self.find(&token.id);
        let known = found.as_ref().map_or(Hashed::NONE, |key| key.hashed);
        let is_right = token.hashed().is(&known);
        let key = found.ok_or(KeyError::Unknown)?;
        if !is_right {
            return Err(KeyError::Secret);
        }
        let now = self.documents.engine().now();
        match key.record.state(now) {
            State::Active => {}
            State::Expired => return Err(KeyError::Expired),
            State::Revoked => return Err(KeyError::Revoked),
        }
        self.note_use(&token.id, &key, now);
        Ok(Arc::clone(&key.identity))
    }

    /// Whether a key is still valid.
    pub(super) fn stands(&self, id: &str) -> bool {
        let key = KeyId::read(id).and_then(|id| self.find(&id));
        let now = self.documents.engine().now();
        key.is_some_and(|key| key.record.state(now) == State::Active)
    }

    /// The identity that a key of this name proves now: that of the key with this id, or of the newest
    /// one that is valid.
    pub(in crate::access) fn identity_of(&self, id: &str, name: &str) -> Option<Arc<Identity>> {
        let now = self.documents.engine().now();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let is_valid = |key: &&Arc<Key>| key.record.state(now) == State::Active;
        let same = KeyId::read(id).and_then(|id| keys.get(&id)).filter(is_valid);
        let valid = || keys.values().filter(is_valid);
        let newest = || {
            let named = valid().filter(|key| key.identity.subject == name);
            named.max_by_key(|key| key.record.created)
        };
        same.or_else(newest).map(|key| Arc::clone(&key.identity))
    }

    fn find(&self, id: &KeyId) -> Option<Arc<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(id).map(Arc::clone)
    }

    /// Notes that a key is used, at most once an hour. A use that is lost with a crash is noted with the
    /// next.
    fn note_use(&self, id: &KeyId, key: &Key, now: Timestamp) {
        let before = key.used.load(Ordering::Relaxed);
        if now.ms_since(Timestamp(before)) < USE_MS {
            return;
        }
        let noted = key.used.compare_exchange(before, now.0, Ordering::Relaxed, Ordering::Relaxed);
        if noted.is_ok() {
            let write = (engine::keys::api_key_use(id.as_str()), Some(now.0.to_string().into()));
            drop(self.documents.engine().append(vec![write], Vec::new()));
        }
    }

    /// Makes a key. When this returns it is on disk.
    pub async fn make(&self, new: NewKey, known: &[Permission]) -> Result<Made, MakeError> {
        new.check()?;
        let only = Narrowing::read(&new.scope, known)?;
        let _changing = self.changing.lock().await;
        if let Some(before) = self.made_by(new.request.as_ref())? {
            return Ok(Made::Before(before));
        }
        self.check_name(&new)?;
        let now = self.documents.engine().now();
        let ended = self.room(now)?;
        let token = Token::draw().map_err(MakeError::Random)?;
        let record = new.record(&token, now);
        let mut writes = vec![record.fact(&token.id).map_err(MakeError::Text)?];
        writes.extend(ended.iter().flat_map(removal));
        self.documents.engine().append(writes, Vec::new()).await?;
        let shown = Shown {
            id: token.id.to_owned(),
            record: record.to_owned(),
            used: None,
            state: State::Active,
        };
        let key = Key::new(&token.id, record, self.tenant.to_owned(), only);
        self.put(token.id.to_owned(), Arc::new(key));
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|id, _| !ended.contains(id));
        Ok(Made::New(token, shown))
    }

    /// The key that the same request made before.
    fn made_by(&self, request: Option<&Request>) -> Result<Option<Shown>, MakeError> {
        let Some(request) = request else { return Ok(None) };
        let is_it = |shown: &Shown| {
            shown.record.request.as_ref().is_some_and(|first| first.key == request.key)
        };
        let Some(first) = self.list().into_iter().find(is_it) else { return Ok(None) };
        if first.record.request.as_ref() == Some(request) {
            Ok(Some(first))
        } else {
            Err(MakeError::Reused)
        }
    }

    /// Refuses a name that a key of another maker has or had: what belongs to that name, such as subscriptions
    /// and idempotency keys, would belong to the new one too.
    fn check_name(&self, new: &NewKey) -> Result<(), MakeError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut named = keys.values().filter(|key| key.record.name == new.name.trim());
        match new.names {
            Names::All => Ok(()),
            Names::Own if named.all(|key| key.record.created_by == new.created_by) => Ok(()),
            Names::Own => Err(MakeError::Taken),
        }
    }

    /// The ended keys that make room for a new one.
    fn room(&self, now: Timestamp) -> Result<Vec<KeyId>, MakeError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let is_active = |key: &Key| key.record.state(now) == State::Active;
        let mut ended: Vec<(Timestamp, &KeyId)> = keys
            .iter()
            .filter(|(_, key)| !is_active(key))
            .map(|(id, key)| (key.record.revoked.unwrap_or(key.record.expires), id))
            .collect();
        if keys.len() - ended.len() >= KEYS_MAX {
            return Err(MakeError::TooMany);
        }
        ended.sort();
        let surplus = (ended.len() + 1).saturating_sub(ENDED_MAX);
        Ok(ended.into_iter().take(surplus).map(|(_, id)| id.to_owned()).collect())
    }

    /// Revokes a key: it stops at once. When this returns that is on disk. What is revoked stays so.
    pub async fn revoke(&self, id: &KeyId) -> Result<Revoked, MakeError> {
        let _changing = self.changing.lock().await;
        let Some(key) = self.find(id) else { return Ok(Revoked::Unknown) };
        if key.record.revoked.is_some() {
            return Ok(Revoked::Done);
        }
        let mut record = key.record.to_owned();
        record.revoked = Some(self.documents.engine().now());
        let write = record.fact(id).map_err(MakeError::Text)?;
        let used = AtomicI64::new(key.used.load(Ordering::Relaxed));
        let identity = Arc::clone(&key.identity);
        let ended = Arc::new(Key { record, hashed: key.hashed, identity, used });
        // First in memory: a key that may be revoked lets no one in.
        self.put(id.to_owned(), ended);
        self.documents.engine().append(vec![write], Vec::new()).await?;
        Ok(Revoked::Done)
    }

    /// All keys, the newest first.
    pub fn list(&self) -> Vec<Shown> {
        let now = self.documents.engine().now();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let shown = keys.iter().map(|(id, key)| Shown {
            id: id.to_owned(),
            record: key.record.to_owned(),
            used: Some(Timestamp(key.used.load(Ordering::Relaxed))).filter(|used| used.0 > 0),
            state: key.record.state(now),
        });
        let mut all: Vec<Shown> = shown.collect();
        all.sort_by_key(|shown| std::cmp::Reverse(shown.record.created));
        all
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Ring")
    }
}

impl Key {
    fn new(id: &KeyId, record: Record, tenant: Option<String>, only: Option<Narrowing>) -> Self {
        let identity = Identity {
            subject: record.name.to_owned(),
            proof: Proof::Key { id: id.to_string() },
            tenant,
            roles: record.roles.to_owned(),
            plugins: record.plugins.to_owned(),
            claims: BTreeMap::new(),
            only,
            until: Some(record.expires),
            entry: None,
        };
        let hashed = record.hashed().unwrap_or(Hashed::NONE);
        Self { record, hashed, identity: Arc::new(identity), used: AtomicI64::new(0) }
    }
}

/// Removes all facts of a key.
fn removal(id: &KeyId) -> [Write; 2] {
    [(engine::keys::api_key(id.as_str()), None), (engine::keys::api_key_use(id.as_str()), None)]
}

/// All keys, with when each was used last.
fn read_all(session: &Session) -> Result<Vec<(KeyId, Record, Timestamp)>, Error> {
    let mut all = Vec::new();
    for page in pages(session.store(), Scan::prefix(engine::keys::API_KEYS, FACTS_AT_ONCE)) {
        for fact in page? {
            let Some((id, record)) = Record::read(&fact) else {
                let key = String::from_utf8_lossy(&fact.0).into_owned();
                tracing::error!(key, "an API key cannot be read, so it proves nothing");
                continue;
            };
            let used = session.store().get(&engine::keys::api_key_use(id.as_str()))?;
            let used = used.and_then(|used| std::str::from_utf8(&used).ok()?.parse().ok());
            all.push((id, record, Timestamp(used.unwrap_or_default())));
        }
    }
    Ok(all)
}
