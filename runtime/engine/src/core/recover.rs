//! Begins from the store: folds every open journal and asks for the work that is due, which is all that
//! recovery needs. A fulfilment that cannot be read is set aside, alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::expr::Expressions;
use model::fulfilment::ApplyError;
use model::journal::DecodeError;
use model::{Digest, Event, Fulfilment, FulfilmentId, PoolId, Record};
use tmf::time::Timestamp;

use super::callbacks::{self, Head, Kept};
use super::entry::Entry;
use super::locks::Locks;
use super::owed::{Mark, Owed};
use super::quarantine::SetAside;
use super::reservations::Held;
use super::slices::without_strays;
use super::timers::Timers;
use super::{After, Core, Recent, Resting, Setup, Step};
use crate::address::{Addresses, SECRET_BYTES};
use crate::causes::chain;
use crate::keys;
use crate::stamp::Stamp;
use crate::store::{Scan, Store, pages};
use crate::trace::Trace;

/// How many facts are read from the store at once.
const PAGE: usize = 4096;

/// Why the engine cannot begin, or a fulfilment cannot be read.
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
        number: u32,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// A journal contradicts itself.
    #[error("record {number} of the journal of `{fulfilment}` contradicts what is before it")]
    Journal {
        /// Whose journal.
        fulfilment: FulfilmentId,
        /// Which record.
        number: u32,
        /// Where.
        #[source]
        source: ApplyError,
    },
    /// A journal has a gap.
    #[error("record {number} of the journal of `{fulfilment}` is missing")]
    Missing {
        /// Whose journal.
        fulfilment: FulfilmentId,
        /// Which record.
        number: u32,
    },
}

impl RecoverError {
    /// Whether it tells of the store as a whole.
    pub fn is_of_whole_store(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_of_whole_store())
    }

    /// The damaged record, if it is one.
    pub fn record(&self) -> Option<u32> {
        match self {
            Self::Store(_) => None,
            Self::Record { number, .. }
            | Self::Journal { number, .. }
            | Self::Missing { number, .. } => Some(*number),
        }
    }
}

/// Reads a fulfilment from its journal; `None` if there is none.
pub fn read_fulfilment(
    store: &dyn Store,
    id: &FulfilmentId,
) -> Result<Option<Fulfilment>, RecoverError> {
    Ok(read_sized(store, id)?.map(|(fulfilment, _)| fulfilment))
}

/// Reads a fulfilment, with the bytes of its journal.
pub fn read_sized(
    store: &dyn Store,
    id: &FulfilmentId,
) -> Result<Option<(Fulfilment, u64)>, RecoverError> {
    let (records, bytes) = read(store, id)?;
    if records.is_empty() {
        return Ok(None);
    }
    let folded = Fulfilment::fold(id.clone(), &records);
    let fulfilment = folded.map_err(|source| contradiction(id, &records, source))?;
    Ok(Some((fulfilment, bytes)))
}

/// The records of a fulfilment's journal; empty if there is no such fulfilment.
pub fn read_records(store: &dyn Store, id: &FulfilmentId) -> Result<Vec<Record>, RecoverError> {
    Ok(read(store, id)?.0)
}

fn read(store: &dyn Store, id: &FulfilmentId) -> Result<(Vec<Record>, u64), RecoverError> {
    let (mut records, mut total) = (Vec::new(), 0);
    each(store, &keys::journal_prefix(id), |key, bytes| {
        let number = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let fulfilment = id.clone();
        if key != keys::journal(id, number) {
            return Err(RecoverError::Missing { fulfilment, number });
        }
        let record = Record::decode(bytes);
        let record =
            record.map_err(|source| RecoverError::Record { fulfilment, number, source })?;
        records.push(record);
        total += bytes.len() as u64;
        Ok(())
    })?;
    Ok((records, total))
}

/// Names the record that contradicts the ones before it.
fn contradiction(id: &FulfilmentId, records: &[Record], source: ApplyError) -> RecoverError {
    let folds = |count: &usize| Fulfilment::fold(id.clone(), &records[..*count]).is_ok();
    let sound = (1..records.len()).take_while(folds).last().unwrap_or(0);
    let number = u32::try_from(sound).unwrap_or(u32::MAX);
    RecoverError::Journal { fulfilment: id.clone(), number, source }
}

/// The open fulfilments of a core that has just begun. They continue when all are known, since they may wait for
/// one another.
pub struct Due<R> {
    entries: Vec<Entry<R>>,
    /// The versions of plugins that open fulfilments use, those too that have left memory.
    versions: BTreeSet<Digest>,
}

impl<R> Due<R> {
    /// The versions of plugins that open fulfilments use.
    pub fn versions(&self) -> impl Iterator<Item = &Digest> {
        self.versions.iter()
    }
}

impl<R> Core<R> {
    /// Begins from the store, see [`Core::restore`], and continues.
    #[cfg(test)]
    pub fn recover(
        store: &dyn Store,
        setup: Setup,
        now: Timestamp,
    ) -> Result<(Self, Vec<Step<R>>), RecoverError> {
        let (mut core, first, due) = Self::restore(store, setup, now)?;
        let steps = std::iter::once(first).chain(core.carry_on(now, due)).collect();
        Ok((core, steps))
    }

    /// The steps that were due when the last owner stopped.
    pub fn carry_on(&mut self, now: Timestamp, due: Due<R>) -> Vec<Step<R>> {
        let entries = due.entries.into_iter();
        let mut steps: Vec<Step<R>> =
            entries.map(|entry| self.advance(now, entry, Vec::new(), Step::default())).collect();
        steps.extend(self.read_overdue());
        self.make_room();
        steps
    }

    /// Begins from the store. The pools are already defined. Returns what has to be written first, and the
    /// fulfilments that are to be carried on.
    pub fn restore(
        store: &dyn Store,
        setup: Setup,
        now: Timestamp,
    ) -> Result<(Self, Step<R>, Due<R>), RecoverError> {
        let Setup { worker, pools, durability, limits, shares, secret } = setup;
        let epoch = store.claim().map_err(RecoverError::Store)?;
        let mut first = Step::default();
        let kept = store.get(keys::CALLBACK_SECRET).map_err(RecoverError::Store)?;
        let known: Option<[u8; SECRET_BYTES]> = kept.and_then(|kept| kept.try_into().ok());
        if known.is_none() {
            first.commit.writes.push((keys::CALLBACK_SECRET.into(), Some(secret.into())));
        }
        let mut core = Self {
            scratch: worker.scratch(),
            worker,
            pools,
            epoch,
            durability,
            limits,
            shares,
            addresses: Addresses::new(&known.unwrap_or(secret)),
            expressions: Expressions::default(),
            open: BTreeMap::new(),
            open_bytes: 0,
            resting: Resting::default(),
            asleep: BTreeMap::new(),
            overdue: BTreeSet::new(),
            later: BTreeMap::new(),
            timers: Timers::default(),
            waiting: BTreeMap::new(),
            held_back: BTreeSet::new(),
            kept: Kept::default(),
            set_aside: BTreeMap::new(),
            unreadable: 0,
            submissions: Recent::default(),
            changed_late: Recent::default(),
            act: None,
            locks: Locks::default(),
            stamp: Stamp::default(),
        };
        core.restore_reservations(store)?;
        core.stamp = core.scratch.restore(store).map_err(RecoverError::Store)?;
        core.restore_callbacks(store, now, &mut first)?;
        core.restore_set_aside(store, now)?;
        let due = core.restore_open(store, now, &mut first)?;
        first.commit.writes.extend(without_strays(store)?);
        Ok((core, first, due))
    }

    fn restore_reservations(&mut self, store: &dyn Store) -> Result<(), RecoverError> {
        each(store, keys::RESERVATIONS, |key, bytes| {
            let held: Option<Held> = serde_json::from_slice(bytes).ok();
            let text = String::from_utf8_lossy(key);
            let reservation = text.get(2..).and_then(|rest| rest.rsplit_once('/'));
            let reservation = reservation.and_then(|(pool, index)| {
                Some((PoolId::new(pool), u64::from_str_radix(index, 16).ok()?))
            });
            match reservation {
                Some((pool, index)) => {
                    self.pools.restore(&pool, index, held.and_then(|held| held.holder));
                }
                None => {
                    tracing::error!(key = %text, "a reservation cannot be read; it is left alone");
                    self.unreadable += 1;
                }
            }
            Ok(())
        })
    }

    fn restore_callbacks(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        step: &mut Step<R>,
    ) -> Result<(), RecoverError> {
        let longest = now.plus_ms(self.limits.callback_keep_ms);
        each(store, keys::CALLBACKS, |key, bytes| {
            let name = String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned();
            if let Some(head) = Head::read(bytes) {
                // The clock may have been moved back, or the setting changed.
                let until = head.until.min(longest);
                self.kept.insert(name, Head { until, ..head });
            } else if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
                // A body without a head.
                let head = Head { until: longest, bytes: bytes.len() as u64 };
                step.commit.writes.extend(callbacks::keeping(&name, head, bytes.into()));
                self.kept.insert(name, head);
            } else {
                tracing::error!(name, "a kept callback cannot be read: it is dropped");
                self.unreadable += 1;
                step.commit.writes.extend(callbacks::removing(&name));
            }
            Ok(())
        })
    }

    fn restore_set_aside(&mut self, store: &dyn Store, now: Timestamp) -> Result<(), RecoverError> {
        each(store, keys::QUARANTINE, |key, bytes| {
            let id = FulfilmentId::new(String::from_utf8_lossy(key.get(2..).unwrap_or_default()));
            let aside = SetAside::read(bytes).unwrap_or_else(|error| {
                // Its presence is enough.
                let reason = format!("why it was set aside cannot be read: {error}");
                SetAside::new(None, reason, now)
            });
            if aside.given_up.is_none() {
                self.set_aside.insert(id, aside);
            }
            Ok(())
        })
    }

    fn restore_open(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        step: &mut Step<R>,
    ) -> Result<Due<R>, RecoverError> {
        let mut ids = Vec::new();
        each(store, keys::OPEN, |key, bytes| {
            let id = String::from_utf8_lossy(key.get(2..).unwrap_or_default());
            let trace = std::str::from_utf8(bytes).ok().and_then(Trace::parse);
            ids.push((FulfilmentId::new(id), trace));
            Ok(())
        })?;
        let (mut entries, mut versions) = (Vec::new(), BTreeSet::new());
        for (id, trace) in ids {
            let missing = || RecoverError::Missing { fulfilment: id.clone(), number: 0 };
            let read = read_sized(store, &id).and_then(|read| read.ok_or_else(missing));
            match read {
                Ok((mut fulfilment, bytes)) if !self.set_aside.contains_key(&id) => {
                    let owed = owed(store, &fulfilment)?;
                    let is_shifted = now < fulfilment.updated_at();
                    fulfilment.follow_clock(now);
                    let mut entry = self.restored(fulfilment, bytes, step);
                    entry.is_shifted = is_shifted;
                    entry.trace = trace;
                    entry.owed = owed.map(|mut owed| {
                        let record = Arc::clone(&owed.record);
                        owed.then = vec![entry.publish(owed.mark.record, record), entry.go_on()];
                        owed
                    });
                    versions.extend(entry.fulfilment.versions().into_iter().cloned());
                    entries.extend(self.unless_asleep(now, entry));
                }
                Ok((fulfilment, _)) => self.lock_again(&fulfilment),
                // The store itself is closed, taken over or away. An unreadable value concerns one
                // fulfilment alone.
                Err(RecoverError::Store(error)) if error.is_of_whole_store() => {
                    return Err(RecoverError::Store(error));
                }
                Err(error) => self.cannot_be_read(store, &id, &error, now, step),
            }
        }
        Ok(Due { entries, versions })
    }

    /// Sets aside an unreadable fulfilment, and takes its locks as far as they can be read.
    fn cannot_be_read(
        &mut self,
        store: &dyn Store,
        id: &FulfilmentId,
        error: &RecoverError,
        now: Timestamp,
        step: &mut Step<R>,
    ) {
        for event in readable(store, id) {
            self.lock_of(id, &event);
        }
        if self.set_aside.contains_key(id) {
            return;
        }
        self.set_unread_aside(id, error, now, step);
    }

    /// Adds a fulfilment to the open ones.
    pub(super) fn restored(
        &mut self,
        fulfilment: Fulfilment,
        bytes: u64,
        step: &mut Step<R>,
    ) -> Entry<R> {
        let mut entry = Entry::new(fulfilment);
        entry.order_state = Some(entry.fulfilment.order_state());
        entry.bytes = bytes;
        self.open_bytes += bytes;
        let fulfilment = Arc::clone(&entry.fulfilment);
        self.lock_again(&fulfilment);
        for (task, attempt, _) in fulfilment.waits() {
            let names = fulfilment.awaited_by(task);
            let kept = self.await_names(fulfilment.id(), task, attempt, names);
            step.commit.then.extend(kept.map(After::Recall));
        }
        entry
    }
}

/// The documents that were not written yet when the last owner stopped.
fn owed<R>(store: &dyn Store, fulfilment: &Fulfilment) -> Result<Option<Owed<R>>, RecoverError> {
    let id = fulfilment.id();
    let mark = store.get(&keys::owed(id)).map_err(RecoverError::Store)?;
    let Some(mark) = mark.and_then(|bytes| Mark::read(&bytes)) else { return Ok(None) };
    let Some(mut owed) = Owed::again(fulfilment, read_records(store, id)?, mark) else {
        return Ok(None);
    };
    if fulfilment.is_ended() {
        owed.writes.push((keys::open(id), None));
    }
    Ok(Some(owed))
}

/// The events of a journal up to the first unreadable record.
fn readable(store: &dyn Store, id: &FulfilmentId) -> Vec<Event> {
    let mut events = Vec::new();
    let read = each(store, &keys::journal_prefix(id), |_, bytes| {
        if let Ok(record) = Record::decode(bytes) {
            events.extend(record.events);
        }
        Ok(())
    });
    if let Err(error) = read {
        tracing::error!(fulfilment = %id, reason = chain(&error), "what it locks is not known");
    }
    events
}

/// Reads every fact under a prefix, page by page.
fn each(
    store: &dyn Store,
    prefix: &[u8],
    mut read: impl FnMut(&[u8], &[u8]) -> Result<(), RecoverError>,
) -> Result<(), RecoverError> {
    for page in pages(store, Scan::prefix(prefix, PAGE)) {
        for (key, value) in page.map_err(RecoverError::Store)? {
            read(&key, &value)?;
        }
    }
    Ok(())
}
