//! The pieces and documents of a record that are not written yet.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZero;
use std::sync::Arc;

use model::documents::Part;
use model::{Document, Fulfilment, FulfilmentId, Record, Reservation};
use serde::{Deserialize, Serialize};
use tmf::table::OrderState;

use super::{After, Asked, Commit};
use crate::audit::Audited;
use crate::documents::Put;
use crate::keys;
use crate::store::Write;

/// The rest of a record and of the documents that follow from it.
pub(super) struct Owed<R> {
    /// The pieces of the record.
    pub(super) pieces: VecDeque<Write>,
    /// The facts, the documents and the entry of the commit that puts the pieces together.
    pub(super) first: Option<(Vec<Write>, Vec<Put>, Option<Audited>)>,
    /// The pool values that this commit frees.
    pub(super) freed: Vec<(Reservation, String)>,
    pub(super) record: Arc<Record>,
    /// The state of the orders before the record.
    pub(super) before: Option<OrderState>,
    pub(super) mark: Mark,
    pub(super) parts: VecDeque<Part>,
    /// Facts that are written with the last part.
    pub writes: Vec<Write>,
    /// Actions for when everything is on disk.
    pub then: Vec<After<R>>,
    /// Inputs that arrived meanwhile.
    pub later: Vec<Asked<R>>,
}

/// The persisted progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The number of the record.
    pub(super) record: u32,
    /// The number of parts written.
    pub(super) written: usize,
    /// Items of a part.
    items: NonZero<usize>,
    /// The resources that the first part frees: others may have them by now, so no later
    /// part is about them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) freed: BTreeSet<String>,
}

impl Mark {
    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers can be written")
    }

    /// Reads a persisted mark; `None` if the bytes are anything else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl<R> Owed<R> {
    /// The first part of the documents of a record, and the rest; `None` if all are written at once.
    pub(super) fn after_first(
        fulfilment: &Fulfilment,
        record: &Arc<Record>,
        before: Option<OrderState>,
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

    /// The rest of a record whose documents are written with it.
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

    /// Reduces a commit to the first piece of the record. The rest of the commit, and the values that
    /// it frees, follow when all pieces are written; until then a fact marks the record as cut.
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
        let documents = std::mem::take(&mut commit.documents);
        self.first = Some((writes, documents, commit.audited.take()));
    }

    fn new(
        record: Arc<Record>,
        before: Option<OrderState>,
        mark: Mark,
        parts: VecDeque<Part>,
    ) -> Self {
        let (writes, then, later) = (Vec::new(), Vec::new(), Vec::new());
        let (pieces, first, freed) = (VecDeque::new(), None, Vec::new());
        Self { pieces, first, freed, record, before, mark, parts, writes, then, later }
    }

    /// The rest that the last owner of the store left; `None` if everything is written, or the mark is
    /// not about the last record.
    pub(super) fn again(
        fulfilment: &Fulfilment,
        mut records: Vec<Record>,
        mark: Mark,
    ) -> Option<Self> {
        let last = records.pop()?;
        if mark.record as usize != records.len() {
            return None;
        }
        let before = match records.as_slice() {
            [] => None,
            some => Some(Fulfilment::fold(fulfilment.id().clone(), some).ok()?.order_state()),
        };
        let parts = fulfilment.parts(&last.events, before, mark.items);
        let parts: VecDeque<Part> = parts.into_iter().skip(mark.written).collect();
        (!parts.is_empty()).then(|| Self::new(Arc::new(last), before, mark, parts))
    }

    /// The fact that records how far it is.
    pub(super) fn mark(&self, id: &FulfilmentId) -> Write {
        (keys::owed(id), Some(self.mark.to_bytes()))
    }
}
