//! Documents from clients of both versions are stored as they are, through everything that may
//! happen to them.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const PRODUCTS: &str = "/tmf-api/productInventory/v5/product";
const PRODUCTS_V4: &str = "/tmf-api/productInventory/v4/product";
const RESOURCES: &str = "/tmf-api/resourceInventory/v5/resource";
const RESOURCES_V4: &str = "/tmf-api/resourceInventoryManagement/v4/resource";
const SERVICE_ORDERS: &str = "/tmf-api/serviceOrdering/v5/serviceOrder";

async fn sent(bench: &Bench, line: &str, media: &str, body: &str) -> Answer {
    bench.send(line, &[("content-type", media)], Body::from(body.to_string())).await
}

fn id(answer: &Answer) -> &str {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text))
}

/// Numbers that floating point would change, as they stand in a body.
const NUMBERS: [&str; 5] = [
    "0.10",
    "123456789012345678901234567890",
    "-0.12345678901234567890",
    "9007199254740993",
    "1.50e-7",
];

#[tokio::test]
async fn numbers_are_kept_digit_for_digit() {
    let bench = Bench::new();
    for number in NUMBERS {
        for (path, other) in [(PRODUCTS, PRODUCTS_V4), (PRODUCTS_V4, PRODUCTS)] {
            let body = format!(
                r#"{{"status":"active","x":{{"y":[{number}]}},"productCharacteristic":[{{"name":"a","value":{number}}}]}}"#
            );
            let made = sent(&bench, &format!("POST {path}"), "application/json", &body).await;
            let id = id(&made);
            let is_there = |answer: &Answer, count: usize| {
                let found = answer.text.matches(&format!("{number},")).count()
                    + answer.text.matches(&format!("{number}]")).count()
                    + answer.text.matches(&format!("{number}}}")).count();
                assert_eq!(found, count, "{number} {path}: {}", answer.text);
            };
            is_there(&made, 2);
            is_there(&bench.get(&format!("{path}/{id}")).await, 2);
            is_there(&bench.get(&format!("{other}/{id}")).await, 2);
            is_there(&bench.get(&format!("{other}?id={id}")).await, 2);
            let patch = format!(r#"{{"z":{number},"description":"d"}}"#);
            let line = format!("PATCH {other}/{id}");
            is_there(&sent(&bench, &line, "application/merge-patch+json", &patch).await, 3);
            let patch = format!(r#"[{{"op":"add","path":"/w","value":{number}}}]"#);
            is_there(&sent(&bench, &line, "application/json-patch+json", &patch).await, 4);
            is_there(&bench.get(&format!("{path}/{id}")).await, 4);
        }
    }
}

#[tokio::test]
async fn a_subclass_and_a_class_of_the_clients_own_stay() {
    let bench = Bench::new();
    let own = json!({ "@type": "MyRouter", "@baseType": "PhysicalResource",
        "@schemaLocation": "https://example.com/router.json", "name": "r", "serialNumber": "S2",
        "ports": [{ "@type": "MyPort", "speed": 10 }] });
    let physical = json!({ "@type": "PhysicalResource", "name": "olt-1", "serialNumber": "S1" });
    for body in [own, physical] {
        let made = bench.post(RESOURCES, &body).await;
        let id = id(&made);
        let views = [RESOURCES, RESOURCES_V4, "/tmf-api/resourceInventory/v4/physicalResource"];
        for path in views {
            let seen = bench.get(&format!("{path}/{id}")).await;
            for (name, value) in body.as_object().unwrap() {
                assert_eq!(&seen.body[name], value, "{path} {}", seen.text);
            }
            let listed =
                bench.get(&format!("{path}?name={}", body["name"].as_str().unwrap())).await;
            assert_eq!(listed.body[0]["@type"], body["@type"], "{path}");
        }
        let changed =
            bench.patch(&format!("{RESOURCES}/{id}"), &json!({ "description": "d" })).await;
        assert_eq!(changed.body["@type"], body["@type"]);
    }
}

#[tokio::test]
async fn a_patch_leaves_the_neighbours_of_an_entry_alone() {
    let bench = Bench::new();
    let party = |id: &str| {
        json!({ "id": id, "role": "user", "@type": "MyParty", "@referredType": "Individual",
            "x": { "deep": [1, null, ""] } })
    };
    let body = json!({ "status": "active", "relatedParty": [party("a"), party("b")] });
    let made = bench.post(PRODUCTS_V4, &body).await;
    let id = id(&made);
    let patch = r#"[{"op":"replace","path":"/relatedParty/1/role","value":"owner"}]"#;
    let line = format!("PATCH {PRODUCTS}/{id}");
    let patched = sent(&bench, &line, "application/json-patch+json", patch).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    let seen = bench.get(&format!("{PRODUCTS_V4}/{id}")).await;
    let mut expected = made.body["relatedParty"].clone();
    expected[1]["role"] = json!("owner");
    assert_eq!(seen.body["relatedParty"], expected);
    assert_eq!(seen.body["relatedParty"][0], body["relatedParty"][0]);
}

#[tokio::test]
async fn the_state_of_an_item_is_a_text() {
    let bench = Bench::new();
    let service = json!({ "@type": "Service", "serviceSpecification": { "@type": "ServiceSpecificationRef",
        "id": "CFS-INTERNET-ACCESS" } });
    for state in [None, Some(json!("InProgress")), Some(json!({ "id": "held" }))] {
        let mut item = json!({ "@type": "ServiceOrderItem", "id": "1", "action": "add",
            "service": service });
        if let Some(state) = state {
            item["state"] = state;
        }
        let made = bench.post(SERVICE_ORDERS, &json!({ "serviceOrderItem": [item] })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.body["serviceOrderItem"][0]["state"].is_string(), "{}", made.text);
        let seen = bench.get(&format!("{SERVICE_ORDERS}/{}", id(&made))).await;
        assert!(seen.body["serviceOrderItem"][0]["state"].is_string(), "{}", seen.text);
    }
}

#[tokio::test]
async fn an_intent_may_be_said_in_any_language() {
    let bench = Bench::new();
    for value in [
        json!({ "@context": { "icm": "http://example.com/" }, "idan:x": [{ "@id": 1 }] }),
        json!("turtle"),
    ] {
        let expression = json!({ "@type": "JsonLdExpression", "expressionLanguage": "JSON-LD",
            "iri": "https://example.com", "expressionValue": value });
        let intent = json!({ "@type": "Intent", "expression": expression });
        let body = json!({ "@type": "Product", "status": "active", "intent": intent });
        let made = bench.post(PRODUCTS, &body).await;
        assert_eq!((made.status.as_u16(), &made.body["intent"]["expression"]), (201, &expression));
        let before = bench.get(&format!("{PRODUCTS_V4}/{}", id(&made))).await;
        assert_eq!(before.body["intent"]["expression"]["expressionValue"], value);
        let service = json!({ "@type": "Service", "intent": intent,
            "serviceSpecification": { "@type": "ServiceSpecificationRef", "id": "CFS-INTERNET-ACCESS" } });
        let item =
            json!({ "@type": "ServiceOrderItem", "id": "1", "action": "add", "service": service });
        let order = bench.post(SERVICE_ORDERS, &json!({ "serviceOrderItem": [item] })).await;
        assert_eq!(order.status, 201, "{}", order.text);
        let kept = &order.body["serviceOrderItem"][0]["service"]["intent"]["expression"];
        assert_eq!(kept["expressionValue"], value);
    }
}

#[tokio::test]
async fn a_question_about_nothing_is_answered() {
    let bench = Bench::new();
    let path = "/tmf-api/serviceQualificationManagement/v4/checkServiceQualification";
    for item in [json!({}), json!({ "service": {} }), json!({ "service": null, "x": 1 })] {
        let made = bench.post(path, &json!({ "serviceQualificationItem": [item] })).await;
        let answer = &made.body["serviceQualificationItem"][0];
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(answer["qualificationResult"], "unqualified", "{}", made.text);
        let why = &answer["eligibilityUnavailabilityReason"][0];
        assert!(why["label"].as_str().is_some_and(|why| !why.is_empty()), "{}", made.text);
    }
    let path = "/tmf-api/productOfferingQualification/v4/productOfferingQualification";
    let made =
        bench.post(path, &json!({ "productOfferingQualificationItem": [{ "id": "1" }] })).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn any_word_tells_where_an_entry_of_a_catalog_stands() {
    let bench = Bench::new();
    let paths = [
        "/tmf-api/productCatalogManagement/v4/category",
        "/tmf-api/productCatalogManagement/v5/productOffering",
        "/tmf-api/serviceCatalogManagement/v4/serviceSpecification",
        "/tmf-api/resourceCatalog/v4/resourceSpecification",
        "/tmf-api/resourceCatalog/v5/resourceSpecification",
    ];
    for path in paths {
        for word in ["live", "In progress", "in study"] {
            let body = json!({ "name": "a", "lifecycleStatus": word });
            let made = bench.post(path, &body).await;
            assert_eq!(
                (made.status.as_u16(), &made.body["lifecycleStatus"]),
                (201, &json!(word)),
                "{path} {}",
                made.text
            );
            let changed = json!({ "lifecycleStatus": "In progress" });
            let changed = bench.patch(&format!("{path}/{}", id(&made)), &changed).await;
            assert_eq!(changed.body["lifecycleStatus"], "In progress", "{path} {}", changed.text);
        }
    }
}

/// Every attribute of a resource order that a client may send is stored.
#[tokio::test]
async fn the_dates_of_a_resource_order_are_kept() {
    let bench = Bench::new();
    let item = json!({ "id": "1", "action": "add",
        "resource": { "resourceSpecification": { "id": "RS-VLAN" } } });
    let body = json!({ "orderItem": [item], "expectedCompletionDate": "2031-05-01T00:00:00Z",
        "startDate": "2031-04-01T00:00:00Z", "x": { "a": [null, "", []] } });
    let made = bench.post("/tmf-api/resourceOrdering/v4/resourceOrder", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for name in ["expectedCompletionDate", "startDate", "x"] {
        assert_eq!(made.body[name], body[name], "{name} {}", made.text);
    }
}

#[tokio::test]
async fn an_attribute_that_stands_twice_is_refused_by_its_path() {
    let bench = Bench::new();
    let body = r#"{"status":"active","x":[{"id":"a","role":"r","id":"b"}]}"#;
    for path in [PRODUCTS, PRODUCTS_V4] {
        let refused = sent(&bench, &format!("POST {path}"), "application/json", body).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.body["referenceError"], Value::from("x[0].id"));
    }
    assert_eq!(bench.facts(), 0);
}
