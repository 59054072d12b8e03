//! How attempts end: success, retry, callbacks, a person's help.

use insta::assert_snapshot;

use super::play;

#[test]
fn tasks_run_as_soon_as_what_they_need_is_done() {
    assert_snapshot!(play("
        task port
        task vlan
        task olt needs port
        task mail needs olt and vlan
        tick 0
        start port
        start vlan
        succeed port
        start olt
        succeed olt
        succeed vlan
        succeed mail
        end
    "), @r"
    tick 0                 due: run port, run vlan
    start port             due: recover port, run vlan
    start vlan             due: recover port, recover vlan
    succeed port           due: recover vlan, run olt
    start olt              due: recover vlan, recover olt
    succeed olt            due: recover vlan
    succeed vlan           due: run mail
    succeed mail           due: end
    end                    completed
    ");
}

#[test]
fn a_pure_task_needs_no_start() {
    assert_snapshot!(play("
        task rate
        task port needs rate
        succeed rate
        fail port retry
        tick 1000
        succeed port
        end
    "), @r"
    succeed rate           due: run port
    fail port retry        wakes at 868
    tick 1000              due: run port #2
    succeed port           due: end
    end                    completed
    ");
}

#[test]
fn a_failed_attempt_is_made_again_after_a_growing_pause() {
    assert_snapshot!(play("
        task olt, attempts 5
        start olt
        fail olt retry
        tick 1000
        start olt
        fail olt retry
        tick 2000
        start olt
        fail olt retry
        tick 3000
        start olt
        fail olt retry
        tick 3000
        start olt
        fail olt retry
        undo olt
        end
    "), @r"
    start olt              due: recover olt
    fail olt retry         wakes at 821
    tick 1000              due: run olt #2
    start olt              due: recover olt #2
    fail olt retry         wakes at 2563
    tick 2000              due: run olt #3
    start olt              due: recover olt #3
    fail olt retry         wakes at 5180
    tick 3000              due: run olt #4
    start olt              due: recover olt #4
    fail olt retry         wakes at 8547
    tick 3000              due: run olt #5
    start olt              due: recover olt #5
    fail olt retry         due: undo olt
    undo olt               due: end
    end                    failed
    ");
}

#[test]
fn nothing_starts_before_its_needs_or_twice() {
    assert_snapshot!(play("
        task port
        task olt needs port
        start olt
        succeed olt
        wait olt
        start port
        start port
        start port #2
        succeed port
        start port
        end
    "), @r"
    start olt              refused: a fulfilment cannot take `started` while running
    succeed olt            no change, due: run port
    wait olt               no change, due: run port
    start port             due: recover port
    start port             refused: task 0 cannot take `started` while running
    start port #2          refused: task 0 cannot take `started` while running
    succeed port           due: run olt
    start port             refused: task 0 cannot take `started` while done
    end                    refused: a fulfilment cannot take `ended` while running
    ");
}

#[test]
fn an_outcome_that_comes_twice_or_late_changes_nothing() {
    assert_snapshot!(play("
        task olt
        start olt
        fail olt retry
        succeed olt #1
        tick 1000
        start olt
        succeed olt #1
        fail olt person #1
        succeed olt #3
        succeed olt
        succeed olt #2
        fail olt person #2
        end
        succeed olt #2
    "), @r"
    start olt              due: recover olt
    fail olt retry         wakes at 821
    succeed olt #1         no change, wakes at 821
    tick 1000              due: run olt #2
    start olt              due: recover olt #2
    succeed olt #1         no change, due: recover olt #2
    fail olt person #1     no change, due: recover olt #2
    succeed olt #3         no change, due: recover olt #2
    succeed olt            due: end
    succeed olt #2         no change, due: end
    fail olt person #2     no change, due: end
    end                    completed
    succeed olt #2         no change, completed
    ");
}

#[test]
fn a_task_waits_for_its_callback() {
    assert_snapshot!(play("
        task ship
        task mail needs ship
        start ship
        wait ship
        tick 4000
        call back ship
        succeed ship
        succeed mail
        end
    "), @r"
    start ship             due: recover ship
    wait ship              wakes at 5000
    tick 4000              wakes at 5000
    call back ship         due: resume ship
    succeed ship           due: run mail
    succeed mail           due: end
    end                    completed
    ");
}

#[test]
fn an_answer_may_ask_to_wait_for_the_next_one() {
    assert_snapshot!(play("
        task ship
        start ship
        wait ship
        call back ship
        wait ship
        tick 1000
        call back ship
        succeed ship
        end
    "), @r"
    start ship             due: recover ship
    wait ship              wakes at 5000
    call back ship         due: resume ship
    wait ship              wakes at 5000
    tick 1000              wakes at 5000
    call back ship         due: resume ship
    succeed ship           due: end
    end                    completed
    ");
}

#[test]
fn a_pure_task_may_wait_for_a_callback_too() {
    assert_snapshot!(play("
        task approve
        wait approve
        call back approve
        succeed approve
        end
    "), @r"
    wait approve           wakes at 5000
    call back approve      due: resume approve
    succeed approve        due: end
    end                    completed
    ");
}

#[test]
fn a_callback_that_comes_twice_or_late_changes_nothing() {
    assert_snapshot!(play("
        task ship
        start ship
        call back ship
        wait ship
        call back ship #2
        call back ship
        call back ship
        expire ship
        succeed ship
        call back ship
        end
        call back ship
    "), @r"
    start ship             due: recover ship
    call back ship         no change, due: recover ship
    wait ship              wakes at 5000
    call back ship #2      no change, wakes at 5000
    call back ship         due: resume ship
    call back ship         no change, due: resume ship
    expire ship            no change, due: resume ship
    succeed ship           due: end
    call back ship         no change, due: end
    end                    completed
    call back ship         no change, completed
    ");
}

#[test]
fn a_callback_that_does_not_come_in_time_is_asked_for_again() {
    assert_snapshot!(play("
        task ship, attempts 2
        start ship
        wait ship
        tick 5000
        expire ship
        call back ship #1
        succeed ship #1
        expire ship #1
        tick 1000
        start ship
        wait ship
        tick 5000
        expire ship
        call back ship #2
        undo ship
        end
    "), @r"
    start ship             due: recover ship
    wait ship              wakes at 5000
    tick 5000              due: expire ship
    expire ship            wakes at 5821
    call back ship #1      no change, wakes at 5821
    succeed ship #1        no change, wakes at 5821
    expire ship #1         no change, wakes at 5821
    tick 1000              due: run ship #2
    start ship             due: recover ship #2
    wait ship              wakes at 11000
    tick 5000              due: expire ship #2
    expire ship            due: undo ship
    call back ship #2      no change, due: undo ship
    undo ship              due: end
    end                    failed
    ");
}

#[test]
fn a_task_is_not_begun_before_its_time() {
    assert_snapshot!(play("
        task port
        task move needs port, not before 5000
        succeed port
        tick 4999
        tick 1
        succeed move
        end
    "), @r"
    succeed port           wakes at 5000
    tick 4999              wakes at 5000
    tick 1                 due: run move
    succeed move           due: end
    end                    completed
    ");
}

#[test]
fn a_final_failure_is_held_for_an_operator_and_retried() {
    assert_snapshot!(play("
        task port
        task olt needs port, hold
        task cpe
        succeed port
        start olt
        fail olt person
        start cpe
        succeed cpe
        reopen
        start olt
        fail olt retry
        tick 2000
        start olt
        succeed olt
        reopen
        end
    "), @r"
    succeed port           due: run olt, run cpe
    start olt              due: recover olt, run cpe
    fail olt person        due: run cpe
    start cpe              due: recover cpe
    succeed cpe            held: olt BROKEN
    reopen                 due: run olt #2
    start olt              due: recover olt #2
    fail olt retry         wakes at 1508
    tick 2000              due: run olt #3
    start olt              due: recover olt #3
    succeed olt            due: end
    reopen                 no change, due: end
    end                    completed
    ");
}

#[test]
fn a_failure_of_the_order_itself_rolls_back_even_what_would_be_held() {
    assert_snapshot!(play("
        task port, hold
        task olt needs port, hold
        start port
        succeed port
        start olt
        fail olt reject
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt reject        due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn an_order_that_cannot_be_is_rejected_where_nothing_was_begun_outside() {
    assert_snapshot!(play("
        task validate
        task port needs validate
        fail validate reject
        undo validate
        end
    "), @r"
    fail validate reject   due: undo validate
    undo validate          due: end
    end                    rejected
    ");
}

#[test]
fn an_order_that_cannot_be_decomposed_is_held_until_it_can() {
    assert_snapshot!(play("
        task port
        hold
        hold
        plan
        plan
        hold
        reject
        succeed port
        end
    "), @r"
    hold                   held: the order BROKEN
    hold                   held: the order BROKEN
    plan                   due: run port
    plan                   refused: a fulfilment cannot take `planned` while running
    hold                   refused: a fulfilment cannot take `held` while running
    reject                 refused: a fulfilment cannot take `rejected` while running
    succeed port           due: end
    end                    completed
    ");
}

#[test]
fn an_order_may_be_rejected_before_it_is_planned_only() {
    assert_snapshot!(play("
        task port
        hold
        reject
        plan
        succeed port
    "), @r"
    hold                   held: the order BROKEN
    reject                 rejected
    plan                   refused: a fulfilment cannot take `planned` while rejected
    succeed port           no change, rejected
    ");
}

#[test]
fn a_plan_without_tasks_is_complete_at_once() {
    assert_snapshot!(play("
        tick 0
        end
        end
    "), @r"
    tick 0                 due: end
    end                    completed
    end                    refused: a fulfilment cannot take `ended` while completed
    ");
}
