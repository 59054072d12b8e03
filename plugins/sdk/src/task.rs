//! What a task carries, typed.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Failure, Task};

#[cfg(test)]
mod tests;

impl Task {
    /// The step's input. Fails with `BAD_INPUT` (class person) where the workflow gives what the
    /// plugin does not understand.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.input).map_err(|cause| {
            let message = format!("the input of task `{}` cannot be used: {cause}", self.name);
            Failure::person("BAD_INPUT", message)
        })
    }

    /// Whether it is undone, or done again as it was, rather than done.
    pub fn is_undo(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.name == "undo")
    }

    /// Whether a probe is to read back what stands there now, for a reconciliation.
    pub fn is_read_back(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.name == "read-back")
    }

    /// The key that the work was done under before, where it stands and this task changes it: what
    /// is there is to be as this task asks, and is made where it is not there. Also where a change is
    /// rolled back.
    pub fn replaces(&self) -> Option<&str> {
        let replaces = self.attributes.iter().find(|attribute| attribute.name == "replaces");
        replaces.map(|attribute| attribute.value.as_str())
    }

    /// The item's characteristics.
    pub fn characteristics(&self) -> Result<Characteristics, Failure> {
        let values = serde_json::from_str(&self.characteristics).map_err(|cause| {
            let message =
                format!("the characteristics of task `{}` are no object: {cause}", self.name);
            Failure::person("BAD_CHARACTERISTICS", message)
        })?;
        Ok(Characteristics { spec: self.spec.clone(), values })
    }

    /// A task to try a plugin on in a test: this input, no characteristics, the first attempt.
    pub fn example(input: &Value) -> Self {
        Self {
            fulfilment: "fulfilment-1".into(),
            name: "EXAMPLE.run".into(),
            spec: "EXAMPLE".into(),
            action: "add".into(),
            characteristics: "{}".into(),
            input: input.to_string(),
            attempt: 1,
            idempotency_key: "key-1".into(),
            callback_url: "http://localhost/callback/key-1".into(),
            deadline_ms: 10_000,
            attributes: Vec::new(),
        }
    }
}

/// The characteristics of an item, name to value.
#[derive(Clone, Debug, PartialEq)]
pub struct Characteristics {
    spec: String,
    values: Map<String, Value>,
}

impl Characteristics {
    /// The value of a characteristic that must be there. Fails with class reject and the name of
    /// the characteristic where it is missing or of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        self.find(name)?.ok_or_else(|| {
            let message = format!("characteristic `{name}` of `{}` is missing", self.spec);
            Failure::reject("CHARACTERISTIC_MISSING", message)
        })
    }

    /// The value of a characteristic that may be missing or null.
    pub fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        let Some(value) = self.values.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        T::deserialize(value).map(Some).map_err(|cause| {
            let spec = &self.spec;
            let message = format!("characteristic `{name}` of `{spec}` cannot be used: {cause}");
            Failure::reject("CHARACTERISTIC_INVALID", message)
        })
    }

    /// The names that are there, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}
