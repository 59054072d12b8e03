//! Services and resources that are activated directly (TMF640, 702): the order of one line that
//! carries a request out, by the same rules as any other.

use tmf::document::order::SingleItem;
use tmf::document::{Attributes, Characteristic, Rest, write};
use tmf::malformed::Malformed;
use tmf::table::ServiceState;

use crate::order::Form;
use crate::plan::Action;

/// The id of the one line.
pub const LINE: &str = "1";

/// Attributes of an instance that follow from the work and the inventories, whatever a client sends.
const DERIVED: [&str; 13] = [
    "id",
    "href",
    "state",
    "serviceDate",
    "isServiceEnabled",
    "serviceOrderItem",
    "serviceSpecification",
    "supportingService",
    "supportingResource",
    "resourceStatus",
    "usageState",
    "resourceOrderItem",
    "resourceSpecification",
];

/// Attributes of an instance in the line of an order, besides its specification and characteristics.
const ORDERED: [&str; 8] =
    ["name", "description", "category", "serviceType", "state", "place", "relatedParty", "@type"];

/// The attributes of an instance in a request that no decision reads: the inventory shows them.
pub fn attributes(form: Form, instance: Attributes<'_>) -> Rest {
    instance.only(|name| !DERIVED.contains(&name) && name != form.characteristics())
}

/// The order that activates a new instance.
pub fn add(form: Form, instance: Attributes<'_>) -> SingleItem {
    let subject = instance.only(|name| is_ordered(form, name) || name == form.characteristics());
    order(Action::Add, subject, instance)
}

/// The order that changes an instance; `None` if only attributes change that the inventory alone
/// knows. A characteristic that is not named stays as it is.
pub fn modify(
    form: Form,
    before: Attributes<'_>,
    after: Attributes<'_>,
) -> Result<Option<SingleItem>, Malformed> {
    let changed = changed(form.characteristics(), before, after)?;
    let state = form.state().filter(|state| before.text(state) != after.text(state));
    if changed.is_empty() && state.is_none() {
        return Ok(None);
    }
    if state.is_some_and(|state| after.text(state) == Some(ServiceState::Terminated.as_str())) {
        return Ok(Some(delete(before)));
    }
    let is_kept_state = |name: &str| state.is_none() && Some(name) == form.state();
    let mut subject = after.only(|name| is_ordered(form, name) && !is_kept_state(name));
    subject.extend(before.only(|name| name == "id"));
    subject.insert(form.characteristics().into(), write(&changed));
    Ok(Some(order(Action::Modify, subject, after)))
}

/// The order that terminates an instance.
pub fn delete(before: Attributes<'_>) -> SingleItem {
    order(Action::Delete, before.only(|name| name == "id"), before)
}

/// Whether the line of an order has an attribute of an instance.
fn is_ordered(form: Form, name: &str) -> bool {
    ORDERED.contains(&name) || name == form.spec()
}

fn order(action: Action, subject: Rest, from: Attributes<'_>) -> SingleItem {
    SingleItem {
        id: LINE.into(),
        action: action.as_str().into(),
        subject,
        rest: from.only(|name| name == "relatedParty"),
    }
}

/// The characteristics that have another value, or are new.
fn changed(
    list: &str,
    before: Attributes<'_>,
    after: Attributes<'_>,
) -> Result<Vec<Characteristic>, Malformed> {
    let before: Vec<Characteristic> = before.read(list)?.unwrap_or_default();
    let mut after: Vec<Characteristic> = after.read(list)?.unwrap_or_default();
    after.retain(|entry| {
        !before.iter().any(|known| known.name == entry.name && known.value == entry.value)
    });
    Ok(after)
}

#[cfg(test)]
mod tests;
