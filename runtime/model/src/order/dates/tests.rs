use serde_json::{Value, json};

use super::*;
use crate::order::OrderErrorKind;
use crate::plan::Level;

const NOW: &str = "2026-03-12T12:00:00Z";

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).unwrap())
}

/// An order of one line, read at noon.
fn read(level: Level, top: Value, action: &str, instance: Value) -> Result<Order, OrderError> {
    let form = Form::of(level);
    let mut order = top;
    let mut instance = instance;
    instance["id"] = json!("x");
    order[form.items()] = json!([{ "id": "1", "action": action, form.subject(): instance }]);
    Ok(Order::parse(level, &order)?.at(Timestamp::parse(NOW).unwrap()))
}

#[test]
fn a_line_begins_with_its_order_and_no_sooner_than_its_own_date() {
    let (early, late) = ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z");
    for level in [Level::Product, Level::CustomerService, Level::Resource] {
        let (from, until) = Form::of(level).names().dates;
        let table = [
            (json!({}), "add", json!({}), None),
            (json!({ "requestedStartDate": early }), "add", json!({}), at(early)),
            (json!({ "requestedStartDate": early }), "add", json!({ from: late }), at(late)),
            (json!({ "requestedStartDate": late }), "add", json!({ from: early }), at(late)),
            (json!({}), "add", json!({ from: early }), at(early)),
            (json!({ "requestedStartDate": early }), "modify", json!({}), at(early)),
            (json!({}), "modify", json!({ from: late }), None),
            (json!({}), "delete", json!({ until: late }), at(late)),
            (json!({ "requestedStartDate": early }), "delete", json!({ until: late }), at(late)),
            (json!({ "requestedCompletionDate": late }), "delete", json!({}), None),
            (json!({ "requestedStartDate": early }), "noChange", json!({ from: late }), at(early)),
        ];
        for (top, action, instance, expected) in table {
            let told = format!("{level:?} {top} {action} {instance}");
            let order = read(level, top, action, instance).expect(&told);
            assert_eq!(order.not_before(&order.lines[0]), expected, "{told}");
        }
    }
}

#[test]
fn dates_that_contradict_each_other_or_are_none_are_refused_with_their_path() {
    let (early, late) = ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z");
    for level in [Level::Product, Level::CustomerService, Level::Resource] {
        let form = Form::of(level);
        let (from, until) = form.names().dates;
        let within = |name: &str| format!("{}[0].{}.{name}", form.items(), form.subject());
        let (malformed, wrong) = (OrderErrorKind::Malformed, OrderErrorKind::Inconsistent);
        let top = "requestedCompletionDate";
        let both = json!({ "requestedStartDate": late, top: early });
        let table = [
            (both, "add", json!({}), wrong, top.to_string()),
            (
                json!({ "requestedStartDate": late }),
                "delete",
                json!({ until: early }),
                wrong,
                within(until),
            ),
            (json!({}), "add", json!({ until: late }), wrong, within(until)),
            (
                json!({ "requestedStartDate": "soon" }),
                "add",
                json!({}),
                malformed,
                "requestedStartDate".into(),
            ),
            (
                json!({ "requestedStartDate": 5 }),
                "add",
                json!({}),
                malformed,
                "requestedStartDate".into(),
            ),
            (json!({}), "add", json!({ from: "soon" }), malformed, within(from)),
            (json!({}), "delete", json!({ until: "soon" }), malformed, within(until)),
        ];
        for (top, action, instance, kind, path) in table {
            let told = format!("{level:?} {top} {action} {instance}");
            let read = read(level, top, action, instance).and_then(|order| order.check_dates());
            let error = read.expect_err(&told);
            assert_eq!((error.kind, error.path), (kind, path), "{told}");
        }
    }
}

#[test]
fn a_date_may_have_passed_by_a_day() {
    let table = [
        ("2026-03-11T12:00:00Z", false),
        ("2026-03-12T00:00:00Z", false),
        ("2026-03-11T11:59:59Z", true),
        ("2020-01-01T00:00:00Z", true),
    ];
    for (date, is_passed) in table {
        let order = |top, action, instance| read(Level::Product, top, action, instance).unwrap();
        for (order, path) in [
            (order(json!({ "requestedStartDate": date }), "add", json!({})), "requestedStartDate"),
            (
                order(json!({}), "add", json!({ "startDate": date })),
                "productOrderItem[0].product.startDate",
            ),
            (
                order(json!({}), "delete", json!({ "terminationDate": date })),
                "productOrderItem[0].product.terminationDate",
            ),
        ] {
            let passed = order.passed();
            assert_eq!(passed.is_some(), is_passed, "{date}");
            let about = passed.and_then(|failure| failure.attribute);
            assert_eq!(about.as_deref(), is_passed.then_some(path));
        }
        let late = order(json!({ "requestedCompletionDate": date }), "add", json!({}));
        assert_eq!(late.passed(), None, "what is late is wanted all the same");
    }
}
