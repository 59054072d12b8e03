//! Refuses what the table refuses, with its path.

use serde_json::{Map, Value};

use super::{Does, Part, attributes};
use crate::order::{Form, Line, OrderError, Reader, inconsistent, malformed};
use crate::plan::{Action, Level};

/// The states in which a new instance may be asked for: it is active when it is delivered.
const NEW_STATES: [&str; 6] =
    ["created", "pendingActive", "active", "feasibilityChecked", "designed", "reserved"];

/// Checks the attributes at the top of an order.
pub(in crate::order) fn check(form: Form, body: &Map<String, Value>) -> Result<(), OrderError> {
    if !form.is_order() {
        return Ok(());
    }
    refuse(form, Part::Order, body, "", Action::Add)
}

impl Reader<'_> {
    /// Checks the attributes of an item and of what it is about, at their paths.
    pub(in crate::order) fn check_attributes(
        &self,
        item: &Map<String, Value>,
        subject: &Map<String, Value>,
        (path, subject_path): (&str, &str),
        action: Action,
    ) -> Result<(), OrderError> {
        let form = self.dialect.form;
        if !form.is_order() {
            return Ok(());
        }
        refuse(form, Part::Item, item, path, action)?;
        refuse(form, Part::Instance, subject, subject_path, action)?;
        if self.dialect.level != Level::Product
            && item.get("quantity").is_some_and(|count| !count.is_null() && *count != 1)
        {
            let message = "is 1: order each as an item of its own";
            return Err(inconsistent(&format!("{path}.quantity"), message));
        }
        let state = self.dialect.state.filter(|_| action == Action::Add);
        let asked = state.and_then(|name| Some((name, subject.get(name)?.as_str()?)));
        if let Some((name, asked)) = asked
            && !NEW_STATES.contains(&asked)
        {
            let message = format!(
                "what is new is `active` when it is delivered: leave it out, and order a `modify` \
                 to `{asked}` then"
            );
            return Err(inconsistent(&format!("{subject_path}.{name}"), &message));
        }
        check_same(item, subject, subject_path, "productOffering")?;
        check_same(item, subject, subject_path, "billingAccount")?;
        check_same(item, subject, subject_path, "resourceSpecification")
    }
}

/// Refuses the first attribute that the table refuses under an action.
fn refuse(
    form: Form,
    part: Part,
    body: &Map<String, Value>,
    path: &str,
    action: Action,
) -> Result<(), OrderError> {
    for attribute in attributes(form, part) {
        let Does::Refused(why) = attribute.does(action) else { continue };
        let is_there = body.get(attribute.name).is_some_and(|value| !is_empty(value));
        if is_there {
            let at = if path.is_empty() { String::new() } else { format!("{path}.") };
            return Err(inconsistent(&format!("{at}{}", attribute.name), why));
        }
    }
    Ok(())
}

/// What stands both with an item and with its product names the same.
fn check_same(
    item: &Map<String, Value>,
    subject: &Map<String, Value>,
    subject_path: &str,
    name: &str,
) -> Result<(), OrderError> {
    let id = |body: &Map<String, Value>| -> Option<String> {
        Some(body.get(name)?.get("id")?.as_str()?.into())
    };
    let (Some(own), Some(other)) = (id(item), id(subject)) else {
        return match subject.get(name) {
            Some(Value::Object(_) | Value::Null) | None => Ok(()),
            Some(_) => Err(malformed(&format!("{subject_path}.{name}"), "is a JSON object")),
        };
    };
    if own == other {
        return Ok(());
    }
    let message = format!("is `{other}`, and that of its item is `{own}`: name one of them");
    Err(inconsistent(&format!("{subject_path}.{name}.id"), &message))
}

/// The first attribute of a changed instance that is another than it has and may not be: its path,
/// and what to do instead. `instance` is its document.
pub fn fixed(form: Form, line: &Line, item: &Value, instance: &Value) -> Option<(String, String)> {
    if line.action != Action::Modify {
        return None;
    }
    let subject = form.subject();
    let parts = [
        (Part::Item, item, line.path.clone()),
        (Part::Instance, item.get(subject)?, format!("{}.{subject}", line.path)),
    ];
    for (part, body, path) in parts {
        for attribute in attributes(form, part) {
            // How many a product is stands in the plan that made it, and not in the inventory.
            let Does::Fixed(why) = attribute.modify else { continue };
            if attribute.name == "quantity" {
                continue;
            }
            let asked = body.get(attribute.name).filter(|value| !is_empty(value));
            let Some(asked) = asked.filter(|asked| !is_same(attribute.name, asked, instance))
            else {
                continue;
            };
            let message = format!("cannot become {}: {why}", brief(asked));
            return Some((format!("{path}.{}", attribute.name), message));
        }
    }
    None
}

/// Whether a value is what an instance has. Of a reference the id counts.
fn is_same(name: &str, asked: &Value, instance: &Value) -> bool {
    let Some(own) = instance.get(name) else { return false };
    match (asked.get("id"), own.get("id")) {
        (Some(asked), Some(own)) => asked == own,
        (None, _) | (_, None) => agrees(asked, own),
    }
}

/// Whether all that is asked is so already. Where a thing is served and of which class it is written
/// is added when it is shown, so that does not count.
fn agrees(asked: &Value, own: &Value) -> bool {
    match (asked, own) {
        (Value::Object(asked), Value::Object(own)) => asked
            .iter()
            .filter(|(name, value)| !name.starts_with('@') && *name != "href" && !value.is_null())
            .all(|(name, value)| own.get(name).is_some_and(|own| agrees(value, own))),
        (Value::Array(asked), Value::Array(own)) => {
            asked.len() == own.len() && asked.iter().zip(own).all(|(asked, own)| agrees(asked, own))
        }
        (Value::Number(asked), Value::Number(own)) => tmf::number::same(asked, own),
        (asked, own) => asked == own,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => false,
    }
}

/// A value for a message: what a reference names, or that there are several.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) => "this".into(),
        Value::Object(fields) => match fields.get("id") {
            Some(id) => format!("`{}`", id.as_str().unwrap_or_default()),
            None => "this".into(),
        },
        Value::String(text) => format!("`{text}`"),
        Value::Null | Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
    }
}
