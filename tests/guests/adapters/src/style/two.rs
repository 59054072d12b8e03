//! Two resources, of which the second needs the first.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Finding, Outcome};
use serde_json::{Value, json};

use super::{check, found, look, remove, speed};
use crate::job::Job;

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let first = post(job, "/subscribers", job.key())?;
    if first == 409 && job.has("two-stops-at-existing") {
        return Ok(Outcome::Done(speed(job)));
    }
    let second_key = match job.has("two-key-by-attempt") {
        true => format!("{}-{}", job.key(), job.context.attempt()),
        false => job.key().to_owned(),
    };
    match post(job, "/services", &second_key) {
        Err(_) if job.has("two-swallows-second-failure") => Ok(Outcome::Done(speed(job))),
        posted => posted.map(|_| Outcome::Done(speed(job))),
    }
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    remove(job, "/services/7")?;
    if job.has("two-undo-leaves-first") { Ok(()) } else { remove(job, "/subscribers/7") }
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    Ok(found(job, look(job, "/services/7")?, speed(job)))
}

/// Posts, and takes `it exists already, under my key` for success. Returns the status.
fn post(job: &Job<'_>, path: &str, key: &str) -> Result<u16, Failure> {
    let body = json!({ "key": key, "mbps": job.speed() });
    let response = job.send(Method::Post, path, Some(&body))?;
    let is_ours =
        response.status == 409 && response.json().is_some_and(|answer| answer["key"] == job.key());
    if !is_ours {
        check(job, &response)?;
    }
    Ok(response.status)
}
