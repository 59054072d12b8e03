//! The input of a task: the step's template, its expressions evaluated over what is known when the
//! task is due. It follows from the journal alone, so it is the same after a crash.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Fulfilment;
use crate::codes::FailureCode;
use crate::expr::{Expressions, Members, Scope, expressions_of};
use crate::id::{ItemId, TaskId};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Item, Level, UNDO, Upstream, Work, root_of};
use crate::task::TaskState;

impl Fulfilment {
    /// The key that every attempt at a task carries.
    pub fn idempotency_key(&self, task: TaskId) -> String {
        format!("{}:{task}", self.id)
    }

    /// The name under which the answer to the undo of a task arrives, or to a task that undoes
    /// earlier work: never that of the work itself, whose answer may still come.
    pub fn undo_name(&self, task: TaskId) -> String {
        format!("{}{UNDO}", self.idempotency_key(task))
    }

    /// The name under which the answer to a task arrives. The task's own key belongs to it alone,
    /// and so does that of its undo; any other key lies among those of its plugin.
    pub fn callback_name(&self, task: TaskId, key: &str) -> String {
        let own = self.idempotency_key(task);
        let (done_as, may_be_own) = match self.work(task) {
            Work::Undo(made) => (&made.key, false),
            Work::Do | Work::Modify(_) => (&own, true),
        };
        match key.strip_prefix(done_as.as_str()) {
            Some("") if may_be_own => own,
            Some(UNDO) => self.undo_name(task),
            Some(_) | None => format!("{}/{key}", self.plan.step(task).plugin),
        }
    }

    /// The input of a task. A template that cannot be filled needs a person: the rule is wrong.
    pub fn input(
        &self,
        task: TaskId,
        expressions: &mut Expressions,
    ) -> Result<Cow<'_, Map<String, Value>>, Failure> {
        self.input_for(task, None, expressions)
    }

    /// The input of a task as if it changed what is there; `None` where that is no other.
    pub(super) fn input_of_change(
        &self,
        task: TaskId,
        expressions: &mut Expressions,
    ) -> Result<Option<Map<String, Value>>, Failure> {
        let sources = expressions_of(&self.plan.step(task).input);
        let is_change = self.plan.item_of(task).is_none_or(|item| item.action == Action::Modify);
        if is_change || !sources.iter().any(|source| source.contains("action")) {
            return Ok(None);
        }
        let input = self.input_for(task, Some(Action::Modify), expressions)?;
        let own = self.input(task, expressions)?;
        Ok((input != own).then(|| input.into_owned()))
    }

    /// The input of a task, as if its item had this action.
    fn input_for(
        &self,
        task: TaskId,
        action: Option<Action>,
        expressions: &mut Expressions,
    ) -> Result<Cow<'_, Map<String, Value>>, Failure> {
        if let Work::Undo(made) = self.work(task) {
            return Ok(Cow::Borrowed(&made.input));
        }
        let template = &self.plan.step(task).input;
        let Value::Object(fields) = template else {
            // A step without an input of its own is given the input of the run.
            return Ok(self.document.as_object().map_or_else(Cow::default, Cow::Borrowed));
        };
        let sources = expressions_of(template);
        if sources.is_empty() {
            return Ok(Cow::Borrowed(fields));
        }
        let scope = self.scope(task, &sources, action);
        match expressions.fill(template, &scope) {
            Ok(Value::Object(fields)) => Ok(Cow::Owned(fields)),
            Ok(_) => Ok(Cow::default()),
            Err(error) => {
                let message =
                    format!("the input of `{}` cannot be made: {error}", self.plan.task_name(task));
                Err(Failure::new(FailureClass::Operator, FailureCode::StepInput, message))
            }
        }
    }

    /// The variables that the expressions mention; making all of them for each task would cost
    /// more than evaluating.
    fn scope(&self, task: TaskId, sources: &[&str], action: Option<Action>) -> Scope {
        let mentions = |name: &str| sources.iter().any(|source| source.contains(name));
        let item = self.plan.task(task).item;
        let acted = |mut view: Value| {
            if let Some(action) = action {
                view["action"] = action.as_str().into();
            }
            view
        };
        let mut scope = Scope::default();
        if mentions("item")
            && let Some(item) = item
        {
            scope = scope.with("item", &acted(self.plan.items[item.index()].view()));
        }
        if mentions("product")
            && let Some(root) = item.map(|item| self.root_of(item))
        {
            scope = scope.with("product", &acted(root.product_view()));
        }
        if mentions("products") {
            scope = scope.with("products", &self.product_views());
        }
        if mentions("order") {
            scope = scope.with("order", &self.document);
        }
        if mentions("input") {
            scope = scope.with("input", &self.document);
        }
        if mentions("steps") {
            scope = scope.with_members("steps", &self.steps(task));
        }
        if mentions("upstream") {
            scope = scope.with_members("upstream", &self.upstream(item));
        }
        if mentions("task") {
            let key = self.idempotency_key(task);
            scope = scope.with("task", &json!({ "key": key, "name": self.plan.task_name(task) }));
        }
        if mentions("fulfilment") {
            let date = self.begun_on();
            let item = item.map(|item| &self.plan.items[item.index()]);
            let origin = item.and_then(|item| item.origin.as_ref());
            let id = origin.map_or(&self.id, |origin| &origin.fulfilment);
            scope = scope.with("fulfilment", &json!({ "id": id, "date": date }));
        }
        scope
    }

    /// The products of the order as they are to be, with the ids of their lines.
    fn product_views(&self) -> Value {
        let items = self.plan.items.iter().filter(|item| item.level == Level::Product);
        let products = items.map(|item| {
            let mut view = item.product_view();
            view["id"] = item.line.as_str().into();
            view
        });
        products.collect()
    }

    /// The line of the submitted order that an item comes from, the first where there are several.
    pub(crate) fn root_of(&self, item: ItemId) -> &Item {
        &self.plan.items[root_of(&self.plan.items, item).index()]
    }

    /// The outputs of the steps of the same workflow for the same item, by step.
    fn steps(&self, task: TaskId) -> Members<'_> {
        let own = self.plan.task(task);
        let workflow = &self.plan.step(task).workflow;
        let mut steps = Members::new();
        let origin = own.item.and_then(|item| self.plan.items[item.index()].origin.as_ref());
        for made in origin.iter().flat_map(|origin| &origin.made) {
            let step = &self.plan.steps[made.step as usize];
            if step.workflow == *workflow {
                steps.insert(&step.step, values(&made.outputs).collect());
            }
        }
        for id in self.index.tasks(own.item) {
            let step = self.plan.step(*id);
            if step.workflow == *workflow
                && !matches!(self.work(*id), Work::Undo(_))
                && let TaskState::Done(task_output) = &self.tasks[id.index()]
            {
                steps.insert(&step.step, values(&task_output.outputs).collect());
            }
        }
        steps
    }

    /// The outputs of what an item needs, directly or through others, by specification, with all
    /// that these are made of. What it is a part of may need something too, and the line that it is
    /// for may rely on others: what is nearer counts where both have a specification.
    pub(crate) fn upstream(&self, item: Option<ItemId>) -> Members<'_> {
        let mut outputs = Members::new();
        let Some(item) = item else { return outputs };
        let items = &self.plan.items;
        let children = |id| self.index.children(id).iter().copied();
        let Upstream { near, far } =
            Upstream::of(items, item, children, |id| self.is_line(&items[id.index()]));
        self.outputs(&far, &mut outputs);
        self.outputs(&near, &mut outputs);
        outputs
    }

    /// The outputs of the steps for some items, by specification, in the order of the plan.
    fn outputs<'a>(&'a self, items: &BTreeSet<ItemId>, outputs: &mut Members<'a>) {
        for id in items {
            let item = &self.plan.items[id.index()];
            for made in item.origin.iter().flat_map(|origin| &origin.made) {
                outputs.entry(item.spec.as_str()).or_default().extend(values(&made.outputs));
            }
        }
        let tasks = items.iter().flat_map(|item| self.index.tasks(Some(*item)));
        for task in tasks.copied().collect::<BTreeSet<TaskId>>() {
            let Some(item) = self.plan.item_of(task) else {
                continue;
            };
            let entry = outputs.entry(item.spec.as_str()).or_default();
            if let TaskState::Done(task_output) = &self.tasks[task.index()] {
                entry.extend(values(&task_output.outputs));
            }
        }
    }
}

fn values(outputs: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    outputs.iter().map(|(name, value)| (name.as_str(), value))
}
