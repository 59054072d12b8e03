//! Sets aside a fulfilment that cannot be continued: its journal cannot be read, or it refuses an event.
//! It keeps its reservations and locks, all others continue, and an operator retries it or gives it up.

use model::{Fulfilment, FulfilmentId};
use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use super::advance::{Fault, Gathered};
use super::entry::Entry;
use super::{After, Answer, Core, Denied, RecoverError, Step};
use crate::causes::chain;
use crate::documents::Put;
use crate::keys;

/// Why a fulfilment was set aside, as it is persisted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAside {
    /// The number of the record that cannot be read or applied, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u32>,
    /// What is wrong.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When an operator gave it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<Timestamp>,
}

impl SetAside {
    /// A fulfilment that is set aside now.
    pub(super) fn new(record: Option<u32>, reason: String, since: Timestamp) -> Self {
        Self { record, reason, since, given_up: None }
    }

    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers can be written")
    }
}

impl<R> Core<R> {
    /// The fulfilments that are set aside, with the reason of each.
    pub fn set_aside(&self) -> impl Iterator<Item = (&FulfilmentId, &SetAside)> {
        self.set_aside.iter()
    }

    /// The answer about a fulfilment that is not open.
    pub(super) fn absent(&self, id: &FulfilmentId, reply: R, otherwise: Answer) -> Step<R> {
        match self.set_aside.get(id) {
            Some(aside) => Step::answer(reply, Answer::Denied(Denied::set_aside(id, aside))),
            None => Step::answer(reply, otherwise),
        }
    }

    /// Sets aside a fulfilment that cannot be continued. All writes of the step are dropped: the disk
    /// has the state before it, and no action was taken. If nothing of the fulfilment is on disk, or it
    /// has ended, the input is refused and nothing else changes.
    pub(super) fn put_aside(
        &mut self,
        now: Timestamp,
        mut entry: Entry<R>,
        gathered: &Gathered,
        fault: &Fault,
        step: Step<R>,
    ) -> Step<R> {
        let id = entry.fulfilment.id().clone();
        // Reservations that are not recorded are released.
        for (reservation, _) in &gathered.taken {
            self.pools.abandon_value(&reservation.pool, reservation.index);
        }
        // These calls were decided and are not made.
        for call in gathered.calls.iter().chain(&gathered.pure) {
            self.pools.abandon(&id, call.task);
        }
        if let Some(time) = entry.wake_at.take() {
            self.timers.remove(time, &id);
        }
        self.waiting.retain(|_, (waiter, ..)| *waiter != id);
        let fault = chain(fault);
        let mut aside = Step::default();
        let denied = if entry.was_ended || entry.fulfilment.records() == 0 {
            tracing::error!(fulfilment = %id, reason = fault, "an input was refused");
            if entry.fulfilment.records() == 0 {
                self.locks.forget(&id);
                if let Some(key) = &entry.submission {
                    self.submissions.forget(key);
                }
            }
            Denied::Unsound(fault)
        } else {
            let set_aside = SetAside::new(Some(entry.fulfilment.records()), fault, now);
            tracing::error!(
                fulfilment = %id,
                record = entry.fulfilment.records(),
                reason = set_aside.reason,
                "a fulfilment was set aside; see GET /orchestration/v1/quarantine"
            );
            let denied = Denied::set_aside(&id, &set_aside);
            let kept = (keys::quarantine(id.as_str()), Some(set_aside.to_bytes()));
            aside.commit.writes.push(kept);
            self.set_aside.insert(id, set_aside);
            denied
        };
        self.open_bytes -= entry.bytes;
        let replies = step.commit.then.into_iter().filter_map(|after| match after {
            After::Reply(reply, _) | After::Written(reply) => Some(reply),
            After::Run(_)
            | After::Publish(_)
            | After::Recall(_)
            | After::Reread(_)
            | After::GoOn(_) => None,
        });
        let askers = replies.chain(step.waiting).chain(entry.awaiting_end);
        let told = askers.map(|reply| After::Reply(reply, Answer::Denied(denied.clone())));
        aside.commit.then.extend(told);
        aside
    }

    /// Sets aside a fulfilment whose journal cannot be read. The answer to those who ask about it.
    pub(super) fn set_unread_aside(
        &mut self,
        id: &FulfilmentId,
        error: &RecoverError,
        now: Timestamp,
        step: &mut Step<R>,
    ) -> Denied {
        let aside = SetAside::new(error.record(), chain(error), now);
        tracing::error!(
            fulfilment = %id,
            reason = aside.reason,
            "an open fulfilment cannot be read and is set aside; see GET \
             /orchestration/v1/quarantine"
        );
        step.commit.writes.push((keys::quarantine(id.as_str()), Some(aside.to_bytes())));
        let denied = Denied::set_aside(id, &aside);
        self.set_aside.insert(id.clone(), aside);
        denied
    }

    /// Continues a fulfilment that was set aside, as it was read again.
    pub(super) fn readmit(
        &mut self,
        now: Timestamp,
        mut fulfilment: Fulfilment,
        bytes: u64,
        reply: R,
    ) -> Step<R> {
        let id = fulfilment.id().clone();
        if self.set_aside.remove(&id).is_none() {
            return Step::answer(reply, Answer::Denied(Denied::NotSetAside(id)));
        }
        let is_shifted = now < fulfilment.updated_at();
        fulfilment.follow_clock(now);
        let mut step = Step { waiting: Some(reply), ..Step::default() };
        step.commit.writes.push((keys::quarantine(id.as_str()), None));
        step.commit.audited = self.audited(now);
        let mut entry = self.restored(fulfilment, bytes, &mut step);
        entry.is_shifted = is_shifted;
        self.advance(now, entry, Vec::new(), step)
    }

    /// Gives up a fulfilment that was set aside: it is not open any more and its locks are released. Its
    /// reservations stay, since the values may be in use.
    pub(super) fn give_up(
        &mut self,
        now: Timestamp,
        id: FulfilmentId,
        documents: Vec<Put>,
        reply: R,
    ) -> Step<R> {
        let Some(mut aside) = self.set_aside.remove(&id) else {
            return Step::answer(reply, Answer::Denied(Denied::NotSetAside(id)));
        };
        self.locks.forget(&id);
        aside.given_up = Some(now);
        let mut step = Step::answer(reply, Answer::Done);
        step.commit.at = now;
        step.commit.documents = documents;
        step.commit.audited = self.audited(now);
        step.commit.writes.push((keys::open(&id), None));
        step.commit.writes.push((keys::quarantine(id.as_str()), Some(aside.to_bytes())));
        step
    }
}
