//! The store in a PostgreSQL database, which several nodes share: one leads, the others stand by. A commit is
//! one statement, that writes only for the owner's epoch.

mod address;
mod cache;
mod lease;
mod link;
mod schema;
mod session;
mod trouble;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use engine::store::pieces::{self, Pieces};
use engine::store::{
    Appended, Batch, Direction, Epoch, Error, Fact, Progress, Scan, Settled, Store,
};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use self::cache::{Cache, Look};
use self::lease::{Held, Release, Renew, Take, boot_time};
use self::link::{Link, Way};
use self::schema::{Finish, Found};
use self::session::{Commit, Get, Kept, List, LookAtOwner, Owner, Raise, Snapshot};
use crate::failure::Failure;
use crate::form::Form;
use crate::range::range;
use crate::seal::MasterKeys;
use crate::tree::Writes;
use crate::writer::{Disk, Handle, Writer};

pub use self::address::{Address, AddressError, SCHEMA};
pub use self::lease::Led;
pub use self::schema::SchemaError;
pub use self::trouble::Trouble;

const READ: &str = "read from the database";
const COMMIT: &str = "write to the database";

/// The longest that it may take to look at a schema.
const PREPARING_MAX: Duration = Duration::from_secs(30);

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// The bit of the first byte of a value that tells that the rest is packed.
const PACKED: u8 = 1;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for facts that were read or written lately, in bytes.
    pub cache_bytes: u64,
    /// The keys that values are sealed under; `None` if they are not sealed.
    pub keys: Option<MasterKeys>,
    /// Who is trusted where connections are by TLS.
    pub tls: Option<rustls::ClientConfig>,
    /// The reason to open it.
    pub purpose: Purpose,
}

/// The reason to open a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be used, and made where there is none.
    Use,
    /// To be read or repaired: it must be there.
    Look,
    /// To be the copy of another one. Until [`Postgres::finish_copy`] no other process can open it, and what an earlier
    /// attempt left is removed.
    Copy,
}

/// Facts in a schema of a database.
///
/// A batch is acknowledged after the database has committed it. Batches that wait together are committed
/// together. A commit that the database cannot answer for is looked up and asked for again, for half a minute;
/// after that every batch in it gets the error, and so does everything that is appended later.
///
/// Reads go to the database unless the fact was read or written lately; their callers wait on the spot.
///
/// Dropping the store writes what was appended before, and ends its lease.
pub struct Postgres {
    // They are dropped in this order: the writer finishes, the lease ends, the connections are gone.
    writer: Handle,
    release: Option<Releasing>,
    shared: Arc<Shared>,
    changed: watch::Receiver<u64>,
    progress: Arc<Progress>,
    commits: Arc<AtomicU64>,
    name: String,
    keys: Option<MasterKeys>,
    purpose: Purpose,
}

/// What the writer and the readers have in common.
struct Shared {
    link: Link,
    way: Way,
    /// Read again when this process leads: another one may have taken another key meanwhile.
    form: RwLock<Arc<Form>>,
    cache: Cache,
    held: Arc<Held>,
    /// Who holds the lease, once this process does.
    holder: OnceLock<String>,
}

/// The database as the writer has it.
struct Database {
    shared: Arc<Shared>,
    /// The number of the last commit.
    commits: u64,
    counted: Arc<AtomicU64>,
}

/// Ends the lease when it is dropped.
struct Releasing {
    shared: Arc<Shared>,
    holder: String,
    renewal: AbortHandle,
}

/// Why a process cannot lead.
#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    #[error("the lease of the store cannot be asked for")]
    Lease(#[from] Trouble),
    #[error("the store cannot be led")]
    Open(#[from] OpenError),
}

/// Why a database cannot be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{address} cannot be used")]
    Database {
        address: String,
        #[source]
        source: Box<SchemaError>,
    },
    #[error("no thread for its connections can be had")]
    Thread(#[source] std::io::Error),
}

impl Postgres {
    /// Opens a store, and makes its tables where there are none. It takes no lease: see [`Postgres::lead`].
    pub fn open(address: Address, options: Options) -> Result<Self, OpenError> {
        let Options { cache_bytes, keys, tls, purpose } = options;
        let way = Way::new(address, tls);
        let link = Link::new(way.clone()).map_err(OpenError::Thread)?;
        let (Found { name, form }, owner) = prepared(&link, &way, keys.as_ref(), (purpose, false))?;
        let cache = Cache::new(usize::try_from(cache_bytes).unwrap_or(usize::MAX));
        let (form, held) = (RwLock::new(Arc::new(form)), Arc::default());
        let shared = Arc::new(Shared { link, way, form, cache, held, holder: OnceLock::new() });
        let (sender, changed) = watch::channel(0);
        let progress = Arc::new(Progress::default());
        let commits = Arc::new(AtomicU64::new(owner.commits));
        let counted = Arc::clone(&commits);
        let database = Database { shared: Arc::clone(&shared), commits: owner.commits, counted };
        let writer = Writer::new(database, owner.epoch, sender, Arc::clone(&progress));
        let writer = Handle::start(writer).map_err(OpenError::Thread)?;
        Ok(Self { writer, release: None, shared, changed, progress, commits, name, keys, purpose })
    }

    /// The name that the store got when it was made: every node of it finds the same.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes the lease for a node, and keeps it, unless another process has it. Before it leads, a process must
    /// not claim the store, which would fence the one that does.
    pub fn lead(&mut self, node: &str) -> Result<Led, LeadError> {
        let holder = uuid::Uuid::now_v7().simple().to_string();
        let asked = boot_time();
        let Shared { link, way, held, form, .. } = &*self.shared;
        let led = link.write(Take { holder: holder.clone(), node: node.to_owned() })?;
        if let Led::There { .. } = led {
            return Ok(led);
        }
        held.note(asked, &led);
        let renewal = Arc::clone(held).renew(way.clone(), Renew(holder.clone()));
        let renewal = link.spawn(renewal).ok_or(Trouble::Ended)?;
        // Where what follows fails, dropping this ends the lease.
        self.release =
            Some(Releasing { shared: Arc::clone(&self.shared), holder: holder.clone(), renewal });
        let (found, _) = prepared(link, way, self.keys.as_ref(), (self.purpose, true))?;
        *form.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found.form);
        // It leads once: a lease that is lost is not taken again.
        drop(self.shared.holder.set(holder));
        Ok(led)
    }

    /// Lets others open a store that was made as a copy.
    pub fn finish_copy(&self) -> Result<(), Trouble> {
        let holder = self.shared.holder.get().ok_or(Trouble::NotLeading)?;
        self.shared.link.write(Finish(holder.to_owned()))
    }

    /// The epoch of the owner.
    pub(crate) fn owner(&self) -> Result<Epoch, Error> {
        let owner = self.shared.link.read(LookAtOwner).map_err(unread)?;
        Ok(owner.epoch)
    }

    /// The facts after a key in the order of their places, with their values as they are kept.
    pub(crate) fn kept_page(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<Fact>, Error> {
        let after = after.map(|after| self.shared.form().place(after));
        let Some((first, end)) = range(b"", after.as_deref(), Direction::Forward) else {
            return Ok(Vec::new());
        };
        let list = List { first, end, direction: Direction::Forward, limit };
        let kept = self.shared.link.read(list).map_err(unread)?;
        self.shared.opened(kept).map_err(unread)
    }

    /// Turns to `true` when another process has taken the lease: this one must stop.
    pub fn lost(&self) -> watch::Receiver<bool> {
        self.shared.held.lost()
    }
}

/// Looks at the schema, and reads what is needed to use it. It is tried again while the database may come back.
fn prepared(
    link: &Link,
    way: &Way,
    keys: Option<&MasterKeys>,
    of: (Purpose, bool),
) -> Result<(Found, Owner), OpenError> {
    let failed =
        |source| OpenError::Database { address: way.address.to_string(), source: Box::new(source) };
    let until = Instant::now() + PREPARING_MAX;
    loop {
        let (way, keys) = (way.clone(), keys.cloned());
        let looked = async move { timeout(PREPARING_MAX, look(&way, keys.as_ref(), of)).await };
        let looked = link.wait(looked).unwrap_or(Ok(Err(Trouble::Ended.into())));
        match looked.unwrap_or(Err(Trouble::Slow.into())) {
            Ok(prepared) => return Ok(prepared),
            Err(SchemaError::Trouble(Trouble::Refused { may_pass: true, .. }))
                if Instant::now() < until =>
            {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

async fn look(
    way: &Way,
    keys: Option<&MasterKeys>,
    of: (Purpose, bool),
) -> Result<(Found, Owner), SchemaError> {
    let mut client = way.client().await?;
    let found = schema::prepare(&mut client, &way.address.schema, keys, of).await?;
    let owner = way.session().await?.owner().await?;
    Ok((found, owner))
}

impl Store for Postgres {
    fn append(&self, batch: Batch) -> Appended {
        self.writer.append(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.shared.check_lease()?;
        match self.shared.raw(key)? {
            // It must be put together of what lay there at one moment.
            Some(value) if Pieces::read(&value).is_some() => {
                let list = List {
                    first: self.shared.form().place(key).into_owned(),
                    end: Some([&*self.shared.form().place(key), &[0]].concat()),
                    direction: Direction::Forward,
                    limit: 1,
                };
                Ok(self.shared.joined(list)?.pop().map(|(_, value)| value))
            }
            value => Ok(value),
        }
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.shared.check_lease()?;
        let form = self.shared.form();
        let after = scan.after.as_deref().map(|after| form.place(after));
        let range = range(&form.place(&scan.prefix), after.as_deref(), scan.direction);
        let Some((first, end)) = range else { return Ok(Vec::new()) };
        let list = List { first, end, direction: scan.direction, limit: scan.limit };
        let kept = self.shared.link.read(list.clone()).map_err(unread)?;
        let facts = self.shared.opened(kept).map_err(unread)?;
        match facts.iter().any(|(_, value)| Pieces::read(value).is_some()) {
            true => self.shared.joined(list),
            false => Ok(facts),
        }
    }

    fn claim(&self) -> Result<Epoch, Error> {
        self.writer.claim()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    fn settled(&self) -> Settled {
        // Open work is read from memory too, which another node may have changed.
        if self.shared.held.is_held() { self.progress.settled() } else { Settled::never() }
    }

    fn syncs(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// The form of values; the lock is held for a moment.
    fn form(&self) -> Arc<Form> {
        Arc::clone(&self.form.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn check_lease(&self) -> Result<(), Error> {
        match self.held.is_current() {
            true => Ok(()),
            false => Err(Error::Away(Box::new(Trouble::NotLeading))),
        }
    }

    /// The value of a key as it is kept.
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if let Look::Known(value) = self.cache.look(key) {
            return Ok(value);
        }
        let place = self.form().place(key).into_owned();
        let read = self.link.read(Get(vec![place])).and_then(|kept| self.opened(kept));
        match read {
            Ok(mut facts) => {
                let value = facts.pop().map(|(_, value)| value);
                self.cache.read(key, value.as_deref());
                Ok(value)
            }
            Err(trouble) => {
                self.cache.given_up(key);
                Err(unread(trouble))
            }
        }
    }

    fn opened(&self, kept: Vec<Kept>) -> Result<Vec<Fact>, Trouble> {
        let form = self.form();
        kept.into_iter().map(|kept| opened_one(&form, kept)).collect()
    }

    /// The facts of a range with their values put together, all as they lay at one moment.
    fn joined(&self, list: List) -> Result<Vec<Fact>, Error> {
        let form = self.form();
        let needs = move |kept: &Kept| {
            let (_, value) = opened_one(&form, kept.clone())?;
            let pieces = Pieces::read(&value);
            let keys = pieces.iter().flat_map(Pieces::keys);
            Ok(keys.map(|key| form.place(&key).into_owned()).collect())
        };
        let read = self.link.read(Snapshot { list, needs });
        let (facts, needed) = read.map_err(unread)?;
        let facts = self.opened(facts).map_err(unread)?;
        let needed = self.opened(needed).map_err(unread)?;
        let needed: std::collections::HashMap<_, _> = needed.into_iter().collect();
        let whole = |(key, value)| {
            let value = pieces::whole(value, |key| Ok::<_, Error>(needed.get(key).cloned()))?;
            Ok((key, value))
        };
        facts.into_iter().map(whole).collect()
    }
}

/// The error of a read. Only what lies in the database, and is not ours, concerns a fact.
fn unread(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Misread(_) => Error::failed(READ)(trouble),
        Trouble::Away(_)
        | Trouble::Slow
        | Trouble::Refused { .. }
        | Trouble::NoTls
        | Trouble::Ended
        | Trouble::NotLeading => Error::Away(Box::new(trouble)),
    }
}

fn opened_one(form: &Form, (place, value): Kept) -> Result<Fact, Trouble> {
    let misread = |why: &str| Trouble::Misread(why.to_owned());
    let (first, _) = value.split_first().ok_or_else(|| misread("it is empty"))?;
    let is_packed = match *first {
        0 => false,
        PACKED => true,
        _ => return Err(misread("its first byte has no meaning")),
    };
    let bytes = value[1..].to_vec();
    form.opened(place, is_packed, bytes).map_err(|error| misread(&error.to_string()))
}

impl Disk for Database {
    fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.shared.raw(key)
    }

    fn commit(&mut self, epoch: Epoch, writes: Writes) -> Result<(), Failure> {
        let Shared { link, cache, .. } = &*self.shared;
        let form = self.shared.form();
        let number = self.commits + 1;
        let (removed, keys, values) = (Vec::new(), Vec::new(), Vec::new());
        let mut commit = Commit { epoch, number, removed, keys, values };
        for (key, value) in &writes {
            let place = form.place(key).into_owned();
            let Some(value) = value else {
                commit.removed.push(place);
                continue;
            };
            let written = form.written(key, value);
            commit.keys.push(place);
            commit.values.push([&[u8::from(written.is_packed)], &*written.bytes].concat());
        }
        cache.begin(writes);
        let failure = match link.write(commit) {
            Ok(None) => {
                cache.finish();
                self.commits = number;
                self.counted.store(number, Ordering::SeqCst);
                return Ok(());
            }
            Ok(Some(owner)) => Failure::Fenced { owner: owner.epoch, batch: epoch },
            Err(trouble) => Failure::of(COMMIT)(trouble),
        };
        cache.close();
        Err(failure)
    }

    fn raise(&mut self, _known: Epoch) -> Result<Epoch, Failure> {
        let holder = self.shared.holder.get().cloned();
        let owner = self.shared.link.write(Raise { holder });
        let owner = owner.map_err(Failure::of("claim the database"))?;
        // Another process may have written meanwhile.
        self.shared.cache.open();
        self.commits = owner.commits;
        self.counted.store(owner.commits, Ordering::SeqCst);
        Ok(owner.epoch)
    }
}

impl Drop for Releasing {
    fn drop(&mut self) {
        self.renewal.abort();
        let release = Release(self.holder.clone());
        if let Err(error) = self.shared.link.write(release) {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the lease of the store ends by itself: it cannot be ended");
        }
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = &self.shared.way.address;
        formatter.debug_struct("Postgres").field("address", address).finish_non_exhaustive()
    }
}
