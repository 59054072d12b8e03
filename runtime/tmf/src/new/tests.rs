//! What a client's body becomes.

use serde_json::json;

use super::*;
use crate::shape::shapes;
use crate::table::of_key;
use crate::table::tests::resources;

const NOW: &str = "2026-03-12T02:00:00.000Z";

fn made(key: &str, body: Value) -> Value {
    let (_, resource) = of_key(key).unwrap();
    resource.new_document(body, "1", Timestamp::parse(NOW).unwrap(), "/there/1")
}

#[test]
fn a_new_document_has_what_the_server_sets() {
    let body = json!({
        "id": "mine", "href": "x", "state": "completed", "orderDate": "1970-01-01",
        "productOrderItem": [{ "id": "1", "action": "add", "product": null }],
        "description": null, "colour": null,
    });
    let expected = json!({
        "id": "1", "href": "/there/1", "@type": "ProductOrder", "state": "acknowledged",
        "orderDate": NOW, "colour": null, "productOrderItem": [{ "id": "1", "action": "add" }],
    });
    assert_eq!(made("productOrder", body), expected);
}

#[test]
fn the_class_and_state_from_a_client_are_kept() {
    let body =
        json!({ "name": "a", "@type": "Mine", "lifecycleStatus": "Active", "lastUpdate": "x" });
    let expected = json!({
        "id": "1", "href": "/there/1", "@type": "Mine", "name": "a", "lifecycleStatus": "Active",
        "lastUpdate": NOW, "version": "1.0", "isBundle": false,
    });
    assert_eq!(made("productOffering", body), expected);
}

#[test]
fn an_entry_of_a_catalog_gets_what_one_of_a_pack_gets() {
    for (key, parts, has_bundles) in [
        ("productOffering", "bundledProductOffering", true),
        ("productOfferingPrice", "bundledPopRelationship", true),
        ("productSpecification", "bundledProductSpecification", true),
        ("serviceSpecification", "serviceSpecRelationship", false),
        ("usageSpecification", "usageSpecRelationship", false),
    ] {
        let plain = made(key, json!({ "name": "a" }));
        assert_eq!(
            (&plain["version"], &plain["isBundle"]),
            (&json!("1.0"), &json!(false)),
            "{key}"
        );
        assert_eq!(plain["lifecycleStatus"], "In Study", "{key}");
        let bundle = made(key, json!({ "name": "a", parts: [{ "id": "b" }] }));
        assert_eq!(bundle["isBundle"], has_bundles, "{key}");
        let said = made(key, json!({ "name": "a", "version": "7", "isBundle": true }));
        assert_eq!((&said["version"], &said["isBundle"]), (&json!("7"), &json!(true)), "{key}");
    }
    let account = made("billingAccount", json!({ "name": "a" }));
    assert_eq!((account.get("version"), account.get("isBundle")), (None, None));
}

#[test]
fn a_value_of_any_kind_may_be_null() {
    let body = json!({
        "status": "active", "relatedParty": [null, { "id": "1", "name": null }],
        "productCharacteristic": [{ "name": "speed", "value": null }],
    });
    let made = made("product", body);
    let party = json!({ "id": "1", "@type": "RelatedParty", "@referredType": "Party" });
    assert_eq!(made["relatedParty"], json!([party]));
    assert_eq!(made["productCharacteristic"], json!([{ "name": "speed", "value": null }]));
}

#[test]
fn nulls_of_a_patch_are_dropped_as_those_of_a_new_document() {
    let (_, resource) = of_key("product").unwrap();
    let mut document = json!({ "note": null, "name": null, "place": [null, { "role": null }] });
    resource.drop_nulls(&mut document);
    assert_eq!(document, json!({ "note": null, "place": [{}] }));
}

#[test]
fn a_view_makes_what_it_shows() {
    let view = resources().find(|(_, resource)| resource.name == "physicalResource").unwrap().1;
    let made = view.new_document(json!({ "name": "a" }), "1", Timestamp(0), "/1");
    assert_eq!(made["@type"], "PhysicalResource");
}

#[test]
fn a_stamp_is_the_time_of_the_last_change() {
    let (_, resource) = of_key("billingAccount").unwrap();
    let mut document = json!({ "id": "1", "lastModified": "long ago" });
    resource.stamp(&mut document, Timestamp::parse(NOW).unwrap());
    assert_eq!(document, json!({ "id": "1", "lastModified": NOW }));
}

#[test]
fn every_new_document_is_one_that_could_have_been_sent() {
    for (number, resource) in resources() {
        let mut body = json!({});
        for name in resource.mandatory {
            body[*name] = sample(resource.shape, name);
        }
        resource.check_new(&body).unwrap_or_else(|invalid| panic!("{number} {invalid}"));
        let made = resource.new_document(body, "1", Timestamp(0), "/1");
        let same = resource.check_patched(&json!({}), &{
            let mut made = made.clone();
            for name in resource.fixed {
                made.as_object_mut().unwrap().remove(*name);
            }
            made
        });
        assert_eq!(same, Ok(()), "{number} `{}`", resource.name);
        assert_eq!((&made["id"], &made["href"]), (&json!("1"), &json!("/1")));
    }
}

/// A value as an attribute may have it, with what must be in it and no more.
fn sample(shape: &str, name: &str) -> Value {
    let kind = shapes().object(shape).unwrap().attribute(name).unwrap().kinds[0];
    let item = match kind.item() {
        Type::Fields => json!({}),
        Type::Any | Type::String | Type::Uri | Type::Base64 => json!("a"),
        Type::Integer | Type::Number => json!(1),
        Type::Boolean => json!(true),
        Type::DateTime => json!(NOW),
        Type::Date => json!("2026-03-12"),
        Type::Choice(name) => json!(shapes().choice(name)[0]),
        Type::Object(shape) => {
            let attributes = &shapes().object(shape).unwrap().attributes;
            let required = attributes.iter().filter(|attribute| attribute.required);
            let fields = required
                .map(|attribute| (attribute.name.to_string(), sample(shape, attribute.name)));
            Value::Object(fields.collect())
        }
    };
    match kind {
        Kind::One(_) => item,
        Kind::Many(_) => json!([item]),
    }
}

#[test]
fn a_reference_gets_the_type_it_refers_to_unless_the_client_sent_it() {
    let body = json!({
        "status": "active",
        "productOffering": { "id": "o" },
        "relatedParty": [{ "id": "1", "@referredType": "Individual" }],
    });
    let made = made("product", body);
    assert_eq!(made["productOffering"]["@referredType"], "ProductOffering");
    assert_eq!(made["relatedParty"][0]["@referredType"], "Individual");
}

#[test]
fn a_patch_completes_what_it_changes_and_nothing_else() {
    let (_, product) = crate::table::of_key("product").unwrap();
    let before = json!({ "relatedParty": [{ "id": "1" }], "productOffering": { "id": "o" } });
    let mut after = before.clone();
    after["productOffering"]["id"] = json!("p");
    product.complete_changed(&before, &mut after);
    assert_eq!(after["relatedParty"], before["relatedParty"]);
    assert_eq!(after["productOffering"]["@referredType"], "ProductOffering");
}
