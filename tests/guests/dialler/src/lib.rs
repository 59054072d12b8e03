//! An activator, or a step, that sends the request that its input asks for. Its manifest is in a custom
//! section of its core module, as with any plugin in Rust.

use bindings::exports::ferrule::plugin::activation::{self, Finding};
use bindings::exports::ferrule::plugin::work;
use bindings::ferrule::plugin::types::{Attribute, Done, Failure, FailureClass, Outcome, Task};
use serde_json::{Value, json};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, Method, OutgoingRequest, Scheme};

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::mem_forget,
    reason = "generated code"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package test:guests;
            world dialler {
                include ferrule:plugin/activator@0.1.2;
                export ferrule:plugin/work@0.1.2;
            }
        ",
        world: "test:guests/dialler",
        generate_all,
    });
    export!(Dialler with_types_in self);
    use super::Dialler;

    #[unsafe(link_section = "ferrule:plugin-manifest")]
    #[used]
    static MANIFEST: [u8; include_bytes!("../plugin.toml").len()] =
        *include_bytes!("../plugin.toml");
}

struct Dialler;

impl activation::Guest for Dialler {
    fn activate(task: Task) -> Result<Outcome, Failure> {
        let outputs = dial(&task, "activate")?;
        Ok(Outcome::Done(Done { outputs, attributes: vec![] }))
    }

    fn undo(task: Task, outputs: String) -> Result<Done, Failure> {
        let outputs = format!("{{\"undone\":{outputs},\"key\":\"{}\"}}", task.idempotency_key);
        Ok(Done { outputs, attributes: vec![] })
    }

    fn probe(task: Task) -> Result<Finding, Failure> {
        let input: Value = serde_json::from_str(&task.input).expect("the host sends JSON");
        match input["found"].as_str() {
            Some("applied") => Ok(Finding::Applied(Done {
                outputs: r#"{"probed":true}"#.into(),
                attributes: vec![],
            })),
            Some("held") => Ok(Finding::Applied(Done {
                outputs: json!({ "attributes": task.attributes.len() }).to_string(),
                attributes: vec![
                    Attribute { name: "held-by".into(), value: "k".into() },
                    Attribute {
                        name: "differences".into(),
                        value: input["differences"].to_string(),
                    },
                ],
            })),
            Some("put") => match send(&Method::Put, &Scheme::Http, &host(&input), "/x") {
                Ok(_) => Ok(Finding::Applied(Done { outputs: "{}".into(), attributes: vec![] })),
                Err(code) => Err(refused(&code)),
            },
            _ => Ok(Finding::NotApplied),
        }
    }

    fn resume(_task: Task, payload: String) -> Result<Outcome, Failure> {
        Ok(Outcome::Done(Done { outputs: payload, attributes: vec![] }))
    }
}

impl work::Guest for Dialler {
    fn run(task: Task) -> Result<Outcome, Failure> {
        let outputs = dial(&task, "run")?;
        Ok(Outcome::Done(Done { outputs, attributes: vec![] }))
    }

    fn resume(_task: Task, payload: String) -> Result<Outcome, Failure> {
        Ok(Outcome::Done(Done { outputs: payload, attributes: vec![] }))
    }
}

fn dial(task: &Task, what: &str) -> Result<String, Failure> {
    let input: Value = serde_json::from_str(&task.input).expect("the host sends JSON");
    let path = input["path"].as_str().unwrap_or("/");
    let scheme = if input["tls"] == true { Scheme::Https } else { Scheme::Http };
    match send(&Method::Get, &scheme, &host(&input), path) {
        Ok((status, body)) => {
            // Outputs are bounded, so a long body is not all of it.
            let (bytes, body) = (body.len(), String::from_utf8_lossy(&body));
            let body: String = body.chars().take(1_000).collect();
            Ok(json!({ "what": what, "status": status, "body": body, "bytes": bytes }).to_string())
        }
        Err(code) => Err(refused(&code)),
    }
}

fn refused(code: &ErrorCode) -> Failure {
    Failure {
        class: FailureClass::Retry,
        code: "HTTP".into(),
        message: format!("{code:?}"),
        retry_after_ms: None,
        attributes: vec![],
    }
}

fn host(input: &Value) -> String {
    input["host"].as_str().unwrap_or_default().into()
}

fn send(
    method: &Method,
    scheme: &Scheme,
    host: &str,
    path: &str,
) -> Result<(u16, Vec<u8>), ErrorCode> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(method).expect("a method");
    request.set_scheme(Some(scheme)).expect("a scheme");
    request.set_authority(Some(host)).expect("an authority");
    request.set_path_with_query(Some(path)).expect("a path");
    let response = outgoing_handler::handle(request, None)?;
    response.subscribe().block();
    let response = response.get().expect("ready").expect("taken once")?;
    let body = response.consume().expect("taken once");
    let stream = body.stream().expect("taken once");
    let mut bytes = Vec::new();
    // A body that is cut off counts as far as it came.
    while let Ok(chunk) = stream.blocking_read(64 * 1024) {
        bytes.extend(chunk);
    }
    Ok((response.status(), bytes))
}
