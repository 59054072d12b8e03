//! Drives elements that speak JSON-RPC 2.0 over HTTP: one method to do the work, one to take it
//! back, one to find out. What to call is all in the step's input; where is in the configuration.

mod input;
mod reply;

use ferrule_plugin::element::{Asked, Element};
use ferrule_plugin::http::Method;
use ferrule_plugin::{Activator, Done, Failure, Finding, Outcome, Task, log};
use serde_json::json;

use input::{Call, Input, Probe};
use reply::Reply;

#[cfg(test)]
mod tests;

struct JsonrpcActivator;

impl Activator for JsonrpcActivator {
    fn activate(task: &Task) -> Result<Outcome, Failure> {
        let mut input: Input = task.input()?;
        let change = input.change(task);
        let element = input.element(task);
        if let Some(change) = &change {
            let reply = send(&element, change)?;
            if !is_to_be_made(&reply) {
                return activated(&element, reply);
            }
        }
        activated(&element, send(&element, &input.call())?)
    }

    fn undo(task: &Task, _outputs: &str) -> Result<Done, Failure> {
        let input: Input = task.input()?;
        let Some(undo) = &input.undo else {
            return Ok(Done::empty());
        };
        let element = input.element(task);
        undone(&element, send(&element, undo)?)
    }

    fn probe(task: &Task) -> Result<Finding, Failure> {
        let mut input: Input = task.input()?;
        let probe = input.probe.take().map(Probe::apart);
        let element = input.element(task);
        let Some((call, holds)) = &probe else {
            let is_read_back = task.is_read_back();
            return if is_read_back { Err(element.no_probe()) } else { Ok(Finding::NotApplied) };
        };
        let reply = send(&element, call)?;
        found(&element, reply, Asked { values: Some(&input.params), holds: holds.as_deref() })
    }

    fn resume(task: &Task, payload: &str) -> Result<Outcome, Failure> {
        let input: Input = task.input()?;
        input.element(task).resume(payload)
    }
}

ferrule_plugin::activator!(JsonrpcActivator);

fn send(element: &Element<'_>, call: &Call) -> Result<Reply, Failure> {
    let key = &element.task.idempotency_key;
    let body = json!({"jsonrpc": "2.0", "id": key, "method": call.method, "params": call.params});
    let request = element.request(Method::Post, &element.base_url()?);
    let request = request.header("accept", "application/json").json(&body);
    let response = request.send().map_err(|error| element.no_answer(&error))?;
    log::info(format!("`{}` on `{}`: {}", call.method, element.name, response.status));
    Reply::read(element, &response)
}

/// Whether there is nothing to change, so that it is made anew.
fn is_to_be_made(changed: &Reply) -> bool {
    matches!(changed, Reply::Error(error) if error.is_not_found())
}

/// What a reply to the method means.
fn activated(element: &Element<'_>, reply: Reply) -> Result<Outcome, Failure> {
    match reply {
        Reply::Accepted => Ok(element.waiting()),
        Reply::Result(result) => element.done(&result),
        Reply::Error(error) => Err(error.failure(element)),
    }
}

/// What a reply to the undo method means.
fn undone(element: &Element<'_>, reply: Reply) -> Result<Done, Failure> {
    match reply {
        Reply::Accepted => Ok(element.undo_waiting()),
        Reply::Result(_) => Ok(Done::empty()),
        Reply::Error(error) if error.is_not_found() => Ok(Done::empty()),
        Reply::Error(error) => Err(error.failure(element)),
    }
}

/// What a reply to the probe method means.
fn found(element: &Element<'_>, reply: Reply, asked: Asked<'_>) -> Result<Finding, Failure> {
    match reply {
        Reply::Accepted => Ok(Finding::NotApplied),
        Reply::Result(result) if element.task.is_read_back() => element.read_back(&result, asked),
        Reply::Result(result) => Ok(element.finding(&result)),
        Reply::Error(error) if error.is_not_found() => Ok(Finding::NotApplied),
        Reply::Error(error) => Err(error.failure(element)),
    }
}
