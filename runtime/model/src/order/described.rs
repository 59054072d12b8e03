//! What an order does with each attribute, in the schemas of what clients send: the table of
//! attributes (`order::attributes`) as `x-order`, with the reasons as the description.

use serde_json::{Map, Value, json};

use crate::fulfilment::may_change;
use crate::order::Form;
use crate::order::attributes::{Attribute, Part, attributes};
use crate::plan::Action;
use tmf::openapi::Notes;
use tmf::shape::TypeSet;
use tmf::version::kept_name;

/// The extension that holds what each action does with an attribute.
pub const EXTENSION: &str = "x-order";

/// Describes orders in OpenAPI.
pub struct OrderNotes;

impl Notes for OrderNotes {
    fn describe(&self, types: TypeSet, shape: &'static str, properties: &mut Map<String, Value>) {
        let Some((form, part)) = part_of(types, shape) else { return };
        for (name, schema) in properties.iter_mut().filter(|(name, _)| !name.starts_with('@')) {
            if let Some(attribute) = attribute(types, shape, (form, part), name) {
                add(attribute, schema);
            }
        }
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
fn extension(attribute: &Attribute) -> Value {
    let actions = [Action::Add, Action::Modify, Action::Delete, Action::NoChange];
    let words = actions.map(|action| (action.as_str(), attribute.does(action).word()));
    let words: Map<String, Value> =
        words.into_iter().map(|(action, word)| (action.to_string(), json!(word))).collect();
    Value::Object(words)
}

fn add(attribute: &Attribute, schema: &mut Value) {
    // What stands beside a reference is not read.
    if schema.get("$ref").is_some() {
        *schema = json!({ "allOf": [schema.take()] });
    }
    let Some(fields) = schema.as_object_mut() else { return };
    fields.insert(EXTENSION.into(), extension(attribute));
    let why = attribute.reasons();
    if !why.is_empty() {
        fields.insert("description".into(), format!("In an order: {}", why.join("; ")).into());
    }
}

#[cfg(test)]
mod tests;
