use ferrule_plugin::rater::{Price, Request};
use ferrule_plugin::{Money, Rater};

use super::Adapter;

#[test]
fn a_price_is_charged_for_the_quantity_with_its_tax() {
    let money = |amount| Money::parse(amount, "EUR").unwrap();
    let price = Price {
        id: "activation".into(),
        name: "Activation".into(),
        amount: money("9.99"),
        period: None,
        tax_rate: None,
    };
    let request = Request {
        prices: vec![price],
        quantity: 3,
        start: "2026-03-10".parse().unwrap(),
        bill_day: None,
        tax_rate: 20.into(),
    };
    let charges = Adapter::rate(&request).unwrap();
    let [charge] = &charges[..] else { panic!("one price is one charge") };
    assert_eq!((&charge.net, &charge.tax), (&money("29.97"), &money("5.99")));
}
