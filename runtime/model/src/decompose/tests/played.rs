//! Orders that are played to their ends, with what they leave in the inventories, so that other
//! orders can change that.

use std::sync::Arc;

use super::*;
use crate::documents::fulfilments_of;
use crate::expr::Expressions;
use crate::installed::INSTALLED;
use crate::journal::{Event, Kind};
use crate::outcome::Reservation;
use crate::plan::Work;
use crate::{Direction, Due, Fulfilment, FulfilmentId, PoolId, TaskId};
use tmf::time::Timestamp;

/// A rulebook and what was ordered by it so far.
pub(crate) struct Played {
    pub rulebook: Rulebook,
    pub fulfilments: BTreeMap<String, Arc<Fulfilment>>,
    pub documents: BTreeMap<(&'static str, String), Value>,
    /// What happened, in order.
    pub journal: Vec<(FulfilmentId, Event)>,
    taken: u64,
}

impl Played {
    pub(crate) fn new(rulebook: Rulebook) -> Self {
        let (fulfilments, documents) = (BTreeMap::new(), BTreeMap::new());
        Self { rulebook, fulfilments, documents, journal: Vec::new(), taken: 0 }
    }

    /// The plan of a product order, with what it asks for.
    pub(crate) fn plan(&self, document: &Value) -> Result<Plan, Blocked> {
        self.answered(&Order::parse(Level::Product, document).unwrap(), document)
    }

    /// The plan of an order, with what it asks for.
    pub(crate) fn answered(&self, order: &Order, document: &Value) -> Result<Plan, Blocked> {
        let mut answers = Answers::new();
        loop {
            match decompose(order, document, &self.rulebook, &answers) {
                Err(Blocked::Lookups(recalls)) => {
                    for recall in recalls {
                        let instance = self.recall(&recall);
                        answers.found(recall, instance);
                    }
                }
                other => return other,
            }
        }
    }

    pub(crate) fn recall(&self, recall: &InstanceLookup) -> Option<Instance> {
        let document = |resource: &str, id: &str| {
            let mut found = self.documents.iter();
            let found = found.find(|((other, own), _)| *other == resource && own == id);
            found.map(|(_, document)| document.clone())
        };
        let id = InstanceId::of(&recall.resource, &recall.id);
        let found = document(&recall.resource, &recall.id);
        let record = document(INSTALLED, id.as_str());
        if found.is_none() && record.is_none() {
            return None;
        }
        let mut instance = Instance::of(id, found.unwrap_or_default());
        let owned = |id: &FulfilmentId| Arc::clone(&self.fulfilments[id.as_str()]);
        instance.installed = record.map(|record| serde_json::from_value(record).unwrap());
        instance.owner = instance.installed.as_ref().map(|record| owned(&record.owner));
        if let Some(last) = fulfilments_of(&recall.resource, &instance.document).pop() {
            if !owned(&last).is_ended() {
                instance.open = Some(Changing::Order(last));
            } else if instance.installed.is_none() {
                instance.part_of = Some(last);
            }
        }
        Some(instance)
    }

    /// Submits an order; nothing of it is done.
    pub(crate) fn submit(&mut self, id: &str, document: &Value) -> Fulfilment {
        let plan = self.plan(document).unwrap_or_else(|stop| panic!("{id}: {stop:?}"));
        let at = Timestamp(1_000_000);
        let kind = Kind::ProductOrder;
        let id = FulfilmentId::new(id);
        let mut fulfilment = Fulfilment::new(id.clone(), kind.clone(), document.clone(), at);
        let document = Arc::new(document.clone());
        self.journal.push((id, Event::Submitted { kind, document, activation: None }));
        self.commit(&mut fulfilment, Event::Planned { plan: Arc::new(plan) });
        fulfilment
    }

    /// Submits an order, and everything of it succeeds.
    pub(crate) fn complete(&mut self, id: &str, document: &Value) -> Arc<Fulfilment> {
        let mut fulfilment = self.submit(id, document);
        self.finish(&mut fulfilment);
        Arc::clone(&self.fulfilments[id])
    }

    /// Everything that is due succeeds.
    pub(crate) fn finish(&mut self, fulfilment: &mut Fulfilment) {
        let now = Timestamp(i64::MAX);
        while let Some(due) = fulfilment.due_at(now).into_iter().next() {
            let event = match due {
                Due::Call { task, attempt, .. } | Due::Conclude { task, attempt, .. } => {
                    match fulfilment.direction(task) {
                        Direction::Forward => {
                            let (outputs, reservations) = self.task_output(fulfilment, task);
                            Event::Succeeded { task, attempt, outputs, reservations }
                        }
                        Direction::Backward => Event::Undone { task },
                    }
                }
                Due::End(end) => Event::Ended { end },
                Due::Expire { .. } | Due::Alert(_) => panic!("nothing waits"),
            };
            self.commit(fulfilment, event);
        }
    }

    /// Applies an event and takes over what it writes.
    pub(crate) fn commit(&mut self, fulfilment: &mut Fulfilment, event: Event) {
        let before = (!fulfilment.plan().items.is_empty()).then(|| fulfilment.order_state());
        fulfilment.apply(Timestamp(2_000_000), &event).unwrap();
        self.journal.push((fulfilment.id().clone(), event.clone()));
        let events = [event];
        fulfilment.recorded(Timestamp(2_000_000), &events);
        let changes = fulfilment.changes(&events, before);
        crate::documents::assert_parts(fulfilment, &events, before, &changes);
        for record in changes.installed {
            let key = (record.resource, record.id);
            match record.patch {
                Some(patch) => {
                    let is_whole = patch.get("id").is_some();
                    let kept = self.documents.contains_key(&key) || is_whole;
                    assert!(kept, "a change of a record that is gone: {key:?}");
                    let kept = self.documents.entry(key).or_insert_with(|| json!({}));
                    tmf::patch::merge(kept, &patch);
                }
                None => assert!(self.documents.remove(&key).is_some(), "{key:?} is there"),
            }
        }
        for document in changes.documents {
            let key = (document.resource, document.id);
            let kept = self.documents.entry(key).or_insert(Value::Null);
            match (kept.as_object_mut(), document.body) {
                (Some(kept), Value::Object(changes)) => kept.extend(changes),
                (_, body) => *kept = body,
            }
        }
        let id = fulfilment.id().to_string();
        self.fulfilments.insert(id, Arc::new(fulfilment.clone()));
    }

    /// What a step might yield: a value for whatever its input names.
    fn task_output(
        &mut self,
        fulfilment: &Fulfilment,
        task: TaskId,
    ) -> (Map<String, Value>, Vec<Reservation>) {
        if matches!(fulfilment.plan().task(task).work, Work::Undo(_)) {
            return (Map::new(), Vec::new());
        }
        let input = fulfilment.input(task, &mut Expressions::default());
        let input = input.unwrap_or_else(|failure| panic!("{failure:?}")).into_owned();
        if fulfilment.plan().step(task).plugin.as_str() == "noop" {
            return (input, Vec::new());
        }
        let mut outputs = Map::new();
        for name in input.get("outputs").and_then(Value::as_object).into_iter().flatten() {
            outputs.insert(name.0.clone(), json!(format!("{}-of-{task}", name.0)));
        }
        let one = [Value::Object(input.clone())];
        let many = input.get("take").and_then(Value::as_array);
        let takes = many.map_or(&one[..], Vec::as_slice);
        let mut reservations = Vec::new();
        for take in takes.iter().filter(|take| take.get("pool").is_some()) {
            self.taken += 1;
            let pool = take["pool"].as_str().unwrap();
            let name = take["name"].as_str().unwrap_or(pool);
            let value = format!("{pool}/{}", self.taken);
            outputs.insert(name.into(), json!(value));
            reservations.push(Reservation {
                pool: PoolId::new(pool),
                index: self.taken,
                value,
                resource: SpecId::new(pool),
                characteristic: name.into(),
                name: name.into(),
            });
        }
        (outputs, reservations)
    }
}
