//! A queue for each plugin, from which threads take tenants in turn, and plugins of a tenant in turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::lane::Number;

/// Queues by plugin.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lanes: Mutex<Lanes<T>>,
    pushed: Condvar,
    /// How many threads one plugin may have at one time, and one tenant beside others.
    threads_max: usize,
}

#[derive(Debug)]
struct Lanes<T> {
    /// What waits, and how many threads the plugin has now; no lane is empty in both.
    lanes: BTreeMap<Number, (VecDeque<T>, usize)>,
    /// The tenants for which something waits, in the order of their turns.
    turns: VecDeque<usize>,
    tenants: BTreeMap<usize, Tenant>,
    is_shared: bool,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Tenant {
    /// The plugins for which something waits, in the order of their turns.
    turns: VecDeque<Number>,
    /// How many threads its plugins have now.
    threads: usize,
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
        let lanes = Lanes {
            lanes: BTreeMap::new(),
            turns: VecDeque::new(),
            tenants: BTreeMap::new(),
            is_shared: false,
            is_closed: false,
        };
        Self { lanes: Mutex::new(lanes), pushed: Condvar::new(), threads_max }
    }

    /// Leaves a thread to others whatever one tenant runs: there is more than one.
    pub(super) fn share(&self) {
        self.lock().is_shared = true;
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
            let tenant = self.tenants.entry(number.tenant).or_default();
            if tenant.turns.is_empty() {
                self.turns.push_back(number.tenant);
            }
            tenant.turns.push_back(number);
        }
        waiting.push_back(item);
    }

    fn next(&mut self, threads_max: usize) -> Option<T> {
        let free = |tenant| self.free(tenant, threads_max);
        let (place, lane) = self
            .turns
            .iter()
            .enumerate()
            .find_map(|(place, tenant)| Some((place, free(*tenant)?)))?;
        let tenant = self.tenants.get_mut(&self.turns.remove(place)?)?;
        let number = tenant.turns.remove(lane)?;
        let (waiting, threads) = self.lanes.get_mut(&number)?;
        let item = waiting.pop_front()?;
        *threads += 1;
        tenant.threads += 1;
        if !waiting.is_empty() {
            tenant.turns.push_back(number);
        }
        if !tenant.turns.is_empty() {
            self.turns.push_back(number.tenant);
        }
        Some(item)
    }

    /// The place of a plugin of a tenant that may have a thread now.
    fn free(&self, tenant: usize, threads_max: usize) -> Option<usize> {
        let tenant = self.tenants.get(&tenant)?;
        if self.is_shared && tenant.threads >= threads_max {
            return None;
        }
        let is_free = |number| self.lanes.get(number).is_some_and(|lane| lane.1 < threads_max);
        tenant.turns.iter().position(is_free)
    }

    /// Whether something that waits can have the thread that was given back.
    fn done(&mut self, number: Number, threads_max: usize) -> bool {
        let Some((waiting, threads)) = self.lanes.get_mut(&number) else { return false };
        let mut is_wanted = *threads >= threads_max && !waiting.is_empty();
        *threads = threads.saturating_sub(1);
        if waiting.is_empty() && *threads == 0 {
            self.lanes.remove(&number);
        }
        let Some(tenant) = self.tenants.get_mut(&number.tenant) else { return is_wanted };
        is_wanted |= self.is_shared && tenant.threads >= threads_max && !tenant.turns.is_empty();
        tenant.threads = tenant.threads.saturating_sub(1);
        if tenant.turns.is_empty() && tenant.threads == 0 {
            self.tenants.remove(&number.tenant);
        }
        is_wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(plugin: u64) -> Number {
        Number { tenant: 0, plugin }
    }

    fn drain(lanes: &mut Lanes<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| lanes.next(usize::MAX)).collect()
    }

    #[test]
    fn plugins_take_turns_however_many_calls_one_of_them_has() {
        let queue = Queue::new(usize::MAX);
        let mut lanes = queue.lock();
        for item in ["a1", "a2", "a3", "a4"] {
            lanes.push(plugin(1), item);
        }
        lanes.push(plugin(2), "b1");
        lanes.push(plugin(3), "c1");
        lanes.push(plugin(2), "b2");
        assert_eq!(drain(&mut lanes), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn tenants_take_turns_however_many_plugins_one_of_them_has() {
        let queue = Queue::new(usize::MAX);
        let mut lanes = queue.lock();
        for (number, item) in [(1, "a1"), (2, "a2"), (3, "a3"), (1, "a4")] {
            lanes.push(plugin(number), item);
        }
        lanes.push(Number { tenant: 1, plugin: 1 }, "b1");
        lanes.push(Number { tenant: 1, plugin: 1 }, "b2");
        assert_eq!(drain(&mut lanes), ["a1", "b1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn a_tenant_beside_others_does_not_get_all_threads() {
        let queue = Queue::new(2);
        queue.share();
        let mut lanes = queue.lock();
        for number in 1..=3 {
            lanes.push(plugin(number), "a");
        }
        assert_eq!([lanes.next(2), lanes.next(2), lanes.next(2)], [Some("a"), Some("a"), None]);
        let other = Number { tenant: 1, plugin: 1 };
        lanes.push(other, "b");
        assert_eq!([lanes.next(2), lanes.next(2)], [Some("b"), None]);
        assert!(lanes.done(plugin(1), 2));
        assert_eq!(lanes.next(2), Some("a"));
        for number in [plugin(2), plugin(3), other] {
            assert!(!lanes.done(number, 2));
        }
        assert!(lanes.lanes.is_empty() && lanes.tenants.is_empty(), "{lanes:?}");
    }

    #[test]
    fn a_plugin_does_not_get_all_threads() {
        let queue = Queue::new(2);
        let mut lanes = queue.lock();
        for item in ["a1", "a2", "a3"] {
            lanes.push(plugin(1), item);
        }
        assert_eq!([lanes.next(2), lanes.next(2), lanes.next(2)], [Some("a1"), Some("a2"), None]);
        lanes.push(plugin(2), "b1");
        assert_eq!(lanes.next(2), Some("b1"));
        assert!(lanes.done(plugin(1), 2));
        assert_eq!(lanes.next(2), Some("a3"));
        for number in [plugin(1), plugin(1), plugin(2)] {
            assert!(!lanes.done(number, 2));
        }
        assert!(lanes.lanes.is_empty(), "{lanes:?}");
    }

    #[test]
    fn a_closed_queue_keeps_nothing() {
        let queue = Queue::new(usize::MAX);
        let item = std::sync::Arc::new(());
        queue.push(plugin(1), std::sync::Arc::clone(&item));
        queue.close();
        queue.push(plugin(1), std::sync::Arc::clone(&item));
        assert_eq!(std::sync::Arc::strong_count(&item), 1);
        assert!(queue.wait().is_none());
        assert!(queue.try_pop().is_none());
    }
}
