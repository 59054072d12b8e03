//! What an element holds now, held against what it was asked for.

use serde_json::{Value, json};

use super::Element;
use crate::{Attribute, Done, Failure, Finding};

/// What an element was asked for, and where its answers say what became of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The names and values that it was asked for, as an object.
    pub values: Option<&'a Value>,
    /// A JSON pointer to the object in its answers that has the same names; nothing where they do
    /// not repeat what was asked for.
    pub holds: Option<&'a str>,
}

impl Element<'_> {
    /// Answers a probe with `read-back`: whose it is what the element holds, and in what it is
    /// another than was asked for.
    pub fn read_back(&self, document: &Value, asked: Asked<'_>) -> Result<Finding, Failure> {
        if document.get("state").and_then(Value::as_str) == Some("pending") {
            return Ok(Finding::waiting(self.key(), self.callback_timeout()));
        }
        let differences = self.differences(document, asked)?;
        let found = self.outputs.found(document);
        self.check_bounds(&found)?;
        let mut done = Done::new(&found);
        let holder = document.get("idempotencyKey").and_then(Value::as_str).unwrap_or_default();
        if holder != self.key() {
            done.attributes.push(Attribute { name: "held-by".into(), value: holder.into() });
        }
        if !differences.is_empty() {
            let value = Value::Array(differences).to_string();
            done.attributes.push(Attribute { name: "differences".into(), value });
        }
        Ok(Finding::Applied(done))
    }

    /// A step that does not say how to find out cannot be read back.
    pub fn no_probe(&self) -> Failure {
        let message = format!("the step says nothing of a `probe`: look at `{}`", self.name);
        Failure::person("NO_PROBE", message)
    }

    fn differences(&self, document: &Value, asked: Asked<'_>) -> Result<Vec<Value>, Failure> {
        let (Some(Value::Object(values)), Some(pointer)) = (asked.values, asked.holds) else {
            return Ok(Vec::new());
        };
        let held = document.pointer(pointer).ok_or_else(|| {
            let message = format!("the answer of `{}` holds nothing at `{pointer}`", self.name);
            Failure::person("ELEMENT_ANSWER", message)
        })?;
        let differences = values.iter().filter_map(|(name, expected)| {
            let found = held.get(name).unwrap_or(&Value::Null);
            let is_same = is_same(expected, found);
            (!is_same).then(|| json!({ "name": name, "expected": expected, "found": found }))
        });
        Ok(differences.collect())
    }
}

/// Whether two values are the same; 200 and 200.0 are.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.to_bits() == right.to_bits(),
        _ => left == right,
    }
}
