//! An API as an adapter needs it, however it was described.

use super::json::Json;
use super::kind::{Kind, Property};

/// An API.
#[derive(Debug, Default)]
pub(super) struct Api {
    pub(super) title: String,
    pub(super) version: String,
    /// The address that paths follow; of a description without one, an example.
    pub(super) server: String,
    pub(super) login: Option<Login>,
    pub(super) operations: Vec<Operation>,
}

/// How requests are authorised: a header or a parameter, with the value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Login {
    pub(super) setting: String,
    pub(super) place: Place,
    pub(super) name: String,
    /// Stands before the value, such as `Bearer `.
    pub(super) prefix: &'static str,
}

/// An operation as it is listed.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: Option<String>,
    pub(super) method: Method,
    /// The template, such as `/service/{id}`.
    pub(super) path: String,
    /// The call, or why no adapter can make it.
    pub(super) call: Result<Call, Problem>,
}

/// The request of an operation and its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) about: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    /// `None` if the answer has no JSON.
    pub(super) answer: Option<Kind>,
    /// Whether it may be answered before the work is done.
    pub(super) is_accepted: bool,
    /// Where the address is given that the API calls back when the work is done.
    pub(super) callback: Option<CallbackAt>,
    /// Whether the description has the header `Idempotency-Key`.
    pub(super) takes_key: bool,
    /// Optional parameters that are left out.
    pub(super) left_out: Vec<String>,
    /// Answers that were saved with it.
    pub(super) examples: Vec<Example>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) place: Place,
    /// Its name, kind and purpose.
    pub(super) property: Property,
    /// The setting that has its value, if it is not in the input.
    pub(super) setting: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

/// Where a request names the address that is called back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallbackAt {
    /// A property of the body.
    Body(String),
    /// A parameter of the query.
    Query(String),
    Header(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Body {
    pub(super) kind: Kind,
    pub(super) is_mandatory: bool,
    pub(super) media: String,
}

/// A request with its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    pub(super) body: Option<Json>,
    pub(super) status: u16,
    pub(super) answer: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Put,
    Post,
    Patch,
    Delete,
}

/// A reason why a description cannot be used, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub(super) struct Problem {
    place: String,
    message: String,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

impl Operation {
    /// Its method and path, by which it can be selected.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.method.name(), self.path)
    }

    /// Its id; one made of its method and path if it has none.
    pub(super) fn key(&self) -> String {
        match &self.id {
            Some(id) => id.into(),
            None => {
                let path = super::names::camel(&self.path, "");
                format!("{}{path}", self.method.name().to_ascii_lowercase())
            }
        }
    }
}

impl CallbackAt {
    /// Reads an expression such as `{$request.body#/callbackUrl}`; `None` if the address stands elsewhere.
    pub(super) fn read(expression: &str) -> Option<Self> {
        let inner = expression.strip_prefix("{$request.")?.strip_suffix('}')?;
        if let Some(name) = inner.strip_prefix("body#/") {
            let is_top = !name.is_empty() && !name.contains(['/', '~']);
            return is_top.then(|| Self::Body(name.into()));
        }
        let query = inner.strip_prefix("query.").filter(|name| is_token(name));
        let header = inner.strip_prefix("header.").filter(|name| is_token(name));
        let query = query.map(|name| Self::Query(name.into()));
        query.or_else(|| header.map(|name| Self::Header(name.into())))
    }

    /// Whether a parameter is the address.
    pub(super) fn is(&self, parameter: &Parameter) -> bool {
        let name = &parameter.property.name;
        match self {
            Self::Body(_) => false,
            Self::Query(own) => parameter.place == Place::Query && own == name,
            Self::Header(own) => parameter.place == Place::Header && own.eq_ignore_ascii_case(name),
        }
    }
}

impl Place {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Headers that the SDK or the host sets.
pub(super) const OWN_HEADERS: [&str; 7] = [
    "accept",
    "authorization",
    "content-type",
    "content-length",
    "host",
    "idempotency-key",
    "x-callback-url",
];

/// Whether a text can be the name of a header.
pub(super) fn is_token(name: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain)
}

/// The segments of a path template; a parameter is in braces.
pub(super) fn segments(path: &str) -> Vec<&str> {
    path.split('/').skip(1).collect()
}

/// The name of a segment that is a parameter.
pub(super) fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Checks that a path can be sent: parameters are whole segments, and the rest are characters of an address.
pub(super) fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') {
        return Err("a path begins with `/`");
    }
    for segment in segments(path) {
        let text = parameter(segment).unwrap_or(segment);
        if text.contains(['{', '}']) {
            return Err(
                "a parameter that is a part of a segment cannot be sent: write the request by hand",
            );
        }
        let is_name = text.len() != segment.len();
        let is_plain =
            |char: char| char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(char);
        if is_name && text.is_empty() || !is_name && !text.chars().all(is_plain) {
            return Err("it has a character that no path of an address has");
        }
    }
    Ok(())
}
