//! A space in which a plugin keeps small facts between its calls. Granted with a quota. Reads go to the store;
//! writes are kept here, and the engine commits them with the answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::scratch::{self, Change, Changes, Expected, Kept, Quota, WRITE_BYTES};
use engine::stamp::Stamp;
use engine::store::Store;
use model::{FailureCode, PluginId};
use wasmtime::component::{HasData, Linker};

use crate::capability::caller::Caller;
use crate::capability::calls::Interface;
use crate::capability::http::Reach;
use crate::capability::inventory::failure;
use crate::contract::scratch as wit;
use crate::contract::types::{Failure, FailureClass};
use crate::mask::Mask;

/// Max keys that a call writes.
const WRITES_MAX: usize = 256;

/// Max keys that are listed at once.
const LISTED_MAX: usize = 1_000;

/// The scratch space as the plugin that is called sees it.
pub(crate) struct Scratch {
    caller: Arc<Caller>,
    mask: Arc<Mask>,
    store: Arc<dyn Store>,
    spaces: scratch::Scratch,
    /// Whether it may be written now.
    pub(crate) reach: Reach,
    changes: Changes,
    /// The number of the write that a key was written by, for its revision.
    numbers: BTreeMap<String, u32>,
    writes: u32,
}

impl Scratch {
    pub(crate) fn new(
        caller: &Arc<Caller>,
        mask: &Arc<Mask>,
        (store, spaces): (&Arc<dyn Store>, &scratch::Scratch),
    ) -> Self {
        let changes = Changes {
            plugin: PluginId::new(&*caller.plugin),
            quota: caller.grants.scratch.unwrap_or_default(),
            writes: BTreeMap::new(),
        };
        Self {
            caller: Arc::clone(caller),
            mask: Arc::clone(mask),
            store: Arc::clone(store),
            spaces: scratch::Scratch::clone(spaces),
            reach: Reach::Granted,
            changes,
            numbers: BTreeMap::new(),
            writes: 0,
        }
    }

    /// What was written, if anything was; nothing of it is kept here.
    pub(crate) fn take(&mut self) -> Option<Changes> {
        self.numbers.clear();
        let writes = std::mem::take(&mut self.changes.writes);
        let plugin = self.changes.plugin.to_owned();
        (!writes.is_empty()).then_some(Changes { plugin, quota: self.changes.quota, writes })
    }

    /// A value as last committed, with its revision.
    fn committed(&self, key: &str) -> Result<Option<(Stamp, Vec<u8>)>, Failure> {
        scratch::get(&*self.store, &self.changes.plugin, key).map_err(|error| {
            let message = format!("the scratch space: {error}");
            failure(FailureClass::Retry, FailureCode::StoreFailed, message)
        })
    }

    /// The revision of a key as this call sees it.
    fn revision(&self, key: &str) -> Result<Option<String>, Failure> {
        match self.changes.writes.get(key) {
            Some(change) => Ok(change.value.as_ref().map(|_| self.own(key))),
            None => Ok(self.committed(key)?.map(|(revision, _)| text(revision))),
        }
    }

    fn own(&self, key: &str) -> String {
        format!("call-{}", self.numbers.get(key).copied().unwrap_or_default())
    }

    fn check_key(&self, key: &str) -> Result<(), Failure> {
        if let Some(wrong) = scratch::wrong_key(key) {
            return Err(failure(FailureClass::Operator, FailureCode::ScratchKey, wrong));
        }
        if self.mask.is_shown_in(key) {
            let message = "a key of the scratch space holds the value of a setting".into();
            return Err(failure(FailureClass::Operator, FailureCode::PluginShowsSetting, message));
        }
        Ok(())
    }

    /// The expectation that the engine checks, if the key is as its writer expects it.
    fn expect(&self, key: &str, expected: wit::Expected) -> Result<Expected, Failure> {
        let engine = match &expected {
            wit::Expected::Any => Expected::Any,
            wit::Expected::Absent => Expected::Absent,
            // A revision of this call is checked here, and nowhere else.
            wit::Expected::Revision(revision) => {
                stamp(revision).map_or(Expected::Any, Expected::Revision)
            }
        };
        let is_expected = match expected {
            wit::Expected::Any => true,
            wit::Expected::Absent => self.revision(key)?.is_none(),
            wit::Expected::Revision(revision) => {
                self.revision(key)?.is_some_and(|is| is == revision)
            }
        };
        if !is_expected {
            let refused = scratch::Refused::Conflict(key.to_owned());
            return Err(refusal(FailureClass::Retry, &refused));
        }
        // The first writer of a key knew what was committed.
        Ok(self.changes.writes.get(key).map_or(engine, |before| before.expected))
    }

    fn write(
        &mut self,
        key: String,
        value: Option<Vec<u8>>,
        expected: wit::Expected,
    ) -> Result<(), Failure> {
        self.caller.calls.count(Interface::Scratch);
        self.check_key(&key)?;
        if self.reach == Reach::Reads {
            let message = "the scratch space can only be read here: `observe` changes nothing";
            return Err(failure(FailureClass::Operator, FailureCode::NotGranted, message.into()));
        }
        let quota = self.changes.quota;
        let bytes = value.as_ref().map_or(0, Vec::len);
        if bytes > (quota.value_kib as usize) << 10 {
            let what = format!("a value of {bytes} bytes");
            return Err(self.full(&what, &format!("value-kib = {}", quota.value_kib)));
        }
        let expected = self.expect(&key, expected)?;
        let before = self.changes.writes.insert(key.to_owned(), Change { value, expected });
        if let Err(refused) = self.check_size(quota) {
            match before {
                Some(before) => self.changes.writes.insert(key, before),
                None => self.changes.writes.remove(&key),
            };
            return Err(refused);
        }
        self.writes += 1;
        self.numbers.insert(key, self.writes);
        Ok(())
    }

    /// Refuses more writes than a call may make, or than the space has room for.
    fn check_size(&self, quota: Quota) -> Result<(), Failure> {
        let writes = &self.changes.writes;
        if writes.len() > WRITES_MAX {
            let message = format!("a call writes at most {WRITES_MAX} keys of the scratch space");
            return Err(failure(FailureClass::Operator, FailureCode::ScratchFull, message));
        }
        let size = |(key, change): (&String, &Change)| {
            WRITE_BYTES + key.len() + change.value.as_ref().map_or(0, Vec::len)
        };
        let bytes: usize = writes.iter().map(size).sum();
        if bytes > (quota.call_kib as usize) << 10 {
            let what = format!("{bytes} bytes in one call");
            return Err(self.full(&what, &format!("call-kib = {}", quota.call_kib)));
        }
        let room = self.spaces.check_room(&self.changes);
        room.map_err(|refused| refusal(FailureClass::Operator, &refused))
    }

    fn full(&self, what: &str, quota: &str) -> Failure {
        let plugin = &self.caller.plugin;
        let message = format!("{what} exceeds the quota `{quota}` of `[plugins.{plugin}.scratch]`");
        failure(FailureClass::Operator, FailureCode::ScratchFull, message)
    }
}

impl wit::Host for Scratch {
    fn get(&mut self, key: String) -> Result<Option<wit::Entry>, Failure> {
        self.caller.calls.count(Interface::Scratch);
        self.check_key(&key)?;
        if let Some(change) = self.changes.writes.get(&key) {
            let value = change.value.as_ref();
            let entry =
                |value: &Vec<u8>| wit::Entry { value: value.to_vec(), revision: self.own(&key) };
            return Ok(value.map(entry));
        }
        let kept = self.committed(&key)?;
        Ok(kept.map(|(revision, value)| wit::Entry { value, revision: text(revision) }))
    }

    fn put(&mut self, key: String, value: Vec<u8>, expected: wit::Expected) -> Result<(), Failure> {
        self.write(key, Some(value), expected)
    }

    fn delete(&mut self, key: String, expected: wit::Expected) -> Result<(), Failure> {
        self.write(key, None, expected)
    }

    fn keys(
        &mut self,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<wit::Listed>, Failure> {
        self.caller.calls.count(Interface::Scratch);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(LISTED_MAX);
        let (own, plugin) = (&self.changes.writes, &self.changes.plugin);
        let at_most = limit.saturating_add(own.len());
        let kept = self.spaces.keys(plugin, &prefix, after.as_deref(), at_most);
        let listed = |(key, Kept { revision, bytes }): (String, Kept)| {
            (key.to_owned(), wit::Listed { key, bytes, revision: text(revision) })
        };
        let mut found: BTreeMap<String, wit::Listed> = kept.into_iter().map(listed).collect();
        for (key, change) in own {
            let is_meant =
                key.starts_with(&prefix) && after.as_ref().is_none_or(|after| key > after);
            match &change.value {
                Some(value) if is_meant => {
                    let bytes = u32::try_from(value.len()).unwrap_or(u32::MAX);
                    let revision = self.own(key);
                    let listed = wit::Listed { key: key.to_owned(), bytes, revision };
                    found.insert(key.to_owned(), listed);
                }
                Some(_) => {}
                None => drop(found.remove(key)),
            }
        }
        Ok(found.into_values().take(limit).collect())
    }
}

fn refusal(class: FailureClass, refused: &scratch::Refused) -> Failure {
    failure(class, refused.failure().code, refused.to_string())
}

/// A revision as plugins see it.
fn text(revision: Stamp) -> String {
    format!("{:x}", revision.0)
}

fn stamp(revision: &str) -> Option<Stamp> {
    i64::from_str_radix(revision, 16).ok().map(Stamp)
}

pub(crate) struct HasScratch;

impl HasData for HasScratch {
    type Data<'a> = &'a mut Scratch;
}

/// Links the interface `scratch`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Scratch,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasScratch>(linker, of)
}
