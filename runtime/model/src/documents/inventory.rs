//! The documents that a fulfilment writes into the inventories: resources when they are reserved and
//! when they are in use, services when they are active, products when they are ordered and when they
//! are active.

use std::collections::BTreeSet;

use tmf::document::product::ProductChange;
use tmf::document::service::Service;
use tmf::document::{DateTime, Overlay, Reference};
use tmf::table::{OrderState, ProductStatus, ServiceState};

use super::change::Stage;
use super::orders::{service_type, spec_ref};
use super::resources::Use;
use super::{Changes, Document, href, listed};
use crate::fulfilment::Fulfilment;
use crate::id::{FulfilmentId, InstanceId, ItemId, TaskId};
use crate::plan::{Action, Item, Level};
use crate::task::TaskState;

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

    /// Products are in the inventory from the moment their order is planned.
    pub(super) fn planned(&self, changes: &mut Changes) {
        self.products(|_| ProductStatus::PendingActive, changes);
        self.changed_lines(Stage::Begun, changes);
    }

    /// A task is done: its pool values are reserved, and its item may be delivered now.
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
        // An instance that is changed is written when the order is complete: until then it may be
        // rolled back.
        if !delivered || action == Action::Modify {
            for reservation in self.tasks()[task.index()].reservations() {
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
            Level::CustomerService => self.state_of_work(item) == OrderState::Completed,
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
            if is_service && is_alike && self.item_state(parent) == OrderState::Completed {
                changes.documents.push(self.service(parent, self.delivered_state(parent)));
                changes.documents.extend(self.resources_without_work(parent));
            }
        }
    }

    /// A task was undone: the service that it had delivered is terminated.
    pub(super) fn undone(&self, task: TaskId, changes: &mut Changes) {
        let Some(item) = self.plan().task(task).item else {
            return;
        };
        if self.plan().items[item.index()].action != Action::Add {
            // It is as it was again, and so is its document.
            return;
        }
        // The state is `Undone` by now. The pool values of the task were written with its success, so
        // only the journal has them. The engine passes them to `released`.
        let level = self.plan().items[item.index()].level;
        if matches!(level, Level::CustomerService | Level::ResourceService) {
            changes.documents.push(self.service(item, ServiceState::Terminated));
        }
        // A service is terminated as soon as a part of it is.
        for parent in self.ancestors(item) {
            let Item { level, action, .. } = &self.plan().items[parent.index()];
            let is_service = matches!(level, Level::CustomerService | Level::ResourceService);
            if is_service && *action == Action::Add {
                changes.documents.push(self.service(parent, ServiceState::Terminated));
            }
        }
    }

    pub(super) fn products(&self, status: impl Fn(ItemId) -> ProductStatus, changes: &mut Changes) {
        let items = changes.part.items(self.plan());
        let added =
            items.filter(|(_, item)| item.level == Level::Product && item.action == Action::Add);
        for (id, item) in added.filter(|(id, _)| !self.is_delivered_early(*id)) {
            self.new_product(id, item, status(id), changes);
        }
    }

    /// A product that the order adds.
    pub(super) fn new_product(
        &self,
        id: ItemId,
        item: &Item,
        status: ProductStatus,
        changes: &mut Changes,
    ) {
        let product = self.product_id(item);
        let mut body = self.product_parts(id, item);
        body.id = Some(product.clone());
        body.href = Some(href("product", &product));
        body.name = Some(item.title.clone());
        body.status = Some(status);
        body.order_date = Some(DateTime::from(self.submitted_at()));
        body.product_order_item = Some(vec![self.product_link(item)]);
        if status == ProductStatus::Active {
            body.start_date = Some(DateTime::from(self.updated_at()));
        }
        let mut document = Document::new("product", product, &body);
        self.as_ordered(id, &mut document);
        if self.is_returned(id)
            && let Some(mut fields) = Overlay::on(&mut document.body)
        {
            fields.set("terminationDate", &DateTime::from(self.updated_at()));
        }
        changes.documents.push(document);
    }

    /// The attributes of a product that follow from its item and from its parts.
    pub(super) fn product_parts(&self, id: ItemId, item: &Item) -> ProductChange {
        let relations = self.bundled(id);
        let below = self.parts_of(id).into_iter();
        let services = below.filter(|child| child.level != Level::Product);
        let realizing = services.map(|child| Reference::to("service", &self.service_id(child)));
        let prices = item.prices.iter();
        let prices = prices.map(|price| super::billing::product_price(price, item.quantity));
        let offering = item
            .offering
            .as_ref()
            .map(|offering| spec_ref("productOffering", offering, self.plan().title(offering)));
        let has_spec = !item.spec.as_str().is_empty();
        let spec = has_spec.then(|| spec_ref("productSpecification", &item.spec, &item.title));
        let place = item.place.as_ref().map(|place| {
            let place = Reference::of("GeographicAddress", place);
            vec![Reference { role: Some("installation".into()), ..place }]
        });
        ProductChange {
            is_bundle: Some(!relations.is_empty()),
            is_customer_visible: Some(true),
            product_offering: offering,
            product_specification: spec,
            product_characteristic: Some(listed(item)),
            product_price: Some(prices.collect()),
            product_relationship: Some(relations),
            realizing_service: Some(realizing.collect()),
            place,
            kind: Some("Product".into()),
            ..ProductChange::default()
        }
    }

    pub(super) fn service(&self, id: ItemId, state: ServiceState) -> Document {
        let item = &self.plan().items[id.index()];
        let service = self.service_id(item);
        let is_part =
            |child: &&Item| child.action != Action::Delete || state == ServiceState::Terminated;
        let children = self.children_of(id).map(|child| &self.plan().items[child.index()]);
        let supporting = children
            .filter(is_part)
            .map(|child| Reference::to("service", &self.service_id(child)).named(&child.title));
        let resources = self.resources(id, Use::Active).into_iter();
        let resources = resources.map(|document| Reference::to("resource", &document.id));
        let since = item.origin.as_ref().map_or_else(|| self.updated_at(), |origin| origin.since);
        // An instance that the order is about keeps its name, which may have changed.
        let keeps_name = item.origin.is_some() && self.is_line(item);
        let named = |text: &str| (!keeps_name).then(|| text.to_owned());
        let body = Service {
            id: Some(service.clone()),
            href: Some(href("service", &service)),
            name: named(&item.title),
            service_type: named(service_type(item.level)),
            category: named(service_type(item.level)),
            start_date: Some(DateTime::from(since)),
            end_date: (state == ServiceState::Terminated)
                .then(|| DateTime::from(self.updated_at())),
            service_specification: Some(spec_ref("serviceSpecification", &item.spec, &item.title)),
            service_characteristic: Some(listed(item)),
            supporting_service: Some(supporting.collect()),
            supporting_resource: Some(resources.collect()),
            kind: Some(service_type(item.level).into()),
            ..self.service_in(item, state)
        };
        let mut document = Document::new("service", service, &body);
        if item.origin.is_none() {
            self.for_parties(&mut document);
        }
        self.as_ordered(id, &mut document);
        self.as_asked(item, &mut document);
        document
    }

    /// The attributes of a service that change with its state.
    pub(super) fn service_in(&self, item: &Item, state: ServiceState) -> Service {
        Service {
            state: Some(state),
            is_service_enabled: Some(state == ServiceState::Active),
            service_date: Some(DateTime::from(self.updated_at())),
            service_order_item: Some(self.service_links(item)),
            ..Service::default()
        }
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

    pub(super) fn ancestors(&self, item: ItemId) -> Vec<ItemId> {
        let mut found = BTreeSet::new();
        let mut open = vec![item];
        while let Some(next) = open.pop() {
            let parents = &self.plan().items[next.index()].parents;
            open.extend(parents.iter().filter(|parent| found.insert(**parent)));
        }
        found.into_iter().collect()
    }
}
