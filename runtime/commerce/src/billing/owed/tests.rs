use serde_json::json;

use super::*;

#[test]
fn what_is_left_of_bills_is_summed_by_currency_and_exactly() {
    let left = |state: &str, unit: &str, value: f64| json!({ "state": state, "remainingAmount": { "unit": unit, "value": value } });
    let bills = [
        left("sent", "EUR", 0.1),
        left("sent", "USD", 5.0),
        left("partiallyPaid", "EUR", 0.2),
        left("new", "EUR", 7.0),
        left("onHold", "USD", 7.0),
        json!({}),
    ];
    let owed: Vec<String> = owed(&bills).iter().map(ToString::to_string).collect();
    assert_eq!(owed, ["0.30 EUR", "5.00 USD"]);
}
