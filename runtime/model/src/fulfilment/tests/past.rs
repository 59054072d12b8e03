//! The calls of the past are made again from the journal, each as it was made.

use super::*;
use crate::operation::Operation;

fn policy(needs: &[usize]) -> Policy {
    Policy {
        needs: needs.iter().map(|need| TaskId::at(*need)).collect(),
        attempts: 3,
        on_failure: OnFailure::RollBack,
        point_of_no_return: false,
        not_before: None,
        lines: ["a".to_owned()].into(),
        undoes: false,
    }
}

fn outputs(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

fn failure() -> Failure {
    Failure::new(FailureClass::Retry, "BUSY", "later")
}

#[test]
fn a_call_of_the_past_has_the_input_and_the_operation_that_it_had() {
    let (port, olt) = (TaskId::at(0), TaskId::at(1));
    let mut plan = plan(&[("port".into(), policy(&[])), ("olt".into(), policy(&[0]))]);
    plan.steps[1].input = json!({ "vlan": "=steps.port.vlan" });
    let mut history = History::of_plan(plan);
    let at = Timestamp(5_000);
    let wait = Wait { keys: vec!["k".into()], timeout_ms: 1_000 };
    let retrying = Event::Retrying { task: port, attempt: 1, failure: failure(), at };
    let port_done = Event::Succeeded {
        task: port,
        attempt: 2,
        outputs: outputs("vlan", json!(7)),
        reservations: Vec::new(),
    };
    let waiting = Event::Waiting { task: olt, attempt: 1, wait, until: Timestamp(9_000) };
    let called_back = Event::CalledBack { task: olt, attempt: 1, payload: json!({ "ok": true }) };
    let olt_done = Event::Succeeded {
        task: olt,
        attempt: 1,
        outputs: outputs("onu", json!("x")),
        reservations: Vec::new(),
    };
    history.commit(Timestamp(1), vec![retrying]).unwrap();
    // The input of the second follows from an event of the same record.
    history.commit(at, vec![port_done, waiting]).unwrap();
    history.commit(Timestamp(6_000), vec![called_back, olt_done]).unwrap();
    let cause = failure();
    let back = Event::RollingBack { cause, task: None, decision: None };
    history.commit(Timestamp(6_001), vec![back]).unwrap();
    history.commit(Timestamp(6_002), vec![Event::Undone { task: olt }]).unwrap();

    let id = FulfilmentId::new("f-1");
    let calls = |task| Fulfilment::past_calls(id.clone(), &history.records, task).unwrap();
    let inputs = |task| {
        let calls: Vec<Past> = calls(task);
        let call = |call: Past| (call.attempt, call.request.operation, json!(call.request.input));
        calls.into_iter().map(call).collect::<Vec<_>>()
    };
    let document = json!({ "n": 1 });
    assert_eq!(
        inputs(port),
        [(1, Operation::Run, document.clone()), (2, Operation::Recover, document)]
    );
    let vlan = json!({ "vlan": 7 });
    assert_eq!(
        inputs(olt),
        [
            (1, Operation::Run, vlan.clone()),
            (1, Operation::Resume { payload: json!({ "ok": true }) }, vlan.clone()),
            (1, Operation::Undo { outputs: outputs("onu", json!("x")) }, vlan),
        ]
    );
}
