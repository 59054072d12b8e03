//! Makes orders: plans of every shape and policy, drawn from a seed.

use std::sync::Arc;

use model::Kind;
use model::plan::{Item, Level, OnFailure, Retry, Step, Task, Work};
use model::{
    Digest, Event, Failure, FailureClass, Fulfilment, FulfilmentId, ItemId, Plan, PluginId, SpecId,
    TaskId,
};
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::SimEvent;
use super::dice::Dice;

/// An order that a client sends, perhaps more than once.
#[derive(Debug)]
pub(super) struct Order {
    /// Which one it is.
    pub number: usize,
    /// Its kind.
    pub kind: Kind,
    /// The order as it came.
    pub document: Value,
    /// The events of its submission.
    pub events: Vec<Event>,
    /// The client's idempotency key.
    pub submission: Option<String>,
    /// When it is sent; more than one where the client is impatient.
    pub sent_at: Vec<Timestamp>,
    /// When its client cancels it.
    pub cancelled_at: Vec<Timestamp>,
    /// When a client changes its attributes.
    pub patched_at: Vec<Timestamp>,
    /// When a client orders a change of its instances.
    pub changed_at: Vec<Timestamp>,
    /// Whether it changes the instances of another.
    pub is_change: bool,
}

/// The plugins of the simulation; the digest stands for the effects of each.
pub(super) const PLUGINS: [(&str, &str); 4] =
    [("compute", "pure"), ("allocate", "pure"), ("element", "external"), ("missing", "missing")];

/// The times of an event, and its name.
type Wish<'a> = (&'a [Timestamp], &'a str, fn(usize) -> SimEvent);

impl Order {
    /// Draws one.
    pub(super) fn draw(seed: u64, number: usize) -> Self {
        let mut dice = Dice::named(seed, &format!("order {number}"));
        let start = Timestamp(1_000_000 + i64::try_from(dice.below(60)).unwrap());
        let kind =
            if dice.one_in(3) { Kind::Run { workflow: "play".into() } } else { Kind::ProductOrder };
        let events = match dice.below(40) {
            0 => vec![Event::Held { failure: Self::failure() }],
            1 => vec![Event::Rejected { failure: Self::failure() }],
            _ => vec![Event::Planned { plan: Arc::new(plan(&mut dice, &kind, start)) }],
        };
        let submission = (!dice.one_in(4)).then(|| format!("client-key-{number}"));
        let mut sent_at = vec![start];
        if submission.is_some() && dice.one_in(2) {
            sent_at.push(start.plus_ms(dice.below(20)));
        }
        let document = json!({ "productOrderItem": [{ "id": "1", "product": {} }] });
        let mut dice = Dice::named(seed, &format!("wishes of order {number}"));
        let mut times = |most: u64| -> Vec<Timestamp> {
            (0..dice.below(most)).map(|_| start.plus_ms(dice.below(500))).collect()
        };
        let (cancelled_at, patched_at) = (times(3), times(4));
        let changed_at = (0..dice.below(4)).map(|_| start.plus_ms(100 + dice.below(1_500)));
        Self {
            number,
            kind,
            document,
            events,
            submission,
            sent_at,
            cancelled_at,
            patched_at,
            changed_at: changed_at.collect(),
            is_change: false,
        }
    }

    /// What its client does, and when.
    pub(super) fn wishes(&self) -> Vec<(Timestamp, String, SimEvent)> {
        let order = self.number;
        let wishes: [Wish<'_>; 4] = [
            (&self.sent_at, "sent", |order| SimEvent::Sent { order }),
            (&self.cancelled_at, "cancelled", |order| SimEvent::Cancelled { order }),
            (&self.patched_at, "patched", |order| SimEvent::Patched { order }),
            (&self.changed_at, "changed", |order| SimEvent::Changed { order }),
        ];
        let happens = wishes.into_iter().flat_map(|(times, name, event)| {
            times.iter().map(move |at| (*at, format!("{name} {order}"), event(order)))
        });
        happens.collect()
    }

    /// The fulfilment that sending it makes; each sending has an id of its own.
    pub(super) fn fulfilment(&self, sending: u32, now: Timestamp) -> Fulfilment {
        let id = FulfilmentId::new(format!("f{}-{sending}", self.number));
        // The client read the clock a little before the engine does.
        let at = Timestamp(now.0 - 3);
        Fulfilment::new(id, self.kind.clone(), self.document.clone(), at)
    }

    fn failure() -> Failure {
        Failure::new(FailureClass::Reject, "NO_RULE", "no rule matches")
    }
}

fn plan(dice: &mut Dice, kind: &Kind, start: Timestamp) -> Plan {
    let count = usize::try_from(dice.between(1, 12)).unwrap();
    let items = if matches!(kind, Kind::Run { .. }) { Vec::new() } else { items() };
    let density = dice.between(2, 5);
    let mut plan = Plan { items, ..Plan::default() };
    for (plugin, digest) in PLUGINS {
        plan.plugins.insert(PluginId::new(plugin), Digest::of(digest.as_bytes()));
    }
    let may_not_return = dice.one_in(3);
    for index in 0..count {
        plan.steps.push(step(dice, index, may_not_return));
        let needs = (0..index).filter(|_| dice.one_in(density)).map(TaskId::at).collect();
        let item = (!plan.items.is_empty() && !dice.one_in(4))
            .then(|| [ItemId(1), ItemId(2), ItemId(4)][usize::try_from(dice.below(3)).unwrap()]);
        let not_before = dice.one_in(8).then(|| start.plus_ms(dice.below(300)));
        plan.tasks.push(Task {
            item,
            step: u32::try_from(index).unwrap(),
            needs,
            not_before,
            work: Work::Do,
        });
    }
    plan
}

fn step(dice: &mut Dice, index: usize, may_not_return: bool) -> Step {
    let plugin = match dice.below(40) {
        0 => "missing",
        1..=12 => "compute",
        13..=22 => "allocate",
        _ => "element",
    };
    let input = match dice.below(30) {
        0 => json!({ "wrong": "=nothing.like.this" }),
        1..=8 => json!({ "key": "=task.key" }),
        _ => Value::Null,
    };
    Step {
        workflow: "play".into(),
        step: format!("t{index}"),
        plugin: PluginId::new(plugin),
        input,
        timeout_ms: 100,
        retry: Retry {
            attempts: u32::try_from(dice.between(1, 4)).unwrap(),
            first_ms: 40,
            max_ms: 90,
        },
        on_failure: if dice.one_in(2) { OnFailure::Hold } else { OnFailure::RollBack },
        undo: !dice.one_in(6),
        point_of_no_return: may_not_return && dice.one_in(5),
        milestone: None,
        expected_ms: None,
    }
}

/// A product and the two services that it is made of, and one that is made of one.
fn items() -> Vec<Item> {
    let item = |name: &str, level, parents| Item {
        parents,
        resources: vec![SpecId::new("RS-VALUE"), SpecId::new("RS-OTHER")],
        ..Item::new(level, SpecId::new(name), name)
    };
    let above = || vec![ItemId(0)];
    vec![
        item("1", Level::Product, Vec::new()),
        item("2", Level::ResourceService, above()),
        item("3", Level::ResourceService, above()),
        item("4", Level::Product, Vec::new()),
        item("5", Level::ResourceService, vec![ItemId(3)]),
    ]
}
