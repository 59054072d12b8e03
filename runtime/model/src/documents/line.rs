//! Products when they are delivered or fail: with their whole order, or with their line while others
//! of the order are open.

use std::collections::BTreeSet;

use tmf::document::product::ProductChange;
use tmf::table::ProductStatus;

use super::change::Stage;
use super::{Changes, Document};
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::journal::{End, Event};
use crate::plan::{Action, Item, Level};

impl Fulfilment {
    /// The fulfilment ended: products are active, or are not delivered.
    pub(super) fn ended(&self, end: End, changes: &mut Changes) {
        let products = |status: ProductStatus, changes: &mut Changes| {
            self.products(|_| status, changes);
        };
        match end {
            End::Completed | End::Partial => {
                self.install(changes);
                let status = |item| match self.is_delivered(item) {
                    true => ProductStatus::Active,
                    false => ProductStatus::Aborted,
                };
                self.products(status, changes);
                self.completed(changes);
                self.services_without_line(changes);
                return;
            }
            End::Failed => products(ProductStatus::Aborted, changes),
            End::Rejected => products(ProductStatus::Cancelled, changes),
            End::Cancelled => {
                products(ProductStatus::Cancelled, changes);
                if changes.part.has_last() {
                    self.cancelled(changes);
                }
            }
        }
        self.changed_lines(Stage::Dropped, changes);
    }

    /// The items that the order has delivered, but for those whose lines were delivered before.
    fn completed(&self, changes: &mut Changes) {
        let items = changes.part.items(self.plan());
        let items = items.filter(|(id, _)| !self.is_delivered_early(*id));
        for (id, item) in items {
            self.service_without_work(id, item, changes);
            if self.is_delivered(id) {
                self.charges(id, item, changes);
            }
        }
        self.changed_lines(Stage::Done, changes);
    }

    /// A new service that no task wrote: it needed no task, or its parts were there and were changed.
    pub(super) fn service_without_work(&self, id: ItemId, item: &Item, changes: &mut Changes) {
        let is_service = matches!(item.level, Level::CustomerService | Level::ResourceService);
        let is_new = item.action == Action::Add && !self.has_failed(id);
        if is_service && is_new && (!self.has_tasks(id) || self.rests_on_changes(id)) {
            changes.documents.push(self.service(id, self.delivered_state(id)));
            changes.documents.extend(self.active_resources(id));
        }
    }

    /// The lines that the events of a record deliver while others of the order are open.
    pub(super) fn lines_delivered(&self, events: &[Event], changes: &mut Changes) {
        for line in self.lines_delivered_by(events) {
            for id in self.within(line).collect::<BTreeSet<_>>() {
                self.delivered_in_line(id, changes);
            }
        }
    }

    fn delivered_in_line(&self, id: ItemId, changes: &mut Changes) {
        let item = &self.plan().items[id.index()];
        // An item that other lines share may be for lines that are still open.
        if !self.is_delivered_early(id) || self.has_failed(id) {
            return;
        }
        if item.level != Level::Product {
            self.service_without_work(id, item, changes);
            self.changed_part(id, item, changes);
            return;
        }
        match (&item.origin, item.action) {
            (Some(origin), Action::Delete) if !origin.stays => {
                changes.documents.push(self.changed_product(id, item, origin, Stage::Done));
            }
            (None, Action::Add) => {
                self.new_product(id, item, ProductStatus::Active, changes);
                self.charges(id, item, changes);
            }
            (_, Action::Add | Action::Modify | Action::Delete | Action::NoChange) => {}
        }
    }

    /// The products of lines that were delivered end, since they are rolled back from an event on.
    pub(super) fn returning(&self, event: &Event, changes: &mut Changes) {
        let items = changes.part.items(self.plan());
        let products =
            items.filter(|(_, item)| item.level == Level::Product && item.action == Action::Add);
        for (id, item) in products.filter(|(id, _)| self.is_returned_by(*id, event)) {
            let status = Some(ProductStatus::PendingTerminate);
            let body = ProductChange { status, ..ProductChange::default() };
            changes.documents.push(Document::new("product", self.product_id(item), &body));
            self.credits(id, item, changes);
        }
    }
}
