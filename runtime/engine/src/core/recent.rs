//! The last entries of a growing map.

use std::collections::{BTreeMap, VecDeque};

/// Max entries; older ones are on disk by then, since fewer commits may be on their way.
const RECENT_MAX: usize = 65_536;

/// The last entries of a growing map.
#[derive(Debug)]
pub(super) struct Recent<V> {
    entries: BTreeMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<V> Recent<V> {
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn forget(&mut self, key: &str) {
        if self.entries.remove(key).is_some() {
            self.order.retain(|known| known != key);
        }
    }

    pub(super) fn insert(&mut self, key: String, value: V) {
        if self.entries.insert(key.clone(), value).is_some() {
            return;
        }
        if self.order.len() >= RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key);
    }
}
