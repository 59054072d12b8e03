use serde_json::json;
use tmf::document::read;

use super::*;
use crate::billing::charge::Until;
use crate::billing::tests::{at, days, due, one_off, product, recurring, terms, timeline};

const SENT: &str = "2026-04-05T08:00:00Z";

/// The lines of March, and a bill of them in a state.
fn drawn(state: &str) -> (CustomerBill, Vec<Rate>) {
    let fibre =
        product("active", "2026-03-10", &json!([recurring("31", "month"), one_off("49.90")]));
    let march = days("2026-03-01..2026-04-01");
    let run = at("2026-04-01T02:00:00Z");
    let lines =
        due(&fibre, &timeline(&fibre, ""), &[], &Until::all(march.until), &terms(), run).unwrap();
    let euro = |value: f64| json!({ "unit": "EUR", "value": value });
    let bill = json!({
        "id": "b-1", "state": state, "remainingAmount": euro(85.56),
        "taxExcludedAmount": euro(71.9), "taxIncludedAmount": euro(85.56),
        "paymentDueDate": "2026-04-15T00:00:00.000Z",
    });
    (read(&bill).unwrap(), lines)
}

fn went(from: BillState, to: BillState) -> String {
    let (bill, lines) = drawn(from.as_str());
    match moved(bill, to, &lines, Cycle::default(), Zone::UTC, at(SENT)) {
        Ok(bill) => format!("{} due {:?}", bill.state, bill.payment_due_date.unwrap().as_str()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_bill_is_moved_by_clients_until_it_is_sent() {
    let mut lines = Vec::new();
    for from in BillState::ALL.iter().copied() {
        for to in BillState::ALL.iter().copied().filter(|to| *to != from) {
            lines.push(format!("{} -> {}: {}", from.as_str(), to.as_str(), went(from, to)));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    new -> onHold: onHold due "2026-04-15T00:00:00.000Z"
    new -> validated: validated due "2026-04-15T00:00:00.000Z"
    new -> sent: sent due "2026-04-19T00:00:00.000Z"
    new -> partiallyPaid: bill `b-1` becomes `partiallyPaid` by payments and write-offs only
    new -> settled: bill `b-1` becomes `settled` by payments and write-offs only
    onHold -> new: new due "2026-04-15T00:00:00.000Z"
    onHold -> validated: validated due "2026-04-15T00:00:00.000Z"
    onHold -> sent: bill `b-1` is `onHold` and cannot become `sent`
    onHold -> partiallyPaid: bill `b-1` becomes `partiallyPaid` by payments and write-offs only
    onHold -> settled: bill `b-1` becomes `settled` by payments and write-offs only
    validated -> new: bill `b-1` is `validated` and cannot become `new`
    validated -> onHold: onHold due "2026-04-15T00:00:00.000Z"
    validated -> sent: sent due "2026-04-19T00:00:00.000Z"
    validated -> partiallyPaid: bill `b-1` becomes `partiallyPaid` by payments and write-offs only
    validated -> settled: bill `b-1` becomes `settled` by payments and write-offs only
    sent -> new: bill `b-1` is `sent` and cannot become `new`
    sent -> onHold: bill `b-1` is `sent` and cannot become `onHold`
    sent -> validated: bill `b-1` is `sent` and cannot become `validated`
    sent -> partiallyPaid: bill `b-1` becomes `partiallyPaid` by payments and write-offs only
    sent -> settled: bill `b-1` becomes `settled` by payments and write-offs only
    partiallyPaid -> new: bill `b-1` is `partiallyPaid` and cannot become `new`
    partiallyPaid -> onHold: bill `b-1` is `partiallyPaid` and cannot become `onHold`
    partiallyPaid -> validated: bill `b-1` is `partiallyPaid` and cannot become `validated`
    partiallyPaid -> sent: bill `b-1` is `partiallyPaid` and cannot become `sent`
    partiallyPaid -> settled: bill `b-1` becomes `settled` by payments and write-offs only
    settled -> new: bill `b-1` is `settled` and cannot become `new`
    settled -> onHold: bill `b-1` is `settled` and cannot become `onHold`
    settled -> validated: bill `b-1` is `settled` and cannot become `validated`
    settled -> sent: bill `b-1` is `settled` and cannot become `sent`
    settled -> partiallyPaid: bill `b-1` becomes `partiallyPaid` by payments and write-offs only
    "#);
}

#[test]
fn a_bill_that_is_not_the_sum_of_its_lines_is_not_sent() {
    let (bill, lines) = drawn("new");
    let short =
        moved(bill.clone(), BillState::Sent, &lines[1..], Cycle::default(), Zone::UTC, at(SENT));
    let message = short.unwrap_err().to_string();
    assert_eq!(message, "bill `b-1` has 71.90 EUR before tax, and its lines come to 49.90 EUR");
    assert!(
        moved(bill, BillState::OnHold, &lines[1..], Cycle::default(), Zone::UTC, at(SENT)).is_ok()
    );
}

#[test]
fn a_bill_of_nothing_is_settled_when_it_is_sent() {
    let (mut bill, _) = drawn("validated");
    for amount in
        [&mut bill.remaining_amount, &mut bill.tax_excluded_amount, &mut bill.tax_included_amount]
    {
        amount.0.amount = Decimal::ZERO;
    }
    let sent = moved(bill, BillState::Sent, &[], Cycle::default(), Zone::UTC, at(SENT)).unwrap();
    assert_eq!(sent.state, BillState::Settled);
}
