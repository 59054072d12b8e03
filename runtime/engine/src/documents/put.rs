//! Changes of documents, as callers ask for them.

use serde::Serialize;
use serde_json::{Value, json};
use tmf::document::write;
use tmf::patch::merge;

use super::pieced::Pieced;
use super::{Document, Error};

/// A change of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The key of its resource, such as `productOrder`.
    pub resource: String,
    pub id: String,
    pub change: Change,
    /// The precondition of the whole batch.
    pub expected: Expected,
    pub audience: Audience,
}

/// How a document changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Replaces or creates it.
    Set(Value),
    /// Creates it. An existing document stays as it is.
    SetOnce(Value),
    /// Replaces or creates it, with a list whose entries were written before, in pieces.
    SetPieced(Pieced),
    /// A merge patch (RFC 7396). If there is no document, one is created only if the patch is a whole
    /// document, which has the `id`; any other patch changes nothing then.
    Merge(Value),
    /// Removes it. Its last revision is kept, and the next document of this id continues from it.
    Remove,
    /// Removes it without a trace: for documents whose id is never used again, such as events.
    Forget,
}

/// The precondition of a batch; if it is not met, the whole batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// None.
    Anything,
    /// There is no such document.
    Absent,
    /// The document has this revision.
    Revision(u64),
}

/// Who is notified of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All subscribers of the resource.
    Subscribers,
    /// No one, as for an import of many documents.
    None,
    /// All subscribers of a topic: the document is itself the event, as a client posted it.
    Event,
}

impl Put {
    /// Replaces or creates a document.
    pub fn set(resource: impl Into<String>, id: impl Into<String>, body: impl Serialize) -> Self {
        Self::new(resource, id, Change::Set(write(&body)), Expected::Anything)
    }

    /// Changes some attributes of a document.
    pub fn merge(resource: impl Into<String>, id: impl Into<String>, body: impl Serialize) -> Self {
        Self::new(resource, id, Change::Merge(write(&body)), Expected::Anything)
    }

    /// Creates a document; a conflict if there is one.
    pub fn create(
        resource: impl Into<String>,
        id: impl Into<String>,
        body: impl Serialize,
    ) -> Self {
        Self::new(resource, id, Change::Set(write(&body)), Expected::Absent)
    }

    /// Creates a document, or leaves the existing one as it is.
    pub fn once(resource: impl Into<String>, id: impl Into<String>, body: impl Serialize) -> Self {
        Self::new(resource, id, Change::SetOnce(write(&body)), Expected::Anything)
    }

    pub fn new(
        resource: impl Into<String>,
        id: impl Into<String>,
        change: Change,
        expected: Expected,
    ) -> Self {
        let (resource, id) = (resource.into(), id.into());
        Self { resource, id, change, expected, audience: Audience::Subscribers }
    }

    /// The same change, without notifications.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.audience = Audience::None;
        self
    }

    /// Checks the precondition against the revision of the existing document.
    pub(super) fn check(&self, found: Option<u64>) -> Result<(), Error> {
        let is_met = match self.expected {
            Expected::Anything => true,
            Expected::Absent => found.is_none(),
            Expected::Revision(revision) => found == Some(revision),
        };
        if is_met {
            return Ok(());
        }
        Err(Error::Conflict { resource: self.resource.clone(), id: self.id.clone(), found })
    }

    /// The body after the change, which is taken out of it; `None` if there is no document then.
    pub(super) fn take_body(&mut self, before: Option<&Document>) -> Option<Value> {
        match &mut self.change {
            Change::Set(body) | Change::SetOnce(body) => Some(std::mem::take(body)),
            Change::SetPieced(pieced) => Some(std::mem::take(&mut pieced.body)),
            Change::Merge(patch) => {
                let is_whole = || patch.get("id").and_then(Value::as_str) == Some(&self.id);
                let mut body = match before {
                    Some(before) => before.body.clone(),
                    None => is_whole().then(|| json!({}))?,
                };
                merge(&mut body, patch);
                Some(body)
            }
            Change::Remove | Change::Forget => None,
        }
    }
}

impl Change {
    pub(super) fn pieced(&self) -> Option<&Pieced> {
        match self {
            Self::SetPieced(pieced) => Some(pieced),
            Self::Set(_) | Self::SetOnce(_) | Self::Merge(_) | Self::Remove | Self::Forget => None,
        }
    }
}
