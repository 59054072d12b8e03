//! Instances that were there before the order: they are terminated or changed, or stay as they were if
//! the order fails.

use serde_json::Value;
use tmf::document::instance::orders_of;
use tmf::document::ordered::OrderLink;
use tmf::document::product::ProductChange;
use tmf::document::service::Service;
use tmf::document::{Attributes, DateTime, Overlay};
use tmf::table::{ProductStatus, ServiceState};

use super::{Changes, Document, PRICES};
use crate::fulfilment::Fulfilment;
use crate::id::{FulfilmentId, ItemId};
use crate::plan::{Action, Item, Level, Provenance};

/// The fulfilments that an instance's document names as having made or changed it, in that order.
pub fn fulfilments_of(resource: &str, document: &Value) -> Vec<FulfilmentId> {
    orders_of(resource, document).map(FulfilmentId::new).collect()
}

/// The progress of the change of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The order was planned.
    Begun,
    /// The order is complete.
    Done,
    /// The order failed or was cancelled.
    Dropped,
}

impl Fulfilment {
    /// The lines of the order that are about instances that were there before.
    pub(super) fn changed_lines(&self, stage: Stage, changes: &mut Changes) {
        let lines = changes.part.items(self.plan());
        let lines = lines.filter(|(id, _)| !self.is_delivered_early(*id));
        for (id, item) in lines.filter(|(_, item)| self.is_line(item)) {
            let Some(origin) = item.origin.as_ref().filter(|origin| !origin.stays) else {
                continue;
            };
            let stage = match stage {
                Stage::Done if !self.is_delivered(id) => Stage::Dropped,
                Stage::Begun | Stage::Done | Stage::Dropped => stage,
            };
            let document = match item.level {
                Level::Product => Some(self.changed_product(id, item, origin, stage)),
                Level::CustomerService | Level::ResourceService => {
                    self.changed_service_line(id, item, origin, stage)
                }
                Level::Resource => {
                    self.changed_resource_line(id, item, stage, changes);
                    None
                }
            };
            changes.documents.extend(document);
        }
        if stage == Stage::Done {
            self.changed_parts(changes);
        }
    }

    pub(super) fn changed_product(
        &self,
        id: ItemId,
        item: &Item,
        origin: &Provenance,
        stage: Stage,
    ) -> Document {
        let product = self.product_id(item);
        let ceases = item.action == Action::Delete;
        let status = match (stage, ceases, &origin.wanted) {
            (Stage::Begun, true, _) => Some(ProductStatus::PendingTerminate),
            (Stage::Done, true, _) => Some(ProductStatus::Terminated),
            (Stage::Done, false, Some(wanted)) => ProductStatus::parse(wanted),
            (Stage::Begun | Stage::Done, false, _) | (Stage::Dropped, ..) => {
                ProductStatus::parse(&origin.state)
            }
        };
        // The rest of the document stays as it is in the inventory.
        let mut body = ProductChange {
            status,
            product_order_item: Some(with(&origin.links, self.product_link(item))),
            ..ProductChange::default()
        };
        let is_modified = stage == Stage::Done && item.action == Action::Modify;
        if stage == Stage::Done && ceases {
            body.termination_date = Some(DateTime::from(self.updated_at()));
        } else if is_modified {
            let now = self.product_parts(id, item);
            body.realizing_service = now.realizing_service;
            if self.names_characteristics(id) {
                body.product_characteristic = now.product_characteristic;
            }
        }
        let mut document = Document::new("product", product, &body);
        if is_modified {
            if let Some(mut fields) = Overlay::on(&mut document.body) {
                fields.show(Attributes::of_rest(&origin.shown), |name| name == PRICES);
            }
            self.as_ordered(id, &mut document);
        }
        if stage == Stage::Done && !ceases {
            self.show_bundled(id, &mut document);
        }
        document
    }

    fn changed_service_line(
        &self,
        id: ItemId,
        item: &Item,
        origin: &Provenance,
        stage: Stage,
    ) -> Option<Document> {
        match stage {
            Stage::Begun | Stage::Dropped => {
                let body = Service {
                    state: ServiceState::parse(&origin.state),
                    service_order_item: Some(with(&origin.links, self.service_link(item))),
                    ..Service::default()
                };
                let mut document = Document::new("service", self.service_id(item), &body);
                self.as_asked(item, &mut document);
                Some(document)
            }
            Stage::Done => Some(self.service(id, self.delivered_state(id))),
        }
    }

    /// A resource is written when the order is complete.
    fn changed_resource_line(&self, id: ItemId, item: &Item, stage: Stage, changes: &mut Changes) {
        match (stage, item.action) {
            (Stage::Done, Action::Modify) => changes.documents.extend(self.active_resources(id)),
            (Stage::Done, Action::Delete) => changes.documents.extend(self.own_ending(id)),
            (Stage::Done, Action::Add | Action::NoChange) | (Stage::Begun | Stage::Dropped, _) => {}
        }
    }

    /// The services that an order changed or suspended, and those that cease without any work.
    fn changed_parts(&self, changes: &mut Changes) {
        let items = changes.part.items(self.plan());
        for (id, item) in items.filter(|(id, _)| !self.is_delivered_early(*id)) {
            self.changed_part(id, item, changes);
        }
    }

    pub(super) fn changed_part(&self, id: ItemId, item: &Item, changes: &mut Changes) {
        let is_service = matches!(item.level, Level::CustomerService | Level::ResourceService);
        if !is_service || item.origin.is_none() || self.is_line(item) || self.has_failed(id) {
            return;
        }
        let state = self.delivered_state(id);
        let is_due = match item.action {
            Action::Add => false,
            Action::Modify => true,
            Action::Delete => !self.has_tasks(id),
            Action::NoChange => self.wanted_of(id).is_some() || !item.stays(),
        };
        if !is_due {
            return;
        }
        changes.documents.push(match item.stays() {
            // Its parts may not be in the plan, and stay as they were.
            true => Document::new("service", self.service_id(item), &self.service_in(item, state)),
            false => self.service(id, state),
        });
        match item.action {
            Action::Modify => changes.documents.extend(self.active_resources(id)),
            Action::Delete => changes.documents.extend(self.own_ending(id)),
            Action::Add | Action::NoChange => {}
        }
    }

    /// The state of a service once the order has delivered its item.
    pub(super) fn delivered_state(&self, id: ItemId) -> ServiceState {
        match (self.plan().items[id.index()].action, self.wanted_of(id)) {
            (Action::Delete, _) => ServiceState::Terminated,
            (_, Some("suspended" | "inactive")) => ServiceState::Inactive,
            (Action::Add | Action::Modify | Action::NoChange, _) => ServiceState::Active,
        }
    }

    /// The state that the order wants of an item; `None` if it is to stay in the one that it has.
    fn wanted_of(&self, id: ItemId) -> Option<&str> {
        self.plan().items[id.index()].origin.as_ref()?.wanted.as_deref()
    }

    /// An item of this order, as the product that it is about names it.
    pub(super) fn product_link(&self, item: &Item) -> OrderLink {
        OrderLink::of_product(self.id().as_str(), &item.line, item.action.as_str())
    }

    /// An item of this order, as the service that it is about names it.
    pub(super) fn service_link(&self, item: &Item) -> OrderLink {
        OrderLink::of_service(self.id().as_str(), &item.line, item.action.as_str())
    }

    /// The orders that a service names: the one that made it and this one.
    pub(super) fn service_links(&self, item: &Item) -> Vec<OrderLink> {
        let own = self.service_link(item);
        match &item.origin {
            None => vec![own],
            Some(origin) if origin.links.is_empty() => {
                let maker = origin.fulfilment.as_str();
                vec![OrderLink::of_service(maker, &origin.line, Action::Add.as_str()), own]
            }
            Some(origin) => with(&origin.links, own),
        }
    }
}

/// The links of an instance followed by another one.
fn with(links: &[OrderLink], own: OrderLink) -> Vec<OrderLink> {
    links.iter().cloned().chain([own]).collect()
}
