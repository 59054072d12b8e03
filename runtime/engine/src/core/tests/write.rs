//! Documents that open orders use are not removed, and a removal makes earlier reads stale.

use model::plan::{PriorWork, Work};
use serde_json::json;

use super::super::*;
use super::stage::Stage;
use crate::documents::{Change, Expected, Put};
use crate::keys;
use crate::store::Store as _;

const WORK: &str = "earlier:0";

fn made() -> PriorWork {
    PriorWork { key: WORK.into(), ..PriorWork::default() }
}

/// An order that undoes earlier work, and the product that stands on it.
fn stage() -> Stage {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("olt, external");
    stage.plan.tasks[0].work = Work::Undo(Box::new(made()));
    let product = Put::set("product", "p".to_string(), json!({ "id": "p" }));
    write(&mut stage, Unless::default(), product);
    stage
}

fn write(stage: &mut Stage, unless: Unless, put: Put) {
    stage.input(Input::Write { unless, release: None, documents: vec![put], reply: "remover" });
}

fn remove(stage: &mut Stage, unless: Unless) {
    let put = Put::new("product", "p".to_string(), Change::Remove, Expected::Anything);
    write(stage, unless, put);
}

fn on_work() -> Unless {
    Unless { open: Vec::new(), locked: vec![WORK.into()] }
}

fn is_there(stage: &Stage) -> bool {
    stage.store.get(&keys::document("product", "p")).unwrap().is_some()
}

fn submit(stage: &mut Stage, id: &str, seen: Option<Seen>) {
    let kind = model::Kind::Run { workflow: "play".into() };
    let id = FulfilmentId::new(id);
    let fulfilment = Box::new(Fulfilment::new(id, kind, json!({}), stage.now));
    let events = vec![model::Event::Planned { plan: Arc::new(stage.plan.clone()) }];
    let input =
        Input::Submit { fulfilment, events, submission: None, seen, trace: None, reply: "client" };
    stage.input(input);
}

#[test]
fn an_instance_that_an_open_order_locks_is_not_removed_until_it_has_ended() {
    let mut stage = stage();
    submit(&mut stage, "f", None);
    let f = FulfilmentId::new("f");
    for unless in [on_work(), Unless { open: vec![f.clone()], locked: Vec::new() }] {
        remove(&mut stage, unless);
        assert_eq!(stage.answers.last(), Some(&Answer::Locked(f.clone())));
        assert!(is_there(&stage));
    }
    // Its locks are known after a start too.
    stage.line("restart");
    remove(&mut stage, on_work());
    assert_eq!(stage.answers.last(), Some(&Answer::Locked(f.clone())));
    stage.line("undone olt");
    assert_eq!(stage.core.open(), 0, "{}", stage.log);
    remove(&mut stage, Unless { open: vec![f], ..on_work() });
    assert!(!is_there(&stage));
}

#[test]
fn a_submission_that_looked_before_a_removal_has_to_look_again() {
    let mut stage = stage();
    stage.input(Input::Look { reply: "client" });
    let Some(Answer::Seen(seen)) = stage.answers.last().cloned() else { panic!("no moment") };
    remove(&mut stage, on_work());
    assert!(!is_there(&stage));
    submit(&mut stage, "f", Some(seen));
    assert_eq!(stage.answers.last(), Some(&Answer::Stale));
    assert_eq!(stage.core.open(), 0);
    // One that looked after it is decided by the documents of now.
    stage.input(Input::Look { reply: "client" });
    let Some(Answer::Seen(seen)) = stage.answers.last().cloned() else { panic!("no moment") };
    submit(&mut stage, "f", Some(seen));
    assert_eq!(stage.core.open(), 1);
}
