//! The engine's state of an open fulfilment besides the fold; none of it needs to survive a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Direction, Event, Fulfilment, Record, TaskId};
use tmf::table::OrderState;
use tmf::time::Timestamp;

use super::agenda::Agenda;
use super::owed::Owed;
use super::{After, Published};
use crate::keys;
use crate::store::Write;
use crate::telemetry::Attempt;
use crate::trace::Trace;

pub(super) struct Entry<R> {
    /// The fold. Readers may hold a copy of it.
    pub fulfilment: Arc<Fulfilment>,
    /// Tasks with a call under way.
    pub under_way: BTreeMap<TaskId, Direction>,
    /// The tasks to check; all if `None`.
    pub agenda: Option<Agenda>,
    /// Documents of its last record that are not written yet: nothing else happens meanwhile.
    pub owed: Option<Owed<R>>,
    /// Events that are applied but not yet handed to the store: outcomes of pure tasks that share
    /// the next commit.
    pub unwritten: Vec<Event>,
    /// Facts that go with them, such as logs.
    pub facts: Vec<Write>,
    /// The figures of attempts that go with the next commit.
    pub measured: Vec<Attempt>,
    /// The number of its commits on their way to the disk after which it continues.
    pub on_the_way: usize,
    /// The state of its orders as they were last written.
    pub order_state: Option<OrderState>,
    /// The time of its timer.
    pub wake_at: Option<Timestamp>,
    /// Askers that wait for its end.
    pub awaiting_end: Vec<R>,
    /// The bytes of its journal; its memory grows with them.
    pub bytes: u64,
    /// The client's key, until the submission is written.
    pub submission: Option<String>,
    /// Whether it had ended before this input.
    pub was_ended: bool,
    /// The span of the request that submitted it, if it is traced.
    pub trace: Option<Trace>,
    /// Whether its times follow a clock that was set back: the journal does not have them so.
    pub is_shifted: bool,
    /// Whether no work was due when its last turn ended.
    pub is_at_rest: bool,
    /// Its place among those that only wait.
    pub resting: Option<u64>,
}

impl<R> Entry<R> {
    pub(super) fn new(fulfilment: Fulfilment) -> Self {
        Self {
            fulfilment: Arc::new(fulfilment),
            under_way: BTreeMap::new(),
            agenda: None,
            owed: None,
            unwritten: Vec::new(),
            facts: Vec::new(),
            measured: Vec::new(),
            on_the_way: 0,
            order_state: None,
            wake_at: None,
            awaiting_end: Vec::new(),
            bytes: 0,
            submission: None,
            was_ended: false,
            trace: None,
            is_shifted: false,
            is_at_rest: false,
            resting: None,
        }
    }

    /// One that is changed after its end.
    pub(super) fn ended(fulfilment: Fulfilment) -> Self {
        let order_state = Some(fulfilment.order_state());
        Self { order_state, was_ended: true, ..Self::new(fulfilment) }
    }

    /// The action that continues it.
    pub(super) fn go_on(&self) -> After<R> {
        After::GoOn(self.fulfilment.id().clone())
    }

    /// The fact that it is open, with its trace.
    pub(super) fn is_open(&self) -> Write {
        let trace = self.trace.map(|trace| trace.to_string().into_bytes());
        (keys::open(self.fulfilment.id()), Some(trace.unwrap_or_default()))
    }

    /// The action that tells watchers of its last record.
    pub(super) fn publish(&self, number: u32, record: Arc<Record>) -> After<R> {
        After::Publish(Published {
            fulfilment: self.fulfilment.id().clone(),
            number,
            record,
            traced: self.trace.map(|trace| (trace, self.fulfilment.submitted_at())),
            #[cfg(test)]
            state: Arc::clone(&self.fulfilment),
        })
    }
}
