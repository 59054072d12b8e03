//! The resources that are terminated with an item. Values of pools are released with their
//! reservations.

use tmf::table::ServiceState;

use super::resources::Use;
use super::{Changes, Document};
use crate::fulfilment::Fulfilment;
use crate::id::{ItemId, TaskId};
use crate::plan::{Action, Level};

impl Fulfilment {
    /// The resources that end when a task is rolled back, by the state before that: those of its item,
    /// and of the items above that have no work of their own and were delivered until then.
    pub fn ending(&self, task: TaskId) -> Vec<Document> {
        let Some(item) = self.plan().task(task).item else {
            return Vec::new();
        };
        let is_new = |id: &ItemId| {
            let item = &self.plan().items[id.index()];
            item.action == Action::Add && item.level != Level::Product
        };
        let above = self.ancestors(item).into_iter().filter(|id| self.rests_on_parts(*id));
        let ending = std::iter::once(item).chain(above).filter(is_new);
        let ending = ending.filter(|id| self.was_delivered(*id));
        ending.flat_map(|id| self.own_ending(id)).collect()
    }

    /// The resources of an item as they are terminated.
    pub(super) fn own_ending(&self, item: ItemId) -> Vec<Document> {
        let own = format!("{}-r", self.maker(&self.plan().items[item.index()]).0);
        let mut documents = self.resources(item, Use::Ended);
        let itself = self.named_resource(&self.plan().items[item.index()]);
        documents.retain(|document| {
            document.id.starts_with(&own) || Some(document.id.as_str()) == itself
        });
        for document in &mut documents {
            if let Some(fields) = document.body.as_object_mut() {
                fields.remove("resourceOrderItem");
            }
        }
        documents
    }

    /// The resources of an item that no task of its own writes, once all that it is made of is
    /// delivered or has ceased.
    pub(super) fn resources_without_work(&self, item: ItemId) -> Vec<Document> {
        if !self.rests_on_parts(item) {
            return Vec::new();
        }
        match self.plan().items[item.index()].action {
            Action::Delete => self.own_ending(item),
            Action::Add | Action::Modify | Action::NoChange => self.active_resources(item),
        }
    }

    /// The services of lines that failed whose parts all stand, since other lines share them: no task
    /// of theirs is rolled back.
    pub(super) fn services_without_line(&self, changes: &mut Changes) {
        for (id, item) in changes.part.items(self.plan()) {
            let is_service = matches!(item.level, Level::CustomerService | Level::ResourceService);
            let has_own_tasks = self.tasks_of(id).next().is_some();
            if !is_service || item.action != Action::Add || !self.has_failed(id) || has_own_tasks {
                continue;
            }
            if self.was_delivered(id) {
                changes.documents.push(self.service(id, ServiceState::Terminated));
                changes.documents.extend(self.own_ending(id));
            }
        }
    }

    /// Whether an item has resources, and no task of its own.
    fn rests_on_parts(&self, item: ItemId) -> bool {
        !self.plan().items[item.index()].resources.is_empty()
            && self.tasks_of(item).next().is_none()
    }
}
