use ferrule_plugin::fake::{Answer, Host};
use ferrule_plugin::http::Method;
use ferrule_plugin::{Context, FailureClass, Finding, Outcome, Probe, Step, Undo};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Adapter, Input, Output};

/// A case of an operation, in `cases.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    operation: String,
    input: Value,
    request: Request,
    answer: Answered,
    outputs: Value,
    undo: Option<Request>,
    undo_undecided: bool,
    /// What an answer 202 leads to.
    accepted: String,
    probes: Vec<Probed>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Answered {
    status: u16,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Probed {
    request: Option<Request>,
    answer: Option<Answered>,
    finding: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

fn host() -> Host {
    Host::new().setting("element.main", "http://element.test"){{settings}}
}

fn task(case: &Case) -> (Context, Input) {
    let context = Context::example(&case.input);
    let input = context.input().unwrap();
    (context, input)
}

fn method(request: &Request) -> Method {
    match request.method.as_str() {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        _ => Method::Delete,
    }
}

impl Answered {
    fn answer(&self) -> Answer {
        match &self.body {
            Some(body) => Answer::json(self.status, body),
            None => Answer::status(self.status),
        }
    }
}

#[test]
fn each_operation_sends_its_request_under_the_key_of_the_task() {
    for case in cases() {
        let request = &case.request;
        let host = host().answer(method(request), &request.url, case.answer.answer()).start();
        let (context, input) = task(&case);
        let outcome = Adapter::run(&context, input);
        let Ok(Outcome::Done(output)) = outcome else { panic!("{}: {outcome:?}", case.operation) };
        assert_eq!(json!(output), case.outputs, "{}", case.operation);
        let [sent] = &host.requests()[..] else { panic!("one request is sent") };
        assert_eq!(sent.sent_json(), request.body, "{}", case.operation);
        assert_eq!(sent.header_of("idempotency-key"), Some(context.key()));
    }
}

#[test]
fn a_lost_answer_is_retried_and_a_refusal_is_for_the_operator() {
    for (answer, class) in [
        (Answer::lost(), FailureClass::Retry),
        (Answer::status(503), FailureClass::Retry),
        (Answer::status(400), FailureClass::Operator),
    ] {
        for case in cases() {
            let request = &case.request;
            let _host = host().answer(method(request), &request.url, answer.clone()).start();
            let (context, input) = task(&case);
            assert_eq!(Adapter::run(&context, input).unwrap_err().class, class, "{}", case.operation);
        }
    }
}

#[test]
fn accepted_work_is_not_taken_for_done() {
    for case in cases() {
        let request = &case.request;
        let answer = Answer::status(202);
        let _host = host().answer(method(request), &request.url, answer).start();
        let (context, input) = task(&case);
        let told = match Adapter::run(&context, input) {
            Ok(Outcome::Done(_)) => "done".to_owned(),
            Ok(Outcome::Waiting(callback)) => callback.keys.concat(),
            Err(failure) => failure.code,
        };
        assert_eq!(told, case.accepted, "{}", case.operation);
    }
}

#[test]
fn work_is_undone_also_if_it_is_not_there() {
    for case in cases() {
        for status in [204, 404] {
            let mut host = host();
            if let Some(request) = &case.undo {
                host = host.answer(method(request), &request.url, Answer::status(status));
            }
            let running = host.start();
            let (context, input) = task(&case);
            let output = Output::deserialize(&case.outputs).unwrap();
            let undone = Adapter::undo(&context.with_undo(), input, Some(output));
            match case.undo_undecided {
                true => assert_eq!(undone.unwrap_err().code, "UNDO_UNDECIDED", "{}", case.operation),
                false => assert_eq!(undone, Ok(Outcome::Done(())), "{}", case.operation),
            }
            assert_eq!(running.answers_left(), 0);
        }
    }
}

#[test]
fn a_probe_finds_the_work_of_its_task() {
    for case in cases() {
        for probed in &case.probes {
            let mut host = host();
            if let (Some(request), Some(answer)) = (&probed.request, &probed.answer) {
                host = host.answer(method(request), &request.url, answer.answer());
            }
            let _host = host.start();
            let (context, input) = task(&case);
            let finding = match Adapter::probe(&context, input) {
                Ok(Finding::Applied(_)) => "applied",
                Ok(Finding::NotApplied) => "not-applied",
                Ok(Finding::Waiting(_)) => "waiting",
                Err(failure) if failure.code == "PROBE_UNDECIDED" => "undecided",
                Err(failure) => panic!("{}: {failure:?}", case.operation),
            };
            assert_eq!(finding, probed.finding, "{}", case.operation);
        }
    }
}
