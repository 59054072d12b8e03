//! Submissions: their locks and their idempotency keys.

use std::sync::Arc;

use model::order::quotes_of;
use model::{Event, Fulfilment, FulfilmentId, Kind, Phase};
use tmf::time::Timestamp;

use super::entry::Entry;
use super::{After, Answer, Core, Denied, Seen, Step};
use crate::keys;
use crate::limits::Limits;
use crate::trace::Trace;

impl<R> Core<R> {
    pub(super) fn submit(
        &mut self,
        now: Timestamp,
        mut fulfilment: Fulfilment,
        events: Vec<Event>,
        (submission, seen, trace): (Option<String>, Option<Seen>, Option<Trace>),
        reply: R,
    ) -> Step<R> {
        // The time of the journal, not that of the request.
        fulfilment.submit_at(now);
        let known = submission.as_deref().and_then(|key| self.submissions.get(key));
        if let Some(first) = known {
            return Step::answer(reply, Answer::Submitted(first.clone()));
        }
        if let Some(denied) = self.full() {
            return Step::answer(reply, Answer::Denied(denied));
        }
        let events = match self.locked(&fulfilment, events, seen) {
            Ok(events) => events,
            Err(answer) => return Step::answer(reply, answer),
        };
        let mut step = Step::default();
        let id = fulfilment.id().as_str().as_bytes();
        if let Some(key) = &submission {
            step.commit.writes.push((keys::submission(key), Some(id.to_vec())));
            self.submissions.insert(key.clone(), fulfilment.id().clone());
        }
        let is_rejected = matches!(events.last(), Some(Event::Rejected { .. }));
        if *fulfilment.kind() == Kind::ProductOrder && !is_rejected {
            for quote in quotes_of(fulfilment.document()) {
                step.commit.writes.push((keys::quote(quote), Some(id.to_vec())));
            }
        }
        let submitted = Event::Submitted {
            kind: fulfilment.kind().clone(),
            document: fulfilment.document().clone(),
            activation: fulfilment.activation().cloned(),
        };
        let entry = Entry { submission, trace, ..Entry::new(fulfilment) };
        step.recorded.push(submitted);
        step.waiting = Some(reply);
        self.advance(now, entry, events, step)
    }

    /// Gives a plan to a fulfilment that has none, or records anew why it has none. One that has a plan by
    /// now, or has ended, stays as it is.
    pub(super) fn replan(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        event: Event,
        seen: Seen,
        reply: R,
    ) -> Step<R> {
        let Some(entry) = self.take(id) else {
            return self.absent(id, reply, Answer::Fulfilment(None));
        };
        let mut step = Step { waiting: Some(reply), ..Step::default() };
        let is_told = |event: &Event| match (event, entry.fulfilment.phase()) {
            (Event::Held { failure }, Phase::Held(before)) => failure == before,
            (Event::Awaiting { orders, queued: true }, Phase::Submitted) => {
                *orders == entry.fulfilment.behind()
            }
            _ => false,
        };
        if !entry.fulfilment.is_unplanned() || is_told(&event) {
            return self.advance(now, entry, Vec::new(), step);
        }
        match self.locks_again(event, seen) {
            Ok((event, _)) if is_told(&event) => self.advance(now, entry, Vec::new(), step),
            Ok((event, locks)) => {
                let step = self.advance(now, entry, vec![event], step);
                self.take_locks(id, locks);
                step
            }
            Err(answer) => {
                let reply = step.waiting.take();
                step.commit.then.extend(reply.map(|reply| After::Reply(reply, answer)));
                self.advance(now, entry, Vec::new(), step)
            }
        }
    }

    /// The open fulfilments that are in memory.
    pub(super) fn all(&self) -> Vec<Arc<Fulfilment>> {
        self.open.values().map(|entry| Arc::clone(&entry.fulfilment)).collect()
    }

    /// The open fulfilments that have no plan.
    pub(super) fn unplanned(&self) -> Vec<Arc<Fulfilment>> {
        let open = self.open.values().map(|entry| &entry.fulfilment);
        open.filter(|fulfilment| fulfilment.is_unplanned()).cloned().collect()
    }

    /// Why no more fulfilments may be open.
    fn full(&self) -> Option<Denied> {
        let Limits { open_orders, open_orders_bytes, .. } = self.limits;
        let open = self.open() as u64;
        if open >= open_orders {
            return Some(Denied::TooManyOpen { open, max: open_orders });
        }
        let mib = |bytes: u64| bytes >> 20;
        (self.open_bytes >= open_orders_bytes).then(|| Denied::TooMuchOpen {
            mib: mib(self.open_bytes),
            max_mib: mib(open_orders_bytes),
        })
    }
}
