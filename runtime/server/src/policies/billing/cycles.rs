//! Rejects billing cycles that cannot be read when they are written (TMF666).

use commerce::billing::cycle::Cycle;
use serde_json::Value;
use tmf::Malformed;
use tmf::document;
use tmf::document::account::BillingCycleSpecification;

use super::Books;
use crate::policies::{Draft, Refusal};

/// The attribute of an account that refers to its cycle, and may repeat parts of it.
const OWN: &str = "billStructure.cycleSpecification";

/// Checks a cycle, the copy of one that an account has, and the one that an account refers to. A stored
/// document stays until it is changed.
pub(super) fn check(books: &Books<'_>, draft: &Draft) -> Result<(), Refusal> {
    let Some(after) = &draft.after else { return Ok(()) };
    let before = draft.before.as_ref().map(|before| &before.body);
    if draft.resource.key == "billingCycleSpecification" {
        const READ: [&str; 5] =
            ["frequency", "billingPeriod", "billingDateShift", "dateShift", "paymentDueDateOffset"];
        let is_same = |name: &&str| before.is_some_and(|one| one.get(*name) == after.get(*name));
        if READ.iter().all(is_same) {
            return Ok(());
        }
        return read(after).map(drop).map_err(|wrong| {
            let message = wrong.to_string();
            Refusal::unprocessable(wrong.attribute, message)
        });
    }
    let own = |account: &Value| account.pointer("/billStructure/cycleSpecification").cloned();
    let Some(copy) = own(after).filter(|one| before.and_then(own).as_ref() != Some(one)) else {
        return Ok(());
    };
    if let Err(wrong) = read(&copy) {
        let path = format!("{OWN}.{}", wrong.attribute);
        return Err(Refusal::unprocessable(path.clone(), format!("`{path}` {}", wrong.problem)));
    }
    let Some(id) = copy.get("id").and_then(Value::as_str) else { return Ok(()) };
    let Some(kept) = books.session.document("billingCycleSpecification", id)? else {
        return Ok(());
    };
    read(&kept.body).map(drop).map_err(|wrong| {
        let message = format!("nothing can be billed by the cycle `{id}`: {wrong}");
        Refusal::unprocessable(format!("{OWN}.id"), message)
    })
}

fn read(specification: &Value) -> Result<Cycle, Malformed> {
    document::read::<BillingCycleSpecification>(specification).and_then(|one| Cycle::read(&one))
}
