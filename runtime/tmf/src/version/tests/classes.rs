//! The class that a client names stays, its own included, and so does what tells of it.

use serde_json::{Value, json};

use super::{lost, posted, view};
use crate::patch::Format;

fn seen(name: &str, body: &Value) -> Value {
    view(name).shown(posted(name, body.clone()))
}

fn kept_whole(name: &str, body: &Value) {
    assert_eq!(lost(body, &seen(name, body), name), Vec::<String>::new());
}

#[test]
fn a_subclass_stays_in_both_versions() {
    let classes = [
        ("resource", "PhysicalResource", json!({ "serialNumber": "S1" })),
        ("resource", "LogicalResource", json!({ "value": "v" })),
        ("resource", "SoftwareResource", json!({ "targetPlatform": "x" })),
        ("resource", "ResourceFunction", json!({ "functionType": "f" })),
        ("resourceSpecification", "PhysicalResourceSpecification", json!({ "model": "m" })),
        ("resourceSpecification", "LogicalResourceSpecification", json!({})),
        ("resourceSpecification", "ResourceFunctionSpecification", json!({})),
        (
            "resource",
            "MyRouter",
            json!({ "serialNumber": "S1", "@baseType": "PhysicalResource",
            "@schemaLocation": "https://example.com/router.json" }),
        ),
        ("resource", "MyRouter", json!({ "serialNumber": "S1" })),
    ];
    for (name, class, more) in classes {
        let mut body = more;
        body["@type"] = json!(class);
        body["name"] = json!("olt-1");
        assert_eq!(posted(name, body.clone())["@type"], class);
        kept_whole(name, &body);
    }
}

#[test]
fn nested_objects_keep_their_class() {
    let own = json!({ "@type": "MyRef", "@baseType": "PartyRef", "@schemaLocation": "https://x.example",
        "id": "p" });
    let party = json!({ "@type": "RelatedPartyRefOrPartyRoleRef", "@baseType": "RelatedParty",
        "role": "user", "partyOrPartyRole": own });
    let role = json!({ "@type": "MyRelation", "role": "owner",
        "partyOrPartyRole": { "@type": "PartyRoleRef", "id": "r", "partyId": "p" } });
    let value = json!({ "@type": "MySpeed", "@baseType": "IntegerCharacteristic", "name": "speed",
        "value": 5 });
    let feature = json!({ "@type": "Feature", "@schemaLocation": "https://x.example/f", "name": "f",
        "featureCharacteristic": [value, { "@type": "StringCharacteristic", "name": "c", "value": "d" }],
        "policyConstraint": [{ "@type": "PolicyRef", "id": "c" }] });
    let part = json!({ "@type": "ResourceRelationship", "relationshipType": "has",
        "resource": { "@type": "ResourceRef", "@referredType": "PhysicalResource", "id": "x" } });
    let body = json!({ "@type": "PhysicalResource", "name": "a", "serialNumber": "s",
        "relatedParty": [party, role], "activationFeature": [feature],
        "resourceRelationship": [part], "supportingResource": [
            { "@type": "SoftwareResource", "name": "os", "serialNumber": "of another class" } ] });
    kept_whole("resource", &body);
    let kept = posted("resource", body);
    assert_eq!(kept["activationFeature"][0]["featureCharacteristic"][0]["@type"], "MySpeed");
    assert_eq!(
        kept["activationFeature"][0]["featureCharacteristic"][1]["@type"],
        "StringCharacteristic"
    );
}

#[test]
fn renamed_classes_have_the_name_of_each_version() {
    let kept = posted("productCatalog", json!({ "@type": "ProductCatalog", "name": "c" }));
    assert_eq!(kept["@type"], "Catalog");
    assert_eq!(view("productCatalog").shown(kept)["@type"], "ProductCatalog");
    let own = json!({ "@type": "MyCatalog", "@baseType": "ProductCatalog", "name": "c" });
    assert_eq!(posted("productCatalog", own.clone())["@type"], "MyCatalog");
    kept_whole("productCatalog", &own);
    let party = json!({ "role": "user", "partyOrPartyRole": { "@type": "PartyRef", "id": "p" } });
    let kept = posted("product", json!({ "status": "active", "relatedParty": [party] }));
    assert_eq!(kept["relatedParty"][0]["@type"], "RelatedParty");
}

#[test]
fn a_class_follows_the_value_that_another_version_changed() {
    let value = json!({ "@type": "StringCharacteristic", "name": "c", "value": "d" });
    let body = json!({ "status": "active", "productCharacteristic": [value] });
    let mut kept = posted("product", body);
    kept["productCharacteristic"][0]["value"] = json!(5);
    let seen = view("product").shown(kept);
    assert_eq!(seen["productCharacteristic"][0]["@type"], "IntegerCharacteristic");
}

#[test]
fn a_patch_of_an_entry_leaves_its_neighbours_as_they_were_kept() {
    let party =
        |id: &str| json!({ "id": id, "role": "user", "@type": "MyParty", "x": { "a": [1, null] } });
    let before = json!({ "id": "1", "@type": "Product", "status": "active",
        "relatedParty": [party("a"), party("b"), { "id": "c", "role": "r" }],
        "productCharacteristic": [{ "name": "x", "value": 1 }, { "name": "y", "value": 2 }] });
    let operations = json!([
        { "op": "replace", "path": "/relatedParty/1/role", "value": "owner" },
        { "op": "replace", "path": "/productCharacteristic/0/value", "value": 7 },
        { "op": "remove", "path": "/relatedParty/0" },
    ]);
    let after = view("product").patched(&before, Format::Operations, &operations).unwrap();
    let mut expected = before.clone();
    expected["relatedParty"][1]["role"] = json!("owner");
    expected["productCharacteristic"][0]["value"] = json!(7);
    expected["relatedParty"].as_array_mut().unwrap().remove(0);
    assert_eq!(after["productCharacteristic"], expected["productCharacteristic"]);
    assert_eq!(after["relatedParty"][1], before["relatedParty"][2]);
    assert_eq!(lost(&expected, &after, ""), Vec::<String>::new());
}
