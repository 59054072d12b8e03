//! The effect of each attribute of an order: one table of everything that a client may send with TMF622,
//! 641 and 652, at the order, its items and the instance that an item is about. An attribute that is
//! accepted and then ignored would mislead, so each is acted on, refused, or kept and shown only.
//! Parsing refuses by the table, documents are written by it, and `docs/order-attributes.md` is made
//! from it.

mod check;
mod page;
mod product;
mod resource;
mod service;

pub(super) use check::check;
pub use check::fixed;
pub use page::page;

use super::Form;
use crate::plan::Action;

/// Where in an order an attribute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// At the top.
    Order,
    /// In an item.
    Item,
    /// In what an item is about: its product, service or resource.
    Instance,
}

/// The effect of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Something follows from it.
    Acts(&'static str),
    /// The inventory shows it when the item is delivered, as the order has it.
    Shown,
    /// It may have the value of the instance. Another value is refused: why, and what to do instead.
    Fixed(&'static str),
    /// It is refused: why, and what to do instead.
    Refused(&'static str),
    /// The order keeps it and shows it. Nothing follows.
    Stored,
    /// It follows from the work, whatever a client sends.
    Derived,
}

/// An attribute of an order.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Its effect if an item is added.
    pub add: Does,
    /// Its effect if an item is changed; to suspend and to resume are changes.
    pub modify: Does,
    /// Its effect if an item is deleted.
    pub delete: Does,
    /// Its effect if an item is named for its relations only.
    pub no_change: Does,
}

impl Attribute {
    /// Its effect under an action.
    pub fn does(&self, action: Action) -> Does {
        match action {
            Action::Add => self.add,
            Action::Modify => self.modify,
            Action::Delete => self.delete,
            Action::NoChange => self.no_change,
        }
    }
}

/// The attributes of a part of an order, in the order of the standard.
pub fn attributes(form: Form, part: Part) -> &'static [Attribute] {
    match (form, part) {
        (Form::ServiceOrder | Form::ServiceQualification, Part::Order) => service::ORDER,
        (Form::ServiceOrder | Form::ServiceQualification, Part::Item) => service::ITEM,
        (Form::ServiceOrder | Form::ServiceQualification, Part::Instance) => service::INSTANCE,
        (Form::ResourceOrder, Part::Order) => resource::ORDER,
        (Form::ResourceOrder, Part::Item) => resource::ITEM,
        (Form::ResourceOrder, Part::Instance) => resource::INSTANCE,
        (_, Part::Order) => product::ORDER,
        (_, Part::Item) => product::ITEM,
        (_, Part::Instance) => product::INSTANCE,
    }
}

/// The effect of an attribute under an action; `None` if no version of the standard has it.
pub fn does(form: Form, part: Part, name: &str, action: Action) -> Option<Does> {
    let known = attributes(form, part).iter().find(|attribute| attribute.name == name);
    known.map(|attribute| attribute.does(action))
}

/// Whether the inventory shows an attribute of an instance as the order has it. Extensions of the
/// standard belong to the instance too.
pub fn is_shown(form: Form, name: &str, action: Action) -> bool {
    let is_of_writing = matches!(name, "@referredType" | "@baseType" | "@schemaLocation" | "@type");
    match does(form, Part::Instance, name, action) {
        Some(Does::Shown) => true,
        Some(Does::Acts(_) | Does::Fixed(_) | Does::Refused(_) | Does::Stored | Does::Derived) => {
            false
        }
        None => !is_of_writing && matches!(action, Action::Add | Action::Modify),
    }
}

/// An attribute with the same effect under every action.
const fn always(name: &'static str, does: Does) -> Attribute {
    Attribute { name, add: does, modify: does, delete: does, no_change: does }
}

/// An attribute with an effect if an instance is delivered.
const fn delivered(name: &'static str, does: Does) -> Attribute {
    Attribute { name, add: does, modify: does, delete: Does::Stored, no_change: Does::Stored }
}

/// An attribute with an effect on a new instance; one that is there keeps its value.
const fn new(name: &'static str, add: Does, why: &'static str) -> Attribute {
    let modify = Does::Fixed(why);
    Attribute { name, add, modify, delete: Does::Stored, no_change: Does::Stored }
}

/// The end of an instance: it is ordered by a delete.
const fn end(name: &'static str) -> Attribute {
    let why = "an instance ends by an order: send a `delete` with this date";
    let delete = Does::Acts("the instance is there until then, and ends no earlier");
    let (add, modify) = (Does::Refused(why), Does::Fixed(why));
    Attribute { name, add, modify, delete, no_change: Does::Stored }
}

/// The parties of an order.
const CUSTOMER: Attribute = delivered(
    "relatedParty",
    Does::Acts("the customer, whom rules and checks read; each new instance names these parties"),
);
const REQUESTED_START: Attribute = always(
    "requestedStartDate",
    Does::Acts(
        "nothing with an effect is done before it; one that passed more than a day ago is refused",
    ),
);
const REQUESTED_COMPLETION: Attribute = always(
    "requestedCompletionDate",
    Does::Acts(
        "the order tells when it will be late; a date before `requestedStartDate` is refused",
    ),
);
/// The orders that an order waits for.
const OTHER_ORDERS: Attribute = always(
    "orderRelationship",
    Does::Acts(
        "`dependency`, `reliesOn`, `dependsOn`, `requires`: the other order completes first",
    ),
);

const STARTED: &str = "it is the time of the delivery, which has passed: leave it out";
const NEW_START: Does = Does::Acts("nothing is done for the item before it");
const KEPT_SPEC: &str =
    "an instance keeps what it is: end it with a `delete`, and `add` the other one";

#[cfg(test)]
mod tests;
