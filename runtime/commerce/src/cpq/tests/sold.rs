//! A product costs its quoted price on each of its days.

use super::*;
use crate::billing::terms::Terms;
use model::documents::product_price;
use model::pricing::product_price::ProductPrice;
use tmf::day::Day;
use tmf::document::product::Product;
use tmf::money::{PriceKind, number};

/// The prices of the products of a quote on some days, a line for each recurring price: its period,
/// its amounts, its taxes.
fn costs(catalog: &Value, text: &str, days: &[&str]) -> String {
    let quote = create(&items(Form::Quote, text), &rulebook(catalog), &Policy::default(), NOW);
    let quote = quote.unwrap();
    let mut lines = Vec::new();
    let mut open = vec![&quote];
    while let Some(holder) = open.pop() {
        for item in holder["quoteItem"].as_array().into_iter().flatten() {
            for entry in item["quoteItemPrice"].as_array().into_iter().flatten() {
                lines.extend(cost(entry, days));
            }
            open.push(item);
        }
    }
    lines.sort();
    lines.join("\n")
}

fn product(price: &model::pricing::sold::Price, quantity: u32) -> Product {
    let prices = [product_price(price, quantity)];
    tmf::document::read(&json!({ "id": "prod-1", "productPrice": prices })).unwrap()
}

fn cost(entry: &Value, days: &[&str]) -> Option<String> {
    let charge = Charge::read(&tmf::document::read(entry).unwrap()).unwrap();
    if charge.kind != PriceKind::Recurring {
        return None;
    }
    let product = product(&charge.billed(Some("Q")), 1);
    let price = ProductPrice::all(&product).unwrap().remove(0);
    let begin = Day::parse("2026-03-01").unwrap();
    let amounts = days.iter().map(|day| {
        let (amount, _) = price.on(Day::parse(day).unwrap(), begin);
        number(amount).to_string()
    });
    let amounts: Vec<String> = amounts.collect();
    let taxes = Terms::default().taxes_on(&price);
    let taxes: Vec<String> =
        taxes.iter().map(|tax| format!("{} {}", tax.category, tax.rate)).collect();
    let period = price.period.unwrap();
    Some(format!("{} {period}: {}; {}", price.name, amounts.join(" "), taxes.join(", ")))
}

/// The catalog with some attributes of a price.
fn with(price: &str, attributes: &Value) -> Value {
    let mut file = catalog();
    let prices = file["productOfferingPrice"].as_array_mut().unwrap();
    let own = prices.iter_mut().find(|own| own["id"] == price).unwrap();
    for (name, value) in attributes.as_object().unwrap() {
        own[name] = value.clone();
    }
    file
}

const DAYS: [&str; 4] = ["2026-03-01", "2026-05-31", "2026-06-01", "2027-03-01"];

#[test]
fn a_discount_of_a_bundle_lasts_as_long_as_it_was_quoted() {
    let file = with("FIVE", &json!({ "applicationDuration": 3 }));
    insta::assert_snapshot!(costs(&file, "1 BUNDLE", &DAYS), @r"
    FIVE month: -5 -5 0 0; VAT 7
    NET-MRC month: 17.99 17.99 35.99 35.99; VAT 7
    VOICE-MRC month: 9 9 9 9; VAT 19
    ");
}

#[test]
fn a_discount_of_a_bundle_for_good_has_the_tax_of_what_it_is_a_discount_on() {
    insta::assert_snapshot!(costs(&catalog(), "1 BUNDLE", &DAYS), @r"
    FIVE month: -5 -5 -5 -5; VAT 7
    NET-MRC month: 17.99 17.99 35.99 35.99; VAT 7
    VOICE-MRC month: 9 9 9 9; VAT 19
    ");
}

#[test]
fn a_term_is_in_its_own_units_whatever_the_period_of_the_price() {
    let mut lines = Vec::new();
    for welcome in [
        json!({ "applicationDuration": 3 }),
        json!({ "applicationDuration": 3, "recurringChargePeriodType": "month" }),
        json!({ "applicationDuration": 1, "recurringChargePeriodType": "quarter" }),
        json!({ "applicationDuration": null,
            "productOfferingTerm": [{ "duration": { "amount": 3, "units": "months" } }] }),
        json!({ "applicationDuration": null, "productOfferingTerm": [{ "duration": { "amount": 3 } }] }),
    ] {
        let mut file = with("WELCOME", &welcome);
        let prices = file["productOfferingPrice"].as_array_mut().unwrap();
        prices[0]["recurringChargePeriodType"] = json!("year");
        lines.push(costs(&file, "1 NET", &DAYS));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    NET-MRC year: 19.99 19.99 19.99 19.99; VAT 7
    NET-MRC year: 19.99 19.99 39.99 39.99; VAT 7
    NET-MRC year: 19.99 19.99 39.99 39.99; VAT 7
    NET-MRC year: 19.99 19.99 39.99 39.99; VAT 7
    NET-MRC year: 19.99 19.99 19.99 19.99; VAT 7
    ");
}

#[test]
fn a_price_may_be_for_any_number_of_units() {
    let mut lines = Vec::new();
    for (unit, length) in [("month", 3), ("week", 2), ("quarter", 1), ("day", 10), ("year", 2)] {
        let period = json!({
            "recurringChargePeriodType": unit, "recurringChargePeriodLength": length,
        });
        let file = with("VOICE-MRC", &period);
        lines.push(costs(&file, "1 VOICE", &DAYS[..1]));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    VOICE-MRC 3 month: 10; VAT 19
    VOICE-MRC 2 week: 10; VAT 19
    VOICE-MRC 3 month: 10; VAT 19
    VOICE-MRC 10 day: 10; VAT 19
    VOICE-MRC 2 year: 10; VAT 19
    ");
}

#[test]
fn a_surcharge_raises_the_price_while_it_lasts() {
    let mut file = with("WELCOME", &json!({ "priceType": "surcharge", "percentage": 10 }));
    file["productOfferingPrice"][0]["popRelationship"][0]["relationshipType"] = json!("surcharge");
    insta::assert_snapshot!(costs(&file, "1 NET", &DAYS), @"NET-MRC month: 43.99 43.99 39.99 39.99; VAT 7");
}

/// The prices of a product that was sold with prices of another system, a line each; then the warnings
/// about those that cannot be read.
fn elsewhere(entries: &Value) -> String {
    let order = json!({
        "productOrderItem": [{
            "id": "1", "action": "add", "productOffering": { "id": "NET" },
            "quoteItem": { "id": "9", "quoteId": "CPQ-1", "quoteHref": "https://cpq.example/quote/1" },
            "itemPrice": entries,
        }],
    });
    let read = Order::parse(model::plan::Level::Product, &order).unwrap();
    let agreed = read.lines[0].agreed.clone().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for price in &agreed {
        let product = product(price, 2);
        model::pricing::product_price::check(&product).unwrap();
        let price = ProductPrice::all(&product).unwrap().remove(0);
        let day = Day::parse("2026-03-01").unwrap();
        let with_tax = if price.includes_tax { " with tax" } else { "" };
        let amount = number(price.on(day, day).0);
        lines.push(format!("{} {amount} {}{with_tax}", price.name, price.amount.currency));
    }
    lines.extend(unread(&typed(&order)));
    lines.join("\n")
}

#[test]
fn prices_of_a_quote_from_elsewhere_are_billed_as_far_as_they_can_be_read() {
    let euro = |value: f64| json!({ "unit": "EUR", "value": value });
    insta::assert_snapshot!(elsewhere(&json!([
        { "name": "Fee", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": euro(42.0), "taxRate": 19 } },
        { "name": "Gross", "priceType": "oneTime",
            "price": { "taxIncludedAmount": euro(9.99), "taxRate": 19 },
            "priceAlteration": [{ "name": "less", "price": { "taxIncludedAmount": euro(-1.0) } }] },
        { "name": "Box", "priceType": "nonRecurring", "price": { "dutyFreeAmount": euro(5.0) } },
        { "name": "Never", "priceType": "recurring", "price": { "dutyFreeAmount": euro(5.0) } },
        { "name": "Fine", "priceType": "oneTime", "price": { "dutyFreeAmount": euro(0.005) } },
        { "name": "Less", "priceType": "oneTime", "price": { "dutyFreeAmount": euro(-5.0) } },
        { "name": "Where", "priceType": "oneTime",
            "price": { "dutyFreeAmount": { "unit": "EUX", "value": 1 } } },
        { "name": "Gross", "priceType": "oneTime", "price": { "taxIncludedAmount": euro(5.0) } },
    ])), @r"
    Fee 84 EUR
    Gross 17.98 EUR with tax
    `productOrderItem[0].itemPrice[2].priceType` is one of `oneTime`, `recurring`, `usage`: this price is kept and not billed
    `productOrderItem[0].itemPrice[3].recurringChargePeriod` is missing: this price is kept and not billed
    `productOrderItem[0].itemPrice[4].price.dutyFreeAmount` has more decimals than its currency: this price is kept and not billed
    `productOrderItem[0].itemPrice[5].price.dutyFreeAmount` is below zero: this price is kept and not billed
    `productOrderItem[0].itemPrice[6].price.dutyFreeAmount` is an amount below 10^12: `unit` (a currency of ISO 4217) and `value` (a number): this price is kept and not billed
    `productOrderItem[0].itemPrice[7].price.dutyFreeAmount` is an amount below 10^12: `unit` (a currency of ISO 4217) and `value` (a number): this price is kept and not billed
    ");
    // If none can be read, the catalog's count.
    let none = elsewhere(&json!([{ "priceType": "monthly" }]));
    assert_eq!(none.lines().count(), 1, "{none}");
}

#[test]
fn a_quote_is_from_elsewhere_if_the_order_tells_its_prices_or_where_it_is() {
    let told = |order: Value| is_from_elsewhere(&typed(&order), "Q");
    let item = |more: Value| {
        let mut item = json!({ "id": "1", "quoteItem": { "quoteId": "Q" } });
        for (name, value) in more.as_object().unwrap() {
            item[name] = value.clone();
        }
        json!({ "productOrderItem": [{ "id": "0", "productOrderItem": [item] }] })
    };
    assert!(!told(item(json!({}))));
    assert!(!told(item(json!({ "itemPrice": [] }))));
    assert!(told(item(json!({ "itemPrice": [{ "priceType": "nonRecurring" }] }))));
    let at = |href: &str| json!({ "quoteItem": { "quoteId": "Q", "quoteHref": href } });
    assert!(told(item(at("https://cpq.example/quote/Q"))));
    assert!(!told(item(at("/tmf-api/quoteManagement/v4/quote/Q"))));
    let whole = |quote: Value| json!({ "quote": [quote], "productOrderItem": [{ "id": "1" }] });
    assert!(!told(whole(json!({ "id": "Q" }))));
    assert!(told(whole(json!({ "id": "Q", "href": "https://cpq.example/quote/Q" }))));
    assert!(!told(whole(json!({ "id": "R", "href": "https://cpq.example/quote/R" }))));
    let mut priced = whole(json!({ "id": "Q" }));
    priced["productOrderItem"][0]["itemPrice"] = json!([{ "priceType": "recurring" }]);
    assert!(told(priced));
}
