//! The values of pools that a plan's tasks would reserve. The inputs of steps name the pools, as text or
//! by an expression over what is known before the first task runs.

use std::collections::BTreeMap;

use serde_json::Value;

use model::expr::{Expressions, Scope};
use model::id::PoolId;
use model::plan::{Plan, root_of};

/// The number of values of each pool that a plan reserves, by the scope of its order.
pub(super) fn of(plan: &Plan, order: &Scope) -> BTreeMap<PoolId, u64> {
    let mut expressions = Expressions::default();
    let mut demand: BTreeMap<PoolId, u64> = BTreeMap::new();
    for task in &plan.tasks {
        // `pool`, or that of each entry of `take`.
        let input = &plan.steps[task.step as usize].input;
        let several = input.get("take").and_then(Value::as_array).into_iter().flatten();
        let several = several.filter_map(|take| take.get("pool"));
        let mut templates = input.get("pool").into_iter().chain(several).peekable();
        if templates.peek().is_none() {
            continue;
        }
        let mut scope = order.clone();
        if let Some(item) = task.item {
            scope = scope.with("item", &plan.items[item.index()].view());
            let root = root_of(&plan.items, item);
            scope = scope.with("product", &plan.items[root.index()].product_view());
        }
        for template in templates {
            // One that depends on the output of another step is known only when that is done.
            if let Ok(Value::String(pool)) = expressions.fill(template, &scope) {
                *demand.entry(PoolId::new(pool)).or_default() += 1;
            }
        }
    }
    demand
}
