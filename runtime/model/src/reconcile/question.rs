//! Questions to the elements about an instance: about the work that was done for it, or that was undone
//! if the instance is terminated.

use std::sync::Arc;

use serde_json::{Map, Value};
use tmf::document::instance::{Instance, State};
use tmf::document::resource::UsageState;
use tmf::table::ServiceState;

use super::reading::{Holder, Reading};
use crate::codes::FailureCode;
use crate::expr::{Expressions, expressions_of};
use crate::fulfilment::Fulfilment;
use crate::id::{Digest, FulfilmentId, ItemId, PluginId, SpecId, TaskId};
use crate::journal::Kind;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level, OnFailure, Plan, PriorWork, Step, Task, Work};
use crate::task::TaskState;
use tmf::document::Characteristics;

/// The end of the key of work that was done again because a change of it was undone.
const UNDO: &str = ":undo";

/// A fulfilment that made an instance, or changed it.
#[derive(Clone, Debug)]
pub struct Maker {
    /// Its current state.
    pub fulfilment: Arc<Fulfilment>,
    /// Its state before anything was undone ([`Fulfilment::fold_before_undo`]), if it did not
    /// complete.
    pub before_undo: Option<Fulfilment>,
}

/// Whether the work is to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is in use in the inventory.
    There,
    /// It is terminated in the inventory.
    Gone,
}

/// A question to a plugin about one piece of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The fulfilment that did the work last.
    pub fulfilment: FulfilmentId,
    /// The item and the step, such as `RFS-VLAN.activate`.
    pub work: String,
    /// The step that the work was made from.
    pub step: Step,
    /// The version of the plugin that the fulfilment had; the one in use now is asked first.
    pub pinned: Option<Digest>,
    /// The key that the work was done under.
    pub key: String,
    /// The input that it was done with.
    pub input: Map<String, Value>,
    /// Its outputs.
    pub outputs: Map<String, Value>,
    /// The specification of the item.
    pub spec: SpecId,
    /// The action of the item.
    pub action: Action,
    /// The item's characteristics.
    pub characteristics: Characteristics,
    /// Whether it is to be there.
    pub expected: Expected,
}

/// The questions about an instance: none if its state promises nothing, and a failure if they cannot be
/// asked. Makers are in the order in which its document names them.
pub fn questions(instance: &Instance, makers: &[Maker]) -> Result<Vec<Question>, Failure> {
    let Some(expected) = expected(instance.state) else {
        return Ok(Vec::new());
    };
    if let Some(open) = makers.iter().find(|maker| !maker.fulfilment.is_ended()) {
        return Err(busy(open.fulfilment.id()));
    }
    let mut last_first = makers.iter().rev();
    let completed = last_first.find_map(|maker| {
        let item = item_of(instance, &maker.fulfilment)?;
        maker.fulfilment.is_delivered(item).then_some((maker, item))
    });
    if let Some((owner, item)) = completed {
        return stood(&owner.fulfilment, item, expected);
    }
    let undone_by = makers.iter().rev().find_map(|maker| {
        let item = item_of(instance, &maker.fulfilment)?;
        Some((maker, maker.before_undo.as_ref()?, item))
    });
    match (undone_by, expected) {
        (Some((maker, before, item)), Expected::Gone) => undone(&maker.fulfilment, before, item),
        (None, _) | (Some(_), Expected::There) => {
            let (resource, id) = (instance.resource(), &instance.id);
            let message = format!("no order of ours made the {resource} `{id}`: look for yourself");
            Err(Failure::new(FailureClass::Operator, FailureCode::InstanceForeign, message))
        }
    }
}

/// The fulfilment and the task that a key is of.
pub fn holder(key: &str) -> Option<(FulfilmentId, TaskId)> {
    let (fulfilment, task) = key.strip_suffix(UNDO).unwrap_or(key).rsplit_once(':')?;
    Some((FulfilmentId::new(fulfilment), TaskId(task.parse().ok()?)))
}

impl Question {
    /// An answer, with what is known of the fulfilment whose key stands there: it may be that of the
    /// same work.
    #[must_use]
    pub fn known(&self, answer: Reading, other: &Fulfilment) -> Reading {
        match answer {
            Reading::Held { outputs, differences, holder: Holder::Other(key) }
                if self.is_done_by(other, &key) =>
            {
                Reading::Held { outputs, differences, holder: Holder::Ours }
            }
            answer @ (Reading::Nothing | Reading::Pending | Reading::Held { .. }) => answer,
        }
    }

    /// Whether the work has another key because of a fulfilment: a change of it was undone, so that it
    /// was done again as it was before, or it was repaired.
    fn is_done_by(&self, other: &Fulfilment, key: &str) -> bool {
        let Some((_, task)) = holder(key) else {
            return false;
        };
        let Some(state) = other.tasks().get(task.index()) else {
            return false;
        };
        let Work::Modify(before) = other.work(task) else {
            return false;
        };
        let is_restored = key.ends_with(UNDO) && matches!(state, TaskState::Undone);
        let is_repaired = !key.ends_with(UNDO) && matches!(other.kind(), Kind::Run { .. });
        before.key == self.key && (is_restored || (is_repaired && state.is_done()))
    }
}

/// An order is changing it, so it cannot be checked now.
pub(super) fn busy(by: &FulfilmentId) -> Failure {
    let message = format!("order `{by}` is changing it: look again when that has ended");
    Failure::new(FailureClass::Retry, FailureCode::InstanceBusy, message)
}

/// Whether the work for an instance is expected in the network; `None` if its state promises nothing.
fn expected(state: State) -> Option<Expected> {
    match state {
        State::Service(Some(ServiceState::Active | ServiceState::Inactive)) => {
            Some(Expected::There)
        }
        State::Service(Some(ServiceState::Terminated)) => Some(Expected::Gone),
        State::Service(_) | State::Product(_) => None,
        State::Resource { usage, .. } => {
            let is_used = matches!(usage, Some(UsageState::Busy | UsageState::Active));
            is_used.then_some(Expected::There)
        }
    }
}

/// The item of a fulfilment that an instance was made by.
fn item_of(instance: &Instance, fulfilment: &Fulfilment) -> Option<ItemId> {
    let mut items = fulfilment.plan().items.iter();
    let position = match instance.state {
        State::Service(_) => items.position(|item| {
            item.level != Level::Product && fulfilment.service_id(item) == instance.id
        }),
        State::Product(_) | State::Resource { .. } => {
            let own = Some(fulfilment.id().as_str());
            let line = instance.links.iter().rev().find(|link| link.order() == own)?.item();
            let line = line.unwrap_or_default();
            items.position(|item| item.level != Level::Product && item.line == line)
        }
    };
    position.map(ItemId::at)
}

/// Questions about the work for an item, or about the work that was undone because it was terminated.
fn stood(owner: &Fulfilment, item: ItemId, expected: Expected) -> Result<Vec<Question>, Failure> {
    if owner.plan().items[item.index()].action == Action::Delete {
        let taken = owner.tasks_of(item).filter_map(|task| match owner.work(task) {
            Work::Undo(made) if is_over(&owner.tasks()[task.index()]) => {
                Some((owner.plan().step(task).clone(), (**made).clone()))
            }
            Work::Undo(_) | Work::Do | Work::Modify(_) => None,
        });
        return Ok(taken.map(|made| question(owner, item, made, expected)).collect());
    }
    let prior_work = owner.prior_work(item, &mut Expressions::default())?;
    Ok(prior_work.into_iter().map(|made| question(owner, item, made, expected)).collect())
}

/// Whether prior work was undone, or an operator gave that up: it may still be there.
fn is_over(state: &TaskState) -> bool {
    state.is_done() || matches!(state, TaskState::GivenUp { .. })
}

/// Questions about the work for an item that was undone because its order failed.
fn undone(owner: &Fulfilment, before: &Fulfilment, item: ItemId) -> Result<Vec<Question>, Failure> {
    let mut expressions = Expressions::default();
    let mut asked = Vec::new();
    for task in owner.tasks_of(item) {
        let state = &owner.tasks()[task.index()];
        let was_undone = matches!(state, TaskState::Undone | TaskState::GivenUp { .. });
        if !was_undone || !owner.work(task).is_do() {
            continue;
        }
        // A task that never began was never asked of an element.
        if !before.tasks()[task.index()].is_begun() {
            continue;
        }
        let task_output = before.tasks()[task.index()].task_output();
        let made = PriorWork {
            key: owner.idempotency_key(task),
            input: before.input(task, &mut expressions)?.into_owned(),
            outputs: task_output.map(|left| left.outputs.clone()).unwrap_or_default(),
            ..PriorWork::default()
        };
        let step = owner.plan().step(task).clone();
        asked.push(question(owner, item, (step, made), Expected::Gone));
    }
    Ok(asked)
}

fn question(
    owner: &Fulfilment,
    item: ItemId,
    (step, made): (Step, PriorWork),
    expected: Expected,
) -> Question {
    let item = &owner.plan().items[item.index()];
    Question {
        fulfilment: owner.id().clone(),
        work: format!("{}.{}", item.name, step.step),
        pinned: owner.plan().plugins.get(&step.plugin).cloned(),
        step,
        key: made.key,
        input: made.input,
        outputs: made.outputs,
        spec: item.spec.clone(),
        action: item.action,
        characteristics: item.characteristics.clone(),
        expected,
    }
}

impl Question {
    /// A plan that does the work again, as a run of its own with a key of its own. The run locks the
    /// prior work, so that no order changes it meanwhile. `None` if its input would be read as an
    /// expression.
    pub fn repair(self, version: Digest) -> Option<Plan> {
        let Self { step, key, input, outputs, .. } = self;
        let template = Value::Object(input.clone());
        if !expressions_of(&template).is_empty() {
            return None;
        }
        let made = PriorWork { key, input, outputs, ..PriorWork::default() };
        let (on_failure, point_of_no_return) = (OnFailure::Hold, false);
        let step = Step { input: template, on_failure, undo: false, point_of_no_return, ..step };
        let work = Work::Modify(Box::new(made));
        let task = Task { item: None, step: 0, needs: Vec::new(), not_before: None, work };
        Some(Plan {
            plugins: [(step.plugin.clone(), version)].into(),
            steps: vec![step],
            tasks: vec![task],
            ..Plan::default()
        })
    }

    /// The plugin that is asked.
    pub fn plugin(&self) -> &PluginId {
        &self.step.plugin
    }
}
