//! The changes of usage that clients may make.

use super::*;

fn wrong(usage: &Value) -> String {
    check_new(usage, NOW).unwrap_err().attribute
}

#[test]
fn attributes_of_the_server_cannot_be_set_when_usage_comes_in() {
    let plain = call("u1", "2026-03-10T10:00:00Z", 60);
    assert_eq!(check_new(&plain, NOW), Ok(()));
    for state in ["guided", "rated", "rerated", "rejected", "recycled", "billed"] {
        assert_eq!(wrong(&with(&plain, "status", state)), "status");
    }
    let full = rate(&plain, &[]);
    for (name, value) in full["ratedProductUsage"][0].as_object().unwrap() {
        let line = json!([{ "productRef": { "id": "phone-1" }, name: value }]);
        let usage = with(&plain, "ratedProductUsage", line);
        match name.as_str() {
            "productRef" | "@type" => assert_eq!(check_new(&usage, NOW), Ok(()), "{name}"),
            _ => assert_eq!(wrong(&usage), format!("ratedProductUsage[0].{name}")),
        }
    }
    let one = json!({ "productRef": { "id": "phone-1" } });
    assert_eq!(
        wrong(&with(&plain, "ratedProductUsage", json!([one, one]))),
        "ratedProductUsage[1]"
    );
    assert_eq!(wrong(&with(&plain, "rejection", json!({ "code": "MINE" }))), "rejection");
}

#[test]
fn usage_is_of_a_time_that_can_be() {
    let on = |date: &str| check_new(&call("u1", date, 60), NOW).map_err(|wrong| wrong.attribute);
    assert_eq!(NOW.to_string(), "2027-01-15T08:00:00.000Z");
    assert_eq!(on("2027-01-16T08:00:00Z"), Ok(()));
    assert_eq!(on("2027-01-16T08:00:01Z"), Err("usageDate".into()));
    assert_eq!(on("2127-01-16T08:00:00Z"), Err("usageDate".into()));
    assert_eq!(on("2026-02-30T08:00:00Z"), Err("usageDate".into()));
    let twice = json!([{ "name": "n", "value": 1 }, { "name": "n", "value": 2 }]);
    let usage = with(&call("u1", "2026-03-10T10:00:00Z", 60), "usageCharacteristic", twice);
    assert_eq!(wrong(&usage), "usageCharacteristic[1].name");
}

#[test]
fn a_quantity_is_a_number_that_can_be_counted() {
    let products = [phone("phone-1", "+4930123")];
    let of = |value: Value| {
        let mut usage = call("u1", "2026-03-10T10:00:00Z", 60);
        usage["usageCharacteristic"][1]["value"] = value;
        guided_by(&usage, &products).map(|guided| guided.quantity.to_string())
    };
    assert_eq!(of(json!("60")), Ok("60".into()));
    assert_eq!(of(json!(0)), Ok("0".into()));
    assert_eq!(of(json!("0.123456789")), Ok("0.123456789".into()));
    let table = [
        json!(-1),
        json!("-0.5"),
        json!("many"),
        json!(""),
        json!(true),
        json!([1]),
        json!({}),
        Value::Null,
        json!("NaN"),
        json!("1e13"),
        json!(1e300),
        json!("0.1234567891"),
        json!("0.3333333333333333333333333333333333333"),
    ];
    for value in table {
        let rejection = of(value.clone()).unwrap_err();
        assert_eq!(rejection.code(), "MALFORMED", "{value}");
        assert_eq!(rejection.attribute(), "usageCharacteristic[1].value", "{value}");
    }
}

#[test]
fn a_change_of_what_was_rated_rates_again() {
    let before = rate(&call("u1", "2026-03-10T10:00:00Z", 60), &[]);
    let facts = [
        ("usageDate", json!("2026-03-11T10:00:00Z")),
        ("usageSpecification", json!({ "id": "DATA" })),
        ("usageCharacteristic", json!([{ "name": "duration", "value": 30 }])),
        ("ratedProductUsage", json!([{ "productRef": { "id": "phone-2" } }])),
        ("ratedProductUsage", Value::Null),
        ("relatedParty", json!([{ "id": "cust-2" }])),
        ("status", json!("rerated")),
    ];
    for (name, value) in facts {
        let after = with(&before, name, value.clone());
        let usage = followed(&before, &after);
        assert_eq!(usage["status"], "rated", "{name}");
        // A rater that is not at hand leaves it waiting, at no price.
        let waiting = write(&awaiting_rating(read(&usage)).unwrap());
        assert_eq!(waiting["status"], "recycled");
        let named = waiting.pointer("/ratedProductUsage/0/taxExcludedRatingAmount");
        assert!(named.is_none(), "{waiting}");
        let product = waiting.pointer("/ratedProductUsage/0/productRef/id");
        assert_eq!(product.is_some(), value.pointer("/0/productRef").is_some(), "{name}");
    }
    let described = with(&before, "description", "call to Berlin");
    assert_eq!(follow(&before, &described, NOW), Ok(Change::Nothing));
}

#[test]
fn the_cost_of_a_usage_cannot_be_written() {
    let before = rate(&call("u1", "2026-03-10T10:00:00Z", 60), &[]);
    let wrong = |after: &Value| match follow(&before, after, NOW) {
        Err(Refused::Invalid(wrong)) => wrong.attribute,
        other => panic!("{other:?}"),
    };
    for name in ["isBilled", "taxExcludedRatingAmount", "price", "taxRate", "units", "tax", "other"]
    {
        let mut after = before.clone();
        after["ratedProductUsage"][0][name] = json!({ "unit": "EUR", "value": -1 });
        assert_eq!(wrong(&after), format!("ratedProductUsage[0].{name}"));
    }
    for state in ["billed", "received", "guided", "rejected", "recycled"] {
        assert_eq!(wrong(&with(&before, "status", state)), "status");
    }
    assert_eq!(wrong(&with(&before, "rejection", json!({}))), "rejection");
    assert_eq!(wrong(&with(&before, "usageDate", "2127-01-01T00:00:00Z")), "usageDate");
    assert_eq!(check_removal(&read(&before)), Ok(()));
}

#[test]
fn a_billed_usage_stays_as_it_is() {
    let before = with(&rate(&call("u1", "2026-03-10T10:00:00Z", 60), &[]), "status", "billed");
    let changes = [
        ("usageDate", json!("2026-03-11T10:00:00Z")),
        ("usageSpecification", json!({ "id": "DATA" })),
        ("usageCharacteristic", json!([])),
        ("ratedProductUsage", Value::Null),
        ("relatedParty", json!([{ "id": "cust-2" }])),
        ("status", json!("rerated")),
        ("usageType", json!("free")),
    ];
    for (name, value) in changes {
        let refused = follow(&before, &with(&before, name, value), NOW).unwrap_err();
        assert_eq!(refused, Refused::Billed { attribute: name.into() });
    }
    let described = with(&before, "description", "call to Berlin");
    assert_eq!(follow(&before, &described, NOW), Ok(Change::Nothing));
    assert_eq!(check_removal(&read(&before)), Err(Refused::Billed { attribute: "id".into() }));
}
