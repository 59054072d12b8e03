//! The TM Forum documents that follow from a fulfilment: its orders at all three levels, and its
//! products, services and resources. They are computed from the fold, so they are the same after a
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
mod yields;

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
use serde::Serialize;
use serde_json::Value;

use crate::fulfilment::{Fulfilment, Phase};
use crate::id::ItemId;
use crate::installed;
use crate::journal::{End, Event, Kind};
use crate::plan::{Item, Level};
use tmf::document::{Characteristic, write};
use tmf::resource::capitalised;
use tmf::table::OrderState;

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

impl Document {
    fn new(resource: &'static str, id: impl Into<String>, document: &impl Serialize) -> Self {
        Self { resource, id: id.into(), body: write(document) }
    }
}

/// A document whose list is written before it, in [`Piece`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The document without its list.
    pub document: Document,
    /// The attribute that has the list.
    pub list: &'static str,
    /// The number of pieces that the list has.
    pub pieces: usize,
}

/// Some entries of a document's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The resource of the document.
    pub resource: &'static str,
    /// The id of the document.
    pub id: String,
    /// The attribute that has the list.
    pub list: &'static str,
    /// Its place among the pieces.
    pub index: usize,
    /// The entries.
    pub entries: Vec<Value>,
}

/// The documents and records that a commit writes besides the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Documents, in order; the last one of an id counts.
    pub documents: Vec<Document>,
    /// Documents that are too long to be written at once. They are written after their pieces.
    pub heads: Vec<Head>,
    /// The pieces of such documents.
    pub pieces: Vec<Piece>,
    /// The resources and ids of documents that are removed after everything is written.
    pub removed: Vec<(&'static str, String)>,
    /// Changes of the records of installed instances.
    pub installed: Vec<installed::Record>,
    /// The part of all changes that these are.
    part: Part,
}

fn href(resource: &str, id: &str) -> String {
    tmf::href::of(resource, id)
}

impl Fulfilment {
    /// The changes that follow from events that were just applied. `before` is
    /// [`Fulfilment::order_state`] as it was last written, `None` for a new fulfilment.
    pub fn changes(&self, events: &[Event], before: Option<OrderState>) -> Changes {
        self.changes_in(Part::Whole, events, before)
    }

    fn follow_events(&self, events: &[Event], before: Option<OrderState>, changes: &mut Changes) {
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
            self.finished(changes);
        }
    }

    fn follow_first(&self, event: &Event, changes: &mut Changes) {
        if changes.part.has_first() {
            self.follow_event(event, changes);
        }
    }

    /// Whether the documents of the orders change.
    fn shows_orders(&self, events: &[Event], before: Option<OrderState>) -> bool {
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
            // An attempt that was in progress succeeds before its task is undone.
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
    pub fn order_state(&self) -> OrderState {
        match self.phase() {
            Phase::Submitted if self.after().is_empty() && self.behind().is_empty() => {
                OrderState::Acknowledged
            }
            Phase::Submitted => OrderState::Pending,
            Phase::Ended(End::Completed, _) => OrderState::Completed,
            Phase::Ended(End::Partial, _) => OrderState::Partial,
            Phase::Ended(End::Failed, _) => OrderState::Failed,
            Phase::Ended(End::Rejected, _) => OrderState::Rejected,
            Phase::Ended(End::Cancelled, _) => OrderState::Cancelled,
            Phase::RollingBack(_) if self.cancelled_by().is_some() => {
                OrderState::PendingCancellation
            }
            Phase::Held(_) => OrderState::Held,
            Phase::Running | Phase::RollingBack(_) if self.is_held() => OrderState::Held,
            Phase::Running if self.is_early() => OrderState::Pending,
            Phase::Running | Phase::RollingBack(_) => OrderState::InProgress,
        }
    }

    /// The state of an item: that of its tasks and of what it was decomposed into.
    pub fn item_state(&self, item: ItemId) -> OrderState {
        match self.phase() {
            Phase::Ended(End::Partial, _) if self.is_delivered(item) => OrderState::Completed,
            Phase::Ended(End::Partial, _) => OrderState::Failed,
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => self.order_state(),
            Phase::RollingBack(_) if self.cancelled_by().is_some() => self.order_state(),
            Phase::Running if self.is_early_item(item) => OrderState::Pending,
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

/// The characteristics of an item as TM Forum lists them, with their types.
fn listed(item: &Item) -> Vec<Characteristic> {
    let values = item.characteristics.iter();
    values.map(|(name, value)| Characteristic::typed(name, value.clone())).collect()
}

#[cfg(test)]
mod tests;
