//! The operation that is due for a task, for any plan in any state: what is called, under which key
//! and with which effects.

use proptest::prelude::*;

use super::properties::{Run, named, plans};
use super::*;
use crate::expr::Expressions;
use crate::id::Digest;
use crate::operation::{Direction, Effects, Operation};
use crate::plan::{PriorWork, Work};

/// A plan whose tasks also change and undo prior work, with and without an undo of their plugin.
fn with_prior_work(mut plan: Plan, kinds: &[u8]) -> Plan {
    for (index, kind) in kinds.iter().enumerate().take(plan.tasks.len()) {
        let step = u32::try_from(index).unwrap();
        let made = PriorWork {
            step,
            key: format!("earlier:{index}"),
            // The step's input now, or another.
            input: object(&json!({ "n": kind % 2 })),
            outputs: object(&json!({ "of": "earlier" })),
            if_changed: kind & 16 != 0,
            ..PriorWork::default()
        };
        plan.tasks[index].work = match kind % 8 {
            0..4 => Work::Do,
            4..6 => Work::Modify(Box::new(made)),
            _ => Work::Undo(Box::new(made)),
        };
        plan.steps[index].undo = kind & 32 == 0;
    }
    plan
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn effects() -> impl Strategy<Value = Option<Effects>> {
    prop_oneof![Just(None), Just(Some(Effects::Pure)), Just(Some(Effects::External))]
}

fn due(state: &Fulfilment, now: Timestamp, effects: Option<Effects>) -> Vec<Due> {
    let effects = |_: &Digest| effects;
    state.due(&mut Context { now, effects: &effects, expressions: &mut Expressions::default() })
}

/// A call fits the state of its task, its work and the effects of its plugin.
fn assert_call(state: &Fulfilment, task: TaskId, operation: &Operation, effects: Effects) {
    let (own, can_undo) = (&state.tasks[task.index()], state.plan.step(task).undo);
    let request = state.request(task, operation.clone(), &mut Expressions::default()).unwrap();
    assert_eq!(&request.operation, operation);
    if operation.reverts() {
        assert_eq!((effects, can_undo), (Effects::External, true), "there is an effect to undo");
        assert_eq!(
            request.answer_name,
            state.undo_name(task),
            "an answer of the work is told apart"
        );
    }
    match (state.work(task), state.direction(task)) {
        (Work::Undo(made), Direction::Forward) => {
            assert_eq!(request.idempotency_key, made.key, "prior work is undone under its key");
            assert_eq!(request.input, made.input);
            let undo = Operation::Undo { outputs: made.outputs.clone() };
            let resumes = matches!(operation, Operation::ResumeUndo { .. });
            assert!(*operation == undo || resumes, "{operation:?}");
        }
        (Work::Undo(_), Direction::Backward) => panic!("prior work that is undone stays so"),
        (Work::Do | Work::Modify(_), Direction::Forward) => {
            assert_eq!(request.idempotency_key, state.idempotency_key(task));
            assert_eq!(request.answer_name, request.idempotency_key);
            match operation {
                Operation::Run => assert_eq!(*own, TaskState::Pending, "no attempt came before"),
                Operation::Recover => assert!(!own.is_clear(), "an attempt came before"),
                Operation::Resume { .. } => assert!(matches!(own, TaskState::CalledBack { .. })),
                Operation::ResumeUndo { .. } | Operation::Undo { .. } | Operation::Reapply => {
                    panic!("{operation:?} does no work")
                }
            }
        }
        (Work::Do, Direction::Backward) => {
            assert!(own.is_begun(), "work that never began is not undone by a call");
            let outputs = own.task_output().map(|left| left.outputs.clone()).unwrap_or_default();
            let undo = Operation::Undo { outputs };
            let resumes = matches!(operation, Operation::ResumeUndo { .. });
            assert!(*operation == undo || resumes, "{operation:?}");
        }
        (Work::Modify(made), Direction::Backward) => {
            assert!(own.is_begun(), "work that never began is not undone by a call");
            match operation {
                Operation::Reapply => {
                    assert_eq!(request.input, made.input, "it is as it was before");
                    assert_eq!(request.replaces.as_ref(), Some(&made.key));
                    assert_ne!(request.idempotency_key, made.key, "it is not the first attempt");
                }
                Operation::ResumeUndo { .. } => {}
                Operation::Run
                | Operation::Recover
                | Operation::Resume { .. }
                | Operation::Undo { .. } => panic!("{operation:?} does not reapply prior work"),
            }
        }
    }
}

/// A conclusion without a call is legal, and the task is not due again.
fn assert_concluded(state: &Fulfilment, due: &Due, now: Timestamp) {
    let Due::Conclude { task, attempt, reason } = due else { panic!("{due:?} is a call") };
    let events = state.without_call(*task, *attempt, reason.clone(), now);
    assert!(!events.is_empty(), "{due:?} leads to something");
    let mut next = state.clone();
    for event in &events {
        next.apply(now, event).expect("it is legal");
    }
    assert_ne!(next.tasks[task.index()], state.tasks[task.index()]);
    if let NoCall::NothingToUndo | NoCall::Stands { .. } = reason {
        let own = &next.tasks[task.index()];
        assert!(own.is_done() || own.is_clear(), "{due:?} is concluded");
    }
}

fn assert_due(state: &Fulfilment, now: Timestamp, installed: Option<Effects>) {
    for due in due(state, now, installed) {
        match &due {
            Due::Call { task, attempt, operation, effects } => {
                assert_eq!(Some(*effects), installed, "a plugin that is missing is not called");
                assert_call(state, *task, operation, *effects);
                let started = state.before_call(*task, *attempt, *effects);
                if *effects == Effects::Pure {
                    assert_eq!(started, None, "a pure attempt needs no record");
                }
                let Some(started) = started else { continue };
                let mut next = state.clone();
                next.apply(now, &started).expect("an attempt that is due may begin");
                let again = next.due_for(
                    *task,
                    &mut Context {
                        now,
                        effects: &|_| installed,
                        expressions: &mut Expressions::default(),
                    },
                );
                let Some(Due::Call { attempt: same, operation: again, .. }) = again else {
                    // The input may be evaluated differently only if the plan allows it: never here.
                    panic!("after a crash the attempt is recovered, not {again:?}")
                };
                assert_eq!(same, *attempt, "the same attempt is recovered");
                let before = state.request(*task, operation.clone(), &mut Expressions::default());
                let after = next.request(*task, again, &mut Expressions::default());
                let (before, after) = (before.unwrap(), after.unwrap());
                assert_eq!(before.idempotency_key, after.idempotency_key);
                assert_eq!(before.input, after.input);
            }
            Due::Conclude { .. } => assert_concluded(state, &due, now),
            Due::Expire { .. } | Due::Alert(_) | Due::End(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_due_operation_fits_its_task_and_its_plugin(
        policies in plans(),
        kinds in prop::collection::vec(any::<u8>(), 8),
        installed in prop::collection::vec(effects(), 60),
        choices in prop::collection::vec(any::<u8>(), 0..100),
        cancel_at in prop::option::of(1..40_u32),
    ) {
        let mut run = Run::of_plan(with_prior_work(named(&policies), &kinds), choices);
        run.cancel_at = cancel_at;
        for effects in installed {
            if run.history.fulfilment.is_ended() {
                break;
            }
            assert_due(&run.history.fulfilment, run.now, effects);
            run.step();
        }
    }
}

#[test]
fn a_missing_plugin_fails_the_attempt_and_is_named() {
    let history = History::of_plan(one_task(Work::Do));
    let due = due(&history.fulfilment, Timestamp(0), None);
    let [Due::Conclude { reason: NoCall::Impossible(failure), .. }] = due.as_slice() else {
        panic!("{due:?}")
    };
    assert_eq!(failure.code.as_str(), "PLUGIN_MISSING");
    assert!(failure.message.contains("`noop`"), "{}", failure.message);
}

#[test]
fn prior_work_stands_if_its_input_is_the_same_after_all() {
    let made = |n: u32| PriorWork {
        key: "earlier:0".into(),
        input: object(&json!({ "n": n })),
        outputs: object(&json!({ "port": 7 })),
        if_changed: true,
        ..PriorWork::default()
    };
    let due_of = |work| {
        let history = History::of_plan(one_task(work));
        due(&history.fulfilment, Timestamp(0), Some(Effects::External)).remove(0)
    };
    let stands =
        NoCall::Stands { outputs: object(&json!({ "port": 7 })), reservations: Vec::new() };
    assert_eq!(
        due_of(Work::Modify(Box::new(made(1)))),
        Due::Conclude { task: TaskId(0), attempt: 1, reason: stands }
    );
    assert_eq!(
        due_of(Work::Modify(Box::new(made(2)))),
        Due::Call {
            task: TaskId(0),
            attempt: 1,
            operation: Operation::Run,
            effects: Effects::External
        }
    );
}

fn one_task(work: Work) -> Plan {
    let policy = Policy {
        needs: Vec::new(),
        attempts: 1,
        on_failure: OnFailure::Hold,
        point_of_no_return: false,
        not_before: None,
        lines: std::collections::BTreeSet::new(),
        undoes: false,
    };
    let mut plan = plan(&[("t0".into(), policy)]);
    plan.tasks[0].work = work;
    plan
}
