use serde_json::{Value, json};

use super::*;
use crate::pricing::tests::{at, decimal};

fn read(line: &Value) -> (product::ProductPrice, ProductPrice) {
    let product = json!({ "id": "prod-1", "productPrice": [line] });
    let product = tmf::document::read(&product).unwrap();
    let price = ProductPrice::all(&product).unwrap().remove(0);
    (product.prices().unwrap().remove(0).1.clone(), price)
}

fn priced(tariff: &Value) -> Result<Option<Tariff>, Malformed> {
    let line = json!({
        "name": "Calls", "priceType": "usage", "productOfferingPrice": { "id": "pop-calls" },
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.09 } },
        "tariff": tariff,
    });
    let (document, price) = read(&line);
    Tariff::of(&document, &price, None)
}

fn calls() -> Value {
    json!({
        "usageSpecification": "VOICE", "quantity": "duration", "roundTo": 60, "per": 60,
        "allowance": 600,
        "tiers": [{ "upTo": 6000, "price": 0.09 }, { "price": "0.05" }],
        "bands": [{ "name": "night", "from": "20:00", "until": "06:00", "percent": 50, "days": [6, 7] }],
    })
}

#[test]
fn a_rater_gets_the_usage_and_the_tariff_as_attributes() {
    let line = json!({
        "name": "Calls", "priceType": "usage",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.09 } },
    });
    let (_, price) = read(&line);
    let tariff = priced(&calls()).unwrap().unwrap();
    let measure = Measure {
        quantity: decimal("61"),
        at: at("2026-03-14T20:30:00Z"),
        used: decimal("540"),
        zone: Zone::UTC,
    };
    let input = tariff.rating_input(&price, &[], decimal("19"), &measure);
    insta::assert_snapshot!(serde_json::to_string_pretty(&tmf::document::write(&input)).unwrap(), @r#"
    {
      "billDay": 0,
      "prices": [
        {
          "amount": {
            "amount": "0.09",
            "currency": "EUR"
          },
          "attributes": {
            "allowance-left": "60",
            "bands": "[{\"days\":[6,7],\"from\":\"20:00\",\"name\":\"night\",\"percent\":\"50\",\"until\":\"06:00\"}]",
            "per": "60",
            "round-to": "60",
            "tiers": "[{\"price\":\"0.09\",\"upTo\":\"6000\"},{\"price\":\"0.05\"}]",
            "time": "20:30",
            "units": "61",
            "units-before": "0",
            "weekday": "6"
          },
          "id": "Calls",
          "kind": "usage",
          "name": "Calls"
        }
      ],
      "quantity": 1,
      "start": "2026-03-14",
      "taxRate": "19"
    }
    "#);
}

#[test]
fn the_first_usage_takes_the_allowance_and_then_fills_the_tiers() {
    let tariff = priced(&calls()).unwrap().unwrap();
    let at = |used| {
        let measure = Measure {
            quantity: decimal("1"),
            at: Timestamp(0),
            used: decimal(used),
            zone: Zone::UTC,
        };
        let told = tariff.attributes(&measure, &tariff.tiers);
        format!("{} left, {} before", told["allowance-left"], told["units-before"]).replace('"', "")
    };
    assert_eq!(at("0"), "600 left, 0 before");
    assert_eq!(at("540"), "60 left, 0 before");
    assert_eq!(at("600"), "0 left, 0 before");
    assert_eq!(at("960"), "0 left, 360 before");
}

#[test]
fn the_catalog_may_hold_the_tariff() {
    let line = json!({
        "name": "Calls", "priceType": "usage", "productOfferingPrice": { "id": "pop-calls" },
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.09 } },
    });
    let (line, price) = read(&line);
    let offered = tmf::document::read(&json!({ "tariff": calls() })).unwrap();
    assert!(Tariff::of(&line, &price, Some(&offered)).unwrap().is_some());
    assert_eq!(Tariff::of(&line, &price, None), Ok(None));
}

#[test]
fn malformed_tariffs_are_rejected_with_their_path() {
    let error = |name: &str, value: Value| {
        let mut tariff = calls();
        tariff[name] = value;
        priced(&tariff).unwrap_err().to_string()
    };
    let table = [
        error("usageSpecification", Value::Null),
        error("quantity", json!(1)),
        error("roundTo", json!(0)),
        error("per", json!(-60)),
        error("allowance", json!("many")),
        error("tiers", json!([{ "price": 1 }, { "upTo": 1, "price": 1 }])),
        error(
            "tiers",
            json!([{ "upTo": 2, "price": 1 }, { "upTo": 1, "price": 1 }, { "price": 1 }]),
        ),
        error("tiers", json!([{ "upTo": 2, "price": 1 }])),
        error("bands", json!([{ "name": "n", "from": "20", "until": "06:00", "percent": 50 }])),
        error("bands", json!([{ "name": "n", "from": "20:00", "until": "24:01", "percent": 50 }])),
        error("bands", json!([{ "name": "n", "from": "20:00", "until": "24:00" }])),
        error(
            "bands",
            json!([{ "name": "n", "from": "20:00", "until": "24:00", "percent": 1, "days": [8] }]),
        ),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    `tariff.usageSpecification` is missing
    `tariff.quantity` is not a text
    `tariff.roundTo` is not more than zero
    `tariff.per` is not more than zero
    `tariff.allowance` is not a decimal number
    `tariff.tiers[0]` needs `upTo` unless it is the last one, which has none
    `tariff.tiers[1]` ends before it begins
    `tariff.tiers[0]` needs `upTo` unless it is the last one, which has none
    `tariff.bands[0].from` is not a time such as `20:00`
    `tariff.bands[0].until` is not a time such as `20:00`
    `tariff.bands[0].percent` is missing
    `tariff.bands[0].days[0]` is no day of the week, 1 to 7
    ");
}
