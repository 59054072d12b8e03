use serde_json::{Value, json};

use super::*;
use crate::pricing::tests::{day, days};

fn all(price: &Value) -> Result<Vec<ProductPrice>, Malformed> {
    let product = json!({ "id": "prod-1", "productPrice": [price] });
    tmf::document::read(&product).and_then(|product| ProductPrice::all(&product))
}

fn error(price: &Value) -> String {
    all(price).unwrap_err().to_string()
}

fn period(text: &str) -> Period {
    let price = json!({
        "priceType": "recurring", "recurringChargePeriod": text,
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1 } },
    });
    all(&price).unwrap()[0].period.unwrap()
}

#[test]
fn a_price_is_read_as_it_is_told() {
    let price = |value: Value| {
        let price = json!({ "priceType": "oneTime", "name": "Setup", "price": value });
        let price = all(&price).unwrap().remove(0);
        (price.amount.amount.normalize().to_string(), price.includes_tax)
    };
    let euro = |value: f64| json!({ "unit": "EUR", "value": value });
    assert_eq!(price(json!({ "dutyFreeAmount": euro(49.9) })), ("49.9".into(), false));
    let with_tax = json!({ "taxIncludedAmount": euro(119.0), "taxRate": 19 });
    assert_eq!(price(with_tax), ("119".into(), true));
}

#[test]
fn the_period_that_a_day_is_in_is_counted_from_the_anchor() {
    let around = |text, at, anchor| period(text).around(day(at), day(anchor)).to_string();
    assert_eq!(around("month", "2026-03-10", "2026-03-01"), "2026-03-01..2026-04-01");
    // The last day of each month, not the 28th for ever.
    assert_eq!(around("month", "2026-03-30", "2026-01-31"), "2026-02-28..2026-03-31");
    assert_eq!(around("month", "2026-03-31", "2026-01-31"), "2026-03-31..2026-04-30");
    assert_eq!(around("month", "2046-12-05", "2026-01-15"), "2046-11-15..2046-12-15");
    assert_eq!(around("quarterly", "2026-12-31", "2026-03-01"), "2026-12-01..2027-03-01");
    assert_eq!(around("year", "2028-02-29", "2024-02-29"), "2028-02-29..2029-02-28");
    assert_eq!(around("week", "2026-03-22", "2026-03-01"), "2026-03-22..2026-03-29");
    assert_eq!(around("day", "2046-03-22", "2026-03-01"), "2046-03-22..2046-03-23");
    assert!(days("2026-03-01..2026-04-01").holds(day("2026-03-31")));
}

#[test]
fn alterations_follow_each_other_by_priority_and_end() {
    let price = json!({
        "name": "Access", "priceType": "recurring", "recurringChargePeriod": "month",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 100 } },
        "productPriceAlteration": [
            { "name": "loyal", "priceType": "discount", "priority": 2,
              "price": { "dutyFreeAmount": { "unit": "EUR", "value": -5 } } },
            { "name": "welcome", "priceType": "discount", "priority": 1, "applicationDuration": 2,
              "price": { "percentage": 20 } },
        ],
    });
    let price = all(&price).unwrap().remove(0);
    let on = |text| {
        let (amount, names) = price.on(day(text), day("2026-01-31"));
        format!("{} {}", amount.normalize(), names.join(", "))
    };
    assert_eq!(on("2026-01-31"), "75 welcome, loyal");
    assert_eq!(on("2026-03-30"), "75 welcome, loyal");
    assert_eq!(on("2026-03-31"), "95 loyal");
}

#[test]
fn an_alteration_raises_the_price_if_its_type_tells_so() {
    let price = |kind: &str, value: Value| {
        let price = json!({
            "priceType": "oneTime", "price": { "dutyFreeAmount": { "unit": "EUR", "value": 30 } },
            "productPriceAlteration": [{ "priceType": kind, "price": value }],
        });
        let price = all(&price).unwrap().remove(0);
        price.on(day("2026-01-01"), day("2026-01-01")).0.normalize().to_string()
    };
    let euro = |value: i32| json!({ "dutyFreeAmount": { "unit": "EUR", "value": value } });
    let both = |kind: &str| (price(kind, euro(5)), price(kind, json!({ "percentage": 10 })));
    assert_eq!(both("surcharge"), ("35".into(), "33".into()));
    assert_eq!(both("discount"), ("25".into(), "27".into()));
    assert_eq!(both("recurring"), ("25".into(), "27".into()));
    assert_eq!(
        (price("discount", euro(-5)), price("markup", euro(-5))),
        ("25".into(), "35".into())
    );
    assert_eq!(price("surcharge", json!({ "percentage": 200 })), "90");
}

#[test]
fn a_discount_makes_nothing_negative() {
    let price = |value: i32| {
        let price = json!({
            "priceType": "oneTime", "price": { "dutyFreeAmount": { "unit": "EUR", "value": value } },
            "productPriceAlteration": [
                { "priceType": "discount", "price": { "dutyFreeAmount": { "unit": "EUR", "value": 30 } } },
            ],
        });
        let price = all(&price).unwrap().remove(0);
        price.on(day("2026-01-01"), day("2026-01-01")).0.normalize().to_string()
    };
    assert_eq!((price(40).as_str(), price(20).as_str()), ("10", "0"));
}

#[test]
fn malformed_prices_are_rejected_with_their_path() {
    let euro = json!({ "dutyFreeAmount": { "unit": "EUR", "value": 1 } });
    let recurring = |period: Value| json!({ "priceType": "recurring", "recurringChargePeriod": period, "price": euro });
    let table = [
        json!({}),
        json!({ "priceType": "penalty" }),
        json!({ "priceType": "oneTime" }),
        json!({ "priceType": "oneTime", "price": {} }),
        json!({ "priceType": "oneTime", "price": { "dutyFreeAmount": { "unit": "EUR" } } }),
        json!({ "priceType": "oneTime", "price": { "dutyFreeAmount": { "unit": "euro", "value": 1 } } }),
        json!({ "priceType": "oneTime", "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1e13 } } }),
        json!({ "priceType": "oneTime", "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1 }, "taxRate": "x" } }),
        json!({ "priceType": "oneTime", "price": { "taxIncludedAmount": { "unit": "EUR", "value": 1 }, "taxRate": -100 } }),
        json!({ "priceType": "recurring", "price": euro }),
        recurring(json!("fortnight")),
        recurring(json!(1)),
        json!({ "priceType": "oneTime", "price": euro, "productPriceAlteration": {} }),
        json!({ "priceType": "oneTime", "price": euro, "productPriceAlteration": [{ "price": { "percentage": 120 } }] }),
        json!({ "priceType": "oneTime", "price": euro, "productPriceAlteration": [
            { "price": { "dutyFreeAmount": { "unit": "USD", "value": 1 } } },
        ] }),
        json!({ "priceType": "oneTime", "price": euro, "productPriceAlteration": [
            { "price": { "percentage": 10 }, "applicationDuration": -1 },
        ] }),
    ];
    let lines: Vec<_> = table.iter().map(error).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    `productPrice[0].priceType` is missing
    `productPrice[0].priceType` is none of `oneTime`, `recurring`, `usage`
    `productPrice[0].price` is missing
    `productPrice[0].price.dutyFreeAmount` is missing
    `productPrice[0].price.dutyFreeAmount` needs `unit` (a currency) and `value` (a number)
    `productPrice[0].price.dutyFreeAmount` needs `unit` (a currency) and `value` (a number)
    `productPrice[0].price.dutyFreeAmount` is more than a million million
    `productPrice[0].price.taxRate` is not a decimal number
    `productPrice[0].price.taxRate` is not a tax rate from 0 to 1000
    `productPrice[0].recurringChargePeriod` is missing
    `productPrice[0].recurringChargePeriod` is none of `day`, `week`, `month`, `quarter`, `year`, nor a number of them
    `productPrice[0].recurringChargePeriod` is not a text
    `productPrice[0].productPriceAlteration` is not a list
    `productPrice[0].productPriceAlteration[0].price.percentage` is more than the whole price, or than 1000
    `productPrice[0].productPriceAlteration[0].price` is in another currency than the price
    `productPrice[0].productPriceAlteration[0].applicationDuration` is not a whole number
    ");
}
