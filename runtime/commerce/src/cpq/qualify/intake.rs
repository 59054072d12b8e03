//! The rules for items of the workflow that runs before orders: the `rules` of its `order-validator`.
//! Its rules for customers and accounts are checked when something is ordered.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::{Configuration, Obstacle, Obstacles};
use model::FailureCode;
use model::id::SpecId;
use model::order::Line;
use model::outcome::FailureClass;
use model::rulebook::Rulebook;
use tmf::document::read;

/// The rules of one step. Specifications are named by their ids or those of offerings.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rules {
    require_place: Vec<String>,
    max_quantity: Option<u64>,
    required_when: Vec<RequiredWhen>,
}

/// Characteristics that are mandatory if another has this value.
#[derive(Deserialize)]
struct RequiredWhen {
    spec: String,
    characteristic: String,
    equals: Value,
    requires: Vec<String>,
}

/// The obstacles of the items of a group.
pub(super) fn obstacles<'a, D>(
    configured: &'a Configuration<D>,
    group: &BTreeSet<usize>,
    rulebook: &Rulebook,
) -> Obstacles<'a> {
    let mut found = Obstacles::new();
    for index in group {
        let line = &configured.order.lines[*index];
        let spec = configured.lines.get(*index).and_then(|line| line.spec.as_ref());
        let ids: Vec<&SpecId> = line.offering.iter().chain(spec).collect();
        for rules in ids.iter().find_map(|id| rules(rulebook, id)).unwrap_or_default() {
            let broken = rules.broken(configured, line, *index, &ids);
            if !broken.is_empty() {
                found.entry(line.id.as_str()).or_default().extend(broken);
            }
        }
    }
    found
}

/// The rules of the steps that run before everything else for an order of this offering or
/// specification. Rules with expressions can be checked only when there is an order.
fn rules(rulebook: &Rulebook, id: &SpecId) -> Option<Vec<Rules>> {
    let before = rulebook.pack_of(id)?.hooks.before.as_deref()?;
    let (_, workflow) = rulebook.workflow(before)?;
    let rules = workflow.steps.iter().filter_map(|entry| entry.step.input.get("rules"));
    Some(rules.filter_map(|rules| read(rules).ok()).collect())
}

impl Rules {
    /// The rules that a line breaks.
    fn broken<D>(
        &self,
        configured: &Configuration<D>,
        line: &Line,
        index: usize,
        ids: &[&SpecId],
    ) -> Vec<Obstacle> {
        let mut found = Vec::new();
        let mut reject = |code: FailureCode, label: &str| {
            found.push(Obstacle::new(code, FailureClass::Reject, label));
        };
        let is_own = |name: &String| ids.iter().any(|id| name.as_str() == id.as_str());
        if self.require_place.iter().any(is_own) && configured.order.place_of(line).is_none() {
            reject(FailureCode::PlaceMissing, "needs a place: name it in `place`");
        }
        if let Some(max) = self.max_quantity.filter(|max| u64::from(line.quantity) > *max) {
            reject(FailureCode::Quantity, &format!("at most {max} can be had in one item"));
        }
        let characteristics = configured.lines.get(index).map(|line| &line.characteristics);
        let value = |name: &str| characteristics.and_then(|values| values.get(name));
        for rule in &self.required_when {
            let name = &rule.characteristic;
            if !is_own(&rule.spec) || value(name) != Some(&rule.equals) {
                continue;
            }
            for required in rule.requires.iter().filter(|required| value(required).is_none()) {
                let label = format!("needs `{required}` where `{name}` is set");
                reject(FailureCode::CharacteristicMissing, &label);
            }
        }
        found
    }
}
