//! What the engine keeps of an open fulfilment besides the fold itself; none of it needs to
//! survive a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Direction, Event, Fulfilment, TaskId};
use tmf::time::Timestamp;

use super::agenda::Agenda;
use super::owed::Owed;
use crate::store::Write;

pub(super) struct Entry<R> {
    /// The fold. Readers may hold a copy of it.
    pub fulfilment: Arc<Fulfilment>,
    /// Tasks that a call is under way for.
    pub under_way: BTreeMap<TaskId, Direction>,
    /// What is to be looked at; everything where `None`.
    pub agenda: Option<Agenda>,
    /// Documents of its last record that are not written yet: nothing else happens meanwhile.
    pub owed: Option<Owed<R>>,
    /// Events that are applied but not yet handed to the store: outcomes of pure tasks that share
    /// the next commit.
    pub unwritten: Vec<Event>,
    /// Facts that go with them, such as logs.
    pub facts: Vec<Write>,
    /// How many of its commits are on their way to the disk after which it goes on.
    pub on_the_way: usize,
    /// The state of its orders as they were last written.
    pub order_state: Option<&'static str>,
    /// When its timer is set.
    pub wake_at: Option<Timestamp>,
    /// Who wants to know when it has ended.
    pub awaiting_end: Vec<R>,
    /// The bytes of its journal: what it holds in memory grows with them.
    pub bytes: u64,
    /// The client's key, until the submission is written.
    pub submission: Option<String>,
    /// Whether it had ended before this input.
    pub was_ended: bool,
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
            on_the_way: 0,
            order_state: None,
            wake_at: None,
            awaiting_end: Vec::new(),
            bytes: 0,
            submission: None,
            was_ended: false,
        }
    }

    /// One that is changed after its end.
    pub(super) fn ended(fulfilment: Fulfilment) -> Self {
        let order_state = Some(fulfilment.order_state());
        Self { order_state, was_ended: true, ..Self::new(fulfilment) }
    }
}
