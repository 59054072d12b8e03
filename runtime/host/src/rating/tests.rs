use serde_json::json;

use super::*;

#[test]
fn amounts_are_decimals_as_text() {
    for text in ["0", "-12.50", "89.90", "1"] {
        assert!(is_decimal(text), "{text}");
    }
    for text in ["", "-", "1.", ".5", "1e3", "NaN", "1,5", "+1", " 1"] {
        assert!(!is_decimal(text), "{text}");
    }
}

#[test]
fn an_amount_that_would_lose_digits_or_is_beyond_all_prices_is_none() {
    assert!(is_decimal("1000000000000") && is_decimal("0.123456789012345678901234567"));
    for text in ["1000000000000.1", "-1000000000001", "1.1234567890123456789012345678"] {
        assert!(!is_decimal(text), "{text}");
    }
    assert!(!is_decimal(&"9".repeat(4_000_000)));
}

#[test]
fn numbers_are_taken_by_their_shortest_text() {
    let Value::Object(input) = json!({
        "prices": [{
            "id": "P", "name": "N", "kind": "one-off",
            "amount": { "currency": "EUR", "amount": 9.9 },
        }],
        "start": "2026-03-10",
        "taxRate": 7.5,
    }) else {
        unreachable!("it is an object")
    };
    let request = request(&input).unwrap().prices;
    assert_eq!(request.prices[0].amount.amount, "9.9");
    assert!(request.prices[0].period.is_none());
    assert_eq!((request.tax_rate.as_str(), request.quantity, request.bill_day), ("7.5", 1, None));
}

#[test]
fn the_first_charge_has_what_alters_the_first_periods() {
    let Value::Object(input) = json!({
        "prices": [{
            "id": "P", "name": "N", "kind": "recurring", "period": "month",
            "amount": { "currency": "EUR", "amount": "39.99" },
            "alterations": [{ "name": "welcome", "amount": "-20.00", "periods": 3 }],
        }],
        "start": "2026-03-10",
    }) else {
        unreachable!("it is an object")
    };
    assert_eq!(request(&input).unwrap().prices.prices[0].amount.amount, "19.99");
}

fn usages(attributes: &Value) -> Result<Vec<usage_rating::Request>, String> {
    let Value::Object(input) = json!({
        "prices": [{
            "id": "P", "name": "N", "kind": "usage",
            "amount": { "currency": "EUR", "amount": "0.09" },
            "attributes": attributes,
        }],
        "start": "2026-03-10",
        "taxRate": "19",
    }) else {
        unreachable!("it is an object")
    };
    let request = request(&input).map_err(|failure| failure.message)?;
    assert!(request.prices.prices.is_empty(), "usage is rated apart");
    Ok(request.usages)
}

#[test]
fn the_usage_and_its_tariff_are_attributes_of_a_price() {
    let usages = usages(&json!({
        "units": "61", "per": "60", "round-to": "0", "time": "20:30", "weekday": "7",
        "tiers": r#"[{"upTo":"100","price":"0.09"},{"price":"0.05"}]"#,
        "bands": r#"[{"name":"night","from":"20:00","until":"24:00","percent":"50","days":[1]}]"#,
        "channel": "web",
    }));
    let [usage] = <[_; 1]>::try_from(usages.unwrap()).unwrap();
    assert_eq!(
        (usage.units.as_str(), usage.per.as_str(), usage.tax_rate.as_str()),
        ("61", "60", "19")
    );
    assert_eq!((usage.round_to, usage.allowance_left.as_str()), (None, "0"));
    assert_eq!((usage.minute, usage.weekday), (20 * 60 + 30, Some(usage_rating::Weekday::Sunday)));
    let tiers: Vec<_> = usage.tiers.iter().map(|tier| tier.up_to.as_deref()).collect();
    assert_eq!(tiers, [Some("100"), None]);
    assert_eq!((usage.bands[0].first_minute, usage.bands[0].end_minute), (1200, 1440));
    assert_eq!(usage.bands[0].days, [usage_rating::Weekday::Monday]);
    assert_eq!(usage.attributes[0].name, "channel");
}

#[test]
fn a_usage_price_without_usage_has_nothing_to_rate() {
    assert!(usages(&json!({ "per": "60" })).unwrap().is_empty());
}

#[test]
fn a_malformed_tariff_is_refused_by_the_name_of_the_attribute() {
    for (name, value) in [
        ("time", "24:01"),
        ("time", "noon"),
        ("weekday", "8"),
        ("tiers", "{}"),
        ("bands", r#"[{"name":"n","from":"1","until":"2","percent":"1"}]"#),
        ("bands", r#"[{"name":"n","from":"00:00","until":"01:00","percent":"1","days":[0]}]"#),
    ] {
        let refused = usages(&json!({ "units": "1", name: value })).unwrap_err();
        assert!(refused.contains(&format!("`{name}` of price `P`")), "{refused}");
    }
}

#[test]
fn a_period_is_a_unit_or_a_number_of_them() {
    let of = |period: &str| {
        let Value::Object(input) = json!({
            "prices": [{
                "id": "P", "name": "N", "kind": "recurring", "period": period,
                "amount": { "currency": "EUR", "amount": "1" },
            }],
            "start": "2026-03-10",
        }) else {
            unreachable!("it is an object")
        };
        let period =
            request(&input).map_err(|failure| failure.code.to_string())?.prices.prices[0].period;
        Ok(period.map(|period| (period.length, period.unit)))
    };
    assert_eq!(of("month"), Ok(Some((1, rating::Unit::Month))));
    assert_eq!(of("2 week"), Ok(Some((2, rating::Unit::Week))));
    assert_eq!(of("quarter"), Ok(Some((3, rating::Unit::Month))));
    for wrong in ["", "fortnight", "0 day", "-1 day", "4294967295 quarter"] {
        assert_eq!(of(wrong), Err("RATING_INPUT".to_string()), "{wrong}");
    }
}
