//! A command line over HTTP: text in, text out.

use ferrule_plugin::http::{Method, Response};
use ferrule_plugin::{Failure, Outcome};
use serde_json::Value;

use super::{check, speed};
use crate::job::Job;

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let command = format!("set line 7 speed {} key {}", job.speed(), job.key());
    let response = send(job, &command)?;
    check(job, &response)?;
    if response.text().trim() != "OK" {
        return Err(Failure::retry("ANSWER", "the element does not answer OK"));
    }
    Ok(Outcome::Done(speed(job)))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    let response = send(job, "no line 7")?;
    if response.status == 404 {
        return Ok(());
    }
    check(job, &response)
}

fn send(job: &Job<'_>, command: &str) -> Result<Response, Failure> {
    let request = job.request(Method::Post, "/cli")?;
    job.sent(&request.body("text/plain", command.as_bytes().to_vec()))
}
