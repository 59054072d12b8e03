//! Lines of an order fail on their own; the others go on.

use insta::assert_snapshot;

use super::play;

#[test]
fn a_line_that_fails_is_rolled_back_and_the_others_are_delivered() {
    assert_snapshot!(play("
        task check
        task port of a needs check
        task olt of a needs port
        task cpe of b needs check
        task mail needs olt and cpe
        succeed check
        start port
        succeed port
        start olt
        fail olt person
        undo olt
        start cpe
        undo port
        succeed cpe
        start mail
        succeed mail
        end
    "), @r"
    succeed check          due: run port, run cpe
    start port             due: recover port, run cpe
    succeed port           due: run olt, run cpe
    start olt              due: recover olt, run cpe
    fail olt person        due: undo olt, run cpe
    undo olt               due: undo port, run cpe
    start cpe              due: undo port, recover cpe
    undo port              due: recover cpe
    succeed cpe            due: run mail
    start mail             due: recover mail
    succeed mail           due: end
    end                    partial: b
    ");
}

#[test]
fn a_line_that_relies_on_one_that_failed_fails_with_it() {
    assert_snapshot!(play("
        task hub of a
        task branch of b needs hub
        task leaf of c needs branch
        task other of d
        succeed hub
        succeed branch
        succeed other
        start leaf
        give up item a
        fail leaf person
        undo leaf
        undo branch
        undo hub
        end
    "), @r"
    succeed hub            due: run branch, run other
    succeed branch         due: run leaf, run other
    succeed other          due: run leaf
    start leaf             due: recover leaf
    give up item a         due: recover leaf
    fail leaf person       due: undo leaf
    undo leaf              due: undo branch
    undo branch            due: undo hub
    undo hub               due: end
    end                    partial: d
    ");
}

#[test]
fn shared_work_is_undone_when_all_its_lines_have_failed() {
    assert_snapshot!(play("
        task olt of a and b
        task one of a needs olt
        task two of b needs olt
        task three of c
        succeed olt
        succeed three
        fail one person
        undo one
        fail two person
        undo two
        undo olt
        end
    "), @r"
    succeed olt            due: run one, run two, run three
    succeed three          due: run one, run two
    fail one person        due: undo one, run two
    undo one               due: run two
    fail two person        due: undo two
    undo two               due: undo olt
    undo olt               due: end
    end                    partial: c
    ");
}

#[test]
fn when_the_last_line_fails_the_order_fails() {
    assert_snapshot!(play("
        task check
        task one of a needs check
        task two of b needs check
        succeed check
        fail one person
        undo one
        fail two person
        undo two
        undo check
        end
    "), @r"
    succeed check          due: run one, run two
    fail one person        due: undo one, run two
    undo one               due: run two
    fail two person        due: undo two
    undo two               due: undo check
    undo check             due: end
    end                    failed
    ");
}

#[test]
fn a_step_of_the_whole_order_fails_the_whole_order() {
    assert_snapshot!(play("
        task one of a
        task two of b
        task mail needs one and two
        succeed one
        succeed two
        fail mail person
        undo mail
        undo one
        undo two
        end
    "), @r"
    succeed one            due: run two
    succeed two            due: run mail
    fail mail person       due: undo mail
    undo mail              due: undo one, undo two
    undo one               due: undo two
    undo two               due: end
    end                    failed
    ");
}

#[test]
fn a_held_line_does_not_stop_the_others() {
    assert_snapshot!(play("
        task one of a, hold
        task two of b
        fail one person
        succeed two
        reopen
        succeed one
        end
    "), @r"
    fail one person        due: run two
    succeed two            held: one BROKEN
    reopen                 due: run one #2
    succeed one            due: end
    end                    completed
    ");
}

#[test]
fn a_line_past_its_point_of_no_return_is_held_and_others_are_rolled_back() {
    assert_snapshot!(play("
        task move of a, no return
        task mail of a needs move
        task two of b
        task three of c
        succeed move
        fail mail person
        fail two person
        undo two
        succeed three
        reopen
        succeed mail
        end
    "), @r"
    succeed move           due: run mail, run two, run three
    fail mail person       due: run two, run three
    fail two person        due: undo two, run three
    undo two               due: run three
    succeed three          held: two BROKEN, mail BROKEN
    reopen                 due: run mail #2
    succeed mail           due: end
    end                    partial: a, c
    ");
}

#[test]
fn items_cease_after_a_line_that_was_rolled_back() {
    assert_snapshot!(play("
        task new of a
        task more of c
        task old of b needs new and more, undoes
        succeed more
        fail new person
        start old
        undo new
        start old
        succeed old
        end
    "), @r"
    succeed more           due: run new
    fail new person        due: undo new
    start old              refused: a fulfilment cannot take `started` while running
    undo new               due: run old
    start old              due: recover old
    succeed old            due: end
    end                    partial: b, c
    ");
}

#[test]
fn a_cancelled_order_undoes_what_its_lines_delivered() {
    assert_snapshot!(play("
        task one of a
        task two of b
        task three of c, not before 9000
        succeed two
        fail one person
        undo one
        cancel
        undo two
        end
    "), @r"
    succeed two            due: run one
    fail one person        due: undo one
    undo one               wakes at 9000
    cancel                 due: undo two
    undo two               due: end
    end                    cancelled
    ");
}

#[test]
fn a_call_that_is_under_way_ends_before_its_line_is_undone() {
    assert_snapshot!(play("
        task one of a
        task two of a
        task three of b
        start one
        fail two person
        undo two
        succeed one
        undo one
        succeed three
        end
    "), @r"
    start one              due: recover one, run two, run three
    fail two person        due: recover one, undo two, run three
    undo two               due: recover one, run three
    succeed one            due: undo one, run three
    undo one               due: run three
    succeed three          due: end
    end                    partial: b
    ");
}

#[test]
fn a_step_of_the_order_that_has_begun_goes_on_while_what_it_came_after_is_undone() {
    assert_snapshot!(play("
        task one of a
        task two of a needs one, hold
        task mail needs one
        task three of b
        succeed one
        start mail
        fail two person
        give up item a
        undo two
        wait mail
        undo one
        call back mail
        succeed mail
        succeed three
        end
    "), @r"
    succeed one            due: run two, run mail, run three
    start mail             due: run two, recover mail, run three
    fail two person        due: recover mail, run three
    give up item a         due: undo two, recover mail, run three
    undo two               due: undo one, recover mail, run three
    wait mail              due: undo one, run three
    undo one               due: run three
    call back mail         due: resume mail, run three
    succeed mail           due: run three
    succeed three          due: end
    end                    partial: b
    ");
}
