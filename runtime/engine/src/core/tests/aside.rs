//! A fulfilment that cannot be continued is set aside, alone.

use model::{Event, PoolId, Reservation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::*;
use super::stage::Stage;
use crate::keys;
use crate::store::{Batch, Store as _, Write};

/// Two runs of one step that waits, `f` and `g`.
fn two() -> Stage {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("olt, external");
    stage.submit_as("f", "key-f");
    stage.submit_as("g", "key-g");
    stage
}

fn id(name: &str) -> FulfilmentId {
    FulfilmentId::new(name)
}

fn write(stage: &Stage, writes: Vec<Write>) {
    drop(stage.store.append(Batch::of(stage.core.epoch(), writes)));
}

fn aside(stage: &Stage) -> Vec<(&str, Option<u32>)> {
    stage.core.set_aside().map(|(id, aside)| (id.as_str(), aside.record)).collect()
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inside, _| json!([inside]))
}

#[test]
fn outputs_of_any_depth_can_be_read_back_or_fail_the_step() {
    for levels in [1, 30, 31, 32, 64, 118, 124, 126] {
        let mut stage = two();
        let outputs = Map::from_iter([("a".to_string(), nested(levels))]);
        stage.finished("olt", Outcome::Done(outputs), false);
        stage.line("restart");
        assert_eq!(aside(&stage), [], "{levels} levels");
        let f = read_fulfilment(&stage.store, &id("f")).unwrap().unwrap();
        let failed = f.failures().first().map(|fault| fault.failure.code.to_string());
        let wanted = (levels > 31).then(|| "PLUGIN_ANSWER".to_string());
        assert_eq!(failed, wanted, "{levels} levels");
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_set_aside_and_the_others_go_on() {
    let deep = format!("{{\"v\":1,\"at\":1,\"events\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let damages: [(&str, Option<Vec<u8>>); 6] = [
        ("cut off", Some(b"{\"v\":1,\"at\":1,".to_vec())),
        ("not JSON", Some(vec![0, 159, 146, 150])),
        ("too deep", Some(deep.into_bytes())),
        ("a newer version", Some(b"{\"v\":9,\"at\":1,\"events\":[]}".to_vec())),
        ("nothing submitted", Some(b"{\"v\":1,\"at\":1,\"events\":[]}".to_vec())),
        ("missing", None),
    ];
    for (damage, bytes) in damages {
        let mut stage = two();
        let key = keys::journal(&id("f"), 0);
        let whole = stage.store.get(&key).unwrap();
        write(&stage, vec![(key.clone(), bytes)]);
        stage.line("restart");
        assert_eq!(aside(&stage), [("f", Some(0))], "{damage}");
        assert_eq!(stage.core.open(), 1, "{damage}: the other goes on");
        stage.line("get");
        let denied = stage.answers.last().unwrap();
        assert!(matches!(denied, Answer::Denied(Denied::SetAside { .. })), "{damage}: {denied:?}");
        // An answer for it is not lost.
        stage.line("callback olt");
        assert_eq!(stage.answers.last(), Some(&Answer::Callback(Received::Kept)), "{damage}");
        // It is still set aside after another start, until an operator retries it.
        write(&stage, vec![(key, whole)]);
        stage.line("restart");
        assert_eq!(aside(&stage), [("f", Some(0))], "{damage}");
        let (fulfilment, bytes) = read_sized(&stage.store, &id("f")).unwrap().unwrap();
        let fulfilment = Box::new(fulfilment);
        stage.input(Input::Readmit { fulfilment, bytes, reply: "person" });
        assert_eq!((aside(&stage).len(), stage.core.open()), (0, 2), "{damage}");
        assert_eq!(stage.store.get(&keys::quarantine("f")).unwrap(), None);
    }
}

#[test]
fn a_fulfilment_that_is_given_up_is_not_open_any_more() {
    let mut stage = two();
    write(&stage, vec![(keys::journal(&id("f"), 0), Some(b"?".to_vec()))]);
    stage.line("restart");
    for wanted in [Answer::Done, Answer::Denied(Denied::NotSetAside(id("f")))] {
        let (fulfilment, documents) = (id("f"), Vec::new());
        stage.input(Input::GiveUp { fulfilment, documents, reply: "person" });
        assert_eq!(stage.answers.last(), Some(&wanted));
    }
    stage.line("restart");
    assert_eq!((aside(&stage).len(), stage.core.open()), (0, 1));
    let kept = stage.store.get(&keys::quarantine("f")).unwrap().unwrap();
    assert!(SetAside::read(&kept).unwrap().given_up.is_some(), "it is still listed");
}

#[test]
fn an_event_that_is_refused_sets_its_fulfilment_aside_and_changes_nothing_else() {
    let reservation = |stage: &Stage| {
        let pool = PoolId::new("ports");
        let reservation = stage.pools.reserve(&id("f"), TaskId(0), pool, "").unwrap();
        stage.pools.finish(&id("f"), TaskId(0));
        reservation
    };
    let refused: [fn(Reservation) -> Event; 4] = [
        |_| Event::Ended { end: model::journal::End::Completed },
        |reservation| Event::Succeeded {
            task: TaskId(0),
            attempt: 9,
            outputs: Map::new(),
            reservations: vec![reservation],
        },
        |_| Event::Undone { task: TaskId(0) },
        |_| Event::Undone { task: TaskId(7) },
    ];
    for event in refused {
        let mut stage = two();
        let event = event(reservation(&stage));
        let is_reservation = matches!(event, Event::Succeeded { .. });
        let before = stage.store.get(&keys::journal(&id("f"), 1)).unwrap();
        let entry = stage.core.open.remove(&id("f")).unwrap();
        let step = Step::answer("element", Answer::Callback(Received::Delivered));
        let step = stage.core.advance(stage.now, entry, vec![event], step);
        stage.steps(vec![step]);
        assert_eq!(aside(&stage), [("f", Some(1))]);
        assert_eq!(stage.core.open(), 1);
        assert!(
            matches!(stage.answers.last(), Some(Answer::Denied(_))),
            "no asker is told that it worked"
        );
        assert_eq!(stage.store.get(&keys::journal(&id("f"), 1)).unwrap(), before);
        let held = usize::from(!is_reservation);
        assert_eq!(
            stage.pools.held(&PoolId::new("ports")),
            held,
            "an unrecorded reservation is free"
        );
        assert!(stage.core.wake(stage.now.plus_ms(86_400_000)).is_empty(), "nothing spins");
        stage.line("restart");
        assert_eq!(aside(&stage), [("f", Some(1))]);
    }
}

#[test]
fn a_submission_that_cannot_be_followed_is_refused_and_its_key_is_free() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("olt, external");
    let sound = stage.plan.clone();
    // A task that needs itself.
    stage.plan.tasks[0].needs = vec![TaskId(0)];
    stage.submit_as("f", "key");
    assert!(matches!(stage.answers.last(), Some(Answer::Denied(Denied::Unsound(_)))));
    assert_eq!((stage.core.open(), stage.core.open_bytes()), (0, 0));
    assert_eq!(stage.store.get(&keys::submission("key")).unwrap(), None);
    stage.plan = sound;
    stage.submit_as("g", "key");
    assert!(matches!(stage.answers.last(), Some(Answer::Fulfilment(Some(_)))));
}

#[test]
fn facts_of_callbacks_and_holds_that_cannot_be_read_stop_no_start() {
    let mut stage = two();
    write(
        &stage,
        vec![
            (b"h/ports".to_vec(), Some(Vec::new())),
            (b"h/ports/zz".to_vec(), Some(Vec::new())),
            (keys::callback("external/odd"), Some(vec![1, 2])),
            (keys::callback("external/old"), Some(b"{\"n\":1}".to_vec())),
            (keys::quarantine("f"), Some(b"?".to_vec())),
        ],
    );
    stage.line("restart");
    assert_eq!(stage.core.unreadable(), 3);
    assert_eq!(stage.core.callbacks_kept(), (1, 7), "a callback without a head is kept");
    assert_eq!(aside(&stage), [("f", None)]);
    assert_eq!(stage.core.open(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_damage_of_a_journal_stops_the_start(
        at in 0_usize..4_000, byte in any::<u8>(), cut in any::<bool>(), record in 0_u32..3,
    ) {
        let mut stage = two();
        stage.line("wait olt");
        stage.line("callback olt");
        let key = keys::journal(&id("f"), record);
        let mut bytes = stage.store.get(&key).unwrap().unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        write(&stage, vec![(key, Some(bytes))]);
        stage.line("restart");
        prop_assert_eq!(stage.core.open() + aside(&stage).len(), 2);
    }
}
