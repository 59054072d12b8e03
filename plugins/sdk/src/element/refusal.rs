//! The refusals of an element, sorted by who must act.

use serde_json::Value;

use super::Element;
use crate::Failure;
use crate::http::{Error, Response};

/// Max characters of an element's own words that a failure repeats.
const WORDS_CHARS_MAX: usize = 300;

impl Element<'_> {
    /// There was no answer.
    pub fn no_answer(&self, error: &Error) -> Failure {
        let message = format!("`{}`: {error}", self.name);
        match error {
            Error::Unreachable { .. } | Error::Broken { .. } => {
                Failure::retry("ELEMENT_UNREACHABLE", message)
            }
            Error::Timeout { .. } => Failure::retry("ELEMENT_TIMEOUT", message),
            Error::Denied { .. } => Failure::operator("ELEMENT_NOT_GRANTED", message),
            Error::Url { .. } | Error::Request { .. } => {
                Failure::operator("ELEMENT_REQUEST", message)
            }
            Error::TooLarge { .. } => Failure::operator("ELEMENT_ANSWER", message),
        }
    }

    /// The answer has a status other than 2xx.
    pub fn refused(&self, response: &Response) -> Failure {
        let status = response.status;
        match status {
            408 | 425 | 429 | 500.. => {
                let message =
                    self.message(&format!("cannot do it now (status {status})"), response);
                let failure = Failure::retry(&format!("ELEMENT_{status}"), message);
                match retry_after_ms(response) {
                    Some(retry_after_ms) => failure.after_ms(retry_after_ms),
                    None => failure,
                }
            }
            409 => {
                let message = self.message("already has something else there", response);
                Failure::operator("ELEMENT_CONFLICT", message)
            }
            _ => {
                let message = self.message(&format!("refuses (status {status})"), response);
                Failure::operator("ELEMENT_REFUSED", message)
            }
        }
    }

    fn message(&self, what: &str, response: &Response) -> String {
        let words = match response.json() {
            Some(body) => words_of(&body),
            None => cut(&response.text()),
        };
        let name = self.name;
        if words.is_empty() {
            format!("`{name}` {what}")
        } else {
            format!("`{name}` {what}: {words}")
        }
    }
}

/// The header in seconds; as a date it is left alone, for there is no clock to compare it with.
fn retry_after_ms(response: &Response) -> Option<u32> {
    let seconds: u32 = response.header("retry-after")?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1_000))
}

/// The words of an error body: RFC 9457, RESTCONF (RFC 8040), the common ones, or all of it.
fn words_of(body: &Value) -> String {
    let places = [
        "/detail",
        "/ietf-restconf:errors/error/0/error-message",
        "/errors/error/0/error-message",
        "/error/message",
        "/message",
        "/error",
        "/title",
        "/reason",
    ];
    let words = places.iter().find_map(|place| body.pointer(place)?.as_str());
    words.map_or_else(|| cut(&body.to_string()), cut)
}

/// The beginning of a text on one line.
pub(super) fn cut(text: &str) -> String {
    let text = text.trim();
    let line = |char: char| if char.is_control() { ' ' } else { char };
    let mut short: String = text.chars().take(WORDS_CHARS_MAX).map(line).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
