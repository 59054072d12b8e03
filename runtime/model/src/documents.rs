//! The TM Forum documents that follow from a fulfilment: its orders at all three levels, and what
//! it puts into the inventories. They are computed from the fold, so they say the same after a
//! crash, and are written in the same commit as the events that they follow from.

mod activation;
mod billing;
mod cancel;
mod change;
mod flows;
mod installation;
mod inventory;
mod milestones;
mod orders;

#[cfg(test)]
pub(crate) use billing::product_price;
pub use change::makers;
use serde_json::{Value, json};

use crate::fulfilment::{Fulfilment, Phase};
use crate::id::ItemId;
use crate::installed;
use crate::journal::{End, Event, Kind};
use crate::plan::{Item, Level};
use crate::resource::{self, capitalised};

/// A document to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The resource, such as `productOrder`.
    pub resource: &'static str,
    /// Its id.
    pub id: String,
    /// The document.
    pub body: Value,
}

/// What a commit writes besides the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Documents, in order; the last one of an id counts.
    pub documents: Vec<Document>,
    /// The resources and ids of documents that are no more, after all that is written.
    pub removed: Vec<(&'static str, String)>,
    /// What becomes of the records of what is installed.
    pub installed: Vec<installed::Record>,
}

fn href(resource: &str, id: &str) -> String {
    format!("{}/{id}", resource::path(resource))
}

impl Fulfilment {
    /// What events that were just applied change; `before` is [`Fulfilment::order_state`] as it was
    /// last written, nothing for a new fulfilment.
    pub fn changes(&self, events: &[Event], before: Option<&str>) -> Changes {
        let mut changes = Changes::default();
        if matches!(self.kind, Kind::Run { .. }) {
            return changes;
        }
        let state = self.order_state();
        for event in events {
            match event {
                Event::Cancelling { request } => self.cancelling(request, None, &mut changes),
                Event::CancelRefused { request, refusal } => {
                    self.cancelling(request, Some(refusal), &mut changes);
                }
                Event::Patched { .. } | Event::Endangered { .. } if before == Some(state) => {
                    changes.documents.extend(self.orders());
                }
                Event::Planned { .. } => self.planned(&mut changes),
                Event::Succeeded { task, .. } => {
                    self.succeeded(*task, &mut changes);
                    if before == Some(state) && self.reaches(*task) {
                        changes.documents.extend(self.orders());
                    }
                }
                Event::Undone { task } => self.undone(*task, &mut changes),
                Event::Ended { end } => self.ended(*end, &mut changes),
                Event::Submitted { .. } => self.asked(&mut changes),
                Event::Held { .. }
                | Event::Rejected { .. }
                | Event::Started { .. }
                | Event::Waiting { .. }
                | Event::CalledBack { .. }
                | Event::Retrying { .. }
                | Event::Failed { .. }
                | Event::Reopened { .. }
                | Event::Unwinding { .. }
                | Event::Patched { .. }
                | Event::Endangered { .. }
                | Event::UndoRetrying { .. }
                | Event::UndoFailed { .. } => {}
            }
        }
        if before != Some(state) {
            changes.documents.extend(self.orders());
            changes.documents.extend(self.monitor());
            self.settled(&mut changes);
        }
        changes
    }

    /// The state of the orders (TMF622, 641, 652): the reference's roll-up of the items.
    pub fn order_state(&self) -> &'static str {
        match &self.phase {
            Phase::Submitted => "acknowledged",
            Phase::Ended(End::Completed, _) => "completed",
            Phase::Ended(End::Failed, _) => "failed",
            Phase::Ended(End::Rejected, _) => "rejected",
            Phase::Ended(End::Cancelled, _) => "cancelled",
            Phase::Unwinding(_) if self.cancelled_by.is_some() => "pendingCancellation",
            Phase::Held(_) => "held",
            Phase::Running | Phase::Unwinding(_) if self.is_held() => "held",
            Phase::Running | Phase::Unwinding(_) => "inProgress",
        }
    }

    /// The state of an item: that of its tasks and of what it was decomposed into.
    pub fn item_state(&self, item: ItemId) -> &'static str {
        match &self.phase {
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => self.order_state(),
            Phase::Unwinding(_) if self.cancelled_by.is_some() => self.order_state(),
            Phase::Running | Phase::Unwinding(_) => self.state_of_work(item),
        }
    }

    /// The items that are lines of the order that came in.
    pub(crate) fn is_line(&self, item: &Item) -> bool {
        if item.stays() {
            return false;
        }
        match self.kind {
            Kind::ProductOrder => item.level == Level::Product,
            Kind::ServiceOrder | Kind::ResourceOrder => item.parents.is_empty(),
            Kind::Run { .. } => false,
        }
    }
}

/// Characteristics as TM Forum writes them.
pub(crate) fn characteristics(values: &serde_json::Map<String, Value>) -> Vec<Value> {
    let entries = values.iter().map(|(name, value)| {
        let value_type = match value {
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            Value::Null | Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        json!({ "name": name, "valueType": value_type, "value": value })
    });
    entries.collect()
}

fn copy(from: &Value, names: &[&str], to: &mut Value) {
    for name in names {
        if let (Some(value), Some(fields)) = (from.get(*name), to.as_object_mut()) {
            fields.insert((*name).into(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
