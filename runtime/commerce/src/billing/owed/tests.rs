use serde_json::json;
use tmf::document::read;

use super::*;

#[test]
fn amounts_left_of_bills_are_summed_by_currency_and_exactly() {
    let left = |state: &str, unit: &str, value: f64| {
        let amount = json!({ "unit": unit, "value": value });
        let bill = json!({
            "id": "b", "state": state, "remainingAmount": amount, "taxExcludedAmount": amount,
            "taxIncludedAmount": amount,
        });
        read(&bill).unwrap()
    };
    let bills = [
        left("sent", "EUR", 0.1),
        left("sent", "USD", 5.0),
        left("partiallyPaid", "EUR", 0.2),
        left("new", "EUR", 7.0),
        left("onHold", "USD", 7.0),
    ];
    let owed: Vec<String> = owed(&bills).iter().map(ToString::to_string).collect();
    assert_eq!(owed, ["0.30 EUR", "5.00 USD"]);
}
