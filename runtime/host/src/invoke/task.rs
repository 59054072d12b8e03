//! The task of a call, as the contract has it.

use engine::worker::{Call, Operation};
use model::plan::{Action, UNDO};

use tokio::time::Instant;

use super::Guest;
use crate::contract::types;

impl Guest {
    pub(super) fn task(&self, call: &Call) -> types::Task {
        let left = self.deadline.saturating_duration_since(Instant::now()).as_millis();
        types::Task {
            fulfilment: call.fulfilment.as_str().into(),
            name: call.name.clone(),
            item: item(call),
            input: text(&call.input),
            attempt: call.attempt,
            idempotency_key: key(call),
            replaces: call.replaces.clone(),
            callback_url: self.shared.callback_url(&call.callback),
            deadline_ms: self.caller.tape.deadline_ms(u32::try_from(left).unwrap_or(u32::MAX)),
            attributes: Vec::new(),
        }
    }
}

/// The key of a call. What undoes work has a key of its own.
fn key(call: &Call) -> String {
    match &call.operation {
        Operation::Run | Operation::Recover | Operation::Resume { .. } => {
            call.idempotency_key.clone()
        }
        Operation::Undo { .. } | Operation::ResumeUndo { .. } | Operation::Reapply => {
            format!("{}{UNDO}", call.idempotency_key)
        }
    }
}

/// The item of a task; `None` for a task of the whole order.
fn item(call: &Call) -> Option<types::Item> {
    let action = Action::parse(&call.action)?;
    (!call.spec.is_empty()).then(|| types::Item {
        spec: call.spec.clone(),
        action: self::action(action),
        characteristics: text(&call.characteristics),
    })
}

pub(super) fn action(action: Action) -> types::Action {
    match action {
        Action::Add => types::Action::Add,
        Action::Modify => types::Action::Modify,
        Action::Delete => types::Action::Delete,
        Action::NoChange => types::Action::NoChange,
    }
}

pub(super) fn text(object: &impl serde::Serialize) -> String {
    serde_json::to_string(object).expect("a JSON object has string keys")
}
