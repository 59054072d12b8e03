//! The stores under test, and short words for what is done to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use engine::store::{
    Batch, Direction, Epoch, Fact, KEY_BYTES_MAX, Memory, STORED_KEY_BYTES_MAX, Scan, Store,
    TenantNumber, View, Write,
};
use store::postgres::{self, Postgres, Purpose};
use store::seal::{KEY_BYTES, MasterKey, MasterKeys};
use store::{Options, Sled};
use tempfile::TempDir;

use crate::database::Database;

/// A kind of store that can be opened, closed, and opened again.
pub(crate) trait Subject: Default + Send + Sync + 'static {
    type Store: Store;

    /// Max bytes of its keys.
    const KEY_BYTES_MAX: usize = STORED_KEY_BYTES_MAX;

    /// Whether what it needs is installed.
    fn is_there() -> bool {
        true
    }

    fn open(&self) -> Self::Store;

    /// Opens it for a test that does not open it again.
    fn open_kept(self) -> Kept<Self> {
        Kept { store: self.open(), _subject: self }
    }
}

#[derive(Default)]
pub(crate) struct InMemory(Memory);

impl Subject for InMemory {
    type Store = Memory;

    fn open(&self) -> Memory {
        self.0.clone()
    }
}

/// How long a directory may still be locked that was just closed.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A directory of its own.
pub(crate) struct OnSled {
    folder: TempDir,
    keys: Option<MasterKeys>,
    recent_bytes: u64,
}

impl Default for OnSled {
    fn default() -> Self {
        let recent_bytes = Options::default().recent_bytes;
        Self { folder: tempfile::tempdir().unwrap(), keys: None, recent_bytes }
    }
}

impl OnSled {
    /// One whose values are sealed.
    pub(crate) fn sealed() -> Self {
        Self { keys: Some(master(7)), ..Self::default() }
    }

    /// One whose commits go to files at once, so that logs and files come and go.
    pub(crate) fn turning() -> Self {
        Self { recent_bytes: TURNING_BYTES, ..Self::default() }
    }

    /// Another directory with the same keys.
    pub(crate) fn another(&self) -> Self {
        Self { keys: self.keys(), ..Self::default() }
    }

    pub(crate) fn keys(&self) -> Option<MasterKeys> {
        self.keys.clone()
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// A master key of the tests.
pub(crate) fn master(byte: u8) -> MasterKeys {
    MasterKeys { current: MasterKey::new([byte; KEY_BYTES]), previous: Vec::new() }
}

/// A sealed store in a directory of its own.
pub(crate) struct Sealed(OnSled);

impl Default for Sealed {
    fn default() -> Self {
        Self(OnSled::sealed())
    }
}

impl Subject for Sealed {
    type Store = Sled;

    fn open(&self) -> Sled {
        self.0.open()
    }
}

impl Subject for OnSled {
    type Store = Sled;

    fn open(&self) -> Sled {
        // A process that another test is about to start has the lock as well, until it runs.
        let (keys, recent_bytes) = (self.keys.clone(), self.recent_bytes);
        let options = Options { lock_wait: LOCK_WAIT, keys, recent_bytes, ..Options::default() };
        Sled::open(self.path(), &options).unwrap()
    }
}

/// Few bytes of recent commits in memory.
pub(crate) const TURNING_BYTES: u64 = 2_000;

/// A store whose logs and files come and go.
pub(crate) struct Turning(OnSled);

impl Default for Turning {
    fn default() -> Self {
        Self(OnSled::turning())
    }
}

impl Subject for Turning {
    type Store = Sled;

    fn open(&self) -> Sled {
        self.0.open()
    }
}

/// A tenant's part of a directory.
#[derive(Default)]
pub(crate) struct OfTenant(OnSled);

impl Subject for OfTenant {
    type Store = View;

    const KEY_BYTES_MAX: usize = KEY_BYTES_MAX;

    fn open(&self) -> View {
        View::of(Arc::new(self.0.open()), TenantNumber::new(1).unwrap())
    }
}

/// The default tenant's part of a directory.
#[derive(Default)]
pub(crate) struct OfDefault(OnSled);

impl Subject for OfDefault {
    type Store = View;

    const KEY_BYTES_MAX: usize = KEY_BYTES_MAX;

    fn open(&self) -> View {
        View::of_default(Arc::new(self.0.open()))
    }
}

/// The server of all tests of this process. It is never dropped, and ends with the process.
static DATABASE: LazyLock<Option<Database>> = LazyLock::new(Database::start);

/// A schema of its own in the database; its store is left where there is no PostgreSQL.
pub(crate) struct OnPostgres {
    schema: String,
    keys: Option<MasterKeys>,
}

impl OnPostgres {
    /// The server, if there is one.
    pub(crate) fn database() -> Option<&'static Database> {
        DATABASE.as_ref()
    }

    /// The schema that it has for itself.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// One whose values are sealed.
    pub(crate) fn sealed() -> Self {
        Self { keys: Some(master(7)), ..Self::default() }
    }

    /// Opens it with other keys.
    pub(crate) fn open_with(&self, keys: Option<MasterKeys>) -> Postgres {
        self.opened(keys, Purpose::Use)
    }

    /// Opens it to be used otherwise.
    pub(crate) fn open_for(&self, purpose: Purpose) -> Postgres {
        self.opened(self.keys.clone(), purpose)
    }

    fn opened(&self, keys: Option<MasterKeys>, purpose: Purpose) -> Postgres {
        let url = Self::database().unwrap().url();
        let address = postgres::Address::parse(&url, &self.schema).unwrap();
        let options = postgres::Options { cache_bytes: 1 << 16, keys, tls: None, purpose };
        Postgres::open(address, options).unwrap()
    }
}

impl Default for OnPostgres {
    fn default() -> Self {
        static SCHEMAS: AtomicU64 = AtomicU64::new(0);
        let schema = format!("s{}", SCHEMAS.fetch_add(1, Ordering::SeqCst));
        Self { schema, keys: None }
    }
}

impl Subject for OnPostgres {
    type Store = Postgres;

    fn is_there() -> bool {
        Self::database().is_some()
    }

    fn open(&self) -> Postgres {
        self.open_for(Purpose::Use)
    }
}

/// A sealed store in a schema of its own.
pub(crate) struct SealedInPostgres(OnPostgres);

impl Default for SealedInPostgres {
    fn default() -> Self {
        Self(OnPostgres::sealed())
    }
}

impl Subject for SealedInPostgres {
    type Store = Postgres;

    fn is_there() -> bool {
        OnPostgres::is_there()
    }

    fn open(&self) -> Postgres {
        self.0.open()
    }
}

pub(crate) fn put(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Write {
    (key.as_ref().to_vec(), Some(value.as_ref().to_vec()))
}

/// Bytes that packing does not shorten, so that long ones are cut into parts; the same for the same seed.
pub(crate) fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ u64::from(seed);
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    });
    next.take(length).collect()
}

pub(crate) fn remove(key: impl AsRef<[u8]>) -> Write {
    (key.as_ref().to_vec(), None)
}

pub(crate) fn batch(epoch: Epoch, writes: impl Into<Vec<Write>>) -> Batch {
    Batch::of(epoch, writes.into())
}

pub(crate) fn all(store: &impl Store) -> Vec<Fact> {
    store.scan(&Scan::prefix("", usize::MAX)).unwrap()
}

/// The keys that a scan lists.
pub(crate) fn keys(
    store: &impl Store,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
    direction: Direction,
) -> Vec<Vec<u8>> {
    let after = after.map(<[u8]>::to_vec);
    let scan = Scan { prefix: prefix.to_vec(), after, limit, direction };
    store.scan(&scan).unwrap().into_iter().map(|(key, _)| key).collect()
}

/// A store with the subject that it must not outlive.
pub(crate) struct Kept<S: Subject> {
    store: S::Store,
    _subject: S,
}

impl<S: Subject> std::ops::Deref for Kept<S> {
    type Target = S::Store;

    fn deref(&self) -> &S::Store {
        &self.store
    }
}
