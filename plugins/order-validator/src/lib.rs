//! Checks a product order (TMF622) by the rules that a workflow gives it. The order is read whole
//! and every problem is reported at once, so that its sender corrects it once.

mod check;
mod item;
mod product;
mod rules;

use ferrule_plugin::{Context, Failure, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use product::Product;
use rules::Rules;

#[cfg(test)]
mod tests;

/// Max problems that are reported; the rest are counted.
const PROBLEMS_MAX: usize = 50;

struct OrderValidator;

impl Validator for OrderValidator {
    type Input = Input;
    type Output = Valid;

    fn validate(_context: &Context, input: Input) -> Result<Valid, Failure> {
        let items = item::flatten(&input.order);
        let mut problems = check::problems(&input.order, &items, &input.rules);
        problems.extend(match &input.products {
            Some(products) => check::products(products, &input.rules),
            None => check::ordered(&items, &input.rules),
        });
        if !problems.is_empty() {
            return Err(Failure::reject("ORDER_INVALID", message(&problems)));
        }
        Ok(Valid { items: items.len() })
    }
}

ferrule_plugin::export!(OrderValidator as Validator);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// the order: `=order`
    order: Value,
    /// what is ordered, with defaults: `=products`
    #[schemars(with = "Value")]
    #[serde(default)]
    products: Option<Vec<Product>>,
    /// what is asked of it
    #[serde(default)]
    rules: Rules,
}

#[derive(Debug, JsonSchema, PartialEq, Serialize)]
struct Valid {
    /// how many items it has
    items: usize,
}

fn message(problems: &[String]) -> String {
    let told = problems[..problems.len().min(PROBLEMS_MAX)].join("; ");
    match problems.len().saturating_sub(PROBLEMS_MAX) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}
