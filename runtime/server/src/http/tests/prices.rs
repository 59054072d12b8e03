//! Prices that cannot be billed are refused where they are written, by attribute, and change
//! nothing.

use serde_json::{Value, json};

use super::bench::Bench;

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const PRICE: &str = "/tmf-api/productCatalogManagement/v4/productOfferingPrice";

/// Attributes at their paths, put over a document.
fn with(mut document: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (holder, name) = pointer.rsplit_once('/').unwrap();
        let holder = document.pointer_mut(holder).unwrap();
        if value.is_null() {
            holder.as_object_mut().unwrap().remove(name);
        } else {
            holder[name] = value.clone();
        }
    }
    document
}

fn product() -> Value {
    json!({
        "name": "Line", "status": "active", "startDate": "2026-03-01T00:00:00Z",
        "billingAccount": { "id": "acc-1" },
        "productPrice": [{
            "name": "Fee", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 30.5 }, "taxRate": 19 },
            "productPriceAlteration": [{
                "name": "Welcome", "priceType": "discount", "applicationDuration": 3,
                "price": { "dutyFreeAmount": { "unit": "EUR", "value": 5 } },
            }],
        }],
    })
}

/// What is wrong, and the attribute that is told. Paths begin at the price.
fn bad_product_prices() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "/productPriceAlteration",
            json!([{
                "name": "less", "priceType": "discount", "recurringChargePeriod": "week",
                "price": { "percentage": 10 },
            }]),
            "productPriceAlteration[0].recurringChargePeriod",
        ),
        ("/priceType", json!("discount"), "priceType"),
        ("/priceType", json!("monthly"), "priceType"),
        ("/priceType", Value::Null, "priceType"),
        ("/recurringChargePeriod", json!("fortnight"), "recurringChargePeriod"),
        ("/recurringChargePeriod", Value::Null, "recurringChargePeriod"),
        ("/recurringChargePeriod", json!("0 month"), "recurringChargePeriod"),
        ("/recurringChargePeriodLength", json!(0), "recurringChargePeriodLength"),
        ("/recurringChargePeriodLength", json!(1201), "recurringChargePeriodLength"),
        ("/price", Value::Null, "price"),
        ("/price", json!({ "percentage": 10 }), "price.dutyFreeAmount"),
        ("/price/percentage", json!(10), "price.percentage"),
        ("/price/dutyFreeAmount/unit", json!("eur"), "price.dutyFreeAmount"),
        ("/price/dutyFreeAmount/unit", json!("EUX"), "price.dutyFreeAmount.unit"),
        ("/price/dutyFreeAmount/value", json!(-1), "price.dutyFreeAmount.value"),
        ("/price/dutyFreeAmount/value", json!(0.001), "price.dutyFreeAmount.value"),
        (
            "/price/dutyFreeAmount",
            json!({ "unit": "JPY", "value": 0.5 }),
            "price.dutyFreeAmount.value",
        ),
        ("/price/dutyFreeAmount/value", json!(1e13), "price.dutyFreeAmount"),
        ("/price/taxRate", json!(-1), "price.taxRate"),
        ("/price/taxRate", json!(1001), "price.taxRate"),
        (
            "/price",
            json!({ "taxIncludedAmount": { "unit": "EUR", "value": 9.99 } }),
            "price.dutyFreeAmount",
        ),
        ("/tax", json!([{ "taxCategory": "VAT" }]), "tax[0].taxRate"),
        ("/tax", json!([{ "taxCategory": "VAT", "taxRate": -7 }]), "tax[0].taxRate"),
        (
            "/productPriceAlteration/0/applicationDuration",
            json!(0),
            "productPriceAlteration[0].applicationDuration",
        ),
        (
            "/productPriceAlteration/0/recurringChargePeriod",
            json!("soon"),
            "productPriceAlteration[0].recurringChargePeriod",
        ),
        (
            "/productPriceAlteration/0/price",
            json!({ "percentage": 101 }),
            "productPriceAlteration[0].price.percentage",
        ),
        (
            "/productPriceAlteration/0/price/percentage",
            json!(10),
            "productPriceAlteration[0].price",
        ),
        (
            "/productPriceAlteration/0/price/dutyFreeAmount/unit",
            json!("USD"),
            "productPriceAlteration[0].price",
        ),
        (
            "/productPriceAlteration/0/price/dutyFreeAmount/value",
            json!(0.005),
            "productPriceAlteration[0].price.dutyFreeAmount.value",
        ),
    ]
}

#[tokio::test]
async fn a_product_has_no_price_that_cannot_be_billed() {
    let bench = Bench::new();
    let sold = bench.post(PRODUCT, &product()).await;
    assert_eq!(sold.status, 201, "{}", sold.text);
    let place = format!("{PRODUCT}/{}", sold.body["id"].as_str().unwrap());
    for (pointer, value, attribute) in bad_product_prices() {
        let told = format!("{pointer} {value}");
        let at = format!("/productPrice/0{pointer}");
        // An alteration of the price is in its currency, and would be wrong as well.
        let alone = ("/productPrice/0/productPriceAlteration", Value::Null);
        let is_currency = pointer.starts_with("/price/dutyFreeAmount");
        let good = with(product(), if is_currency { std::slice::from_ref(&alone) } else { &[] });
        let wrong = with(good, &[(&at, value)]);
        let refused = bench.post(PRODUCT, &wrong).await;
        let path = format!("productPrice[0].{attribute}");
        assert_eq!(refused.status.as_u16() / 100, 4, "{told}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], json!(path), "{told}: {}", refused.text);
        let prices = json!({ "productPrice": wrong["productPrice"] });
        let refused = bench.patch(&place, &prices).await;
        assert_eq!(refused.status.as_u16() / 100, 4, "{told}: {}", refused.text);
    }
    assert_eq!(bench.get(&place).await.body["productPrice"], sold.body["productPrice"]);
    assert_eq!(bench.get(&format!("{PRODUCT}?limit=9")).await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_price_is_written_as_it_was_read() {
    let bench = Bench::new();
    let table: Vec<Vec<(&str, Value)>> = vec![
        vec![],
        vec![("/recurringChargePeriod", json!("3 months"))],
        vec![
            ("/recurringChargePeriodType", json!("week")),
            ("/recurringChargePeriodLength", json!(2)),
        ],
        vec![(
            "/price",
            json!({ "taxIncludedAmount": { "unit": "EUR", "value": 9.99 }, "taxRate": 19 }),
        )],
        vec![("/price/dutyFreeAmount", json!({ "unit": "EUR", "value": 0 }))],
        vec![("/productPriceAlteration/0/priceType", json!("surcharge"))],
        vec![("/productPriceAlteration/0/price", json!({ "percentage": 12.5 }))],
        vec![("/productPriceAlteration/0/recurringChargePeriod", json!("week"))],
        vec![(
            "/tax",
            json!([{ "taxCategory": "GST", "taxRate": 5 }, { "taxCategory": "PST", "taxRate": 7 }]),
        )],
    ];
    for changes in table {
        let changes = changes.into_iter();
        let changes: Vec<(String, Value)> =
            changes.map(|(at, value)| (format!("/productPrice/0{at}"), value)).collect();
        let changes: Vec<(&str, Value)> =
            changes.iter().map(|(at, value)| (at.as_str(), value.clone())).collect();
        let sold = bench.post(PRODUCT, &with(product(), &changes)).await;
        assert_eq!(sold.status, 201, "{changes:?}: {}", sold.text);
        let place = format!("{PRODUCT}/{}", sold.body["id"].as_str().unwrap());
        let again = json!({ "description": "x", "productPrice": sold.body["productPrice"] });
        let patched = bench.patch(&place, &again).await;
        assert_eq!(patched.body["productPrice"], sold.body["productPrice"], "{}", patched.text);
    }
}

fn listed() -> Value {
    json!({
        "name": "Fee", "lifecycleStatus": "Active", "priceType": "recurring",
        "recurringChargePeriodType": "month", "price": { "unit": "EUR", "value": 30 },
    })
}

fn discount() -> Value {
    json!({
        "name": "Welcome", "lifecycleStatus": "Active", "priceType": "discount",
        "applicationDuration": 3, "percentage": 20,
    })
}

#[tokio::test]
async fn a_catalog_has_no_price_that_cannot_be_billed() {
    let bench = Bench::new();
    let table = [
        (listed(), "/priceType", json!("penalty"), "priceType"),
        (listed(), "/recurringChargePeriodType", json!("fortnight"), "recurringChargePeriodType"),
        (listed(), "/recurringChargePeriodType", Value::Null, "recurringChargePeriodType"),
        (listed(), "/recurringChargePeriodLength", json!(0), "recurringChargePeriodLength"),
        (listed(), "/price/unit", json!("EUX"), "price.unit"),
        (listed(), "/price/value", json!(-5), "price.value"),
        (listed(), "/price/value", json!(5.001), "price.value"),
        (listed(), "/percentage", json!(5), "percentage"),
        (listed(), "/applicationDuration", json!(3), "applicationDuration"),
        (listed(), "/tax", json!([{ "taxCategory": "VAT", "taxRate": -1 }]), "tax"),
        (discount(), "/applicationDuration", json!(0), "applicationDuration"),
        (discount(), "/percentage", json!(101), "percentage"),
        (discount(), "/price", json!({ "unit": "EUR", "value": 1 }), "percentage"),
        (
            with(discount(), &[("/applicationDuration", Value::Null)]),
            "/productOfferingTerm",
            json!([{ "name": "3 months" }]),
            "productOfferingTerm.duration",
        ),
        (
            with(discount(), &[("/applicationDuration", Value::Null)]),
            "/productOfferingTerm",
            json!([{ "name": "x", "duration": { "amount": 3, "units": "moons" } }]),
            "productOfferingTerm.duration.units",
        ),
    ];
    for (good, pointer, value, attribute) in table {
        let told = format!("{pointer} {value}");
        let made = bench.post(PRICE, &good).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let wrong = with(good, &[(pointer, value)]);
        let refused = bench.post(PRICE, &wrong).await;
        assert_eq!(refused.status, 422, "{told}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], json!(attribute), "{told}");
        // A draft may be unfinished.
        let draft = with(wrong, &[("/lifecycleStatus", json!("In Study"))]);
        let draft = bench.post(PRICE, &draft).await;
        assert_eq!(draft.status, 201, "{told}: {}", draft.text);
        let place = format!("{PRICE}/{}", draft.body["id"].as_str().unwrap());
        for status in ["In Design", "In Test"] {
            let moved = bench.patch(&place, &json!({ "lifecycleStatus": status })).await;
            assert!(moved.status == 200 || moved.status == 422, "{}", moved.text);
        }
        let launched = bench.patch(&place, &json!({ "lifecycleStatus": "Active" })).await;
        assert_eq!(launched.status, 422, "{told}: {}", launched.text);
    }
}
