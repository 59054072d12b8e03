//! What to ask of the elements about an instance: the work for it that stands, or that was taken
//! back where it is no more.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::reading::{Holder, Reading};
use crate::codes::FailureCode;
use crate::expr::{Expressions, expressions_of};
use crate::fulfilment::Fulfilment;
use crate::id::{Digest, FulfilmentId, ItemId, PluginId, SpecId, TaskId};
use crate::journal::Kind;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level, OnFailure, Plan, PriorWork, Step, Task, Work};
use crate::task::TaskState;

/// What the key of work ends with that was done again because a change of it was taken back.
const UNDO: &str = ":undo";

/// A fulfilment that made an instance, or changed it.
#[derive(Clone, Debug)]
pub struct Maker {
    /// As it is.
    pub fulfilment: Arc<Fulfilment>,
    /// As it was before anything was taken back ([`Fulfilment::fold_before_undo`]), where it did not
    /// complete.
    pub before_undo: Option<Fulfilment>,
}

/// Whether the work is to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The inventory says that it is in use.
    There,
    /// The inventory says that it is no more.
    Gone,
}

/// What is asked of a plugin about one piece of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The fulfilment that says how the work stands.
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
    /// What it task_output.
    pub outputs: Map<String, Value>,
    /// The specification of the item.
    pub spec: SpecId,
    /// What was wanted of the item.
    pub action: Action,
    /// The item's characteristics.
    pub characteristics: Map<String, Value>,
    /// Whether it is to be there.
    pub expected: Expected,
}

/// What to ask about an instance; nothing where its state promises nothing, and a failure where
/// nobody can be asked. Makers are in the order in which its document names them.
pub fn questions(
    resource: &str,
    document: &Value,
    makers: &[Maker],
) -> Result<Vec<Question>, Failure> {
    let Some(expected) = expected(resource, document) else {
        return Ok(Vec::new());
    };
    let id = text(document, "id");
    if let Some(open) = makers.iter().find(|maker| !maker.fulfilment.is_ended()) {
        return Err(busy(open.fulfilment.id()));
    }
    let mut last_first = makers.iter().rev();
    let completed = last_first.find_map(|maker| {
        let item = item_of(resource, document, &maker.fulfilment)?;
        maker.fulfilment.is_delivered(item).then_some((maker, item))
    });
    if let Some((owner, item)) = completed {
        return stood(&owner.fulfilment, item, expected);
    }
    let unwound = makers.iter().rev().find_map(|maker| {
        let item = item_of(resource, document, &maker.fulfilment)?;
        Some((maker, maker.before_undo.as_ref()?, item))
    });
    match (unwound, expected) {
        (Some((maker, before, item)), Expected::Gone) => undone(&maker.fulfilment, before, item),
        (None, _) | (Some(_), Expected::There) => {
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
                if self.stands_by(other, &key) =>
            {
                Reading::Held { outputs, differences, holder: Holder::Ours }
            }
            answer @ (Reading::Nothing | Reading::Pending | Reading::Held { .. }) => answer,
        }
    }

    /// Whether the work stands under another key, because of a fulfilment: a change of it was taken
    /// back, so that it was done again as it was; or it was repaired.
    fn stands_by(&self, other: &Fulfilment, key: &str) -> bool {
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

/// An order is changing it, so nothing can be said now.
pub(super) fn busy(by: &FulfilmentId) -> Failure {
    let message = format!("order `{by}` is changing it: look again when that has ended");
    Failure::new(FailureClass::Retry, FailureCode::InstanceBusy, message)
}

/// What a document's state promises of the network; nothing where it promises nothing.
fn expected(resource: &str, document: &Value) -> Option<Expected> {
    if resource == "service" {
        return match text(document, "state") {
            "active" | "inactive" => Some(Expected::There),
            "terminated" => Some(Expected::Gone),
            _ => None,
        };
    }
    matches!(text(document, "usageState"), "busy" | "active").then_some(Expected::There)
}

/// The item of a fulfilment that an instance is.
fn item_of(resource: &str, document: &Value, fulfilment: &Fulfilment) -> Option<ItemId> {
    let mut items = fulfilment.plan().items.iter();
    let position = if resource == "service" {
        let id = text(document, "id");
        items.position(|item| item.level != Level::Product && fulfilment.service_id(item) == id)
    } else {
        let links = document.get("resourceOrderItem")?.as_array()?;
        let is_its = |link: &&Value| text(link, "resourceOrderId") == fulfilment.id().as_str();
        let line = text(links.iter().rev().find(is_its)?, "itemId");
        items.position(|item| item.level != Level::Product && item.line == line)
    };
    position.map(ItemId::at)
}

/// The work that stands for an item, or that was taken back because it ceased.
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

/// Whether earlier work was undone, or an operator gave that up: it may be there still.
fn is_over(state: &TaskState) -> bool {
    state.is_done() || matches!(state, TaskState::GivenUp { .. })
}

/// The work for an item that was taken back because its order came to nothing.
fn undone(owner: &Fulfilment, before: &Fulfilment, item: ItemId) -> Result<Vec<Question>, Failure> {
    let mut expressions = Expressions::default();
    let mut asked = Vec::new();
    for task in owner.tasks_of(item) {
        let state = &owner.tasks()[task.index()];
        let was_undone = matches!(state, TaskState::Undone | TaskState::GivenUp { .. });
        if !was_undone || !owner.work(task).is_do() {
            continue;
        }
        // What never began was never asked of an element.
        if !before.tasks()[task.index()].is_begun() {
            continue;
        }
        let task_output = before.tasks()[task.index()].task_output();
        let made = PriorWork {
            step: owner.plan().task(task).step,
            key: owner.idempotency_key(task),
            input: before.input(task, &mut expressions)?,
            outputs: task_output.outputs,
            reservations: task_output.reservations,
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
    /// A plan that does the work again, as a run of its own and so under a key of its own; nothing
    /// where its input would be read as an expression. The work it names is locked by it: no order
    /// changes that meanwhile.
    pub fn repair(&self, version: Digest) -> Option<Plan> {
        let input = Value::Object(self.input.clone());
        if !expressions_of(&input).is_empty() {
            return None;
        }
        let (key, outputs) = (self.key.clone(), self.outputs.clone());
        let made = PriorWork { key, input: self.input.clone(), outputs, ..PriorWork::default() };
        let (on_failure, point_of_no_return) = (OnFailure::Hold, false);
        let step = Step { input, on_failure, undo: false, point_of_no_return, ..self.step.clone() };
        let work = Work::Modify(Box::new(made));
        let task = Task { item: None, step: 0, needs: Vec::new(), not_before: None, work };
        Some(Plan {
            plugins: [(self.plugin().clone(), version)].into(),
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

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}
