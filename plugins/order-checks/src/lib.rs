//! Checks a product order (TMF622) against what is known around it: the customer's credit, the
//! places that are served, and the other orders and products of the same customer. A workflow says
//! which of these are asked, how strict each is, and who must act.

mod address;
mod credit;
mod duplicate;
mod facts;
mod item;

use ferrule_plugin::{Done, Failure, Task, Validator};
use serde::Deserialize;
use serde_json::{Value, json};

use facts::Facts;

#[cfg(test)]
mod tests;

struct OrderChecks;

impl Validator for OrderChecks {
    fn validate(task: &Task) -> Result<Done, Failure> {
        let input: Input = task.input()?;
        let facts = facts::gather(&input, &task.fulfilment)?;
        verdict(findings(&input, &facts, &task.fulfilment))
    }
}

ferrule_plugin::validator!(OrderChecks);

/// The step's input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) order: Value,
    /// The day of the order, such as `2026-03-10`.
    pub(crate) today: String,
    #[serde(default)]
    pub(crate) credit: Option<credit::Rules>,
    #[serde(default)]
    pub(crate) address: Option<address::Rules>,
    #[serde(default)]
    pub(crate) duplicate: Option<duplicate::Rules>,
}

/// What follows from a check that something did not pass.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// The order is rejected.
    #[default]
    Refuse,
    /// The order is held for a person.
    Person,
    /// It stands in the outputs of the step, and the order goes on.
    Note,
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) act: Act,
}

/// All that the checks find, in order.
fn findings(input: &Input, facts: &Facts, fulfilment: &str) -> Vec<Finding> {
    let items = item::flatten(&input.order);
    let mut found = Vec::new();
    // Credit is asked for what is added: who has a product may change it.
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

/// Everything that was found is told at once; the strictest of it decides.
fn verdict(found: Vec<Finding>) -> Result<Done, Failure> {
    let (notes, stops): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|finding| finding.act == Act::Note);
    let strictest =
        stops.iter().find(|finding| finding.act == Act::Refuse).or_else(|| stops.first());
    let Some(strictest) = strictest else {
        let notes: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
        return Ok(Done::new(&json!({ "notes": notes })));
    };
    let messages: Vec<&str> = stops.iter().map(|finding| finding.message.as_str()).collect();
    let message = messages.join("; ");
    Err(match strictest.act {
        Act::Refuse => Failure::reject(strictest.code, message),
        Act::Person | Act::Note => Failure::person(strictest.code, message),
    })
}
