//! The answer that an element posts to the callback address.

use serde::Deserialize;
use serde_json::Value;

use super::Element;
use super::refusal::cut;
use crate::{Failure, Outcome, log};

/// The body of a callback.
#[derive(Debug, Deserialize)]
struct Answer {
    /// The key that it answers, if the element repeats it.
    key: Option<String>,
    status: Status,
    #[serde(default)]
    result: Value,
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Done,
    Failed,
    /// Progress: the final answer is still to come.
    Pending,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    message: String,
    transient: bool,
}

impl Element<'_> {
    /// Reads a callback: `{"key", "status": "done" | "failed" | "pending", "result", "error":
    /// {"code", "message", "transient"}}`. Outputs point into `result`.
    pub fn resume(&self, answer: &Value) -> Result<Outcome<Value>, Failure> {
        match self.answered(answer)? {
            Some(result) => self.done(&result),
            None => Ok(self.waiting()),
        }
    }

    /// Reads a callback to an undo, which gives no outputs.
    pub fn resume_undo(&self, answer: &Value) -> Result<Outcome<()>, Failure> {
        match self.answered(answer)? {
            Some(_) => Ok(Outcome::Done(())),
            None => Ok(self.waiting()),
        }
    }

    /// The result in a callback; `None` if the wait goes on.
    fn answered(&self, answer: &Value) -> Result<Option<Value>, Failure> {
        let answer = Answer::deserialize(answer).map_err(|cause| {
            let message = format!("the callback of `{}` cannot be read: {cause}", self.name);
            Failure::operator("ELEMENT_CALLBACK", message)
        })?;
        if answer.key.as_deref().is_some_and(|key| key != self.key()) {
            log::warn(format!("`{}` answered for another key, the wait goes on", self.name));
            return Ok(None);
        }
        match answer.status {
            Status::Done => Ok(Some(answer.result)),
            Status::Pending => Ok(None),
            Status::Failed => Err(self.failed(&answer.error.unwrap_or_default())),
        }
    }

    fn failed(&self, problem: &Problem) -> Failure {
        let words = cut(&problem.message);
        let message = format!("`{}` tried and failed: {words}", self.name);
        let failure = if problem.transient {
            Failure::retry("ELEMENT_FAILED", message)
        } else {
            Failure::operator("ELEMENT_FAILED", message)
        };
        failure.with("element-code", cut(&problem.code))
    }
}
