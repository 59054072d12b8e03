//! What is kept looks as version 5 has it, and what a client of version 5 sends is what it reads.

mod classes;
mod definitions;
mod properties;
mod samples;

use serde_json::{Value, json};

use super::*;
use crate::check::InvalidKind;
use crate::patch::Format;
use crate::resource::Served;
use crate::table::APIS;
use crate::time::Timestamp;

/// Every resource that version 5 has, as it is there.
pub(super) fn views() -> impl Iterator<Item = View> {
    APIS.iter().filter(|api| api.v5.is_some()).flat_map(|api| {
        let resources = api.resources.iter().filter(|resource| resource.served != Served::V4);
        resources.map(|resource| View { api, resource, version: Version::V5 })
    })
}

pub(super) fn view(name: &str) -> View {
    views().find(|view| view.resource.key == name).unwrap_or_else(|| panic!("no `{name}`"))
}

/// The paths of `sent` that `seen` lacks or has with another value.
pub(super) fn lost(sent: &Value, seen: &Value, path: &str) -> Vec<String> {
    match (sent, seen) {
        (Value::Object(sent), Value::Object(seen)) => sent
            .iter()
            .flat_map(|(name, value)| {
                lost(value, seen.get(name).unwrap_or(&Value::Null), &format!("{path}.{name}"))
            })
            .collect(),
        (Value::Array(sent), Value::Array(seen)) if sent.len() == seen.len() => {
            let pairs = sent.iter().zip(seen).enumerate();
            pairs
                .flat_map(|(at, (sent, seen))| lost(sent, seen, &format!("{path}[{at}]")))
                .collect()
        }
        _ if sent == seen => Vec::new(),
        _ => vec![format!("{path}: {sent} became {seen}")],
    }
}

/// What is kept when a client of version 5 sends a new document.
fn posted(name: &str, body: Value) -> Value {
    let body = view(name).new_body(body).unwrap();
    view(name).resource.new_document(body, "1", Timestamp(0), "/1")
}

#[test]
fn a_party_stands_within_its_role() {
    let party = json!({ "id": "p", "name": "Ann", "role": "user", "@referredType": "Individual",
        "@type": "RelatedParty" });
    let kept =
        json!({ "id": "1", "status": "active", "@type": "Product", "relatedParty": [party] });
    let seen = view("product").shown(kept.clone());
    let inner = json!({ "@type": "PartyRef", "id": "p", "name": "Ann",
        "@referredType": "Individual" });
    let outer = json!({ "@type": "RelatedPartyOrPartyRole", "role": "user",
        "partyOrPartyRole": inner });
    assert_eq!(seen["relatedParty"], json!([outer]));
    let mut again = view("product").kept(seen);
    again["@type"] = json!("Product");
    view("product").resource.complete(&mut again);
    assert_eq!(again, kept);
}

#[test]
fn attributes_without_a_place_in_version_4_are_kept_beside() {
    let ann = json!({ "@type": "Individual", "id": "p", "givenName": "Ann", "familyName": "Lee",
        "relatedParty": [{ "@type": "RelatedPartyOrPartyRole", "role": "child",
            "partyOrPartyRole": { "@type": "PartyRef", "id": "q" } }] });
    let party = json!({ "@type": "RelatedPartyOrPartyRole", "role": "user", "colour": "red",
        "partyOrPartyRole": ann });
    let body = json!({ "@type": "Product", "relatedParty": [party] });
    let kept = posted("product", body);
    assert_eq!(kept["relatedParty"][0]["id"], "p");
    assert_eq!(kept["relatedParty"][0]["role"], "user");
    let seen = view("product").shown(kept);
    let inner = &seen["relatedParty"][0]["partyOrPartyRole"];
    assert_eq!(inner["relatedParty"][0]["partyOrPartyRole"]["id"], "q");
    assert_eq!((&inner["@type"], &inner["givenName"]), (&json!("Individual"), &json!("Ann")));
    assert_eq!(seen["relatedParty"][0]["colour"], "red");
}

#[test]
fn an_order_has_the_names_and_texts_of_its_version() {
    let kept = json!({ "@type": "ProductOrder", "orderDate": "2026-01-01T00:00:00Z",
        "externalId": "X", "productOrderItem": [{ "id": "1", "action": "modify",
            "product": { "id": "p" } }] });
    let seen = view("productOrder").shown(kept);
    assert_eq!(seen["creationDate"], "2026-01-01T00:00:00Z");
    assert_eq!(seen["externalId"], json!([{ "@type": "ExternalIdentifier", "id": "X" }]));
    assert_eq!(seen["productOrderItem"][0]["product"]["@type"], "ProductRef");
    assert_eq!(seen["productOrderItem"][0]["@type"], "ProductOrderItem");
    let two = json!([{ "id": "X", "owner": "us" }, { "id": "Y" }]);
    let items = json!([{ "id": "1", "action": "add" }]);
    let kept = posted("productOrder", json!({ "externalId": two, "productOrderItem": items }));
    assert_eq!(kept["externalId"], "X");
    let seen = view("productOrder").shown(kept);
    assert_eq!(seen["externalId"][0]["owner"], "us");
    assert_eq!(seen["externalId"][1]["id"], "Y");
}

#[test]
fn a_characteristic_is_typed_by_its_value() {
    let values = [
        (json!("x"), "StringCharacteristic"),
        (json!(["x"]), "StringArrayCharacteristic"),
        (json!(1), "IntegerCharacteristic"),
        (json!(1.5), "NumberCharacteristic"),
        (json!(true), "BooleanCharacteristic"),
        (json!({ "a": 1 }), "ObjectCharacteristic"),
        (json!([{ "a": 1 }]), "ObjectArrayCharacteristic"),
        (Value::Null, "Characteristic"),
    ];
    for (value, expected) in values {
        let kept = json!({ "productCharacteristic": [{ "name": "c", "value": value }] });
        let seen = view("product").shown(kept.clone());
        assert_eq!(seen["productCharacteristic"][0]["@type"], expected, "{value}");
        assert_eq!(lost(&kept, &view("product").kept(seen), ""), Vec::<String>::new());
    }
}

#[test]
fn a_contact_medium_has_its_type() {
    let mail = json!({ "mediumType": "email", "preferred": true,
        "characteristic": { "emailAddress": "a@example.com", "contactType": "private" } });
    let kept = json!({ "fullName": "Ann Lee", "status": "deceaded", "contactMedium": [mail] });
    let seen = view("individual").shown(kept.clone());
    let expected = json!({ "@type": "EmailContactMedium", "mediumType": "email", "preferred": true,
        "emailAddress": "a@example.com", "contactType": "private" });
    assert_eq!(seen["contactMedium"], json!([expected]));
    assert_eq!((&seen["name"], &seen["status"]), (&json!("Ann Lee"), &json!("deceased")));
    assert_eq!(lost(&kept, &view("individual").kept(seen), ""), Vec::<String>::new());
}

#[test]
fn attributes_renamed_within_one_api_keep_their_name_in_others() {
    let feature = json!([{ "name": "f", "constraint": [{ "id": "c" }] }]);
    let service = view("service").shown(json!({ "feature": feature }));
    assert!(service["feature"][0]["constraint"].is_array(), "{service}");
    let resource = view("resource").shown(json!({ "activationFeature": feature }));
    assert!(resource["activationFeature"][0]["policyConstraint"].is_array(), "{resource}");
}

#[test]
fn a_catalog_speaks_of_its_characteristics() {
    let value = json!({ "value": "x", "isDefault": true });
    let kept = json!({ "productSpecCharacteristic": [{ "name": "c",
        "productSpecCharacteristicValue": [value] }] });
    let seen = view("productSpecification").shown(kept.clone());
    let characteristic = &seen["productSpecCharacteristic"][0];
    assert_eq!(characteristic["@type"], "CharacteristicSpecification");
    let value = &characteristic["characteristicValueSpecification"][0];
    assert_eq!(value["@type"], "StringCharacteristicValueSpecification");
    assert_eq!(lost(&kept, &view("productSpecification").kept(seen), ""), Vec::<String>::new());
    let kept = json!({ "parentId": "c1" });
    let seen = view("category").shown(kept.clone());
    assert_eq!(seen["parent"], json!({ "@type": "CategoryRef", "id": "c1" }));
    assert_eq!(lost(&kept, &view("category").kept(seen), ""), Vec::<String>::new());
}

#[test]
fn hrefs_lead_to_the_version_that_is_read() {
    let kept = json!({ "href": "/tmf-api/party/v4/individual/1", "relatedParty": [
        { "id": "2", "role": "r", "href": "/tmf-api/serviceInventory/v4/service/2" },
        { "id": "3", "role": "r", "href": "/tmf-api/partyRoleManagement/v4/partyRole/3" },
        { "id": "4", "role": "r", "href": "https://else.example/tmf-api/party/v4/individual/4" },
    ] });
    let seen = view("individual").shown(kept.clone());
    assert_eq!(seen["href"], "/tmf-api/partyManagement/v5/individual/1");
    let href = |at: usize| seen["relatedParty"][at]["partyOrPartyRole"]["href"].clone();
    assert_eq!(href(0), "/tmf-api/serviceInventory/v5/service/2");
    assert_eq!(href(1), "/tmf-api/partyRoleManagement/v4/partyRole/3");
    assert_eq!(href(2), "https://else.example/tmf-api/party/v4/individual/4");
    assert_eq!(lost(&kept, &view("individual").kept(seen), ""), Vec::<String>::new());
}

#[test]
fn paths_lead_to_the_same_in_both_versions() {
    let pairs = [
        ("product", "relatedParty.id", "relatedParty.partyOrPartyRole.id"),
        ("product", "relatedParty.role", "relatedParty.role"),
        ("product", "productRelationship.product.id", "productRelationship.id"),
        ("product", "productOrderItem.productOrderId", "productOrderItem.orderId"),
        ("productOrder", "orderDate", "creationDate"),
        ("productOrder", "productOrderItem.product.id", "productOrderItem.product.id"),
        ("productOrder", "externalId", "externalId.id"),
        ("category", "parentId", "parent.id"),
        ("individual", "contactMedium.characteristic.emailAddress", "contactMedium.emailAddress"),
        ("resource", "place.id", "place.place.id"),
    ];
    for (name, v4, v5) in pairs {
        assert_eq!(view(name).kept_path(v5).as_deref(), Some(v4), "{name} `{v5}`");
        if v5 != "externalId.id" && v5 != "parent.id" {
            assert_eq!(view(name).shown_path(v4), v5, "{name} `{v4}`");
        }
        assert!(view(name).knows(v5), "{name} `{v5}`");
    }
    assert_eq!(
        view("product").shown_path("relatedParty[1].id"),
        "relatedParty[1].partyOrPartyRole.id"
    );
    assert_eq!(view("individual").kept_path("status"), None);
    assert!(view("individual").knows("contactMedium.mediumType"));
    assert!(!view("product").knows("relatedParty.id") && !view("product").knows("nothing"));
}

#[test]
fn errors_use_the_names_of_version_5() {
    let missing = |name: &str, body: Value| {
        let invalid = view(name).new_body(body).unwrap_err();
        assert_eq!(invalid.kind, InvalidKind::Missing, "{invalid}");
        invalid.path
    };
    assert_eq!(missing("productOrder", json!({})), "productOrderItem");
    assert_eq!(missing("organization", json!({ "tradingName": "a" })), "name");
    assert_eq!(missing("productOfferingPrice", json!({ "name": "a" })), "lifecycleStatus");
    let party = json!({ "role": "user", "partyOrPartyRole": { "@type": "PartyRef" } });
    let path = missing("product", json!({ "relatedParty": [party] }));
    assert_eq!(path, "relatedParty[0].partyOrPartyRole.id");
    let body = json!({ "name": "r", "operationalState": "enable" });
    let invalid = view("resource").new_body(body).unwrap_err();
    assert_eq!((invalid.kind, &*invalid.path), (InvalidKind::UnknownValue, "operationalState"));
}

#[test]
fn a_patch_is_made_to_what_is_seen() {
    let before = posted(
        "product",
        json!({ "status": "active", "name": "n", "relatedParty": [
            { "role": "user", "partyOrPartyRole": { "@type": "PartyRef", "id": "p" } } ] }),
    );
    let operations = json!([{ "op": "replace", "path": "/relatedParty/0/partyOrPartyRole/id",
        "value": "q" }]);
    let after = view("product").patched(&before, Format::Operations, &operations).unwrap();
    assert_eq!(after["relatedParty"][0]["id"], "q");
    let merge = json!({ "relatedParty": null, "description": "d" });
    let after = view("product").patched(&before, Format::Merge, &merge).unwrap();
    let mut expected = before.clone();
    expected.as_object_mut().unwrap().remove("relatedParty");
    expected["description"] = json!("d");
    assert_eq!(after, expected);
    let same = view("product").patched(&before, Format::Merge, &json!({})).unwrap();
    assert_eq!(same, before);
    let illegal = view("product").patched(&before, Format::Merge, &json!({ "status": "created" }));
    assert!(matches!(illegal, Err(Refused::Invalid(invalid)) if invalid.path == "status"));
    let fixed = view("product").patched(&before, Format::Merge, &json!({ "id": "2" }));
    assert!(matches!(fixed, Err(Refused::Invalid(invalid)) if invalid.path == "id"));
}

#[test]
fn attributes_outside_a_patch_stay_as_they_were_stored() {
    let before = json!({ "id": "1", "status": "deceased", "givenName": "a", "familyName": "b",
        "@type": "Individual", "contactMedium": [{ "@type": "ContactMedium" }] });
    let after = view("individual").patched(&before, Format::Merge, &json!({ "gender": "f" }));
    let mut expected = before;
    expected["gender"] = json!("f");
    assert_eq!(after.unwrap(), expected);
}

#[test]
fn attributes_of_version_5_alone_are_stored_as_they_are() {
    let party = json!({ "role": "r", "partyOrPartyRole": { "@type": "PartyRef", "id": "p" } });
    let body = json!({ "searchCriteria": { "id": "1" }, "relatedParty": [party] });
    let kept = posted("queryProductOfferingQualification", body);
    assert_eq!(kept["relatedParty"][0]["partyOrPartyRole"]["id"], "p");
}
