//! Things with a time each, the earliest first.

use std::collections::BTreeSet;

use tmf::time::Timestamp;

#[derive(Debug)]
pub(super) struct Timers<T>(BTreeSet<(Timestamp, T)>);

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Ord> Timers<T> {
    /// The earliest time.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    pub(super) fn insert(&mut self, at: Timestamp, thing: T) {
        self.0.insert((at, thing));
    }

    pub(super) fn remove<Q>(&mut self, at: Timestamp, thing: &Q)
    where
        Q: ToOwned<Owned = T> + ?Sized,
    {
        self.0.remove(&(at, thing.to_owned()));
    }

    /// Removes the first thing whose time has come.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<T> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, thing)| thing)
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Timestamp, &T)> {
        self.0.iter().map(|(at, thing)| (*at, thing))
    }
}
