//! Orders that the client cancels.

use insta::assert_snapshot;

use super::*;
use crate::journal::Refusal;

#[test]
fn a_cancelled_order_stops_and_is_rolled_back_in_reverse_order() {
    assert_snapshot!(play("
        task port
        task olt needs port
        task bng needs olt
        start port
        succeed port
        start olt
        succeed olt
        cancel
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    succeed olt            due: run bng
    cancel                 due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    cancelled
    ");
}

#[test]
fn a_running_task_is_awaited_and_then_undone() {
    assert_snapshot!(play("
        task port
        task olt needs port
        start port
        succeed port
        start olt
        cancel
        succeed olt
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    cancel                 due: recover olt
    succeed olt            due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    cancelled
    ");
}

#[test]
fn past_the_point_of_no_return_an_order_goes_on() {
    assert_snapshot!(play("
        task port
        task ship needs port, no return
        task olt needs ship
        start port
        succeed port
        start ship
        succeed ship
        cancel
        succeed olt
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run ship
    start ship             due: recover ship
    succeed ship           due: run olt
    cancel                 due: run olt
    succeed olt            due: end
    end                    completed
    ");
}

#[test]
fn a_point_of_no_return_that_has_begun_prevents_cancellation() {
    let policy = Policy {
        needs: Vec::new(),
        attempts: 1,
        on_failure: OnFailure::Hold,
        point_of_no_return: true,
        not_before: None,
        lines: std::collections::BTreeSet::new(),
        undoes: false,
    };
    let mut history = History::of_plan(plan(&[("ship".into(), policy)]));
    history.commit(Timestamp(1), vec![Event::Started { task: TaskId(0), attempt: 1 }]).unwrap();
    let refusal = Refusal::PastReturn { task: "play.ship".into() };
    assert_eq!(history.fulfilment.may_be_cancelled(), Err(refusal));
}

#[test]
fn an_order_that_is_held_can_be_cancelled() {
    assert_snapshot!(play("
        task port
        task olt needs port, attempts 1, hold
        start port
        succeed port
        start olt
        fail olt person
        cancel
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        held: olt BROKEN
    cancel                 due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    cancelled
    ");
    let mut history = History::submitted();
    history.commit(Timestamp(1), vec![Event::Held { failure: failure("person") }]).unwrap();
    let (events, answer) = history.fulfilment.cancel(request());
    assert_eq!(answer, Ok(()));
    history.commit(Timestamp(2), events).unwrap();
    assert_eq!(history.fulfilment.due_at(Timestamp(2)), vec![Due::End(End::Cancelled)]);
    history.commit(Timestamp(2), vec![Event::Ended { end: End::Cancelled }]).unwrap();
    let (events, answer) = history.fulfilment.cancel(request());
    assert_eq!(events, Vec::new());
    assert_eq!(answer, Err(Refusal::Final { state: "cancelled".into() }));
}

#[test]
fn an_order_is_cancelled_once() {
    assert_snapshot!(play("
        task port
        start port
        succeed port
        cancel
        cancel
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: end
    cancel                 due: undo port
    cancel                 due: undo port
    undo port              due: end
    end                    cancelled
    ");
}

#[test]
fn an_order_that_is_rolled_back_already_is_not_cancelled() {
    assert_snapshot!(play("
        task port
        task olt needs port, attempts 1
        start port
        succeed port
        start olt
        fail olt person
        cancel
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo olt
    cancel                 due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    failed
    ");
}
