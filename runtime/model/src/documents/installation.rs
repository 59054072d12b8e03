//! Changes of the records of installed instances by a completed order: the owner of an instance, and the
//! instances that use and need it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Changes;
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::{InstanceId, ItemId};
use crate::installed::{INSTALLED, ORDERED, Record, SERVING};
use crate::journal::End;
use crate::plan::{Action, Item, Level};

/// Changes that are merged into the record of an instance.
#[derive(Default)]
struct Patch {
    owner: Option<ItemId>,
    users: Map<String, Value>,
    needed_by: Map<String, Value>,
}

impl Fulfilment {
    /// The changes of records by the order; empty unless it is complete.
    pub(crate) fn installs(&self) -> Vec<Record> {
        let mut changes = Changes::default();
        if matches!(self.phase(), Phase::Ended(End::Completed | End::Partial, _)) {
            self.install(&mut changes);
        }
        changes.installed
    }

    /// The records of the instances that the order is about, as they are when it is complete.
    pub(super) fn install(&self, changes: &mut Changes) {
        let failed = self.failed_instances();
        for (id, item) in changes.part.items(self.plan()) {
            // An item that failed changes nothing.
            if self.has_failed(id) {
                continue;
            }
            if item.action == Action::Delete {
                changes.installed.extend(self.uninstalled(id, item));
                continue;
            }
            let own = self.instance_of(id);
            if item.action == Action::Add
                && let Some(name) = &item.serves
            {
                let patch = Some(json!({ "id": name, "instance": own }));
                changes.installed.push(Record { resource: SERVING, id: name.clone(), patch });
            }
            let mut patch = Patch::default();
            for needing in self.needed_by(id) {
                let other = &self.plan().items[needing.index()];
                let stands = other.action != Action::Delete && !self.has_failed(needing);
                if stands && !other.stays() {
                    patch.needed_by.insert(self.instance_of(needing).to_string(), json!(true));
                }
            }
            self.used(id, item, &failed, &mut patch);
            changes.installed.push(self.record(&own, patch));
        }
    }

    /// The instances of lines that failed: they still use what their lines would have stopped to use.
    fn failed_instances(&self) -> BTreeSet<InstanceId> {
        let items = (0..self.plan().items.len()).map(ItemId::at);
        items.filter(|item| self.has_failed(*item)).map(|item| self.instance_of(item)).collect()
    }

    /// Adds the new users of an item, and removes those that use it no longer.
    fn used(&self, id: ItemId, item: &Item, failed: &BTreeSet<InstanceId>, patch: &mut Patch) {
        patch.owner = (!item.stays()).then_some(id);
        let dropped = item.origin.iter().flat_map(|origin| &origin.dropped);
        for dropped in dropped.filter(|dropped| !failed.contains(*dropped)) {
            patch.users.insert(dropped.to_string(), Value::Null);
            patch.needed_by.insert(dropped.to_string(), Value::Null);
        }
        for parent in item.parents.iter().filter(|parent| !self.has_failed(**parent)) {
            if self.plan().items[parent.index()].action != Action::Delete {
                patch.users.insert(self.instance_of(*parent).to_string(), json!(true));
            }
        }
        let is_ordered = self.is_line(item) && item.level != Level::Product;
        if is_ordered && item.parents.is_empty() {
            patch.users.insert(ORDERED.into(), json!(true));
        }
    }

    fn uninstalled(&self, id: ItemId, item: &Item) -> Vec<Record> {
        let own = Record { resource: INSTALLED, id: self.instance_of(id).to_string(), patch: None };
        let serving = item.serves.iter().map(|name| Record {
            resource: SERVING,
            id: name.clone(),
            patch: None,
        });
        std::iter::once(own).chain(serving).collect()
    }

    fn record(&self, id: &InstanceId, patch: Patch) -> Record {
        let mut body = Map::new();
        if let Some(item) = patch.owner {
            body.insert("id".into(), json!(id));
            body.insert("owner".into(), json!(self.id()));
            body.insert("item".into(), json!(item));
        }
        for (name, members) in [("users", patch.users), ("neededBy", patch.needed_by)] {
            if !members.is_empty() {
                body.insert(name.into(), Value::Object(members));
            }
        }
        Record { resource: INSTALLED, id: id.to_string(), patch: Some(Value::Object(body)) }
    }
}
