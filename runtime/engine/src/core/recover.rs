//! Begins from what the store holds: folds every open journal and asks what is due, which is all
//! there is to recovery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::expr::Expressions;
use model::fulfilment::ApplyError;
use model::journal::DecodeError;
use model::{Fulfilment, FulfilmentId, PoolId, Record, Timestamp};

use super::entry::Entry;
use super::{Core, Durability, Recent, Step};
use crate::keys;
use crate::pools::Pools;
use crate::store::{Scan, Store};
use crate::worker::Worker;

/// So many facts are read from the store at once.
const PAGE: usize = 4096;

/// Why the engine cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Store(#[source] crate::store::Error),
    /// A journal cannot be read.
    #[error("record {number} of the journal of `{fulfilment}` cannot be read")]
    Record {
        /// Whose journal.
        fulfilment: FulfilmentId,
        /// Which record.
        number: usize,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// A journal contradicts itself.
    #[error("the journal of `{fulfilment}` contradicts itself")]
    Journal {
        /// Whose journal.
        fulfilment: FulfilmentId,
        /// Where.
        #[source]
        source: ApplyError,
    },
    /// A fact of ours has a key that is not of our making.
    #[error("the key `{0}` is not one of ours")]
    Key(String),
}

/// Reads a fulfilment from its journal; nothing where there is none.
pub fn read_fulfilment(
    store: &dyn Store,
    id: &FulfilmentId,
) -> Result<Option<Fulfilment>, RecoverError> {
    let records = read_records(store, id)?;
    if records.is_empty() {
        return Ok(None);
    }
    let wrong = |source| RecoverError::Journal { fulfilment: id.clone(), source };
    Fulfilment::fold(id.clone(), &records).map(Some).map_err(wrong)
}

/// The records of a fulfilment's journal; none where there is no such fulfilment.
pub fn read_records(store: &dyn Store, id: &FulfilmentId) -> Result<Vec<Record>, RecoverError> {
    let mut records = Vec::new();
    each(store, &keys::journal_prefix(id), |_, bytes| {
        let record = Record::decode(bytes).map_err(|source| RecoverError::Record {
            fulfilment: id.clone(),
            number: records.len(),
            source,
        })?;
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

impl<R> Core<R> {
    /// Begins from what the store holds. Pools are defined before. The steps are what was due when
    /// the last owner stopped.
    pub fn recover(
        store: &dyn Store,
        worker: Arc<dyn Worker>,
        pools: Pools,
        durability: Durability,
        now: Timestamp,
    ) -> Result<(Self, Vec<Step<R>>), RecoverError> {
        let epoch = store.claim().map_err(RecoverError::Store)?;
        let mut core = Self {
            worker,
            pools,
            epoch,
            durability,
            expressions: Expressions::default(),
            open: BTreeMap::new(),
            timers: BTreeSet::new(),
            waiting: BTreeMap::new(),
            early: BTreeMap::new(),
            submissions: Recent::default(),
            changed_late: Recent::default(),
            claims: BTreeMap::new(),
        };
        core.restore_holds(store)?;
        each(store, b"c/", |key, bytes| {
            let name = String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned();
            core.early.insert(name, serde_json::from_slice(bytes).unwrap_or_default());
            Ok(())
        })?;
        let steps = core.restore_open(store, now)?;
        Ok((core, steps))
    }

    fn restore_holds(&mut self, store: &dyn Store) -> Result<(), RecoverError> {
        each(store, keys::HOLDS, |key, _| {
            let text = String::from_utf8_lossy(key);
            let pool = text.get(2..).and_then(|rest| rest.rsplit_once('/'));
            let (pool, _) = pool.ok_or_else(|| RecoverError::Key(text.to_string()))?;
            self.pools.restore(&PoolId::new(pool), number(key, 12)?);
            Ok(())
        })
    }

    fn restore_open(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Vec<Step<R>>, RecoverError> {
        let mut ids = Vec::new();
        each(store, keys::OPEN, |key, _| {
            ids.push(FulfilmentId::new(String::from_utf8_lossy(key.get(2..).unwrap_or_default())));
            Ok(())
        })?;
        let mut entries = Vec::new();
        for id in ids {
            if let Some(fulfilment) = read_fulfilment(store, &id)? {
                let mut entry = Entry::new(fulfilment);
                entry.order_state = Some(entry.fulfilment.order_state());
                self.claim(&id, &entry.fulfilment.plan);
                for (task, attempt, wait_keys) in entry.fulfilment.waits() {
                    for key in wait_keys {
                        self.waiting.insert(key.clone(), (id.clone(), task, attempt));
                    }
                }
                entries.push(entry);
            }
        }
        let advance = |entry| self.advance(now, entry, Vec::new(), Step::default());
        Ok(entries.into_iter().map(advance).collect())
    }
}

/// Reads every fact under a prefix, page by page.
fn each(
    store: &dyn Store,
    prefix: &[u8],
    mut read: impl FnMut(&[u8], &[u8]) -> Result<(), RecoverError>,
) -> Result<(), RecoverError> {
    let mut scan = Scan::prefix(prefix, PAGE);
    loop {
        let page = store.scan(&scan).map_err(RecoverError::Store)?;
        for (key, value) in &page {
            read(key, value)?;
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => scan.after = Some(key.clone()),
            _ => return Ok(()),
        }
    }
}

/// The number at the end of a key, in hex.
fn number(key: &[u8], digits: usize) -> Result<u64, RecoverError> {
    let text = key.get(key.len().saturating_sub(digits)..).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    u64::from_str_radix(&text, 16).map_err(|_| RecoverError::Key(text.to_string()))
}
