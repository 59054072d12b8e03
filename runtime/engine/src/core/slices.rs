//! Documents that are too many for one commit: the record of what happened is written first, what
//! follows from it in commits of its own, and between any two of them those of others. Nothing else
//! happens to the fulfilment meanwhile, and answers wait until all is on disk. What is owed
//! follows from the journal, so a crash in between changes nothing: a fact records how far it is.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZero;
use std::sync::Arc;

use model::documents::Part;
use model::{Document, Fulfilment, FulfilmentId, Record, Timestamp};
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::{After, Core, Input, Published, Step};
use crate::keys;
use crate::store::Write;

/// The documents of a record that are not written yet.
pub(super) struct Owed<R> {
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
        let mark = Mark { record: fulfilment.records, written: 1, items, freed };
        Some((first, Self::new(Arc::clone(record), before, mark, parts)))
    }

    fn new(
        record: Arc<Record>,
        before: Option<&'static str>,
        mark: Mark,
        parts: VecDeque<Part>,
    ) -> Self {
        let (writes, then, later) = (Vec::new(), Vec::new(), Vec::new());
        Self { record, before, mark, parts, writes, then, later }
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
            some => Some(Fulfilment::fold(fulfilment.id.clone(), some).ok()?.order_state()),
        };
        let parts = fulfilment.parts(&last.events, before, mark.items);
        let parts: VecDeque<Part> = parts.into_iter().skip(mark.written).collect();
        (!parts.is_empty()).then(|| Self::new(Arc::new(last.clone()), before, mark, parts))
    }

    /// What those who watch are told when all is written.
    pub(super) fn published(&self, fulfilment: &Fulfilment) -> Published {
        Published {
            fulfilment: fulfilment.id.clone(),
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
        match entry.owed.take() {
            Some(owed) => self.write_part(now, entry, owed),
            None => vec![self.advance(now, entry, Vec::new(), Step::default())],
        }
    }

    fn write_part(
        &mut self,
        now: Timestamp,
        mut entry: Entry<R>,
        mut owed: Owed<R>,
    ) -> Vec<Step<R>> {
        let mut step = Step::default();
        let id = entry.fulfilment.id.clone();
        if let Some(part) = owed.parts.pop_front() {
            let mut changes = entry.fulfilment.changes_in(part, &owed.record.events, owed.before);
            let is_freed =
                |one: &Document| one.resource == "resource" && owed.mark.freed.contains(&one.id);
            changes.documents.retain(|document| !is_freed(document));
            Self::write_changes(owed.record.at, changes, &mut step);
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
            Input::Callback { name, .. } | Input::Recalled { name, .. } => waiter(name),
            Input::Finished { fulfilment, .. }
            | Input::Replan { fulfilment, .. }
            | Input::Reopen { fulfilment, .. }
            | Input::Decide { fulfilment, .. }
            | Input::Cancel { fulfilment, .. }
            | Input::Patch { fulfilment, .. }
            | Input::Get { fulfilment, .. }
            | Input::AwaitEnd { fulfilment, .. } => Some(fulfilment),
            Input::Submit { .. }
            | Input::Look { .. }
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
