use ferrule_plugin::money::Rounding;
use ferrule_plugin::rater::{Period, Price, Request, Unit};
use ferrule_plugin::{Failure, Money};

use super::{charges, rounding};

mod usage;

fn price(amount: &str, currency: &str, period: Option<Period>) -> Price {
    Price {
        id: "p1".into(),
        name: "Access".into(),
        amount: Money::parse(amount, currency).unwrap(),
        period,
        tax_rate: None,
    }
}

fn every(length: u32, unit: Unit) -> Option<Period> {
    Some(Period { length, unit })
}

fn monthly(amount: &str, currency: &str) -> Price {
    price(amount, currency, every(1, Unit::Month))
}

fn request(prices: Vec<Price>, start: &str, bill_day: u32, tax_rate: &str) -> Request {
    Request {
        prices,
        quantity: 1,
        start: start.parse().unwrap(),
        bill_day: (bill_day != 0).then_some(bill_day),
        tax_rate: tax_rate.parse().unwrap(),
    }
}

/// The charges of a request, one line each: `net + tax, from..to, prorated`.
fn try_rate(request: &Request) -> Result<String, Failure> {
    let lines = charges(request, Rounding::HalfUp)?.into_iter().map(|charge| {
        let covers = charge.covers.map(|(from, to)| format!(", {from}..{to}")).unwrap_or_default();
        let prorated = charge.prorated.map(|part| format!(", {}/{}", part.days, part.of_days));
        format!("{} + {}{covers}{}", charge.net, charge.tax, prorated.unwrap_or_default())
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn rate(request: &Request) -> String {
    try_rate(request).unwrap()
}

#[test]
fn a_one_off_price_is_charged_whole_whatever_the_day() {
    let setup = price("49.90", "EUR", None);
    assert_eq!(rate(&request(vec![setup], "2026-03-10", 1, "19")), "49.90 EUR + 9.48 EUR");
}

#[test]
fn a_price_of_zero_gives_a_line_of_zero() {
    let free = price("0", "EUR", None);
    assert_eq!(rate(&request(vec![free], "2026-03-10", 1, "19")), "0.00 EUR + 0.00 EUR");
}

#[test]
fn a_recurring_price_is_prorated_to_the_bill_day() {
    let on = |start, bill_day| rate(&request(vec![monthly("31", "EUR")], start, bill_day, "0"));
    assert_eq!(on("2026-03-10", 1), "22.00 EUR + 0.00 EUR, 2026-03-10..2026-03-31, 22/31");
    assert_eq!(on("2026-03-31", 1), "1.00 EUR + 0.00 EUR, 2026-03-31..2026-03-31, 1/31");
    // Before the bill day the period began in the month before, across the year too.
    assert_eq!(on("2026-03-10", 15), "5.54 EUR + 0.00 EUR, 2026-03-10..2026-03-14, 5/28");
    assert_eq!(on("2026-01-02", 28), "26.00 EUR + 0.00 EUR, 2026-01-02..2026-01-27, 26/31");
}

#[test]
fn a_start_on_the_bill_day_is_a_whole_period() {
    let on = |start, bill_day| rate(&request(vec![monthly("29.99", "EUR")], start, bill_day, "19"));
    assert_eq!(on("2026-03-15", 15), "29.99 EUR + 5.70 EUR, 2026-03-15..2026-04-14");
    assert_eq!(on("2026-02-01", 1), "29.99 EUR + 5.70 EUR, 2026-02-01..2026-02-28");
}

#[test]
fn without_a_bill_day_a_whole_period_begins_at_the_start() {
    let on = |start| rate(&request(vec![monthly("10", "EUR")], start, 0, "0"));
    assert_eq!(on("2026-03-10"), "10.00 EUR + 0.00 EUR, 2026-03-10..2026-04-09");
    assert_eq!(on("2026-01-31"), "10.00 EUR + 0.00 EUR, 2026-01-31..2026-02-27");
}

#[test]
fn a_leap_year_has_one_day_more() {
    let on = |start| rate(&request(vec![monthly("29", "EUR")], start, 1, "0"));
    assert_eq!(on("2024-02-29"), "1.00 EUR + 0.00 EUR, 2024-02-29..2024-02-29, 1/29");
    assert_eq!(on("2023-02-28"), "1.04 EUR + 0.00 EUR, 2023-02-28..2023-02-28, 1/28");
    let yearly = |start| {
        let price = price("366", "EUR", every(1, Unit::Year));
        rate(&request(vec![price], start, 1, "0"))
    };
    assert_eq!(yearly("2024-01-01"), "366.00 EUR + 0.00 EUR, 2024-01-01..2024-12-31");
    assert_eq!(yearly("2024-01-02"), "365.00 EUR + 0.00 EUR, 2024-01-02..2024-12-31, 365/366");
    assert_eq!(yearly("2026-03-10"), "356.98 EUR + 0.00 EUR, 2026-03-10..2027-02-28, 356/365");
}

#[test]
fn a_period_may_be_a_number_of_units() {
    let on = |period| {
        let price = price("90", "EUR", period);
        rate(&request(vec![price], "2026-03-10", 1, "0"))
    };
    assert_eq!(on(every(3, Unit::Month)), "81.20 EUR + 0.00 EUR, 2026-03-10..2026-05-31, 83/92");
    assert_eq!(on(every(2, Unit::Week)), "141.43 EUR + 0.00 EUR, 2026-03-10..2026-03-31, 22/14");
}

#[test]
fn days_and_weeks_are_charged_up_to_the_next_bill() {
    let on = |period, bill_day| {
        let price = price("7", "EUR", every(1, period));
        rate(&request(vec![price], "2026-03-22", bill_day, "0"))
    };
    assert_eq!(on(Unit::Week, 1), "10.00 EUR + 0.00 EUR, 2026-03-22..2026-03-31, 10/7");
    assert_eq!(on(Unit::Day, 1), "70.00 EUR + 0.00 EUR, 2026-03-22..2026-03-31, 10/1");
    assert_eq!(on(Unit::Week, 0), "7.00 EUR + 0.00 EUR, 2026-03-22..2026-03-28");
    assert_eq!(on(Unit::Day, 0), "7.00 EUR + 0.00 EUR, 2026-03-22..2026-03-22");
}

#[test]
fn a_line_is_rounded_once_and_after_the_quantity() {
    // One costs 0.335, which alone would be 0.34.
    let mut request = request(vec![monthly("0.67", "EUR")], "2026-04-16", 1, "0");
    request.quantity = 3;
    assert_eq!(rate(&request), "1.01 EUR + 0.00 EUR, 2026-04-16..2026-04-30, 15/30");
}

#[test]
fn amounts_have_the_minor_units_of_their_currency() {
    let on =
        |amount, currency| rate(&request(vec![monthly(amount, currency)], "2026-04-21", 1, "10"));
    assert_eq!(on("10", "EUR"), "3.33 EUR + 0.33 EUR, 2026-04-21..2026-04-30, 10/30");
    assert_eq!(on("1000", "JPY"), "333 JPY + 33 JPY, 2026-04-21..2026-04-30, 10/30");
    assert_eq!(on("10", "KWD"), "3.333 KWD + 0.333 KWD, 2026-04-21..2026-04-30, 10/30");
}

#[test]
fn a_tie_goes_away_from_zero_as_on_bills() {
    let request = request(vec![monthly("2.01", "EUR")], "2026-04-16", 1, "0");
    let net = |rounding| charges(&request, rounding).unwrap()[0].net.to_string();
    assert_eq!(net(rounding(None).unwrap()), "1.01 EUR");
    assert_eq!(net(rounding(Some("half-up")).unwrap()), "1.01 EUR");
    assert_eq!(rounding(Some("half-even")).unwrap_err().code, "ROUNDING");
}

#[test]
fn a_discount_is_a_negative_price() {
    let discount = vec![monthly("-5", "EUR")];
    let expected = "-5.00 EUR + -0.95 EUR, 2026-04-01..2026-04-30";
    assert_eq!(rate(&request(discount, "2026-04-01", 1, "19")), expected);
}

#[test]
fn an_impossible_charge_is_for_the_operator() {
    let failure = |request: &Request| {
        let failure = try_rate(request).unwrap_err();
        format!("{}: {}", failure.code, failure.message)
    };
    for bill_day in [29, 31, u32::MAX] {
        let request = request(vec![], "2026-03-10", bill_day, "0");
        let expected = format!("BILL_DAY: bill day {bill_day} is not in every month; use 1 to 28");
        assert_eq!(failure(&request), expected);
    }
    let endless = price("1", "EUR", every(1201, Unit::Day));
    assert_eq!(
        failure(&request(vec![endless], "2026-03-10", 1, "0")),
        "PRICE: price `p1` cannot be charged: a period of 1201 is not from 1 to 1200"
    );
    let mut huge = request(vec![monthly("9999999999999999999999999", "EUR")], "2026-03-10", 1, "0");
    huge.quantity = u32::MAX;
    assert_eq!(
        failure(&huge),
        "PRICE: price `p1` cannot be charged: the amount does not fit in 28 digits"
    );
    assert_eq!(
        failure(&request(vec![monthly("1", "EUR")], "9999-12-31", 1, "0")),
        "PRICE: price `p1` cannot be charged: its period goes past the calendar"
    );
    assert!(failure(&request(vec![], "2026-03-10", 1, "-19")).starts_with("TAX_RATE: "));
}
