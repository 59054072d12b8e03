//! What the workflow that looks at orders first asks of an item. Its `rules` are those of the
//! `order-validator`; what they ask of customers and accounts is asked when it is ordered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Configuration, Obstacle};
use model::id::SpecId;
use model::order::Line;
use model::outcome::FailureClass;
use model::rulebook::Rulebook;

/// What stands in the way of the items of a group, by id.
pub(super) fn obstacles(
    configured: &Configuration,
    group: &BTreeSet<usize>,
    rulebook: &Rulebook,
) -> BTreeMap<String, Vec<Obstacle>> {
    let mut found: BTreeMap<String, Vec<Obstacle>> = BTreeMap::new();
    for index in group {
        let line = &configured.order.lines[*index];
        let spec = configured.lines.get(*index).and_then(|line| line.spec.as_ref());
        let ids: Vec<&SpecId> = line.offering.iter().chain(spec).collect();
        for rules in ids.iter().find_map(|id| rules(rulebook, id)).unwrap_or_default() {
            for (code, label) in broken(rules, configured, line, *index, &ids) {
                let obstacle = Obstacle::new(code, FailureClass::Reject, &label);
                found.entry(line.id.clone()).or_default().push(obstacle);
            }
        }
    }
    found
}

/// The rules of the steps that run before everything else for an order of this offering or
/// specification.
fn rules<'a>(rulebook: &'a Rulebook, id: &SpecId) -> Option<Vec<&'a Value>> {
    let before = rulebook.pack_of(id)?.hooks.before.as_deref()?;
    let (_, workflow) = rulebook.workflow(before)?;
    Some(workflow.steps.iter().filter_map(|entry| entry.step.input.get("rules")).collect())
}

fn broken(
    rules: &Value,
    configured: &Configuration,
    line: &Line,
    index: usize,
    ids: &[&SpecId],
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let is_own = |name: &Value| ids.iter().any(|id| name.as_str() == Some(id.as_str()));
    let named = |name: &str| rules.get(name).and_then(Value::as_array).into_iter().flatten();
    if named("requirePlace").any(is_own) && configured.order.place_of(line).is_none() {
        found.push(("PLACE_MISSING", "needs a place: name it in `place`".to_string()));
    }
    let most = rules.get("maxQuantity").and_then(Value::as_u64);
    if let Some(most) = most.filter(|most| u64::from(line.quantity) > *most) {
        found.push(("QUANTITY", format!("at most {most} can be had in one item")));
    }
    let characteristics = configured.lines.get(index).map(|line| &line.characteristics);
    for rule in named("requiredWhen") {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        let has = |name: &str| characteristics.and_then(|values| values.get(name));
        let applies = rule.get("spec").is_some_and(is_own)
            && has(text("characteristic")).is_some_and(|value| Some(value) == rule.get("equals"));
        let required = rule.get("requires").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str).filter(|_| applies) {
            if has(name).is_none() {
                let label = format!("needs `{name}` where `{}` is set", text("characteristic"));
                found.push(("CHARACTERISTIC_MISSING", label));
            }
        }
    }
    found
}
