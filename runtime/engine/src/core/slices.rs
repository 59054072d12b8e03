//! What is too much for one commit. A long record is written in pieces before it, and counts when
//! what puts them together is written. Documents that are many are written after their record, in
//! commits of their own. Between any two of these commits come those of others. Nothing else
//! happens to the fulfilment meanwhile, and answers wait until all is on disk. What is owed
//! follows from the journal, so a crash in between changes nothing: a fact records how far it is.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZero;
use std::sync::Arc;

use model::documents::Part;
use model::{Document, Fulfilment, FulfilmentId, Record, Reservation};
use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use super::claims::quotes;
use super::entry::Entry;
use super::{After, Commit, Core, Input, Published, RecoverError, Step};
use crate::keys;
use crate::store::{Put, Scan, Store, Write};

/// What of a record, and of the documents that follow from it, is not written yet.
pub(super) struct Owed<R> {
    /// The pieces of the record.
    pieces: VecDeque<Write>,
    /// What is written with what puts them together.
    first: Option<(Vec<Write>, Vec<Put>)>,
    /// The values of pools that are free then.
    freed: Vec<(Reservation, String)>,
    record: Arc<Record>,
    /// The state of the orders before the record.
    before: Option<&'static str>,
    mark: Mark,
    parts: VecDeque<Part>,
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
    record: u32,
    /// How many of the parts are written.
    written: usize,
    /// How many items a part is about.
    items: NonZero<usize>,
    /// The resources that the first part frees: others may have them by now, so no later
    /// part is about them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    freed: BTreeSet<String>,
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

impl<R> Core<R> {
    /// Goes on with a fulfilment that has more to do than one turn allows.
    pub fn go_on(&mut self, now: Timestamp, id: &FulfilmentId) -> Vec<Step<R>> {
        let Some(mut entry) = self.open.remove(id) else { return Vec::new() };
        if let Some(owed) = entry.owed.take() {
            return self.write_part(now, entry, owed);
        }
        entry.on_the_way = entry.on_the_way.saturating_sub(1);
        vec![self.advance(now, entry, Vec::new(), Step::default())]
    }

    fn write_part(
        &mut self,
        now: Timestamp,
        mut entry: Entry<R>,
        mut owed: Owed<R>,
    ) -> Vec<Step<R>> {
        let mut step = Step::default();
        let id = entry.fulfilment.id().clone();
        if !owed.pieces.is_empty() || owed.first.is_some() {
            if let Some(piece) = owed.pieces.pop_front() {
                step.commit.writes.push(piece);
            } else if let Some(first) = owed.first.take() {
                (step.commit.writes, step.commit.documents) = first;
                self.write_freed(&owed.freed, &mut step.commit.writes);
                self.held_back.remove(&id);
            }
            step.commit.at = owed.record.at;
            step.commit.then.push(After::GoOn(id));
            entry.owed = Some(owed);
            self.put_back(now, entry);
            return vec![step];
        }
        if let Some(part) = owed.parts.pop_front() {
            let mut changes = entry.fulfilment.changes_in(part, &owed.record.events, owed.before);
            let is_freed =
                |one: &Document| one.resource == "resource" && owed.mark.freed.contains(&one.id);
            changes.documents.retain(|document| !is_freed(document));
            Self::write_changes(owed.record.at, owed.mark.record, changes, &mut step);
        }
        if !owed.parts.is_empty() {
            owed.mark.written += 1;
            step.commit.writes.push(owed.mark(&id));
            step.commit.then.push(After::GoOn(id));
            entry.owed = Some(owed);
            self.put_back(now, entry);
            return vec![step];
        }
        step.commit.writes.push((keys::owed(&id), None));
        step.commit.writes.append(&mut owed.writes);
        step.commit.then.append(&mut owed.then);
        self.put_back(now, entry);
        let later = owed.later.into_iter().map(|input| self.handle(now, input));
        [step].into_iter().chain(later).collect()
    }

    /// Keeps an input for when the documents of its fulfilment are written; gives it back if there
    /// is nothing to wait for.
    pub(super) fn unless_owed(&mut self, input: Input<R>) -> Option<Input<R>> {
        let waiter = |name: &String| self.waiting.get(name).map(|(id, ..)| id);
        let id = match &input {
            // That no task waits for it may follow from a record that is not on disk yet.
            Input::Callback { name, .. } => waiter(name).or_else(|| self.held_back.first()),
            Input::Recalled { name, .. } => waiter(name),
            Input::Finished { fulfilment, .. }
            | Input::Replan { fulfilment, .. }
            | Input::Retry { fulfilment, .. }
            | Input::Decide { fulfilment, .. }
            | Input::Cancel { fulfilment, .. }
            | Input::Patch { fulfilment, .. }
            | Input::Get { fulfilment, .. }
            | Input::AwaitEnd { fulfilment, .. } => Some(fulfilment),
            // It is told of the first one, which must be on disk then.
            Input::Submit { fulfilment, submission, .. } => {
                let known = submission.as_deref().and_then(|key| self.submissions.get(key));
                known.or_else(|| self.claims.holder(&quotes(fulfilment)))
            }
            Input::Look { .. }
            | Input::Unplanned { .. }
            | Input::Readmit { .. }
            | Input::GiveUp { .. }
            | Input::Remove { .. }
            | Input::Write { .. }
            | Input::Claimant { .. } => None,
        };
        match id.and_then(|id| self.open.get_mut(id)?.owed.as_mut()) {
            Some(owed) => {
                owed.later.push(input);
                None
            }
            None => Some(input),
        }
    }
}

/// The writes that remove the pieces of unfinished records: the last owner of the store stopped before
/// it wrote all of their pieces.
pub(super) fn without_strays(store: &dyn Store) -> Result<Vec<Write>, RecoverError> {
    let keys = |prefix: &[u8]| {
        let facts = store.scan(&Scan::prefix(prefix, usize::MAX)).map_err(RecoverError::Store)?;
        Ok::<_, RecoverError>(facts.into_iter().map(|(key, _)| key))
    };
    let mut strays = Vec::new();
    for cut in keys(keys::CUT)? {
        let record = &cut[keys::CUT.len()..];
        strays.extend(keys(&[keys::RECORD_PIECES, record, b"/"].concat())?);
        strays.push(cut);
    }
    Ok(strays.into_iter().map(|key| (key, None)).collect())
}
