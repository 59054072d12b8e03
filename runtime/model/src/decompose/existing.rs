//! The existing instances that an order is about: what they are made of, who uses and needs them,
//! and whether they may be changed now.

mod gather;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

pub(super) use self::gather::{gather, gather_from};
use super::{Answers, Blocked, Instance, InstanceLookup, rejected};
use crate::codes::FailureCode;
use crate::fulfilment::Fulfilment;
use crate::id::{InstanceId, ItemId};
use crate::installed::{Installed, ORDERED};
use crate::order::{Form, Line, Order};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Item, Level, root_of};
use tmf::document::Characteristics;

/// An installed instance, and the item of the fulfilment that made it what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct PriorItem<'a> {
    pub id: &'a InstanceId,
    pub document: &'a Value,
    pub installed: &'a Installed,
    pub owner: &'a Fulfilment,
}

/// What a line wants of an instance.
#[derive(Debug)]
pub(super) struct ExistingLine<'a> {
    pub known: PriorItem<'a>,
    /// Its characteristics when the line is done.
    pub characteristics: Cow<'a, Characteristics>,
    /// Whether the rules are asked again what it becomes.
    pub is_changed: bool,
    /// The state that is wanted, where it is another.
    pub wanted: Option<&'a str>,
}

/// The instances of an order's lines, by their positions. They are known: [`gather`] comes first.
pub(super) fn find<'a>(
    order: &'a Order,
    answers: &'a Answers,
) -> Result<BTreeMap<usize, ExistingLine<'a>>, Blocked> {
    let mut found = BTreeMap::new();
    for (index, line) in order.lines.iter().enumerate() {
        let id = match (line.action, &line.instance) {
            (Action::Add, _) | (Action::NoChange, None) => continue,
            (Action::Modify | Action::Delete | Action::NoChange, Some(id)) => id,
            (Action::Modify | Action::Delete, None) => {
                let message = format!(
                    "item `{}`: `{}` names no instance: what is it about?",
                    line.id,
                    line.action.as_str()
                );
                return Err(rejected(FailureCode::InstanceMissing, message));
            }
        };
        if line.action == Action::NoChange {
            // What is not ours may be named for its relations.
            if let Ok(known) = PriorItem::find(order.level, id, answers) {
                found.insert(index, known.as_it_is());
            }
            continue;
        }
        let known =
            PriorItem::find(order.level, id, answers).map_err(|stop| at(order, line, stop))?;
        found.insert(index, known.wanted_by(line)?);
    }
    Ok(found)
}

/// A refusal of the instance of a line, with the attribute that names it.
fn at(order: &Order, line: &Line, stop: Blocked) -> Blocked {
    match stop {
        Blocked::Failure(failure) if failure.attribute.is_none() => {
            let subject = Form::of(order.level).subject();
            Blocked::Failure(failure.about(format!("{}.{subject}.id", line.path)))
        }
        Blocked::Failure(_) | Blocked::Questions(_) | Blocked::Lookups(_) => stop,
    }
}

/// The order with what its lines need not say, since it is known.
pub(super) fn complete<'a>(
    order: &'a Order,
    existing: &BTreeMap<usize, ExistingLine<'_>>,
) -> Cow<'a, Order> {
    let mut order = Cow::Borrowed(order);
    for (index, existing) in existing {
        let (line, item) = (&mut order.to_mut().lines[*index], existing.known.item());
        // What ends, or stays as it is, is what it is, whatever the line has.
        if matches!(line.action, Action::Delete | Action::NoChange) {
            (line.offering, line.spec, line.place) = (None, None, None);
        }
        line.offering = line.offering.take().or_else(|| item.offering.clone());
        line.spec = line
            .spec
            .take()
            .or_else(|| Some(item.spec.clone()))
            .filter(|spec| !spec.as_str().is_empty());
        line.characteristics.clone_from(&existing.characteristics);
        line.quantity = item.quantity;
        line.place = line.place.take().or_else(|| item.place.clone());
    }
    order
}

/// An instance that is installed; `None` if it is not. It is known: [`gather`] comes first.
pub(super) fn installed<'a>(id: &InstanceId, answers: &'a Answers) -> Option<PriorItem<'a>> {
    let recall = InstanceLookup::of(id);
    let instance = answers.instances.get(&recall)?.as_ref()?;
    known(instance)
}

fn known(instance: &Instance) -> Option<PriorItem<'_>> {
    let (record, owner) = (instance.installed.as_ref()?, instance.owner.as_deref()?);
    owner.plan().items.get(record.item.index())?;
    Some(PriorItem { id: &instance.id, document: &instance.document, installed: record, owner })
}

/// Whether an instance is suspended, as its document has it.
pub(super) fn is_suspended(id: &InstanceId, answers: &Answers) -> bool {
    let recall = InstanceLookup::of(id);
    let instance = answers.instances.get(&recall).and_then(Option::as_ref);
    instance.is_some_and(|instance| matches!(state(&instance.document), "suspended" | "inactive"))
}

impl<'a> PriorItem<'a> {
    /// Finds an instance that may be changed now.
    fn find(level: Level, id: &str, answers: &'a Answers) -> Result<Self, Blocked> {
        let resource = level.inventory();
        let recall = InstanceLookup { resource: resource.into(), id: id.into() };
        let Some(instance) = answers.instances.get(&recall).and_then(Option::as_ref) else {
            let message = format!("the inventory has no {resource} `{id}`");
            return Err(rejected(FailureCode::InstanceUnknown, message));
        };
        if let Some(open) = &instance.open {
            let message = format!(
                "the {resource} `{id}` is being changed by {open}: order this when that has ended"
            );
            return Err(rejected(FailureCode::InstanceBusy, message));
        }
        let state = state(&instance.document);
        if matches!(state, "pendingActive" | "pendingTerminate") {
            let message = format!(
                "the {resource} `{id}` is `{state}`, another order is changing it: order this when \
                 that has ended"
            );
            return Err(rejected(FailureCode::InstanceBusy, message));
        }
        if !matches!(state, "active" | "suspended" | "inactive" | "reserved") {
            let message = format!(
                "the {resource} `{id}` is `{state}`, and only what is in use can be changed or ended: \
                 order an `add` of another"
            );
            return Err(rejected(FailureCode::InstanceState, message));
        }
        let Some(known) = known(instance) else {
            if let Some(maker) = instance.part_of.as_ref() {
                return Err(part(resource, id, maker.as_str()));
            }
            let message = format!("no order of ours made the {resource} `{id}`: change it by hand");
            return Err(Blocked::Failure(super::rule_failure(
                FailureCode::InstanceForeign,
                message,
            )));
        };
        let is_line = level == Level::Product || known.is_ordered();
        if !is_line {
            return Err(part(resource, id, known.maker()));
        }
        Ok(known)
    }

    /// The item.
    pub(super) fn item(&self) -> &'a Item {
        &self.owner.plan().items[self.installed.item.index()]
    }

    /// The state that its document has.
    pub(super) fn state(&self) -> &'a str {
        state(self.document)
    }

    /// Those that use it.
    pub(super) fn users(&self) -> impl Iterator<Item = &'a InstanceId> + use<'a> {
        self.installed.users.keys()
    }

    /// Whether it was ordered by itself.
    pub(super) fn is_ordered(&self) -> bool {
        self.users().any(|user| user.as_str() == ORDERED)
    }

    /// What it is made of, by the plan that made it so: products that it bundles, and services and
    /// resources. Some may have ceased since.
    pub(super) fn parts(&self) -> impl Iterator<Item = InstanceId> + use<'a> {
        self.there(self.owner.children_of(self.installed.item))
    }

    /// What was delivered before it, since it stands on that.
    pub(super) fn needs(&self) -> impl Iterator<Item = InstanceId> + use<'a> {
        self.there(self.item().needs.iter().copied())
    }

    /// The product, or the line of another order, whose characteristics its steps read.
    pub(super) fn read_from(&self) -> InstanceId {
        let root = root_of(&self.owner.plan().items, self.installed.item);
        self.owner.instance_of(root)
    }

    /// The instances of items of its owner that have not ceased.
    fn there<I>(&self, items: I) -> impl Iterator<Item = InstanceId> + use<'a, I>
    where
        I: Iterator<Item = ItemId>,
    {
        let owner = self.owner;
        let there = items.filter(|id| owner.plan().items[id.index()].action != Action::Delete);
        there.map(|id| owner.instance_of(id))
    }

    fn maker(&self) -> &'a str {
        self.item()
            .origin
            .as_ref()
            .map_or_else(|| self.owner.id(), |origin| &origin.fulfilment)
            .as_str()
    }

    /// The instance as a line that changes nothing has it.
    fn as_it_is(self) -> ExistingLine<'a> {
        let characteristics = Cow::Borrowed(&self.item().characteristics);
        ExistingLine { known: self, characteristics, is_changed: false, wanted: None }
    }

    fn wanted_by(self, line: &'a Line) -> Result<ExistingLine<'a>, Blocked> {
        if line.action != Action::Modify {
            return Ok(self.as_it_is());
        }
        let before = &self.item().characteristics;
        let mut characteristics = before.clone();
        characteristics.extend_from(&line.characteristics);
        let wanted = line.state.as_deref().filter(|wanted| *wanted != self.state());
        if let Some(wanted) = wanted {
            self.may_become(wanted).map_err(|message| {
                let form = Form::of(self.item().level);
                let name = form.state().unwrap_or("state");
                let path = format!("{}.{}.{name}", line.path, form.subject());
                let failure = Failure::new(
                    FailureClass::Reject,
                    FailureCode::InstanceState,
                    format!("{path}: {message}"),
                );
                Blocked::Failure(failure.about(path))
            })?;
        }
        self.check_quantity(line)?;
        let moves = line.place.is_some() && line.place != self.item().place;
        let is_changed = characteristics != *before || moves;
        let characteristics = Cow::Owned(characteristics);
        Ok(ExistingLine { known: self, characteristics, is_changed, wanted })
    }

    /// A product keeps its quantity.
    fn check_quantity(&self, line: &Line) -> Result<(), Blocked> {
        let own = self.item().quantity;
        if !line.is_counted || self.item().level != Level::Product || line.quantity == own {
            return Ok(());
        }
        let path = format!("{}.quantity", line.path);
        let message = format!(
            "{path}: is {}, and the product is {own}: `add` a product for more, or `delete` it",
            line.quantity
        );
        let failure = Failure::new(FailureClass::Reject, FailureCode::QuantityFixed, message);
        Err(Blocked::Failure(failure.about(path)))
    }

    /// Whether an order may bring it into a state.
    pub(super) fn may_become(&self, wanted: &str) -> Result<(), String> {
        let may = matches!(
            (self.state(), wanted),
            ("active", "suspended" | "inactive") | ("suspended" | "inactive", "active")
        );
        if may {
            return Ok(());
        }
        Err(format!(
            "what is `{}` cannot become `{wanted}`: what is active can be suspended, what is \
             suspended can be active, and an end is ordered by a `delete`",
            self.state()
        ))
    }
}

fn part(resource: &str, id: &str, maker: &str) -> Blocked {
    let message = format!(
        "the {resource} `{id}` is a part of what order `{maker}` made: order a change of that"
    );
    rejected(FailureCode::InstancePart, message)
}

fn state(document: &Value) -> &str {
    let state = |name: &str| document.get(name).and_then(Value::as_str);
    state("status")
        .or_else(|| state("state"))
        .or_else(|| state("resourceStatus"))
        .unwrap_or_default()
}
