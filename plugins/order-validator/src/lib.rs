//! Checks a product order (TMF622) by the rules that a workflow gives it. The order is read whole
//! and every problem is reported at once, so that whoever sent it mends it once.

mod check;
mod item;
mod product;
mod rules;

use ferrule_plugin::{Done, Failure, Task, Validator};
use serde::Deserialize;
use serde_json::{Value, json};

use product::Product;
use rules::Rules;

#[cfg(test)]
mod tests;

/// The most problems that are told; the rest are counted.
const PROBLEMS_MAX: usize = 50;

struct OrderValidator;

impl Validator for OrderValidator {
    fn validate(task: &Task) -> Result<Done, Failure> {
        let input: Input = task.input()?;
        let items = item::flatten(&input.order);
        let mut problems = check::problems(&input.order, &items, &input.rules);
        problems.extend(match &input.products {
            Some(products) => check::products(products, &input.rules),
            None => check::ordered(&items, &input.rules),
        });
        if !problems.is_empty() {
            return Err(Failure::reject("ORDER_INVALID", message(&problems)));
        }
        Ok(Done::new(&json!({"items": items.len()})))
    }
}

ferrule_plugin::validator!(OrderValidator);

/// The step's input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    order: Value,
    /// The products as they are to be; those of the order as it was sent where they are left out.
    products: Option<Vec<Product>>,
    #[serde(default)]
    rules: Rules,
}

fn message(problems: &[String]) -> String {
    let told = problems[..problems.len().min(PROBLEMS_MAX)].join("; ");
    match problems.len().saturating_sub(PROBLEMS_MAX) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}
