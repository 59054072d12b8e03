use serde_json::json;

use super::*;
use crate::billing::tests::{money, shown, terms};

fn adjustment(id: &str, net: &str) -> Adjustment {
    Adjustment {
        id: id.into(),
        net: money(net),
        tax_rate: None,
        reason: "Outage".into(),
        at: Timestamp(0),
    }
}

fn bill() -> Value {
    json!({
        "id": "bill-1", "billingAccount": { "id": "acc-1" },
        "taxExcludedAmount": { "unit": "EUR", "value": 71.9 },
    })
}

#[test]
fn an_adjustment_is_a_rate_that_takes_away() {
    let rate = adjustment("adj-1", "10 EUR").of_bill(&bill(), &[], &terms()).unwrap();
    assert_eq!(shown(std::slice::from_ref(&rate)), "adjustment Outage |  | -10.00 EUR + -1.90 EUR");
    assert_eq!((rate.account.as_deref(), rate.credits.as_deref()), (Some("acc-1"), Some("bill-1")));
    let rate = adjustment("adj-2", "5 EUR").of_account("acc-1", &terms()).unwrap();
    assert_eq!((rate.account.as_deref(), rate.credits), (Some("acc-1"), None));
}

#[test]
fn no_more_is_given_back_than_was_charged() {
    let first = adjustment("adj-1", "70 EUR").of_bill(&bill(), &[], &terms()).unwrap();
    let error = |net, rates: &[Rate]| {
        adjustment("adj-2", net).of_bill(&bill(), rates, &terms()).unwrap_err().to_string()
    };
    let table = [
        error("71.91 EUR", &[]),
        error("1.91 EUR", std::slice::from_ref(&first)),
        error("1 USD", &[]),
        error("0 EUR", &[]),
        error("-1 EUR", &[]),
        error("0.001 EUR", &[]),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    of bill `bill-1` there is left to give back 71.90 EUR, not 71.91 EUR
    of bill `bill-1` there is left to give back 1.90 EUR, not 1.91 EUR
    of bill `bill-1` there is left to give back 71.90 EUR, not 1.00 USD
    an adjustment of 0.00 EUR is no amount to give back
    an adjustment of -1.00 EUR is no amount to give back
    an adjustment of 0.001 EUR is no amount to give back
    ");
    assert!(adjustment("adj-2", "1.90 EUR").of_bill(&bill(), &[first], &terms()).is_ok());
}
