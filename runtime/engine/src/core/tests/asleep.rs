//! Orders that leave memory while they wait.

use super::safety::{callback, waiting};
use super::stage::{LIMITS, Stage};
use super::*;

/// A stage with an order that waits, and nothing that must stay in memory.
fn asleep() -> Stage {
    let mut stage = Stage::new(Durability::Shared);
    stage.limits = Limits { orders_in_memory_bytes: 0, ..LIMITS };
    stage.line("restart");
    stage.task("olt, external");
    stage.line("submit");
    waiting(&mut stage, "olt", "onu-1");
    assert_eq!((stage.core.open(), stage.core.asleep(), stage.core.open_bytes()), (1, 1, 0));
    stage
}

fn get(stage: &mut Stage) -> Answer {
    let fulfilment = FulfilmentId::new("f");
    stage.input(Input::Get { fulfilment, reply: "client" });
    stage.answers.last().unwrap().clone()
}

#[test]
fn an_order_that_left_memory_is_shown_and_leaves_it_again() {
    let mut stage = asleep();
    let Answer::Fulfilment(Some(shown)) = get(&mut stage) else { panic!("it is open") };
    assert_eq!(shown.tasks()[0].name(), "waiting");
    assert_eq!((stage.core.open(), stage.core.asleep(), stage.core.open_bytes()), (1, 1, 0));
}

#[test]
fn an_answer_or_the_time_carries_it_on() {
    for line in ["callback", "tick 5000"] {
        let mut stage = asleep();
        match line {
            "callback" => {
                let answer = callback(&mut stage, "external/onu-1");
                assert_eq!(answer, Answer::Callback(Received::Delivered));
            }
            tick => stage.line(tick),
        }
        assert!(stage.log.contains("then reread f"), "{line}: {}", stage.log);
        let Answer::Fulfilment(Some(shown)) = get(&mut stage) else { panic!("{line}") };
        assert_ne!(shown.tasks()[0].name(), "waiting", "{line}");
    }
}

#[test]
fn it_is_asleep_after_a_start_too_and_keeps_its_timer_and_its_key() {
    let mut stage = asleep();
    // Its client sends it again.
    stage.submit_as("g", "client-key");
    assert_eq!(stage.answers.last(), Some(&Answer::Submitted(FulfilmentId::new("f"))));
    let before = stage.core.wake_at();
    stage.line("restart");
    assert_eq!((stage.core.open(), stage.core.asleep(), stage.core.open_bytes()), (1, 1, 0));
    assert_eq!(stage.core.wake_at(), before);
}

#[test]
fn one_that_cannot_be_read_again_is_set_aside_with_the_reason() {
    let mut stage = asleep();
    let fulfilment = FulfilmentId::new("f");
    stage.input(Input::AwaitEnd { fulfilment, reply: "watcher" });
    // Its end is waited for, in memory or not: the next input has it leave again.
    get(&mut stage);
    assert_eq!(stage.core.asleep(), 1);
    stage.is_unreadable = true;
    let Answer::Denied(denied) = get(&mut stage) else { panic!("it cannot be read") };
    assert!(denied.to_string().contains("record 0 of the journal of `f` is missing"), "{denied}");
    let told = |answer: &&Answer| matches!(answer, Answer::Denied(_));
    assert_eq!(stage.answers.iter().filter(told).count(), 2, "the watcher is told too");
    assert_eq!((stage.core.open(), stage.core.asleep()), (0, 0));
    assert_eq!(stage.core.set_aside().count(), 1);
    assert_eq!(stage.core.wake_at(), None, "no timer is left");
}

/// The journal has its times as they were before: read again, they would be those of the other clock.
#[test]
fn one_whose_times_follow_a_clock_that_was_set_back_stays_in_memory() {
    let mut stage = asleep();
    stage.now = Timestamp(stage.now.0 - 500);
    stage.line("restart");
    assert_eq!((stage.core.open(), stage.core.asleep()), (1, 0));
    stage.line("tick 5000");
    let Answer::Fulfilment(Some(shown)) = get(&mut stage) else { panic!("it is open") };
    assert_ne!(shown.tasks()[0].name(), "waiting");
}
