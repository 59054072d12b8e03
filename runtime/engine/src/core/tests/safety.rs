//! The limits of the engine, and the owners of callbacks.

use model::Wait;
use serde_json::json;

use super::super::*;
use super::stage::{LIMITS, Stage};
use crate::keys;
use crate::store::{Scan, Store as _};

const HOUR_MS: u64 = 3_600_000;

fn id(name: &str) -> FulfilmentId {
    FulfilmentId::new(name)
}

pub(super) fn waiting(stage: &mut Stage, name: &str, key: &str) {
    let wait = Wait { keys: vec![key.into()], timeout_ms: 5_000 };
    stage.finished(name, Outcome::Waiting(wait), false);
}

pub(super) fn callback(stage: &mut Stage, name: &str) -> Answer {
    let payload = json!({ "n": 1 });
    stage.input(Input::Callback {
        callback: Callback { name: name.into(), payload },
        reply: "element",
    });
    stage.answers.last().unwrap().clone()
}

fn state(stage: &Stage, task: &str) -> &'static str {
    let open = stage.core.fulfilments().next().unwrap();
    open.tasks()[stage.named(task).index()].name()
}

#[test]
fn a_key_that_is_waited_for_is_refused_to_others_with_a_note_for_both() {
    for key in ["onu-1", "f:0"] {
        let mut stage = Stage::new(Durability::Shared);
        stage.task("first, external");
        stage.task("second, external");
        stage.line("submit");
        waiting(&mut stage, "first", key);
        waiting(&mut stage, "second", key);
        assert_eq!((state(&stage, "first"), state(&stage, "second")), ("waiting", "failed"));
        let open = stage.core.fulfilments().next().unwrap();
        assert_eq!(open.failures()[0].failure.code.as_str(), "CALLBACK_KEY_TAKEN");
        if key == "onu-1" {
            let note = stage.store.get(&keys::note(&id("f"), 0, 1)).unwrap().unwrap();
            assert!(String::from_utf8(note).unwrap().contains("host: task 1 wanted"));
        }
        let name = if key == "f:0" { "f:0" } else { "external/onu-1" };
        assert_eq!(callback(&mut stage, name), Answer::Callback(Received::Delivered));
        assert_eq!((state(&stage, "first"), state(&stage, "second")), ("calledBack", "failed"));
    }
}

#[test]
fn keys_of_one_plugin_are_not_those_of_another() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("first, external");
    stage.line("submit");
    waiting(&mut stage, "first", "onu-1");
    for other in ["pure/onu-1", "onu-1"] {
        assert_eq!(callback(&mut stage, other), Answer::Callback(Received::Kept), "{other}");
    }
    assert_eq!(state(&stage, "first"), "waiting");
    assert_eq!(callback(&mut stage, "external/onu-1"), Answer::Callback(Received::Delivered));
}

#[test]
fn callbacks_that_are_kept_are_bounded_and_expire_after_a_start_too() {
    let mut stage = Stage::new(Durability::Shared);
    for number in 0..4 {
        let kept = callback(&mut stage, &format!("external/{number}"));
        assert_eq!(kept, Answer::Callback(Received::Kept));
    }
    assert_eq!(callback(&mut stage, "external/4"), Answer::Callback(Received::TooMany));
    // One that is sent again takes its own place.
    assert_eq!(callback(&mut stage, "external/3"), Answer::Callback(Received::Kept));
    let large = json!({ "text": "x".repeat(65 << 10) });
    let name = "external/0".to_string();
    stage.input(Input::Callback { callback: Callback { name, payload: large }, reply: "element" });
    assert_eq!(stage.answers.last(), Some(&Answer::Callback(Received::TooLarge)));
    stage.line("restart");
    assert_eq!(stage.core.callbacks_kept().0, 4);
    assert_eq!(stage.core.wake_at(), Some(stage.now.plus_ms(HOUR_MS)));
    stage.line("tick 3600000");
    assert_eq!(stage.core.callbacks_kept(), (0, 0));
    for prefix in ["c/", "b/"] {
        assert!(stage.store.scan(&Scan::prefix(prefix, 10)).unwrap().is_empty(), "{prefix}");
    }
}

#[test]
fn bytes_of_callbacks_that_are_kept_are_bounded() {
    let mut stage = Stage::new(Durability::Shared);
    for (name, text, wanted) in [
        ("external/0", 500, Received::Kept),
        ("external/1", 500, Received::TooMany),
        ("external/0", 900, Received::Kept),
    ] {
        let payload = json!("x".repeat(text));
        stage.input(Input::Callback {
            callback: Callback { name: name.into(), payload },
            reply: "element",
        });
        assert_eq!(stage.answers.last(), Some(&Answer::Callback(wanted)), "{name} {text}");
    }
}

#[test]
fn open_orders_are_limited_and_those_that_are_open_continue() {
    let bytes = Limits { open_orders_bytes: 100, ..LIMITS };
    for limits in [Limits { open_orders: 1, ..LIMITS }, bytes] {
        let mut stage = Stage::new(Durability::Shared);
        stage.limits = limits;
        stage.line("restart");
        stage.task("olt, external");
        stage.submit_as("f", "key-f");
        stage.submit_as("g", "key-g");
        let denied = stage.answers.last().unwrap().clone();
        let Answer::Denied(denied) = denied else { panic!("{denied:?}") };
        assert!(denied.to_string().contains("[limits] open-orders"), "{denied}");
        stage.submit_as("h", "key-f");
        assert_eq!(stage.answers.last(), Some(&Answer::Submitted(id("f"))), "a repeat is answered");
        stage.line("done olt");
        assert_eq!((stage.core.open(), stage.core.open_bytes()), (0, 0));
        stage.submit_as("g", "key-g");
        assert!(matches!(stage.answers.last(), Some(Answer::Fulfilment(Some(_)))));
        // A start counts the same.
        let before = stage.core.open_bytes();
        stage.line("restart");
        assert_eq!((stage.core.open(), stage.core.open_bytes()), (1, before));
    }
}

#[test]
fn a_clock_that_was_moved_back_before_the_start_stalls_no_wait() {
    let mut stage = Stage::new(Durability::Shared);
    stage.now = Timestamp(10 * 86_400_000);
    stage.task("olt, external");
    stage.line("submit");
    waiting(&mut stage, "olt", "f:0");
    stage.now = Timestamp(9 * 86_400_000);
    stage.line("restart");
    stage.line("tick 4999");
    assert_eq!(state(&stage, "olt"), "waiting");
    stage.line("tick 1");
    assert_eq!(state(&stage, "olt"), "retrying");
}
