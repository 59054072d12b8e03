//! What is owed of a record: the pieces and documents that are not written yet.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZero;
use std::sync::Arc;

use model::documents::Part;
use model::{Document, Fulfilment, FulfilmentId, Record, Reservation};
use serde::{Deserialize, Serialize};

use super::{After, Commit, Input, Published};
use crate::documents::Put;
use crate::keys;
use crate::store::Write;

/// What of a record, and of the documents that follow from it, is not written yet.
pub(super) struct Owed<R> {
    /// The pieces of the record.
    pub(super) pieces: VecDeque<Write>,
    /// What is written with what puts them together.
    pub(super) first: Option<(Vec<Write>, Vec<Put>)>,
    /// The values of pools that are free then.
    pub(super) freed: Vec<(Reservation, String)>,
    pub(super) record: Arc<Record>,
    /// The state of the orders before the record.
    pub(super) before: Option<&'static str>,
    pub(super) mark: Mark,
    pub(super) parts: VecDeque<Part>,
    /// Facts that go with the last of them.
    pub writes: Vec<Write>,
    /// What to do when all are on disk.
    pub then: Vec<After<R>>,
    /// What came in meanwhile.
    pub later: Vec<Input<R>>,
}

/// How far it is, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The number of the record.
    pub(super) record: u32,
    /// How many of the parts are written.
    pub(super) written: usize,
    /// How many items a part is about.
    items: NonZero<usize>,
    /// The resources that the first part frees: others may have them by now, so no later
    /// part is about them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) freed: BTreeSet<String>,
}

impl Mark {
    /// What is kept.
    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers can be written")
    }

    /// Reads what is kept; `None` if it is something else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl<R> Owed<R> {
    /// What is owed of a record after its first part; `None` if it is written at once.
    pub(super) fn after_first(
        fulfilment: &Fulfilment,
        record: &Arc<Record>,
        before: Option<&'static str>,
        items: NonZero<usize>,
        freed: &[Document],
    ) -> Option<(Part, Self)> {
        let mut parts = VecDeque::from(fulfilment.parts(&record.events, before, items));
        let first = parts.pop_front()?;
        let freed = freed.iter().map(|document| document.id.clone()).collect();
        // The record is counted already.
        let number = fulfilment.records() - 1;
        let mark = Mark { record: number, written: 1, items, freed };
        Some((first, Self::new(Arc::clone(record), before, mark, parts)))
    }

    /// What is owed of a record whose documents are written with it.
    pub(super) fn record(number: u32, record: &Arc<Record>) -> Self {
        let (items, freed) = (NonZero::<usize>::MIN, BTreeSet::new());
        let mark = Mark { record: number, written: 0, items, freed };
        Self::new(Arc::clone(record), None, mark, VecDeque::new())
    }

    /// Whether documents are owed after the record.
    pub(super) fn has_documents(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Takes the pieces that the record was cut into, to be written before it.
    pub(super) fn begin_with(&mut self, pieces: Vec<Write>) {
        self.pieces.extend(pieces);
    }

    /// Leaves of a commit the first piece of the record; the rest of it, and the values that it
    /// frees, come when all pieces are written. A fact tells so until then.
    pub(super) fn hold_back(
        &mut self,
        id: &FulfilmentId,
        commit: &mut Commit<R>,
        freed: Vec<(Reservation, String)>,
    ) {
        self.freed = freed;
        let cut = keys::cut(id, self.mark.record);
        commit.writes.push((cut.clone(), None));
        let begin = [(cut, Some(Vec::new()))].into_iter().chain(self.pieces.pop_front()).collect();
        let writes = std::mem::replace(&mut commit.writes, begin);
        self.first = Some((writes, std::mem::take(&mut commit.documents)));
    }

    fn new(
        record: Arc<Record>,
        before: Option<&'static str>,
        mark: Mark,
        parts: VecDeque<Part>,
    ) -> Self {
        let (writes, then, later) = (Vec::new(), Vec::new(), Vec::new());
        let (pieces, first, freed) = (VecDeque::new(), None, Vec::new());
        Self { pieces, first, freed, record, before, mark, parts, writes, then, later }
    }

    /// What was owed when the last owner of the store stopped; `None` if that is written, or the
    /// mark is not about the last record.
    pub(super) fn again(fulfilment: &Fulfilment, records: &[Record], mark: Mark) -> Option<Self> {
        let (last, earlier) = records.split_last()?;
        if mark.record as usize != earlier.len() {
            return None;
        }
        let before = match earlier {
            [] => None,
            some => Some(Fulfilment::fold(fulfilment.id().clone(), some).ok()?.order_state()),
        };
        let parts = fulfilment.parts(&last.events, before, mark.items);
        let parts: VecDeque<Part> = parts.into_iter().skip(mark.written).collect();
        (!parts.is_empty()).then(|| Self::new(Arc::new(last.clone()), before, mark, parts))
    }

    /// What those who watch are told when all is written.
    pub(super) fn published(&self, fulfilment: &Fulfilment) -> Published {
        Published {
            fulfilment: fulfilment.id().clone(),
            number: self.mark.record,
            record: Arc::clone(&self.record),
            #[cfg(test)]
            state: Arc::new(fulfilment.clone()),
        }
    }

    /// The fact that records how far it is.
    pub(super) fn mark(&self, id: &FulfilmentId) -> Write {
        (keys::owed(id), Some(self.mark.to_bytes()))
    }
}
