//! The orders of the three levels: the one that came in, and those decomposed from it.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use tmf::document::order::{
    ItemResult, Items, OrderHead, ResourceOrderItem, ServiceOrderItem, Written,
};
use tmf::document::ordered::{
    ExternalReference, ItemRelationship, OrderItemReference, OrderRelationship,
};
use tmf::document::resource::{Resource, ResourceRelationship};
use tmf::document::service::Service;
use tmf::document::{Attributes, DateTime, Overlay, Reference, Rest, write};
use tmf::table::{OrderState, ServiceState};

use super::{Changes, Document, Head, Part, Piece, capitalised, href, listed};
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
    /// The services that it was decomposed into.
    Service,
    /// The resources that it was decomposed into.
    Resource,
}

impl Order {
    /// The levels of its items; `None` if it has the items that came in.
    fn levels(self) -> Option<&'static [Level]> {
        match self {
            Self::Root => None,
            Self::Service => Some(&[Level::CustomerService, Level::ResourceService]),
            Self::Resource => Some(&[Level::ResourceService, Level::Resource]),
        }
    }
}

impl Fulfilment {
    /// The resource of the order that came in, such as `productOrder`; `None` for a run.
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

    /// The order that came in, as it is now.
    pub fn root_order(&self) -> Option<Document> {
        self.root_resource().map(|_| self.order(Order::Root))
    }

    /// One of the orders as it is now, `None` if there is no such. Without `wants_items` its items are
    /// left out: they may be many.
    pub fn order_of(&self, resource: &str, wants_items: bool) -> Option<Document> {
        let mut orders = self.orders_with_lengths().map(|(order, _)| order);
        let order = orders.find(|order| self.resource_of(*order) == resource)?;
        Some(if wants_items { self.order(order) } else { self.order_head(order) })
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
                document: self.order_head(order),
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
            None => (*order, self.asked_items().map_or(0, |items| items.len())),
        });
        lengths.filter(|(order, length)| *order == Order::Root || *length > 0)
    }

    /// An order with all of its items.
    fn order(&self, order: Order) -> Document {
        let mut document = self.order_head(order);
        let items = match order {
            Order::Root => self.asked_items().map(|items| 0..items.len()),
            Order::Service | Order::Resource => Some(0..usize::MAX),
        };
        if let (Some(items), Some(mut fields)) = (items, Overlay::on(&mut document.body)) {
            fields.set(self.list_of(order), &self.order_items(order, items));
        }
        document
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
    fn order_head(&self, order: Order) -> Document {
        let mut head = match order {
            Order::Root => self.root_head(),
            Order::Service => self.service_head(),
            Order::Resource => self.resource_head(),
        };
        // Attributes of the order that came in are replaced by those that follow from the work.
        let rest = std::mem::take(&mut head.rest);
        let mut document = Document::new(self.resource_of(order), self.id().as_str(), &rest);
        if let Some(mut fields) = Overlay::on(&mut document.body) {
            fields.show(Attributes::of(&write(&head)), |_| true);
        }
        document
    }

    /// Some items of an order.
    fn order_items(&self, order: Order, items: Range<usize>) -> Vec<Value> {
        let Some(levels) = order.levels() else {
            let form = self.form().unwrap_or(Form::ResourceOrder);
            let asked = self.asked_items();
            let items = asked.map(|asked| {
                asked.with_results(
                    items,
                    |name| is_derived(form, name),
                    |item| self.root_item(form, item),
                )
            });
            return items.unwrap_or_default();
        };
        let lines = self.lines(levels).skip(items.start).take(items.len());
        match order {
            Order::Service => {
                lines.map(|(id, item)| write(&self.service_item(id, item, levels))).collect()
            }
            Order::Root | Order::Resource => {
                lines.map(|(id, item)| write(&self.resource_item(id, item, levels))).collect()
            }
        }
    }

    /// The items of the order that came in, as they are asked for now.
    fn asked_items(&self) -> Option<Items<'_>> {
        let names = self.form()?.names();
        let own = Items::of(Attributes::of_rest(self.changed()), names);
        own.or_else(|| Items::of(Attributes::of(self.document()), names))
    }

    fn lines(&self, levels: &'static [Level]) -> impl Iterator<Item = (ItemId, &Item)> {
        let items = self.plan().items.iter().enumerate();
        items
            .filter(|(_, item)| levels.contains(&item.level))
            .map(|(index, item)| (ItemId::at(index), item))
    }

    /// The attributes that every order has, besides those in `rest`.
    fn head(&self, resource: &str, rest: Rest) -> OrderHead {
        let mut head = OrderHead {
            id: Some(self.id().to_string()),
            href: Some(href(resource, self.id().as_str())),
            state: Some(self.order_state()),
            order_date: Some(DateTime::from(self.submitted_at())),
            cancellation_reason: self.cancelled_by().and_then(|by| by.reason.clone()),
            kind: (!rest.contains_key("@type")).then(|| capitalised(resource)),
            rest,
            ..OrderHead::default()
        };
        let ended = self.ended_at().map(DateTime::from);
        match self.phase() {
            Phase::Ended(End::Cancelled, _) => head.cancellation_date = ended,
            Phase::Submitted
            | Phase::Held(_)
            | Phase::Running
            | Phase::RollingBack(_)
            | Phase::Ended(..) => head.completion_date = ended,
        }
        let faults = self.failures();
        let errors = faults.iter().map(|fault| self.error_message(fault)).collect();
        match resource {
            "productOrder" => head.product_order_error_message = errors,
            _ => head.error_message = errors,
        }
        self.add_progress(resource, &mut head);
        head
    }

    /// The order that came in: as it was, with the states that it has now.
    fn root_head(&self) -> OrderHead {
        let list = self.list_of(Order::Root);
        let changed = self.changed();
        let own = Attributes::of(self.document());
        let mut rest = own.only(|name| name != list && !changed.contains_key(name));
        Overlay::of_rest(&mut rest).show(Attributes::of_rest(changed), |name| name != list);
        self.head(self.resource_of(Order::Root), rest)
    }

    /// The result of an item of the order that came in.
    fn root_item(&self, form: Form, asked: Written<'_>) -> ItemResult {
        let line = asked.item.text("id");
        let own = line.and_then(|line| self.line(line));
        let instance = match form {
            Form::ProductOrder => own.map(|own| self.product_id(&self.plan().items[own.index()])),
            Form::ServiceOrder => own.map(|own| self.service_id(&self.plan().items[own.index()])),
            Form::ResourceOrder => line.map(|line| {
                let named = asked.subject.text("id").map(str::to_owned);
                named.unwrap_or_else(|| self.resource_id(line, 0))
            }),
            Form::Quote | Form::OfferingQualification | Form::ServiceQualification => None,
        };
        let resource = self.resource_of(Order::Root);
        ItemResult {
            state: own.map_or_else(|| self.order_state(), |item| self.item_state(item)),
            error_message: own.map(|own| self.item_errors(own)).unwrap_or_default(),
            note: own.and_then(|own| self.unpaid(own)),
            instance,
            kind: capitalised(&format!("{resource}Item")),
        }
    }

    fn service_item(&self, id: ItemId, item: &Item, levels: &[Level]) -> ServiceOrderItem {
        let service = self.service_id(item);
        let relation = |line: &str| ItemRelationship {
            relationship_type: DEPENDENCY.into(),
            id: None,
            order_item: Some(OrderItemReference {
                id: line.into(),
                item_id: line.into(),
                service_order_id: self.id().to_string(),
                rest: Rest::new(),
            }),
            rest: Rest::new(),
        };
        ServiceOrderItem {
            id: item.line.clone(),
            action: item.action.as_str().into(),
            state: self.item_state(id),
            quantity: 1,
            service: Service {
                href: Some(href("service", &service)),
                id: Some(service),
                name: Some(item.title.clone()),
                service_type: Some(service_type(item.level).into()),
                state: Some(self.service_state(id)),
                service_specification: Some(spec_ref(
                    "serviceSpecification",
                    &item.spec,
                    &item.title,
                )),
                service_characteristic: Some(listed(item)),
                kind: Some(service_type(item.level).into()),
                ..Service::default()
            },
            service_order_item_relationship: self.dependencies(id, levels, relation),
            error_message: self.item_errors(id),
            kind: "ServiceOrderItem".into(),
            rest: Rest::new(),
        }
    }

    fn service_head(&self) -> OrderHead {
        let mut head = self.head("serviceOrder", self.carried());
        head.order_relationship = vec![OrderRelationship {
            relationship_type: "cross-ref".into(),
            id: self.id().to_string(),
            href: Some(href("productOrder", self.id().as_str())),
            referred_type: Some("ProductOrder".into()),
            rest: Rest::new(),
        }];
        head
    }

    fn resource_item(&self, id: ItemId, item: &Item, levels: &[Level]) -> ResourceOrderItem {
        let mut specs = item.resources.iter();
        let first = specs.next().unwrap_or(&item.spec);
        let others = specs.enumerate().map(|(number, spec)| ResourceRelationship {
            relationship_type: "bundles".into(),
            resource: self.ordered_resource(item, number + 1, spec),
            rest: Rest::new(),
        });
        let relation = |line: &str| ItemRelationship {
            relationship_type: DEPENDENCY.into(),
            id: Some(line.into()),
            order_item: None,
            rest: Rest::new(),
        };
        ResourceOrderItem {
            id: item.line.clone(),
            action: item.action.as_str().into(),
            state: self.item_state(id),
            quantity: 1,
            resource: Resource {
                name: Some(item.title.clone()),
                category: item.adapter.clone(),
                resource_characteristic: Some(listed(item)),
                resource_relationship: Some(others.collect()),
                kind: Some("Resource".into()),
                ..self.ordered_resource(item, 0, first)
            },
            order_item_relationship: self.dependencies(id, levels, relation),
            error_message: self.item_errors(id),
            kind: "ResourceOrderItem".into(),
            rest: Rest::new(),
        }
    }

    /// A resource of an item, by the number of its specification.
    fn ordered_resource(&self, item: &Item, number: usize, spec: &SpecId) -> Resource {
        let id = self.resource_id(&item.line, number);
        let title = self.plan().title(spec);
        Resource {
            href: Some(href("resource", &id)),
            id: Some(id),
            resource_specification: Some(spec_ref("resourceSpecification", spec, title)),
            ..Resource::default()
        }
    }

    fn resource_head(&self) -> OrderHead {
        let from = match self.kind() {
            Kind::ServiceOrder | Kind::ProductOrder => "serviceOrder",
            Kind::ResourceOrder | Kind::Run { .. } => "resourceOrder",
        };
        let mut carried = self.carried();
        if let Some(priority) = carried.remove("priority") {
            // A text in the other two, a number here.
            let priority = priority.as_str().and_then(|text| text.trim().parse::<i64>().ok());
            carried.extend(priority.map(|priority| ("priority".to_string(), priority.into())));
        }
        let mut head = self.head("resourceOrder", carried);
        head.external_reference = vec![ExternalReference {
            id: self.id().to_string(),
            external_reference_type: from.into(),
            entity_type: Some(from.into()),
            owner: Some("ferrule".into()),
            name: Some(tmf::table::path("serviceOrder").into()),
            kind: Some("ExternalReference".into()),
            rest: Rest::new(),
        }];
        head
    }

    /// The attributes of the order that came in which the orders below have too.
    fn carried(&self) -> Rest {
        Attributes::of(&self.shown()).only(|name| CARRIED.contains(&name))
    }

    /// The state of the service that an item is about.
    fn service_state(&self, id: ItemId) -> ServiceState {
        match (self.item_state(id), &self.plan().items[id.index()].origin) {
            (OrderState::Completed, _) => self.delivered_state(id),
            (_, Some(_)) => ServiceState::Active,
            (_, None) => ServiceState::Designed,
        }
    }

    /// Relations to the lines of an order that one of its lines waits for: by its own needs, and by
    /// those of the items above it that are no lines of this order, such as the product whose item
    /// relies on another.
    fn dependencies(
        &self,
        id: ItemId,
        levels: &[Level],
        relation: impl Fn(&str) -> ItemRelationship,
    ) -> Vec<ItemRelationship> {
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
fn is_derived(form: Form, name: &str) -> bool {
    attributes::does(form, attributes::Part::Item, name, Action::Add) == Some(Does::Derived)
}

/// The relation of an item to those that it waits for.
const DEPENDENCY: &str = "dependency";

/// The attributes that the orders below have from the one that came in.
const CARRIED: &[&str] = &[
    "externalId",
    "description",
    "category",
    "priority",
    "requestedCompletionDate",
    "relatedParty",
];

/// A reference to an entity of one of the catalogs.
pub(super) fn spec_ref(resource: &str, spec: &SpecId, name: &str) -> Reference {
    Reference::to(resource, spec.as_str()).named(name)
}

pub(super) fn service_type(level: Level) -> &'static str {
    match level {
        Level::Product | Level::CustomerService => "CFS",
        Level::ResourceService | Level::Resource => "RFS",
    }
}
