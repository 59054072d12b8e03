//! Addresses, requests and answers of the API.
#![allow(dead_code, reason = "some operations need only a part of it")]

use std::fmt::{Display, Write as _};

use ferrule_plugin::element::Element;
use ferrule_plugin::http::{Method, Request, Response};
use ferrule_plugin::{Failure, Outcome, config};
use serde::Serialize;
use serde_json::Value;

/// An address that is put together.
pub(crate) struct Address {
    text: String,
    has_query: bool,
}

impl Address {
    /// The base address of an element.
    pub(crate) fn of(element: &Element<'_>) -> Result<Self, Failure> {
        Ok(Self { text: element.base_url()?, has_query: false })
    }

    /// Segments as they are.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// A value as one segment.
    pub(crate) fn value(mut self, name: &str, value: impl Display) -> Result<Self, Failure> {
        let value = value.to_string();
        if ["", ".", ".."].contains(&value.as_str()) {
            let message = format!("`{name}` is `{value}`, which cannot be a part of an address");
            return Err(Failure::operator("BAD_INPUT", message));
        }
        self.text.push('/');
        self.push(&value);
        Ok(self)
    }

    /// A parameter of the query for each of the values.
    pub(crate) fn query(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        for value in values {
            self.text.push(if self.has_query { '&' } else { '?' });
            self.has_query = true;
            self.push(name);
            self.text.push('=');
            self.push(&value.to_string());
        }
        self
    }

    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.text.push(char::from(byte));
            } else {
                write!(self.text, "%{byte:02X}").expect("a text can be written to");
            }
        }
    }
}

/// The value of a setting.
pub(crate) fn setting(name: &str) -> Result<String, Failure> {
    config::require(name)
}

/// A request that is authorised, and carries the key of the task.
pub(crate) fn request(
    element: &Element<'_>,
    method: Method,
    address: Address,
) -> Result<Request, Failure> {
{{login}}
}

/// The same request with a body.
pub(crate) fn with_body(
    request: Request,
    media: &str,
    body: &impl Serialize,
) -> Result<Request, Failure> {
    let bytes = serde_json::to_vec(body).map_err(|cause| {
        Failure::operator("BAD_INPUT", format!("the body cannot be written: {cause}"))
    })?;
    Ok(request.body(media, bytes))
}

/// Sends a request; fails unless its answer is a success.
pub(crate) fn send(element: &Element<'_>, request: &Request) -> Result<Response, Failure> {
    let response = request.send().map_err(|error| element.no_answer(&error))?;
    if response.is_success() { Ok(response) } else { Err(element.refused(&response)) }
}

/// Sends a request; `None` if there is nothing at its address.
pub(crate) fn find(element: &Element<'_>, request: &Request) -> Result<Option<Response>, Failure> {
    let response = request.send().map_err(|error| element.no_answer(&error))?;
    match response.status {
        404 | 410 => Ok(None),
        _ if response.is_success() => Ok(Some(response)),
        _ => Err(element.refused(&response)),
    }
}

/// Deletes what is at an address. Work that is not there is as good as undone.
pub(crate) fn delete(element: &Element<'_>, address: Address) -> Result<Outcome<()>, Failure> {
    match find(element, &request(element, Method::Delete, address)?)? {
        Some(response) if response.status == 202 => Err(accepted(element)),
        Some(_) | None => Ok(Outcome::Done(())),
    }
}

/// The element has accepted the work and goes on with it: the next attempt looks for it.
pub(crate) fn accepted(element: &Element<'_>) -> Failure {
    let message = format!("`{}` has accepted the work and goes on with it", element.name);
    Failure::retry("ELEMENT_ACCEPTED", message).after_ms(5_000)
}

/// The element has accepted the work, and no request shows its end.
pub(crate) fn undecided(element: &Element<'_>) -> Failure {
    let message = format!("`{}` has accepted the work: look whether it is done", element.name);
    Failure::operator("ACCEPTED_UNDECIDED", message)
}

/// The element called back, and the work is not there.
pub(crate) fn called_back_in_vain() -> Failure {
    let message = "the element called back, and the work is not there: look why";
    Failure::operator("CALLBACK_WITHOUT_WORK", message)
}

/// States of work that goes on, in small letters.
const PENDING: [&str; 13] = [
    "pending", "inprogress", "running", "accepted", "acknowledged", "queued", "processing",
    "creating", "updating", "deleting", "provisioning", "scheduled", "waiting",
];

/// States of work that failed.
const FAILED: [&str; 7] =
    ["failed", "failure", "error", "rejected", "cancelled", "canceled", "aborted"];

/// Fails if the `state` or `status` of a document is one of work that goes on, or that failed.
pub(crate) fn settled(element: &Element<'_>, document: &Value) -> Result<(), Failure> {
    let state = document["state"].as_str().or_else(|| document["status"].as_str());
    let state = state.unwrap_or_default();
    let letters = state.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|char| char.to_ascii_lowercase()).collect();
    if PENDING.contains(&plain.as_str()) {
        return Err(accepted(element));
    }
    if FAILED.contains(&plain.as_str()) {
        let message = format!("the work on `{}` is `{state}`", element.name);
        return Err(Failure::operator("ELEMENT_FAILED", message));
    }
    Ok(())
}

/// The id of what an answer is about; `None` if it has none.
pub(crate) fn id(document: &Value, name: &str) -> Option<String> {
    match &document[name] {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The entry of a list that has a value in a property.
pub(crate) fn entry(response: &Response, name: &str, value: &str) -> Option<Value> {
    let list = response.json()?;
    list.as_array()?.iter().find(|entry| entry[name] == value).cloned()
}

/// Whether a document has all that was sent.
pub(crate) fn agrees(sent: &Value, found: &Value) -> bool {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => sent
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|found| agrees(value, found))),
        (sent, found) => sent == found,
    }
}

/// The answer did not come in a form that the description has.
pub(crate) fn unreadable(element: &Element<'_>, problem: impl Display) -> Failure {
    let name = element.name;
    let message = format!("`{name}` did the work but its answer cannot be used: {problem}");
    Failure::operator("ELEMENT_ANSWER", message)
}
