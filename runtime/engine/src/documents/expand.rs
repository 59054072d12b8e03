//! Expands document changes into keys and bytes: the documents themselves, the index entries that lead
//! to them, the counts, the earlier versions, and the notifications in the outbox.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use tmf::event::Notification;
use tmf::index::Entry;
use tmf::resource::Resource;
use tmf::subscription::POSTED_AT;
use tmf::time::Timestamp;

use super::ended::Ended;
use super::noted::Noted;
use super::{Audience, Change, Document, Error, Expected, Put, number};
use crate::keys;
use crate::store::pieces::{self, Pieces};
use crate::store::{Read, Write};

/// Max bytes of a document that is kept with the event of its removal.
const BEFORE_BYTES_MAX: usize = 64 << 10;

/// The writes of a batch of changes, worked out over the facts that `read` shows: everything that
/// earlier batches wrote.
pub(super) fn expand(
    puts: Vec<Put>,
    at: Timestamp,
    noted: Option<Noted>,
    read: &Read<'_>,
) -> Result<(Vec<Write>, Option<Noted>), Error> {
    let mut expansion = Expansion { at, writes: BTreeMap::new(), noted, read };
    for put in puts {
        expansion.put(put)?;
    }
    Ok((expansion.writes.into_iter().collect(), expansion.noted))
}

struct Expansion<'a> {
    at: Timestamp,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The changed documents, for an entry of the audit.
    noted: Option<Noted>,
    read: &'a Read<'a>,
}

/// How a document continues the earlier ones of its id. Revisions of an id never begin again: a removal
/// leaves the last one.
struct Succession {
    was_there: bool,
    /// The revision after the change.
    revision: u64,
    ended: Ended,
}

impl Succession {
    fn document(&self, since: Timestamp, body: Value) -> Document {
        Document { revision: self.revision, since, body }
    }
}

/// A notification as it lies in the outbox.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutboxEvent<'a> {
    event: Map<String, Value>,
    event_id: String,
    event_time: String,
    event_type: &'a str,
    resource: &'a str,
    /// The document that was removed.
    #[serde(rename = "@before", skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value>,
}

impl Expansion<'_> {
    fn put(&mut self, mut put: Put) -> Result<(), Error> {
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
        if let (Some(before), Some(pieced)) = (&mut before, put.change.pieced()) {
            pieced.leave_out(before);
        }
        put.check(before.as_ref().map(|before| before.revision))?;
        let body = put.take_body(before.as_ref());
        if before.is_none() && body.is_none() {
            if let Change::Merge(_) = &put.change {
                let Put { resource, id, .. } = &put;
                tracing::warn!(resource, id, "a change of a document that is gone is left out");
            }
            return Ok(());
        }
        let new = put.change.pieced().map(|pieced| &pieced.prefix);
        if let (Some(before), Some(body)) = (&before, &body)
            && before.body == *body
            && put.expected == Expected::Anything
            && new == pieces.as_ref().map(|pieces| &pieces.prefix)
        {
            return Ok(());
        }
        for gone in pieces.iter().filter(|old| Some(&old.prefix) != new) {
            self.writes.extend(gone.keys().map(|key| (key, None)));
        }
        let last = before.as_ref().map(|before| before.revision);
        let succession = self.succeed(&put, last, body.is_some())?;
        let after = body.map(|body| succession.document(self.at, body));
        self.replace(&put, &succession, after.as_ref())?;
        self.note(&put, before.as_ref(), after.as_ref());
        let event = after.as_ref().filter(|_| put.audience == Audience::Event).cloned();
        if let Some((_, resource)) = tmf::table::of_key(&put.resource) {
            self.follow(resource, &put, (before.as_ref(), kept), after)?;
        }
        if let Some(mut event) = event {
            event.body[POSTED_AT] = self.at.to_string().into();
            self.publish(|_| event.body.to_string().into_bytes())?;
        }
        Ok(())
    }

    /// The stored document, as far as a change needs it. The list of the old one does not matter to a
    /// change that brings another in pieces: the writer of those has written their index entries.
    fn as_needed(
        &self,
        put: &Put,
        kept: Option<Vec<u8>>,
        pieces: Option<&Pieces>,
    ) -> Result<Option<Vec<u8>>, Error> {
        match (&put.change, pieces) {
            (Change::SetPieced(_), Some(pieces)) => Ok(Some(pieces.hollow())),
            _ => kept.map(|kept| pieces::whole(kept, |key| self.get(key))).transpose(),
        }
    }

    /// Replaces a document that cannot be read; its bytes are set aside. The index entries that led to
    /// it stay until the indexes are rebuilt. A merge patch cannot be applied to it, and is left out:
    /// one bad record must not stop everything that arrives in one batch with it.
    fn put_over(&mut self, mut put: Put, kept: &[u8], error: Error) -> Result<(), Error> {
        let last = Document::revision_of(kept);
        match put.expected {
            Expected::Anything => {}
            Expected::Absent => put.check(Some(last))?,
            Expected::Revision(_) => return Err(error),
        }
        let Put { resource, id, .. } = &put;
        tracing::error!(resource, id, error = &error as &dyn std::error::Error, "unreadable");
        if let Change::Merge(_) = &put.change {
            return Ok(());
        }
        let body = put.take_body(None);
        self.set(keys::set_aside(&put.resource, &put.id), kept.to_vec());
        let succession = self.succeed(&put, Some(last), body.is_some())?;
        let after = body.map(|body| succession.document(self.at, body));
        if let (Some((_, resource)), Some(after)) = (tmf::table::of_key(&put.resource), &after) {
            self.index(resource, &put.id, (None, Some(after)))?;
        }
        self.note(&put, None, after.as_ref());
        self.replace(&put, &succession, after.as_ref())
    }

    fn note(&mut self, put: &Put, before: Option<&Document>, after: Option<&Document>) {
        if let Some(noted) = &mut self.noted {
            noted.note(put, before, after);
        }
    }

    /// Writes the consequences of a change of a document that is in the table: its index entries, its
    /// earlier version, and notifications.
    fn follow(
        &mut self,
        resource: &Resource,
        put: &Put,
        (before, kept): (Option<&Document>, Option<Vec<u8>>),
        after: Option<Document>,
    ) -> Result<(), Error> {
        self.index(resource, &put.id, (before, after.as_ref()))?;
        if let (true, Some(before), Some(kept)) = (resource.history, before, kept) {
            self.set(keys::version(&put.resource, &put.id, before.revision), kept);
        }
        if put.audience == Audience::Subscribers {
            let removed = before.filter(|before| after.is_none() && is_kept(before));
            let before = before.map(|before| &before.body);
            for notification in resource.notifications(before, after.map(|after| after.body)) {
                self.notify(resource, notification, removed)?;
            }
        }
        Ok(())
    }

    /// How a document continues the earlier ones of its id, the last of which has this revision.
    fn succeed(&self, put: &Put, last: Option<u64>, stays: bool) -> Result<Succession, Error> {
        let ended = match last {
            Some(_) if stays => None,
            _ => self.get(&keys::ended(&put.resource, &put.id))?,
        };
        let ended = Ended::read(ended.as_deref());
        let revision = last.unwrap_or(ended.revision).saturating_add(1);
        Ok(Succession { was_there: last.is_some(), revision, ended })
    }

    /// Writes a document, or removes it, and counts the documents of its resource.
    fn replace(
        &mut self,
        put: &Put,
        succession: &Succession,
        after: Option<&Document>,
    ) -> Result<(), Error> {
        let Succession { was_there, revision, ended } = *succession;
        let by = i64::from(after.is_some()) - i64::from(was_there);
        self.count(keys::total(&put.resource), by)?;
        let place = keys::ended(&put.resource, &put.id);
        match (&put.change, after) {
            (Change::Forget, _) => {
                if ended != Ended::default() {
                    self.writes.insert(place, None);
                }
            }
            (_, None) => self.set(place, Ended { revision, before: ended.revision }.to_bytes()),
            (_, Some(_)) => {}
        }
        let document = after.map(Document::to_bytes);
        let document = match put.change.pieced() {
            Some(pieced) => document.map(|head| pieced.kept(head)),
            None => document,
        };
        self.writes.insert(keys::document(&put.resource, &put.id), document);
        Ok(())
    }

    /// Brings the index entries of a document up to date with its attributes.
    fn index(
        &mut self,
        resource: &Resource,
        id: &str,
        (before, after): (Option<&Document>, Option<&Document>),
    ) -> Result<(), Error> {
        let entries = |document: &Document| resource.entries(&document.body);
        let before = before.map(entries).unwrap_or_default();
        let after = after.map(entries).unwrap_or_default();
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

    fn count_entry(&mut self, resource: &Resource, entry: &Entry, by: i64) -> Result<(), Error> {
        if !entry.counted {
            return Ok(());
        }
        self.count(keys::count(resource.key, entry.path, &entry.value), by)
    }

    fn count(&mut self, key: Vec<u8>, by: i64) -> Result<(), Error> {
        if by == 0 {
            return Ok(());
        }
        let count = number(self.get(&key)?.as_deref()).saturating_add_signed(by);
        self.writes.insert(key, (count > 0).then(|| count.to_be_bytes().to_vec()));
        Ok(())
    }

    fn notify(
        &mut self,
        resource: &Resource,
        notification: Notification,
        removed: Option<&Document>,
    ) -> Result<(), Error> {
        let Notification { event_type, body } = notification;
        let event = Map::from_iter([(resource.name.to_string(), body)]);
        let event_time = self.at.to_string();
        self.publish(|number| {
            let (event_id, resource) = (number.to_string(), resource.key);
            let event_type = &event_type;
            let before = removed.map(|removed| &removed.body);
            let event = OutboxEvent { event, event_id, event_time, event_type, resource, before };
            serde_json::to_vec(&event).expect("a value can be written to memory")
        })
    }

    /// Puts an event into the outbox, under the next number.
    fn publish(&mut self, event: impl FnOnce(u64) -> Vec<u8>) -> Result<(), Error> {
        let number = number(self.get(keys::NEXT_EVENT)?.as_deref());
        self.set(keys::outbox(number), event(number));
        self.set(keys::NEXT_EVENT.to_vec(), (number + 1).to_be_bytes().to_vec());
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => Ok((self.read)(key)?),
        }
    }

    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }
}

/// Whether a removed document is small enough to be kept with its event.
fn is_kept(removed: &Document) -> bool {
    removed.body.to_string().len() <= BEFORE_BYTES_MAX
}
