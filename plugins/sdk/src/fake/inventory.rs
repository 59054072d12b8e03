//! The inventory of the host of a test.

use serde_json::{Map, Value};

use super::with;
use crate::Failure;
use crate::bindings::step::ferrule::plugin::inventory::Condition;

/// Max documents that `find` gives.
const FOUND_MAX: usize = 100;

/// Max documents that `search` gives.
const SEARCHED_MAX: usize = 1_000;

pub(crate) fn get(kind: &str, id: &str) -> Result<Option<String>, Failure> {
    Ok(with(|host| host.documents.get(kind)?.get(id).map(Value::to_string)))
}

pub(crate) fn find(kind: &str, attribute: &str, value: &str) -> Result<Vec<String>, Failure> {
    let condition =
        Condition { attributes: vec![attribute.to_owned()], values: vec![value.to_owned()] };
    Ok(latest(kind, &[condition], FOUND_MAX).iter().map(Value::to_string).collect())
}

pub(crate) fn search(
    kind: &str,
    conditions: &[Condition],
    shown: &[String],
    limit: u32,
) -> Result<Vec<String>, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(SEARCHED_MAX);
    let found = latest(kind, conditions, limit);
    Ok(found.into_iter().map(|document| only(document, shown).to_string()).collect())
}

/// The documents that meet all conditions, those with the latest ids first.
fn latest(kind: &str, conditions: &[Condition], limit: usize) -> Vec<Value> {
    with(|host| {
        let documents = host.documents.get(kind).into_iter().flatten().rev();
        let meets = |document: &Value| conditions.iter().all(|one| is_met(one, document));
        let found = documents.map(|(_, document)| document).filter(|document| meets(document));
        found.take(limit).cloned().collect()
    })
}

fn is_met(condition: &Condition, document: &Value) -> bool {
    let mut paths = condition.attributes.iter();
    paths.any(|path| has_one_of(document, path, &condition.values))
}

/// Whether a dotted path leads to one of these values; lists on the way have one for each element.
fn has_one_of(value: &Value, path: &str, values: &[String]) -> bool {
    if let Value::Array(elements) = value {
        return elements.iter().any(|element| has_one_of(element, path, values));
    }
    if path.is_empty() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return values.contains(&text);
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    value.get(name).is_some_and(|value| has_one_of(value, rest, values))
}

/// The document with the named attributes only; all if none is named.
fn only(document: Value, shown: &[String]) -> Value {
    match document {
        Value::Object(attributes) if !shown.is_empty() => {
            let named = attributes.into_iter().filter(|(name, _)| shown.contains(name));
            Value::Object(named.collect::<Map<_, _>>())
        }
        other => other,
    }
}
