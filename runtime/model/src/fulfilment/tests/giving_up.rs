//! Nothing is stuck for ever: an operator gives it up, or did it by hand.

use insta::assert_snapshot;

use super::play;

#[test]
fn an_undo_that_is_stuck_is_given_up() {
    assert_snapshot!(play("
        task port
        task olt needs port
        start port
        succeed port
        start olt
        fail olt person
        give up port
        fail undo olt person
        give up olt
        give up olt
        undo port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo olt
    give up port           denied: task `play.port` is done, and there is no undo of it that does not go on
    fail undo olt person   held: olt BROKEN
    give up olt            due: undo port
    give up olt            no change, due: undo port
    undo port              due: end
    end                    failed
    ");
}

#[test]
fn an_undo_that_waits_or_is_tried_again_is_given_up() {
    assert_snapshot!(play("
        task port
        task olt
        start port
        succeed port
        start olt
        fail olt person
        fail undo port retry
        wait undo olt
        give up port
        give up olt
        end
    "), @r"
    start port             due: recover port, run olt
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo port, undo olt
    fail undo port retry   due: undo olt
    wait undo olt          wakes at 821
    give up port           wakes at 5000
    give up olt            due: end
    end                    failed
    ");
}

#[test]
fn an_item_is_given_up_and_the_others_go_on() {
    assert_snapshot!(play("
        task one of a
        task two of a needs one, hold
        task three of b, not before 9000
        start one
        succeed one
        start two
        fail two person
        give up item a
        undo two
        undo one
        give up item a
        tick 9000
        succeed three
        end
    "), @r"
    start one              due: recover one
    succeed one            due: run two
    start two              due: recover two
    fail two person        wakes at 9000
    give up item a         due: undo two
    undo two               due: undo one
    undo one               wakes at 9000
    give up item a         no change, wakes at 9000
    tick 9000              due: run three
    succeed three          due: end
    end                    partial: b
    ");
}

#[test]
fn a_failed_step_that_is_given_up_takes_its_lines_with_it() {
    assert_snapshot!(play("
        task one of a, hold
        task two of b
        succeed two
        start one
        fail one person
        give up one
        undo one
        end
    "), @r"
    succeed two            due: run one
    start one              due: recover one
    fail one person        held: one BROKEN
    give up one            due: undo one
    undo one               due: end
    end                    partial: b
    ");
}

#[test]
fn a_step_that_waits_for_an_answer_is_given_up() {
    assert_snapshot!(play("
        task one of a
        task two of b
        start one
        give up one
        wait one
        give up one
        undo one
        succeed two
        end
    "), @r"
    start one              due: recover one, run two
    give up one            denied: task `a.one` is running, and its call ends by itself: try again then
    wait one               due: run two
    give up one            due: undo one, run two
    undo one               due: run two
    succeed two            due: end
    end                    partial: b
    ");
}

#[test]
fn a_cancelled_order_whose_step_waits_can_go_on() {
    assert_snapshot!(play("
        task one
        start one
        wait one
        cancel
        give up one
        undo one
        end
    "), @r"
    start one              due: recover one
    wait one               wakes at 5000
    cancel                 wakes at 5000
    give up one            due: undo one
    undo one               due: end
    end                    cancelled
    ");
}

#[test]
fn past_a_point_of_no_return_the_work_stays_and_the_line_ends() {
    assert_snapshot!(play("
        task port of a
        task move of a needs port, no return
        task mail of a needs move, hold
        task other of b
        succeed other
        succeed port
        succeed move
        start mail
        fail mail person
        cancel
        give up mail
        undo mail
        end
    "), @r"
    succeed other          due: run port
    succeed port           due: run move
    succeed move           due: run mail
    start mail             due: recover mail
    fail mail person       held: mail BROKEN
    cancel                 held: mail BROKEN
    give up mail           due: undo mail
    undo mail              due: end
    end                    partial: b
    ");
}

#[test]
fn an_order_of_one_line_past_its_point_of_no_return_can_be_given_up() {
    assert_snapshot!(play("
        task port of a
        task move of a needs port, no return
        task mail of a needs move, hold
        succeed port
        succeed move
        start mail
        fail mail person
        give up item a
        undo mail
        end
    "), @r"
    succeed port           due: run move
    succeed move           due: run mail
    start mail             due: recover mail
    fail mail person       held: mail BROKEN
    give up item a         due: undo mail
    undo mail              due: end
    end                    failed
    ");
}

#[test]
fn a_step_of_the_order_past_a_point_of_no_return_is_done_by_hand() {
    assert_snapshot!(play("
        task move of a, no return
        task mail needs move, hold
        succeed move
        start mail
        fail mail person
        give up mail
        complete mail
        end
    "), @r"
    succeed move           due: run mail
    start mail             due: recover mail
    fail mail person       held: mail BROKEN
    give up mail           denied: `play.mail` serves the whole order, and `a.move` cannot be undone any more: do `play.mail` by hand and say that it is complete, or give up items
    complete mail          due: end
    end                    completed
    ");
}

#[test]
fn a_failed_task_is_completed_by_hand() {
    assert_snapshot!(play("
        task port, hold
        task olt needs port
        complete port
        start port
        fail port person
        complete port
        succeed olt
        end
    "), @r"
    complete port          denied: task `play.port` is pending, and only what failed or waits can be done by hand
    start port             due: recover port
    fail port person       held: port BROKEN
    complete port          due: run olt
    succeed olt            due: end
    end                    completed
    ");
}

#[test]
fn a_stuck_undo_is_done_by_hand() {
    assert_snapshot!(play("
        task port
        task olt needs port
        start port
        succeed port
        start olt
        fail olt person
        fail undo olt person
        complete olt
        fail undo port retry
        complete port
        end
    "), @r"
    start port             due: recover port
    succeed port           due: run olt
    start olt              due: recover olt
    fail olt person        due: undo olt
    fail undo olt person   held: olt BROKEN
    complete olt           due: undo port
    fail undo port retry   wakes at 821
    complete port          due: end
    end                    failed
    ");
}

#[test]
fn an_undo_that_fails_for_good_is_given_up() {
    assert_snapshot!(play("
        task olt of a, undoes
        task port of a needs olt, undoes
        start olt
        fail olt person
        cancel
        give up olt
        start port
        succeed port
        end
    "), @r"
    start olt              due: recover olt
    fail olt person        held: olt BROKEN
    cancel                 held: olt BROKEN
    give up olt            due: run port
    start port             due: recover port
    succeed port           due: end
    end                    completed
    ");
}

#[test]
fn a_delete_that_is_given_up_stays_as_far_as_it_came() {
    assert_snapshot!(play("
        task olt of a, undoes
        task port of a needs olt, undoes
        task other of b, undoes
        start other
        give up item b
        succeed other
        start olt
        succeed olt
        start port
        fail port person
        give up item a
        undo port
        end
    "), @r"
    start other            due: run olt, recover other
    give up item b         denied: task `b.other` is running, and it is a point of no return: give it up, or wait for its end
    succeed other          due: run olt
    start olt              due: recover olt
    succeed olt            due: run port
    start port             due: recover port
    fail port person       held: port BROKEN
    give up item a         due: undo port
    undo port              due: end
    end                    partial: b
    ");
}

#[test]
fn a_step_that_waits_while_its_order_is_rolled_back_is_not_done_by_hand() {
    assert_snapshot!(play("
        task one
        task two
        start one
        wait one
        start two
        fail two person
        complete one
        give up one
        undo one
        undo two
        end
    "), @r"
    start one              due: recover one, run two
    wait one               due: run two
    start two              due: recover two
    fail two person        due: undo two
    complete one           denied: task `play.one` is waiting, and its line is rolled back: give it up instead
    give up one            due: undo one, undo two
    undo one               due: undo two
    undo two               due: end
    end                    failed
    ");
}
