//! Failures as orders and their items show them.

use tmf::document::ordered::ErrorMessage;

use crate::fulfilment::{Fault, Fulfilment};
use crate::id::{ItemId, TaskId};
use crate::outcome::Failure;

/// The line and the element at which a task failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailurePlace<'a> {
    /// The id of the line that its item belongs to.
    pub item: Option<&'a str>,
    /// The element, or the kind of element.
    pub element: Option<&'a str>,
}

impl Fulfilment {
    /// A failure as an order shows it, with the task, its item and its element if a task failed.
    pub(super) fn error_message(&self, fault: &Fault<'_>) -> ErrorMessage {
        match fault.task {
            Some(task) => self.error_of_task(&fault.failure, task, &fault.name),
            None => error(&fault.failure),
        }
    }

    /// Where a task failed: the line of its item, and its element.
    pub fn place_of(&self, task: TaskId) -> FailurePlace<'_> {
        let item = self.plan().task(task).item.map(|item| self.root_of(item).line.as_str());
        FailurePlace { item, element: self.element_of(task) }
    }

    /// The element that a step names in its input, else the kind of element of its item.
    fn element_of(&self, task: TaskId) -> Option<&str> {
        let named = self.plan().step(task).input.get("element").and_then(|name| name.as_str());
        let named = named.filter(|element| !element.starts_with('='));
        named.or_else(|| self.plan().item_of(task)?.adapter.as_deref())
    }

    /// The failures that an item failed by; empty if it did not fail.
    pub(super) fn item_errors(&self, item: ItemId) -> Vec<ErrorMessage> {
        let failure = self.failure_of(item).map(|(task, failure)| match task {
            Some(task) => self.error_of_task(failure, task, &self.plan().task_name(task)),
            None => error(failure),
        });
        failure.into_iter().collect()
    }

    fn error_of_task(&self, failure: &Failure, task: TaskId, name: &str) -> ErrorMessage {
        let place = self.place_of(task);
        let mut message = error(failure);
        message.reference_error.get_or_insert_with(|| name.into());
        message.item = place.item.map(Into::into);
        message.element = place.element.map(Into::into);
        message
    }
}

fn error(failure: &Failure) -> ErrorMessage {
    ErrorMessage {
        code: Some(failure.code.to_string()),
        reason: Some(failure.code.to_string()),
        message: Some(failure.message.clone()),
        reference_error: failure.attribute.clone(),
        ..ErrorMessage::default()
    }
}
