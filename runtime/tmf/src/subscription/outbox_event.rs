//! Events as they wait in the outbox.

use serde_json::{Map, Value};

use crate::resource::{Api, Resource};
use crate::table::of_key;
use crate::time::Timestamp;

/// The attribute with the time at which a client posted an event to a topic; the event has a time of its
/// own. It is ours alone, and no subscriber sees it.
pub const POSTED_AT: &str = "@postedAt";

/// The attribute with a document as it was before it was removed: it tells who may read the event. It is
/// ours alone, and no subscriber sees it.
pub const BEFORE: &str = "@before";

#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEvent {
    /// Its number; numbers have no gaps.
    pub sequence: u64,
    /// Its subject.
    pub about: About,
    /// When it was added to the outbox.
    pub time: Timestamp,
    /// The stored record.
    pub record: Map<String, Value>,
}

/// The subject of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Documents {
        /// The key of its resource.
        key: String,
        /// The id of the document.
        id: String,
    },
    /// An event that a client posted to a topic.
    Topic { topic: String },
}

impl OutboxEvent {
    /// Reads the record with a number; `None` if it is no event.
    pub fn read(sequence: u64, kept: &[u8]) -> Option<Self> {
        let Ok(Value::Object(record)) = serde_json::from_slice(kept) else {
            return None;
        };
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let about = match text("topic") {
            Some(topic) => About::Topic { topic: topic.into() },
            None => About::Documents {
                key: text("resource")?.into(),
                id: body(&record)?.1.get("id")?.as_str()?.into(),
            },
        };
        // A posted event has its own time, which may be nonsense.
        let time = text(POSTED_AT)
            .or_else(|| text("eventTime"))
            .and_then(Timestamp::parse)
            .unwrap_or_default();
        Some(Self { sequence, about, time, record })
    }

    /// Erases what is about a person in the document that it shows; false if there is nothing. `erase` returns
    /// the number of changes.
    pub fn erase(&mut self, erase: impl Fn(&mut Value) -> usize) -> bool {
        let erased = self.record.get_mut(BEFORE).map_or(0, &erase);
        let shown = self.record.get_mut("event").and_then(Value::as_object_mut);
        let shown = shown.into_iter().flat_map(|shown| shown.values_mut());
        erased + shown.map(&erase).sum::<usize>() > 0
    }

    /// The record to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.record).expect("a record is plain data")
    }

    /// Its id, which is the same in every attempt.
    pub fn id(&self) -> &str {
        self.text("eventId")
    }

    /// Its stored type.
    pub fn event_type(&self) -> &str {
        self.text("eventType")
    }

    /// The end of its type: `StateChangeEvent` of a `ProductOrderStateChangeEvent`.
    pub(super) fn what(&self) -> &str {
        let name = body(&self.record).map(|(name, _)| name.len()).unwrap_or_default();
        self.event_type().get(name..).unwrap_or_default()
    }

    /// The attributes of the document.
    pub fn body(&self) -> Option<&Value> {
        body(&self.record).map(|(_, body)| body)
    }

    /// The document before it was removed; `None` if it was not, or is not kept.
    pub fn before(&self) -> Option<&Value> {
        self.record.get(BEFORE)
    }

    /// The API and resource of the document.
    pub(super) fn resource(&self) -> Option<(&'static Api, &'static Resource)> {
        match &self.about {
            About::Documents { key, .. } => of_key(key),
            About::Topic { .. } => None,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.record.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn body(record: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, body) = record.get("event")?.as_object()?.iter().next()?;
    Some((name, body))
}
