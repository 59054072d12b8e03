//! Advances a fulfilment after an input: applies events, asks for the work that is due, and gathers the
//! writes that must be on disk before it starts.

use std::sync::Arc;

use model::documents::{Head, Part};
use model::fulfilment::ApplyError;
use model::journal::EncodeError;
use model::pricing::{ledger, rate};
use model::{Changes, Context, Document, Due, Event, NoCall, Record, Reservation};
use tmf::time::Timestamp;

use super::agenda::Agenda;
use super::entry::Entry;
use super::owed::Owed;
use super::{After, Answer, Core, Durability, Step};
use crate::documents::{self, Change, Expected, Pieced, Put};
use crate::keys;
use crate::store::Write;
use crate::store::pieces::Pieces;
use crate::telemetry;
use crate::worker::{Call, Effects};

/// Max outcomes of pure tasks in one commit, so that a crash does not lose a long run of them.
const UNWRITTEN_MAX: usize = 64;

/// Max commits of one fulfilment that are on their way to the disk while more of it is begun.
const ON_THE_WAY_MAX: usize = 2;

/// Max actions of a fulfilment until it comes to rest, and how many more for each task.
const DONE_MAX: usize = 512;
const DONE_OF_TASK_MAX: usize = 8;

/// Why a fulfilment cannot be continued: a bug of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("it refuses its next event")]
    Refused(#[source] ApplyError),
    #[error("its next record cannot be written")]
    Record(#[source] EncodeError),
    #[error("it does not come to rest: it took {0} actions in a row")]
    Restless(usize),
}

/// The results of one turn.
#[derive(Default)]
pub(super) struct Gathered {
    /// Calls that wait for the commit.
    pub(super) calls: Vec<Call>,
    /// Calls of pure plugins.
    pub(super) pure: Vec<Call>,
    /// Reservations to write and to remove.
    pub(super) taken: Vec<(Reservation, String)>,
    pub(super) freed: Vec<(Reservation, String)>,
    /// Resources that end with the work that made them.
    ended: Vec<Document>,
    /// Kept callbacks that a task has begun to wait for.
    recalled: Vec<String>,
    /// An event must be on disk before anything else happens.
    must_write: bool,
    /// There is more work, for another turn.
    goes_on: bool,
}

impl<R> Core<R> {
    /// Applies events to a fulfilment, does the work that is due, and puts it back. One that cannot
    /// continue is set aside.
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        mut entry: Entry<R>,
        events: Vec<Event>,
        mut step: Step<R>,
    ) -> Step<R> {
        if entry.owed.is_some() {
            // Later events wait until its documents are written.
            step.commit.then.push(entry.go_on());
            self.put_back(now, entry);
            return step;
        }
        let agenda = entry.agenda.get_or_insert_with(|| Agenda::all(&entry.fulfilment, now));
        agenda.pass(now);
        let mut gathered = Gathered::default();
        if !events.is_empty() || !step.recorded.is_empty() {
            step.act = self.act.take();
        }
        gathered.must_write |= !step.recorded.is_empty() || step.scratch.is_some();
        gathered.must_write |= step.act.is_some();
        let mut recorded = std::mem::take(&mut step.recorded);
        entry.unwritten.append(&mut recorded);
        let carried = self
            .apply(now, &mut entry, events, &mut gathered)
            .and_then(|()| self.perform_due(now, &mut entry, &mut gathered))
            .and_then(|()| self.write(now, &mut entry, &mut gathered, &mut step));
        if let Err(fault) = carried {
            return self.put_aside(now, entry, &gathered, &fault, step);
        }
        self.put_back(now, entry);
        step
    }

    /// Puts a fulfilment back to the open ones, unless it is over.
    pub(super) fn put_back(&mut self, now: Timestamp, mut entry: Entry<R>) {
        let id = entry.fulfilment.id().clone();
        let is_written = entry.unwritten.is_empty() && entry.owed.is_none();
        if entry.fulfilment.is_ended() && is_written {
            self.unclaim(&entry.fulfilment);
            self.open_bytes -= entry.bytes;
            if let Some(time) = entry.wake_at {
                self.timers.remove(time, &id);
            }
            return;
        }
        self.set_timer(now, &mut entry);
        self.keep(id, entry);
    }

    pub(super) fn set_timer(&mut self, now: Timestamp, entry: &mut Entry<R>) {
        let fulfilment = &entry.fulfilment;
        let agenda = entry.agenda.get_or_insert_with(|| Agenda::all(fulfilment, now));
        let wake_at = agenda.wake_at().into_iter().chain(fulfilment.wake_for_whole(now)).min();
        let wake_at = wake_at.filter(|_| entry.owed.is_none());
        if wake_at == entry.wake_at {
            return;
        }
        if let Some(time) = entry.wake_at {
            self.timers.remove(time, fulfilment.id());
        }
        if let Some(time) = wake_at {
            self.timers.insert(time, fulfilment.id().clone());
        }
        entry.wake_at = wake_at;
    }

    /// Applies events, and follows the effects of those that are accepted. Events come from decisions
    /// over this very state, so one that is refused is a bug of ours, and its fulfilment is set aside.
    fn apply(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        events: Vec<Event>,
        gathered: &mut Gathered,
    ) -> Result<(), Fault> {
        for event in events {
            let fulfilment = Arc::make_mut(&mut entry.fulfilment);
            let effects = match fulfilment.accept(now, &event) {
                Ok(effects) => effects,
                Err(error) => return Err(self.refused(event, error)),
            };
            if let Some(agenda) = &mut entry.agenda {
                agenda.follow(fulfilment, &event, now);
            }
            gathered.taken.extend(effects.reserved);
            gathered.freed.extend(effects.released);
            gathered.ended.extend(effects.terminated);
            self.stop_waiting(fulfilment.id(), event.task(), &effects.no_longer_awaited);
            let kept = self.wait_for(fulfilment.id(), &event, effects.awaited);
            gathered.recalled.extend(kept);
            gathered.must_write |= !event.may_wait_for_commit();
            entry.unwritten.push(event);
        }
        Ok(())
    }

    /// An event that is refused: the pool values that its attempt reserved are free again.
    fn refused(&self, event: Event, error: ApplyError) -> Fault {
        if let Event::Succeeded { reservations, .. } = event {
            for reservation in reservations {
                self.pools.abandon_value(&reservation.pool, reservation.index);
            }
        }
        Fault::Refused(error)
    }

    /// Does the work that is due until all of it waits for something, or the turn is over.
    fn perform_due(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        gathered: &mut Gathered,
    ) -> Result<(), Fault> {
        for _ in 0..self.shares.turn {
            let Some(agenda) = &mut entry.agenda else { return Ok(()) };
            // It does not run ahead of the disk, or others would wait for all its writes.
            let is_ahead = entry.on_the_way >= ON_THE_WAY_MAX;
            let calls = if is_ahead { 0 } else { self.shares.calls };
            let worker = &self.worker;
            let mut context = Context {
                now,
                effects: &|digest| worker.effects(digest),
                expressions: &mut self.expressions,
            };
            let due = agenda.next_due(&entry.fulfilment, &entry.under_way, calls, &mut context);
            let Some(due) = due else {
                agenda.turns = 0;
                entry.is_at_rest = !is_ahead;
                return Ok(());
            };
            let events = self.carry_out(now, entry, due, gathered);
            self.apply(now, entry, events, gathered)?;
        }
        gathered.goes_on = true;
        gathered.must_write = true;
        let Some(agenda) = &mut entry.agenda else { return Ok(()) };
        agenda.turns += 1;
        let done = agenda.turns * self.shares.turn;
        // Each action applies at least one event, and a task takes few without waiting.
        if done > DONE_MAX + DONE_OF_TASK_MAX * entry.fulfilment.tasks().len() {
            return Err(Fault::Restless(done));
        }
        Ok(())
    }

    /// Performs due work: gathers a call, or returns the events that follow without one.
    fn carry_out(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        due: Due,
        gathered: &mut Gathered,
    ) -> Vec<Event> {
        let fulfilment = &entry.fulfilment;
        let (task, attempt, operation, effects) = match due {
            Due::End(end) => return vec![Event::Ended { end }],
            Due::Alert(risk) => return vec![Event::Alerted { risk }],
            Due::Expire { task, attempt } => return fulfilment.expire(task, attempt, now),
            Due::Conclude { task, attempt, reason } => {
                return fulfilment.without_call(task, attempt, reason, now);
            }
            Due::Call { task, attempt, operation, effects } => (task, attempt, operation, effects),
        };
        let request = match fulfilment.request(task, operation, &mut self.expressions) {
            Ok(request) => request,
            Err(failure) => {
                return fulfilment.without_call(task, attempt, NoCall::Impossible(failure), now);
            }
        };
        let direction = fulfilment.direction(task);
        let mut call = self.call(fulfilment.id(), task, attempt, request, now);
        call.trace = entry.trace.map(|trace| trace.task(fulfilment.id(), task, direction));
        entry.under_way.insert(task, direction);
        match (effects, self.durability) {
            (Effects::Pure, Durability::Shared) => gathered.pure.push(call),
            (Effects::Pure, Durability::EachStep) | (Effects::External, _) => {
                gathered.calls.push(call);
            }
        }
        fulfilment.before_call(task, attempt, effects).into_iter().collect()
    }

    /// Turns the results into one commit, unless they may wait for the next.
    fn write(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        gathered: &mut Gathered,
        step: &mut Step<R>,
    ) -> Result<(), Fault> {
        let may_wait = self.durability == Durability::Shared
            && !gathered.must_write
            && step.waiting.is_none()
            && gathered.taken.is_empty()
            && gathered.freed.is_empty()
            && entry.under_way.len() > gathered.calls.len()
            && gathered.calls.is_empty()
            && entry.unwritten.len() < UNWRITTEN_MAX;
        if may_wait {
            step.now.append(&mut gathered.pure);
            entry.facts.append(&mut step.commit.writes);
            return Ok(());
        }
        let is_full = entry.unwritten.len() >= UNWRITTEN_MAX;
        let record = Record::new(now, std::mem::take(&mut entry.unwritten));
        // A record that cannot be read back is not written; no action was taken for it yet.
        let bytes = match record.events.is_empty() {
            true => Vec::new(),
            false => record.encode().map_err(Fault::Record)?,
        };
        step.now.append(&mut gathered.pure);
        step.commit.writes.append(&mut entry.facts);
        let measured = std::mem::take(&mut entry.measured);
        step.commit.writes.extend(telemetry::figures(entry.fulfilment.id(), measured));
        self.write_taken(&entry.fulfilment, gathered, step);
        let is_cut = bytes.len() > self.shares.record_bytes.get();
        self.write_scratch(step);
        if !is_cut {
            self.write_freed(&gathered.freed, &mut step.commit.writes);
        }
        if !record.events.is_empty() {
            self.write_record(now, entry, gathered, (record, bytes), step);
        }
        if let Some(reply) = step.waiting.take() {
            let answer = Answer::Fulfilment(Some(Arc::clone(&entry.fulfilment)));
            step.commit.then.push(After::Reply(reply, answer));
        }
        if entry.fulfilment.is_ended() {
            self.forget_callbacks(entry.fulfilment.id(), step);
            for reply in entry.awaiting_end.drain(..) {
                let answer = Answer::Fulfilment(Some(Arc::clone(&entry.fulfilment)));
                step.commit.then.push(After::Reply(reply, answer));
            }
        }
        step.commit.then.extend(gathered.recalled.drain(..).map(After::Recall));
        step.commit.then.extend(gathered.calls.drain(..).map(After::Run));
        if gathered.goes_on || is_full {
            entry.on_the_way += 1;
            step.commit.then.push(entry.go_on());
        }
        if let Some(mut owed) = entry.owed.take() {
            // Answers and further work wait until all of it is written.
            owed.then = std::mem::replace(&mut step.commit.then, vec![entry.go_on()]);
            if is_cut {
                let id = entry.fulfilment.id();
                self.scratch.hold_back(&step.commit.writes);
                owed.hold_back(id, &mut step.commit, std::mem::take(&mut gathered.freed));
                self.held_back.insert(id.clone());
            }
            entry.owed = Some(owed);
        }
        Ok(())
    }

    fn write_record(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        gathered: &mut Gathered,
        (record, bytes): (Record, Vec<u8>),
        step: &mut Step<R>,
    ) {
        let fulfilment = Arc::make_mut(&mut entry.fulfilment);
        // Its events may have been applied a little earlier.
        let number = fulfilment.records();
        fulfilment.recorded(now, &record.events);
        let record = Arc::new(record);
        step.audit(now, fulfilment.id(), number);
        let freed: Vec<Document> = gathered
            .freed
            .iter()
            .map(|(reservation, _)| fulfilment.released(reservation))
            .collect();
        let (before, items) = (entry.order_state, self.shares.items);
        let (part, mut owed) = match Owed::after_first(fulfilment, &record, before, items, &freed) {
            Some((first, owed)) => (first, Some(owed)),
            None => (Part::Whole, None),
        };
        let mut changes = fulfilment.changes_in(part, &record.events, before);
        changes.documents.extend(freed);
        changes.documents.append(&mut gathered.ended);
        entry.order_state = Some(fulfilment.order_state());
        Self::write_changes(now, number, changes, step);
        if fulfilment.is_ended() && record.events.iter().all(Event::is_patch) {
            // A patch that read it before this one is refused as stale.
            self.changed_late.insert(fulfilment.id().to_string(), fulfilment.records());
        }
        entry.submission = None;
        entry.bytes += bytes.len() as u64;
        self.open_bytes += bytes.len() as u64;
        let is_open = entry.is_open();
        let fulfilment = &entry.fulfilment;
        let writes = &mut step.commit.writes;
        let prefix = keys::record_pieces(fulfilment.id(), number);
        let (bytes, pieces) = cut(prefix, bytes, self.shares.record_bytes.get());
        writes.push((keys::journal(fulfilment.id(), number), Some(bytes)));
        let ended = fulfilment.is_ended().then(|| (keys::open(fulfilment.id()), None));
        // Owed documents are found again by the open fulfilments, even those of a change after the end.
        let owes_documents = owed.as_ref().is_some_and(Owed::has_documents);
        if owes_documents || (number == 0 && ended.is_none()) {
            writes.push(is_open);
        }
        if !pieces.is_empty() {
            // Its number was counted up already.
            let owed = owed.get_or_insert_with(|| Owed::record(number, &record));
            owed.begin_with(pieces);
        }
        match owed.as_mut().filter(|_| owes_documents) {
            Some(owed) => {
                writes.push(owed.mark(fulfilment.id()));
                owed.writes.extend(ended);
            }
            None => writes.extend(ended),
        }
        entry.owed = owed;
        step.commit.then.push(entry.publish(number, record));
    }

    /// Orders are written as the fold has them; documents that others may change too are merged.
    pub(super) fn write_changes(now: Timestamp, record: u32, changes: Changes, step: &mut Step<R>) {
        step.commit.at = now;
        for piece in changes.pieces {
            step.commit.writes.extend(documents::piece(piece, record));
        }
        for Head { document, list, pieces } in changes.heads {
            let Document { resource, id, body } = document;
            let prefix = keys::document_pieces(resource, &id, record);
            let count = u32::try_from(pieces).unwrap_or(u32::MAX);
            let set = Change::SetPieced(Pieced { body, list, prefix, count });
            step.commit.documents.push(Put::new(resource, id, set, Expected::Anything));
        }
        step.commit.documents.extend(changes.documents.into_iter().map(put));
        for record in changes.installed {
            let model::installed::Record { resource, id, patch } = record;
            let (change, expected) = match patch {
                Some(patch) => (Change::Merge(patch), Expected::Anything),
                None => (Change::Forget, Expected::Anything),
            };
            step.commit.documents.push(Put::new(resource, id, change, expected).quiet());
        }
        let removed = changes.removed.into_iter();
        let removed = removed
            .map(|(resource, id)| Put::new(resource, id, Change::Remove, Expected::Anything));
        step.commit.documents.extend(removed);
    }
}

/// The change that writes a document of a fulfilment. Others change products and services too; charges
/// and ledger entries are written once.
fn put(document: Document) -> Put {
    let Document { resource, id, body } = document;
    let change = match resource {
        "product" | "service" => Change::Merge(body),
        rate::RESOURCE | ledger::RESOURCE => Change::SetOnce(body),
        _ => Change::Set(body),
    };
    Put::new(resource, id, change, Expected::Anything)
}

/// The value of a record's key, and its pieces if it is too long to be written at once.
fn cut(prefix: Vec<u8>, bytes: Vec<u8>, at_once: usize) -> (Vec<u8>, Vec<Write>) {
    if bytes.len() <= at_once {
        return (bytes, Vec::new());
    }
    let pieces: Vec<Write> = (0..)
        .zip(bytes.chunks(at_once))
        .map(|(index, piece)| (Pieces::key(&prefix, index), Some(piece.to_vec())))
        .collect();
    let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let (head, tail) = (Vec::new(), Vec::new());
    (Pieces { prefix, count, head, tail }.to_bytes(), pieces)
}

#[cfg(test)]
mod tests;
