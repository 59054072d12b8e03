//! Documents: facts with a revision, which a store finds by their attributes, counts, keeps the
//! earlier versions of, and tells subscribers about. What follows from a change is worked out where
//! batches are put in order, so that it always follows from the change before.

use std::collections::BTreeMap;

use model::Timestamp;
use model::resource::index::Entry;
use model::resource::patch::merge;
use model::resource::{self, Resource};
use serde_json::{Value, json};

use super::{Error, Write};
use crate::keys;

/// The bytes before a document's JSON: its revision, and the time since which it is so.
const HEAD_BYTES: usize = 16;

/// A change of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The key of its resource, such as `productOrder`.
    pub resource: String,
    /// Its id.
    pub id: String,
    /// What becomes of it.
    pub change: Change,
    /// What must be so for the batch to be carried out.
    pub expected: Expected,
    /// Who is told.
    pub audience: Audience,
}

/// What becomes of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is this from now on.
    Set(Value),
    /// These attributes are so from now on, the others as they were (RFC 7396).
    Merge(Value),
    /// It is no more.
    Remove,
}

/// What must be so for a batch to be carried out; else all of it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Anything,
    /// There is no such document.
    Absent,
    /// It has this revision.
    Revision(u64),
}

/// Who is told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everyone who subscribed.
    Subscribers,
    /// Nobody, as when much is read in.
    Nobody,
    /// Everyone who subscribed: the document is itself the event, as somebody gave it.
    Event,
}

/// A document as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Counts its changes, from 1.
    pub revision: u64,
    /// Since when it is so.
    pub since: Timestamp,
    /// What it says.
    pub body: Value,
}

impl Put {
    /// A document that is this from now on, whatever was there.
    pub fn set(resource: impl Into<String>, id: impl Into<String>, body: Value) -> Self {
        Self::new(resource, id, Change::Set(body), Expected::Anything)
    }

    /// Attributes that are so from now on.
    pub fn merge(resource: impl Into<String>, id: impl Into<String>, body: Value) -> Self {
        Self::new(resource, id, Change::Merge(body), Expected::Anything)
    }

    /// A document that is not there yet.
    pub fn create(resource: impl Into<String>, id: impl Into<String>, body: Value) -> Self {
        Self::new(resource, id, Change::Set(body), Expected::Absent)
    }

    /// A change, and what must be so for it.
    pub fn new(
        resource: impl Into<String>,
        id: impl Into<String>,
        change: Change,
        expected: Expected,
    ) -> Self {
        let (resource, id) = (resource.into(), id.into());
        Self { resource, id, change, expected, audience: Audience::Subscribers }
    }

    /// The same, without anyone being told.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.audience = Audience::Nobody;
        self
    }
}

impl Document {
    /// Reads what is kept under a document's key.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::damaged("read a document");
        let (revision, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let (since, json) = rest.split_first_chunk().ok_or_else(damaged)?;
        Ok(Self {
            revision: u64::from_be_bytes(*revision),
            since: Timestamp(i64::from_be_bytes(*since)),
            body: serde_json::from_slice(json).map_err(Error::failed("read a document"))?,
        })
    }

    /// The JSON of what is kept, unread.
    pub fn json(bytes: &[u8]) -> Result<&[u8], Error> {
        bytes.get(HEAD_BYTES..).ok_or_else(|| Error::damaged("read a document"))
    }

    /// What is kept under its key.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(self.revision.to_be_bytes());
        bytes.extend(self.since.0.to_be_bytes());
        bytes.extend(self.body.to_string().into_bytes());
        bytes
    }
}

/// What a batch of documents writes, worked out over what was there before. `get` reads the facts
/// as they are when everything that was taken earlier is carried out.
pub fn expand<E: From<Error>>(
    puts: Vec<Put>,
    at: Timestamp,
    get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<Write>, E> {
    let mut expansion = Expansion { at, writes: BTreeMap::new(), get };
    for put in puts {
        expansion.put(put)?;
    }
    Ok(expansion.writes.into_iter().collect())
}

struct Expansion<G> {
    at: Timestamp,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    get: G,
}

impl<E: From<Error>, G: Fn(&[u8]) -> Result<Option<Vec<u8>>, E>> Expansion<G> {
    fn put(&mut self, put: Put) -> Result<(), E> {
        let key = keys::document(&put.resource, &put.id);
        let kept = self.get(&key)?;
        let before = kept.as_deref().map(Document::read).transpose()?;
        put.expected.check(&put, before.as_ref())?;
        let after = put.change.after(before.as_ref().map(|before| &before.body));
        if before.is_none() && after.is_none() {
            return Ok(());
        }
        if let (Some(before), Some(after)) = (&before, &after)
            && before.body == *after
            && put.expected == Expected::Anything
        {
            return Ok(());
        }
        let resource = resource::of_key(&put.resource).map(|(_, resource)| resource);
        let bodies = (before.as_ref().map(|before| &before.body), after.as_ref());
        if let Some(resource) = resource {
            self.index(resource, &put.id, bodies)?;
            if let (true, Some(before), Some(kept)) = (resource.history, &before, kept) {
                self.set(keys::version(&put.resource, &put.id, before.revision), kept);
            }
            if put.audience == Audience::Subscribers {
                for told in resource.notifications(bodies.0, bodies.1) {
                    self.tell_change(resource, &told.event_type, &told.body)?;
                }
            }
        }
        if let (Audience::Event, Some(event)) = (put.audience, &after) {
            let mut event = event.clone();
            event["told"] = self.at.to_string().into();
            self.tell(|_| event)?;
        }
        self.count(
            keys::total(&put.resource),
            i64::from(after.is_some()) - i64::from(before.is_some()),
        )?;
        let revision = before.map_or(0, |before| before.revision) + 1;
        let document = after.map(|body| Document { revision, since: self.at, body }.to_bytes());
        self.writes.insert(key, document);
        Ok(())
    }

    /// Keeps the ways to a document as its attributes are now.
    fn index(
        &mut self,
        resource: &Resource,
        id: &str,
        (before, after): (Option<&Value>, Option<&Value>),
    ) -> Result<(), E> {
        let before = before.map(|body| resource.entries(body)).unwrap_or_default();
        let after = after.map(|body| resource.entries(body)).unwrap_or_default();
        for gone in before.iter().filter(|entry| !after.contains(entry)) {
            self.writes.insert(keys::entry(resource.key, gone.path, &gone.value, id), None);
            self.count_entry(resource, gone, -1)?;
        }
        for new in after.iter().filter(|entry| !before.contains(entry)) {
            self.set(keys::entry(resource.key, new.path, &new.value, id), Vec::new());
            self.count_entry(resource, new, 1)?;
        }
        Ok(())
    }

    fn count_entry(&mut self, resource: &Resource, entry: &Entry, by: i64) -> Result<(), E> {
        if !entry.counted {
            return Ok(());
        }
        self.count(keys::count(resource.key, entry.path, &entry.value), by)
    }

    fn count(&mut self, key: Vec<u8>, by: i64) -> Result<(), E> {
        if by == 0 {
            return Ok(());
        }
        let count = number(self.get(&key)?.as_deref()).saturating_add_signed(by);
        self.writes.insert(key, (count > 0).then(|| count.to_be_bytes().to_vec()));
        Ok(())
    }

    fn tell_change(
        &mut self,
        resource: &Resource,
        event_type: &str,
        body: &Value,
    ) -> Result<(), E> {
        let time = self.at.to_string();
        self.tell(|number| {
            json!({
                "eventId": number.to_string(),
                "eventTime": time,
                "eventType": event_type,
                "resource": resource.key,
                "event": { resource.name: body },
            })
        })
    }

    /// Puts what its number makes of an event into the outbox.
    fn tell(&mut self, event: impl FnOnce(u64) -> Value) -> Result<(), E> {
        let number = number(self.get(keys::NEXT_EVENT)?.as_deref());
        self.set(keys::outbox(number), event(number).to_string().into_bytes());
        self.set(keys::NEXT_EVENT.to_vec(), (number + 1).to_be_bytes().to_vec());
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, E> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => (self.get)(key),
        }
    }

    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }
}

impl Expected {
    fn check(self, put: &Put, before: Option<&Document>) -> Result<(), Error> {
        let found = before.map(|before| before.revision);
        let holds = match self {
            Self::Anything => true,
            Self::Absent => found.is_none(),
            Self::Revision(revision) => found == Some(revision),
        };
        if holds {
            return Ok(());
        }
        Err(Error::Conflict { resource: put.resource.clone(), id: put.id.clone(), found })
    }
}

impl Change {
    fn after(self, before: Option<&Value>) -> Option<Value> {
        match self {
            Self::Set(body) => Some(body),
            Self::Merge(patch) => {
                let mut body = before.cloned().unwrap_or_else(|| json!({}));
                merge(&mut body, &patch);
                Some(body)
            }
            Self::Remove => None,
        }
    }
}

/// A number that is kept; 0 where none is.
pub fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
