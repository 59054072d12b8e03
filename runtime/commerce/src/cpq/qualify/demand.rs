//! What a plan's tasks would take from pools: the steps' inputs name them, by themselves or by an
//! expression over what is known before anything is done.

use std::collections::BTreeMap;

use serde_json::Value;

use model::expr::{Expressions, Scope};
use model::id::PoolId;
use model::plan::{Plan, root_of};

/// How many values of each pool a plan takes.
pub(super) fn of(plan: &Plan, document: &Value) -> BTreeMap<PoolId, u64> {
    let mut expressions = Expressions::default();
    let order = Scope::default().with("order", document);
    let mut demand: BTreeMap<PoolId, u64> = BTreeMap::new();
    for task in &plan.tasks {
        let templates = pools_of(&plan.steps[task.step as usize].input);
        if templates.is_empty() {
            continue;
        }
        let mut scope = order.clone();
        if let Some(item) = task.item {
            scope = scope.with("item", &plan.items[item.index()].view());
            let root = root_of(&plan.items, item);
            scope = scope.with("product", &plan.items[root.index()].product_view());
        }
        for template in templates {
            // One that depends on what another step gives is known when that is done.
            let pool = expressions.fill(template, &scope).ok();
            if let Some(Value::String(pool)) = pool {
                *demand.entry(PoolId::new(pool)).or_default() += 1;
            }
        }
    }
    demand
}

/// The pools that a step's input names, as it is written: `pool`, or each entry of `take`.
fn pools_of(input: &Value) -> Vec<&Value> {
    let several = input.get("take").and_then(Value::as_array).into_iter().flatten();
    input.get("pool").into_iter().chain(several.filter_map(|take| take.get("pool"))).collect()
}
