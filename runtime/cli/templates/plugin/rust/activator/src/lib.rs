//! Sets the speed of a line on an element that speaks REST.

use ferrule_plugin::element::Element;
use ferrule_plugin::http::{Method, Response};
use ferrule_plugin::{Context, Failure, Finding, Outcome, Probe, Step, Undo, log};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

struct Adapter;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The element; its address is the setting `element.<name>`.
    element: String,
    /// The line.
    line: u32,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct Output {
    /// The speed that was set.
    mbps: u32,
}

impl Step for Adapter {
    type Input = Input;
    type Output = Output;

    fn run(context: &Context, input: Input) -> Result<Outcome<Output>, Failure> {
        let mbps: u32 = context.characteristics()?.get("downstreamSpeed")?;
        let element = Element::new(&input.element, context);
        let response = send(&element, Method::Put, input.line, Some(&json!({ "mbps": mbps })))?;
        if !response.is_success() {
            return Err(element.refused(&response));
        }
        log::info(format!("line {} runs at {mbps} Mb/s", input.line));
        Ok(Outcome::Done(Output { mbps }))
    }
}

impl Undo for Adapter {
    fn undo(
        context: &Context,
        input: Input,
        _output: Option<Output>,
    ) -> Result<Outcome<()>, Failure> {
        let element = Element::new(&input.element, context);
        let response = send(&element, Method::Delete, input.line, None)?;
        // Work that is not there is as good as undone.
        if response.is_success() || response.status == 404 {
            return Ok(Outcome::Done(()));
        }
        Err(element.refused(&response))
    }
}

impl Probe for Adapter {
    fn probe(context: &Context, input: Input) -> Result<Finding<Output>, Failure> {
        let element = Element::new(&input.element, context);
        let response = send(&element, Method::Get, input.line, None)?;
        if response.status == 404 {
            return Ok(Finding::NotApplied);
        }
        if !response.is_success() {
            return Err(element.refused(&response));
        }
        // Only a line that carries our key was set by us.
        let line = response.json().unwrap_or_default();
        Ok(match (line["idempotencyKey"] == context.key(), Output::deserialize(&line)) {
            (true, Ok(output)) => Finding::Applied(output),
            _ => Finding::NotApplied,
        })
    }
}

ferrule_plugin::export!(Adapter as Activator);

/// Sends one request; it carries the task's idempotency key and ends before the task must.
fn send(
    element: &Element<'_>,
    method: Method,
    line: u32,
    body: Option<&Value>,
) -> Result<Response, Failure> {
    let url = format!("{}/lines/{line}", element.base_url()?);
    let request = element.request(method, &url);
    let request = body.into_iter().fold(request, |request, body| request.json(body));
    request.send().map_err(|error| element.no_answer(&error))
}
