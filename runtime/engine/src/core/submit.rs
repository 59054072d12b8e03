//! Submissions: what is taken, what it claims, and under which key it is known.

use model::cpq::quotes_of;
use model::{Event, Fulfilment, Kind, Timestamp};

use super::entry::Entry;
use super::{Answer, Core, Denied, Seen, Step};
use crate::keys;
use crate::limits::Limits;

impl<R> Core<R> {
    pub(super) fn submit(
        &mut self,
        now: Timestamp,
        mut fulfilment: Fulfilment,
        events: Vec<Event>,
        (submission, seen): (Option<String>, Option<Seen>),
        reply: R,
    ) -> Step<R> {
        // As the journal will say, whatever the clock said when its making began.
        fulfilment.submitted_at = now;
        fulfilment.updated_at = now;
        let known = submission.as_deref().and_then(|key| self.submissions.get(key));
        if let Some(first) = known {
            return Step::answer(reply, Answer::Submitted(first.clone()));
        }
        if let Some(denied) = self.full() {
            return Step::answer(reply, Answer::Denied(denied));
        }
        let events = match self.claimed(&fulfilment, events, seen) {
            Ok(events) => events,
            Err(answer) => return Step::answer(reply, answer),
        };
        let mut step = Step::default();
        let id = fulfilment.id.as_str().as_bytes();
        if let Some(key) = &submission {
            step.commit.writes.push((keys::submission(key), Some(id.to_vec())));
            self.submissions.insert(key.clone(), fulfilment.id.clone());
        }
        let is_rejected = matches!(events.last(), Some(Event::Rejected { .. }));
        if fulfilment.kind == Kind::ProductOrder && !is_rejected {
            for quote in quotes_of(&fulfilment.document) {
                step.commit.writes.push((keys::quote(quote), Some(id.to_vec())));
            }
        }
        let submitted = Event::Submitted {
            kind: fulfilment.kind.clone(),
            document: fulfilment.document.clone(),
            activation: fulfilment.activation.clone(),
        };
        let entry = Entry { submission, ..Entry::new(fulfilment) };
        step.recorded.push(submitted);
        step.waiting = Some(reply);
        self.advance(now, entry, events, step)
    }

    /// Why no more may be open.
    fn full(&self) -> Option<Denied> {
        let Limits { open_orders, open_orders_bytes, .. } = self.limits;
        let open = self.open.len() as u64;
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
