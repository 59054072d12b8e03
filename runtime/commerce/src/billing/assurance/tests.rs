use serde_json::{Value, json};

use super::*;
use crate::billing::charge::Until;
use crate::billing::tests::{
    at, day, days, due, one_off, product, read, recurring, terms, timeline,
};

fn found(products: &[(Value, Timeline)], rates: &[Rate], until: &str) -> String {
    let products: Vec<(Product, &Timeline)> =
        products.iter().map(|(product, timeline)| (read(product), timeline)).collect();
    let products: Vec<_> =
        products.iter().map(|(product, timeline)| (product, *timeline)).collect();
    let findings = compare(&products, rates, day(until), &terms()).unwrap();
    let lines = findings.iter().map(|finding| {
        let Finding { kind, product, price, days, net } = finding;
        format!("{} {product} {price} {days} {net}", kind.as_str())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn fibre(status: &str, history: &str) -> (Value, Timeline) {
    let prices = json!([recurring("31", "month"), one_off("49.90"), recurring("365", "year")]);
    let mut fibre = product(status, "2026-03-10", &prices);
    fibre["productPrice"][2]["name"] = json!("Router");
    let timeline = timeline(&fibre, history);
    (fibre, timeline)
}

fn charged(product: &(Value, Timeline), period: &str) -> Vec<Rate> {
    due(
        &product.0,
        &product.1,
        &[],
        &Until::all(days(period).until),
        &terms(),
        at("2026-04-01T00:00:00Z"),
    )
    .unwrap()
}

#[test]
fn active_and_not_charged_is_found_and_charged_is_not() {
    let active = [fibre("active", "")];
    let march = charged(&active[0], "2026-03-01..2026-04-01");
    let text = [
        found(&active, &[], "2026-04-01"),
        found(&active, &march, "2026-04-01"),
        found(&active, &march, "2026-05-01"),
    ];
    insta::assert_snapshot!(text.join("\n--\n"), @r"
    activeNotBilled prod-1 Access 2026-03-10..2026-04-01 22.00 EUR
    activeNotBilled prod-1 Router 2026-03-10..2026-04-01 22.00 EUR
    activeNotBilled prod-1 Setup 2026-03-10..2026-03-11 49.90 EUR
    --

    --
    activeNotBilled prod-1 Access 2026-04-01..2026-05-01 31.00 EUR
    ");
}

#[test]
fn charged_and_not_active_is_found() {
    let march = charged(&fibre("active", ""), "2026-03-01..2026-04-01");
    let ended = fibre("terminated", "2026-03-10 active, 2026-03-20 terminated");
    insta::assert_snapshot!(found(&[ended], &march, "2026-04-01"), @r"
    billedNotActive prod-1 Access 2026-03-20..2026-04-01 -12.00 EUR
    billedNotActive prod-1 Router 2026-03-20..2027-03-01 -346.00 EUR
    ");
}

#[test]
fn charges_of_unknown_products_are_found() {
    let march = charged(&fibre("active", ""), "2026-03-01..2026-04-01");
    insta::assert_snapshot!(found(&[], &march, "2026-04-01"), @r"
    billedNotActive prod-1 Access 2026-03-10..2026-04-01 -22.00 EUR
    billedNotActive prod-1 Router 2026-03-10..2027-03-01 -356.00 EUR
    ");
}

#[test]
fn a_product_that_is_neither_active_nor_charged_is_fine() {
    for status in ["created", "pendingActive", "suspended", "cancelled"] {
        assert_eq!(found(&[fibre(status, "")], &[], "2026-04-01"), "", "{status}");
    }
}
