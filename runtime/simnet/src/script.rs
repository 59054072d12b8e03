//! Plays scripts against a network, for the tests.

use std::fmt::Write as _;

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::dialect::{Envelope, Incoming, read};
use super::element::find;
use super::fault::Faults;
use super::network::{Answer, Network, Reply, Ticket};

/// Plays a script and prints what each line comes to.
///
/// A line is `METHOD path key body` (key `-` for none, with `+url` for a callback address, with
/// `!` for `X-Replace`), `faults list`, `wake n`, or a name of something to show.
pub(super) fn play(script: &str) -> String {
    let mut network = Network::default();
    let mut played = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let outcome = match word {
            "faults" => match Faults::parse(serde_json::from_str(rest).unwrap()) {
                Ok(faults) => {
                    network.arm(faults);
                    "armed".to_owned()
                }
                Err(refusal) => refusal.to_string(),
            },
            "wake" => format!("{:?}", network.wake(Ticket(rest.parse().unwrap()))),
            "effects" => lines(&network.effects(None)),
            "fired" => lines(&network.faults()),
            "state" => lines(&network.state(find(rest).unwrap())),
            "clear" => {
                network.clear();
                "cleared".to_owned()
            }
            method => call(&mut network, method, rest),
        };
        writeln!(played, "{line}\n  {outcome}").unwrap();
    }
    played
}

/// One call: `path key body`.
pub(super) fn call(network: &mut Network, method: &str, rest: &str) -> String {
    let mut words = rest.splitn(3, ' ');
    let path = words.next().unwrap();
    let key = words.next().unwrap_or("-");
    let body = words.next().unwrap_or("");
    let (key, url) = key.split_once('+').unwrap_or((key, ""));
    let mut headers = HeaderMap::new();
    if key != "-" {
        headers.insert("Idempotency-Key", key.trim_end_matches('!').parse().unwrap());
    }
    if key.ends_with('!') {
        headers.insert("X-Replace", "true".parse().unwrap());
    }
    if !url.is_empty() {
        headers.insert("X-Callback-Url", url.parse().unwrap());
    }
    let incoming = Incoming {
        method: &method.parse::<Method>().unwrap(),
        path,
        headers: &headers,
        body: body.as_bytes(),
    };
    match read(incoming) {
        Ok((request, envelope)) => shown(&envelope, network.apply(request)),
        Err((refusal, envelope)) => closed(&envelope, Err(refusal)),
    }
}

fn shown(envelope: &Envelope, answer: Answer) -> String {
    match answer {
        Answer::Reply(reply) => closed(envelope, reply),
        Answer::Accepted { reply, ticket, delay_ms } => {
            format!("{} {ticket:?} in {delay_ms} ms", closed(envelope, reply))
        }
        other @ (Answer::Silence | Answer::Lost | Answer::Later { .. }) => format!("{other:?}"),
    }
}

fn closed(envelope: &Envelope, reply: Reply) -> String {
    let (status, body) = envelope.close(reply);
    format!("{status} {body}")
}

fn lines(list: &Value) -> String {
    if list == &json!([]) {
        return "none".to_owned();
    }
    let lines: Vec<_> = list.as_array().unwrap().iter().map(Value::to_string).collect();
    lines.join("\n  ")
}
