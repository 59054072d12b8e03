//! Generates modify and terminate orders on existing instances. The plans have the shape that
//! decomposition gives them.

use std::sync::Arc;

use model::documents::fulfilments_of;
use model::expr::Expressions;
use model::plan::{Action, PriorWork, Provenance, Step, Task, Work};
use model::{Digest, Event, Fulfilment, ItemId, Kind, Plan, PluginId, TaskId};
use serde_json::json;

use super::dice::Dice;
use super::orders::{Order, PLUGINS};
use super::{SimEvent, World};
use crate::documents::Document;
use crate::keys;
use crate::store::Store as _;

/// A product, with the fulfilments that made and changed it.
struct Instance<'a> {
    document: serde_json::Value,
    makers: Vec<&'a Fulfilment>,
}

/// The first product of an order, and what it is made of.
const PRODUCT_ITEMS: usize = 3;

impl World {
    /// A client orders a change of the instances of an order, if they exist and no one changes them already.
    pub(super) fn change(&mut self, order: usize) {
        let product = format!("{}-1", self.of_client(order));
        let Some(instance) = self.instance(&product).filter(|_| !self.changing) else {
            return;
        };
        let completed = |maker: &&&Fulfilment| maker.is_delivered(ItemId(0));
        let is_there = matches!(instance.document["status"].as_str(), Some("active"));
        let is_open = instance.makers.iter().any(|maker| !maker.is_ended());
        let Some(owner) = instance.makers.iter().rev().find(completed) else {
            return;
        };
        if !is_there || is_open {
            return;
        }
        let number = self.orders.len();
        let mut dice = Dice::named(self.scenario.seed, &format!("change {number}"));
        let plan = plan(&mut dice, owner, &instance, &product);
        let document = json!({ "productOrderItem": [{ "id": "1", "product": { "id": product } }] });
        self.orders.push(Order {
            number,
            kind: Kind::ProductOrder,
            document,
            events: vec![Event::Planned { plan: Arc::new(plan) }],
            submission: None,
            sent_at: Vec::new(),
            cancelled_at: Vec::new(),
            patched_at: Vec::new(),
            changed_at: Vec::new(),
            is_change: true,
        });
        self.clients.push((0, None));
        self.changing = true;
        if dice.one_in(3) {
            let at = self.now.plus_ms(dice.below(150));
            self.happens(at, format!("cancelled {number}"), SimEvent::Cancelled { order: number });
        }
        self.happen(SimEvent::Sent { order: number });
    }

    /// A product with the fulfilments that it names, as they are on the disk.
    fn instance(&self, product: &str) -> Option<Instance<'_>> {
        let kept = self.disk.store.get(&keys::document("product", product)).unwrap()?;
        let document = Document::read(&kept).unwrap().body;
        let makers = fulfilments_of("product", &document);
        let makers = makers.iter().map(|id| &self.disk.folds[id]).collect();
        Some(Instance { makers, document })
    }
}

fn plan(dice: &mut Dice, owner: &Fulfilment, instance: &Instance<'_>, product: &str) -> Plan {
    let ceases = dice.one_in(2);
    let mut plan = Plan::default();
    for (plugin, digest) in PLUGINS {
        plan.plugins.insert(PluginId::new(plugin), Digest::of(digest.as_bytes()));
    }
    for (index, before) in owner.plan().items.iter().take(PRODUCT_ITEMS).enumerate() {
        let mut item = before.clone();
        let mut origin = item.origin.take().unwrap_or_else(|| {
            Box::new(Provenance {
                fulfilment: owner.id().clone(),
                line: before.line.clone(),
                since: owner.ended_at().unwrap(),
                stays: false,
                dropped: Vec::new(),
                state: String::new(),
                wanted: None,
                links: Vec::new(),
                shown: Default::default(),
                made: Vec::new(),
            })
        });
        if index == 0 {
            item.instance = Some(product.into());
            origin.state = instance.document["status"].as_str().unwrap().into();
            origin.links = tmf::document::instance::links_of(&instance.document).unwrap();
        } else {
            item.instance = Some(owner.service_id(before));
        }
        origin.made.clear();
        item.action = if ceases { Action::Delete } else { Action::Modify };
        item.origin = Some(origin);
        plan.items.push(item);
    }
    // New work comes first, terminated work after all of it.
    let mut ceasing = Vec::new();
    for index in 1..plan.items.len() {
        let item = ItemId::at(index);
        let prior_work = owner.prior_work(item, &mut Expressions::default()).unwrap();
        for (step, made) in prior_work {
            match dice.below(4) {
                _ if ceases => ceasing.push((item, step, made)),
                0 => ceasing.push((item, step, made)),
                1 | 2 if made.reservations.is_empty() => {
                    add(&mut plan, item, step, made, Work::Modify);
                }
                _ => {
                    let step = position(&mut plan, step);
                    let origin = plan.items[index].origin.as_mut().unwrap();
                    origin.made.push(PriorWork { step, ..made });
                }
            }
        }
    }
    for (item, step, made) in ceasing.into_iter().rev() {
        add(&mut plan, item, step, made, Work::Undo);
    }
    plan
}

/// Adds a task after all that are there.
fn add(
    plan: &mut Plan,
    item: ItemId,
    step: Step,
    made: PriorWork,
    work: fn(Box<PriorWork>) -> Work,
) {
    let step = position(plan, step);
    let needs = plan.tasks.len().checked_sub(1).map(TaskId::at).into_iter().collect();
    let work = work(Box::new(PriorWork { step, ..made }));
    plan.tasks.push(Task { item: Some(item), step, needs, not_before: None, work });
}

fn position(plan: &mut Plan, step: Step) -> u32 {
    plan.steps.push(step);
    u32::try_from(plan.steps.len() - 1).unwrap()
}
