//! The store of one tenant: a view of the one store of a process. Every key of a named tenant lies behind
//! `T/` with the tenant's number in two bytes, and `T/!<tenant>` has that number: a name would take room in
//! each key. The default tenant has the keys that begin otherwise, as all stores had before there were
//! tenants.
//!
//! No key, range, transaction or value in pieces of a view leads out of it.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::watch;

use super::pieces::Pieces;
use super::{
    Appended, Backup, BackupError, Batch, Direction, Epoch, Error, Fact, KEY_BYTES_MAX, Read, Scan,
    Settled, Store, Transaction, Write, pages,
};
use crate::tenant::TenantName;

/// The beginning of all keys that have to do with named tenants.
const TENANTS: &[u8] = b"T/";

/// Behind all of these keys.
const TENANTS_END: &[u8] = b"T/\xff";

/// The beginning of the keys with the numbers of tenants.
const NUMBERS: &[u8] = b"T/!";

/// Tenants that are listed at once.
const TENANTS_AT_ONCE: usize = 1_000;

/// Bytes before each key of a named tenant.
pub(super) const BEFORE_BYTES: usize = 4;

/// Tells the keys of a named tenant from those of others. A tenant keeps it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantNumber(u16);

/// A view of a store. Cheap to clone.
#[derive(Clone)]
pub struct View {
    store: Arc<dyn Store>,
    keys: Keys,
    /// The epoch that the process has claimed already.
    owner: Option<Epoch>,
}

/// The keys of a view.
#[derive(Clone, Copy)]
enum Keys {
    /// Those of no named tenant.
    Default,
    /// Those behind this.
    Behind([u8; BEFORE_BYTES]),
}

/// Why a write of a tenant is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("a key of the default tenant begins as those of named tenants do")]
    Foreign,
    #[error("there are {} tenants already, which is the limit", TenantNumber::MAX)]
    TooMany,
}

impl TenantNumber {
    /// Max tenants of a store, with those of the past.
    pub const MAX: u16 = 0x7eff;

    /// The number, which is at most [`TenantNumber::MAX`].
    pub fn new(number: u16) -> Option<Self> {
        (number <= Self::MAX).then_some(Self(number))
    }

    /// The number of a tenant in a store, which is no view and has this owner. One that is new gets the next.
    pub async fn of(store: &dyn Store, owner: Epoch, tenant: &TenantName) -> Result<Self, Error> {
        let known = tenants(store)?;
        if let Some((_, number)) = known.iter().find(|(name, _)| name == tenant) {
            return Ok(*number);
        }
        let next = known.iter().map(|(_, number)| number.0 + 1).max().unwrap_or(0);
        let number =
            TenantNumber::new(next).ok_or_else(|| Error::Refused(Refusal::TooMany.into()))?;
        let key = [NUMBERS, tenant.as_str().as_bytes()].concat();
        let write = (key, Some(next.to_be_bytes().to_vec()));
        store.append(Batch::of(owner, vec![write])).await?;
        Ok(number)
    }

    /// What is before its keys: none lies under [`NUMBERS`], or from [`TENANTS_END`] on.
    fn before(self) -> [u8; BEFORE_BYTES] {
        let [high, low] = self.0.to_be_bytes();
        [b'T', b'/', 0x80 | high, low]
    }
}

impl View {
    /// The default tenant's part of a store.
    pub fn of_default(store: Arc<dyn Store>) -> Self {
        Self { store, keys: Keys::Default, owner: None }
    }

    /// A named tenant's part of a store.
    pub fn of(store: Arc<dyn Store>, tenant: TenantNumber) -> Self {
        Self { store, keys: Keys::Behind(tenant.before()), owner: None }
    }

    /// The same view, whose claims give an epoch that was claimed for all views of a process: a second
    /// claim would fence the first.
    pub fn claimed(self, owner: Epoch) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The facts of a range that the default tenant's facts are a part of.
    fn scan_around_tenants(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        let (mut rest, mut found) = (scan.clone(), Vec::new());
        loop {
            let page = self.store.scan(&rest)?;
            let is_last = page.len() < rest.limit || rest.limit == 0;
            rest.after = page.last().map(|(key, _)| match scan.direction {
                Direction::Forward if key.starts_with(TENANTS) => TENANTS_END.to_vec(),
                Direction::Backward if key.starts_with(TENANTS) => TENANTS.to_vec(),
                Direction::Forward | Direction::Backward => key.clone(),
            });
            found.extend(page.into_iter().filter(|(key, _)| !key.starts_with(TENANTS)));
            if is_last || found.len() == scan.limit {
                return Ok(found);
            }
            rest.limit = scan.limit - found.len();
        }
    }
}

impl Store for View {
    fn append(&self, batch: Batch) -> Appended {
        let Batch { epoch, writes, transaction } = batch;
        match self.keys.stored(writes) {
            Ok(writes) => {
                let transaction = transaction.map(|transaction| self.keys.within(transaction));
                self.store.append(Batch { epoch, writes, transaction })
            }
            // The refusal has the batch's place in the order, behind that of a wrong epoch.
            Err(error) => {
                let transaction = Some(Transaction::new(move |_| Err(error)));
                self.store.append(Batch { epoch, writes: Vec::new(), transaction })
            }
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.keys.read(key, &|key| self.store.get(key))
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        let behind = match &self.keys {
            Keys::Behind(behind) => behind,
            Keys::Default if scan.prefix.starts_with(TENANTS) => return Ok(Vec::new()),
            Keys::Default if TENANTS.starts_with(&scan.prefix) => {
                return self.scan_around_tenants(scan);
            }
            Keys::Default => return self.store.scan(scan),
        };
        let own = |key: &[u8]| [behind.as_slice(), key].concat();
        let Scan { prefix, after, limit, direction } = scan;
        let (prefix, after) = (own(prefix), after.as_deref().map(own));
        let facts = self.store.scan(&Scan { prefix, after, limit: *limit, direction: *direction });
        let seen = |(mut key, value): Fact| {
            key.drain(..behind.len());
            (key, self.keys.shown(value))
        };
        Ok(facts?.into_iter().map(seen).collect())
    }

    fn claim(&self) -> Result<Epoch, Error> {
        self.owner.map_or_else(|| self.store.claim(), Ok)
    }

    /// Changes with the batches of other tenants too.
    fn changed(&self) -> watch::Receiver<u64> {
        self.store.changed()
    }

    /// Those of all tenants.
    fn syncs(&self) -> u64 {
        self.store.syncs()
    }

    fn settled(&self) -> Settled {
        self.store.settled()
    }

    /// A backup has the facts of all tenants, so only the default one has it.
    fn back_up(&self) -> Result<Box<dyn Backup>, BackupError> {
        match &self.keys {
            Keys::Default => self.store.back_up(),
            Keys::Behind(_) => Err(BackupError::Unsupported),
        }
    }
}

impl Keys {
    /// A key in the store; `None` if the view has no such key.
    fn key<'a>(&self, key: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Default => (!key.starts_with(TENANTS)).then_some(Cow::Borrowed(key)),
            Self::Behind(behind) => Some(Cow::Owned([behind.as_slice(), key].concat())),
        }
    }

    /// Writes as the store gets them.
    fn stored(&self, mut writes: Vec<Write>) -> Result<Vec<Write>, Error> {
        for (key, value) in &mut writes {
            let bytes = key.len();
            if bytes > KEY_BYTES_MAX {
                return Err(Error::KeyTooLong { bytes, max: KEY_BYTES_MAX });
            }
            match self {
                Self::Default if key.starts_with(TENANTS) => {
                    return Err(Error::Refused(Refusal::Foreign.into()));
                }
                Self::Default => {}
                Self::Behind(behind) => {
                    key.splice(..0, *behind);
                    *value = value.take().map(|value| self.kept(value));
                }
            }
        }
        Ok(writes)
    }

    /// A value as the store gets it: its pieces are looked for behind the keys of this view.
    fn kept(&self, value: Vec<u8>) -> Vec<u8> {
        let Self::Behind(behind) = self else { return value };
        let Some(pieces) = Pieces::read(&value) else { return value };
        let prefix = [behind.as_slice(), &pieces.prefix].concat();
        Pieces { prefix, ..pieces }.to_bytes()
    }

    /// A value as it was given: one in pieces is read as it is in a transaction, and where a piece
    /// is missing.
    fn shown(&self, value: Vec<u8>) -> Vec<u8> {
        let Self::Behind(behind) = self else { return value };
        let Some(mut pieces) = Pieces::read(&value) else { return value };
        if !pieces.prefix.starts_with(behind) {
            return value;
        }
        pieces.prefix.drain(..behind.len());
        pieces.to_bytes()
    }

    fn read(&self, key: &[u8], read: &Read<'_>) -> Result<Option<Vec<u8>>, Error> {
        let Some(key) = self.key(key) else { return Ok(None) };
        Ok(read(&key)?.map(|value| self.shown(value)))
    }

    /// A transaction whose reads and writes stay within the view.
    fn within(&self, Transaction(run): Transaction) -> Transaction {
        let keys = *self;
        Transaction::new(move |read| {
            let writes = run(&|key| keys.read(key, read))?;
            keys.stored(writes)
        })
    }
}

/// A key of a store as its tenant knows it.
pub fn own(key: &[u8]) -> &[u8] {
    match key.split_at_checked(BEFORE_BYTES) {
        Some(([b'T', b'/', 0x80..=0xff, _], own)) => own,
        Some(_) | None => key,
    }
}

/// The named tenants that a store, which is no view, has or had, with their numbers.
pub fn tenants(store: &dyn Store) -> Result<Vec<(TenantName, TenantNumber)>, Error> {
    let read = |(key, value): Fact| {
        let name = std::str::from_utf8(key.get(NUMBERS.len()..)?).ok()?;
        let number = u16::from_be_bytes(value.try_into().ok()?);
        Some((TenantName::parse(name)?, TenantNumber::new(number)?))
    };
    let mut tenants = Vec::new();
    for page in pages(store, Scan::prefix(NUMBERS, TENANTS_AT_ONCE)) {
        tenants.extend(page?.into_iter().filter_map(read));
    }
    Ok(tenants)
}

#[cfg(test)]
mod tests;
