mod line;

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::id::{PluginId, PoolId, SpecId, TaskId};
use crate::outcome::{Failure, FailureClass, Reservation};
use crate::plan::{Action, OnFailure, Plan, Retry, Step, Task, Work};
use crate::pricing::sold::{Price, PriceAlteration};
use crate::{Event, FulfilmentId};
use tmf::money::{Currency, Money, PriceKind};
use tmf::period::{Period, Term};
use tmf::time::Timestamp;

fn item(level: Level, name: &str, line: &str, parents: &[u32]) -> Item {
    Item {
        title: name.to_lowercase(),
        parents: parents.iter().map(|parent| ItemId(*parent)).collect(),
        ..Item::new(level, SpecId::new(name), line)
    }
}

fn step(name: &str) -> Step {
    Step {
        workflow: "w".into(),
        step: name.into(),
        plugin: PluginId::new("p"),
        input: json!({}),
        timeout_ms: 1,
        retry: Retry { attempts: 1, first_ms: 1, max_ms: 1 },
        on_failure: OnFailure::RollBack,
        undo: true,
        point_of_no_return: false,
        milestone: None,
        expected_ms: None,
    }
}

/// A product of one CFS of one RFS, which takes a value of a pool, is activated, and is rated.
fn plan() -> Plan {
    let mut rfs = item(Level::ResourceService, "RFS", "2", &[1]);
    rfs.resources = vec![SpecId::new("RS-VLAN"), SpecId::new("RS-BOX")];
    let task = |item: u32, step: u32, needs: &[u32]| Task {
        item: Some(ItemId(item)),
        step,
        needs: needs.iter().map(|need| TaskId(*need)).collect(),
        not_before: None,
        work: Work::Do,
    };
    Plan {
        steps: vec![step("allocate"), step("activate"), step("rate")],
        items: vec![
            item(Level::Product, "PS", "1", &[]),
            item(Level::CustomerService, "CFS", "1", &[0]),
            rfs,
        ],
        tasks: vec![task(2, 0, &[]), task(2, 1, &[0]), task(0, 2, &[1])],
        ..Plan::default()
    }
}

fn reservation() -> Reservation {
    Reservation {
        pool: PoolId::new("vlans"),
        index: 0,
        value: "100".into(),
        resource: SpecId::new("RS-VLAN"),
        characteristic: "vlanId".into(),
        name: "vlan".into(),
    }
}

struct Story {
    fulfilment: Fulfilment,
    written: Option<OrderState>,
    log: String,
}

impl Story {
    fn new() -> Self {
        let document = json!({
            "productOrderItem": [{ "id": "1", "action": "add", "product": {} }],
            "billingAccount": { "id": "ACC-1" },
        });
        let id = FulfilmentId::new("f");
        let fulfilment = Fulfilment::new(id, Kind::ProductOrder, document, Timestamp(0));
        Self { fulfilment, written: None, log: String::new() }
    }

    /// Applies events as one commit and notes what it writes.
    fn commit(&mut self, name: &str, events: &[Event]) -> Changes {
        for event in events {
            self.fulfilment.apply(Timestamp(1), event).unwrap();
        }
        self.fulfilment.recorded(Timestamp(1), events);
        let changes = self.fulfilment.changes(events, self.written);
        self.written = Some(self.fulfilment.order_state());
        self.log.push_str(&format!("{name}\n"));
        for document in &changes.documents {
            // Each document has the shape that its API describes. Journal entries have no API.
            match tmf::table::of_key(document.resource) {
                Some((_, resource)) => {
                    assert_eq!(resource.check_shape(&document.body), Ok(()), "{}", document.body);
                }
                None => assert_eq!(document.resource, "journalEntry"),
            }
            let text = |name: &str| document.body.get(name).and_then(|value| value.as_str());
            let state = text("state").or_else(|| text("status")).or_else(|| text("usageState"));
            let (resource, id) = (document.resource, &document.id);
            let state = state.unwrap_or("-");
            self.log.push_str(&format!("  write {resource} {id} {state}\n"));
        }
        changes
    }

    fn succeed(&mut self, task: u32, outputs: &Value, reservations: Vec<Reservation>) -> Changes {
        let outputs = outputs.as_object().cloned().unwrap_or_default();
        let event = Event::Succeeded { task: TaskId(task), attempt: 1, outputs, reservations };
        self.commit(&format!("task {task} succeeds"), &[event])
    }
}

#[test]
fn documents_follow_the_order_from_submission_to_the_bill() {
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan()) }]);
    story.succeed(0, &json!({ "vlan": "100" }), vec![reservation()]);
    story.succeed(1, &json!({}), vec![]);
    let charge = json!({
        "name": "monthly", "price": "POP-1", "kind": "recurring",
        "net": { "currency": "EUR", "amount": "10.00" },
        "tax": { "currency": "EUR", "amount": "1.90" },
        "from": "1970-01-01", "to": "1970-01-31",
    });
    story.succeed(2, &json!({ "charges": [charge] }), vec![]);
    let last = story.commit("ended", &[Event::Ended { end: End::Completed }]);
    insta::assert_snapshot!(story.log, @r#"
    planned
      write product f-1 pendingActive
      write productOrder f inProgress
      write serviceOrder f inProgress
      write resourceOrder f inProgress
    task 0 succeeds
      write resource vlans.100 idle
    task 1 succeeds
      write resource vlans.100 busy
      write resource f-r2-2 busy
      write service f-s2 active
      write service f-s1 active
    task 2 succeeds
    ended
      write product f-1 active
      write appliedCustomerBillingRate f-c1-1 -
      write journalEntry rate-f-c1-1 -
      write productOrder f completed
      write serviceOrder f completed
      write resourceOrder f completed
    "#);
    let rate = last.documents.iter().find(|d| d.resource == "appliedCustomerBillingRate").unwrap();
    assert_eq!(rate.body["taxIncludedAmount"], json!({ "unit": "EUR", "value": 11.9 }));
    assert_eq!(rate.body["billingAccount"]["id"], "ACC-1");
}

#[test]
fn a_first_charge_is_taken_if_it_begins_with_the_product_at_one_price() {
    let taken = |from: &str, lasts: Option<Term>| {
        let mut plan = plan();
        plan.items[0].prices = vec![Price {
            id: "POP-1".into(),
            name: "monthly".into(),
            kind: PriceKind::Recurring,
            amount: Money { currency: Currency::parse("EUR").unwrap(), amount: 10.into() },
            includes_tax: false,
            period: Some(Period::Months(12)),
            alterations: vec![PriceAlteration {
                id: String::new(),
                name: "Welcome".into(),
                amount: (-1).into(),
                lasts,
            }],
            tax: None,
            taxes: Vec::new(),
            quote: None,
        }];
        let mut story = Story::new();
        story.commit("planned", &[Event::Planned { plan: Arc::new(plan) }]);
        story.succeed(0, &json!({ "vlan": "100" }), vec![reservation()]);
        story.succeed(1, &json!({}), vec![]);
        let charge = json!({
            "name": "monthly", "price": "POP-1", "kind": "recurring",
            "net": { "currency": "EUR", "amount": "9.00" },
            "tax": { "currency": "EUR", "amount": "0" },
            "from": from, "to": "1970-12-31",
        });
        story.succeed(2, &json!({ "charges": [charge] }), vec![]);
        let last = story.commit("ended", &[Event::Ended { end: End::Completed }]);
        last.documents.iter().any(|d| d.resource == "appliedCustomerBillingRate")
    };
    let term = |periods, each| Some(Term { periods, each });
    assert!(taken("1970-01-01", None));
    assert!(taken("1970-01-01", term(1, None)));
    assert!(taken("1970-01-01", term(12, Some(Period::Months(1)))));
    // The next bill run charges what the rater could not know.
    assert!(!taken("1969-12-31", None));
    assert!(!taken("1970-01-02", None));
    assert!(!taken("1970-01-01", term(3, Some(Period::Months(1)))));
}

#[test]
fn first_charges_of_like_prices_are_each_of_their_own() {
    let one_off = Price {
        id: "POP-1".into(),
        name: "Seat".into(),
        kind: PriceKind::OneOff,
        amount: Money { currency: Currency::parse("EUR").unwrap(), amount: 10.into() },
        includes_tax: false,
        period: None,
        alterations: Vec::new(),
        tax: None,
        taxes: Vec::new(),
        quote: None,
    };
    let mut plan = plan();
    plan.items[0].prices = vec![one_off.clone(), one_off];
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan) }]);
    story.succeed(0, &json!({ "vlan": "100" }), vec![reservation()]);
    story.succeed(1, &json!({}), vec![]);
    let charge = json!({
        "name": "Seat", "price": "POP-1", "kind": "oneOff",
        "net": { "currency": "EUR", "amount": "10.00" },
        "tax": { "currency": "EUR", "amount": "0" },
    });
    story.succeed(2, &json!({ "charges": [charge, charge] }), vec![]);
    let last = story.commit("ended", &[Event::Ended { end: End::Completed }]);
    let rates = last.documents.iter().filter(|d| d.resource == "appliedCustomerBillingRate");
    let prices: Vec<_> =
        rates.map(|rate| rate.body["characteristic"][0]["value"].clone()).collect();
    assert_eq!(prices, [json!("POP-1"), json!("POP-1#2")]);
}

#[test]
fn an_order_that_is_rolled_back_releases_its_reservations() {
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan()) }]);
    story.succeed(0, &json!({}), vec![reservation()]);
    let failure = Failure::new(FailureClass::Operator, "X", "no");
    let (task, attempt) = (TaskId(1), 1);
    let failed = Event::Failed { task, attempt, failure: failure.clone() };
    story.commit(
        "task 1 fails",
        &[failed, Event::RollingBack { cause: failure, task: None, decision: None }],
    );
    story.commit("task 1 is undone", &[Event::Undone { task }]);
    story.commit("task 0 is undone", &[Event::Undone { task: TaskId(0) }]);
    story.commit("ended", &[Event::Ended { end: End::Failed }]);
    insta::assert_snapshot!(story.log, @r#"
    planned
      write product f-1 pendingActive
      write productOrder f inProgress
      write serviceOrder f inProgress
      write resourceOrder f inProgress
    task 0 succeeds
      write resource vlans.100 idle
    task 1 fails
    task 1 is undone
      write service f-s2 terminated
      write service f-s1 terminated
    task 0 is undone
      write service f-s2 terminated
      write service f-s1 terminated
    ended
      write product f-1 aborted
      write productOrder f failed
      write serviceOrder f failed
      write resourceOrder f failed
    "#);
    let free = story.fulfilment.released(&reservation());
    assert_eq!(
        (free.id.as_str(), &free.body["resourceStatus"]),
        ("vlans.100", &json!("available"))
    );
}

#[test]
fn services_and_resources_are_linked_both_ways() {
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan()) }]);
    story.succeed(0, &json!({}), vec![reservation()]);
    let changes = story.succeed(1, &json!({ "session": "S-1" }), vec![]);
    let find = |id: &str| &changes.documents.iter().find(|d| d.id == id).unwrap().body;
    assert_eq!(find("f-s1")["supportingService"][0]["id"], "f-s2");
    let resources = find("f-s2")["supportingResource"].as_array().unwrap();
    let ids: Vec<_> = resources.iter().map(|resource| &resource["id"]).collect();
    assert_eq!(ids, ["vlans.100", "f-r2-2"]);
    assert_eq!(find("vlans.100")["resourceOrderItem"][0]["itemId"], "2");
    assert_eq!(find("f-r2-2")["resourceCharacteristic"][0]["value"], "S-1");
}

/// A service that is made of others has no task of its own that would write its resources.
#[test]
fn resources_of_a_composed_service_are_in_use_with_it_and_end_with_it() {
    for undo_failed_before in [false, true] {
        let mut plan = plan();
        plan.items[1].resources = vec![SpecId::new("RS-SITE")];
        let mut story = Story::new();
        story.commit("planned", &[Event::Planned { plan: Arc::new(plan) }]);
        let first = story.succeed(0, &json!({}), vec![reservation()]);
        assert!(first.documents.iter().all(|d| d.id != "f-r1-1"), "its parts are not delivered");
        let done = story.succeed(1, &json!({}), vec![]);
        let find = |id: &str| &done.documents.iter().find(|d| d.id == id).unwrap().body;
        assert_eq!(find("f-s1")["supportingResource"][0]["id"], "f-r1-1");
        assert_eq!(find("f-r1-1")["usageState"], "busy");
        assert_eq!(find("f-r1-1")["resourceSpecification"]["id"], "RS-SITE");

        let failure = Failure::new(FailureClass::Retry, "X", "no");
        let (task, attempt) = (TaskId(1), 1);
        let cause = failure.clone();
        story.commit("rollingBack", &[Event::RollingBack { cause, task: None, decision: None }]);
        if undo_failed_before {
            let at = Timestamp(2);
            story.commit("busy", &[Event::UndoRetrying { task, attempt, failure, at }]);
        }
        let ending = |story: &Story, task: u32| -> Vec<String> {
            let ending = story.fulfilment.ending(TaskId(task));
            assert!(ending.iter().all(|document| document.body["usageState"] == "idle"));
            ending.into_iter().map(|document| document.id).collect()
        };
        assert_eq!(ending(&story, 1), ["f-r2-2", "f-r1-1"]);
        story.commit("undone", &[Event::Undone { task }]);
        assert_eq!(ending(&story, 0), [""; 0], "once");
    }
}

/// Its parts are shared with a line that is delivered, so nothing of them is rolled back.
#[test]
fn a_service_of_a_line_that_failed_ends_though_all_of_its_parts_stand() {
    let mut plan = plan();
    plan.items.push(item(Level::Product, "PS-2", "2", &[]));
    let mut other = item(Level::CustomerService, "CFS-2", "3", &[3]);
    other.resources = vec![SpecId::new("RS-SITE")];
    plan.items.push(other);
    plan.items.push(item(Level::ResourceService, "RFS-2", "4", &[3]));
    plan.items[2].parents.push(ItemId(4));
    plan.tasks.push(Task { item: Some(ItemId(5)), needs: Vec::new(), ..plan.tasks[1].clone() });
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan) }]);
    story.succeed(0, &json!({}), vec![reservation()]);
    story.succeed(1, &json!({}), vec![]);
    story.succeed(2, &json!({}), vec![]);
    let cause = Failure::new(FailureClass::Operator, "X", "no");
    let (task, attempt, failure) = (TaskId(3), 1, cause.clone());
    let lines = vec![ItemId(3)];
    let failed = Event::Failed { task, attempt, failure };
    let rolling = Event::RollingBackLines { lines, cause, task: Some(task), decision: None };
    story.commit("fails", &[failed, rolling, Event::Undone { task }]);
    let ended = story.commit("ended", &[Event::Ended { end: End::Partial }]);
    let state = |id: &str, name: &str| {
        let found = ended.documents.iter().find(|document| document.id == id);
        found.map(|document| document.body[name].clone())
    };
    assert_eq!(state("f-s3", "state"), Some(json!("terminated")), "{}", story.log);
    assert_eq!(state("f-r3-1", "usageState"), Some(json!("idle")), "{}", story.log);
    assert_eq!(state("f-s2", "state"), None, "it serves the other line");
    assert_eq!(state("f-s1", "state"), None);
}

/// A changed part is written when the order is complete, and so is the new service that it belongs to.
#[test]
fn a_new_service_that_is_made_of_what_changes_is_written() {
    let mut plan = plan();
    plan.items[2].action = Action::Modify;
    plan.items[2].instance = Some("old-s1".into());
    let mut story = Story::new();
    story.commit("planned", &[Event::Planned { plan: Arc::new(plan) }]);
    story.succeed(0, &json!({}), vec![reservation()]);
    story.succeed(1, &json!({}), vec![]);
    story.succeed(2, &json!({}), vec![]);
    let ended = story.commit("ended", &[Event::Ended { end: End::Completed }]);
    let service = ended.documents.iter().find(|document| document.id == "f-s1");
    let service = &service.unwrap_or_else(|| panic!("{}", story.log)).body;
    assert_eq!(service["state"], "active");
    assert_eq!(service["supportingService"][0]["id"], "old-s1");
}

#[test]
fn a_run_writes_no_documents() {
    let kind = Kind::Run { workflow: "w".into() };
    let mut run = Fulfilment::new(FulfilmentId::new("f"), kind, json!({}), Timestamp(0));
    let planned = Event::Planned { plan: Arc::new(plan()) };
    run.apply(Timestamp(0), &planned).unwrap();
    assert_eq!(run.changes(&[planned], None), Changes::default());
}
