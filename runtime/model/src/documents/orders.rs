//! The orders of the three levels: the one that came in, and those decomposed from it.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};

use super::{Changes, Document, Head, Part, Piece, characteristics, copy, href};
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::{ItemId, SpecId};
use crate::journal::{End, Kind};
use crate::order::Form;
use crate::order::attributes::{self, Does};
use crate::plan::{Action, Item, Level};

/// One of the orders of a fulfilment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that came in.
    Root,
    /// What was decomposed into services.
    Service,
    /// What was decomposed into resources.
    Resource,
}

impl Order {
    /// The levels of what its items are about; `None` where it has the items that came in.
    fn levels(self) -> Option<&'static [Level]> {
        match self {
            Self::Root => None,
            Self::Service => Some(&[Level::CustomerService, Level::ResourceService]),
            Self::Resource => Some(&[Level::ResourceService, Level::Resource]),
        }
    }
}

impl Fulfilment {
    /// The resource that the order which came in is, such as `productOrder`; nothing for a run.
    pub fn root_resource(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::ProductOrder => Some("productOrder"),
            Kind::ServiceOrder => Some("serviceOrder"),
            Kind::ResourceOrder => Some("resourceOrder"),
            Kind::Run { .. } => None,
        }
    }

    /// The orders as they stand now, the one that came in first. All carry the fulfilment's id.
    pub fn orders(&self) -> Vec<Document> {
        self.orders_with_lengths().map(|(order, _)| self.order(order)).collect()
    }

    /// The resources of the orders that there are, the one that came in first.
    pub fn order_resources(&self) -> impl Iterator<Item = &'static str> {
        self.orders_with_lengths().map(|(order, _)| self.resource_of(order))
    }

    /// The order that came in, as it stands now.
    pub fn root_order(&self) -> Option<Value> {
        self.root_resource().map(|_| self.order(Order::Root).body)
    }

    /// One of the orders as it stands now, `None` if there is no such. Without `wants_items` its
    /// items are left out: they may be many.
    pub fn order_of(&self, resource: &str, wants_items: bool) -> Option<Value> {
        let mut orders = self.orders_with_lengths().map(|(order, _)| order);
        let order = orders.find(|order| self.resource_of(*order) == resource)?;
        Some(if wants_items { self.order(order).body } else { self.order_head(order) })
    }

    /// The orders that are in a part of all documents.
    pub(super) fn orders_in(&self, changes: &mut Changes) {
        match changes.part.clone() {
            Part::Whole => changes.documents.extend(self.orders()),
            Part::Order(order) => changes.documents.push(self.order(order)),
            Part::Piece(order, index, items) => changes.pieces.push(Piece {
                resource: self.resource_of(order),
                id: self.id().to_string(),
                list: self.list_of(order),
                index,
                entries: self.order_items(order, items),
            }),
            Part::Head(order, pieces) => changes.heads.push(Head {
                document: self.document_of(self.resource_of(order), self.order_head(order)),
                list: self.list_of(order),
                pieces,
            }),
            Part::First | Part::Items(_) | Part::Last => {}
        }
    }

    /// The orders that there are, each with how many items it has.
    pub(super) fn orders_with_lengths(&self) -> impl Iterator<Item = (Order, usize)> {
        let orders: &[Order] = match self.kind() {
            Kind::ProductOrder => &[Order::Root, Order::Service, Order::Resource],
            Kind::ServiceOrder => &[Order::Root, Order::Resource],
            Kind::ResourceOrder => &[Order::Root],
            Kind::Run { .. } => &[],
        };
        let lengths = orders.iter().map(|order| match order.levels() {
            Some(levels) => (*order, self.lines(levels).count()),
            None => (*order, self.asked_items().map_or(0, <[Value]>::len)),
        });
        lengths.filter(|(order, length)| *order == Order::Root || *length > 0)
    }

    /// An order with all of its items.
    fn order(&self, order: Order) -> Document {
        let mut body = self.order_head(order);
        let items = match order {
            Order::Root => self.asked_items().map(|items| 0..items.len()),
            Order::Service | Order::Resource => Some(0..usize::MAX),
        };
        if let Some(items) = items {
            body[self.list_of(order)] = self.order_items(order, items).into();
        }
        self.document_of(self.resource_of(order), body)
    }

    fn resource_of(&self, order: Order) -> &'static str {
        match order {
            Order::Root => self.root_resource().unwrap_or_default(),
            Order::Service => "serviceOrder",
            Order::Resource => "resourceOrder",
        }
    }

    /// The attribute that has the items of an order.
    fn list_of(&self, order: Order) -> &'static str {
        match self.resource_of(order) {
            "productOrder" => "productOrderItem",
            "serviceOrder" => "serviceOrderItem",
            _ => "orderItem",
        }
    }

    /// An order without its items.
    fn order_head(&self, order: Order) -> Value {
        match order {
            Order::Root => self.root_head(),
            Order::Service => self.service_head(),
            Order::Resource => self.resource_head(),
        }
    }

    /// Some items of an order.
    fn order_items(&self, order: Order, items: Range<usize>) -> Vec<Value> {
        let Some(levels) = order.levels() else {
            let asked = self.asked_items().and_then(|asked| asked.get(items));
            let mut items = Value::Array(asked.unwrap_or_default().to_vec());
            self.root_items(&mut items, self.resource_of(order));
            let Value::Array(items) = items else { return Vec::new() };
            return items;
        };
        let lines = self.lines(levels).skip(items.start).take(items.len());
        match order {
            Order::Service => lines.map(|(id, item)| self.service_item(id, item, levels)).collect(),
            Order::Root | Order::Resource => {
                lines.map(|(id, item)| self.resource_item(id, item, levels)).collect()
            }
        }
    }

    /// The items of the order that came in, as they are asked for now.
    fn asked_items(&self) -> Option<&[Value]> {
        let list = self.list_of(Order::Root);
        let own = self.changed().get(list).or_else(|| self.document().get(list));
        own.and_then(Value::as_array).map(Vec::as_slice)
    }

    fn document_of(&self, resource: &'static str, body: Value) -> Document {
        Document { resource, id: self.id().to_string(), body }
    }

    fn lines(&self, levels: &'static [Level]) -> impl Iterator<Item = (ItemId, &Item)> {
        let items = self.plan().items.iter().enumerate();
        items
            .filter(|(_, item)| levels.contains(&item.level))
            .map(|(index, item)| (ItemId::at(index), item))
    }

    /// What every order carries.
    fn head(&self, resource: &str, order: &mut Value) {
        let Some(fields) = order.as_object_mut() else {
            return;
        };
        let mut set = |name: &str, value: Value| {
            fields.insert(name.into(), value);
        };
        set("id", json!(self.id()));
        set("href", json!(href(resource, self.id().as_str())));
        set("state", json!(self.order_state()));
        set("orderDate", json!(self.submitted_at().to_string()));
        if let Some(time) = self.ended_at() {
            let is_cancelled = matches!(self.phase(), Phase::Ended(End::Cancelled, _));
            let name = if is_cancelled { "cancellationDate" } else { "completionDate" };
            set(name, json!(time.to_string()));
        }
        if let Some(reason) = self.cancelled_by().and_then(|by| by.reason.as_ref()) {
            set("cancellationReason", json!(reason));
        }
        fields.entry("@type").or_insert_with(|| json!(super::capitalised(resource)));
        let faults = self.failures();
        let errors: Vec<Value> = faults.iter().map(|fault| self.error_message(fault)).collect();
        if !errors.is_empty() {
            let name = match resource {
                "productOrder" => "productOrderErrorMessage",
                _ => "errorMessage",
            };
            fields.insert(name.into(), Value::Array(errors));
        }
        self.way(resource, fields);
    }

    /// The order that came in: as it was, with the states that it has now.
    fn root_head(&self) -> Value {
        let list = self.list_of(Order::Root);
        let own = self.document().as_object().into_iter().flatten();
        let own = own.filter(|(name, _)| !self.changed().contains_key(*name));
        let changed = self.changed().iter().filter(|(_, value)| !value.is_null());
        let shown = own.chain(changed).filter(|(name, _)| *name != list);
        let mut order = Value::Object(shown.map(|(n, value)| (n.clone(), value.clone())).collect());
        self.head(self.resource_of(Order::Root), &mut order);
        order
    }

    fn root_items(&self, items: &mut Value, resource: &str) {
        let order_state = self.order_state();
        for entry in items.as_array_mut().into_iter().flatten() {
            let line = entry.get("id").and_then(Value::as_str).map(str::to_string);
            let own = line.as_deref().and_then(|line| self.line(line));
            let state = own.map_or(order_state, |item| self.item_state(item));
            if let Some(fields) = entry.as_object_mut() {
                // What follows from the work has no other value, whatever a client sent.
                fields.retain(|name, _| !is_derived(resource, name));
                fields.insert("state".into(), json!(state));
                if let Some(errors) = own.and_then(|own| self.item_errors(own)) {
                    fields.insert("errorMessage".into(), errors);
                }
                if let Some(note) = own.and_then(|own| self.unpaid(own)) {
                    let notes = fields.entry("note").or_insert_with(|| json!([]));
                    notes.as_array_mut().into_iter().for_each(|notes| notes.push(note.clone()));
                }
                fields
                    .entry("@type")
                    .or_insert_with(|| json!(super::capitalised(&format!("{resource}Item"))));
            }
            if let (Kind::ProductOrder, Some(item)) = (self.kind(), own)
                && let Some(product) = entry.get_mut("product").and_then(Value::as_object_mut)
            {
                let id = self.product_id(&self.plan().items[item.index()]);
                product.insert("href".into(), json!(href("product", &id)));
                product.insert("id".into(), json!(id));
            }
            if let (Kind::ServiceOrder, Some(item)) = (self.kind(), own)
                && let Some(service) = entry.get_mut("service").and_then(Value::as_object_mut)
            {
                let id = self.service_id(&self.plan().items[item.index()]);
                service.insert("href".into(), json!(href("service", &id)));
                service.insert("id".into(), json!(id));
            }
            if let (Kind::ResourceOrder, Some(line)) = (self.kind(), &line)
                && let Some(resource) = entry.get_mut("resource").and_then(Value::as_object_mut)
            {
                let own = resource.get("id").and_then(Value::as_str).map(str::to_string);
                let id = own.unwrap_or_else(|| self.resource_id(line, 0));
                resource.insert("href".into(), json!(href("resource", &id)));
                resource.insert("id".into(), json!(id));
            }
            for nested in ["productOrderItem", "serviceOrderItem"] {
                if let Some(items) = entry.get_mut(nested) {
                    self.root_items(items, resource);
                }
            }
        }
    }

    fn service_item(&self, id: ItemId, item: &Item, levels: &[Level]) -> Value {
        let service = self.service_id(item);
        let line = json!({
            "id": item.line,
            "action": item.action.as_str(),
            "state": self.item_state(id),
            "quantity": 1,
            "@type": "ServiceOrderItem",
            "service": {
                "id": service,
                "href": href("service", &service),
                "name": item.title,
                "serviceType": service_type(item.level),
                "state": self.service_state(id),
                "@type": service_type(item.level),
                "serviceSpecification": spec_ref("serviceSpecification", &item.spec, &item.title),
                "serviceCharacteristic": characteristics(&item.characteristics),
            },
            "serviceOrderItemRelationship": self.dependencies(id, levels, |line| json!({
                "relationshipType": "dependency",
                "orderItem": { "id": line, "itemId": line, "serviceOrderId": self.id() },
            })),
        });
        self.with_errors(id, line)
    }

    fn service_head(&self) -> Value {
        let mut order = json!({
            "orderRelationship": [{
                "relationshipType": "cross-ref",
                "id": self.id(),
                "href": href("productOrder", self.id().as_str()),
                "@referredType": "ProductOrder",
            }],
        });
        copy(&self.shown(), CARRIED, &mut order);
        self.head("serviceOrder", &mut order);
        order
    }

    fn resource_item(&self, id: ItemId, item: &Item, levels: &[Level]) -> Value {
        let mut specs = item.resources.iter();
        let first = specs.next().unwrap_or(&item.spec);
        let others: Vec<Value> = specs
            .enumerate()
            .map(|(number, spec)| {
                let id = self.resource_id(&item.line, number + 1);
                let title = self.plan().title(spec);
                json!({
                    "relationshipType": "bundles",
                    "resource": {
                        "id": id,
                        "href": href("resource", &id),
                        "resourceSpecification": spec_ref("resourceSpecification", spec, title),
                    },
                })
            })
            .collect();
        let mut line = json!({
            "id": item.line,
            "action": item.action.as_str(),
            "state": self.item_state(id),
            "quantity": 1,
            "@type": "ResourceOrderItem",
            "resource": {
                "id": self.resource_id(&item.line, 0),
                "href": href("resource", &self.resource_id(&item.line, 0)),
                "name": item.title,
                "@type": "Resource",
                "resourceSpecification": spec_ref("resourceSpecification", first, self.plan().title(first)),
                "resourceCharacteristic": characteristics(&item.characteristics),
                "resourceRelationship": others,
            },
            "orderItemRelationship": self.dependencies(id, levels, |line| json!({
                "relationshipType": "dependency",
                "id": line,
            })),
        });
        if let Some(adapter) = &item.adapter {
            line["resource"]["category"] = json!(adapter);
        }
        self.with_errors(id, line)
    }

    fn resource_head(&self) -> Value {
        let from = match self.kind() {
            Kind::ServiceOrder | Kind::ProductOrder => "serviceOrder",
            Kind::ResourceOrder | Kind::Run { .. } => "resourceOrder",
        };
        let mut order = json!({
            "externalReference": [{
                "id": self.id(),
                "externalReferenceType": from,
                "entityType": from,
                "owner": "ferrule",
                "name": tmf::table::path("serviceOrder"),
                "@type": "ExternalReference",
            }],
        });
        copy(&self.shown(), CARRIED, &mut order);
        if let Some(fields) = order.as_object_mut()
            && let Some(priority) = fields.remove("priority")
        {
            // A text in the other two, a number here.
            let priority = priority.as_str().and_then(|text| text.trim().parse::<i64>().ok());
            fields.extend(priority.map(|priority| ("priority".to_string(), json!(priority))));
        }
        self.head("resourceOrder", &mut order);
        order
    }

    fn with_errors(&self, item: ItemId, mut line: Value) -> Value {
        if let (Some(errors), Some(fields)) = (self.item_errors(item), line.as_object_mut()) {
            fields.insert("errorMessage".into(), errors);
        }
        line
    }

    /// The state of the service that an item is about.
    fn service_state(&self, id: ItemId) -> &'static str {
        match (self.item_state(id), &self.plan().items[id.index()].origin) {
            ("completed", _) => self.delivered_state(id),
            (_, Some(_)) => "active",
            (_, None) => "designed",
        }
    }

    /// The lines of an order that one of its lines waits for: by its own needs, and by those of what
    /// it is below that is no line of this order, such as the product whose item relies on another.
    fn dependencies(
        &self,
        id: ItemId,
        levels: &[Level],
        relation: impl Fn(&str) -> Value,
    ) -> Vec<Value> {
        let is_listed = |id: ItemId| levels.contains(&self.plan().items[id.index()].level);
        let (mut above, mut seen) = (vec![id], BTreeSet::new());
        let mut needs: Vec<ItemId> = Vec::new();
        while let Some(next) = above.pop() {
            let item = &self.plan().items[next.index()];
            needs.extend(&item.needs);
            let is_new = |parent: &ItemId| !is_listed(*parent) && seen.insert(*parent);
            above.extend(item.parents.iter().copied().filter(is_new));
        }
        let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
        while let Some(need) = needs.pop() {
            if is_listed(need) {
                found.insert(need);
            } else if seen.insert(need) {
                needs.extend(self.children_of(need));
            }
        }
        found.remove(&id);
        let lines = found.iter().map(|need| self.plan().items[need.index()].line.as_str());
        lines.map(relation).collect()
    }
}

/// Whether an attribute of an item follows from the work.
fn is_derived(resource: &str, name: &str) -> bool {
    let form = match resource {
        "productOrder" => Form::ProductOrder,
        "serviceOrder" => Form::ServiceOrder,
        _ => Form::ResourceOrder,
    };
    attributes::does(form, attributes::Part::Item, name, Action::Add) == Some(Does::Derived)
}

/// What the orders below carry over from the one that came in.
const CARRIED: &[&str] = &[
    "externalId",
    "description",
    "category",
    "priority",
    "requestedCompletionDate",
    "relatedParty",
];

/// A reference to an entity of one of the catalogs.
pub(super) fn spec_ref(resource: &str, spec: &SpecId, name: &str) -> Value {
    json!({
        "id": spec,
        "href": href(resource, spec.as_str()),
        "name": name,
        "@referredType": super::capitalised(resource),
    })
}

pub(super) fn service_type(level: Level) -> &'static str {
    match level {
        Level::Product | Level::CustomerService => "CFS",
        Level::ResourceService | Level::Resource => "RFS",
    }
}
