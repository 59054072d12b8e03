//! The existing instances that orders are about, with what made them.

use model::decompose::{Instance, Recall};
use model::documents::makers;
use serde_json::Value;

use super::{App, SubmitError};

/// Whether an order is about what exists: one of its items changes it, or has it cease.
pub(super) fn changes(order: &Value) -> bool {
    match order {
        Value::Object(fields) => {
            let action = fields.get("action").and_then(Value::as_str);
            matches!(action, Some("modify" | "delete")) || fields.values().any(changes)
        }
        Value::Array(entries) => entries.iter().any(changes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

impl App {
    /// An instance as the inventory has it, with the fulfilments that it names; nothing where there
    /// is none.
    pub(crate) async fn instance(&self, recall: &Recall) -> Result<Option<Instance>, SubmitError> {
        let found = self.document(recall.resource, &recall.id).map_err(SubmitError::Store)?;
        let Some(document) = found.map(|found| found.body) else {
            return Ok(None);
        };
        let mut known = Vec::new();
        for id in makers(recall.resource, &document) {
            // An order that is not ours any more, or never was, says nothing.
            known.extend(self.engine.get(&id).await?);
        }
        Ok(Some(Instance { document, makers: known }))
    }
}
