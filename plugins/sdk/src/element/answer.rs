//! The answer that an element posts to the callback address.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Element;
use super::refusal::cut;
use crate::{Failure, Outcome, log};

/// The body of a callback.
#[derive(Debug, Deserialize)]
struct Answer {
    /// The key that it answers, where the element repeats it.
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
    /// Progress: the answer proper is still to come.
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
    pub fn resume(&self, payload: &str) -> Result<Outcome, Failure> {
        let answer: Answer = serde_json::from_str(payload).map_err(|cause| {
            let message = format!("the callback of `{}` cannot be read: {cause}", self.name);
            Failure::person("ELEMENT_CALLBACK", message)
        })?;
        if answer.key.as_deref().is_some_and(|key| key != self.key()) {
            log::warn(format!("`{}` answered for another key, the wait goes on", self.name));
            return Ok(self.waiting());
        }
        match answer.status {
            // What is undone gives nothing that later steps read.
            Status::Done if self.task.is_undo() => Ok(Outcome::done(&Value::Object(Map::new()))),
            Status::Done => self.done(&answer.result),
            Status::Pending => Ok(self.waiting()),
            Status::Failed => Err(self.failed(&answer.error.unwrap_or_default())),
        }
    }

    fn failed(&self, problem: &Problem) -> Failure {
        let words = cut(&problem.message);
        let message = format!("`{}` tried and failed: {words}", self.name);
        let failure = if problem.transient {
            Failure::retry("ELEMENT_FAILED", message)
        } else {
            Failure::person("ELEMENT_FAILED", message)
        };
        failure.with("element-code", cut(&problem.code))
    }
}
