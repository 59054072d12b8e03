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
    let request = request(input).unwrap();
    assert_eq!(request.prices[0].amount.amount, "9.9");
    assert_eq!(request.prices[0].kind, rating::ChargeKind::OneOff);
    assert_eq!((request.tax_rate.as_str(), request.quantity, request.bill_day), ("7.5", 1, 0));
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
    assert_eq!(request(input).unwrap().prices[0].amount.amount, "19.99");
}

#[test]
fn what_was_used_and_its_tariff_are_attributes_of_a_price() {
    let Value::Object(input) = json!({
        "prices": [{
            "id": "P", "name": "N", "kind": "usage",
            "amount": { "currency": "EUR", "amount": "0.09" },
            "attributes": { "units": "61", "per": "60" },
        }],
        "start": "2026-03-10",
    }) else {
        unreachable!("it is an object")
    };
    let request = request(input).unwrap();
    let attributes = request.prices[0].attributes.iter();
    let texts: Vec<_> = attributes.map(|one| format!("{}={}", one.name, one.value)).collect();
    assert_eq!(texts, ["per=60", "units=61"]);
}
