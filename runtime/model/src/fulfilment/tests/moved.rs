//! Another version of a plugin for open work.

use super::*;
use crate::expr::Expressions;
use crate::fulfilment::Move;
use crate::id::{Digest, PluginId};

const PLUGIN: &str = "any";

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// Three tasks of one plugin, one after the other, pinned to a version.
fn pinned() -> Fulfilment {
    let names = ["first", "second", "third"];
    let policy = || Policy {
        needs: Vec::new(),
        attempts: 3,
        on_failure: OnFailure::RollBack,
        point_of_no_return: false,
        not_before: None,
        lines: BTreeSet::new(),
        undoes: false,
    };
    let tasks = names.map(|name| (name.to_string(), policy()));
    let mut plan = plan(&tasks);
    for step in &mut plan.steps {
        step.plugin = PluginId::new(PLUGIN);
    }
    plan.plugins = [(PluginId::new(PLUGIN), digest("old"))].into();
    let kind = Kind::Run { workflow: "w".into() };
    let mut fulfilment =
        Fulfilment::new(FulfilmentId::new("f"), kind, Arc::new(json!({})), Timestamp(0));
    apply(&mut fulfilment, &Event::Planned { plan: Arc::new(plan) });
    fulfilment
}

fn apply(fulfilment: &mut Fulfilment, event: &Event) {
    fulfilment.apply(Timestamp(1), event).unwrap();
}

fn to(from: &str, to: &str) -> Move {
    Move { plugin: PluginId::new(PLUGIN), from: digest(from), to: digest(to) }
}

#[test]
fn an_attempt_that_was_begun_keeps_its_version_and_the_others_use_the_new_one() {
    let mut open = pinned();
    let (begun, next) = (TaskId(0), TaskId(1));
    apply(&mut open, &Event::Started { task: begun, attempt: 1 });
    let events = open.moved(to("old", "new"), Decision::default());
    assert_eq!(events.len(), 1);
    apply(&mut open, &events[0]);
    assert_eq!(open.version(begun), Some(&digest("old")));
    assert_eq!(open.version(next), Some(&digest("new")));
    let request = open.request(begun, Operation::Recover, &mut Expressions::default()).unwrap();
    assert_eq!(request.digest, digest("old"));
    // Both are needed until the attempt is over, also if it is moved once more.
    assert_eq!(open.versions().len(), 2);
    let again = open.moved(to("new", "newest"), Decision::default());
    apply(&mut open, &again[0]);
    assert_eq!(open.version(begun), Some(&digest("old")));
    let done =
        Event::Succeeded { task: begun, attempt: 1, outputs: Map::new(), reservations: Vec::new() };
    apply(&mut open, &done);
    // Its undo is of the new version.
    assert_eq!(open.version(begun), Some(&digest("newest")));
    assert_eq!(open.versions().len(), 1);
}

#[test]
fn only_open_work_of_the_named_version_is_moved() {
    let mut open = pinned();
    assert_eq!(open.moved(to("other", "new"), Decision::default()), []);
    assert_eq!(open.moved(to("old", "old"), Decision::default()), []);
    let stranger = Move { plugin: PluginId::new("stranger"), ..to("old", "new") };
    assert_eq!(open.moved(stranger, Decision::default()), []);
    let event = open.moved(to("old", "new"), Decision::default()).remove(0);
    apply(&mut open, &event);
    // The same event does not follow itself.
    assert!(open.apply(Timestamp(2), &event).is_err());
    let unplanned = Fulfilment::new(
        FulfilmentId::new("f"),
        Kind::ProductOrder,
        Arc::new(json!({})),
        Timestamp(0),
    );
    assert_eq!(unplanned.moved(to("old", "new"), Decision::default()), []);
}
