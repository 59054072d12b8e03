//! An element that accepts the work, and calls back.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Finding, Outcome};
use serde_json::{Value, json};

use super::{check, look, remove};
use crate::job::{Job, field};

const PATH: &str = "/jobs/7";

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let response = job.send(Method::Put, PATH, Some(&json!({ "mbps": job.speed() })))?;
    check(job, &response)?;
    if job.has("queued-202-is-done") {
        return Ok(Outcome::Done(json!({})));
    }
    let key = if job.has("queued-waits-under-other-key") { "job-7" } else { job.key() };
    Ok(Outcome::waiting(key, 60_000))
}

pub(crate) fn resume(job: &Job<'_>, answer: &Value) -> Result<Outcome<Value>, Failure> {
    if job.has("queued-ignores-callback") {
        return Ok(Outcome::waiting(job.key(), 60_000));
    }
    if answer["state"] == "done" || job.has("queued-any-callback-is-done") {
        let port = match job.has("queued-any-callback-is-done") {
            true => answer["port"].clone(),
            false => field(answer, "port")?,
        };
        return Ok(Outcome::Done(json!({ "port": port })));
    }
    Err(Failure::operator("CALLBACK", "the callback cannot be read"))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    remove(job, PATH)
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    let Some(found) = look(job, PATH)? else { return Ok(Finding::NotApplied) };
    if found["key"] != job.key() {
        return Ok(Finding::NotApplied);
    }
    if found["state"] == "done" {
        return Ok(Finding::Applied(json!({ "port": field(&found, "port")? })));
    }
    Ok(Finding::waiting(job.key(), 60_000))
}
