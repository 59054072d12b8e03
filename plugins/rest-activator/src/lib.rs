//! Drives elements that speak REST or RESTCONF: a request to do the work, one to undo it, one to
//! find out. The requests are in the step's input; the addresses are in the settings.

mod input;

use ferrule_plugin::element::{Asked, Element};
use ferrule_plugin::http::Response;
use ferrule_plugin::{
    Callbacks, Context, Failure, Finding, Observation, Observe, Outcome, Probe, Step, Undo, log,
};
use serde_json::Value;

use input::{Call, Input};

#[cfg(test)]
mod tests;

struct RestActivator;

impl Step for RestActivator {
    type Input = Input;
    type Output = Value;

    fn run(context: &Context, mut input: Input) -> Result<Outcome<Value>, Failure> {
        let change = input.change(context);
        let element = input.element(context);
        if let Some(change) = &change {
            let response = send(&element, &input, change)?;
            if !is_to_be_made(&response) {
                return activated(&element, &response);
            }
        }
        activated(&element, &send(&element, &input, &input.request)?)
    }
}

impl Undo for RestActivator {
    fn undo(
        context: &Context,
        input: Input,
        _output: Option<Value>,
    ) -> Result<Outcome<()>, Failure> {
        let Some(undo) = &input.undo else {
            return Ok(Outcome::Done(()));
        };
        let element = input.element(context);
        undone(&element, &send(&element, &input, undo)?)
    }

    fn resume_undo(
        context: &Context,
        input: Input,
        answer: &Value,
    ) -> Result<Outcome<()>, Failure> {
        input.element(context).resume_undo(answer)
    }
}

impl Probe for RestActivator {
    fn probe(context: &Context, mut input: Input) -> Result<Finding<Value>, Failure> {
        let Some((call, _)) = input.probe.take().map(input::Probe::apart) else {
            return Ok(Finding::NotApplied);
        };
        let element = input.element(context);
        found(&element, &send(&element, &input, &call)?)
    }
}

impl Observe for RestActivator {
    fn observe(context: &Context, mut input: Input) -> Result<Observation, Failure> {
        let probe = input.probe.take().map(input::Probe::apart);
        let element = input.element(context);
        let Some((call, holds)) = &probe else { return Err(element.no_probe()) };
        let response = send(&element, &input, call)?;
        let asked = Asked { values: input.request.body.as_ref(), holds: holds.as_deref() };
        observed(&element, &response, asked)
    }
}

impl Callbacks for RestActivator {
    fn resume(context: &Context, input: Input, answer: &Value) -> Result<Outcome<Value>, Failure> {
        input.element(context).resume(answer)
    }
}

ferrule_plugin::export!(RestActivator as Activator with Callbacks, Observe);

fn send(element: &Element<'_>, input: &Input, call: &Call) -> Result<Response, Failure> {
    let url = format!("{}/{}", element.base_url()?, call.path.trim_start_matches('/'));
    let media = input.media.as_deref().unwrap_or("application/json");
    let mut request = element.request(call.method(), &url).header("accept", media);
    if let Some(body) = &call.body {
        request = request.body(media, body.to_string().into_bytes());
    }
    let response = request.send().map_err(|error| element.no_answer(&error))?;
    log::info(format!("{} {url}: {}", call.method, response.status));
    Ok(response)
}

/// Whether the prior work is missing, so that it is made anew.
fn is_to_be_made(changed: &Response) -> bool {
    changed.status == 404
}

/// The outcome by an answer to the request.
fn activated(element: &Element<'_>, response: &Response) -> Result<Outcome<Value>, Failure> {
    if response.status == 202 {
        return Ok(element.waiting());
    }
    if !response.is_success() {
        return Err(element.refused(response));
    }
    element.done(&response.json().unwrap_or_default())
}

/// The outcome by an answer to the undo request.
fn undone(element: &Element<'_>, response: &Response) -> Result<Outcome<()>, Failure> {
    if response.status == 202 {
        return Ok(element.waiting());
    }
    if response.is_success() || response.status == 404 {
        return Ok(Outcome::Done(()));
    }
    Err(element.refused(response))
}

/// The finding by an answer to the probe.
fn found(element: &Element<'_>, response: &Response) -> Result<Finding<Value>, Failure> {
    let document = document(element, response)?;
    Ok(document.map_or(Finding::NotApplied, |document| element.finding(&document)))
}

/// The observation by an answer to the probe.
fn observed(
    element: &Element<'_>,
    response: &Response,
    asked: Asked<'_>,
) -> Result<Observation, Failure> {
    match document(element, response)? {
        Some(document) => element.observation(&document, asked),
        None => Ok(Observation::Absent),
    }
}

/// The document in an answer to the probe; `None` if the element has none.
fn document(element: &Element<'_>, response: &Response) -> Result<Option<Value>, Failure> {
    if response.status == 404 {
        return Ok(None);
    }
    if !response.is_success() {
        return Err(element.refused(response));
    }
    Ok(Some(response.json().unwrap_or_default()))
}
