//! What becomes of instances that were there before the order: they cease, or are changed, or are as
//! they were where the order comes to nothing.

use serde_json::{Value, json};

use super::bundle::RELATIONS;
use super::{Changes, Document, PRICES, characteristics, href};
use crate::fulfilment::Fulfilment;
use crate::id::{FulfilmentId, ItemId};
use crate::plan::{Action, Item, Level, Provenance};

/// The fulfilments that an instance's document names as having made or changed it, in that order.
pub fn fulfilments_of(resource: &str, document: &Value) -> Vec<FulfilmentId> {
    let (links, id) = match resource {
        "product" => ("productOrderItem", "productOrderId"),
        "service" => ("serviceOrderItem", "serviceOrderId"),
        _ => ("resourceOrderItem", "resourceOrderId"),
    };
    let links = document.get(links).and_then(Value::as_array);
    let ids = links.into_iter().flatten().filter_map(|link| link.get(id)?.as_str());
    ids.map(FulfilmentId::new).collect()
}

/// The attributes that a service has by its state.
const STATE: [&str; 4] = ["state", "isServiceEnabled", "serviceDate", "serviceOrderItem"];

/// How far the change of an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The order was taken on.
    Begun,
    /// The order is complete.
    Done,
    /// The order came to nothing.
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
            (Stage::Begun, true, _) => "pendingTerminate",
            (Stage::Done, true, _) => "terminated",
            (Stage::Done, false, Some(wanted)) => wanted,
            (Stage::Begun | Stage::Done, false, _) | (Stage::Dropped, ..) => &origin.state,
        };
        let mut links = origin.links.clone();
        links.push(self.product_link(item));
        // The rest of the document stays as it is in the inventory.
        let mut body = json!({ "status": status, "productOrderItem": links });
        let mut set = |name: &str, value: Value| {
            if let Some(fields) = body.as_object_mut() {
                fields.insert(name.into(), value);
            }
        };
        if stage == Stage::Done && ceases {
            set("terminationDate", json!(self.updated_at().to_string()));
        } else if stage == Stage::Done && item.action == Action::Modify {
            let now = self.product(id, item, &product, status);
            set("realizingService", now["realizingService"].clone());
            if self.names_characteristics(id) {
                set("productCharacteristic", now["productCharacteristic"].clone());
            }
            if let Some(prices) = origin.shown.get(PRICES) {
                set(PRICES, prices.clone());
            }
            self.as_ordered(id, &mut body);
        }
        if stage == Stage::Done
            && !ceases
            && let Some(parts) = self.bundled_now(id, body.get(RELATIONS))
            && let Some(fields) = body.as_object_mut()
        {
            fields.insert("isBundle".into(), json!(!self.bundled(id).is_empty()));
            fields.insert(RELATIONS.into(), parts);
        }
        Document { resource: "product", id: product, body }
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
                let mut links = origin.links.clone();
                links.push(self.service_link(item));
                let mut body = json!({ "state": origin.state, "serviceOrderItem": links });
                self.as_asked(item, &mut body);
                Some(Document { resource: "service", id: self.service_id(item), body })
            }
            Stage::Done => Some(self.service(id, self.delivered_state(id))),
        }
    }

    /// A resource shows what became of it when the order is complete.
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
        let mut document = self.service(id, state);
        if let (true, Some(fields)) = (item.stays(), document.body.as_object_mut()) {
            // What it is made of may not be in the plan, and is as it was.
            fields.retain(|name, _| STATE.contains(&name.as_str()));
        }
        changes.documents.push(document);
        match item.action {
            Action::Modify => changes.documents.extend(self.active_resources(id)),
            Action::Delete => changes.documents.extend(self.own_ending(id)),
            Action::Add | Action::NoChange => {}
        }
    }

    /// The state of a service once the order has delivered its item.
    pub(super) fn delivered_state(&self, id: ItemId) -> &'static str {
        match (self.plan().items[id.index()].action, self.wanted_of(id)) {
            (Action::Delete, _) => "terminated",
            (_, Some("suspended" | "inactive")) => "inactive",
            (Action::Add | Action::Modify | Action::NoChange, _) => "active",
        }
    }

    /// The state that the order wants of an item; `None` if it is to stay in the one that it has.
    fn wanted_of(&self, id: ItemId) -> Option<&str> {
        self.plan().items[id.index()].origin.as_ref()?.wanted.as_deref()
    }

    /// An item of this order, as the product that it is about names it.
    pub(super) fn product_link(&self, item: &Item) -> Value {
        json!({
            "productOrderId": self.id(),
            "productOrderHref": href("productOrder", self.id().as_str()),
            "orderItemId": item.line,
            "orderItemAction": item.action.as_str(),
            "@referredType": "ProductOrder",
        })
    }

    /// An item of this order, as the service that it is about names it.
    pub(super) fn service_link(&self, item: &Item) -> Value {
        json!({
            "serviceOrderId": self.id(),
            "serviceOrderHref": href("serviceOrder", self.id().as_str()),
            "itemId": item.line,
            "itemAction": item.action.as_str(),
            "@referredType": "ServiceOrderItem",
        })
    }

    /// The orders that a service names: the one that made it and this one.
    pub(super) fn service_links(&self, item: &Item) -> Vec<Value> {
        let mut links = Vec::new();
        if let Some(origin) = &item.origin {
            links.clone_from(&origin.links);
            if links.is_empty() {
                let id = &origin.fulfilment;
                links.push(json!({
                    "serviceOrderId": id,
                    "serviceOrderHref": href("serviceOrder", id.as_str()),
                    "itemId": origin.line,
                    "itemAction": Action::Add.as_str(),
                    "@referredType": "ServiceOrderItem",
                }));
            }
        }
        links.push(self.service_link(item));
        links
    }

    /// The characteristics that an instance has as its document shows them.
    pub(super) fn shown_characteristics(item: &Item) -> Value {
        json!(characteristics(&item.characteristics))
    }
}
