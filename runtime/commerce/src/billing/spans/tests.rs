use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::*;
use crate::billing::charge::Until;
use crate::billing::tests::{
    self, day, days, due, one_off, product, recurring, shown, start, terms,
};
use crate::billing::timeline::Timeline;
use model::pricing::ledger::{Entry, Ledger};
use model::pricing::product_price::Period;

/// A product that cost something else from each of some days on, such as `2026-03-10 31`.
fn versions(changes: &[(Day, Vec<Value>)]) -> Vec<(Timestamp, Value)> {
    let version = |(from, prices): &(Day, Vec<Value>)| {
        let noon = start(*from).plus_ms(12 * 3_600_000);
        (noon, product("active", &changes[0].0.to_string(), &json!(prices)))
    };
    changes.iter().map(version).collect()
}

/// A price of the catalog, for a month.
fn monthly(id: &str, amount: &str) -> Value {
    let mut price = recurring(amount, "month");
    price["productOfferingPrice"] = json!({ "id": id });
    price
}

/// What a product owes for a period, as it is known on its last day.
fn charged(known: &[(Timestamp, Value)], rates: &[Rate], period: Days) -> Vec<Rate> {
    let product = &known.last().unwrap().1;
    let timeline = Timeline::of_versions(&tests::versions(known), Zone::UTC).unwrap();
    due(product, &timeline, rates, &Until::all(period.until), &terms(), start(period.until))
        .unwrap()
}

#[test]
fn a_price_that_is_swapped_is_given_back_and_the_new_one_charged_by_the_day() {
    let slow = (day("2026-03-10"), vec![monthly("SLOW", "31"), one_off("49.90")]);
    let fast = (day("2026-03-20"), vec![monthly("FAST", "62"), one_off("49.90")]);
    let march = days("2026-03-01..2026-04-01");
    let first = charged(&versions(std::slice::from_ref(&slow)), &[], march);
    let both = versions(&[slow, fast]);
    let then = charged(&both, &first, march);
    insta::assert_snapshot!(format!("{}\n\n{}", shown(&first), shown(&then)), @r"
    recurringCharge Fibre, Access | 2026-03-10..2026-04-01 | 22.00 EUR + 4.18 EUR | 22/31 days
    oneTimeCharge Fibre, Setup | 2026-03-10..2026-03-11 | 49.90 EUR + 9.48 EUR

    recurringCharge Fibre, Access | 2026-03-20..2026-04-01 | 24.00 EUR + 4.56 EUR | 12/31 days
    credit Fibre, Access | 2026-03-20..2026-04-01 | -12.00 EUR + -2.28 EUR | 12/22 days given back
    ");
    let all: Vec<Rate> = first.into_iter().chain(then).collect();
    assert_eq!(charged(&both, &all, march), []);
}

#[test]
fn a_day_that_was_billed_already_is_charged_at_the_price_that_it_ends_with() {
    let slow = (day("2026-03-10"), vec![monthly("SLOW", "31")]);
    let fast = (day("2026-03-25"), vec![monthly("FAST", "62")]);
    // A bill on demand, and the price is changed on the same day.
    let first =
        charged(&versions(std::slice::from_ref(&slow)), &[], days("2026-03-10..2026-03-26"));
    let then = charged(&versions(&[slow, fast]), &first, days("2026-03-26..2026-04-01"));
    insta::assert_snapshot!(shown(&then), @r"
    recurringCharge Fibre, Access | 2026-03-25..2026-04-01 | 14.00 EUR + 2.66 EUR | 7/31 days
    credit Fibre, Access | 2026-03-25..2026-03-26 | -1.00 EUR + -0.19 EUR | 1/16 days given back
    ");
}

#[test]
fn an_amount_that_changes_under_the_same_name_is_another_price_from_that_day_on() {
    let before = (day("2026-03-01"), vec![monthly("MRC", "31")]);
    let after = (day("2026-03-16"), vec![monthly("MRC", "15.50")]);
    let march = days("2026-03-01..2026-04-01");
    let ahead = |rate| Rate { date: start(before.0), ..rate };
    let first = charged(&versions(std::slice::from_ref(&before)), &[], march);
    let first: Vec<Rate> = first.into_iter().map(ahead).collect();
    let then = charged(&versions(&[before.clone(), after.clone()]), &first, march);
    let late = charged(&versions(&[before, after]), &[], march);
    insta::assert_snapshot!(format!("{}\n\n{}", shown(&then), shown(&late)), @r"
    recurringCharge Fibre, Access | 2026-03-16..2026-04-01 | 8.00 EUR + 1.52 EUR | 16/31 days
    credit Fibre, Access | 2026-03-16..2026-04-01 | -16.00 EUR + -3.04 EUR | 16/31 days given back

    recurringCharge Fibre, Access | 2026-03-01..2026-03-16 | 15.00 EUR + 2.85 EUR | 15/31 days
    recurringCharge Fibre, Access | 2026-03-16..2026-04-01 | 8.00 EUR + 1.52 EUR | 16/31 days
    ");
}

#[test]
fn a_price_keeps_its_name_and_its_days_where_only_others_change() {
    let mut renamed = monthly("MRC", "31");
    renamed["name"] = json!("Access, faster");
    let care = monthly("CARE", "3.10");
    let known = versions(&[
        (day("2026-03-01"), vec![monthly("MRC", "31")]),
        (day("2026-03-16"), vec![renamed, care]),
    ]);
    insta::assert_snapshot!(shown(&charged(&known, &[], days("2026-03-01..2026-04-01"))), @r"
    recurringCharge Fibre, Access | 2026-03-01..2026-04-01 | 31.00 EUR + 5.89 EUR
    recurringCharge Fibre, Access | 2026-03-16..2026-04-01 | 1.60 EUR + 0.30 EUR | 16/31 days
    ");
}

#[test]
fn a_discount_for_the_first_months_counts_from_when_the_product_got_its_price() {
    let mut fast = monthly("FAST", "62");
    fast["productPriceAlteration"] = json!([{ "name": "Half", "priceType": "discount",
        "applicationDuration": 1, "price": { "percentage": 50 } }]);
    let known = versions(&[
        (day("2026-01-10"), vec![monthly("SLOW", "31")]),
        (day("2026-03-10"), vec![fast]),
    ]);
    insta::assert_snapshot!(shown(&charged(&known, &[], days("2026-03-01..2026-05-01"))), @r"
    recurringCharge Fibre, Access | 2026-01-10..2026-02-01 | 22.00 EUR + 4.18 EUR | 22/31 days
    recurringCharge Fibre, Access | 2026-02-01..2026-03-01 | 31.00 EUR + 5.89 EUR
    recurringCharge Fibre, Access | 2026-03-01..2026-03-10 | 9.00 EUR + 1.71 EUR | 9/31 days
    recurringCharge Fibre, Access | 2026-03-10..2026-04-01 | 22.00 EUR + 4.18 EUR | Half, 22/31 days
    recurringCharge Fibre, Access | 2026-04-01..2026-04-10 | 9.30 EUR + 1.77 EUR | Half, 9/30 days
    recurringCharge Fibre, Access | 2026-04-10..2026-05-01 | 43.40 EUR + 8.25 EUR | 21/30 days
    ");
}

/// Prices that a product has from some days on: one of three names, an amount, and the days to the
/// next change.
fn changes() -> impl Strategy<Value = Vec<(usize, i64, i64)>> {
    prop::collection::vec((0..3_usize, 1..9_000_i64, 0..40_i64), 1..6)
}

proptest! {
    #[test]
    fn whatever_the_price_was_when_the_days_are_paid_once_and_the_books_balance(
        changes in changes(),
        runs in prop::collection::vec((1..50_i64, 0..60_i64), 1..6),
    ) {
        let mut from = day("2026-01-05");
        let mut eras: Vec<(Day, Vec<Value>)> = Vec::new();
        let mut amounts: Vec<(Day, Decimal)> = Vec::new();
        for (name, cents, wait) in changes {
            let amount = Decimal::new(cents, 2);
            eras.push((from, vec![monthly(["A", "B", "C"][name], &amount.to_string())]));
            amounts.push((from, amount));
            from = from.plus_days(wait);
        }
        let all = versions(&eras);
        // Each run knows the changes up to its own day, and charges some days ahead.
        let mut rates: Vec<Rate> = Vec::new();
        let (mut begin, mut today) = (day("2026-01-01"), day("2026-01-01"));
        for (wait, ahead) in runs {
            today = today.plus_days(wait);
            let known: Vec<_> = all.iter().filter(|(at, _)| *at < start(today)).cloned().collect();
            if known.is_empty() {
                continue;
            }
            let until = today.plus_days(ahead);
            let timeline = Timeline::of_versions(&tests::versions(&known), Zone::UTC).unwrap();
            let made = due(&known.last().unwrap().1, &timeline, &rates, &Until::all(until), &terms(), start(today));
            rates.extend(made.unwrap());
            begin = begin.max(until);
        }
        let end = begin.max(from).plus_days(1);
        let whole = Days { from: day("2026-01-01"), until: end };
        rates.extend(charged(&all, &rates, Days { from: begin, until: end }));
        prop_assert_eq!(charged(&all, &rates, whole), Vec::<Rate>::new());

        let exact: Decimal = (0..day("2026-01-05").days_until(end)).map(|number| {
            let one = day("2026-01-05").plus_days(number);
            let amount = amounts.iter().rev().find(|(from, _)| *from <= one).unwrap().1;
            amount / Decimal::from(Period::Months(1).around(one, day("2026-01-01")).count())
        }).sum();
        let paid: Decimal = rates.iter().map(|rate| rate.net.amount).sum();
        let lines = Decimal::from(rates.len());
        prop_assert!((paid - exact).abs() <= lines / Decimal::from(200) + Decimal::new(1, 9), "{} {}", paid, exact);
        let mut books = Ledger::default();
        for rate in &rates {
            books.post(Entry::of_rate(rate).unwrap());
        }
        for (_, difference) in books.difference() {
            prop_assert_eq!(difference, Decimal::ZERO);
        }
    }
}

#[test]
fn a_charge_of_a_price_that_the_product_never_had_stays() {
    let known = versions(&[(day("2026-03-01"), vec![monthly("MRC", "31")])]);
    let march = days("2026-03-01..2026-04-01");
    let made = charged(&known, &[], march);
    let other = Rate { id: "x".into(), price: Some("BY-RATER".into()), ..made[0].clone() };
    let rates = [made[0].clone(), other];
    assert_eq!(charged(&known, &rates, march), []);
}
