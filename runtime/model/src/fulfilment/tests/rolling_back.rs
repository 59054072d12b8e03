//! Completed work is undone, in reverse order.

use insta::assert_snapshot;

use super::play;

#[test]
fn a_failed_task_rolls_back_what_was_done_in_reverse_order() {
    assert_snapshot!(play("
        task port
        task vlan
        task olt needs port
        task bng needs olt and vlan
        start port
        succeed port
        start vlan
        succeed vlan
        start olt
        succeed olt
        start bng
        fail bng person
        undo port
        undo bng
        undo vlan
        undo port
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port, run vlan
    succeed port           due: run vlan, run olt
    start vlan             due: recover vlan, run olt
    succeed vlan           due: run olt
    start olt              due: recover olt
    succeed olt            due: run bng
    start bng              due: recover bng
    fail bng person        due: undo bng
    undo port              refused: a fulfilment cannot take `undone` while rollingBack
    undo bng               due: undo vlan, undo olt
    undo vlan              due: undo olt
    undo port              refused: a fulfilment cannot take `undone` while rollingBack
    undo olt               due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn a_failed_task_that_was_started_is_undone_too() {
    assert_snapshot!(play("
        task port
        task olt needs port
        start port
        succeed port
        start olt
        fail olt person
        undo olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn a_running_attempt_ends_before_its_task_is_undone() {
    assert_snapshot!(play("
        task port
        task olt
        task cpe
        start port
        start olt
        start cpe
        fail olt person
        undo olt
        fail cpe retry
        undo cpe
        wait port
        call back port
        succeed port
        undo port
        end
    "), @r"
    start port             due: recover port, run olt, run cpe
    start olt              due: recover port, recover olt, run cpe
    start cpe              due: recover port, recover olt, recover cpe
    fail olt person        due: recover port, undo olt, recover cpe
    undo olt               due: recover port, recover cpe
    fail cpe retry         due: recover port, undo cpe
    undo cpe               due: recover port
    wait port              wakes at 5000
    call back port         due: resume port
    succeed port           due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn nothing_begins_while_an_order_is_rolled_back() {
    assert_snapshot!(play("
        task port
        task olt
        task cpe
        fail cpe retry
        fail olt person
        start port
        succeed port
        start cpe
        tick 1000
        succeed cpe
        reopen
        undo cpe
        undo olt
        end
    "), @r"
    fail cpe retry         due: run port, run olt
    fail olt person        due: undo olt, undo cpe
    start port             refused: a fulfilment cannot take `started` while rollingBack
    succeed port           no change, due: undo olt, undo cpe
    start cpe              refused: a fulfilment cannot take `started` while rollingBack
    tick 1000              due: undo olt, undo cpe
    succeed cpe            no change, due: undo olt, undo cpe
    reopen                 no change, due: undo olt, undo cpe
    undo cpe               due: undo olt
    undo olt               due: end
    end                    failed
    ");
}

#[test]
fn an_undo_is_made_again_and_then_waits_for_a_person() {
    assert_snapshot!(play("
        task port
        task olt needs port, attempts 2
        succeed port
        start olt
        fail olt person
        fail undo olt retry
        undo olt #1
        tick 1000
        fail undo olt retry
        undo olt
        reopen
        undo olt
        undo port
        end
    "), @r"
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo olt
    fail undo olt retry    wakes at 868
    undo olt #1            no change, wakes at 868
    tick 1000              due: undo olt #2
    fail undo olt retry    held: olt BROKEN, olt BUSY
    undo olt               no change, held: olt BROKEN, olt BUSY
    reopen                 due: undo olt
    undo olt               due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn past_the_point_of_no_return_a_person_is_asked_instead() {
    assert_snapshot!(play("
        task port
        task move needs port, no return
        task mail needs move
        succeed port
        start move
        succeed move
        start mail
        fail mail reject
        reopen
        succeed mail
        end
    "), @r"
    succeed port           due: run move
    start move             due: recover move
    succeed move           due: run mail
    start mail             due: recover mail
    fail mail reject       held: mail CANNOT_BE
    reopen                 due: run mail #2
    succeed mail           due: end
    end                    completed
    ");
}

#[test]
fn a_point_of_no_return_that_may_have_been_passed_counts() {
    assert_snapshot!(play("
        task move, no return
        task mail
        start move
        fail mail person
        succeed move
        reopen
        succeed mail
        end
    "), @r"
    start move             due: recover move, run mail
    fail mail person       due: recover move
    succeed move           held: mail BROKEN
    reopen                 due: run mail #2
    succeed mail           due: end
    end                    completed
    ");
}

#[test]
fn a_point_of_no_return_that_itself_failed_is_unwound() {
    assert_snapshot!(play("
        task port
        task move needs port, no return
        succeed port
        start move
        fail move person
        undo move
        undo port
        end
    "), @r"
    succeed port           due: run move
    start move             due: recover move
    fail move person       due: undo move
    undo move              due: undo port
    undo port              due: end
    end                    failed
    ");
    assert_snapshot!(play("
        task move, no return
        fail move person
        undo move
        end
    "), @r"
    fail move person       due: undo move
    undo move              due: end
    end                    failed
    ");
}

#[test]
fn an_undo_that_waits_ends_with_its_callback() {
    assert_snapshot!(play("
        task port
        task olt needs port
        succeed port
        start olt
        fail olt person
        wait undo olt
        undo port
        call back olt
        undo olt
        wait undo port
        call back port #2
        undo port
        end
    "), @r"
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo olt
    wait undo olt          wakes at 5000
    undo port              refused: a fulfilment cannot take `undone` while rollingBack
    call back olt          due: resume undo olt
    undo olt               due: undo port
    wait undo port         wakes at 5000
    call back port #2      no change, wakes at 5000
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn an_undo_whose_answer_does_not_come_is_asked_for_again() {
    assert_snapshot!(play("
        task port, attempts 2
        task olt
        succeed port
        fail olt person
        undo olt
        wait undo port
        tick 5000
        expire port
        tick 2000
        wait undo port
        tick 5000
        expire port
        reopen
        undo port
        end
    "), @r"
    succeed port           due: run olt
    fail olt person        due: undo port, undo olt
    undo olt               due: undo port
    wait undo port         wakes at 5000
    tick 5000              due: expire port
    expire port            wakes at 5821
    tick 2000              due: undo port #2
    wait undo port         wakes at 12000
    tick 5000              due: expire port #2
    expire port            held: olt BROKEN, port CALLBACK_TIMEOUT
    reopen                 due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn a_task_that_never_began_is_undone_without_a_call() {
    assert_snapshot!(play("
        task port
        task olt needs port
        succeed port
        fail olt person
        fail undo olt person
        undo port
        end
    "), @r"
    succeed port           due: run olt
    fail olt person        due: undo olt
    fail undo olt person   due: undo port
    undo port              due: end
    end                    failed
    ");
}
