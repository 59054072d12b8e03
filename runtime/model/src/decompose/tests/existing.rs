//! Orders about what earlier orders made.

use insta::assert_snapshot;

use super::played::Played;
use super::*;
use crate::journal::{CancelRequest, End, Event};
use crate::plan::{Action, Work};
use crate::{Fulfilment, Phase};

/// A service of its own, one that two products share, and one that only some want.
const CATALOG: &str = "
    O offers P
    P product: A; speed number 100 200..300 default 100; extra bool true default false
    A service: X, Y, Z; speed number; extra bool
    X network after W; speed number
    Y network after X
    Z network; extra bool
    W network
";

const RULES: &str = "
decompose:
  - { rule: only when asked for, from: A, to: Z, when: item.char.extra }
  - { rule: below, from: A, to: W }
deliver:
  - { spec: W, workflow: do, scope: order }
  - { spec: X, workflow: do }
  - { spec: Y, workflow: do }
  - { spec: Z, workflow: do }
";

fn played() -> Played {
    Played::new(rulebook(CATALOG, RULES))
}

fn plan(played: &Played, order: &str) -> String {
    match played.plan(&document(order)) {
        Ok(plan) => plan.to_string(),
        Err(Blocked::Failure(failure)) => refusal(&failure),
        Err(stop) => format!("{stop:?}"),
    }
}

fn state<'a>(played: &'a Played, resource: &'static str, id: &str) -> &'a str {
    let document = &played.documents[&(resource, id.to_string())];
    document.get("status").or_else(|| document.get("state")).unwrap().as_str().unwrap()
}

#[test]
fn prior_work_is_undone_in_reverse() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    assert_snapshot!(plan(&played, "1 delete O id:f-1"), @r"
    items
      delete P
          extra = false
          speed = 100
        delete A
            extra = false
            speed = 100
          delete X needs Y
              speed = 100
              undo do of f:1 by noop
          delete Y
              undo do of f:2 by noop
          delete W needs X
              undo do of f:0 by noop
    waves
      1: Y
      2: X
      3: W
    tasks
      Y.do
      X.do needs Y.do
      W.do needs X.do
    ");
    let deleted = played.complete("g", &document("1 delete O id:f-1"));
    assert_eq!(*deleted.phase(), Phase::Ended(End::Completed, None));
    let states: Vec<_> = played
        .documents
        .keys()
        .filter(|(resource, _)| matches!(*resource, "product" | "service"))
        .map(|(resource, id)| format!("{id} {}", state(&played, resource, id)))
        .collect();
    assert_snapshot!(states.join("\n"), @r"
    f-1 terminated
    f-s1 terminated
    f-s2 terminated
    f-s3 terminated
    f-s4 terminated
    ");
    let product = &played.documents[&("product", "f-1".to_string())];
    assert!(product["terminationDate"].is_string());
    assert_eq!(product["productOrderItem"].as_array().unwrap().len(), 2);
    assert_snapshot!(plan(&played, "1 delete O id:f-1"), @"Reject INSTANCE_STATE: the product `f-1` is `terminated`, and only what is in use can be changed or ended: order an `add` of another");
    assert_snapshot!(plan(&played, "1 delete O id:nope"), @"Reject INSTANCE_UNKNOWN: the inventory has no product `nope`");
}

#[test]
fn an_instance_that_another_product_needs_stays_until_that_ceases_too() {
    let mut played = played();
    played.complete("f", &document("1 add O\n2 add O"));
    let first = played.complete("g", &document("1 delete O id:f-1"));
    let names = |fulfilment: &Fulfilment| {
        let names: Vec<_> = fulfilment.plan().items.iter().map(|item| item.name.clone()).collect();
        names.join(" ")
    };
    assert_eq!(names(&first), "P A X Y W", "what stays is in the plan, since a user leaves it");
    let stays = first.plan().items.last().unwrap();
    assert_eq!(stays.action, Action::NoChange);
    let second = played.complete("h", &document("1 delete O id:f-2"));
    assert_eq!(names(&second), "P A W X Y");
}

#[test]
fn two_products_that_cease_together_give_back_what_they_share() {
    let mut played = played();
    played.complete("f", &document("1 add O\n2 add O"));
    assert_snapshot!(plan(&played, "1 delete O id:f-1\n2 delete O id:f-2"), @r"
    items
      delete P
          extra = false
          speed = 100
        delete A
            extra = false
            speed = 100
          delete X needs Y
              speed = 100
              undo do of f:1 by noop
          delete Y
              undo do of f:2 by noop
          delete W shared by A, A#2 needs X, X#2
              undo do of f:0 by noop
      delete P#2 (P)
          extra = false
          speed = 100
        delete A#2 (A)
            extra = false
            speed = 100
          delete X#2 (X) needs Y#2
              speed = 100
              undo do of f:3 by noop
          delete Y#2 (Y)
              undo do of f:4 by noop
    waves
      1: Y, Y#2
      2: X, X#2
      3: W
    tasks
      Y.do
      X.do needs Y.do
      Y#2.do
      X#2.do needs Y#2.do
      W.do needs X.do, X#2.do
    ");
}

#[test]
fn a_change_redoes_what_is_another_and_keeps_the_rest() {
    let mut played = played();
    played.complete("f", &document("1 add O extra=true"));
    assert_snapshot!(plan(&played, "1 modify O id:f-1 speed=200"), @r"
    items
      modify P
          extra = true
          speed = 200
        modify A
            extra = true
            speed = 200
          modify X needs W
              speed = 200
              redo do of f:2 by noop
          noChange Y needs X
              keeps do of f:3
          noChange Z
              extra = true
              keeps do of f:0
          noChange W
              keeps do of f:1
    waves
      1: X
    tasks
      X.do
    ");
    assert_snapshot!(plan(&played, "1 modify O id:f-1 extra=false"), @r"
    items
      modify P
          extra = false
          speed = 100
        modify A
            extra = false
            speed = 100
          noChange X needs W
              speed = 100
              keeps do of f:2
          noChange Y needs X
              keeps do of f:3
          noChange W
              keeps do of f:1
          delete Z
              extra = true
              undo do of f:0 by noop
    waves
      1: Z
    tasks
      Z.do
    ");
}

#[test]
fn an_instance_that_was_changed_repeatedly_ceases_as_it_is_now() {
    let mut played = played();
    played.complete("f", &document("1 add O extra=true"));
    played.complete("g", &document("1 modify O id:f-1 extra=false speed=300"));
    let product = &played.documents[&("product", "f-1".to_string())];
    assert_eq!(product["status"], "active");
    assert_eq!(product["productOrderItem"].as_array().unwrap().len(), 2);
    let speed = product["productCharacteristic"].as_array().unwrap();
    let speed = speed.iter().find(|entry| entry["name"] == "speed").unwrap();
    assert_eq!(speed["value"], 300);
    played.complete("h", &document("1 modify O id:f-1 extra=true"));
    assert_snapshot!(plan(&played, "1 delete O id:f-1"), @r"
    items
      delete P
          extra = true
          speed = 300
        delete A
            extra = true
            speed = 300
          delete X needs Y
              speed = 300
              undo do of g:0 by noop
          delete Y
              undo do of f:3 by noop
          delete Z
              extra = true
              undo do of h:0 by noop
          delete W needs X
              undo do of f:1 by noop
    waves
      1: Y, Z
      2: X
      3: W
    tasks
      Y.do
      X.do needs Y.do
      Z.do
      W.do needs X.do
    ");
}

#[test]
fn a_product_is_suspended_and_resumed_without_any_work() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    let suspended = played.complete("g", &document("1 modify O id:f-1 status:suspended"));
    assert!(suspended.plan().tasks.is_empty());
    assert_eq!(state(&played, "product", "f-1"), "suspended");
    let services = played.documents.keys().filter(|(resource, _)| *resource == "service");
    let services: Vec<String> = services.map(|(_, id)| id.clone()).collect();
    assert_eq!(services.len(), 4);
    for id in &services {
        assert_eq!(state(&played, "service", id), "inactive");
    }
    assert_snapshot!(plan(&played, "1 modify O id:f-1 status:terminated"), @"Reject INSTANCE_STATE: productOrderItem[0].product.status: what is `suspended` cannot become `terminated`: what is active can be suspended, what is suspended can be active, and an end is ordered by a `delete`");
    played.complete("h", &document("1 modify O id:f-1 status:active"));
    assert_eq!(state(&played, "product", "f-1"), "active");
    for id in &services {
        assert_eq!(state(&played, "service", id), "active");
    }
    played.complete("i", &document("1 delete O id:f-1"));
    assert_eq!(state(&played, "product", "f-1"), "terminated");
}

#[test]
fn one_order_at_a_time_changes_an_instance() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    let mut open = played.submit("g", &document("1 delete O id:f-1"));
    assert_eq!(state(&played, "product", "f-1"), "pendingTerminate");
    assert_snapshot!(plan(&played, "1 modify O id:f-1 speed=200"), @"Reject INSTANCE_BUSY: the product `f-1` is being changed by order `g`: order this when that has ended");
    let request = CancelRequest { id: "c".into(), reason: None, requested: None };
    played.commit(&mut open, Event::Cancelling { request });
    played.finish(&mut open);
    assert_eq!(*open.phase(), Phase::Ended(End::Cancelled, None));
    assert_eq!(state(&played, "product", "f-1"), "active");
    let again = played.plan(&document("1 delete O id:f-1")).unwrap();
    assert!(again.tasks.iter().all(|task| matches!(task.work, Work::Undo(_))));
    assert_eq!(again.tasks.len(), 3);
}

#[test]
fn a_change_that_is_unwound_leaves_what_was() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    let mut changed = played.submit("g", &document("1 modify O id:f-1 speed=200"));
    let [redo] = changed.plan().tasks.as_slice() else { panic!("{}", changed.plan()) };
    assert!(matches!(&redo.work, Work::Modify(made) if made.key == "f:1"));
    let before = played.documents[&("service", "f-s2".to_string())].clone();
    let request = CancelRequest { id: "c".into(), reason: None, requested: None };
    let event = Event::Succeeded {
        task: crate::TaskId(0),
        attempt: 1,
        outputs: Map::new(),
        reservations: Vec::new(),
    };
    played.commit(&mut changed, event);
    if !changed.is_ended() {
        played.commit(&mut changed, Event::Cancelling { request });
        played.finish(&mut changed);
    }
    assert_eq!(*changed.phase(), Phase::Ended(End::Cancelled, None));
    assert_eq!(played.documents[&("service", "f-s2".to_string())], before);
    let speed = &played.documents[&("product", "f-1".to_string())]["productCharacteristic"];
    assert!(speed.as_array().unwrap().iter().any(|entry| entry["value"] == 100));
}

#[test]
fn a_part_is_changed_with_the_whole() {
    let mut played = played();
    let fulfilment = played.complete("f", &document("1 add O"));
    let service = fulfilment.plan().items.iter().find(|item| item.name == "X").unwrap();
    let id = fulfilment.service_id(service);
    let order = json!({ "serviceOrderItem": [
        { "id": "1", "action": "delete", "service": { "id": id } },
    ] });
    let parsed = Order::parse(Level::CustomerService, &order).unwrap();
    let stop = played.answered(&parsed, &order).unwrap_err();
    let Blocked::Failure(failure) = stop else { panic!("{stop:?}") };
    assert_snapshot!(refusal(&failure), @"Reject INSTANCE_PART: the service `f-s2` is a part of what order `f` made: order a change of that");
}

#[test]
fn no_change_is_no_work() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    let same = played.complete("g", &document("1 modify O id:f-1 speed=100"));
    assert!(same.plan().tasks.is_empty());
    assert!(same.plan().items.iter().skip(1).all(|item| item.action == Action::NoChange));
}
