//! The documents of a line are written when it is delivered, while others of its order are open.

use insta::assert_snapshot;

use super::*;
use crate::journal::Decision;

/// Three products of one service each, which is activated and rated. The second relies on the first.
fn three() -> Plan {
    let names = ["A", "B", "C"];
    let items = names.iter().enumerate().flat_map(|(index, name)| {
        let (line, parent) = ((index + 1).to_string(), u32::try_from(2 * index).unwrap());
        let product = item(Level::Product, name, &line, &[]);
        [product, item(Level::ResourceService, &format!("RFS-{name}"), &line, &[parent])]
    });
    let task = |item: u32, step: u32, needs: &[u32]| Task {
        item: Some(ItemId(item)),
        step,
        needs: needs.iter().map(|need| TaskId(*need)).collect(),
        not_before: None,
        work: Work::Do,
    };
    let tasks = vec![
        task(1, 0, &[]),
        task(0, 1, &[0]),
        task(3, 0, &[0]),
        task(2, 1, &[2]),
        task(5, 0, &[]),
        task(4, 1, &[4]),
    ];
    Plan {
        steps: vec![step("activate"), step("rate")],
        items: items.collect(),
        tasks,
        ..Plan::default()
    }
}

fn charges() -> serde_json::Value {
    let charge = |kind: &str, name: &str| {
        json!({
            "name": name, "price": name, "kind": kind,
            "net": { "currency": "EUR", "amount": "10.00" },
            "tax": { "currency": "EUR", "amount": "1.90" },
            "from": "1970-01-01", "to": "1970-01-31",
        })
    };
    json!({ "charges": [charge("oneOff", "setup"), charge("recurring", "monthly")] })
}

/// A story in which all of the third line is done.
fn third_done() -> Story {
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(three()) }]);
    story.succeed(4, &json!({}), vec![]);
    story.log.clear();
    story.succeed(5, &charges(), vec![]);
    story
}

#[test]
fn a_line_is_active_and_charged_when_it_is_delivered_with_what_it_relies_on() {
    let mut story = third_done();
    for task in [0, 2, 3, 1] {
        story.succeed(task, &json!({}), vec![]);
    }
    story.commit("ended", &[Event::Ended { end: End::Completed }]);
    assert_snapshot!(story.log, @r"
    task 5 succeeds
      write product f-3 active
      write appliedCustomerBillingRate f-c3-1 -
      write journalEntry rate-f-c3-1 -
      write appliedCustomerBillingRate f-c3-2 -
      write journalEntry rate-f-c3-2 -
    task 0 succeeds
      write service f-s1 active
    task 2 succeeds
      write service f-s2 active
    task 3 succeeds
    task 1 succeeds
      write product f-1 active
      write product f-2 active
    ended
      write productOrder f completed
      write serviceOrder f completed
      write resourceOrder f completed
    ");
}

#[test]
fn a_delivered_line_stays_when_others_fail() {
    let mut story = third_done();
    let cause = Failure::new(FailureClass::Operator, "X", "no");
    let failed = Event::Failed { task: TaskId(0), attempt: 1, failure: cause.clone() };
    let lines = vec![ItemId(0), ItemId(2)];
    let back = Event::RollingBackLines { lines, cause, task: Some(TaskId(0)), decision: None };
    story.commit("the first fails", &[failed, back]);
    story.commit("undone", &[Event::Undone { task: TaskId(0) }]);
    story.commit("ended", &[Event::Ended { end: End::Partial }]);
    let ended = story.log.split("ended\n").nth(1).unwrap().to_string();
    assert_snapshot!(ended, @r"
      write product f-1 aborted
      write product f-2 aborted
      write productOrder f partial
      write serviceOrder f partial
      write resourceOrder f partial
    ");
}

/// All ways in which a line that was delivered is rolled back: its product ends, and what was charged
/// once is given back.
#[test]
fn a_delivered_line_that_is_rolled_back_ends_and_is_credited() {
    let cause = Failure::new(FailureClass::Operator, "X", "no");
    let decision = Decision { by: None, reason: None };
    let request = crate::journal::CancelRequest { id: "c".into(), reason: None, requested: None };
    let ways = [
        (
            Event::RollingBack { cause: cause.clone(), task: None, decision: None },
            End::Failed,
            "aborted",
        ),
        (
            Event::RollingBackLines {
                lines: vec![ItemId(4)],
                cause,
                task: None,
                decision: Some(decision),
            },
            End::Partial,
            "aborted",
        ),
        (Event::Cancelling { request }, End::Cancelled, "cancelled"),
    ];
    for (turn, end, status) in ways {
        let mut story = third_done();
        let is_partial = end == End::Partial;
        let name = turn.name();
        let turned = story.commit("turned", &[turn]);
        let find = |id: &str| turned.documents.iter().find(|document| document.id == id);
        let credit = &find("f-c3-1-back").unwrap().body;
        assert_eq!(credit["taxIncludedAmount"], json!({ "unit": "EUR", "value": -11.9 }), "{name}");
        assert!(find("f-c3-2-back").is_none(), "days are given back by the bill: {name}");
        assert!(story.log.contains("turned\n  write product f-3 pendingTerminate"), "{name}");
        for task in [5, 4] {
            story.commit("undone", &[Event::Undone { task: TaskId(task) }]);
        }
        for task in [0, 1, 2, 3] {
            if is_partial {
                story.succeed(task, &json!({}), vec![]);
            }
        }
        let last = story.commit("ended", &[Event::Ended { end }]);
        let find = |id: &str| last.documents.iter().find(|document| document.id == id);
        let product = &find("f-3").unwrap().body;
        assert_eq!(product["status"], status, "{name}");
        assert!(product["terminationDate"].is_string(), "{name}");
        assert!(product["startDate"].is_null(), "what it was is merged: {name}");
        assert_eq!(find("f-1").is_none(), is_partial, "{name}");
    }
}

#[test]
fn a_line_that_was_delivered_and_fails_in_one_commit_was_never_active() {
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(three()) }]);
    story.succeed(4, &json!({}), vec![]);
    story.log.clear();
    let outputs = charges().as_object().cloned().unwrap();
    let done = Event::Succeeded { task: TaskId(5), attempt: 1, outputs, reservations: vec![] };
    let cause = Failure::new(FailureClass::Operator, "X", "no");
    story.commit("both", &[done, Event::RollingBack { cause, task: None, decision: None }]);
    for task in [5, 4] {
        story.commit("undone", &[Event::Undone { task: TaskId(task) }]);
    }
    story.commit("ended", &[Event::Ended { end: End::Failed }]);
    assert!(
        !story.log.contains("f-c3") && !story.log.contains("pendingTerminate"),
        "{}",
        story.log
    );
}

#[test]
fn an_order_of_one_line_ends_with_it() {
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan()) }]);
    for task in 0..3 {
        story.succeed(task, &json!({}), vec![]);
    }
    assert!(!story.log.contains("product f-1 active"), "{}", story.log);
}

/// The fold of the journal has the same documents as the running order.
#[test]
fn delivered_lines_are_known_after_a_crash() {
    let story = third_done();
    let submitted = Event::Submitted {
        kind: Kind::ProductOrder,
        document: Arc::clone(story.fulfilment.document()),
        activation: None,
    };
    let done = |task: u32| Event::Succeeded {
        task: TaskId(task),
        attempt: 1,
        outputs: serde_json::Map::new(),
        reservations: vec![],
    };
    let record = |events| crate::Record::new(Timestamp(1), events);
    let mut records = vec![
        record(vec![submitted, Event::Planned { plan: Arc::new(three()) }]),
        record(vec![done(4)]),
        record(vec![done(5)]),
    ];
    let id = story.fulfilment.id().clone();
    let fold = crate::Fulfilment::fold(id.clone(), &records).unwrap();
    assert!(fold.is_delivered_early(ItemId(5)) && !fold.is_delivered_early(ItemId(1)));
    let cause = Failure::new(FailureClass::Operator, "X", "no");
    records.push(record(vec![Event::RollingBack { cause, task: None, decision: None }]));
    let fold = crate::Fulfilment::fold(id, &records).unwrap();
    assert!(fold.is_returned(ItemId(4)) && !fold.is_delivered_early(ItemId(4)));
}

/// What a line of a product order relies on shows between the services and resources of the two.
#[test]
fn relations_of_lines_show_in_the_orders_below() {
    let mut plan = three();
    plan.items[2].needs = vec![ItemId(0)];
    for (item, spec) in [(1, "RS-A"), (3, "RS-B")] {
        plan.items[item].resources = vec![SpecId::new(spec)];
    }
    let mut story = Story::new();
    let planned = story.commit("planned", &[Event::Planned { plan: Arc::new(plan) }]);
    let of = |resource: &str| {
        let found = planned.documents.iter().find(|document| document.resource == resource);
        found.unwrap().body.clone()
    };
    let services = of("serviceOrder")["serviceOrderItem"].clone();
    let related = |index: usize| services[index]["serviceOrderItemRelationship"].clone();
    assert_eq!(related(0), json!([]));
    assert_eq!(related(1)[0]["orderItem"]["itemId"], services[0]["id"]);
    assert_eq!(related(1)[0]["relationshipType"], "dependency");
    assert_eq!(related(2), json!([]));
    let resources = of("resourceOrder")["orderItem"].clone();
    assert_eq!(resources[1]["orderItemRelationship"][0]["id"], resources[0]["id"]);
    assert_eq!(resources[0]["orderItemRelationship"], json!([]));
}
