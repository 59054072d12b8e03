//! Rejects billing cycles that cannot be read when they are written (TMF666).

use commerce::billing::cycle::Cycle;
use tmf::document;
use tmf::document::account::BillingCycleSpecification;

use super::Books;
use super::invalid;
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
        let cycle = document::read::<BillingCycleSpecification>(after);
        return cycle.and_then(|cycle| Cycle::read(&cycle)).map(drop).map_err(invalid);
    }
    let own = "/billStructure/cycleSpecification";
    let Some(copy) = after.pointer(own) else { return Ok(()) };
    if before.and_then(|before| before.pointer(own)) == Some(copy) {
        return Ok(());
    }
    let copy = document::read::<BillingCycleSpecification>(copy);
    let copy = copy.and_then(|copy| Cycle::read(&copy).map(|_| copy));
    let copy = copy.map_err(|wrong| invalid(wrong.within(OWN)))?;
    let Some(id) = copy.id.as_deref() else { return Ok(()) };
    let Some(kept) = books.session.document("billingCycleSpecification", id)? else {
        return Ok(());
    };
    let kept = document::read::<BillingCycleSpecification>(&kept.body);
    kept.and_then(|kept| Cycle::read(&kept)).map(drop).map_err(|wrong| {
        let message = format!("nothing can be billed by the cycle `{id}`: {wrong}");
        Refusal::unprocessable(format!("{OWN}.id"), message)
    })
}
