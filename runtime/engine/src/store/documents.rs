//! Documents: facts with a revision, which a store finds by their attributes, counts, keeps the
//! earlier versions of, and tells subscribers about. What follows from a change is worked out where
//! batches are put in order, so that it always follows from the change before.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tmf::event::Notification;
use tmf::index::Entry;
use tmf::patch::merge;
use tmf::resource::Resource;
use tmf::time::Timestamp;

use super::pieces::{self, Pieced, Pieces};
use super::{Error, Scan, Store, Write};
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
    /// It is this if there is no such document; what is there stays as it is.
    SetOnce(Value),
    /// It is this from now on, with a list whose entries were written before, in pieces.
    SetPieced(Pieced),
    /// These attributes are so from now on, the others as they were (RFC 7396). If there is no
    /// document, one is created only of a body that is a whole one, which has the `id`; attributes
    /// alone change nothing then.
    Merge(Value),
    /// It is removed. Its last revision is kept, and the next document of this id goes on from it.
    Remove,
    /// It is removed without a trace: for documents of whose id there will not be another, such as
    /// events.
    Forget,
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

    /// A document that is written once: if it is there already, it stays as it is.
    pub fn once(resource: impl Into<String>, id: impl Into<String>, body: Value) -> Self {
        Self::new(resource, id, Change::SetOnce(body), Expected::Anything)
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

    /// Reads what is kept under this key. What cannot be read is named in the error.
    pub fn read_at(key: &[u8], bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).map_err(|source| Error::Unreadable {
            key: super::named(key),
            source: Box::new(source),
        })
    }

    /// The revision of what cannot be read, as far as that can be told.
    fn revision_of(bytes: &[u8]) -> u64 {
        bytes.first_chunk().map_or(1, |revision| u64::from_be_bytes(*revision))
    }

    /// The JSON of what is kept, unread.
    pub fn json(bytes: &[u8]) -> Result<&[u8], Error> {
        bytes.get(HEAD_BYTES..).ok_or_else(|| Error::damaged("read a document"))
    }

    /// What is kept under its key.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self.revision, self.since, &self.body)
    }
}

fn to_bytes(revision: u64, since: Timestamp, body: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend(revision.to_be_bytes());
    bytes.extend(since.0.to_be_bytes());
    serde_json::to_writer(&mut bytes, body).expect("a value can be written to memory");
    bytes
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
    fn put(&mut self, mut put: Put) -> Result<(), E> {
        let key = keys::document(&put.resource, &put.id);
        let kept = self.get(&key)?;
        if let (Change::SetOnce(_), Some(_)) = (&put.change, &kept) {
            return Ok(());
        }
        let pieces = kept.as_deref().and_then(Pieces::read);
        let kept = self.as_needed(&put, kept, pieces.as_ref())?;
        let before = kept.as_deref().map(|kept| Document::read_at(&key, kept)).transpose();
        let mut before = match before {
            Ok(before) => before,
            Err(error) => return self.put_over(put, &kept.unwrap_or_default(), error),
        };
        let new = put.change.pieced().map(|pieced| pieced.prefix.clone());
        if let (Some(before), Some(pieced)) = (&mut before, put.change.pieced()) {
            pieced.leave_out(&mut before.body);
        }
        put.expected.check(&put, before.as_ref().map(|before| before.revision))?;
        let after = put.change.take(&put.id, before.as_ref().map(|before| &before.body));
        if before.is_none() && after.is_none() {
            if let Change::Merge(_) = &put.change {
                let Put { resource, id, .. } = &put;
                tracing::warn!(resource, id, "a change of a document that is gone is left out");
            }
            return Ok(());
        }
        if let (Some(before), Some(after)) = (&before, &after)
            && before.body == *after
            && put.expected == Expected::Anything
            && new.as_ref() == pieces.as_ref().map(|pieces| &pieces.prefix)
        {
            return Ok(());
        }
        for gone in pieces.iter().filter(|old| Some(&old.prefix) != new.as_ref()) {
            self.writes.extend(gone.keys().map(|key| (key, None)));
        }
        self.replace(&put, before.as_ref().map(|before| before.revision), after.as_ref())?;
        let event = after.as_ref().filter(|_| put.audience == Audience::Event).cloned();
        let resource = tmf::table::of_key(&put.resource).map(|(_, resource)| resource);
        if let Some(resource) = resource {
            self.follow(resource, &put, (before.as_ref(), kept), after)?;
        }
        if let Some(mut event) = event {
            event["told"] = self.at.to_string().into();
            self.tell(|_| event)?;
        }
        Ok(())
    }

    /// What is kept of a document, as far as a change needs it. Its list is of no matter to one that
    /// brings another in pieces: whoever wrote those has written what leads to their entries.
    fn as_needed(
        &self,
        put: &Put,
        kept: Option<Vec<u8>>,
        pieces: Option<&Pieces>,
    ) -> Result<Option<Vec<u8>>, E> {
        match (&put.change, pieces) {
            (Change::SetPieced(_), Some(pieces)) => Ok(Some(pieces.hollow())),
            _ => kept.map(|kept| pieces::whole(kept, |key| self.get(key))).transpose(),
        }
    }

    /// Puts a document in the place of one that cannot be read, which is set aside as it is. The
    /// ways that led to it stay until the indexes are rebuilt. Attributes cannot be merged into it,
    /// and are left out: one bad record must not stop everything that comes in one batch with it.
    fn put_over(&mut self, mut put: Put, kept: &[u8], error: Error) -> Result<(), E> {
        let revision = Document::revision_of(kept);
        match put.expected {
            Expected::Anything => {}
            Expected::Absent => put.expected.check(&put, Some(revision))?,
            Expected::Revision(_) => return Err(error.into()),
        }
        let Put { resource, id, .. } = &put;
        tracing::error!(resource, id, error = &error as &dyn std::error::Error, "unreadable");
        if let Change::Merge(_) = &put.change {
            return Ok(());
        }
        let after = put.change.take(&put.id, None);
        self.set(keys::set_aside(&put.resource, &put.id), kept.to_vec());
        if let (Some(resource), Some(after)) = (tmf::table::of_key(&put.resource), &after) {
            self.index(resource.1, &put.id, (None, Some(after)))?;
        }
        self.replace(&put, Some(revision), after.as_ref())
    }

    /// What follows from a change of a document that is in the table: the ways to it, its earlier
    /// version, and notifications.
    fn follow(
        &mut self,
        resource: &Resource,
        put: &Put,
        (before, kept): (Option<&Document>, Option<Vec<u8>>),
        after: Option<Value>,
    ) -> Result<(), E> {
        let body = before.map(|before| &before.body);
        self.index(resource, &put.id, (body, after.as_ref()))?;
        if let (true, Some(before), Some(kept)) = (resource.history, before, kept) {
            self.set(keys::version(&put.resource, &put.id, before.revision), kept);
        }
        if put.audience == Audience::Subscribers {
            for told in resource.notifications(body, after) {
                self.tell_change(resource, told)?;
            }
        }
        Ok(())
    }

    /// Writes what a document is from now on, and how many there are. Revisions of one id never
    /// begin anew: what is removed leaves its last one.
    fn replace(&mut self, put: &Put, before: Option<u64>, after: Option<&Value>) -> Result<(), E> {
        let by = i64::from(after.is_some()) - i64::from(before.is_some());
        self.count(keys::total(&put.resource), by)?;
        let place = keys::ended(&put.resource, &put.id);
        let ended = match (before, after) {
            (Some(_), Some(_)) => None,
            _ => self.get(&place)?,
        };
        let ended = Ended::read(ended.as_deref());
        let revision = before.unwrap_or(ended.revision).saturating_add(1);
        match (&put.change, after) {
            (Change::Forget, _) => {
                if ended != Ended::default() {
                    self.writes.insert(place, None);
                }
            }
            (_, None) => self.set(place, Ended { revision, before: ended.revision }.to_bytes()),
            (_, Some(_)) => {}
        }
        let document = after.map(|body| to_bytes(revision, self.at, body));
        let document = match &put.change {
            Change::SetPieced(pieced) => document.map(|head| pieced.kept(head)),
            Change::Set(_)
            | Change::SetOnce(_)
            | Change::Merge(_)
            | Change::Remove
            | Change::Forget => document,
        };
        self.writes.insert(keys::document(&put.resource, &put.id), document);
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
        // Entries are in order.
        for gone in before.iter().filter(|entry| after.binary_search(entry).is_err()) {
            self.writes.insert(keys::entry(resource.key, gone.path, &gone.value, id), None);
            self.count_entry(resource, gone, -1)?;
        }
        for new in after.iter().filter(|entry| before.binary_search(entry).is_err()) {
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

    fn tell_change(&mut self, resource: &Resource, told: Notification) -> Result<(), E> {
        let time = self.at.to_string();
        let event = Map::from_iter([(resource.name.to_string(), told.body)]);
        let mut message = json!({
            "eventTime": time,
            "eventType": told.event_type,
            "resource": resource.key,
        });
        // The body is moved, which `json!` would not do: it may be a large order.
        message["event"] = Value::Object(event);
        self.tell(|number| {
            message["eventId"] = number.to_string().into();
            message
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
    fn check(self, put: &Put, found: Option<u64>) -> Result<(), Error> {
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
    fn pieced(&self) -> Option<&Pieced> {
        match self {
            Self::SetPieced(pieced) => Some(pieced),
            Self::Set(_) | Self::SetOnce(_) | Self::Merge(_) | Self::Remove | Self::Forget => None,
        }
    }

    /// What a document is after it; the body of a [`Change::Set`] is taken out.
    fn take(&mut self, id: &str, before: Option<&Value>) -> Option<Value> {
        match self {
            Self::Set(body) | Self::SetOnce(body) => Some(std::mem::take(body)),
            Self::SetPieced(pieced) => Some(std::mem::take(&mut pieced.body)),
            Self::Merge(patch) => {
                let is_whole = || patch.get("id").and_then(Value::as_str) == Some(id);
                let mut body = match before {
                    Some(before) => before.clone(),
                    None => is_whole().then(|| json!({}))?,
                };
                merge(&mut body, patch);
                Some(body)
            }
            Self::Remove | Self::Forget => None,
        }
    }
}

/// What is left of documents of an id that were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ended {
    /// The revision that the last removal was. No document has it.
    revision: u64,
    /// The same of the removal before.
    before: u64,
}

impl Ended {
    fn read(bytes: Option<&[u8]>) -> Self {
        let Some((revision, before)) = bytes.and_then(|bytes| bytes.split_first_chunk()) else {
            return Self::default();
        };
        Self { revision: u64::from_be_bytes(*revision), before: number(Some(before)) }
    }

    fn to_bytes(self) -> Vec<u8> {
        [self.revision.to_be_bytes(), self.before.to_be_bytes()].concat()
    }
}

/// The earlier versions of a document, oldest first, at most `limit`: those since it was last
/// created. If it is removed, those of its last life.
pub fn versions(
    store: &dyn Store,
    resource: &str,
    id: &str,
    limit: usize,
) -> Result<Vec<Document>, Error> {
    let ended = Ended::read(store.get(&keys::ended(resource, id))?.as_deref());
    let is_there = store.get(&keys::document(resource, id))?.is_some();
    let begun = if is_there { ended.revision } else { ended.before };
    let after = Some(keys::version(resource, id, begun));
    let scan = Scan { after, ..Scan::prefix(keys::versions(resource, id), limit) };
    store.scan(&scan)?.iter().map(|(key, bytes)| Document::read_at(key, bytes)).collect()
}

/// A number that is kept; 0 where none is.
pub fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
