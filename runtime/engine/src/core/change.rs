//! Changes of an order by people: cancellation, patches of attributes, and an operator's decision to give
//! a task up or to report it as done by hand.

use model::FulfilmentId;
use model::journal::CancelRequest;
use tmf::time::Timestamp;

use super::entry::Entry;
use super::{After, Amendment, Answer, Core, Step, Wish};

impl<R> Core<R> {
    pub(super) fn cancel(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        request: CancelRequest,
        reply: R,
    ) -> Step<R> {
        let Some(entry) = self.take(id) else {
            return self.absent(id, reply, Answer::Fulfilment(None));
        };
        let (events, answer) = entry.fulfilment.cancel(request);
        let mut step = Step::default();
        match answer {
            Ok(()) => step.waiting = Some(reply),
            Err(refusal) => {
                step.commit.then.push(After::Reply(reply, Answer::NotCancelled(refusal)));
            }
        }
        self.advance(now, entry, events, step)
    }

    pub(super) fn decide(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        wish: Wish,
        reply: R,
    ) -> Step<R> {
        let Some(entry) = self.take(id) else {
            return self.absent(id, reply, Answer::Fulfilment(None));
        };
        let fulfilment = &entry.fulfilment;
        let decided = match wish {
            Wish::GiveUp { subject, release, decision } => {
                fulfilment.give_up(&subject, release, decision)
            }
            Wish::Move { to, decision } => Ok(fulfilment.moved(to, decision)),
            Wish::Complete { task, outputs, decision } => {
                fulfilment.complete_by_hand(&task, outputs, decision)
            }
        };
        let mut step = Step::default();
        let events = match decided {
            Ok(events) => {
                step.waiting = Some(reply);
                events
            }
            Err(denied) => {
                step.commit.then.push(After::Reply(reply, Answer::NotDecided(denied)));
                Vec::new()
            }
        };
        self.advance(now, entry, events, step)
    }

    pub(super) fn patch(
        &mut self,
        now: Timestamp,
        entry: Entry<R>,
        Amendment { resource, patch, expected }: Amendment,
        reply: R,
    ) -> Step<R> {
        let fulfilment = &entry.fulfilment;
        let mut step = Step::default();
        if let Some(answer) = self.not_as_read(&entry, expected) {
            step.commit.then.push(After::Reply(reply, answer));
            return self.advance(now, entry, Vec::new(), step);
        }
        let events = match fulfilment.patched(&resource, patch) {
            Ok(events) => events,
            Err(error) => {
                step.commit.then.push(After::Reply(reply, Answer::NotPatched(error)));
                return self.advance(now, entry, Vec::new(), step);
            }
        };
        step.waiting = Some(reply);
        self.advance(now, entry, events, step)
    }

    /// The answer if the order is not the one that the engine or the client read.
    fn not_as_read(&self, entry: &Entry<R>, expected: Option<u32>) -> Option<Answer> {
        let fulfilment = &entry.fulfilment;
        let last = self.changed_late.get(fulfilment.id().as_str()).filter(|_| entry.was_ended);
        if last.is_some_and(|records| fulfilment.records() < *records) {
            return Some(Answer::Stale);
        }
        let records = fulfilment.records();
        (expected.is_some_and(|expected| expected != records)).then_some(Answer::Changed(records))
    }
}
