//! Things with a time each, the earliest first.

use std::borrow::Borrow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use tmf::time::Timestamp;

#[derive(Debug)]
pub(super) struct Timers<T>(BTreeMap<Timestamp, BTreeSet<T>>);

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Timers<T> {
    /// The earliest time.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.0.first_key_value().map(|(at, _)| *at)
    }

    pub(super) fn insert(&mut self, at: Timestamp, thing: T) {
        self.0.entry(at).or_default().insert(thing);
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, at: Timestamp, thing: &Q)
    where
        T: Borrow<Q>,
    {
        if let Entry::Occupied(mut things) = self.0.entry(at) {
            things.get_mut().remove(thing);
            if things.get().is_empty() {
                things.remove();
            }
        }
    }

    /// Removes the first thing whose time has come.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<T> {
        let mut things = self.0.first_entry().filter(|things| *things.key() <= now)?;
        let first = things.get_mut().pop_first();
        if things.get().is_empty() {
            things.remove();
        }
        first
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Timestamp, &T)> {
        self.0.iter().flat_map(|(at, things)| things.iter().map(|thing| (*at, thing)))
    }
}
