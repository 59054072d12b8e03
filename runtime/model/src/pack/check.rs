//! Checks what can be checked of rules and workflows before any order comes: expressions compile
//! and name what is there, and workflows exist.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reader::Reader;
use super::{Code, RULES, WORKFLOWS};
use crate::expr::Expr;
use crate::id::{PluginId, SpecId};
use crate::places::{self, Place};
use crate::rule::{Delivery, Hooks, Produces, Rule, WrittenDelivery, WrittenRule, WrittenRules};
use crate::workflow::{self, Mistakes, Workflow, WrittenWorkflow};
use tmf::nearest::nearest;

/// What a rule's expressions can name.
const RULE_SCOPE: &[&str] = &["item", "product", "order"];

/// What the characteristics for one of a quantity can name besides.
const NUMBER_SCOPE: &[&str] = &["item", "product", "order", "number"];

/// What the characteristics for one element of a list can name besides.
const EACH_SCOPE: &[&str] = &["item", "product", "order", "each"];

/// What a step's conditions can name, when the plan is made.
const PLAN_SCOPE: &[&str] = &["item", "product", "order", "input"];

/// What a step's input can name, when the task is due.
pub(super) const TASK_SCOPE: &[&str] =
    &["item", "product", "products", "order", "input", "steps", "upstream", "task", "fulfilment"];

/// Reads and checks the workflows.
pub(super) fn workflows(
    reader: &mut Reader<'_>,
    written: Vec<WrittenWorkflow>,
) -> BTreeMap<String, Workflow> {
    let tree = reader.tree(WORKFLOWS);
    let mut workflows = BTreeMap::new();
    for (index, entry) in written.into_iter().enumerate() {
        let place = tree.root().get("workflows").at(index);
        let mut mistakes = Mistakes::default();
        let checked = workflow::checked(entry, place, &mut mistakes);
        for wrong in mistakes.0 {
            reader.report(wrong.code, WORKFLOWS, wrong.place, wrong.message, wrong.help);
        }
        workflow(reader, &checked, place);
        if workflows.contains_key(&checked.name) {
            let message = format!("the workflow `{}` occurs twice", checked.name);
            reader.report(Code::Twice, WORKFLOWS, place.get("workflow"), message, None);
        }
        workflows.insert(checked.name.clone(), checked);
    }
    workflows
}

pub(super) fn rules(
    reader: &mut Reader<'_>,
    written: WrittenRules,
) -> (Hooks, BTreeMap<SpecId, Delivery>, Vec<Rule>) {
    let (tree, workflows) = (reader.tree(RULES), reader.workflow_names());
    let root = tree.root();
    let WrittenRules { decompose, deliver, orders } = written;
    let rules = decompose.into_iter().enumerate();
    let rules = rules
        .filter_map(|(index, entry)| rule(reader, entry, root.get("decompose").at(index)))
        .collect();
    let mut deliveries = BTreeMap::new();
    for (index, entry) in deliver.into_iter().enumerate() {
        let place = root.get("deliver").at(index);
        if let Some(name) = &entry.workflow {
            known_workflow(reader, place.get("workflow"), name, workflows.as_ref());
        }
        let delivery = delivery(reader, entry, place);
        if deliveries.contains_key(&delivery.spec) {
            let message = format!("`{}` is delivered twice", delivery.spec);
            reader.report(Code::Twice, RULES, place.get("spec"), message, None);
        }
        deliveries.insert(delivery.spec.clone(), delivery);
    }
    let place = root.get("orders");
    for (key, name) in [
        ("before", &orders.before),
        ("each-product", &orders.each_product),
        ("after", &orders.after),
    ] {
        if let Some(name) = name {
            known_workflow(reader, place.get(key), name, workflows.as_ref());
        }
    }
    let hooks =
        Hooks { before: orders.before, each_product: orders.each_product, after: orders.after };
    (hooks, deliveries, rules)
}

fn rule(reader: &mut Reader<'_>, entry: WrittenRule, place: Place<'_>) -> Option<Rule> {
    let to = match (&entry.to, &entry.plugin) {
        (Some(spec), None) => Produces::Spec(SpecId::new(spec)),
        (None, Some(plugin)) => Produces::Plugin(PluginId::new(plugin)),
        _ => {
            let message = format!("the rule `{}` needs one of `to` and `plugin`", entry.rule);
            reader.report(Code::Contradiction, RULES, place.get("rule"), message, None);
            return None;
        }
    };
    if let Some(message) = several(&entry) {
        reader.report(Code::Contradiction, RULES, place.get("rule"), message, None);
        return None;
    }
    let of_each = match (&entry.for_each, &entry.quantity) {
        (Some(_), _) => EACH_SCOPE,
        (None, Some(_)) => NUMBER_SCOPE,
        (None, None) => RULE_SCOPE,
    };
    for (name, value) in &entry.characteristics {
        let place = place.get("characteristics").get(name);
        template(reader, (RULES, place), value, of_each);
    }
    let when = entry.when.as_deref();
    let when =
        when.and_then(|source| condition(reader, (RULES, place.get("when")), source, RULE_SCOPE));
    let mut value = |key: &str, source: Option<&str>, scope: &[&str]| {
        expression(reader, (RULES, place.get(key)), source?, scope)
    };
    Some(Rule {
        name: entry.rule,
        from: SpecId::new(entry.from),
        to,
        when,
        quantity: value("quantity", entry.quantity.as_deref(), RULE_SCOPE),
        for_each: value("for-each", entry.for_each.as_deref(), RULE_SCOPE),
        key: value("key", entry.key.as_deref(), EACH_SCOPE),
        shared: entry.shared,
        characteristics: entry.characteristics,
    })
}

/// What contradicts itself in how many instances a rule makes.
fn several(entry: &WrittenRule) -> Option<String> {
    let (rule, each) = (&entry.rule, entry.for_each.is_some());
    let counts = each || entry.quantity.is_some();
    if each && entry.quantity.is_some() {
        return Some(format!("the rule `{rule}` has one of `quantity` and `for-each`"));
    }
    if entry.key.is_some() && !each {
        return Some(format!("the rule `{rule}` has a `key`, which goes with `for-each`"));
    }
    if counts && entry.plugin.is_some() {
        return Some(format!("the rule `{rule}` leaves it to its plugin how many there are"));
    }
    (counts && entry.shared)
        .then(|| format!("the rule `{rule}` makes several, so what it makes cannot be `shared`"))
}

fn delivery(reader: &mut Reader<'_>, entry: WrittenDelivery, place: Place<'_>) -> Delivery {
    let specs = |names: Vec<String>| names.into_iter().map(SpecId::new).collect();
    let not_before = entry.not_before.as_deref();
    Delivery {
        spec: SpecId::new(entry.spec),
        workflow: entry.workflow,
        adapter: entry.adapter,
        resources: entry.resources.map(specs),
        needs: specs(entry.needs),
        scope: entry.scope,
        not_before: not_before.and_then(|source| {
            expression(reader, (RULES, place.get("not-before")), source, RULE_SCOPE)
        }),
    }
}

/// Reports a workflow that is not there. Where the file of the workflows cannot be read, that is the
/// cause, and it is reported.
fn known_workflow(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    name: &str,
    workflows: Option<&BTreeSet<String>>,
) {
    let Some(workflows) = workflows.filter(|workflows| !workflows.contains(name)) else { return };
    let known = || workflows.iter().map(String::as_str);
    let help = match nearest(name, known()) {
        Some(meant) => format!("is `{meant}` meant?"),
        None => format!("workflows of this pack: {}", known().collect::<Vec<_>>().join(", ")),
    };
    reader.report(Code::UnknownWorkflow, RULES, place, format!("no workflow `{name}`"), Some(help));
}

/// Checks the expressions of a workflow.
fn workflow(reader: &mut Reader<'_>, workflow: &Workflow, place: Place<'_>) {
    for (index, step) in workflow.steps.iter().enumerate() {
        let place = place.get("steps").at(index);
        if let Some(source) = &step.when {
            condition(reader, (WORKFLOWS, place.get("when")), source, PLAN_SCOPE);
        }
        if let Some(source) = &step.not_before {
            expression(reader, (WORKFLOWS, place.get("not-before")), source, PLAN_SCOPE);
        }
        let before = Before::of(workflow, index);
        input(reader, place.get("input"), &step.step.input, &before);
    }
}

/// The steps whose outputs a step can read.
struct Before<'a> {
    own: &'a str,
    done: BTreeSet<&'a str>,
    all: Vec<&'a str>,
}

impl<'a> Before<'a> {
    fn of(workflow: &'a Workflow, index: usize) -> Self {
        let name = |index: usize| workflow.steps[index].step.step.as_str();
        let mut done = BTreeSet::new();
        let mut open = vec![index];
        while let Some(next) = open.pop() {
            open.extend(workflow.steps[next].needs.iter().filter(|need| done.insert(**need)));
        }
        let all = (0..workflow.steps.len()).map(name).collect();
        Self { own: name(index), done: done.into_iter().map(name).collect(), all }
    }

    /// The mistake in a step that is read, and how to correct it.
    fn wrong(&self, name: &str) -> Option<(String, String)> {
        if self.done.contains(name) {
            return None;
        }
        if name == self.own {
            let message = format!("`steps.{name}` is this step, whose outputs are not there yet");
            return Some((message, self.readable()));
        }
        if self.all.contains(&name) {
            let message = format!("this step does not wait for `{name}`, which it reads");
            return Some((message, format!("write `{name}` into its `needs`")));
        }
        let help = match nearest(name, self.done.iter().copied()) {
            Some(meant) => format!("is `steps.{meant}` meant?"),
            None => self.readable(),
        };
        Some((format!("no step `{name}` in this workflow"), help))
    }

    fn readable(&self) -> String {
        match self.done.iter().copied().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "this step waits for none".into(),
            steps => format!("steps that it waits for: {steps}"),
        }
    }
}

/// Checks the input of a step: its expressions, and the steps that they read.
fn input(reader: &mut Reader<'_>, place: Place<'_>, value: &Value, before: &Before<'_>) {
    for (place, source) in expressions(place, value) {
        let Some(expr) = expression(reader, (WORKFLOWS, place), source, TASK_SCOPE) else {
            continue;
        };
        for name in expr.members("steps") {
            if let Some((message, help)) = before.wrong(name) {
                let at = mention(reader, (WORKFLOWS, place), source, name);
                reader.report_at(Code::UnknownStep, WORKFLOWS, at, message, Some(help));
            }
        }
    }
}

fn template(
    reader: &mut Reader<'_>,
    (file, place): (&str, Place<'_>),
    value: &Value,
    scope: &[&str],
) {
    for (place, source) in expressions(place, value) {
        expression(reader, (file, place), source, scope);
    }
}

/// The expressions of a template, without their `=`, each with its place.
pub(super) fn expressions<'a, 'v>(place: Place<'a>, value: &'v Value) -> Vec<(Place<'a>, &'v str)> {
    match value {
        Value::String(text) => {
            text.strip_prefix('=').map(|source| (place, source)).into_iter().collect()
        }
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values.flat_map(|(index, value)| expressions(place.at(index), value)).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| expressions(place.get(name), value)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Where an expression first names something.
pub(super) fn mention(
    reader: &Reader<'_>,
    (file, place): (&str, Place<'_>),
    source: &str,
    name: &str,
) -> (usize, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found = source.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = source.get(..*at).and_then(|text| text.chars().next_back());
        let after = source.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    });
    let before = source.get(..found.unwrap_or(0)).unwrap_or_default();
    let text = reader.files.get(file).unwrap_or_default();
    places::within(text, place, source, before.chars().count())
}

/// Compiles a condition. One that is never true or false is reported.
fn condition(
    reader: &mut Reader<'_>,
    (file, place): (&str, Place<'_>),
    source: &str,
    scope: &[&str],
) -> Option<Expr> {
    let objects: Vec<_> =
        scope.iter().filter(|name| **name != "input").map(|name| (*name, "an object")).collect();
    let expr = expression(reader, (file, place), source, scope)?;
    let Some(what) = expr.no_condition(&objects) else { return Some(expr) };
    let message = format!("a condition is true or false, this is {what}");
    reader.report(Code::Expression, file, place, message, None);
    None
}

/// Compiles an expression; a mistake is reported where it stands in the file.
fn expression(
    reader: &mut Reader<'_>,
    (file, place): (&str, Place<'_>),
    source: &str,
    scope: &[&str],
) -> Option<Expr> {
    match Expr::parse(source, scope) {
        Ok(expr) => Some(expr),
        Err(error) => {
            let lines = source.split_inclusive('\n').take(error.line - 1);
            let before: usize = lines.map(|line| line.chars().count()).sum();
            let text = reader.files.get(file).unwrap_or_default();
            let at = places::within(text, place, source, before + error.column - 1);
            reader.report_at(Code::Expression, file, at, error.message, error.help);
            None
        }
    }
}
