//! Checks what can be checked of rules and workflows before any order comes: expressions compile
//! and name what is there, and workflows exist.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{RULES, Reader, WORKFLOWS};
use crate::expr::{Expr, expressions_of};
use crate::id::{PluginId, SpecId};
use crate::rule::{Delivery, Hooks, Produces, Rule, WrittenDelivery, WrittenRule, WrittenRules};
use crate::workflow::Workflow;

/// What a rule's expressions can name.
const RULE_SCOPE: &[&str] = &["item", "product", "order"];

/// What the characteristics for one element of a list can name besides.
const EACH_SCOPE: &[&str] = &["item", "product", "order", "each"];

/// What a step's conditions can name, when the plan is made.
const PLAN_SCOPE: &[&str] = &["item", "product", "order", "input"];

/// What a step's input can name, when the task is due.
const TASK_SCOPE: &[&str] =
    &["item", "product", "order", "input", "steps", "upstream", "task", "fulfilment"];

pub(super) fn rules(
    reader: &mut Reader<'_>,
    written: &WrittenRules,
    workflows: &BTreeMap<String, Workflow>,
) -> (Hooks, BTreeMap<SpecId, Delivery>, Vec<Rule>) {
    let rules = written.decompose.iter().filter_map(|entry| rule(reader, entry)).collect();
    let mut deliveries = BTreeMap::new();
    for entry in &written.deliver {
        let delivery = delivery(reader, entry, workflows);
        if deliveries.insert(delivery.spec.clone(), delivery).is_some() {
            let message = format!("`{}` is delivered twice", entry.spec);
            reader.report_again(RULES, &entry.spec, message);
        }
    }
    let orders = &written.orders;
    for name in [&orders.before, &orders.each_product, &orders.after].into_iter().flatten() {
        known_workflow(reader, name, workflows);
    }
    let hooks = Hooks {
        before: orders.before.clone(),
        each_product: orders.each_product.clone(),
        after: orders.after.clone(),
    };
    (hooks, deliveries, rules)
}

fn rule(reader: &mut Reader<'_>, entry: &WrittenRule) -> Option<Rule> {
    let to = match (&entry.to, &entry.plugin) {
        (Some(spec), None) => Produces::Spec(SpecId::new(spec)),
        (None, Some(plugin)) => Produces::Plugin(PluginId::new(plugin)),
        _ => {
            let message = format!("the rule `{}` needs one of `to` and `plugin`", entry.rule);
            reader.report(RULES, &entry.rule, message, None);
            return None;
        }
    };
    if let Some(message) = several(entry) {
        reader.report(RULES, &entry.rule, message, None);
        return None;
    }
    let of_each = if entry.for_each.is_some() { EACH_SCOPE } else { RULE_SCOPE };
    for value in entry.characteristics.values() {
        template(reader, RULES, value, of_each);
    }
    Some(Rule {
        name: entry.rule.clone(),
        from: SpecId::new(&entry.from),
        to,
        when: expression(reader, RULES, entry.when.as_deref(), RULE_SCOPE),
        quantity: expression(reader, RULES, entry.quantity.as_deref(), RULE_SCOPE),
        for_each: expression(reader, RULES, entry.for_each.as_deref(), RULE_SCOPE),
        key: expression(reader, RULES, entry.key.as_deref(), EACH_SCOPE),
        shared: entry.shared,
        characteristics: entry.characteristics.clone(),
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

fn delivery(
    reader: &mut Reader<'_>,
    entry: &WrittenDelivery,
    workflows: &BTreeMap<String, Workflow>,
) -> Delivery {
    if let Some(name) = &entry.workflow {
        known_workflow(reader, name, workflows);
    }
    let specs = |names: &[String]| names.iter().map(SpecId::new).collect();
    Delivery {
        spec: SpecId::new(&entry.spec),
        workflow: entry.workflow.clone(),
        adapter: entry.adapter.clone(),
        resources: entry.resources.as_deref().map(specs),
        needs: specs(&entry.needs),
        scope: entry.scope,
        not_before: expression(reader, RULES, entry.not_before.as_deref(), RULE_SCOPE),
    }
}

fn known_workflow(reader: &mut Reader<'_>, name: &str, workflows: &BTreeMap<String, Workflow>) {
    if !workflows.contains_key(name) {
        let known = workflows.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let help = Some(format!("workflows of this pack: {known}"));
        reader.report(RULES, name, format!("no workflow `{name}`"), help);
    }
}

/// Checks the expressions of a workflow.
pub(super) fn workflow(reader: &mut Reader<'_>, workflow: &Workflow) {
    for step in &workflow.steps {
        expression(reader, WORKFLOWS, step.when.as_deref(), PLAN_SCOPE);
        expression(reader, WORKFLOWS, step.not_before.as_deref(), PLAN_SCOPE);
        template(reader, WORKFLOWS, &step.step.input, TASK_SCOPE);
    }
}

fn template(reader: &mut Reader<'_>, file: &str, value: &Value, scope: &[&str]) {
    for source in expressions_of(value) {
        expression(reader, file, Some(source), scope);
    }
}

/// Compiles an expression; a mistake is reported where the expression stands in the file.
fn expression(
    reader: &mut Reader<'_>,
    file: &str,
    source: Option<&str>,
    scope: &[&str],
) -> Option<Expr> {
    let source = source?;
    match Expr::parse(source, scope) {
        Ok(expr) => Some(expr),
        Err(error) => {
            let text = reader.files.get(file).unwrap_or_default();
            let first = source.lines().next().unwrap_or_default();
            let offset = super::places(text, first).next().unwrap_or(0);
            let (line, column) = super::line_and_column(text, offset);
            let (line, column) = match error.line {
                1 => (line, column + error.column - 1),
                // A folded or literal block: its lines are indented, so the column is not known.
                below => (line + below - 1, 1),
            };
            reader.report_at(file, line, column, error.message, error.help);
            None
        }
    }
}
