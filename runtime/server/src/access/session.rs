//! The sessions of people in browsers. Each is a secret of 256 bits in a cookie, of which only the hash is
//! kept, in memory and in the store. A session ends by a logout, at the provider, by an administrator, when
//! it was not used for some time, and some time after the login whatever happens.
//!
//! The table of sessions decides; its changes are written before they are answered.

mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Engine;
use engine::store::{Fact, Scan, pages};
use engine::{documents, keys};
use tmf::time::Timestamp;

use super::Identity;
use super::secret::{Hash, NoRandom, Secret};
use crate::documents::Documents;

pub use table::{Full, LOCAL, Life, Listed, Provider, Record};

use table::Table;

/// Facts that are read from the store at once.
const FACTS_AT_ONCE: usize = 256;

/// All sessions.
pub struct Sessions {
    engine: Engine,
    table: Mutex<Table>,
}

/// Why no session begins.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Full(#[from] Full),
    #[error(transparent)]
    Random(#[from] NoRandom),
    #[error("the session cannot be stored")]
    Store(#[from] documents::Error),
}

/// No session goes on with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is none with this secret, or it is over")]
pub struct NoSession;

impl Sessions {
    /// The sessions in the store of an engine, without those that are over and those that settings no
    /// longer allow.
    pub async fn open(
        documents: &Documents,
        life: Life,
        is_allowed: impl Fn(&Record) -> bool,
    ) -> Result<Self, documents::Error> {
        let mut table = Table::new(life);
        let engine = documents.engine();
        for (key, value) in facts(documents, keys::SESSIONS).await? {
            let Some(hash) = keys::session_of(&key).map(Hash::written) else { continue };
            match serde_json::from_slice(&value) {
                Ok(record) => table.restore(hash, record),
                Err(error) => {
                    tracing::warn!(%error, "a session cannot be read, so it has ended");
                    table.forget(&hash);
                }
            }
        }
        for (key, value) in facts(documents, keys::SESSION_USES).await? {
            let Some(hash) = keys::session_of(&key).map(Hash::written) else { continue };
            match <[u8; 8]>::try_from(value.as_slice()) {
                Ok(bytes) => table.restore_use(&hash, Timestamp(i64::from_be_bytes(bytes))),
                Err(_) => table.forget(&hash),
            }
        }
        table.end(|_, record| !is_allowed(record));
        table.end_expired(engine.now());
        // They are gone from memory; should the write fail, they are removed at the next start.
        drop(engine.append(table.writes(), Vec::new()));
        Ok(Self { engine: engine.clone(), table: Mutex::new(table) })
    }

    /// Begins a session, and ends the one that the browser had. It is on disk when the secret is returned.
    pub async fn begin(
        &self,
        record: Record,
        former: Option<&str>,
    ) -> Result<Secret, SessionError> {
        let secret = Secret::draw()?;
        let hash = Hash::of(secret.text()).expect("a secret has the form of one");
        let former = former.and_then(Hash::of);
        let written = {
            let mut table = self.table();
            table.end(|hash, _| Some(hash) == former.as_ref());
            table.begin(hash, record, self.engine.now())?;
            self.write(&mut table)
        };
        written.await?;
        Ok(secret)
    }

    /// The identity of a session by its secret, which is used now.
    pub fn identify(&self, secret: &str) -> Result<Arc<Identity>, NoSession> {
        let hash = Hash::of(secret).ok_or(NoSession)?;
        let mut table = self.table();
        let found = table.identify(&hash, self.engine.now());
        // The time of the last use is coarse: should the write fail, it is some minutes old.
        if table.has_writes() {
            drop(self.write(&mut table));
        }
        found.ok_or(NoSession)
    }

    /// A session by its secret.
    pub fn record(&self, secret: &str) -> Option<Arc<Record>> {
        self.table().record(&Hash::of(secret)?, self.engine.now())
    }

    /// Ends the session of a secret; returns it.
    pub async fn end(&self, secret: &str) -> Result<Option<Arc<Record>>, documents::Error> {
        let record = self.record(secret);
        let hash = Hash::of(secret);
        self.end_all(|other, _| Some(other) == hash.as_ref()).await?;
        Ok(record)
    }

    /// Ends the session of a tenant with an id; returns whether there was one.
    pub async fn end_one(&self, id: &str, tenant: Option<&str>) -> Result<bool, documents::Error> {
        let is_it = |hash: &Hash, record: &Record| {
            table::id_of(hash) == id && record.tenant.as_deref() == tenant
        };
        Ok(self.end_all(is_it).await? > 0)
    }

    /// Ends some sessions; returns how many. They have ended on disk when this returns.
    pub async fn end_all(
        &self,
        is_ended: impl Fn(&Hash, &Record) -> bool,
    ) -> Result<usize, documents::Error> {
        let (count, written) = {
            let mut table = self.table();
            let count = table.end(is_ended);
            (count, self.write(&mut table))
        };
        written.await?;
        Ok(count)
    }

    /// The sessions that go on, the latest first.
    pub fn list(&self) -> Vec<Listed> {
        self.table().list(self.engine.now())
    }

    /// Whether a session goes on.
    pub fn stands(&self, id: &str) -> bool {
        self.table().has(id, self.engine.now())
    }

    /// The time at which sessions are judged.
    pub fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// Writes what the table decided. The place of the write in the order is taken at once, under the lock.
    fn write(&self, table: &mut Table) -> documents::Written {
        self.engine.append(table.writes(), Vec::new())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sessions")
    }
}

async fn facts(
    documents: &Documents,
    prefix: &'static [u8],
) -> Result<Vec<Fact>, documents::Error> {
    let read = documents.read(move |session| {
        let pages = pages(session.store(), Scan::prefix(prefix, FACTS_AT_ONCE));
        let pages = pages.collect::<Result<Vec<_>, _>>()?;
        Ok::<_, documents::Error>(pages.into_iter().flatten().collect())
    });
    read.await
}
