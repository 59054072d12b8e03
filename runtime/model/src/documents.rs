//! The TM Forum documents that follow from a fulfilment: its orders at all three levels, and what
//! it puts into the inventories. They are computed from the fold, so they say the same after a
//! crash, and are written in the same commit as the events that they follow from.

mod activation;
mod asked;
mod billing;
mod bundle;
mod cancel;
mod ceasing;
mod change;
mod errors;
mod event_effects;
mod flows;
mod installation;
mod inventory;
mod line;
mod milestones;
mod orders;
mod part;
mod resources;

pub(crate) use asked::known;
pub(crate) use billing::PRICES;
pub use billing::product_price;
pub use change::fulfilments_of;
pub use event_effects::EventEffects;
pub use orders::Order;
pub use part::Part;
#[cfg(test)]
pub(crate) use part::tests::assert_parts;
pub use resources::pooled_id;
use serde_json::{Value, json};

use crate::fulfilment::{Fulfilment, Phase};
use crate::id::ItemId;
use crate::installed;
use crate::journal::{End, Event, Kind};
use crate::plan::{Item, Level};
use tmf::resource::capitalised;

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

/// A document whose list is written before it, in [`Piece`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The document without its list.
    pub document: Document,
    /// The attribute that the list is.
    pub list: &'static str,
    /// How many pieces the list has.
    pub pieces: usize,
}

/// Some entries of a document's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The resource of the document.
    pub resource: &'static str,
    /// The id of the document.
    pub id: String,
    /// The attribute that the list is.
    pub list: &'static str,
    /// Its place among the pieces.
    pub index: usize,
    /// The entries.
    pub entries: Vec<Value>,
}

/// What a commit writes besides the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Documents, in order; the last one of an id counts.
    pub documents: Vec<Document>,
    /// Documents that are too long to be written at once; they come after their pieces.
    pub heads: Vec<Head>,
    /// The pieces of such documents.
    pub pieces: Vec<Piece>,
    /// The resources and ids of documents that are no more, after all that is written.
    pub removed: Vec<(&'static str, String)>,
    /// What becomes of the records of what is installed.
    pub installed: Vec<installed::Record>,
    /// Which part of all that changes it is.
    part: Part,
}

fn href(resource: &str, id: &str) -> String {
    format!("{}/{id}", tmf::table::path(resource))
}

impl Fulfilment {
    /// What events that were just applied change; `before` is [`Fulfilment::order_state`] as it was
    /// last written, nothing for a new fulfilment.
    pub fn changes(&self, events: &[Event], before: Option<&str>) -> Changes {
        self.changes_in(Part::Whole, events, before)
    }

    fn follow_events(&self, events: &[Event], before: Option<&str>, changes: &mut Changes) {
        if matches!(self.kind(), Kind::Run { .. }) {
            return;
        }
        for event in events {
            if matches!(event, Event::Planned { .. }) {
                self.planned(changes);
            } else if let Event::Ended { end } = event {
                self.ended(*end, changes);
            } else if event.turns() {
                self.returning(event, changes);
                self.follow_first(event, changes);
            } else {
                self.follow_first(event, changes);
            }
        }
        if changes.part.has_first() {
            self.lines_delivered(events, changes);
        }
        if self.shows_orders(events, before) {
            self.orders_in(changes);
        }
        if before != Some(self.order_state()) && changes.part.has_last() {
            changes.documents.extend(self.monitor());
            self.settled(changes);
        }
    }

    fn follow_first(&self, event: &Event, changes: &mut Changes) {
        if changes.part.has_first() {
            self.follow_event(event, changes);
        }
    }

    /// Whether the documents of the orders change.
    fn shows_orders(&self, events: &[Event], before: Option<&str>) -> bool {
        before != Some(self.order_state())
            || events.iter().any(|event| {
                let shows = matches!(
                    event,
                    Event::Patched { .. }
                        | Event::Alerted { .. }
                        | Event::RollingBackLines { .. }
                        | Event::GivenUp { .. }
                );
                shows || matches!(event, Event::Succeeded { task, .. } if self.reaches(*task))
            })
    }

    /// Follows an event that is about a task or a request.
    fn follow_event(&self, event: &Event, changes: &mut Changes) {
        if let Event::Submitted { .. } = event {
            self.asked(changes);
        } else if let Event::Cancelling { request } = event {
            self.cancelling(request, None, changes);
        } else if let Event::CancelRefused { request, refusal } = event {
            self.cancelling(request, Some(refusal), changes);
        } else if let Some(task) = event.task().filter(|_| event.completes_task()) {
            // An attempt that was under way succeeds before its task is undone.
            let is_of_work = !self.is_turned(task) || matches!(event, Event::Succeeded { .. });
            let is_of_undo = event.is_of_undo() || !is_of_work;
            match (is_of_undo, event) {
                (true, Event::GivenUp { .. }) => {}
                (true, _) => self.undone(task, changes),
                (false, _) => self.succeeded(task, changes),
            }
        }
    }

    /// The state of the orders (TMF622, 641, 652): the reference's roll-up of the items.
    pub fn order_state(&self) -> &'static str {
        match self.phase() {
            Phase::Submitted if self.after().is_empty() && self.behind().is_empty() => {
                "acknowledged"
            }
            Phase::Submitted => "pending",
            Phase::Ended(End::Completed, _) => "completed",
            Phase::Ended(End::Partial, _) => "partial",
            Phase::Ended(End::Failed, _) => "failed",
            Phase::Ended(End::Rejected, _) => "rejected",
            Phase::Ended(End::Cancelled, _) => "cancelled",
            Phase::RollingBack(_) if self.cancelled_by().is_some() => "pendingCancellation",
            Phase::Held(_) => "held",
            Phase::Running | Phase::RollingBack(_) if self.is_held() => "held",
            Phase::Running if self.is_early() => "pending",
            Phase::Running | Phase::RollingBack(_) => "inProgress",
        }
    }

    /// The state of an item: that of its tasks and of what it was decomposed into.
    pub fn item_state(&self, item: ItemId) -> &'static str {
        match self.phase() {
            Phase::Ended(End::Partial, _) if self.is_delivered(item) => "completed",
            Phase::Ended(End::Partial, _) => "failed",
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => self.order_state(),
            Phase::RollingBack(_) if self.cancelled_by().is_some() => self.order_state(),
            Phase::Running if self.is_early_item(item) => "pending",
            Phase::Running | Phase::RollingBack(_) => self.state_of_work(item),
        }
    }

    /// The items that are lines of the order that came in.
    pub(crate) fn is_line(&self, item: &Item) -> bool {
        if item.stays() {
            return false;
        }
        match self.kind() {
            Kind::ProductOrder => item.level == Level::Product,
            Kind::ServiceOrder | Kind::ResourceOrder => item.parents.is_empty(),
            Kind::Run { .. } => false,
        }
    }
}

/// Characteristics as TM Forum writes them.
pub fn characteristics(values: &serde_json::Map<String, Value>) -> Vec<Value> {
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
