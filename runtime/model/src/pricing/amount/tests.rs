use super::*;
use crate::pricing::tests::{decimal, money};

#[test]
fn ties_go_the_way_that_was_chosen_for_charges_and_credits_alike() {
    let euro = Currency::parse("EUR").unwrap();
    let rounded = |rounding: Rounding, text| written(&rounding.of(decimal(text), euro));
    let both = |text| {
        [rounded(Rounding::Commercial, text), rounded(Rounding::HalfEven, text)].join(" or ")
    };
    assert_eq!(both("1.005"), "1.01 EUR or 1.00 EUR");
    assert_eq!(both("1.015"), "1.02 EUR or 1.02 EUR");
    assert_eq!(both("-1.005"), "-1.01 EUR or -1.00 EUR");
    assert_eq!(both("-0.004"), "0.00 EUR or 0.00 EUR");
}

#[test]
fn a_currency_has_its_own_minor_units() {
    let rounded = |currency| {
        let currency = Currency::parse(currency).unwrap();
        written(&Rounding::Commercial.of(decimal("10.1239"), currency))
    };
    assert_eq!(rounded("JPY"), "10 JPY");
    assert_eq!(rounded("EUR"), "10.12 EUR");
    assert_eq!(rounded("KWD"), "10.124 KWD");
}

#[test]
fn an_amount_that_is_finer_than_its_currency_is_shown_whole() {
    assert_eq!(written(&money("0.00340 EUR")), "0.0034 EUR");
}
