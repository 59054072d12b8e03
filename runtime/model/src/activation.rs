//! Services and resources that are activated directly (TMF640, 702): the order of one line that
//! carries a request out, by the same rules as any other.

use serde_json::{Map, Value, json};

use crate::order::Form;
use crate::plan::Action;

/// The id of the one line.
pub const LINE: &str = "1";

/// What of an instance follows from the work and the inventories, whatever a client says.
const DERIVED: [&str; 13] = [
    "id",
    "href",
    "state",
    "serviceDate",
    "isServiceEnabled",
    "serviceOrderItem",
    "serviceSpecification",
    "supportingService",
    "supportingResource",
    "resourceStatus",
    "usageState",
    "resourceOrderItem",
    "resourceSpecification",
];

/// What of an instance a line of an order says, besides its specification and characteristics.
const ORDERED: [&str; 8] =
    ["name", "description", "category", "serviceType", "state", "place", "relatedParty", "@type"];

/// The attributes of an instance in a request that no decision reads: the inventory shows them.
pub fn attributes(form: Form, instance: &Value) -> Map<String, Value> {
    let mut attributes = instance.as_object().cloned().unwrap_or_default();
    attributes
        .retain(|name, _| !DERIVED.contains(&name.as_str()) && name != form.characteristics());
    attributes
}

/// The order that activates a new instance.
pub fn add(form: Form, instance: &Value) -> Value {
    let mut line = line(form, instance);
    if let Some(characteristics) = instance.get(form.characteristics()) {
        line.insert(form.characteristics().into(), characteristics.clone());
    }
    order(form, Action::Add, line, instance)
}

/// The order that makes of an instance what it is to be; nothing where all that changes is what the
/// inventory alone knows. A characteristic that is not named stays as it is.
pub fn modify(form: Form, before: &Value, after: &Value) -> Option<Value> {
    let name = form.characteristics();
    let changed = changed(before.get(name), after.get(name));
    let state = form.state().filter(|state| before.get(*state) != after.get(*state));
    if changed.is_empty() && state.is_none() {
        return None;
    }
    if state.is_some_and(|state| after[state] == "terminated") {
        return Some(delete(form, before));
    }
    let mut line = line(form, after);
    line.insert("id".into(), before["id"].clone());
    line.insert(name.into(), Value::Array(changed));
    if let (None, Some(attribute)) = (state, form.state()) {
        line.remove(attribute);
    }
    Some(order(form, Action::Modify, line, after))
}

/// The order with which an instance ceases.
pub fn delete(form: Form, before: &Value) -> Value {
    order(form, Action::Delete, Map::from_iter([("id".into(), before["id"].clone())]), before)
}

/// What the line of an order says of an instance.
fn line(form: Form, instance: &Value) -> Map<String, Value> {
    let names = ORDERED.into_iter().chain([form.spec()]);
    let fields = names.filter_map(|name| Some((name.into(), instance.get(name)?.clone())));
    fields.collect()
}

fn order(form: Form, action: Action, instance: Map<String, Value>, from: &Value) -> Value {
    let mut item = json!({ "id": LINE, "action": action.as_str() });
    item[form.subject()] = Value::Object(instance);
    let mut order = Map::new();
    order.insert(form.items().into(), json!([item]));
    if let Some(parties) = from.get("relatedParty") {
        order.insert("relatedParty".into(), parties.clone());
    }
    Value::Object(order)
}

/// The characteristics that have another value, or are new.
fn changed(before: Option<&Value>, after: Option<&Value>) -> Vec<Value> {
    let entries = |list: Option<&Value>| list.and_then(Value::as_array).cloned();
    let before = entries(before).unwrap_or_default();
    let after = entries(after).unwrap_or_default();
    let is_known = |entry: &Value| {
        before
            .iter()
            .any(|known| known["name"] == entry["name"] && known["value"] == entry["value"])
    };
    after.into_iter().filter(|entry| !is_known(entry)).collect()
}

#[cfg(test)]
mod tests;
