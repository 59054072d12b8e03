//! Records and documents that are too large for one commit. A long record is written in pieces before
//! it, and counts when the fact that puts them together is written. Many documents are written after
//! their record, in commits of their own. Commits of others come in between. Nothing else happens to the
//! fulfilment meanwhile, and answers wait until everything is on disk. The rest follows from the journal,
//! and a fact records the progress, so a crash in between changes nothing.

use model::{Document, FulfilmentId};
use tmf::time::Timestamp;

use super::callbacks::own_name;
use super::entry::Entry;
use super::locks::quotes;
use super::owed::Owed;
use super::{After, Asked, Core, Input, RecoverError, Step};
use crate::keys;
use crate::store::{Scan, Store, Write};

impl<R> Core<R> {
    /// Continues a fulfilment that has more to do than one turn allows.
    pub fn go_on(&mut self, now: Timestamp, id: &FulfilmentId) -> Vec<Step<R>> {
        let mut steps = match self.take_later(now, id) {
            Some(step) => vec![step],
            None => self.take_turn(now, id),
        };
        steps.extend(self.read_overdue());
        self.make_room();
        steps
    }

    fn take_turn(&mut self, now: Timestamp, id: &FulfilmentId) -> Vec<Step<R>> {
        let Some(mut entry) = self.take(id) else { return Vec::new() };
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
        let id = entry.fulfilment.id();
        if !owed.pieces.is_empty() || owed.first.is_some() {
            if let Some(piece) = owed.pieces.pop_front() {
                step.commit.writes.push(piece);
            } else if let Some(first) = owed.first.take() {
                (step.commit.writes, step.commit.documents, step.commit.audited) = first;
                self.scratch.let_go(&step.commit.writes);
                self.write_freed(&owed.freed, &mut step.commit.writes);
                self.held_back.remove(id);
            }
            step.commit.at = owed.record.at;
            step.commit.then.push(entry.go_on());
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
            step.commit.writes.push(owed.mark(id));
            step.commit.then.push(entry.go_on());
            entry.owed = Some(owed);
            self.put_back(now, entry);
            return vec![step];
        }
        step.commit.writes.push((keys::owed(id), None));
        step.commit.writes.append(&mut owed.writes);
        step.commit.then.append(&mut owed.then);
        // It comes to rest by a turn, in which it finds nothing to do.
        if !step.commit.then.iter().any(|after| matches!(after, After::GoOn(_))) {
            step.commit.then.push(entry.go_on());
        }
        self.put_back(now, entry);
        let later = owed.later.into_iter().map(|asked| self.handle(now, asked));
        [step].into_iter().chain(later).collect()
    }

    /// Keeps an input for when the documents of its fulfilment are written, or when it is read again; gives
    /// it back if there is nothing to wait for. The error is the fulfilment, if it is still to be read.
    pub(super) fn unless_later(
        &mut self,
        asked: Asked<R>,
    ) -> Result<Asked<R>, Option<FulfilmentId>> {
        let id = self.concerned(&asked.input).cloned();
        // The order that a submission repeats is on disk if it has left memory.
        let left = id.clone().filter(|_| !matches!(asked.input, Input::Submit { .. }));
        let asked = self.unless_left(left, asked)?;
        self.unless_owed(asked, id.as_ref()).ok_or(None)
    }

    /// Keeps an input for when the documents of its fulfilment are written.
    pub(super) fn unless_owed(
        &mut self,
        asked: Asked<R>,
        id: Option<&FulfilmentId>,
    ) -> Option<Asked<R>> {
        match id.and_then(|id| self.open.get_mut(id)?.owed.as_mut()) {
            Some(owed) => {
                owed.later.push(asked);
                None
            }
            None => Some(asked),
        }
    }

    /// The open fulfilment that an input is about.
    pub(super) fn concerned<'a>(&'a self, input: &'a Input<R>) -> Option<&'a FulfilmentId> {
        let waiter = |name: &String| self.waiting.get(name).map(|(id, ..)| id);
        match input {
            // A record that is not on disk yet may have ended the wait for it.
            Input::Callback { callback, .. } => {
                waiter(&callback.name).or_else(|| self.held_back.first()).or_else(|| {
                    // One of its tasks may wait for it later.
                    let (own, ..) = own_name(&callback.name)?;
                    let asleep = self.asleep.get_key_value(&own).map(|(id, _)| id);
                    asleep.or_else(|| Some(self.later.get_key_value(&own)?.0))
                })
            }
            Input::Recalled(recalled) => waiter(&recalled.name),
            Input::Finished { fulfilment, .. }
            | Input::Replan { fulfilment, .. }
            | Input::Retry { fulfilment, .. }
            | Input::Decide { fulfilment, .. }
            | Input::Cancel { fulfilment, .. }
            | Input::Patch { fulfilment, .. }
            | Input::Get { fulfilment, .. }
            | Input::AwaitEnd { fulfilment, .. } => Some(fulfilment),
            // It is answered with the first one, which must be on disk then.
            Input::Submit { fulfilment, submission, .. } => {
                let known = submission.as_deref().and_then(|key| self.submissions.get(key));
                known.or_else(|| self.locks.holder(&quotes(fulfilment)))
            }
            Input::Look { .. }
            | Input::Unplanned { .. }
            | Input::All { .. }
            | Input::Readmit { .. }
            | Input::GiveUp { .. }
            | Input::Remove { .. }
            | Input::Write { .. }
            | Input::Erase { .. }
            | Input::Reread { .. }
            | Input::LockHolder { .. } => None,
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
