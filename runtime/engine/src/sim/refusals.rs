//! Events that no decision leads to, as a bug of ours would make them. The fulfilment is set aside,
//! nothing else is touched, and an operator readmits it when all else has come to rest.

use model::journal::End;
use model::{Event, Fulfilment, FulfilmentId, PoolId, TaskId};
use serde_json::{Map, json};

use super::{Asker, World};
use crate::core::tests::refused::written;
use crate::core::{After, Answer, Denied, Input, Step, read_sized};
use crate::keys;

impl World {
    /// Some fulfilment takes events of which one is refused.
    pub(super) fn refuse(&mut self) {
        let resting = self.core.in_memory().count();
        if resting == 0 || self.crashing {
            return;
        }
        let index = usize::try_from(self.dice.below(resting as u64)).unwrap();
        let open = self.core.in_memory().nth(index).expect("it rests").clone();
        let id = open.id();
        let before = self.core.others(id);
        let events = self.refused(&open);
        let legal = events.len() - 1;
        self.tell(|| format!("  {id} takes {events:?}"));
        let step = self.core.inject(self.now, id, events, Asker::Person);
        self.unanswered += 1;
        self.assert_set_aside(id, &step, legal);
        assert_eq!(self.core.others(id), before, "nothing but {id} is touched");
        self.refusals += 1;
        self.begin(step);
    }

    /// Events of which the last is refused, and some legal ones before it.
    fn refused(&mut self, open: &Fulfilment) -> Vec<Event> {
        let mut events = vec![Event::Patched { patch: Map::new() }];
        let waits: Vec<(TaskId, u32)> = open.waits().map(|(task, at, _)| (task, at)).collect();
        if let Some(&(task, attempt)) = waits.first() {
            events.push(Event::CalledBack { task, attempt, payload: json!({ "by": "a bug" }) });
        }
        let wrong = [
            Event::Undone { task: TaskId(99) },
            Event::Succeeded {
                task: TaskId(0),
                attempt: 99,
                outputs: Map::new(),
                reservations: self.reserved_in_vain(open),
            },
            Event::Started { task: TaskId(0), attempt: 77 },
            Event::Ended { end: End::Rejected },
        ];
        let kind = usize::try_from(self.dice.below(wrong.len() as u64)).unwrap();
        for (index, event) in wrong.into_iter().enumerate() {
            match (index == kind, event) {
                (true, event) => events.push(event),
                (false, Event::Succeeded { reservations, .. }) => {
                    reservations.iter().for_each(|reservation| {
                        self.pools.abandon_value(&reservation.pool, reservation.index);
                    });
                }
                (false, _) => {}
            }
        }
        let mut trial = open.clone();
        let refused = events.iter().position(|event| trial.apply(self.now, event).is_err());
        match refused {
            Some(index) => events.truncate(index + 1),
            // An order that is being rolled back may end as rejected.
            None => events.push(Event::Undone { task: TaskId(99) }),
        }
        events
    }

    /// A value that an attempt reserved, which its refused outcome would have recorded.
    fn reserved_in_vain(&self, open: &Fulfilment) -> Vec<model::Reservation> {
        let task = TaskId(98);
        let reservation = self.pools.reserve(open.id(), task, PoolId::new("vlan"), "vain");
        self.pools.finish(open.id(), task);
        reservation.into_iter().collect()
    }

    /// A refused step writes only the entry in the list of set-aside fulfilments, and answers.
    fn assert_set_aside(&self, id: &FulfilmentId, step: &Step<Asker>, legal: usize) {
        let (keys, documents) = written(step);
        assert_eq!(keys, [keys::quarantine(id.as_str())], "{legal} legal events are not recorded");
        assert_eq!(documents, [], "no document is written");
        assert!(step.now.is_empty(), "no plugin is called");
        for after in &step.commit.then {
            let is_denied =
                matches!(after, After::Reply(_, Answer::Denied(Denied::SetAside { .. })));
            assert!(is_denied, "askers are answered, and that is all");
        }
        assert!(!self.core.is_woken(id), "nothing wakes {id}, so the loop cannot spin");
    }

    /// An operator readmits all set-aside fulfilments; false if there are none.
    pub(super) fn readmit(&mut self) -> bool {
        let ids: Vec<FulfilmentId> = self.core.set_aside().map(|(id, _)| id.clone()).collect();
        for id in &ids {
            let read = read_sized(&self.disk.store, id).unwrap();
            let (fulfilment, bytes) = read.expect("it is on the disk");
            self.unanswered += 1;
            let fulfilment = Box::new(fulfilment);
            self.input(Input::Readmit { fulfilment, bytes, reply: Asker::Person });
        }
        !ids.is_empty()
    }
}
