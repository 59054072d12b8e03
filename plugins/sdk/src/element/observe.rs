//! The work on an element, compared with the work that was asked for.

use serde_json::Value;

use super::Element;
use crate::{Difference, Failure, Observation, Owner, State};

/// The values that an element was asked for, and where its answers have them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The names and values that it was asked for, as an object.
    pub values: Option<&'a Value>,
    /// A JSON pointer to the object in its answers that has the same names; `None` if its answers do
    /// not repeat the values.
    pub holds: Option<&'a str>,
}

impl Element<'_> {
    /// Compares the element with the work that it was asked for.
    pub fn observation(&self, document: &Value, asked: Asked<'_>) -> Result<Observation, Failure> {
        if document.get("state").and_then(Value::as_str) == Some("pending") {
            return Ok(Observation::Pending);
        }
        let differences = self.differences(document, asked)?;
        let outputs = self.outputs.found(document);
        self.check_bounds(&Value::Object(outputs.clone()))?;
        let owner = match document.get("idempotencyKey").and_then(Value::as_str) {
            Some(key) if key == self.key() => Owner::ThisTask,
            None | Some("") => Owner::Unknown,
            Some(key) => Owner::Other(key.into()),
        };
        Ok(Observation::Present(State { outputs, owner, differences }))
    }

    /// The failure of a step without a `probe`, which cannot be observed.
    pub fn no_probe(&self) -> Failure {
        let message = format!("the step has no `probe`: look at `{}`", self.name);
        Failure::operator("NO_PROBE", message)
    }

    fn differences(&self, document: &Value, asked: Asked<'_>) -> Result<Vec<Difference>, Failure> {
        let (Some(Value::Object(values)), Some(pointer)) = (asked.values, asked.holds) else {
            return Ok(Vec::new());
        };
        let held = document.pointer(pointer).ok_or_else(|| {
            let message = format!("the answer of `{}` has no value at `{pointer}`", self.name);
            Failure::operator("ELEMENT_ANSWER", message)
        })?;
        let differences = values.iter().filter_map(|(name, expected)| {
            let found = held.get(name).filter(|found| !found.is_null());
            let is_same = is_same(expected, found.unwrap_or(&Value::Null));
            (!is_same).then(|| Difference {
                name: name.clone(),
                expected: expected.clone(),
                found: found.cloned(),
            })
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
