//! The versions of a document.

use tmf::time::Timestamp;

/// All versions of a document, oldest first, each with the time since which it is so. There is at least
/// one.
#[derive(Clone, Debug, PartialEq)]
pub struct Versions<T>(Vec<(Timestamp, T)>);

impl<T> Versions<T> {
    /// The versions of a document, in any order; of two with the same time the later one counts. `None`
    /// if there are none.
    pub fn new(mut versions: Vec<(Timestamp, T)>) -> Option<Self> {
        versions.sort_by_key(|(since, _)| *since);
        (!versions.is_empty()).then_some(Self(versions))
    }

    /// The present version.
    pub fn last(&self) -> &T {
        self.0.last().map(|(_, version)| version).expect("there is a version")
    }

    pub fn into_last(mut self) -> T {
        self.0.pop().map(|(_, version)| version).expect("there is a version")
    }

    /// The version at a time. The first one counts back to any time before it.
    pub fn at(&self, time: Timestamp) -> &T {
        self.get(self.index_at(time)).1
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Timestamp, &T)> {
        self.0.iter().map(|(since, version)| (*since, version))
    }

    /// The version at a place, or the last one if the place is beyond it.
    pub(super) fn get(&self, index: usize) -> (Timestamp, &T) {
        match self.0.get(index) {
            Some((since, version)) => (*since, version),
            None => (self.since(), self.last()),
        }
    }

    pub(super) fn index_at(&self, time: Timestamp) -> usize {
        self.0.partition_point(|(since, _)| *since <= time).saturating_sub(1)
    }

    fn since(&self) -> Timestamp {
        self.0.last().map(|(since, _)| *since).expect("there is a version")
    }
}
