//! Drives elements that speak JSON-RPC 2.0 over HTTP: a method to do the work, one to undo it, one
//! to find out. The calls are in the step's input; the addresses are in the settings.

mod input;
mod reply;

use ferrule_plugin::element::{Asked, Element};
use ferrule_plugin::http::Method;
use ferrule_plugin::{
    Callbacks, Context, Failure, Finding, Observation, Observe, Outcome, Probe, Step, Undo, log,
};
use serde_json::{Value, json};

use input::{Call, Input};
use reply::Reply;

#[cfg(test)]
mod tests;

struct JsonrpcActivator;

impl Step for JsonrpcActivator {
    type Input = Input;
    type Output = Value;

    fn run(context: &Context, mut input: Input) -> Result<Outcome<Value>, Failure> {
        let change = input.change(context);
        let element = input.element(context);
        if let Some(change) = &change {
            let reply = send(&element, change)?;
            if !is_to_be_made(&reply) {
                return activated(&element, reply);
            }
        }
        activated(&element, send(&element, &input.call())?)
    }
}

impl Undo for JsonrpcActivator {
    fn undo(
        context: &Context,
        input: Input,
        _output: Option<Value>,
    ) -> Result<Outcome<()>, Failure> {
        let Some(undo) = &input.undo else {
            return Ok(Outcome::Done(()));
        };
        let element = input.element(context);
        undone(&element, send(&element, undo)?)
    }

    fn resume_undo(
        context: &Context,
        input: Input,
        answer: &Value,
    ) -> Result<Outcome<()>, Failure> {
        input.element(context).resume_undo(answer)
    }
}

impl Probe for JsonrpcActivator {
    fn probe(context: &Context, mut input: Input) -> Result<Finding<Value>, Failure> {
        let Some((call, _)) = input.probe.take().map(input::Probe::apart) else {
            return Ok(Finding::NotApplied);
        };
        let element = input.element(context);
        found(&element, send(&element, &call)?)
    }
}

impl Observe for JsonrpcActivator {
    fn observe(context: &Context, mut input: Input) -> Result<Observation, Failure> {
        let probe = input.probe.take().map(input::Probe::apart);
        let element = input.element(context);
        let Some((call, holds)) = &probe else { return Err(element.no_probe()) };
        let reply = send(&element, call)?;
        observed(&element, reply, Asked { values: Some(&input.params), holds: holds.as_deref() })
    }
}

impl Callbacks for JsonrpcActivator {
    fn resume(context: &Context, input: Input, answer: &Value) -> Result<Outcome<Value>, Failure> {
        input.element(context).resume(answer)
    }
}

ferrule_plugin::export!(JsonrpcActivator as Activator with Callbacks, Observe);

fn send(element: &Element<'_>, call: &Call) -> Result<Reply, Failure> {
    let key = element.context.key();
    let body = json!({"jsonrpc": "2.0", "id": key, "method": call.method, "params": call.params});
    let request = element.request(Method::Post, &element.base_url()?);
    let request = request.header("accept", "application/json").json(&body);
    let response = request.send().map_err(|error| element.no_answer(&error))?;
    log::info(format!("`{}` on `{}`: {}", call.method, element.name, response.status));
    Reply::read(element, &response)
}

/// Whether the prior work is missing, so that it is made anew.
fn is_to_be_made(changed: &Reply) -> bool {
    matches!(changed, Reply::Error(error) if error.is_not_found())
}

/// The outcome by a reply to the method.
fn activated(element: &Element<'_>, reply: Reply) -> Result<Outcome<Value>, Failure> {
    match reply {
        Reply::Accepted => Ok(element.waiting()),
        Reply::Result(result) => element.done(&result),
        Reply::Error(error) => Err(error.failure(element)),
    }
}

/// The outcome by a reply to the undo method.
fn undone(element: &Element<'_>, reply: Reply) -> Result<Outcome<()>, Failure> {
    match reply {
        Reply::Accepted => Ok(element.waiting()),
        Reply::Result(_) => Ok(Outcome::Done(())),
        Reply::Error(error) if error.is_not_found() => Ok(Outcome::Done(())),
        Reply::Error(error) => Err(error.failure(element)),
    }
}

/// The finding by a reply to the probe method.
fn found(element: &Element<'_>, reply: Reply) -> Result<Finding<Value>, Failure> {
    let result = result(element, reply)?;
    Ok(result.map_or(Finding::NotApplied, |result| element.finding(&result)))
}

/// The observation by a reply to the probe method.
fn observed(element: &Element<'_>, reply: Reply, asked: Asked<'_>) -> Result<Observation, Failure> {
    match result(element, reply)? {
        Some(result) => element.observation(&result, asked),
        None => Ok(Observation::Absent),
    }
}

/// The result in a reply to the probe method; `None` if the element has none.
fn result(element: &Element<'_>, reply: Reply) -> Result<Option<Value>, Failure> {
    match reply {
        Reply::Accepted => Ok(None),
        Reply::Result(result) => Ok(Some(result)),
        Reply::Error(error) if error.is_not_found() => Ok(None),
        Reply::Error(error) => Err(error.failure(element)),
    }
}
