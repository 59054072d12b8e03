//! Each test is a script of inputs, with the output after each line of it.

mod aside;
mod asleep;
mod measured;
pub(crate) mod refused;
mod safety;
mod stage;
mod traced;
mod write;

use super::*;
use stage::Stage;

const SCRIPT: &str = "
    task check
    task rate needs check
    task olt needs rate, external
    submit
    done check
    done rate
    done olt
";

/// Plays a script on the fulfilment `f`. Tasks come first: `task b needs a, external`; one that is
/// called `port` takes a value out of a pool. Then what comes in, a line each: `submit`, `done a`,
/// `fail a retry|reject`, `wait a`, `callback a`, `undone a`, `reopen`, `tick 50`, `restart`.
fn play(durability: Durability, script: &str) -> String {
    let mut stage = Stage::new(durability);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("task ") {
            Some(task) => stage.task(task),
            None => stage.line(line),
        }
    }
    stage.log
}

#[test]
fn pure_tasks_share_a_commit() {
    insta::assert_snapshot!(play(Durability::Shared, SCRIPT), @r"
    submit
        now call run check #1 by f:0
        write k/client-key
        write j/f/00000000 submitted, planned
        write o/f
        then tell client running
    done check
        now call run rate #1 by f:1
    done rate
        write j/f/00000001 succeeded, succeeded, started
        then call run olt #1 by f:2
    done olt
        write j/f/00000002 succeeded, ended
        remove o/f
    ");
}

#[test]
fn each_step_can_be_on_disk_before_the_next() {
    insta::assert_snapshot!(play(Durability::EachStep, SCRIPT), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned
        write o/f
        then tell client running
        then call run check #1 by f:0
    done check
        write j/f/00000001 succeeded
        then call run rate #1 by f:1
    done rate
        write j/f/00000002 succeeded, started
        then call run olt #1 by f:2
    done olt
        write j/f/00000003 succeeded, ended
        remove o/f
    ");
}

#[test]
fn a_pure_task_beside_an_element_shares_its_commit_unless_a_client_looks() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        task check
        submit
        done check
        get
        done olt
    "), @r"
    submit
        now call run check #1 by f:1
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    done check
    get
        write j/f/00000001 succeeded
        then tell client running
    done olt
        write j/f/00000002 succeeded, ended
        remove o/f
    ");
}

#[test]
fn completed_work_is_undone_in_reverse_and_its_reservations_are_released() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task port
        task olt needs port, external
        task cpe needs olt, external
        submit
        done port
        done olt
        fail cpe reject
        undone cpe
        undone olt
    "), @r"
    submit
        now call run port #1 by f:0
        write k/client-key
        write j/f/00000000 submitted, planned
        write o/f
        then tell client running
    done port
        write h/ports/000000000000
        write j/f/00000001 succeeded, started
        then call run olt #1 by f:1
    done olt
        write j/f/00000002 succeeded, started
        then call run cpe #1 by f:2
    fail cpe reject
        write j/f/00000003 failed, rollingBack
        then call undo cpe #1 by f:2
    undone cpe
        write j/f/00000004 undone
        then call undo olt #1 by f:1
    undone olt
        write d/resource/ports.1
        remove h/ports/000000000000
        write j/f/00000005 undone, undone, ended
        remove o/f
    ");
}

#[test]
fn a_failed_task_is_retried_by_time_and_by_an_operator() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        task cpe needs olt, external
        submit
        fail olt retry
        tick 1000
        fail olt retry
        reopen
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    fail olt retry
        write j/f/00000001 retrying
    tick 1000
        write j/f/00000002 started
        then call recover olt #2 by f:0
    fail olt retry
        write j/f/00000003 failed
    reopen
        write j/f/00000004 retried, started
        then tell person Retried(Some(1))
        then call recover olt #3 by f:0
    ");
}

#[test]
fn an_answer_may_come_before_its_task_waits_and_twice() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        submit
        callback olt
        wait olt
        callback olt
        done olt
        callback olt
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    callback olt
        write c/f:0
        write b/f:0
        then tell element Callback(Kept)
    wait olt
        write j/f/00000001 waiting
        then recall f:0
        remove c/f:0
        remove b/f:0
        write j/f/00000002 calledBack
        then call resume olt #1 by f:0
    callback olt
        write c/f:0
        write b/f:0
        then tell element Callback(Kept)
    done olt
        write j/f/00000003 succeeded, ended
        remove o/f
        remove c/f:0
        remove b/f:0
    callback olt
        then tell element Callback(Ignored)
    ");
}

#[test]
fn an_answer_that_does_not_come_has_the_element_asked_again() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        submit
        wait olt
        restart
        tick 5000
        tick 1000
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    wait olt
        write j/f/00000001 waiting
    restart
    tick 5000
        write j/f/00000002 retrying
    tick 1000
        write j/f/00000003 started
        then call recover olt #2 by f:0
    ");
}

#[test]
fn a_second_submission_under_one_key_is_answered_with_the_first() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        submit
        submit again
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    submit again
        then tell client of f
    ");
}

#[test]
fn a_restart_recovers_begun_tasks_and_runs_the_others() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        task check
        task cpe needs olt, external
        submit
        done check
        restart
        done olt
        restart
    "), @r"
    submit
        now call run check #1 by f:1
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    done check
    restart
        now call run check #1 by f:1
        then call recover olt #1 by f:0
    done olt
        write j/f/00000001 succeeded, started
        then call run cpe #1 by f:2
    restart
        now call run check #1 by f:1
        then call recover cpe #1 by f:2
    ");
}
