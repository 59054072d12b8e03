//! Checks a product order (TMF622) against the customer's credit, the places that are served, and
//! the other orders and products of the same customer. A workflow chooses the checks, how strict
//! each is, and who must act.

mod address;
mod credit;
mod duplicate;
mod facts;
mod item;

use ferrule_plugin::{Context, Failure, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use facts::Facts;

#[cfg(test)]
mod tests;

struct OrderChecks;

impl Validator for OrderChecks {
    type Input = Input;
    type Output = Passed;

    fn validate(context: &Context, input: Input) -> Result<Passed, Failure> {
        let facts = facts::gather(&input, context.fulfilment())?;
        verdict(findings(&input, &facts, context.fulfilment()))
    }
}

ferrule_plugin::export!(OrderChecks as Validator);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// the order: `=order`
    pub(crate) order: Value,
    /// the day: `=fulfilment.date`
    pub(crate) today: String,
    /// checks what is known of the customer's credit
    #[serde(default)]
    pub(crate) credit: Option<credit::Rules>,
    /// checks the places
    #[serde(default)]
    pub(crate) address: Option<address::Rules>,
    /// checks for the same at the same place
    #[serde(default)]
    pub(crate) duplicate: Option<duplicate::Rules>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Passed {
    /// what was found by checks with `otherwise: note`
    notes: Vec<String>,
}

/// The consequence of a failed check.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// The order is rejected.
    #[default]
    Refuse,
    /// The order is held for an operator.
    Operator,
    /// It is reported in the outputs of the step, and the order goes on.
    Note,
}

/// A finding of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) act: Act,
}

/// The findings of all checks, in order.
fn findings(input: &Input, facts: &Facts, fulfilment: &str) -> Vec<Finding> {
    let items = item::flatten(&input.order);
    let mut found = Vec::new();
    // Credit matters for new products: the customer may change the ones there are.
    let adds = items.iter().any(|item| item.action() == "add");
    if let Some(rules) = input.credit.as_ref().filter(|_| adds) {
        found.extend(credit::check(rules, facts, &input.today));
    }
    if let Some(rules) = &input.address {
        found.extend(address::check(rules, &items));
    }
    if let Some(rules) = &input.duplicate {
        found.extend(duplicate::check(rules, &items, facts, fulfilment));
    }
    found
}

/// Every finding is reported at once; the strictest decides.
fn verdict(found: Vec<Finding>) -> Result<Passed, Failure> {
    let (notes, stops): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|finding| finding.act == Act::Note);
    let strictest =
        stops.iter().find(|finding| finding.act == Act::Refuse).or_else(|| stops.first());
    let Some(strictest) = strictest else {
        let notes = notes.into_iter().map(|note| note.message).collect();
        return Ok(Passed { notes });
    };
    let messages: Vec<&str> = stops.iter().map(|finding| finding.message.as_str()).collect();
    let message = messages.join("; ");
    Err(match strictest.act {
        Act::Refuse => Failure::reject(strictest.code, message),
        Act::Operator | Act::Note => Failure::operator(strictest.code, message),
    })
}
