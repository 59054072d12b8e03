//! A fulfilment that owns instances: what is below an item, and the work that stands for it, found
//! without a look at all of its plan.

use std::sync::Arc;

use crate::expr::Expressions;
use crate::fulfilment::Fulfilment;
use crate::id::{InstanceId, ItemId, TaskId};
use crate::outcome::Failure;
use crate::plan::{Action, Item, Made, Step};

/// A fulfilment that owns instances.
#[derive(Clone, Debug)]
pub struct Owner {
    fulfilment: Arc<Fulfilment>,
    /// The items below each item.
    below: Vec<Vec<ItemId>>,
    /// The tasks of each item.
    tasks: Vec<Vec<TaskId>>,
}

impl Owner {
    /// A fulfilment that owns instances.
    pub fn new(fulfilment: Arc<Fulfilment>) -> Self {
        let plan = &fulfilment.plan;
        let mut below = vec![Vec::new(); plan.items.len()];
        for (index, item) in plan.items.iter().enumerate() {
            for parent in &item.parents {
                below[parent.index()].push(ItemId::at(index));
            }
        }
        let mut tasks = vec![Vec::new(); plan.items.len()];
        for (index, task) in plan.tasks.iter().enumerate() {
            if let Some(item) = task.item {
                tasks[item.index()].push(TaskId::at(index));
            }
        }
        Self { fulfilment, below, tasks }
    }

    /// The fulfilment.
    pub fn fulfilment(&self) -> &Fulfilment {
        &self.fulfilment
    }

    pub(super) fn item(&self, id: ItemId) -> Option<&Item> {
        self.fulfilment.plan.items.get(id.index())
    }

    /// The instances of items that have not ceased.
    pub(super) fn there<'a>(
        &'a self,
        items: &'a [ItemId],
    ) -> impl Iterator<Item = InstanceId> + use<'a> {
        let item = |id: &&ItemId| &self.fulfilment.plan.items[id.index()];
        let there = items.iter().filter(move |id| item(id).action != Action::Delete);
        there.map(|id| self.fulfilment.instance_of(*id))
    }

    /// The instances below an item.
    pub(super) fn parts(&self, item: ItemId) -> impl Iterator<Item = InstanceId> + '_ {
        self.there(&self.below[item.index()])
    }

    /// The work that stands for an item, in the order in which it was done, each with its step.
    pub(in crate::decompose) fn standing(
        &self,
        item: ItemId,
        expressions: &mut Expressions,
    ) -> Result<Vec<(Step, Made)>, Failure> {
        self.fulfilment.standing_of(item, &self.tasks[item.index()], expressions)
    }
}
