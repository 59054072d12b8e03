//! What failed, as orders and their items show it.

use serde_json::{Map, Value, json};

use crate::fulfilment::{Fault, Fulfilment};
use crate::id::{ItemId, TaskId};
use crate::outcome::Failure;

impl Fulfilment {
    /// A failure as an order shows it: with the task, its item and its element where one failed.
    pub(super) fn error_message(&self, fault: &Fault) -> Value {
        let mut message = error(&fault.failure);
        if let Some(task) = fault.task {
            message.entry("referenceError").or_insert_with(|| json!(fault.name));
            message.extend(self.place_of(task));
        }
        Value::Object(message)
    }

    /// Where a task failed: the line of its item, and the element that it is about.
    pub fn place_of(&self, task: TaskId) -> Map<String, Value> {
        let mut place = Map::new();
        if let Some(item) = self.plan().task(task).item {
            place.insert("item".into(), json!(self.root_of(item).line));
        }
        if let Some(element) = self.element_of(task) {
            place.insert("element".into(), json!(element));
        }
        place
    }

    /// The element that a step names in its input, else the kind of element of its item.
    fn element_of(&self, task: TaskId) -> Option<&str> {
        let named = self.plan().step(task).input.get("element").and_then(Value::as_str);
        let named = named.filter(|element| !element.starts_with('='));
        named.or_else(|| self.plan().item_of(task)?.adapter.as_deref())
    }

    /// What an item came to nothing by; `None` if it did not.
    pub(super) fn item_errors(&self, item: ItemId) -> Option<Value> {
        let (task, failure) = self.failure_of(item)?;
        let mut message = error(failure);
        if let Some(task) = task {
            message.entry("referenceError").or_insert_with(|| json!(self.plan().task_name(task)));
            message.extend(self.place_of(task));
        }
        Some(json!([message]))
    }
}

fn error(failure: &Failure) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("code".into(), json!(failure.code));
    message.insert("reason".into(), json!(failure.code));
    message.insert("message".into(), json!(failure.message));
    if let Some(attribute) = &failure.attribute {
        message.insert("referenceError".into(), json!(attribute));
    }
    message
}
