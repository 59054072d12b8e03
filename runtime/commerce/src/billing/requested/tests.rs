use serde_json::{Value, json};

use super::*;
use crate::billing::tests::money;

/// A body with another value at a pointer.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    match pointer.rsplit_once('/').unwrap() {
        ("", name) => body[name] = value,
        (parent, name) => body.pointer_mut(parent).unwrap()[name] = value,
    }
    body
}

fn payment(body: &Value) -> Result<PaymentRequest, Malformed> {
    read::<PaymentBody>(body).and_then(PaymentRequest::try_from)
}

fn adjustment(body: &Value) -> Result<AdjustmentRequest, Malformed> {
    read::<AdjustmentBody>(body).and_then(AdjustmentRequest::try_from)
}

fn write_off(body: &Value) -> Result<String, Malformed> {
    read(body).and_then(WriteOffBody::bill)
}

fn told<const N: usize>(table: [Result<(), Malformed>; N]) -> String {
    table.map(|read| read.unwrap_err().to_string()).join("\n")
}

#[test]
fn malformed_payments_are_rejected_with_their_path() {
    let body = json!({ "bill": { "id": "b" }, "amount": { "unit": "EUR", "value": 1 } });
    let paid = |pointer, value| payment(&with(&body, pointer, value)).map(|_| ());
    let table = [
        paid("/date", json!("2026-04-01")),
        paid("/ammount", json!(1)),
        paid("/bill", json!("b")),
        paid("/bill", Value::Null),
        paid("/bill", json!({})),
        paid("/bill", json!({ "id": "" })),
        paid("/bill", json!({ "id": 1 })),
        paid("/bill/ref", json!("b")),
        paid("/id", json!(7)),
        paid("/id", json!("")),
        paid("/id", json!("with blank")),
        paid("/id", json!("x".repeat(101))),
        paid("/amount", json!(1)),
        paid("/amount", Value::Null),
        paid("/amount/units", json!(1)),
        paid("/amount/value", Value::Null),
        paid("/amount/value", json!("much")),
        paid("/amount/value", json!(1e13)),
        paid("/amount/unit", json!("eur")),
        paid("/amount/unit", json!(1)),
        paid("/amount/unit", json!("ZZZ")),
    ];
    insta::assert_snapshot!(told(table), @r"
    `date` is not known
    `ammount` is not known
    `bill` is not an object
    `bill.id` is missing
    `bill.id` is missing
    `bill.id` is empty
    `bill.id` is not a text
    `bill.ref` is not known
    `id` is not a text
    `id` is empty
    `id` has characters that are no letters, digits or signs of ASCII
    `id` is too long
    `amount` is not an object
    `amount` is missing
    `amount.units` is not known
    `amount` needs `unit` (a currency) and `value` (a number)
    `amount` needs `unit` (a currency) and `value` (a number)
    `amount` is more than a million million
    `amount` needs `unit` (a currency) and `value` (a number)
    `amount` needs `unit` (a currency) and `value` (a number)
    `amount.unit` is no currency of ISO 4217
    ");
}

#[test]
fn malformed_adjustments_and_write_offs_are_rejected_with_their_path() {
    let credit = json!({
        "billingAccount": { "id": "a" }, "reason": "r", "amount": { "unit": "EUR", "value": 1 },
    });
    let credited = |pointer, value| adjustment(&with(&credit, pointer, value)).map(|_| ());
    let table = [
        credited("/reason", Value::Null),
        credited("/reason", json!("")),
        credited("/reason", json!("r".repeat(1_001))),
        credited("/note", json!("r")),
        credited("/bill", json!({ "name": "b" })),
        credited("/billingAccount", json!("a")),
        credited("/billingAccount", Value::Null),
        write_off(&json!({ "bill": { "id": "b" }, "amount": 1 })).map(|_| ()),
        write_off(&json!([])).map(|_| ()),
    ];
    insta::assert_snapshot!(told(table), @r"
    `reason` is missing
    `reason` is empty
    `reason` is too long
    `note` is not known
    `bill.id` is missing
    `billingAccount` is not an object
    `billingAccount.id` is missing
    `amount` is not known
    `$` is not an object
    ");
}

#[test]
fn a_payment_with_known_attributes_is_read() {
    let body = json!({
        "id": "p-1", "bill": { "id": "b", "@referredType": "CustomerBill" },
        "amount": { "unit": "EUR", "value": "0.10" },
    });
    let read = payment(&body).unwrap();
    assert_eq!((read.id.as_deref(), read.bill.as_str()), (Some("p-1"), "b"));
    assert_eq!(read.amount, money("0.10 EUR"));
}
