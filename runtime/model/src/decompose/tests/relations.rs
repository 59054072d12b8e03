//! What waits for what, between services that are made of others and between lines of an order.

use std::collections::BTreeSet;

use super::played::Played;
use super::*;
use crate::{ItemId, TaskId};

/// Which tasks a task waits for, directly or through others.
fn before(plan: &Plan, task: TaskId) -> BTreeSet<TaskId> {
    let (mut seen, mut open) = (BTreeSet::new(), plan.task(task).needs.clone());
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(plan.task(next).needs.iter().copied());
        }
    }
    seen
}

/// The tasks of an item and of all that it is made of.
fn within(plan: &Plan, name: &str) -> BTreeSet<TaskId> {
    let item = plan.items.iter().position(|item| item.name == name);
    let (mut seen, mut open) = (BTreeSet::new(), vec![ItemId::at(item.expect(name))]);
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(plan.children_of(next));
        }
    }
    let tasks = (0..plan.tasks.len()).map(TaskId::at);
    tasks.filter(|task| plan.task(*task).item.is_some_and(|item| seen.contains(&item))).collect()
}

/// Whether every task below one item waits for every task below another, but for those of both.
fn waits(plan: &Plan, then: &str, first: &str) -> bool {
    let (then, first) = (within(plan, then), within(plan, first));
    assert!(!then.is_empty() && !first.is_empty());
    let own: Vec<&TaskId> = then.difference(&first).collect();
    !own.is_empty() && own.into_iter().all(|task| first.is_subset(&before(plan, *task)))
}

fn planned(catalog: &str, rules: &str, order: &str) -> Plan {
    let plan = decomposed(catalog, rules, order, &Answers::new());
    let plan = plan.unwrap_or_else(|stop| panic!("{order}: {stop:?}"));
    plan.check().unwrap();
    plan
}

#[test]
fn an_item_waits_for_all_parts_of_a_service_that_it_needs() {
    let two = "
        O offers P
        P product: A, B
        A service: X, Y
        B service: Z after A
        X network
        Y network after X
        Z network
    ";
    let plan = planned(two, "", "1 add O");
    assert!(waits(&plan, "B", "A"), "{plan}");
    assert_eq!(plan.waves().len(), 3, "{plan}");
    let by_rule = two.replace(" after A", "");
    let rules = "deliver:\n  - { spec: X, workflow: do }\n  - { spec: Y, workflow: do }\n  \
                 - { spec: Z, workflow: do, needs: [A] }\n";
    let plan = planned(&by_rule, rules, "1 add O");
    assert!(waits(&plan, "Z", "A"), "{plan}");
    assert_eq!(plan.to_string().matches("Z.do needs Y.do\n").count(), 1, "{plan}");
}

#[test]
fn a_common_part_of_an_item_and_its_need_comes_first() {
    let catalog = "
        O offers P
        P product: C, B, A
        A service: S, X
        B service: S, Y after A
        C service: S, T, Z after B
        S network
        T network
        X network after S
        Y network after S
        Z network after S, T
    ";
    let plan = planned(catalog, "", "1 add O");
    for (then, first) in [("B", "A"), ("C", "B"), ("C", "A")] {
        assert!(waits(&plan, then, first), "{then} {first}: {plan}");
    }
    assert!(plan.to_string().contains("\n  S.do\n"), "what all three share waits for none: {plan}");
}

#[test]
fn the_own_work_of_a_service_may_need_its_parts_or_come_before_them() {
    let catalog = "
        O offers P
        P product: A
        A service: X, Y
        X network
        Y network
    ";
    let rules = "deliver:\n  - { spec: A, workflow: do, needs: [X] }\n  \
                 - { spec: X, workflow: do }\n  - { spec: Y, workflow: do, needs: [A] }\n";
    let plan = planned(catalog, rules, "1 add O").to_string();
    assert!(plan.contains("A.do needs X.do\n") && plan.contains("Y.do needs A.do\n"), "{plan}");
}

#[test]
fn a_circle_through_what_services_are_made_of_is_found() {
    let catalog = "
        O offers P
        P product: A, B
        A service: X
        B service: Y after A
        X network after Y
        Y network
    ";
    let stop = decomposed(catalog, "", "1 add O", &Answers::new()).unwrap_err();
    let Blocked::Failure(failure) = stop else { panic!("{stop:?}") };
    assert_eq!(failure.code.as_str(), "DECOMP_CIRCLE");
    assert!(failure.message.ends_with("X, B, Y"), "{}", failure.message);
}

const LINES: &str = "
    O offers P
    Q bundles O 0..9, Q 0..9
    P product: A, B
    A service: X
    B service: Y, S
    X network
    Y network after X
    S network
";

#[test]
fn a_line_waits_for_the_lines_that_it_relies_on_with_all_that_they_are_made_of() {
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("1 add O\n2 add O on:1\n3 add O on:2", &[("P#2", "P"), ("P#3", "P#2"), ("P#3", "P")]),
        ("1 add O on:2 on:3\n2 add O\n3 add O", &[("P", "P#2"), ("P", "P#3")]),
        // Parts of a bundle, and parts of others.
        ("1 add Q\n2 add O in:1\n3 add O in:1 on:2", &[("P#2", "P")]),
        ("1 add Q\n2 add O in:1 on:4\n3 add Q\n4 add O in:3", &[("P", "P#2")]),
        // Whole bundles, nested.
        (
            "1 add Q on:4\n2 add Q in:1\n3 add O in:2\n4 add Q\n5 add Q in:4\n6 add O in:5\n7 add O in:4",
            &[("P", "P#2"), ("P", "P#3"), ("Q#2", "Q#3")],
        ),
    ];
    for (order, expected) in cases {
        let plan = planned(LINES, "", order);
        for (then, first) in expected {
            assert!(waits(&plan, then, first), "{order}: {then} after {first}\n{plan}");
            assert!(!waits(&plan, first, then));
        }
    }
}

#[test]
fn where_the_catalog_tells_what_of_a_line_needs_what_of_another_only_that_waits() {
    let catalog = "
        O offers P
        O2 offers P2
        Q bundles O 0..9, O2 0..9
        P product: A
        P2 product: B
        A service: X
        B service: Y, Z
        X network
        Y network after X
        Z network
    ";
    let order = "1 add Q\n2 add O in:1\n3 add O2 in:1 on:2";
    let plan = planned(catalog, "", order);
    assert!(waits(&plan, "Y", "X") && !waits(&plan, "Z", "X"), "{plan}");
    let apart = planned(catalog, "", "2 add O\n3 add O2 on:2");
    assert!(waits(&apart, "P2", "P"), "{apart}");
    let mut strict = document(order);
    strict["productOrderItem"][2]["productOrderItemRelationship"][1]["relationshipType"] =
        json!("dependency");
    let plan = plan_of(&strict, &rulebook(catalog, "")).unwrap();
    assert!(waits(&plan, "P2", "P"), "{plan}");
}

#[test]
fn a_shared_item_waits_only_for_items_that_do_not_wait_for_it() {
    let rules = "deliver:\n  - { spec: X, workflow: do }\n  - { spec: Y, workflow: do }\n  \
                 - { spec: S, workflow: do, scope: order }\n";
    let plan = planned(LINES, rules, "1 add O\n2 add O on:1\n3 add O on:2");
    for (then, first) in [("A#2", "P"), ("A#3", "P#2"), ("Y#3", "P")] {
        assert!(waits(&plan, then, first), "{then} {first}: {plan}");
    }
    let apart = planned(LINES, rules, "1 add O\n2 add O on:1").to_string();
    assert!(apart.contains("\n  S.do\n"), "{apart}");
}

#[test]
fn a_part_may_rely_on_its_bundle_and_the_bundle_on_its_part() {
    planned(LINES, "", "1 add Q\n2 add O in:1 on:1\n3 add O in:1");
    planned(LINES, "", "1 add Q on:2\n2 add O in:1\n3 add O in:1");
}

#[test]
fn lines_of_service_and_resource_orders_wait_too() {
    let relation = json!([{ "relationshipType": "dependency", "orderItem": { "itemId": "b" } }]);
    let document = json!({ "serviceOrderItem": [
        { "id": "a", "action": "add", "service": { "serviceSpecification": { "id": "B" } },
          "serviceOrderItemRelationship": relation },
        { "id": "b", "action": "add", "service": { "serviceSpecification": { "id": "A" } } },
    ] });
    let order = Order::parse(Level::CustomerService, &document).unwrap();
    let plan = decompose(&order, &document, &rulebook(LINES, ""), &Answers::new()).unwrap();
    assert!(waits(&plan, "B", "A"), "{plan}");
}

#[test]
fn a_line_reads_the_outputs_of_what_it_relies_on() {
    let catalog = "
        H offers PH
        O offers P
        PH product: A
        P product: B
        A service: X
        B service: Y
        X network
        Y network
    ";
    let mut played = Played::new(rulebook(catalog, ""));
    let document = document("1 add O on:2\n2 add H\n3 add O");
    let mut fulfilment = played.submit("f", &document);
    played.finish(&mut fulfilment);
    let read = |name: &str| {
        let task = (0..fulfilment.plan().tasks.len()).map(TaskId::at);
        let task =
            task.into_iter().find(|task| fulfilment.plan().task_name(*task) == name).unwrap();
        json!(fulfilment.upstream(fulfilment.plan().task(task).item))
    };
    assert_eq!(read("Y.do").as_object().unwrap().keys().collect::<Vec<_>>(), ["X"]);
    assert_eq!(read("Y#2.do"), json!({}), "a line that relies on nothing reads nothing");
}

#[test]
fn of_lines_that_cease_the_one_that_relies_on_the_other_goes_first() {
    let mut played = Played::new(rulebook(LINES, ""));
    played.complete("f", &document("1 add O\n2 add O on:1"));
    let plan = played.plan(&document("a delete O id:f-1\nb delete O id:f-2 on:a")).unwrap();
    assert!(waits(&plan, "P", "P#2"), "{plan}");
}

#[test]
fn ten_thousand_lines_may_rely_on_one_and_one_on_ten_thousand() {
    let mut order = String::from("0 add O\n");
    for line in 1..10_000 {
        order.push_str(&format!("{line} add O on:0\n"));
    }
    let plan = planned(LINES, "", &order);
    let waits: usize = plan.tasks.iter().map(|task| task.needs.len()).sum();
    assert!(waits < 100_000, "{waits}");
    let mut order: String = (1..10_000).map(|line| format!("{line} add O\n")).collect();
    order.push_str("0 add O");
    (1..10_000).for_each(|line| order.push_str(&format!(" on:{line}")));
    planned(LINES, "", &order);
    let chain: String = (1..10_000).map(|line| format!("{line} add O on:{}\n", line - 1)).collect();
    planned(LINES, "", &format!("0 add O\n{chain}"));
}

#[test]
fn a_plan_in_which_too_much_waits_for_too_much_is_refused() {
    let mut order = String::from("a add Q\nb add Q on:a\n");
    for line in 1..1_100 {
        order.push_str(&format!("{line} add O in:a\n-{line} add O in:b\n"));
    }
    let catalog = LINES.replace("0..9", "0..2000");
    let stop = decomposed(&catalog, "", &order, &Answers::new()).unwrap_err();
    let Blocked::Failure(failure) = stop else { panic!("{stop:?}") };
    assert_eq!((failure.code.as_str(), failure.class), ("TOO_LARGE", FailureClass::Reject));
}
