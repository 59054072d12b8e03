//! Operations whose paths select entries of arrays by their content: as a JSONPath, as in
//! `$.note[?(@.author=='x')]`, or as a pointer through arrays with conditions, as in
//! `/productOrderItem/quantity?productOrderItem.id=2`. A condition is about an entry of the array
//! that its names lead to; if they lead to none, about the last array on the way; without an
//! array on the way, about the document.

use serde_json::Value;

use super::{Operation, Unresolved};
use crate::json_path::JsonPath;

/// Whether a path looks for places in the document.
pub(super) fn selects(path: &str) -> bool {
    is_json_path(path) || path.contains('?')
}

fn is_json_path(path: &str) -> bool {
    path.starts_with(['$', '.', '['])
}

/// The places of an operation as JSON pointers, in an order in which none moves another.
pub(super) fn places(document: &Value, operation: &Operation) -> Result<Vec<String>, Unresolved> {
    let Some(path) = operation.get("path").and_then(Value::as_str) else {
        return Err(Unresolved::Malformed("has no path"));
    };
    let adds = operation.get("op").is_some_and(|op| op == "add");
    let pointers = match path {
        _ if is_json_path(path) => {
            JsonPath::parse(path).map_err(Unresolved::Path)?.pointers(document)
        }
        _ if selects(path) => Query::parse(path)?.pointers(document),
        _ => vec![path.to_string()],
    };
    if pointers.is_empty() {
        return Err(Unresolved::NoTarget);
    }
    let at = |pointer: String| {
        let appends = adds && is_entry_for(document.pointer(&pointer), operation.get("value"));
        if appends { format!("{pointer}/-") } else { pointer }
    };
    // From the last to the first, so that no removal moves what is still to be removed.
    Ok(pointers.into_iter().rev().map(at).collect())
}

/// A value added to an array becomes an entry of it; an array replaces it.
fn is_entry_for(target: Option<&Value>, value: Option<&Value>) -> bool {
    target.is_some_and(Value::is_array) && !value.is_some_and(Value::is_array)
}

/// A pointer through arrays, with conditions.
struct Query<'a> {
    names: Vec<String>,
    conditions: Vec<Condition<'a>>,
}

struct Condition<'a> {
    names: Vec<&'a str>,
    value: &'a str,
}

/// An entry of an array on the way: how many names lead to the array, and the entry.
type Passed<'v> = (usize, &'v Value);

impl<'a> Query<'a> {
    fn parse(path: &'a str) -> Result<Self, Unresolved> {
        let (pointer, conditions) = path.split_once('?').unwrap_or((path, ""));
        let Some(pointer) = pointer.strip_prefix('/') else {
            return Err(Unresolved::Malformed("has a path that begins with no `/`"));
        };
        let names = pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
        let conditions: Option<Vec<Condition<'_>>> =
            conditions.split('&').map(Condition::parse).collect();
        let conditions = conditions.ok_or(Unresolved::Malformed("has a condition without `=`"))?;
        Ok(Self { names: names.collect(), conditions })
    }

    fn pointers(&self, document: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(document, document, 0, "", &mut Vec::new(), &mut found);
        found
    }

    fn walk<'v>(
        &self,
        document: &'v Value,
        value: &'v Value,
        depth: usize,
        pointer: &str,
        passed: &mut Vec<Passed<'v>>,
        found: &mut Vec<String>,
    ) {
        let name = self.names.get(depth);
        let through = match (value, name) {
            (Value::Array(_), Some(name)) => name.parse::<usize>().is_err(),
            (Value::Array(_), None) => self.is_about_entries(depth),
            _ => false,
        };
        if let (Value::Array(entries), true) = (value, through) {
            for (position, entry) in entries.iter().enumerate() {
                passed.push((depth, entry));
                self.walk(document, entry, depth, &format!("{pointer}/{position}"), passed, found);
                passed.pop();
            }
            return;
        }
        let Some(name) = name else {
            if self.conditions.iter().all(|condition| self.holds(condition, document, passed)) {
                found.push(pointer.to_string());
            }
            return;
        };
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{pointer}/{escaped}");
        let below = match value {
            Value::Object(fields) => fields.get(name.as_str()),
            Value::Array(entries) => name.parse::<usize>().ok().and_then(|at| entries.get(at)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        // A missing attribute may be added if its parent exists.
        let is_new = below.is_none() && depth + 1 == self.names.len() && value.is_object();
        match below {
            Some(below) => self.walk(document, below, depth + 1, &pointer, passed, found),
            None if is_new => self.walk(document, &Value::Null, depth + 1, &pointer, passed, found),
            None => {}
        }
    }

    /// Whether the condition at the end of a path is about the entries of an array, or names no
    /// attribute.
    fn is_about_entries(&self, depth: usize) -> bool {
        self.conditions.iter().any(|condition| {
            let leads_here = condition.leads_to(&self.names[..depth]);
            leads_here || condition.names.first().copied() != self.names.first().map(String::as_str)
        })
    }

    fn holds(&self, condition: &Condition<'_>, document: &Value, passed: &[Passed<'_>]) -> bool {
        let led = passed.iter().rev().find(|(depth, _)| condition.leads_to(&self.names[..*depth]));
        let is_absolute =
            condition.names.first().copied() == self.names.first().map(String::as_str);
        let (names, about) = match (led, passed.last()) {
            (Some((depth, entry)), _) => (&condition.names[*depth..], *entry),
            (None, Some((_, entry))) if !is_absolute => (&condition.names[..], *entry),
            (None, _) => (&condition.names[..], document),
        };
        has(about, names, condition.value)
    }
}

impl<'a> Condition<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (names, value) = text.split_once('=')?;
        let names = names.trim_start_matches('/').split(['/', '.']).collect();
        Some(Self { names, value: value.trim_matches('"') })
    }

    /// Whether its names begin with those of an array, and continue.
    fn leads_to(&self, names: &[String]) -> bool {
        self.names.len() > names.len() && self.names.iter().zip(names).all(|(a, b)| a == b)
    }
}

/// Whether names lead to a value, through arrays.
fn has(value: &Value, names: &[&str], expected: &str) -> bool {
    match (value, names.split_first()) {
        (Value::Array(entries), _) => entries.iter().any(|entry| has(entry, names, expected)),
        (Value::Object(fields), Some((name, rest))) => {
            fields.get(*name).is_some_and(|value| has(value, rest, expected))
        }
        (Value::String(text), None) => text == expected,
        (Value::Bool(held), None) => expected == if *held { "true" } else { "false" },
        (Value::Number(number), None) => format!("{number}") == expected,
        _ => false,
    }
}
