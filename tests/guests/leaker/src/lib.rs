//! A step that sends a secret and shows all that it knows of it. It has no manifest: the tests give it one.

use bindings::exports::ferrule::plugin::work;
use bindings::ferrule::plugin::types::{Callback, Done, Failure, FailureClass, Outcome, Task};
use bindings::ferrule::plugin::{http, log, secrets};
use serde_json::{Value, json};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

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
            world leaker {
                import ferrule:plugin/log@0.2.0;
                import ferrule:plugin/secrets@0.2.0;
                import ferrule:plugin/http@0.2.0;
                export ferrule:plugin/work@0.2.0;
            }
        ",
        world: "test:guests/leaker",
        generate_all,
    });
    export!(Leaker with_types_in self);
    use super::Leaker;
}

struct Leaker;

impl work::Guest for Leaker {
    fn run(task: Task) -> Result<Outcome, Failure> {
        let input: Value = serde_json::from_str(&task.input).unwrap_or_default();
        let text = |name: &str| input[name].as_str().unwrap_or_default();
        let Some(secret) = secrets::get(text("secret")) else {
            return Err(failure("NO_SECRET", "there is no such secret"));
        };
        let (headers, body) = request(text("where"), &secret);
        let answer = match text("via") {
            "wasi" => by_wasi(text("host"), text("path"), &headers, &body),
            _ => {
                let path = text("path").replace("{secret}", &secret);
                by_contract(text("host"), &path, headers, body)
            }
        };
        let known = match answer {
            Ok(answer) => format!("{secret} {answer}"),
            Err(failure) => return Err(failure),
        };
        show(text("then"), &known)
    }
}

/// The headers and the body with a secret in them.
fn request(place: &str, secret: &str) -> (Vec<(String, String)>, String) {
    let header = |name: &str, value: String| vec![(name.to_owned(), value)];
    let media = |media: &str| header("content-type", media.into());
    match place {
        "name" => (header(secret, "x".into()), String::new()),
        "counted" => (media("application/grpc"), secret.to_owned()),
        "bearer" => (header("authorization", format!("Bearer {secret}")), String::new()),
        "basic" => {
            let text = base64(format!("admin:{secret}").as_bytes());
            (header("authorization", format!("Basic {text}")), String::new())
        }
        "json" => (media("application/json"), json!({ "password": secret }).to_string()),
        "form" => (media("application/x-www-form-urlencoded"), format!("password={secret}")),
        "xml" => (media("application/xml"), format!("<password>{secret}</password>")),
        _ => (media("text/plain"), secret.to_owned()),
    }
}

/// Shows what is known.
fn show(how: &str, known: &str) -> Result<Outcome, Failure> {
    match how {
        "log" => log::write(log::Level::Info, known),
        "print" => {
            std::io::Write::write_all(&mut std::io::stdout(), known.as_bytes()).expect("stdout");
        }
        "fail" => return Err(failure("LEAKED", known)),
        "code" => return Err(failure(known, "the code has it")),
        "trap" => panic!("{known}"),
        "wait" => {
            let keys = vec![known.chars().take(500).collect()];
            return Ok(Outcome::Waiting(Callback { keys, timeout_ms: 1, attributes: vec![] }));
        }
        _ => {
            let outputs =
                json!({ "known": known, known: [{ "base64": base64(known.as_bytes()) }] });
            return Ok(Outcome::Done(Done { outputs: outputs.to_string(), attributes: vec![] }));
        }
    }
    Ok(Outcome::Done(Done { outputs: "{}".into(), attributes: vec![] }))
}

fn by_contract(
    host: &str,
    path: &str,
    headers: Vec<(String, String)>,
    body: String,
) -> Result<String, Failure> {
    let headers = headers.into_iter().map(|(name, value)| http::Header { name, value });
    let request = http::Request {
        method: "POST".into(),
        url: format!("http://{host}{path}"),
        headers: headers.collect(),
        body: body.into_bytes(),
        timeout_ms: None,
        pause_ms: None,
        answer_bytes_max: None,
        attributes: vec![],
    };
    let response = http::send(&request)
        .map_err(|error| failure(&format!("{:?}", error.reason), &error.message))?;
    let headers =
        response.headers.iter().map(|header| format!("{}: {}", header.name, header.value));
    let headers: Vec<_> = headers.collect();
    Ok(format!("{} {}", headers.join(" "), String::from_utf8_lossy(&response.body)))
}

fn by_wasi(
    host: &str,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> Result<String, Failure> {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).expect("a header");
    }
    let length = body.len().to_string();
    fields.append("content-length", length.as_bytes()).expect("a header");
    let request = OutgoingRequest::new(fields);
    request.set_method(&Method::Post).expect("a method");
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(Some(host)).expect("an authority");
    request.set_path_with_query(Some(path)).expect("a path");
    let outgoing = request.body().expect("taken once");
    let refused = |code: &dyn std::fmt::Debug| failure("WASI", &format!("{code:?}"));
    let answer = outgoing_handler::handle(request, None).map_err(|code| refused(&code))?;
    let stream = outgoing.write().expect("taken once");
    for piece in body.as_bytes().chunks(7) {
        stream.blocking_write_and_flush(piece).map_err(|code| refused(&code))?;
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|code| refused(&code))?;
    answer.subscribe().block();
    let response = answer.get().expect("ready").expect("taken once");
    let response = response.map_err(|code| refused(&code))?;
    let headers = response.headers().entries();
    let headers =
        headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
    let headers: Vec<_> = headers.collect();
    let body = response.consume().expect("taken once");
    let stream = body.stream().expect("taken once");
    let mut bytes = Vec::new();
    while let Ok(chunk) = stream.blocking_read(64 * 1024) {
        bytes.extend(chunk);
    }
    Ok(format!("{} {}", headers.join(" "), String::from_utf8_lossy(&bytes)))
}

fn failure(code: &str, message: &str) -> Failure {
    Failure {
        class: FailureClass::Operator,
        code: code.into(),
        message: message.into(),
        retry_after_ms: None,
        attributes: vec![],
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let whole = chunk.iter().fold(0_usize, |whole, &byte| whole << 8 | usize::from(byte));
        let whole = whole << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[whole >> (18 - 6 * place) & 63]));
        }
        text.push_str(&"=".repeat(3 - chunk.len()));
    }
    text
}
