//! The existing instances that an order is about: what they are, who made them, and whether they may
//! be changed now.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Answers, Instance, Recall, Stop};
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::ItemId;
use crate::journal::End;
use crate::order::{Line, Order};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Item, Level};

/// An instance, and the item of the fulfilment that made it what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub document: &'a Value,
    pub owner: &'a Fulfilment,
    pub item: ItemId,
}

/// What a line wants of an instance.
#[derive(Debug)]
pub(super) struct Existing<'a> {
    pub known: Known<'a>,
    /// Its characteristics when the line is done.
    pub characteristics: Map<String, Value>,
    /// Whether any of them is another.
    pub is_changed: bool,
    /// The state that is wanted, where it is another.
    pub wanted: Option<String>,
}

impl Existing<'_> {
    /// Whether the rules are asked again what it becomes.
    pub(super) fn is_decomposed(&self) -> bool {
        self.is_changed
    }
}

/// The instances that an order is about for certain, to be known before it is decomposed: asking for
/// one after the other would decompose it as often.
pub fn recalls(order: &Order) -> Vec<Recall> {
    let changed = |line: &&Line| matches!(line.action, Action::Modify | Action::Delete);
    let ids = order.lines.iter().filter(changed).filter_map(|line| line.instance.clone());
    ids.map(|id| Recall { resource: resource(order.level), id }).collect()
}

/// The instances of an order's lines, by their positions.
pub(super) fn find<'a>(
    order: &Order,
    answers: &'a Answers,
) -> Result<BTreeMap<usize, Existing<'a>>, Stop> {
    let mut found = BTreeMap::new();
    for (index, line) in order.lines.iter().enumerate() {
        let id = match (line.action, &line.instance) {
            (Action::Add | Action::NoChange, _) => continue,
            (Action::Modify | Action::Delete, Some(id)) => id,
            (Action::Modify | Action::Delete, None) => {
                let message = format!(
                    "item `{}`: `{}` names no instance: what is it about?",
                    line.id,
                    line.action.as_str()
                );
                return Err(rejected("INSTANCE_MISSING", message));
            }
        };
        let known = Known::find(order.level, id, answers)?;
        found.insert(index, known.wanted_by(line)?);
    }
    Ok(found)
}

/// The order with what its lines need not say, since it is known.
pub(super) fn complete(order: &Order, existing: &BTreeMap<usize, Existing<'_>>) -> Order {
    let mut order = order.clone();
    for (index, existing) in existing {
        let (line, item) = (&mut order.lines[*index], existing.known.item());
        line.offering = line.offering.take().or_else(|| item.offering.clone());
        line.spec = line
            .spec
            .take()
            .or_else(|| Some(item.spec.clone()))
            .filter(|spec| !spec.as_str().is_empty());
        line.characteristics.clone_from(&existing.characteristics);
        line.place = line.place.take().or_else(|| item.place.clone());
    }
    order
}

impl<'a> Known<'a> {
    /// Finds an instance that may be changed now.
    pub(super) fn find(level: Level, id: &str, answers: &'a Answers) -> Result<Self, Stop> {
        let instance = recall(level, id, answers)?;
        let (resource, document) = (resource(level), &instance.document);
        if let Some(open) = instance.makers.iter().find(|maker| !maker.is_ended()) {
            return Err(busy(resource, id, open));
        }
        let state = state(document);
        if !matches!(state, "active" | "suspended" | "inactive" | "reserved") {
            let message = format!("the {resource} `{id}` is `{state}`");
            return Err(rejected("INSTANCE_STATE", message));
        }
        let mut makers = instance.makers.iter().rev();
        let completed = |maker: &&std::sync::Arc<Fulfilment>| {
            matches!(maker.phase, Phase::Ended(End::Completed, _))
        };
        let Some(owner) = makers.find(completed) else {
            let message = format!("no order of ours made the {resource} `{id}`: change it by hand");
            return Err(Stop::Failure(super::rule_failure("INSTANCE_FOREIGN", message)));
        };
        let Some(item) = line_of(owner, level, id, document) else {
            let message = format!(
                "the {resource} `{id}` is a part of what order `{}` made: order a change of that",
                owner.id
            );
            return Err(rejected("INSTANCE_PART", message));
        };
        Ok(Self { document, owner, item })
    }

    /// The item.
    pub(super) fn item(&self) -> &'a Item {
        &self.owner.plan.items[self.item.index()]
    }

    /// The state that its document says.
    pub(super) fn state(&self) -> &'a str {
        state(self.document)
    }

    fn wanted_by(self, line: &Line) -> Result<Existing<'a>, Stop> {
        let before = &self.item().characteristics;
        let mut characteristics = before.clone();
        if line.action == Action::Modify {
            characteristics.extend(line.characteristics.clone());
        }
        let wanted = line.state.clone().filter(|_| line.action == Action::Modify);
        let wanted = wanted.filter(|wanted| wanted != self.state());
        if let Some(wanted) = &wanted {
            let may = matches!(
                (self.state(), wanted.as_str()),
                ("active", "suspended" | "inactive") | ("suspended" | "inactive", "active")
            );
            if !may {
                let message = format!(
                    "item `{}`: what is `{}` cannot become `{wanted}`",
                    line.id,
                    self.state()
                );
                return Err(rejected("INSTANCE_STATE", message));
            }
        }
        let is_changed = characteristics != *before;
        Ok(Existing { known: self, characteristics, is_changed, wanted })
    }
}

/// Whether an instance is there no more; an answer of its own where that is being decided.
pub(super) fn has_ceased(level: Level, id: &str, answers: &Answers) -> Result<bool, Stop> {
    let recalled = Recall { resource: resource(level), id: id.into() };
    if let Some(None) = answers.instances.get(&recalled) {
        return Ok(true);
    }
    let instance = recall(level, id, answers)?;
    if let Some(open) = instance.makers.iter().find(|maker| !maker.is_ended()) {
        return Err(busy(resource(level), id, open));
    }
    Ok(matches!(state(&instance.document).trim(), "terminated" | "cancelled" | "aborted"))
}

/// What the lines of orders of a level are about.
fn resource(level: Level) -> &'static str {
    match level {
        Level::Product => "product",
        Level::CustomerService | Level::ResourceService => "service",
        Level::Resource => "resource",
    }
}

fn recall<'a>(level: Level, id: &str, answers: &'a Answers) -> Result<&'a Instance, Stop> {
    let recall = Recall { resource: resource(level), id: id.into() };
    match answers.instances.get(&recall) {
        Some(Some(instance)) => Ok(instance),
        Some(None) => {
            let message = format!("the inventory has no {} `{id}`", recall.resource);
            Err(rejected("INSTANCE_UNKNOWN", message))
        }
        None => Err(Stop::Recall(recall)),
    }
}

fn state(document: &Value) -> &str {
    let says = |name: &str| document.get(name).and_then(Value::as_str);
    says("status").or_else(|| says("state")).or_else(|| says("resourceStatus")).unwrap_or_default()
}

/// The line of a fulfilment's order that an instance is, which other orders can be about.
fn line_of(owner: &Fulfilment, level: Level, id: &str, document: &Value) -> Option<ItemId> {
    let is_it = |item: &Item| match level {
        Level::Product => owner.product_id(item) == id,
        Level::CustomerService | Level::ResourceService => owner.service_id(item) == id,
        Level::Resource => {
            let link = document.get("resourceOrderItem").and_then(|links| links.as_array()?.last());
            let line = link.and_then(|link| link.get("itemId")?.as_str());
            line == Some(item.line.as_str())
        }
    };
    let is_there =
        |item: &Item| item.action != Action::Delete && owner.is_line(item) && is_it(item);
    owner.plan.items.iter().position(is_there).map(ItemId::at)
}

fn busy(resource: &str, id: &str, open: &Fulfilment) -> Stop {
    let message = format!(
        "the {resource} `{id}` is being changed by order `{}`: order this when that has ended",
        open.id
    );
    rejected("INSTANCE_BUSY", message)
}

pub(super) fn rejected(code: &str, message: String) -> Stop {
    Stop::Failure(Failure::new(FailureClass::Reject, code, message))
}
