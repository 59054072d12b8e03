//! The scratch spaces of plugins: small facts that a plugin keeps between its calls.
//!
//! A call buffers its writes, and they travel with its answer. They are checked against this table when
//! the answer comes, and are in the commit of the task's event. Values are in the store only; the table
//! has the keys, to check revisions and quotas without a read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Event, Failure, FailureClass, FailureCode, PluginId};

pub use self::quota::{Quota, QuotaError};
use crate::keys;
use crate::stamp::Stamp;
use crate::store::{self, Scan, Store, Write, pages};

mod quota;

/// Max bytes of a key.
pub const KEY_NAME_BYTES_MAX: usize = 128;

/// The bytes that a write counts for besides its key and value.
pub const WRITE_BYTES: usize = 32;

/// Facts that are read from the store at once.
const FACTS_AT_ONCE: usize = 64;

/// The scratch spaces of all plugins; cheap to clone, shared with the worker.
#[derive(Clone, Debug, Default)]
pub struct Scratch(Arc<Mutex<BTreeMap<PluginId, Space>>>);

/// The space of a plugin.
#[derive(Debug, Default)]
struct Space {
    keys: BTreeMap<String, Kept>,
    /// The bytes of all keys and values.
    bytes: u64,
    /// Keys whose last write is decided, and follows when its record is written in pieces.
    held_back: BTreeSet<String>,
}

/// A key that has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The moment of the commit that wrote it.
    pub revision: Stamp,
    /// The bytes of its value.
    pub bytes: u32,
}

/// The size of a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of keys.
    pub keys: u64,
    /// The bytes of all keys and values.
    pub bytes: u64,
}

/// The writes of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The plugin.
    pub plugin: PluginId,
    /// The quota that the call began with.
    pub quota: Quota,
    /// The last write of each key.
    pub writes: BTreeMap<String, Change>,
}

/// A write of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The new value; `None` removes the key.
    pub value: Option<Vec<u8>>,
    /// The key as its first writer in the call expects it.
    pub expected: Expected,
}

/// A key as a writer expects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The last write counts.
    Any,
    /// It has no value.
    Absent,
    /// It was not written since.
    Revision(Stamp),
}

/// Why writes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A key is not as its writer expects it.
    #[error("the key `{0}` of the scratch space was written meanwhile")]
    Conflict(String),
    /// The space would have more than its quota.
    #[error(
        "the scratch space would have {what}, and its quota is {max}: delete keys that are not \
         needed, or raise `{setting}` in `[plugins.{plugin}.scratch]`"
    )]
    Full {
        /// The plugin.
        plugin: PluginId,
        /// The size that it would have.
        what: String,
        /// The quota.
        max: u64,
        /// The setting.
        setting: &'static str,
    },
}

impl Refused {
    /// The failure of an attempt whose writes are refused.
    pub fn failure(&self) -> Failure {
        let (class, code) = match self {
            Self::Conflict(_) => (FailureClass::Retry, FailureCode::ScratchConflict),
            Self::Full { .. } => (FailureClass::Operator, FailureCode::ScratchFull),
        };
        Failure::new(class, code, self.to_string())
    }
}

impl Scratch {
    /// Reads the keys of all plugins; returns the last moment that one was written.
    pub(crate) fn restore(&self, store: &dyn Store) -> Result<Stamp, store::Error> {
        let mut last = Stamp::default();
        for page in pages(store, Scan::prefix(keys::SCRATCH, FACTS_AT_ONCE)) {
            for (key, fact) in page? {
                let Some((plugin, key)) = keys::scratch_of(&key) else { continue };
                let Some((revision, value)) = read(&fact) else { continue };
                last = last.max(revision);
                let kept = Kept { revision, bytes: bytes_of(value) };
                self.lock().entry(PluginId::new(plugin)).or_default().set(key, Some(kept));
            }
        }
        Ok(last)
    }

    /// The size of the space of a plugin.
    pub fn usage(&self, plugin: &PluginId) -> Usage {
        let spaces = self.lock();
        spaces.get(plugin).map_or_else(Usage::default, |space| Usage {
            keys: space.keys.len() as u64,
            bytes: space.bytes,
        })
    }

    /// The keys of a plugin with this prefix and after this one, in order.
    pub fn keys(
        &self,
        plugin: &PluginId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Kept)> {
        let spaces = self.lock();
        let Some(space) = spaces.get(plugin) else { return Vec::new() };
        let from = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let from = space.keys.range::<str, _>((from, Bound::Unbounded));
        let found = from.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        found.map(|(key, kept)| (key.to_owned(), *kept)).collect()
    }

    /// The writes that delete a key of a plugin, or all of them.
    pub fn deletion(&self, plugin: &PluginId, key: Option<&str>) -> Changes {
        let keys = self.keys(plugin, key.unwrap_or_default(), None, usize::MAX).into_iter();
        let keys = keys.map(|(key, _)| key).filter(|kept| key.is_none_or(|key| key == kept));
        let change = || Change { value: None, expected: Expected::Any };
        let writes = keys.map(|key| (key, change())).collect();
        Changes { plugin: plugin.to_owned(), quota: Quota::default(), writes }
    }

    /// Whether the space of a plugin has room for these writes.
    pub fn check_room(&self, changes: &Changes) -> Result<(), Refused> {
        let spaces = self.lock();
        let none = Space::default();
        spaces.get(&changes.plugin).unwrap_or(&none).check_room(changes)
    }

    /// Whether writes may be committed now.
    pub(crate) fn check(&self, changes: &Changes) -> Result<(), Refused> {
        let spaces = self.lock();
        let none = Space::default();
        let space = spaces.get(&changes.plugin).unwrap_or(&none);
        for (key, change) in &changes.writes {
            let kept = space.keys.get(key).map(|kept| kept.revision);
            let is_expected = match change.expected {
                Expected::Any => true,
                Expected::Absent => kept.is_none(),
                Expected::Revision(revision) => kept == Some(revision),
            };
            if !is_expected || space.held_back.contains(key) {
                return Err(Refused::Conflict(key.to_owned()));
            }
        }
        space.check_room(changes)
    }

    /// Takes writes over; the facts to commit.
    pub fn commit(&self, changes: Changes, at: Stamp) -> Vec<Write> {
        let mut spaces = self.lock();
        let Changes { plugin, writes, .. } = changes;
        let mut facts = Vec::new();
        let space = spaces.entry(plugin.to_owned()).or_default();
        for (key, Change { value, .. }) in writes {
            let kept = |value: &Vec<u8>| Kept { revision: at, bytes: bytes_of(value) };
            space.set(&key, value.as_ref().map(kept));
            let fact = value.map(|value| [&at.0.to_be_bytes(), value.as_slice()].concat());
            facts.push((keys::scratch(&plugin, &key), fact));
        }
        facts
    }

    /// Refuses other writes of the keys in these facts until [`Scratch::let_go`].
    pub(crate) fn hold_back(&self, facts: &[Write]) {
        self.each_of(facts, |space, key| {
            space.held_back.insert(key.to_owned());
        });
    }

    /// Allows other writes of the keys in these facts again.
    pub(crate) fn let_go(&self, facts: &[Write]) {
        self.each_of(facts, |space, key| {
            space.held_back.remove(key);
        });
    }

    fn each_of(&self, facts: &[Write], mut act: impl FnMut(&mut Space, &str)) {
        for (plugin, key) in facts.iter().filter_map(|(key, _)| keys::scratch_of(key)) {
            act(self.lock().entry(PluginId::new(plugin)).or_default(), key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PluginId, Space>> {
        // Every change leaves the spaces consistent, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Space {
    fn set(&mut self, key: &str, kept: Option<Kept>) {
        let size = |kept: Kept| key.len() as u64 + u64::from(kept.bytes);
        let before = match kept {
            Some(kept) => self.keys.insert(key.to_owned(), kept),
            None => self.keys.remove(key),
        };
        self.bytes += kept.map_or(0, size);
        self.bytes = self.bytes.saturating_sub(before.map_or(0, size));
    }

    /// A space that is over its quota may shrink and may not grow.
    fn check_room(&self, changes: &Changes) -> Result<(), Refused> {
        let (mut keys, mut bytes) = (self.keys.len() as u64, self.bytes);
        for (key, change) in &changes.writes {
            if let Some(kept) = self.keys.get(key) {
                keys -= 1;
                bytes = bytes.saturating_sub(key.len() as u64 + u64::from(kept.bytes));
            }
            if let Some(value) = &change.value {
                keys += 1;
                bytes += (key.len() + value.len()) as u64;
            }
        }
        let Quota { keys: keys_max, total_kib, .. } = changes.quota;
        let (keys_max, bytes_max) = (u64::from(keys_max), u64::from(total_kib) << 10);
        let full = |what: String, max: u64, setting: &'static str| Refused::Full {
            plugin: changes.plugin.to_owned(),
            what,
            max,
            setting,
        };
        if keys > keys_max.max(self.keys.len() as u64) {
            return Err(full(format!("{keys} keys"), keys_max, "keys"));
        }
        if bytes > bytes_max.max(self.bytes) {
            return Err(full(format!("{bytes} bytes"), bytes_max, "total-kib"));
        }
        Ok(())
    }
}

/// The value of a key as last committed, with its revision; `None` if it has none.
pub fn get(
    store: &dyn Store,
    plugin: &PluginId,
    key: &str,
) -> Result<Option<(Stamp, Vec<u8>)>, store::Error> {
    let fact = store.get(&keys::scratch(plugin, key))?;
    Ok(fact.as_deref().and_then(read).map(|(revision, value)| (revision, value.to_vec())))
}

/// Whether events apply an answer, rather than ignore it or record a failure.
pub fn applies(events: &[Event]) -> bool {
    let applies = |event: &Event| {
        matches!(
            event,
            Event::Succeeded { .. }
                | Event::Waiting { .. }
                | Event::Undone { .. }
                | Event::UndoWaiting { .. }
        )
    };
    events.iter().any(applies)
}

/// Why a text cannot be a key.
pub fn wrong_key(key: &str) -> Option<String> {
    match key.len() {
        0 => Some("a key of the scratch space is empty".into()),
        bytes if bytes > KEY_NAME_BYTES_MAX => Some(format!(
            "a key of the scratch space has {bytes} bytes, the limit is {KEY_NAME_BYTES_MAX}"
        )),
        _ if key.chars().any(char::is_control) => {
            Some("a key of the scratch space has a control character".into())
        }
        _ => None,
    }
}

/// Reads a fact: the revision, then the value.
fn read(fact: &[u8]) -> Option<(Stamp, &[u8])> {
    let (revision, value) = fact.split_first_chunk()?;
    Some((Stamp(i64::from_be_bytes(*revision)), value))
}

fn bytes_of(value: &[u8]) -> u32 {
    u32::try_from(value.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
