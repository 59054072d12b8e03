use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::time::Timestamp;

crate::document! {
    struct Sample {
        id: String,
        count?: u32,
        valid_for?: TimePeriod,
        created?: DateTime,
        price?: Amount,
        size?: Quantity,
        #[serde(rename = "@type")]
        kind?: String,
        related_party*: Reference,
    }
}

fn sample(more: &Value) -> Result<Sample, Malformed> {
    let mut document = json!({ "id": "s-1" });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    read(&document)
}

#[test]
fn a_document_is_written_as_it_was_read() {
    let document = json!({
        "id": "s-1",
        "@type": "Own",
        "count": 3,
        "created": "2026-03-12T02:00:00+02:00",
        "price": { "unit": "EUR", "value": 89.10 },
        "size": { "amount": 1.5, "units": "GB", "own": 1 },
        "relatedParty": [{ "id": "7", "role": "customer", "own": { "deep": [1, null] } }],
        "validFor": { "startDateTime": "2026-03-12T00:00:00Z" },
        "own": { "number": 123456789012345678901.25, "list": [] },
    });
    let text = document.to_string();
    let read: Sample = read_slice(text.as_bytes()).unwrap();
    assert_eq!(
        read.created.as_ref().unwrap().at(),
        Timestamp::parse("2026-03-12T00:00:00Z").unwrap()
    );
    assert_eq!(write(&read).to_string(), text);
    assert_eq!(super::read::<Sample>(&document).unwrap(), read);
}

#[test]
fn numbers_of_unknown_attributes_keep_their_digits() {
    let text = r#"{"id":"s-1","own":[0.10,1.0,123456789012345678901234567890,-0.12345678901234567890,1e+400]}"#;
    let document: Value = serde_json::from_str(text).unwrap();
    assert_eq!(write(&read_slice::<Sample>(text.as_bytes()).unwrap()).to_string(), text);
    assert_eq!(write(&read::<Sample>(&document).unwrap()).to_string(), text);
}

#[test]
fn quantities_keep_their_digits() {
    let text = r#"{"amount":1.50,"units":"GB"}"#;
    let quantity: Quantity = read_slice(text.as_bytes()).unwrap();
    assert_eq!(quantity, Quantity::new("1.5".parse().unwrap(), Some("GB")));
    assert_eq!(write(&quantity).to_string(), text);
}

#[test]
fn null_counts_as_absent() {
    let read = sample(&json!({ "count": null, "relatedParty": null, "own": null })).unwrap();
    assert_eq!((read.count, read.related_party.len()), (None, 0));
    assert_eq!(write(&read), json!({ "id": "s-1", "own": null }));
}

#[test]
fn a_wrong_attribute_is_named_with_its_path() {
    for (wrong, path, problem) in [
        (json!({ "id": 7 }), "id", "is not a text"),
        (json!({ "id": null }), "id", "is missing"),
        (json!({ "count": -1 }), "count", "is not a whole number"),
        (json!({ "count": "3" }), "count", "is not a whole number"),
        (json!({ "count": 1.5 }), "count", "is not a whole number"),
        (json!({ "created": "soon" }), "created", "is not a date-time"),
        (json!({ "validFor": { "endDateTime": 1 } }), "validFor.endDateTime", "is not a text"),
        (json!({ "validFor": [] }), "validFor", "is not an object"),
        (json!({ "price": { "unit": "EUR" } }), "price", "needs `unit`"),
        (json!({ "price": { "unit": "EUR", "value": true } }), "price", "needs `unit`"),
        (json!({ "relatedParty": {} }), "relatedParty", "is not a list"),
        (json!({ "relatedParty": [{}, { "role": [] }] }), "relatedParty[1].role", "is not a text"),
    ] {
        let refused = sample(&wrong).unwrap_err();
        assert_eq!(refused.attribute, path, "{wrong}: {refused}");
        assert!(refused.problem.contains(problem), "{wrong}: {refused}");
    }
    assert_eq!(read::<Sample>(&json!({})).unwrap_err().to_string(), "`id` is missing");
    assert_eq!(read::<Sample>(&json!([])).unwrap_err().attribute, "$");
}

/// JSON without floats: numbers keep their digits, but floats may be written differently.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z$:. ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn unknown_attributes_stay(own in any_json()) {
        let document = json!({ "id": "s-1", "own": own, "relatedParty": [{ "own": own }] });
        prop_assert_eq!(write(&read::<Sample>(&document).unwrap()), document);
    }
}

#[test]
fn characteristics_of_a_list_are_kept_by_name() {
    let list = json!([
        { "name": "speed", "value": 100 },
        { "name": "colour" },
        { "name": "speed", "value": "1000", "valueType": "string" },
    ]);
    let list: Vec<Characteristic> = read(&list).unwrap();
    let characteristics = Characteristics::of_list(list);
    assert_eq!(characteristics.to_value(), json!({ "speed": "1000" }));
    assert_eq!(characteristics.text("speed"), Some("1000"));
    assert_eq!(characteristics["colour"], json!(null));
    let listed = serde_json::to_value(characteristics.into_list()).unwrap();
    assert_eq!(listed, json!([{ "name": "speed", "value": "1000" }]));
    let wrong = read::<Vec<Characteristic>>(&json!([{ "value": 1 }])).unwrap_err();
    assert_eq!(wrong.attribute, "[0].name");
}

#[test]
fn a_malformed_deferred_attribute_is_kept_and_reported_to_its_readers() {
    let usage = json!({ "id": "u-1", "usageDate": "lately" });
    let read: usage::Usage = read(&usage).unwrap();
    let date = read.usage_date.as_ref().unwrap();
    assert_eq!(date.get("usageDate").unwrap_err().to_string(), "`usageDate` is not a date-time");
    assert_eq!(write(&read), usage);
    let price = json!({ "price": { "dutyFreeAmount": { "unit": "EUR" } } });
    let document = json!({ "id": "p-1", "productPrice": [{ "name": "fine" }, price] });
    let product: product::Product = super::read(&document).unwrap();
    let wrong = product.prices().unwrap_err();
    assert_eq!(wrong.attribute, "productPrice[1].price.dutyFreeAmount");
    assert_eq!(write(&product), document);
}
