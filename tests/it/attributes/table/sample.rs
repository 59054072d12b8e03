//! A value for an attribute: one that its shape allows, and that no server would come up with.

use model::order::Form;
use model::order::attributes::Part;
use serde_json::{Map, Value, json};
use tmf::shape::{Kind, Type, TypeSet};

/// Below this depth only what must be there is filled in.
const DEPTH: usize = 2;

/// A value of an attribute of an order, which is another than the instance has.
pub(super) fn of(form: Form, part: Part, name: &str, own: &Value) -> Value {
    let shape = shape(form, part);
    let object = TypeSet::V4.object(shape).unwrap();
    let attribute = object.attribute(name);
    let attribute = attribute.unwrap_or_else(|| panic!("`{shape}` has no attribute `{name}`"));
    match attribute.kinds[0] {
        Kind::One(Type::Boolean) => (own != true).into(),
        Kind::One(Type::Choice(choice)) => {
            let mut values = TypeSet::V4.choice(choice).iter().rev();
            json!(values.find(|value| own != **value))
        }
        other => kind(other, name, 0),
    }
}

/// The shape of a part of an order.
fn shape(form: Form, part: Part) -> &'static str {
    match (form, part) {
        (Form::ServiceOrder, Part::Order) => "ServiceOrder",
        (Form::ServiceOrder, Part::Item) => "ServiceOrderItem",
        (Form::ServiceOrder, Part::Instance) => "ServiceRefOrValue",
        (Form::ResourceOrder, Part::Order) => "ResourceOrder",
        (Form::ResourceOrder, Part::Item) => "ResourceOrderItem",
        (Form::ResourceOrder, Part::Instance) => "ResourceRefOrValue",
        (_, Part::Order) => "ProductOrder",
        (_, Part::Item) => "ProductOrderItem",
        (_, Part::Instance) => "ProductRefOrValue",
    }
}

fn kind(kind: Kind, name: &str, depth: usize) -> Value {
    match kind {
        Kind::One(item) => one(item, name, depth),
        Kind::Many(item) => json!([one(item, name, depth)]),
    }
}

fn one(item: Type, name: &str, depth: usize) -> Value {
    match item {
        // Free text in one version is a choice in the other.
        Type::Any | Type::String if ["op", "orderItemAction"].contains(&name) => json!("add"),
        Type::Any | Type::String => json!(format!("{name} as sent")),
        Type::Integer => json!(7),
        Type::Number => json!(7.5),
        Type::Boolean => json!(false),
        Type::DateTime => json!("2931-05-06T07:08:09.000Z"),
        Type::Date => json!("2931-05-06"),
        Type::Uri => json!("https://example.com/sent"),
        Type::Base64 => json!("c2VudA=="),
        Type::Fields => json!({ "sent": true }),
        Type::Choice(choice) => json!(TypeSet::V4.choice(choice).first()),
        Type::Object(shape) => object(shape, depth + 1),
    }
}

/// An object with what must be there, in either version, and its plain attributes.
fn object(shape: &'static str, depth: usize) -> Value {
    if shape == "IntentRefOrValue" {
        return json!({ "id": "intent as sent", "name": "intent as sent" });
    }
    // Version 5 has in place what version 4 nests.
    if shape == "ProductRelationship" {
        return json!({ "relationshipType": "as sent", "product": { "id": "as sent" } });
    }
    let known = TypeSet::V4.alternatives(shape)[0];
    let mut fields = Map::new();
    for attribute in &TypeSet::V4.object(known).unwrap().attributes {
        let is_object = attribute.kinds[0].item().object().is_some();
        // What version 5 nests stands in place in version 4.
        let is_later =
            TypeSet::V5(622).attributes(known, attribute.name).any(|later| later.required)
                && !(is_object && shape.starts_with("Related"));
        // A text in one version, and an object in the other.
        let is_schema = attribute.name.starts_with("target");
        let is_plain = !is_object && attribute.name != "href" && !is_schema;
        if attribute.required || is_later || (is_plain && depth < DEPTH) {
            let value = kind(attribute.kinds[0], attribute.name, depth);
            fields.insert(attribute.name.into(), value);
        }
    }
    Value::Object(fields)
}
