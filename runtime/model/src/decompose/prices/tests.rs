use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::*;
use crate::id::SpecId;
use tmf::money::{Currency, Money, PriceKind};

fn charge(price: &str, amount: i64) -> Charge {
    Charge {
        price: price.into(),
        name: price.into(),
        kind: PriceKind::Recurring,
        period: Some(tmf::period::Period::Months(1)),
        unit: None,
        tier: None,
        list: Money { currency: Currency::parse("EUR").unwrap(), amount: Decimal::from(amount) },
        alterations: Vec::new(),
        taxes: Vec::new(),
        includes_tax: false,
    }
}

/// A price of a product: the id of the catalog's, where it has one, and the amount.
fn entry(price: &str, amount: i64) -> Value {
    let mut entry = json!({ "price": { "dutyFreeAmount": { "unit": "EUR", "value": amount } } });
    if !price.is_empty() {
        entry["productOfferingPrice"] = json!({ "id": price });
    }
    entry
}

/// The prices that a document of a product has afterwards.
fn changed_values(
    document: &Value,
    item: &Item,
    is_agreed: bool,
    charges: (&[Charge], &[Charge]),
) -> Option<Vec<Value>> {
    let own: Priced = document::read(document).unwrap();
    let prices = changed(&own.product_price, item, is_agreed, charges)?;
    Some(prices.iter().map(document::write).collect())
}

fn item(quantity: u32, prices: &[Charge]) -> Item {
    let prices = prices.iter().map(|price| price.billed(None)).collect();
    Item { quantity, prices, ..Item::new(Level::Product, SpecId::new("P"), "1") }
}

/// The ids and amounts that a product has afterwards; `None` if its prices stay.
fn priced(own: &[Value], was: &[Charge], now: &[Charge]) -> Option<String> {
    let document = json!({ "productPrice": own });
    let prices = changed_values(&document, &item(2, now), false, (was, now))?;
    let shown = prices.iter().map(|price| {
        let id = price.pointer("/productOfferingPrice/id").and_then(Value::as_str);
        format!("{} {}", id.unwrap_or("-"), price["price"]["dutyFreeAmount"]["value"])
    });
    Some(shown.collect::<Vec<_>>().join(", "))
}

#[test]
fn prices_that_do_not_depend_on_what_changes_stay() {
    let listed = [charge("A", 10)];
    for own in [entry("A", 20), entry("A", 7), entry("", 3)] {
        assert_eq!(priced(&[own], &listed, &listed), None);
    }
}

#[test]
fn prices_that_depend_on_what_changes_come_and_go() {
    let (was, now) = ([charge("A", 10), charge("B", 1)], [charge("A", 10), charge("C", 2)]);
    let own = [entry("A", 7), entry("B", 2), entry("", 3)];
    assert_eq!(priced(&own, &was, &now).unwrap(), "A 7, - 3, C 4");
    // One that was taken away by hand stays away.
    assert_eq!(priced(&own[1..2], &was, &now).unwrap(), "C 4");
}

#[test]
fn a_price_that_changes_keeps_what_was_agreed() {
    let (was, now) = ([charge("A", 10)], [charge("A", 15)]);
    assert_eq!(priced(&[entry("A", 20)], &was, &now).unwrap(), "A 30");
    assert_eq!(priced(&[entry("A", 7)], &was, &now), None);
}

#[test]
fn agreed_prices_replace_recurring_prices() {
    let listed = [charge("A", 10)];
    let mut once = entry("NRC", 49);
    once["priceType"] = json!("oneTime");
    let document = json!({ "productPrice": [entry("A", 7), entry("", 3), once] });
    let prices =
        changed_values(&document, &item(1, &[charge("A", 5)]), true, (&listed, &listed)).unwrap();
    // What was charged once stays with the product.
    assert_eq!((prices.len(), &prices[1]), (2, &once));
    assert_eq!(prices[0]["price"]["dutyFreeAmount"]["value"], json!(5));
}

#[test]
fn a_discount_that_was_agreed_moves_with_its_price_and_does_not_begin_anew() {
    let with_welcome = |amount: i64, less: i64| {
        let mut charge = charge("A", amount);
        charge.alterations.push(crate::pricing::charge::Alteration {
            price: "WELCOME".into(),
            name: "Welcome".into(),
            percentage: None,
            change: Decimal::from(-less),
            lasts: Some(tmf::period::Term { periods: 3, each: None }),
            priority: 0,
        });
        charge
    };
    let (was, now) = ([with_welcome(10, 5)], [with_welcome(16, 8)]);
    let own = tmf::document::write(&product_price(&was[0].billed(Some("Q-1")), 2));
    let mut plain = own.clone();
    plain.as_object_mut().unwrap().remove("productPriceAlteration");
    let moved = |own: &Value| {
        let document = json!({ "productPrice": [own] });
        changed_values(&document, &item(2, &now), false, (&was, &now)).unwrap().remove(0)
    };
    let kept = moved(&own);
    assert_eq!(kept["price"]["dutyFreeAmount"]["value"], json!(32));
    let altered = kept["productPriceAlteration"].as_array().unwrap();
    assert_eq!(altered.len(), 1, "{kept}");
    assert_eq!(altered[0]["price"]["dutyFreeAmount"]["value"], json!(-16));
    assert_eq!(altered[0]["quote"], own["productPriceAlteration"][0]["quote"]);
    assert_eq!(altered[0]["quote"]["id"], "Q-1");
    // One that was taken away by hand stays away.
    assert_eq!(moved(&plain).get("productPriceAlteration"), None);
}

#[test]
fn a_price_that_moves_keeps_what_the_product_has_beside_it() {
    let (was, now) = ([charge("A", 10)], [charge("A", 15)]);
    let by_hand = json!({ "name": "sorry", "priceType": "discount",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1 } } });
    let mut own = tmf::document::write(&product_price(&was[0].billed(None), 2));
    own["billingAccount"] = json!({ "id": "BOSS" });
    own["tariff"] = json!({ "usageSpecification": "VOICE" });
    own["price"]["taxRate"] = json!(7);
    own["productPriceAlteration"] = json!([by_hand]);
    let document = json!({ "productPrice": [own] });
    let prices = changed_values(&document, &item(2, &now), false, (&was, &now)).unwrap();
    let mut expected = own.clone();
    expected["price"]["dutyFreeAmount"]["value"] = json!(30);
    assert_eq!(prices, [expected]);
    // Prices that a quote agrees are paid by the one who paid them.
    let agreed = changed_values(&document, &item(2, &now), true, (&was, &now)).unwrap();
    assert_eq!(agreed[0]["billingAccount"]["id"], "BOSS");
}
