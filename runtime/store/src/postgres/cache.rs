//! Facts that were read or written lately, so that not every read crosses the network. Only the owner of a
//! store writes, so what it wrote and read itself is what the database has.
//!
//! A read that began before a commit may come back after it, with a value that is old by then. So reads are
//! announced, and the value of one that a commit overtook is not kept.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::tree::Writes;

/// The bytes that an entry takes besides its key and value, roughly.
const ENTRY_BYTES: usize = 96;

/// The values of keys, or that there is none.
type Entries = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// The cache of one store.
pub(super) struct Cache {
    bytes_max: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// Used since the generations were exchanged last.
    young: Entries,
    young_bytes: usize,
    /// Used before; forgotten at the next exchange.
    old: Entries,
    /// The reads that are under way, by key.
    reading: HashMap<Vec<u8>, Reading>,
    /// The writes of the commit that is under way.
    committing: Writes,
    /// Whether facts are kept: not before the store is owned, since others may write it then, nor after a
    /// commit failed, since whether it is in the database is unknown.
    is_open: bool,
}

#[derive(Default)]
struct Reading {
    readers: usize,
    /// A commit wrote the key meanwhile.
    is_overtaken: bool,
}

/// A look at the cache.
pub(super) enum Look {
    Known(Option<Vec<u8>>),
    /// The key is to be read, and [`Cache::read`] or [`Cache::given_up`] told.
    Unknown,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, inside: Mutex::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing panics between two halves of a change.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a key; else the read of it is announced.
    pub(super) fn look(&self, key: &[u8]) -> Look {
        let mut inside = self.inside();
        if let Some(value) = inside.young.get(key) {
            return Look::Known(value.clone());
        }
        if let Some(value) = inside.old.remove(key) {
            inside.keep(self.bytes_max, key.to_vec(), value.clone());
            return Look::Known(value);
        }
        let is_overtaken = inside.committing.contains_key(key) || !inside.is_open;
        let reading = inside.reading.entry(key.to_vec()).or_default();
        reading.readers += 1;
        reading.is_overtaken |= is_overtaken;
        Look::Unknown
    }

    /// Ends a read that was announced.
    pub(super) fn read(&self, key: &[u8], value: Option<&[u8]>) {
        let mut inside = self.inside();
        if inside.read_ends(key) {
            inside.keep(self.bytes_max, key.to_vec(), value.map(<[u8]>::to_vec));
        }
    }

    /// Ends a read that was announced and failed.
    pub(super) fn given_up(&self, key: &[u8]) {
        self.inside().read_ends(key);
    }

    /// A commit begins: values read from now on may be older or newer than it.
    pub(super) fn begin(&self, writes: Writes) {
        let mut inside = self.inside();
        for key in writes.keys() {
            if let Some(reading) = inside.reading.get_mut(key) {
                reading.is_overtaken = true;
            }
        }
        inside.committing = writes;
    }

    /// The commit is in the database: readers see all of its writes at once.
    pub(super) fn finish(&self) {
        let mut inside = self.inside();
        for (key, value) in mem::take(&mut inside.committing) {
            inside.old.remove(&key);
            inside.keep(self.bytes_max, key, value);
        }
    }

    /// The store is owned from now on, and was written by others before.
    pub(super) fn open(&self) {
        self.inside().clear(true);
    }

    /// Whether the commit is in the database is unknown: nothing is kept from now on.
    pub(super) fn close(&self) {
        self.inside().clear(false);
    }
}

impl Inside {
    fn clear(&mut self, is_open: bool) {
        let mut reading = mem::take(&mut self.reading);
        reading.values_mut().for_each(|reading| reading.is_overtaken = true);
        *self = Self { reading, is_open, ..Self::default() };
    }

    /// Ends a read; whether its value may be kept.
    fn read_ends(&mut self, key: &[u8]) -> bool {
        let Some(reading) = self.reading.get_mut(key) else { return false };
        let may_be_kept = !reading.is_overtaken;
        reading.readers -= 1;
        if reading.readers == 0 {
            self.reading.remove(key);
        }
        may_be_kept
    }

    fn keep(&mut self, bytes_max: usize, key: Vec<u8>, value: Option<Vec<u8>>) {
        let bytes = |key: &[u8], value: &Option<Vec<u8>>| {
            ENTRY_BYTES + key.len() + value.as_ref().map_or(0, Vec::len)
        };
        let more = bytes(&key, &value);
        // Two generations; one that is alone too large is not kept.
        if more > bytes_max / 2 || !self.is_open {
            if let Some(replaced) = self.young.remove(&key) {
                self.young_bytes -= bytes(&key, &replaced);
            }
            return;
        }
        if self.young_bytes + more > bytes_max / 2 {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
            self.old.remove(&key);
        }
        self.young_bytes += more;
        if let Some(replaced) = self.young.get(&key) {
            self.young_bytes -= bytes(&key, replaced);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What may happen to a key, in any order.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Look(u8),
        /// The oldest read comes back, with the value of its time.
        Return,
        Begin(u8, Option<u8>),
        Finish,
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = 0..3_u8;
        prop_oneof![
            key.clone().prop_map(Step::Look),
            Just(Step::Return),
            (key, prop::option::of(any::<u8>())).prop_map(|(key, value)| Step::Begin(key, value)),
            Just(Step::Finish),
        ]
    }

    proptest! {
        /// A known value is that of the database, whatever reads and commits overtook each other.
        #[test]
        fn no_overtaken_value_is_kept(steps in prop::collection::vec(step(), 1..60), small in any::<bool>()) {
            let cache = Cache::new(if small { 400 } else { 1 << 20 });
            cache.open();
            let mut database: HashMap<u8, u8> = HashMap::new();
            let mut pending: Option<(u8, Option<u8>)> = None;
            let mut reads: Vec<(u8, Option<u8>)> = Vec::new();
            for step in steps {
                match step {
                    Step::Look(key) => match cache.look(&[key]) {
                        Look::Known(value) => {
                            let value = value.map(|value| value[0]);
                            prop_assert_eq!(value, database.get(&key).copied());
                        }
                        // It is answered from before a commit that is under way, or from after it.
                        Look::Unknown => reads.push((key, database.get(&key).copied())),
                    },
                    Step::Return if !reads.is_empty() => {
                        let (key, value) = reads.remove(0);
                        cache.read(&[key], value.map(|value| [value]).as_ref().map(|v| v.as_slice()));
                    }
                    Step::Begin(key, value) if pending.is_none() => {
                        cache.begin(Writes::from([(vec![key], value.map(|value| vec![value]))]));
                        pending = Some((key, value));
                    }
                    Step::Finish => {
                        let Some((key, value)) = pending.take() else { continue };
                        match value {
                            Some(value) => database.insert(key, value),
                            None => database.remove(&key),
                        };
                        cache.finish();
                    }
                    Step::Return | Step::Begin(..) => {}
                }
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_a_value_that_is_used_stays() {
        let cache = Cache::new(10_000);
        cache.open();
        for round in 0..1_000_u32 {
            let key = round.to_be_bytes();
            assert!(matches!(cache.look(&key), Look::Unknown));
            cache.read(&key, Some(&[0; 50]));
            if round == 0 {
                continue;
            }
            assert!(matches!(cache.look(&0_u32.to_be_bytes()), Look::Known(Some(_))), "{round}");
            let inside = cache.inside();
            assert!((inside.young.len() + inside.old.len()) * 150 <= 10_200);
            assert!(inside.reading.is_empty());
        }
    }

    #[test]
    fn nothing_is_known_before_the_store_is_owned_nor_after_a_commit_that_failed() {
        let cache = Cache::new(1 << 20);
        assert!(matches!(cache.look(b"a"), Look::Unknown));
        cache.open();
        cache.read(b"a", Some(b"0"));
        assert!(matches!(cache.look(b"a"), Look::Unknown));
        cache.read(b"a", Some(b"1"));
        assert!(matches!(cache.look(b"a"), Look::Known(Some(_))));
        cache.begin(Writes::from([(b"a".to_vec(), Some(b"2".to_vec()))]));
        cache.close();
        assert!(matches!(cache.look(b"a"), Look::Unknown));
        cache.read(b"a", Some(b"1"));
        assert!(matches!(cache.look(b"a"), Look::Unknown));
    }
}
