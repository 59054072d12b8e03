//! The adapters, one for each way in which elements are driven.

pub(crate) mod calc;
pub(crate) mod change;
pub(crate) mod cli;
pub(crate) mod login;
pub(crate) mod pages;
pub(crate) mod post;
pub(crate) mod put;
pub(crate) mod queued;
pub(crate) mod read_first;
pub(crate) mod rpc;
pub(crate) mod two;

use ferrule_plugin::http::{Method, Response};
use ferrule_plugin::{Failure, Finding};
use serde_json::Value;

use crate::job::Job;

/// Removes what is at a path; what is not there is as good as removed.
fn remove(job: &Job<'_>, path: &str) -> Result<(), Failure> {
    let response = job.send(Method::Delete, path, None)?;
    if response.is_success() || response.status == 404 {
        return Ok(());
    }
    Err(job.refused(&response))
}

/// What is at a path; `None` if nothing is.
fn look(job: &Job<'_>, path: &str) -> Result<Option<Value>, Failure> {
    let response = job.send(Method::Get, path, None)?;
    if response.status == 404 {
        return Ok(None);
    }
    if !response.is_success() {
        return Err(job.refused(&response));
    }
    job.json(&response).map(Some)
}

/// The outputs of a task that set a speed.
fn speed(job: &Job<'_>) -> Value {
    serde_json::json!({ "mbps": job.speed() })
}

/// Fails unless an answer is a success.
fn check(job: &Job<'_>, response: &Response) -> Result<(), Failure> {
    if response.is_success() { Ok(()) } else { Err(job.refused(response)) }
}

/// Work that carries our key was done by us.
fn found(job: &Job<'_>, document: Option<Value>, outputs: Value) -> Finding<Value> {
    match document {
        Some(document) if document["key"] == job.key() => Finding::Applied(outputs),
        Some(_) | None => Finding::NotApplied,
    }
}
