//! What the adapters share: the task with the bug that is switched on, and requests.

use ferrule_plugin::http::{Method, Request, Response, Timeouts};
use ferrule_plugin::{Context, Failure, config};
use serde_json::{Value, json};

pub(crate) struct Job<'a> {
    pub(crate) context: &'a Context,
    pub(crate) input: Value,
    bug: String,
}

impl<'a> Job<'a> {
    pub(crate) fn new(context: &'a Context, input: Value) -> Self {
        Self { context, input, bug: config::get("bug").unwrap_or_default() }
    }

    pub(crate) fn style(&self) -> &str {
        self.input["style"].as_str().unwrap_or_default()
    }

    /// Whether this bug is switched on.
    pub(crate) fn has(&self, bug: &str) -> bool {
        self.bug == bug
    }

    pub(crate) fn key(&self) -> &str {
        self.context.key()
    }

    /// The key of the work, which its undo knows too.
    pub(crate) fn work_key(&self) -> &str {
        self.key().strip_suffix(":undo").unwrap_or_else(|| self.key())
    }

    pub(crate) fn speed(&self) -> Value {
        self.input["mbps"].clone()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Result<Request, Failure> {
        let base = config::require("element.main")?;
        let request = Request::new(method, &format!("{base}{path}"))
            .timeouts(Timeouts::within(self.context.deadline_ms()));
        let has_key = !self.has("put-ignores-key") && !self.has("post-ignores-key");
        Ok(if has_key { request.header("idempotency-key", self.key()) } else { request })
    }

    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Failure> {
        let request = self.request(method, path)?;
        let request = body.into_iter().fold(request, |request, body| request.json(body));
        self.sent(&request)
    }

    pub(crate) fn sent(&self, request: &Request) -> Result<Response, Failure> {
        request.send().map_err(|error| {
            use ferrule_plugin::http::Error;
            match error {
                Error::Unreachable { .. } if self.has("cli-unreachable-is-operator") => {
                    Failure::operator("UNREACHABLE", error.to_string())
                }
                Error::Unreachable { .. } | Error::Broken { .. } | Error::Timeout { .. } => {
                    Failure::retry("NO_ANSWER", error.to_string())
                }
                Error::Denied { .. }
                | Error::Url { .. }
                | Error::Request { .. }
                | Error::TooLarge { .. } => Failure::operator("REQUEST", error.to_string()),
            }
        })
    }

    /// The failure for an answer that is no success.
    pub(crate) fn refused(&self, response: &Response) -> Failure {
        let status = response.status;
        let message = format!("the element answers {status}");
        match status {
            401 if self.has("login-401-is-retry") => Failure::retry("LOGIN", message),
            403 if self.has("cli-403-is-reject") => Failure::reject("FORBIDDEN", message),
            409 if self.has("cli-409-is-retry") => Failure::retry("CONFLICT", message),
            500 if self.has("cli-500-is-reject") => Failure::reject("ERROR", message),
            408 | 425 | 429 | 500.. => {
                let failure = Failure::retry("BUSY", message);
                let seconds = response.header("retry-after").and_then(|text| text.parse().ok());
                let after = match seconds {
                    _ if self.has("pages-drops-retry-after") => None,
                    Some(seconds) if self.has("put-retry-after-in-ms") => Some(seconds),
                    seconds => seconds.map(|seconds: u32| seconds.saturating_mul(1_000)),
                };
                match after {
                    Some(ms) => failure.after_ms(ms),
                    None => failure,
                }
            }
            _ => Failure::operator("REFUSED", message),
        }
    }

    /// The answer as JSON; an operator's failure if it cannot be read.
    pub(crate) fn json(&self, response: &Response) -> Result<Value, Failure> {
        match response.json() {
            Some(json) => Ok(json),
            None if self.has("rpc-panics-on-garbage") => panic!("the answer is no JSON"),
            None if self.has("rpc-cut-json-is-empty") => Ok(json!({ "result": { "device": "" } })),
            None => Err(Failure::operator("ANSWER", "the answer is no JSON")),
        }
    }
}

/// A value that an answer must have.
pub(crate) fn field(json: &Value, name: &str) -> Result<Value, Failure> {
    let found = json.get(name).filter(|value| !value.is_null()).cloned();
    found.ok_or_else(|| Failure::operator("ANSWER", format!("the answer has no `{name}`")))
}
