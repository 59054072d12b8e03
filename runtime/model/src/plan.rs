//! The plan of a fulfilment: what is to be done for which item, and what needs what. A DAG, held
//! as data: when it is carried out, only retries and rollbacks are still decided.

mod locks;
mod prior_work;
mod render;
mod upstream;
mod view;

pub use locks::{Lock, LockMode, SERVING};
pub(crate) use prior_work::PLACES;
pub use prior_work::{PriorWork, Provenance, UNDO, Work};
pub(crate) use upstream::{Upstream, closure};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{Digest, ItemId, PluginId, SpecId, TaskId};
use crate::pricing::sold::Price;
use tmf::document::Characteristics;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// The items of a fulfilment at all levels and the tasks that deliver them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The packs whose rules made it, with the digests they had.
    pub packs: BTreeMap<String, Digest>,
    /// The version of each plugin that its tasks call.
    pub plugins: BTreeMap<PluginId, Digest>,
    /// The steps that its tasks are made from, each once.
    pub steps: Vec<Step>,
    /// The items: parents stand before what they become.
    pub items: Vec<Item>,
    /// The tasks: what a task needs stands before it.
    pub tasks: Vec<Task>,
    /// The products that their bundles can do without: each is a line of its own when it fails.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub optional: BTreeSet<ItemId>,
    /// The names of offerings and of the specifications of resources, where a catalog has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub titles: BTreeMap<SpecId, String>,
    /// The date on which the first of its lines begins; `None` if one begins at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Timestamp>,
    /// It is not complete before this date, whatever is done by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completes: Option<Timestamp>,
    /// The zone of the operator's days when it was made.
    #[serde(default, skip_serializing_if = "Zone::is_utc")]
    pub zone: Zone,
}

/// A line of one of the orders of a fulfilment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its name, unique in the plan: its specification, and a number where there are several.
    pub name: String,
    /// Which order it is a line of.
    pub level: Level,
    /// The id of the line in that order.
    pub line: String,
    /// What it is an instance of; empty for a bundle without one.
    pub spec: SpecId,
    /// The name of the specification.
    pub title: String,
    /// What is wanted of it.
    pub action: Action,
    /// The items that it was decomposed from; several where it is shared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<ItemId>,
    /// The items that must be delivered first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ItemId>,
    /// Its characteristics, name to value.
    #[serde(default, skip_serializing_if = "Characteristics::is_empty")]
    pub characteristics: Characteristics,
    /// The resources that it is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<SpecId>,
    /// The kind of element that carries it out, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// The product offering, of a product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offering: Option<SpecId>,
    /// How many, of a product.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub quantity: u32,
    /// What a product costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    /// The instance in an inventory that it changes, where it does not make one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The id of the place, of a line of the order that came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Which of several instances of its specification for one parent it is, where the rules say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The name under which it serves its customer across orders, of an item of scope `customer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves: Option<String>,
    /// Where the instance comes from, where it was made before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Provenance>>,
}

impl Item {
    /// A line that adds one of a specification, which it and its title are named after.
    pub fn new(level: Level, spec: SpecId, line: impl Into<String>) -> Self {
        Self {
            name: spec.to_string(),
            level,
            line: line.into(),
            title: spec.to_string(),
            spec,
            action: Action::Add,
            parents: Vec::new(),
            needs: Vec::new(),
            characteristics: Characteristics::new(),
            resources: Vec::new(),
            adapter: None,
            offering: None,
            quantity: 1,
            prices: Vec::new(),
            instance: None,
            not_before: None,
            place: None,
            part: None,
            serves: None,
            origin: None,
        }
    }
}

/// What tells the instances of a specification below one parent apart when the order is changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The rule that made it. Rules about one edge may be alternatives: an instance that another
    /// of them asks for is the same, changed.
    Rule(String),
    /// The element of a list that it was made for: for another element it is another.
    Each(String),
    /// Its number.
    Number(u64),
}

/// Which order an item is a line of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The product order.
    Product,
    /// The service order, as a service that a customer knows (CFS).
    CustomerService,
    /// The service order, as a service that the network knows (RFS).
    ResourceService,
    /// The resource order.
    Resource,
}

/// The line that an item is for, the first where there are several.
pub fn root_of(items: &[Item], item: ItemId) -> ItemId {
    let mut id = item;
    loop {
        let item = &items[id.index()];
        match item.parents.first() {
            Some(parent) if item.level != Level::Product => id = *parent,
            Some(_) | None => return id,
        }
    }
}

impl Level {
    /// The resource of the inventory that its instances are in.
    pub fn inventory(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::CustomerService | Self::ResourceService => "service",
            Self::Resource => "resource",
        }
    }
}

impl Item {
    /// Whether it is in the plan only since others need or share it.
    pub fn stays(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.stays)
    }
}

/// What is wanted of an item (TMF622, `ItemActionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It shall be created.
    Add,
    /// It shall change.
    Modify,
    /// It shall cease.
    Delete,
    /// It is named for its relations only.
    NoChange,
}

impl Action {
    /// Reads the standard's word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "add" => Some(Self::Add),
            "modify" => Some(Self::Modify),
            "delete" => Some(Self::Delete),
            "noChange" => Some(Self::NoChange),
            _ => None,
        }
    }

    /// The standard's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Delete => "delete",
            Self::NoChange => "noChange",
        }
    }
}

/// One step to do, for an item or for the whole order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The item; nothing for a step of the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// The position in [`Plan::steps`] of the step that it is made from.
    pub step: u32,
    /// What must be done first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<TaskId>,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What is done of the step.
    #[serde(default, skip_serializing_if = "Work::is_do")]
    pub work: Work,
}

/// The definition that a task is made from: a step of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The workflow.
    pub workflow: String,
    /// The step's name in it.
    pub step: String,
    /// The plugin that carries it out.
    pub plugin: PluginId,
    /// Its input; a text that begins with `=` is an expression, evaluated when the task is due.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u64,
    /// When to try again.
    pub retry: Retry,
    /// What follows when it fails for good.
    pub on_failure: OnFailure,
    /// Whether a rollback undoes it by calling the plugin.
    pub undo: bool,
    /// Whether it is a point of no return: once it is done, the order is not rolled back any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub point_of_no_return: bool,
    /// The milestone of the order that is reached when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<String>,
    /// How long it takes when all goes well, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ms: Option<u64>,
}

/// When a failed attempt is followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Max attempts.
    pub attempts: u32,
    /// The pause after the first, in milliseconds; it doubles each time.
    pub first_ms: u64,
    /// The longest pause, in milliseconds.
    pub max_ms: u64,
}

/// What follows when a task has failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// The order is held and an operator is asked.
    Hold,
    /// Completed work is undone in reverse order, and the order fails.
    RollBack,
}

/// How a plan may be wrong. Plans are made by rules or by a program that submits one: both are
/// checked the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A task needs one that does not stand before it, so the needs may run in a circle.
    #[error("task {task} needs task {needs}, which does not stand before it")]
    Order {
        /// The task.
        task: TaskId,
        /// What it needs.
        needs: TaskId,
    },
    /// A task is made from a step that the plan does not have.
    #[error("task {task} is made from step {step}, which the plan does not have")]
    Step {
        /// The task.
        task: TaskId,
        /// The position.
        step: u32,
    },
    /// A task is for an item that the plan does not have.
    #[error("task {task} is for item {item}, which the plan does not have")]
    Item {
        /// The task.
        task: TaskId,
        /// The position.
        item: ItemId,
    },
    /// An item was decomposed from one that the plan does not have.
    #[error("item {item} was decomposed from item {parent}, which the plan does not have")]
    Parent {
        /// The item.
        item: ItemId,
        /// The position.
        parent: ItemId,
    },
}

impl Plan {
    /// Checks that every position exists and that needs cannot run in a circle.
    pub fn check(&self) -> Result<(), PlanError> {
        for (index, item) in self.items.iter().enumerate() {
            let gone = item.parents.iter().find(|parent| parent.index() >= self.items.len());
            if let Some(&parent) = gone {
                return Err(PlanError::Parent { item: ItemId::at(index), parent });
            }
        }
        for (index, task) in self.tasks.iter().enumerate() {
            let id = TaskId::at(index);
            if let Some(&needs) = task.needs.iter().find(|needs| **needs >= id) {
                return Err(PlanError::Order { task: id, needs });
            }
            if task.step as usize >= self.steps.len() {
                return Err(PlanError::Step { task: id, step: task.step });
            }
            if let Some(item) = task.item.filter(|item| item.index() >= self.items.len()) {
                return Err(PlanError::Item { task: id, item });
            }
        }
        Ok(())
    }

    /// The name of an offering, or of the specification of a resource; else its id.
    pub fn title<'a>(&'a self, spec: &'a SpecId) -> &'a str {
        self.titles.get(spec).map_or(spec.as_str(), String::as_str)
    }

    /// The task of this name's place; the plan has it, since ids come from the plan.
    pub fn task(&self, task: TaskId) -> &Task {
        &self.tasks[task.index()]
    }

    /// The step that a task is made from.
    pub fn step(&self, task: TaskId) -> &Step {
        &self.steps[self.task(task).step as usize]
    }

    /// Whether the order is not rolled back any more once a task is done. Prior work that was undone is
    /// gone for good: another order may have taken its reservations by then.
    pub fn is_point_of_no_return(&self, task: TaskId) -> bool {
        self.step(task).point_of_no_return || matches!(self.task(task).work, Work::Undo(_))
    }

    /// The milestone that is reached when a task is done; an undo reaches none.
    pub fn milestone(&self, task: TaskId) -> Option<&str> {
        let reaches = !matches!(self.task(task).work, Work::Undo(_));
        self.step(task).milestone.as_deref().filter(|_| reaches)
    }

    /// The item that a task is for.
    pub fn item_of(&self, task: TaskId) -> Option<&Item> {
        self.task(task).item.map(|item| &self.items[item.index()])
    }

    /// A task's name, unique in the plan: its item and its step, such as `RFS-VLAN.activate`.
    pub fn task_name(&self, task: TaskId) -> String {
        let step = &self.step(task).step;
        match self.item_of(task) {
            Some(item) => format!("{}.{step}", item.name),
            None => format!("{}.{step}", self.step(task).workflow),
        }
    }

    /// The items of a level, with their positions.
    pub fn items_of(&self, level: Level) -> impl Iterator<Item = (ItemId, &Item)> + '_ {
        self.items
            .iter()
            .enumerate()
            .filter(move |(_, item)| item.level == level)
            .map(|(index, item)| (ItemId::at(index), item))
    }
}

/// A naive version of the index of a fulfilment, to compare it with.
#[cfg(test)]
impl Plan {
    /// The tasks of an item, in order.
    pub(crate) fn tasks_of(&self, item: ItemId) -> impl Iterator<Item = TaskId> + '_ {
        self.tasks
            .iter()
            .enumerate()
            .filter(move |(_, task)| task.item == Some(item))
            .map(|(index, _)| TaskId::at(index))
    }

    /// The items that were decomposed from this one.
    pub(crate) fn children_of(&self, parent: ItemId) -> impl Iterator<Item = ItemId> + '_ {
        self.items
            .iter()
            .enumerate()
            .filter(move |(_, item)| item.parents.contains(&parent))
            .map(|(index, _)| ItemId::at(index))
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(quantity: &u32) -> bool {
    *quantity == 1
}
