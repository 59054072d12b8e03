//! What a fulfilment puts into the inventories: resources when they are reserved and when they are
//! in use, services when they are active, products when they are ordered and when they are active.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::change::Stage;
use super::orders::{service_type, spec_ref};
use super::resources::{Use, resource_id};
use super::{Changes, Document, href};
use crate::fulfilment::Fulfilment;
use crate::id::{FulfilmentId, InstanceId, ItemId, TaskId};
use crate::outcome::Reservation;
use crate::plan::{Action, Item, Level, PriorWork, Work};
use crate::task::{TaskOutput, TaskState};

impl Fulfilment {
    /// The id of the product that an item makes or is about.
    pub fn product_id(&self, item: &Item) -> String {
        self.instance_id(item, "")
    }

    /// The id of the service that an item makes or is about.
    pub fn service_id(&self, item: &Item) -> String {
        self.instance_id(item, "s")
    }

    /// The id of a resource that an item makes, by the number of its specification.
    pub(super) fn resource_id(&self, line: &str, number: usize) -> String {
        format!("{}-r{line}-{}", self.id(), number + 1)
    }

    /// The instance that an item makes or is about.
    pub fn instance_of(&self, id: ItemId) -> InstanceId {
        let item = &self.plan().items[id.index()];
        let own = match item.level {
            Level::Product => self.product_id(item),
            Level::CustomerService | Level::ResourceService => self.service_id(item),
            Level::Resource => {
                let own = || self.resource_id(&item.line, 0);
                item.instance.clone().unwrap_or_else(own)
            }
        };
        InstanceId::of(item.level.inventory(), &own)
    }

    fn instance_id(&self, item: &Item, mark: &str) -> String {
        item.instance.clone().unwrap_or_else(|| format!("{}-{mark}{}", self.id(), item.line))
    }

    /// Products stand in the inventory from the moment their order is taken on.
    pub(super) fn planned(&self, changes: &mut Changes) {
        self.products(|_| "pendingActive", changes);
        self.changed_lines(Stage::Begun, changes);
    }

    /// A task is done: what it took out of pools is reserved; its item may be delivered now.
    pub(super) fn succeeded(&self, task: TaskId, changes: &mut Changes) {
        let Some(item) = self.plan().task(task).item else {
            return;
        };
        let is_over = |id: TaskId| {
            let state = &self.tasks()[id.index()];
            state.is_done() || matches!(state, TaskState::GivenUp { .. })
        };
        let delivered = self.tasks_of(item).all(is_over);
        let action = self.plan().items[item.index()].action;
        // What is changed shows that when the order is complete: until then it may be unwound.
        if !delivered || action == Action::Modify {
            for reservation in &self.tasks()[task.index()].task_output().reservations {
                changes.documents.push(self.pooled(reservation, item, Use::Reserved));
            }
            return;
        }
        let ceases = action == Action::Delete;
        changes.documents.extend(if ceases {
            self.own_ending(item)
        } else {
            self.active_resources(item)
        });
        let is_whole = match self.plan().items[item.index()].level {
            Level::ResourceService => true,
            // It may be made of others, which are not delivered yet.
            Level::CustomerService => self.state_of_work(item) == "completed",
            Level::Product | Level::Resource => false,
        };
        if is_whole {
            changes.documents.push(self.service(item, self.delivered_state(item)));
        }
        for parent in self.ancestors(item) {
            let above = &self.plan().items[parent.index()];
            let is_service = matches!(above.level, Level::CustomerService | Level::ResourceService);
            let is_alike = (above.action == Action::Delete) == ceases
                && matches!(above.action, Action::Add | Action::Delete);
            if is_service && is_alike && self.item_state(parent) == "completed" {
                changes.documents.push(self.service(parent, self.delivered_state(parent)));
                changes.documents.extend(self.resources_without_work(parent));
            }
        }
    }

    /// A task was taken back: what it held is free, and what it had delivered is no more.
    pub(super) fn undone(&self, task: TaskId, changes: &mut Changes) {
        let Some(item) = self.plan().task(task).item else {
            return;
        };
        if self.plan().items[item.index()].action != Action::Add {
            // It is as it was again, which is what the inventory says.
            return;
        }
        // The state is `Undone` by now; what it held was written with its success, so it can be
        // found only in the journal. The engine passes it through `released`.
        let level = self.plan().items[item.index()].level;
        if matches!(level, Level::CustomerService | Level::ResourceService) {
            changes.documents.push(self.service(item, "terminated"));
        }
        // A service is no more once a part of it is not.
        for parent in self.ancestors(item) {
            let Item { level, action, .. } = &self.plan().items[parent.index()];
            let is_service = matches!(level, Level::CustomerService | Level::ResourceService);
            if is_service && *action == Action::Add {
                changes.documents.push(self.service(parent, "terminated"));
            }
        }
    }

    /// A value that was given back.
    pub fn released(&self, reservation: &Reservation) -> Document {
        let body = json!({
            "id": resource_id(reservation),
            "href": href("resource", &resource_id(reservation)),
            "name": reservation.value,
            "@type": "LogicalResource",
            "resourceStatus": "available",
            "usageState": "idle",
            "resourceSpecification": spec_ref("resourceSpecification", &reservation.resource, self.plan().title(&reservation.resource)),
            "resourceCharacteristic": [
                { "name": reservation.characteristic, "valueType": "string", "value": reservation.value },
            ],
        });
        Document { resource: "resource", id: resource_id(reservation), body }
    }

    pub(super) fn products(&self, status: impl Fn(ItemId) -> &'static str, changes: &mut Changes) {
        let items = changes.part.items(self.plan());
        let added =
            items.filter(|(_, item)| item.level == Level::Product && item.action == Action::Add);
        for (id, item) in added.filter(|(id, _)| !self.is_delivered_early(*id)) {
            self.new_product(id, item, status(id), changes);
        }
    }

    /// A product that the order adds.
    pub(super) fn new_product(&self, id: ItemId, item: &Item, status: &str, changes: &mut Changes) {
        let product = self.product_id(item);
        let mut body = self.product(id, item, &product, status);
        if let (true, Some(fields)) = (self.is_returned(id), body.as_object_mut()) {
            fields.insert("terminationDate".into(), json!(self.updated_at().to_string()));
        }
        changes.documents.push(Document { resource: "product", id: product, body });
    }

    pub(super) fn product(&self, id: ItemId, item: &Item, product: &str, status: &str) -> Value {
        let below = self.parts_of(id);
        let relations = self.bundled(id);
        let services = below.iter().filter(|child| child.level != Level::Product);
        let realizing: Vec<Value> = services
            .map(|child| {
                let id = self.service_id(child);
                json!({ "id": id, "href": href("service", &id), "@referredType": "Service" })
            })
            .collect();
        let prices = item.prices.iter();
        let prices = prices.map(|price| super::billing::product_price(price, item.quantity));
        let mut body = json!({
            "id": product,
            "href": href("product", product),
            "name": item.title,
            "status": status,
            "isBundle": !relations.is_empty(),
            "isCustomerVisible": true,
            "orderDate": self.submitted_at().to_string(),
            "productCharacteristic": Self::shown_characteristics(item),
            "productPrice": prices.collect::<Vec<_>>(),
            "productOrderItem": [self.product_link(item)],
            "productRelationship": relations,
            "realizingService": realizing,
            "@type": "Product",
        });
        if let Some(fields) = body.as_object_mut() {
            if let Some(offering) = &item.offering {
                let name = self.plan().title(offering);
                let offering = spec_ref("productOffering", offering, name);
                fields.insert("productOffering".into(), offering);
            }
            if !item.spec.as_str().is_empty() {
                let spec = spec_ref("productSpecification", &item.spec, &item.title);
                fields.insert("productSpecification".into(), spec);
            }
            if let Some(place) = &item.place {
                let place = json!([{ "id": place, "role": "installation", "@referredType": "GeographicAddress" }]);
                fields.insert("place".into(), place);
            }
            if status == "active" {
                fields.insert("startDate".into(), json!(self.updated_at().to_string()));
            }
        }
        self.as_ordered(id, &mut body);
        body
    }

    pub(super) fn service(&self, id: ItemId, state: &str) -> Document {
        let item = &self.plan().items[id.index()];
        let service = self.service_id(item);
        let is_part = |child: &&Item| child.action != Action::Delete || state == "terminated";
        let children = self.children_of(id).map(|child| &self.plan().items[child.index()]);
        let children = children.filter(is_part);
        let since = item.origin.as_ref().map_or_else(|| self.updated_at(), |origin| origin.since);
        let supporting: Vec<Value> = children
            .map(|child| {
                let id = self.service_id(child);
                json!({ "id": id, "href": href("service", &id), "name": child.title, "@referredType": "Service" })
            })
            .collect();
        let resources: Vec<Value> = self
            .resources(id, Use::Active)
            .into_iter()
            .map(|document| {
                let id = document.id;
                json!({ "id": id, "href": href("resource", &id), "@referredType": "Resource" })
            })
            .collect();
        let mut body = json!({
            "id": service,
            "href": href("service", &service),
            "name": item.title,
            "state": state,
            "serviceType": service_type(item.level),
            "category": service_type(item.level),
            "isServiceEnabled": state == "active",
            "serviceDate": self.updated_at().to_string(),
            "startDate": since.to_string(),
            "serviceSpecification": spec_ref("serviceSpecification", &item.spec, &item.title),
            "serviceCharacteristic": Self::shown_characteristics(item),
            "serviceOrderItem": self.service_links(item),
            "supportingService": supporting,
            "supportingResource": resources,
            "@type": service_type(item.level),
        });
        if let (true, Some(fields)) = (state == "terminated", body.as_object_mut()) {
            fields.insert("endDate".into(), json!(self.updated_at().to_string()));
        }
        match (&item.origin, body.as_object_mut()) {
            // What it is called is known, and may be another by now.
            (Some(_), Some(fields)) if self.is_line(item) => {
                fields.retain(|name, _| !["name", "category", "serviceType"].contains(&&**name));
            }
            (Some(_), _) => {}
            (None, _) => self.for_parties(&mut body),
        }
        self.as_ordered(id, &mut body);
        self.as_asked(item, &mut body);
        Document { resource: "service", id: service, body }
    }

    /// The resources of an item in use.
    pub(super) fn active_resources(&self, id: ItemId) -> Vec<Document> {
        self.resources(id, Use::Active)
    }

    /// The id of a resource that the order names, or changes.
    pub(super) fn named_resource<'a>(&self, item: &'a Item) -> Option<&'a str> {
        let is_it = item.level == Level::Resource && self.is_line(item);
        item.instance.as_deref().filter(|_| is_it)
    }

    /// The fulfilment and the line that an item was made by, after which its resources are named.
    pub(super) fn maker<'a>(&'a self, item: &'a Item) -> (&'a FulfilmentId, &'a str) {
        match &item.origin {
            Some(origin) => (&origin.fulfilment, &origin.line),
            None => (self.id(), &item.line),
        }
    }

    /// What was task_output for an item, now or before, and whether that still stands.
    pub(super) fn yields(&self, id: ItemId) -> Vec<(TaskOutput, bool)> {
        let of = |made: &PriorWork| TaskOutput {
            outputs: made.outputs.clone(),
            reservations: made.reservations.clone(),
        };
        let origin = self.plan().items[id.index()].origin.as_ref();
        let kept = origin.iter().flat_map(|origin| &origin.made).map(|made| (of(made), true));
        let mut yields: Vec<(TaskOutput, bool)> = kept.collect();
        let is_gone = |state: &TaskState| {
            state.is_done() || matches!(state, TaskState::GivenUp { released: true, .. })
        };
        for task in self.tasks_of(id) {
            let state = &self.tasks()[task.index()];
            // The same step is done again for what it is about now.
            if matches!(self.work(task), Work::Undo(made) if made.if_moved) {
                continue;
            }
            yields.push(match self.work(task) {
                Work::Undo(made) => (of(made), !is_gone(state)),
                Work::Modify(made) if !state.is_done() => (of(made), true),
                Work::Do | Work::Modify(_) => (state.task_output(), true),
            });
        }
        yields
    }

    pub(super) fn ancestors(&self, item: ItemId) -> Vec<ItemId> {
        let mut found = BTreeSet::new();
        let mut open = self.plan().items[item.index()].parents.clone();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(&self.plan().items[next.index()].parents);
            }
        }
        found.into_iter().collect()
    }
}
