use serde_json::json;

use super::*;

#[test]
fn what_is_left_of_bills_is_summed_by_currency_and_exactly() {
    let left =
        |unit: &str, value: f64| json!({ "remainingAmount": { "unit": unit, "value": value } });
    let bills = [left("EUR", 0.1), left("USD", 5.0), left("EUR", 0.2), json!({})];
    let owed: Vec<String> = owed(&bills).iter().map(ToString::to_string).collect();
    assert_eq!(owed, ["0.30 EUR", "5.00 USD"]);
}
