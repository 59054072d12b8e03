//! The task that a plugin is called for, and the settings of the plugin.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::bindings::step::ferrule::plugin::types as wire;
use crate::{Failure, config};

pub use wire::{Action, Item};

#[cfg(test)]
mod tests;

/// The task that a plugin is called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context(wire::Task);

/// The characteristics of an item, name to value.
#[derive(Clone, Debug, PartialEq)]
pub struct Characteristics {
    spec: String,
    values: Map<String, Value>,
}

impl Context {
    pub(crate) fn new(task: wire::Task) -> Self {
        Self(task)
    }

    /// A context for tests of a plugin: this input, an item without characteristics, the first
    /// attempt, the key `key-1`.
    pub fn example(input: &Value) -> Self {
        Self(wire::Task {
            fulfilment: "fulfilment-1".into(),
            name: "EXAMPLE.run".into(),
            item: Some(Item {
                spec: "EXAMPLE".into(),
                action: Action::Add,
                characteristics: "{}".into(),
            }),
            input: input.to_string(),
            attempt: 1,
            idempotency_key: "key-1".into(),
            replaces: None,
            callback_url: "http://localhost/callback/key-1".into(),
            deadline_ms: 10_000,
            attributes: Vec::new(),
        })
    }

    /// The same context with another item, for tests.
    #[must_use]
    pub fn with_item(mut self, item: Option<Item>) -> Self {
        self.0.item = item;
        self
    }

    /// The same context for a task that changes prior work with this key, for tests.
    #[must_use]
    pub fn with_replaces(mut self, key: &str) -> Self {
        self.0.replaces = Some(key.into());
        self
    }

    /// The same context for the undo of that task, for tests: the host gives undos a key of their own, that
    /// of the work followed by `:undo`.
    #[must_use]
    pub fn with_undo(mut self) -> Self {
        self.0.idempotency_key.push_str(":undo");
        self
    }

    /// The fulfilment that the task belongs to.
    pub fn fulfilment(&self) -> &str {
        &self.0.fulfilment
    }

    /// The task's name, unique in its fulfilment, such as `RFS-VLAN.activate`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The idempotency key: the same for every attempt. Pass it on to the systems that you call.
    pub fn key(&self) -> &str {
        &self.0.idempotency_key
    }

    /// The key of the prior work that this task changes; `None` if the work is new. Change the prior
    /// work to what this task asks for, and create it if it is missing. The rollback of a change is
    /// one too.
    pub fn replaces(&self) -> Option<&str> {
        self.0.replaces.as_deref()
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Milliseconds left, when the call began, until the host stops it.
    pub fn deadline_ms(&self) -> u32 {
        self.0.deadline_ms
    }

    /// Where an element may post its answer later.
    pub fn callback_url(&self) -> &str {
        &self.0.callback_url
    }

    /// The item; `None` for a step of the whole order.
    pub fn item(&self) -> Option<&Item> {
        self.0.item.as_ref()
    }

    /// The value of a setting of the plugin; `None` if it is not set.
    pub fn setting(&self, name: &str) -> Option<String> {
        config::get(name)
    }

    /// The item's characteristics; none for a step of the whole order.
    pub fn characteristics(&self) -> Result<Characteristics, Failure> {
        let Some(item) = &self.0.item else {
            return Ok(Characteristics { spec: String::new(), values: Map::new() });
        };
        let values = serde_json::from_str(&item.characteristics).map_err(|cause| {
            let message =
                format!("the characteristics of task `{}` are no object: {cause}", self.name());
            Failure::operator("BAD_CHARACTERISTICS", message)
        })?;
        Ok(Characteristics { spec: item.spec.clone(), values })
    }

    /// The step's input. Fails with `BAD_INPUT` (class operator) if the plugin does not understand
    /// it.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.0.input).map_err(|cause| {
            let message = format!("the input of task `{}` cannot be used: {cause}", self.name());
            Failure::operator("BAD_INPUT", message)
        })
    }
}

impl Characteristics {
    /// The value of a mandatory characteristic. Fails with class reject and the name of the
    /// characteristic if it is missing or of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        self.find(name)?.ok_or_else(|| {
            let message = format!("characteristic `{name}` of `{}` is missing", self.spec);
            Failure::reject("CHARACTERISTIC_MISSING", message)
        })
    }

    /// The value of an optional characteristic; `None` if it is missing or null.
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

    /// The names of the characteristics, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}
