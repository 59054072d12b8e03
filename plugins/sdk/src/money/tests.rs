use rust_decimal::Decimal;

use super::{Error, Money, Rounding};

fn money(amount: &str, currency: &str) -> Money {
    Money::parse(amount, currency).unwrap()
}

fn rounded(amount: &str, currency: &str, rounding: Rounding) -> String {
    money(amount, currency).rounded(rounding).to_string()
}

#[test]
fn an_amount_is_exact_until_it_is_rounded() {
    let tenth = money("0.1", "EUR");
    assert_eq!(tenth.plus(&money("0.2", "EUR")).unwrap(), money("0.3", "EUR"));
    assert_eq!(tenth.minus(&money("0.2", "EUR")).unwrap(), money("-0.1", "EUR"));
    assert_eq!(tenth.times(3).unwrap().to_string(), "0.3 EUR");
    assert_eq!(money("10", "EUR").percent(Decimal::new(75, 1)).unwrap(), money("0.75", "EUR"));
}

#[test]
fn currencies_do_not_mix() {
    let error = money("1", "EUR").plus(&money("1", "USD")).unwrap_err();
    assert_eq!(error, Error::Mixed { left: "EUR".into(), right: "USD".into() });
    assert_eq!(error.to_string(), "`EUR` and `USD` cannot be put together");
}

#[test]
fn rounding_is_to_the_minor_units_of_the_currency() {
    assert_eq!(rounded("1.005", "EUR", Rounding::HalfUp), "1.01 EUR");
    assert_eq!(rounded("1.005", "EUR", Rounding::HalfEven), "1.00 EUR");
    assert_eq!(rounded("1.015", "EUR", Rounding::HalfEven), "1.02 EUR");
    assert_eq!(rounded("-1.005", "EUR", Rounding::HalfUp), "-1.01 EUR");
    assert_eq!(rounded("2.5", "JPY", Rounding::HalfUp), "3 JPY");
    assert_eq!(rounded("2.5", "JPY", Rounding::HalfEven), "2 JPY");
    assert_eq!(rounded("1.2345", "KWD", Rounding::HalfUp), "1.235 KWD");
    assert_eq!(rounded("10", "EUR", Rounding::HalfUp), "10.00 EUR");
    assert_eq!(rounded("0", "EUR", Rounding::HalfUp), "0.00 EUR");
    assert_eq!(rounded("-0.001", "EUR", Rounding::HalfUp), "0.00 EUR");
}

#[test]
fn malformed_amounts_and_currencies_are_refused() {
    for amount in ["", "ten", "1,5", "1e3", "--1", "1.2.3"] {
        assert!(matches!(Money::parse(amount, "EUR"), Err(Error::Amount { .. })), "{amount}");
    }
    for currency in ["", "eur", "EURO", "E1R", "€"] {
        assert!(matches!(Money::parse("1", currency), Err(Error::Currency { .. })), "{currency}");
    }
}

#[test]
fn overflow_is_an_error_and_not_a_crash() {
    let most = Money::new(Decimal::MAX, "EUR").unwrap();
    assert_eq!(most.plus(&most), Err(Error::Overflow));
    assert_eq!(most.times(2), Err(Error::Overflow));
    assert_eq!(most.divided_by(0), Err(Error::DivisionByZero));
}
