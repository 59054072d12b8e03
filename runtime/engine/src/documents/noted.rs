//! The documents that an entry of the audit lists: their revisions, and the attributes that differ.

use tmf::difference::{Difference, Differences, differences};
use tmf::personal::has_personal_ids;

use super::{Document, Put};
use crate::audit::{Audited, Changed, DIFFERENCES_BYTES_MAX, DOCUMENTS_MAX};

/// The documents that a batch changed.
#[derive(Debug, Default)]
pub(super) struct Noted {
    listed: Vec<Changed>,
    /// The number of those that are not listed.
    more: u64,
    /// The bytes of the differences.
    bytes: usize,
}

impl Noted {
    /// Notes the documents for an entry. That of a record of a journal needs none: they follow from it.
    pub(super) fn of(audited: &Audited) -> Option<Self> {
        let record = audited.fulfilment.as_ref().and_then(|recorded| recorded.record);
        record.is_none().then(Self::default)
    }

    /// Notes a change of a document.
    pub(super) fn note(&mut self, put: &Put, before: Option<&Document>, after: Option<&Document>) {
        // They follow from the party, which is noted beside them.
        if has_personal_ids(&put.resource) {
            return;
        }
        if self.listed.len() >= DOCUMENTS_MAX {
            self.more += 1;
            return;
        }
        let bodies = [before, after].map(|document| document.map(|document| &document.body));
        let Differences { mut listed, more } = differences(&put.resource, bodies[0], bodies[1]);
        let all = listed.len();
        let room = DIFFERENCES_BYTES_MAX.saturating_sub(self.bytes);
        let mut bytes = 0;
        listed.retain(|difference| {
            bytes += size(difference);
            bytes <= room
        });
        self.bytes += bytes.min(room);
        self.listed.push(Changed {
            resource: put.resource.as_str().into(),
            id: put.id.as_str().into(),
            before: before.map(|before| before.revision),
            after: after.map(|after| after.revision),
            more: (more + all - listed.len()) as u64,
            changes: listed,
        });
    }

    /// The entry with the documents.
    pub(super) fn listed_in(self, audited: Audited) -> Audited {
        Audited { documents: self.listed, more: self.more, ..audited }
    }
}

/// About the bytes of a difference in an entry.
fn size(Difference { path, before, after }: &Difference) -> usize {
    let side = |side: &Option<String>| side.as_deref().map_or(0, str::len);
    path.len() + side(before) + side(after) + 16
}
