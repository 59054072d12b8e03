use ferrule_plugin::fake::{Answer, Host};
use ferrule_plugin::http::Method;
use ferrule_plugin::{Action, Context, FailureClass, Finding, Item, Outcome, Probe, Step, Undo};
use serde_json::json;

use super::{Adapter, Input, Output};

const LINE: &str = "http://olt.test/lines/7";

fn host() -> Host {
    Host::new().setting("element.olt-1", "http://olt.test")
}

fn task() -> (Context, Input) {
    let item = Item {
        spec: "RFS-LINE".into(),
        action: Action::Add,
        characteristics: json!({ "downstreamSpeed": 200 }).to_string(),
    };
    let context = Context::example(&json!({ "element": "olt-1", "line": 7 })).with_item(Some(item));
    let input = context.input().unwrap();
    (context, input)
}

#[test]
fn a_line_is_set_under_the_key_of_the_task() {
    let host = host().answer(Method::Put, LINE, Answer::status(204)).start();
    let (context, input) = task();
    assert_eq!(Adapter::run(&context, input), Ok(Outcome::Done(Output { mbps: 200 })));
    let [request] = &host.requests()[..] else { panic!("one request is sent") };
    assert_eq!(request.sent_json(), Some(json!({ "mbps": 200 })));
    assert_eq!(request.header_of("idempotency-key"), Some(context.key()));
}

#[test]
fn a_lost_answer_is_retried() {
    let _host = host().answer(Method::Put, LINE, Answer::lost()).start();
    let (context, input) = task();
    assert_eq!(Adapter::run(&context, input).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn a_line_that_is_not_there_is_as_good_as_undone() {
    let (context, input) = task();
    let _host = host().answer(Method::Delete, LINE, Answer::status(404)).start();
    assert_eq!(Adapter::undo(&context.with_undo(), input, None), Ok(Outcome::Done(())));
}

#[test]
fn only_a_line_with_the_key_of_the_task_was_set_by_it() {
    for (key, finding) in
        [("key-1", Finding::Applied(Output { mbps: 200 })), ("other", Finding::NotApplied)]
    {
        let line = json!({ "mbps": 200, "idempotencyKey": key });
        let _host = host().answer(Method::Get, LINE, Answer::json(200, &line)).start();
        let (context, input) = task();
        assert_eq!(Adapter::probe(&context, input), Ok(finding), "{key}");
    }
}
