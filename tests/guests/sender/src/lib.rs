//! A step plugin that sends a request and exports no optional part: it cannot be undone, probed or
//! resumed. It has no manifest: the tests give it one.

use bindings::exports::ferrule::plugin::work;
use bindings::ferrule::plugin::types::{Callback, Done, Failure, Outcome, Task};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest};

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
            world sender { export ferrule:plugin/work@0.2.0; }
        ",
        world: "test:guests/sender",
        generate_all,
    });
    export!(Sender with_types_in self);
    use super::Sender;
}

struct Sender;

impl work::Guest for Sender {
    fn run(task: Task) -> Result<Outcome, Failure> {
        if task.input.contains("wait") {
            let keys = vec![task.idempotency_key];
            return Ok(Outcome::Waiting(Callback { keys, timeout_ms: 5_000, attributes: vec![] }));
        }
        let sent = outgoing_handler::handle(OutgoingRequest::new(Fields::new()), None).is_ok();
        Ok(Outcome::Done(Done { outputs: format!("{{\"sent\":{sent}}}"), attributes: vec![] }))
    }
}
