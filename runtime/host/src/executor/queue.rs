//! A queue for each plugin, from which threads take plugins in turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::lane::Number;

/// Queues by plugin.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lanes: Mutex<Lanes<T>>,
    pushed: Condvar,
    /// How many threads one plugin may have at one time.
    threads_max: usize,
}

#[derive(Debug)]
struct Lanes<T> {
    /// What waits, and how many threads the plugin has now; no lane is empty in both.
    lanes: BTreeMap<Number, (VecDeque<T>, usize)>,
    /// The plugins for which something waits, in the order of their turns.
    turns: VecDeque<Number>,
    is_closed: bool,
}

/// Whether something was in the queue before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// It was empty.
    First,
    /// It was not, or is closed.
    Behind,
}

impl<T> Queue<T> {
    pub(super) fn new(threads_max: usize) -> Self {
        let lanes = Lanes { lanes: BTreeMap::new(), turns: VecDeque::new(), is_closed: false };
        Self { lanes: Mutex::new(lanes), pushed: Condvar::new(), threads_max }
    }

    /// Adds something for a plugin; drops it if the queue is closed.
    pub(super) fn push(&self, number: Number, item: T) -> Waited {
        let mut lanes = self.lock();
        if lanes.is_closed {
            drop(lanes);
            drop(item);
            return Waited::Behind;
        }
        let waited = if lanes.turns.is_empty() { Waited::First } else { Waited::Behind };
        lanes.push(number, item);
        drop(lanes);
        self.pushed.notify_one();
        waited
    }

    /// What has its turn, when there is something; `None` if the queue is closed.
    pub(super) fn wait(&self) -> Option<T> {
        let mut lanes = self.lock();
        loop {
            if let Some(item) = lanes.next(self.threads_max) {
                return Some(item);
            }
            if lanes.is_closed {
                return None;
            }
            lanes = self.pushed.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What has its turn now. Does not wait for the lock either.
    pub(super) fn try_pop(&self) -> Option<T> {
        self.lanes.try_lock().ok()?.next(self.threads_max)
    }

    /// Gives back the thread that a plugin had.
    pub(super) fn done(&self, number: Number) {
        let mut lanes = self.lock();
        if lanes.done(number, self.threads_max) {
            drop(lanes);
            self.pushed.notify_one();
        }
    }

    /// Drops what waits, now and later.
    pub(super) fn close(&self) {
        let mut lanes = self.lock();
        lanes.is_closed = true;
        lanes.turns.clear();
        // Dropping an item may run foreign code, which must not find the lock taken.
        let dropped = std::mem::take(&mut lanes.lanes);
        drop(lanes);
        drop(dropped);
        self.pushed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<T>> {
        // Every change leaves the queues consistent, so a poisoned lock is still good.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lanes<T> {
    fn push(&mut self, number: Number, item: T) {
        let (waiting, _) = self.lanes.entry(number).or_default();
        if waiting.is_empty() {
            self.turns.push_back(number);
        }
        waiting.push_back(item);
    }

    fn next(&mut self, threads_max: usize) -> Option<T> {
        let is_free = |number| self.lanes.get(number).is_some_and(|lane| lane.1 < threads_max);
        let place = self.turns.iter().position(is_free)?;
        let number = self.turns.remove(place)?;
        let (waiting, threads) = self.lanes.get_mut(&number)?;
        let item = waiting.pop_front()?;
        *threads += 1;
        if !waiting.is_empty() {
            self.turns.push_back(number);
        }
        Some(item)
    }

    /// Whether something that waits can have the thread that was given back.
    fn done(&mut self, number: Number, threads_max: usize) -> bool {
        let Some((waiting, threads)) = self.lanes.get_mut(&number) else { return false };
        let was_full = *threads >= threads_max;
        *threads = threads.saturating_sub(1);
        if waiting.is_empty() && *threads == 0 {
            self.lanes.remove(&number);
            return false;
        }
        was_full && !waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(lanes: &mut Lanes<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| lanes.next(usize::MAX)).collect()
    }

    #[test]
    fn plugins_take_turns_however_many_calls_one_of_them_has() {
        let queue = Queue::new(usize::MAX);
        let mut lanes = queue.lock();
        for item in ["a1", "a2", "a3", "a4"] {
            lanes.push(Number(1), item);
        }
        lanes.push(Number(2), "b1");
        lanes.push(Number(3), "c1");
        lanes.push(Number(2), "b2");
        assert_eq!(drain(&mut lanes), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn a_plugin_does_not_get_all_threads() {
        let queue = Queue::new(2);
        let mut lanes = queue.lock();
        for item in ["a1", "a2", "a3"] {
            lanes.push(Number(1), item);
        }
        assert_eq!([lanes.next(2), lanes.next(2), lanes.next(2)], [Some("a1"), Some("a2"), None]);
        lanes.push(Number(2), "b1");
        assert_eq!(lanes.next(2), Some("b1"));
        assert!(lanes.done(Number(1), 2));
        assert_eq!(lanes.next(2), Some("a3"));
        for number in [Number(1), Number(1), Number(2)] {
            assert!(!lanes.done(number, 2));
        }
        assert!(lanes.lanes.is_empty(), "{lanes:?}");
    }

    #[test]
    fn a_closed_queue_keeps_nothing() {
        let queue = Queue::new(usize::MAX);
        let item = std::sync::Arc::new(());
        queue.push(Number(1), std::sync::Arc::clone(&item));
        queue.close();
        queue.push(Number(1), std::sync::Arc::clone(&item));
        assert_eq!(std::sync::Arc::strong_count(&item), 1);
        assert!(queue.wait().is_none());
        assert!(queue.try_pop().is_none());
    }
}
