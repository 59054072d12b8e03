//! Refuses what the table refuses, with its path.

use std::borrow::Cow;

use tmf::document::Attributes;
use tmf::document::order::{Item, Written};

use super::{Does, Part, attributes};
use crate::order::{Form, Line, OrderError, Reader, inconsistent, malformed};
use crate::plan::{Action, Level};

/// The states in which a new instance may be asked for: it is active when it is delivered.
const NEW_STATES: [&str; 6] =
    ["created", "pendingActive", "active", "feasibilityChecked", "designed", "reserved"];

/// Checks the attributes at the top of an order.
pub(in crate::order) fn check(form: Form, order: Attributes<'_>) -> Result<(), OrderError> {
    if !form.names().is_order {
        return Ok(());
    }
    refuse(form, Part::Order, order, "", Action::Add)
}

impl Reader<'_> {
    /// Checks the attributes of an item and of its subject.
    pub(in crate::order) fn check_attributes(
        &self,
        item: &Item<'_>,
        action: Action,
    ) -> Result<(), OrderError> {
        let form = self.form;
        if !form.names().is_order {
            return Ok(());
        }
        let subject = &item.subject;
        refuse(form, Part::Item, item.written.item, &item.path, action)?;
        refuse(form, Part::Instance, item.written.subject, &subject.path, action)?;
        if self.level != Level::Product && item.quantity.is_some_and(|quantity| quantity != 1) {
            let message = "is 1: order each as an item of its own";
            return Err(inconsistent(&format!("{}.quantity", item.path), message));
        }
        let state = form.state().zip(subject.state).filter(|_| action == Action::Add);
        if let Some((name, asked)) = state
            && !NEW_STATES.contains(&asked)
        {
            let message = format!(
                "a new {} is `active` when it is delivered: leave it out, and order a `modify` to \
                 `{asked}` then",
                form.subject()
            );
            return Err(inconsistent(&format!("{}.{name}", subject.path), &message));
        }
        check_same(item, "productOffering")?;
        check_same(item, "billingAccount")?;
        check_same(item, "resourceSpecification")
    }
}

/// Refuses the first attribute that the table refuses under an action.
fn refuse(
    form: Form,
    part: Part,
    body: Attributes<'_>,
    path: &str,
    action: Action,
) -> Result<(), OrderError> {
    for attribute in attributes(form, part) {
        let Does::Refused(why) = attribute.does(action) else { continue };
        if body.has(attribute.name) {
            let at = if path.is_empty() { String::new() } else { format!("{path}.") };
            return Err(inconsistent(&format!("{at}{}", attribute.name), why));
        }
    }
    Ok(())
}

/// An attribute that both an item and its subject have names the same.
fn check_same(item: &Item<'_>, name: &str) -> Result<(), OrderError> {
    let Written { item: own, subject } = item.written;
    let path = format!("{}.{name}", item.subject.path);
    if subject.is_no_object(name) {
        return Err(malformed(&path, "is a JSON object"));
    }
    let ids = own.within(name).text("id").zip(subject.within(name).text("id"));
    let Some((own, other)) = ids.filter(|(own, other)| own != other) else { return Ok(()) };
    let message = format!("is `{other}`, and that of its item is `{own}`: name one of them");
    Err(inconsistent(&format!("{path}.id"), &message))
}

/// The first attribute of a changed instance that differs from its document and may not: its path,
/// and what to do instead.
pub fn fixed(
    form: Form,
    line: &Line,
    asked: Written<'_>,
    instance: Attributes<'_>,
) -> Option<(String, String)> {
    if line.action != Action::Modify {
        return None;
    }
    let parts = [
        (Part::Item, asked.item, Cow::Borrowed(line.path.as_str())),
        (Part::Instance, asked.subject, format!("{}.{}", line.path, form.subject()).into()),
    ];
    for (part, asked, path) in parts {
        for attribute in attributes(form, part) {
            // The quantity of a product is in the plan that made it, and not in the inventory.
            let Does::Fixed(why) = attribute.modify else { continue };
            let name = attribute.name;
            if name == "quantity" || !asked.has(name) || asked.is_same(name, instance) {
                continue;
            }
            let message = format!("cannot become {}: {why}", asked.brief(name));
            return Some((format!("{path}.{name}"), message));
        }
    }
    None
}
