//! The request to a plugin for one attempt at a task: a function of the fulfilment alone, so that
//! every attempt before and after a crash makes the same.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Fulfilment;
use crate::expr::Expressions;
use crate::id::{Digest, PluginId, TaskId};
use crate::operation::Operation;
use crate::outcome::{Failure, Reservation};
use crate::plan::{Action, Work};
use tmf::document::Characteristics;

/// A request to a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The task's name, such as `RFS-VLAN.activate`.
    pub name: String,
    /// The same for every attempt; for the undo of prior work, the key of that work.
    pub idempotency_key: String,
    /// The name under which the element may answer later.
    pub answer_name: String,
    /// Which of the plugin's functions is called.
    pub operation: Operation,
    /// The plugin.
    pub plugin: PluginId,
    /// The version of it.
    pub digest: Digest,
    /// The specification of the task's item; empty for a task of the whole order.
    pub spec: String,
    /// The action on the item.
    pub action: Action,
    /// The item's characteristics; those of the prior work if that is undone or reapplied.
    pub characteristics: Characteristics,
    /// The key of the prior work that is modified or reapplied, if any.
    pub replaces: Option<String>,
    /// The step's input, evaluated.
    pub input: Map<String, Value>,
    /// The pool values of the prior work, which the new work may reserve again.
    pub offered: Vec<Reservation>,
    /// How long the call may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Fulfilment {
    /// Makes the request for an operation on a task; a failure if the plugin was not pinned by the
    /// plan, or the input cannot be evaluated.
    pub fn request(
        &self,
        task: TaskId,
        operation: Operation,
        expressions: &mut Expressions,
    ) -> Result<Request, Failure> {
        let step = self.plan.step(task);
        let digest = self.version(task);
        let digest = digest.ok_or_else(|| self.plugin_missing(task))?;
        let item = self.plan.item_of(task);
        let work = self.work(task);
        let idempotency_key = match work {
            Work::Undo(made) => made.key.clone(),
            Work::Do | Work::Modify(_) => self.idempotency_key(task),
        };
        let answer_name = match operation.reverts() {
            true => self.undo_name(task),
            false => idempotency_key.clone(),
        };
        let reapplies = operation == Operation::Reapply;
        let input = match work.replaced().filter(|_| reapplies) {
            // Reapplying is a change too: back to the original work.
            Some(made) => Cow::Borrowed(made.as_change()),
            None => self.input(task, expressions)?,
        };
        let replaces = work.replaced().filter(|made| reapplies || !made.moves(&input));
        let before = match work {
            Work::Undo(made) => made.characteristics.as_ref(),
            Work::Modify(made) if reapplies => made.characteristics.as_ref(),
            Work::Do | Work::Modify(_) => None,
        };
        let characteristics = before.or_else(|| item.map(|item| &item.characteristics));
        Ok(Request {
            name: self.plan.task_name(task),
            idempotency_key,
            answer_name,
            operation,
            plugin: step.plugin.clone(),
            digest: digest.clone(),
            spec: item.map(|item| item.spec.to_string()).unwrap_or_default(),
            action: item.map_or(Action::Add, |item| item.action),
            characteristics: characteristics.cloned().unwrap_or_default(),
            replaces: replaces.map(|made| made.key.clone()),
            input: input.into_owned(),
            offered: work.replaced().map(|made| made.reservations.clone()).unwrap_or_default(),
            timeout_ms: step.timeout_ms,
        })
    }
}
