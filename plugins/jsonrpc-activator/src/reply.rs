//! A JSON-RPC 2.0 reply, and the meaning of its error codes.

use ferrule_plugin::Failure;
use ferrule_plugin::element::Element;
use ferrule_plugin::http::Response;
use serde::Deserialize;
use serde_json::Value;

/// The element is busy: try again.
const BUSY: i64 = -32001;
/// The object does not exist.
const NOT_FOUND: i64 = -32004;
/// Another object is there.
const CONFLICT: i64 = -32009;
/// The element itself failed, as with an HTTP status of 500.
const INTERNAL: i64 = -32603;

/// A reply.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// The element will call back.
    Accepted,
    /// It is done.
    Result(Value),
    /// It was not done.
    Error(RpcError),
}

/// An error object.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct RpcError {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

impl Reply {
    /// Reads a reply. An error object counts whatever the HTTP status is: some elements send one with
    /// 4xx and some with 200.
    pub(crate) fn read(element: &Element<'_>, response: &Response) -> Result<Self, Failure> {
        let mut body = response.json().unwrap_or_default();
        if let Ok(error) = RpcError::deserialize(&body["error"]) {
            return Ok(Self::Error(error));
        }
        if !response.is_success() {
            return Err(element.refused(response));
        }
        if response.status == 202 {
            return Ok(Self::Accepted);
        }
        let ours = body["id"].as_str() == Some(element.context.key());
        let Some(result) = body.get_mut("result").filter(|_| ours).map(Value::take) else {
            let message = format!("`{}` gave no reply to our call", element.name);
            return Err(Failure::operator("ELEMENT_ANSWER", message));
        };
        let accepted = result["accepted"] == Value::Bool(true);
        Ok(if accepted { Self::Accepted } else { Self::Result(result) })
    }
}

impl RpcError {
    pub(crate) fn is_not_found(&self) -> bool {
        self.code == NOT_FOUND
    }

    /// Who must act on it.
    pub(crate) fn failure(&self, element: &Element<'_>) -> Failure {
        let code = self.code;
        let words: String =
            self.message.chars().filter(|char| !char.is_control()).take(300).collect();
        let message = format!("`{}` answers with error {code}: {words}", element.name);
        match code {
            BUSY => self.after(Failure::retry("ELEMENT_BUSY", message)),
            INTERNAL => self.after(Failure::retry("ELEMENT_INTERNAL", message)),
            CONFLICT => Failure::operator("ELEMENT_CONFLICT", message),
            _ if self.data["transient"] == Value::Bool(true) => {
                self.after(Failure::retry("ELEMENT_BUSY", message))
            }
            _ => Failure::operator("ELEMENT_REFUSED", message),
        }
    }

    fn after(&self, failure: Failure) -> Failure {
        let wait_ms = self.data["retryAfterMs"].as_u64().and_then(|ms| u32::try_from(ms).ok());
        match wait_ms {
            Some(wait_ms) => failure.after_ms(wait_ms),
            None => failure,
        }
    }
}
