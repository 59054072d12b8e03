//! A blocking HTTP client, as far as the operator granted it. No cookies, no retries, and
//! redirects only where a grant has them.

mod error;
mod url;
#[cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "outside a component the fake host answers")
)]
pub(crate) mod wire;

use serde_json::Value;

pub use error::Error;

#[cfg(test)]
mod tests;

/// Default limit of the bytes of an answer, which is also the highest.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// The method of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    /// A method of the element's own.
    Other(String),
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    timeouts: Timeouts,
    body_bytes_max: usize,
}

/// How long to wait for the other side, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect_ms: u32,
    /// For the head of the answer, once the request is sent.
    pub first_byte_ms: u32,
    /// Between two pieces of the answer's body.
    pub between_bytes_ms: u32,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Method {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other(name) => name,
        }
    }
}

impl Request {
    /// A request to an absolute `http` or `https` address.
    pub fn new(method: Method, url: &str) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeouts: Timeouts::default(),
            body_bytes_max: BODY_BYTES_MAX,
        }
    }

    /// A GET request.
    pub fn get(url: &str) -> Self {
        Self::new(Method::Get, url)
    }

    /// A POST request.
    pub fn post(url: &str) -> Self {
        Self::new(Method::Post, url)
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with this JSON as its body, as `application/json`.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    /// The same with this body and media type.
    #[must_use]
    pub fn body(mut self, media: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", media)
    }

    /// The same with these timeouts.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same with a limit on the bytes of the answer.
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first header of this name that it has, whatever the case.
    pub fn header_of(&self, name: &str) -> Option<&str> {
        first_header(&self.headers, name)
    }

    /// The body that it has as JSON; `None` if it is none.
    pub fn sent_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Checks the address, without sending anything.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn check(&self) -> Result<(), Error> {
        url::target(&self.url).map(drop)
    }

    /// Sends the request and waits for the answer. An answer of any status is an `Ok`.
    pub fn send(&self) -> Result<Response, Error> {
        crate::host::send(self)
    }
}

impl Timeouts {
    /// The default timeouts, cut so that one of them expires before a deadline does, and the plugin
    /// can still report it. Give it [`Context::deadline_ms`](crate::Context::deadline_ms).
    pub fn within(deadline_ms: u32) -> Self {
        let left_ms = deadline_ms - deadline_ms / 10;
        let third_ms = left_ms / 3;
        let default = Self::default();
        Self {
            connect_ms: default.connect_ms.min(third_ms),
            first_byte_ms: left_ms - third_ms,
            between_bytes_ms: default.between_bytes_ms.min(third_ms),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 3_000, first_byte_ms: 10_000, between_bytes_ms: 5_000 }
    }
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first_header(&self.headers, name)
    }

    /// The body as JSON; `None` if it is none.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, with what is no UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn first_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}
