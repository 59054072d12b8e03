//! Validates requests to our own API by its table: the operation, its
//! parameters and its attributes.

use axum::http::Method;
use serde_json::{Map, Value};
use tmf::nearest::nearest;

use super::operation::{Attribute, Body, Kind, Operation};
use super::table::OPERATIONS;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;

/// The operation of a request, which it may be.
pub(super) fn admit(call: &mut Call, path: &[&str]) -> Result<&'static Operation, Problem> {
    let operation = operation_at(&call.method, path)?;
    check_query(call, operation)?;
    check_body(call, operation)?;
    Ok(operation)
}

/// The operation of a method on a path below the base.
pub(in crate::http) fn operation_at(
    method: &Method,
    path: &[&str],
) -> Result<&'static Operation, Problem> {
    let at: Vec<&Operation> = OPERATIONS.iter().filter(|operation| operation.is_at(path)).collect();
    // A literal path is preferred to one with a name in its place.
    let names_min = at.iter().map(|operation| operation.names().count()).min();
    let names_min = names_min.ok_or_else(nothing_here)?;
    let at = at.into_iter().filter(|operation| operation.names().count() == names_min);
    let at: Vec<&Operation> = at.collect();
    let found = at.iter().find(|operation| operation.takes(method.as_str()));
    found.copied().ok_or_else(|| {
        let methods = at.iter().map(|operation| match operation.method {
            "GET" => "GET, HEAD",
            method => method,
        });
        Problem::method(methods.collect::<Vec<_>>().join(", "))
    })
}

fn check_query(call: &Call, operation: &Operation) -> Result<(), Problem> {
    let known = || operation.query.iter().map(|parameter| parameter.name);
    let mut given = call.query.parameters().map(|(name, ..)| name);
    let unknown = given.find(|name| known().all(|known| known != *name));
    if let Some(name) = unknown.filter(|_| !operation.is_filtered) {
        let message = match known().count() {
            0 => "this path takes no parameters".into(),
            _ => unknown_name("parameter", name, known),
        };
        return Err(Problem::bad(message).about(name));
    }
    for parameter in operation.query {
        let is_it = |(name, ..): &(&str, &str, _)| *name == parameter.name;
        if call.query.parameters().filter(is_it).nth(1).is_some() {
            let message = "is given more than once: give it once";
            return Err(Problem::bad(message).about(parameter.name));
        }
        let Some(value) = call.query.get(parameter.name) else { continue };
        let wrong = match parameter.kind {
            Kind::Boolean if !["true", "false"].contains(&value) => "is `true` or `false`".into(),
            Kind::Choice(words) if !words.contains(&value) => {
                format!("is one of {}", listed(words.iter().copied()))
            }
            Kind::Boolean
            | Kind::Choice(_)
            | Kind::Number
            | Kind::Text
            | Kind::Texts
            | Kind::Day
            | Kind::Time
            | Kind::Reference
            | Kind::Money
            | Kind::Object => continue,
        };
        let name = parameter.name;
        return Err(Problem::bad(format!("`{name}` {wrong}")).about(name));
    }
    Ok(())
}

fn check_body(call: &mut Call, operation: &Operation) -> Result<(), Problem> {
    match operation.body {
        Body::Any | Body::Order | Body::Lines | Body::Component => Ok(()),
        Body::None => match call.peeked()? {
            None => Ok(()),
            Some(Value::Object(fields)) if fields.is_empty() => Ok(()),
            Some(_) => Err(Problem::bad("this path takes no body").about("$")),
        },
        Body::Attributes { known, may_be_empty, is_open } => match call.peeked()? {
            None if may_be_empty => Ok(()),
            None => call.json().map(drop),
            Some(Value::Object(fields)) => check_attributes(fields, known, is_open),
            Some(_) => Err(Problem::bad("the body is a JSON object").about("$")),
        },
    }
}

fn check_attributes(
    fields: &Map<String, Value>,
    known: &[Attribute],
    is_open: bool,
) -> Result<(), Problem> {
    let names = || known.iter().map(|attribute| attribute.name);
    let unknown = fields.keys().filter(|_| !is_open);
    if let Some(name) = unknown.into_iter().find(|name| names().all(|known| known != **name)) {
        return Err(Problem::bad(unknown_name("attribute", name, names)).about(name));
    }
    for attribute in known {
        let (name, value) = (attribute.name, fields.get(attribute.name));
        let value = value.filter(|value| !value.is_null());
        let wrong = match value {
            None if attribute.is_mandatory => Some("is mandatory".into()),
            None => None,
            Some(value) => attribute.kind.wrong(value),
        };
        if let Some(wrong) = wrong {
            let message = format!("`{name}` {wrong}: {}", attribute.what);
            return Err(Problem::bad(message).about(name));
        }
    }
    Ok(())
}

impl Kind {
    /// The error of a value, as far as its type tells.
    fn wrong(self, value: &Value) -> Option<String> {
        let (is_right, expected) = match self {
            Self::Text => (value.is_string(), "a text"),
            Self::Texts => (is_texts(value), "a list of texts"),
            Self::Day => (value.is_string(), "a day such as `2026-04-01`"),
            Self::Time => (value.is_string(), "a time such as `2026-03-12T02:00:00Z`"),
            Self::Number => (value.is_u64(), "a whole number from 0"),
            Self::Boolean => (value.is_boolean(), "`true` or `false`"),
            Self::Object => (value.is_object(), "an object"),
            // Its content is validated where it is read.
            Self::Reference => (value.is_object() || value.is_string(), "a reference"),
            Self::Money => {
                (value.is_object(), "an amount such as `{\"unit\":\"EUR\",\"value\":5}`")
            }
            Self::Choice(words) => {
                let is_one = value.as_str().is_some_and(|word| words.contains(&word));
                let expected = format!("is one of {}", listed(words.iter().copied()));
                return (!is_one).then_some(expected);
            }
        };
        (!is_right).then(|| format!("is {expected}"))
    }
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

fn unknown_name<'a, I: Iterator<Item = &'a str>>(
    what: &str,
    name: &str,
    known: impl Fn() -> I,
) -> String {
    let message = format!("there is no {what} `{name}`");
    match nearest(name, known()) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: there are {}", listed(known())),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
