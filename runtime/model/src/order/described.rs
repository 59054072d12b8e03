//! The treatment of each attribute of an order, in the schemas of requests: the table of attributes
//! (`order::attributes`) as `x-order`, with the reasons as the description.

use std::collections::BTreeMap;

use crate::fulfilment::may_change;
use crate::order::Form;
use crate::order::attributes::{Attribute, Part, attributes};
use crate::plan::Action;
use tmf::openapi::{Note, Notes};
use tmf::shape::TypeSet;
use tmf::version::kept_name;

/// The extension that holds what each action does with an attribute.
pub const EXTENSION: &str = "x-order";

/// Describes orders in OpenAPI.
pub struct OrderNotes;

impl Notes for OrderNotes {
    fn describe(&self, types: TypeSet, shape: &'static str, name: &str) -> Option<Note> {
        let attribute = attribute(types, shape, part_of(types, shape)?, name)?;
        let why = attribute.reasons();
        let description = format!("In an order: {}", why.join("; "));
        Some(Note {
            extension: EXTENSION,
            words: words(attribute),
            description: (!why.is_empty()).then_some(description),
        })
    }

    fn may_change(&self, attribute: &str) -> bool {
        may_change(attribute)
    }
}

/// The row of the table for an attribute, by its name in a version.
fn attribute(
    types: TypeSet,
    shape: &'static str,
    (form, part): (Form, Part),
    name: &str,
) -> Option<&'static Attribute> {
    let kept = kept_name(types, shape, name);
    let name = kept.as_deref().unwrap_or(name);
    attributes(form, part).iter().find(|attribute| attribute.name == name)
}

/// The part of an order that a shape describes.
fn part_of(types: TypeSet, shape: &str) -> Option<(Form, Part)> {
    let is_later = |api: u16| types == TypeSet::V5(api);
    Some(match shape {
        "ProductOrder" => (Form::ProductOrder, Part::Order),
        "ProductOrderItem" => (Form::ProductOrder, Part::Item),
        "ProductRefOrValue" if types == TypeSet::V4 => (Form::ProductOrder, Part::Instance),
        "Product" if is_later(622) => (Form::ProductOrder, Part::Instance),
        "ServiceOrder" => (Form::ServiceOrder, Part::Order),
        "ServiceOrderItem" => (Form::ServiceOrder, Part::Item),
        "ServiceRefOrValue" if types == TypeSet::V4 => (Form::ServiceOrder, Part::Instance),
        "Service" if is_later(641) => (Form::ServiceOrder, Part::Instance),
        "ResourceOrder" => (Form::ResourceOrder, Part::Order),
        "ResourceOrderItem" => (Form::ResourceOrder, Part::Item),
        "ResourceRefOrValue" if types == TypeSet::V4 => (Form::ResourceOrder, Part::Instance),
        _ => return None,
    })
}

/// What each action does with an attribute.
fn words(attribute: &Attribute) -> BTreeMap<&'static str, &'static str> {
    let actions = [Action::Add, Action::Modify, Action::Delete, Action::NoChange];
    actions.map(|action| (action.as_str(), attribute.does(action).word())).into()
}

#[cfg(test)]
mod tests;
