//! Misspelt attributes are told at every depth; what is right, or declared, is not.

use serde_json::json;

use super::*;
use crate::table::of_key;
use crate::version::Version;

fn told(key: &str, version: Version, document: &Value) -> Vec<String> {
    let (api, resource) = of_key(key).unwrap();
    let view = View { api, resource, version };
    view.unknown(document).iter().map(ToString::to_string).collect()
}

#[test]
fn a_misspelt_attribute_is_told_with_the_one_that_is_meant() {
    let order = json!({
        "prority": "1",
        "productOrderItem": [{
            "id": "1", "acton": "add",
            "product": { "plase": [], "productCharacteristic": [{ "name": "a", "valu": 1 }] },
        }],
    });
    let expected = [
        "`productOrderItem[0].acton` is no attribute of ProductOrderItem, it is kept and has no \
         effect: is `action` meant?",
        "`productOrderItem[0].product.plase` is no attribute of ProductRefOrValue, it is kept and \
         has no effect: is `place` meant?",
        "`productOrderItem[0].product.productCharacteristic[0].valu` is no attribute of \
         Characteristic, it is kept and has no effect: is `value` meant?",
        "`prority` is no attribute of ProductOrder, it is kept and has no effect: is `priority` \
         meant?",
    ];
    let mut found = told("productOrder", Version::V4, &order);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn each_order_and_version_knows_its_own_attributes() {
    for (key, version, name, meant) in [
        ("productOrder", Version::V4, "requestedStartDat", "requestedStartDate"),
        ("productOrder", Version::V5, "requestedStartDat", "requestedStartDate"),
        ("serviceOrder", Version::V4, "externalID", "externalId"),
        ("serviceOrder", Version::V5, "requestedStartDat", "requestedStartDate"),
        ("resourceOrder", Version::V4, "pirority", "priority"),
        ("customer", Version::V4, "enggedParty", "engagedParty"),
    ] {
        let found = told(key, version, &json!({ name: "x" }));
        assert_eq!(found.len(), 1, "{key} {name}: {found:?}");
        assert!(found[0].ends_with(&format!("is `{meant}` meant?")), "{found:?}");
        let right = told(key, version, &json!({ meant: "x" }));
        assert_eq!(right, Vec::<String>::new(), "{key}");
    }
}

#[test]
fn declared_extensions_may_have_any_attribute() {
    let declared = json!({ "@schemaLocation": "https://example.com/order.json", "colour": "red" });
    assert!(told("productOrder", Version::V4, &declared).is_empty());
    assert!(told("productOrder", Version::V4, &json!({ "@type": "Own", "colour": 1 })).is_empty());
    assert_eq!(told("productOrder", Version::V4, &json!({ "colour": "red" })).len(), 1);
}

#[test]
fn the_number_of_reported_attributes_is_limited() {
    let many: Map<String, Value> = (0..100).map(|n| (format!("x{n}"), json!(n))).collect();
    assert_eq!(told("productOrder", Version::V4, &Value::Object(many)).len(), TOLD_MAX);
}

#[test]
fn nothing_is_told_of_the_orders_of_the_packs() {
    let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let mut seen = 0;
    for pack in std::fs::read_dir(packs).unwrap().flatten() {
        for file in std::fs::read_dir(pack.path().join("orders")).into_iter().flatten().flatten() {
            let Some("json") = file.path().extension().and_then(|kind| kind.to_str()) else {
                continue;
            };
            let order = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
            let found = told("productOrder", Version::V4, &order);
            assert!(found.is_empty(), "{}: {found:?}", file.path().display());
            seen += 1;
        }
    }
    assert!(seen >= 10);
}
