//! An activator, or a step that can be undone, that sends the request of its input. Its manifest is in a custom
//! section of its core module, as with any plugin in Rust.

use bindings::exports::ferrule::plugin::observation::{self, Difference, Observed, Owner, State};
use bindings::exports::ferrule::plugin::{callbacks, probe, undo, work};
use bindings::ferrule::plugin::types::{Done, Failure, FailureClass, Finding, Outcome, Task};
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
                include ferrule:plugin/activator@0.2.0;
                include ferrule:plugin/resumable@0.2.0;
                include ferrule:plugin/observable@0.2.0;
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

impl work::Guest for Dialler {
    fn run(task: Task) -> Result<Outcome, Failure> {
        take(&input(&task));
        done(dial(&task)?)
    }
}

impl undo::Guest for Dialler {
    fn undo(task: Task, outputs: Option<String>) -> Result<Outcome, Failure> {
        let outputs = outputs.unwrap_or_else(|| "null".into());
        done(format!("{{\"undone\":{outputs},\"key\":\"{}\"}}", task.idempotency_key))
    }

    fn resume(_task: Task, answer: String) -> Result<Outcome, Failure> {
        done(answer)
    }
}

impl probe::Guest for Dialler {
    fn probe(task: Task) -> Result<Finding, Failure> {
        Ok(match input(&task)["found"].as_str() {
            Some("applied") => {
                Finding::Applied(Done { outputs: r#"{"probed":true}"#.into(), attributes: vec![] })
            }
            _ => Finding::NotApplied,
        })
    }
}

impl observation::Guest for Dialler {
    fn observe(task: Task) -> Result<Observed, Failure> {
        let input = input(&task);
        match input["found"].as_str() {
            Some("held") => {
                let differences = input["differences"].as_array().into_iter().flatten();
                Ok(present(Owner::Other("k".into()), differences.map(difference).collect()))
            }
            Some("put") => match send(&Method::Put, &Scheme::Http, &host(&input), "/x") {
                Ok(_) => Ok(present(Owner::ThisTask, vec![])),
                Err(code) => Err(refused(&code)),
            },
            _ => Ok(Observed::Absent),
        }
    }
}

impl callbacks::Guest for Dialler {
    fn resume(_task: Task, answer: String) -> Result<Outcome, Failure> {
        done(answer)
    }
}

fn done(outputs: String) -> Result<Outcome, Failure> {
    Ok(Outcome::Done(Done { outputs, attributes: vec![] }))
}

fn present(owner: Owner, differences: Vec<Difference>) -> Observed {
    let outputs = r#"{"observed":true}"#.into();
    Observed::Present(State { outputs, owner, differences, attributes: vec![] })
}

/// A difference as the input has it. A text in its place is JSON that the host cannot read.
fn difference(written: &Value) -> Difference {
    let json = |name: &str| match written {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            written[name].to_string()
        }
    };
    let found = written.get("found").map(|_| json("found"));
    Difference { name: "down".into(), expected: json("expected"), found }
}

fn input(task: &Task) -> Value {
    serde_json::from_str(&task.input).expect("the host sends JSON")
}

/// Takes as much of the host as the input asks for before the request is sent.
fn take(input: &Value) {
    let count = |name: &str| input[name].as_u64().unwrap_or(0);
    let handles: Vec<Fields> = (0..count("handles")).map(|_| Fields::new()).collect();
    let random = wasip2::random::random::get_random_bytes(count("random"));
    let fields = Fields::new();
    let value = vec![b'x'; usize::try_from(count("header")).expect("32 bits")];
    fields.append("a", &value).expect("a header");
    std::hint::black_box((handles, random, fields));
}

fn dial(task: &Task) -> Result<String, Failure> {
    let input = input(task);
    let path = input["path"].as_str().unwrap_or("/");
    let scheme = if input["tls"] == true { Scheme::Https } else { Scheme::Http };
    match send(&Method::Get, &scheme, &host(&input), path) {
        Ok((status, body)) => {
            // Outputs are bounded, so a long body is not all of it.
            let (bytes, body) = (body.len(), String::from_utf8_lossy(&body));
            let body: String = body.chars().take(1_000).collect();
            Ok(json!({ "what": "run", "status": status, "body": body, "bytes": bytes }).to_string())
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
