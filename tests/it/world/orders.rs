//! Orders to send: those of the packs, and the examples that are not ours.

use std::path::Path;

use serde_json::Value;

use super::repository;

/// A time that is over: who waits for it waits no more.
pub(crate) const PAST: &str = "2020-01-01T00:00:00Z";

/// An order of a pack, such as `superfibre/gpon`, with dates in the past, so that it runs at once.
pub(crate) fn pack_order(name: &str) -> Value {
    let (pack, order) = name.split_once('/').expect("a pack and an order");
    let path = repository().join(format!("workflows/{pack}/orders/{order}.json"));
    at_once(read(&path))
}

/// The orders in a folder of a pack, each with its pack: `orders` or `orders/changes`.
pub(crate) fn orders_of(pack: &str, folder: &str) -> Vec<(String, String)> {
    let path = repository().join(format!("workflows/{pack}/{folder}"));
    let entries = std::fs::read_dir(path).into_iter().flatten();
    let names = entries.filter_map(|entry| {
        let path = entry.unwrap().path();
        let is_order = path.extension().is_some_and(|extension| extension == "json");
        is_order.then(|| path.file_stem().unwrap().to_str().unwrap().to_string())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.into_iter().map(|name| (pack.to_string(), name)).collect()
}

/// An example such as `01-superfibre-200/product-order.json`; `None` if the examples are not
/// on this machine.
pub(crate) fn example(name: &str) -> Option<Value> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/examples");
    if !examples.is_dir() {
        return skipped(name);
    }
    Some(at_once(read(&examples.join(name))))
}

#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn skipped(name: &str) -> Option<Value> {
    assert!(std::env::var_os("FERRULE_CI").is_none(), "the example `{name}` is missing");
    println!("skipped: the example `{name}` is not on this machine");
    None
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn at_once(mut order: Value) -> Value {
    with_characteristic(&mut order, "portWindow", &PAST.into());
    order
}

/// The order under an external id of its own.
pub(crate) fn fresh(order: &Value, external_id: &str) -> Value {
    let mut order = order.clone();
    order["externalId"] = external_id.into();
    order
}

/// Gives a characteristic another value, wherever the order has it.
pub(crate) fn with_characteristic(order: &mut Value, name: &str, value: &Value) {
    match order {
        Value::Object(fields) if fields.get("name").and_then(Value::as_str) == Some(name) => {
            fields.insert("value".into(), value.clone());
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| with_characteristic(field, name, value));
        }
        Value::Array(entries) => {
            entries.iter_mut().for_each(|entry| with_characteristic(entry, name, value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
