//! A login with a password, whose token the other requests carry.

use ferrule_plugin::http::{Method, Response};
use ferrule_plugin::{Failure, Finding, Outcome, config, log};
use serde_json::{Value, json};

use super::{check, found, speed};
use crate::job::{Job, field};

const PATH: &str = "/lines/7";

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let token = log_in(job)?;
    let response = send(job, &token, Method::Put, Some(&json!({ "mbps": job.speed() })))?;
    check(job, &response)?;
    if job.has("login-token-in-outputs") {
        return Ok(Outcome::Done(json!({ "mbps": job.speed(), "session": token })));
    }
    Ok(Outcome::Done(speed(job)))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    let response = send(job, &log_in(job)?, Method::Delete, None)?;
    if response.is_success() || response.status == 404 {
        return Ok(());
    }
    Err(job.refused(&response))
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    let response = send(job, &log_in(job)?, Method::Get, None)?;
    if response.status == 404 {
        return Ok(Finding::NotApplied);
    }
    check(job, &response)?;
    Ok(found(job, Some(job.json(&response)?), speed(job)))
}

fn log_in(job: &Job<'_>) -> Result<String, Failure> {
    let password = config::require("password")?;
    if job.has("login-logs-password") {
        log::info(format!("logging in with {password}"));
    }
    let response = job.send(Method::Post, "/login", Some(&json!({ "password": password })))?;
    if job.has("login-password-in-failure") && !response.is_success() {
        return Err(Failure::operator("LOGIN", format!("`{password}` is refused")));
    }
    check(job, &response)?;
    let token = field(&job.json(&response)?, "token")?;
    Ok(token.as_str().unwrap_or_default().into())
}

fn send(
    job: &Job<'_>,
    token: &str,
    method: Method,
    body: Option<&Value>,
) -> Result<Response, Failure> {
    let request = job.request(method, PATH)?.header("authorization", &format!("Bearer {token}"));
    job.sent(&body.into_iter().fold(request, |request, body| request.json(body)))
}
