//! Orders at the door: what is wrong with them, and where.

mod examples;

use proptest::prelude::*;
use serde_json::json;

use super::OrderErrorKind::{Inconsistent, Malformed};
use super::*;

fn product(document: &Value) -> Result<Order, OrderError> {
    Order::parse(Level::Product, document)
}

/// An order of one good item with another value at a JSON pointer within that item.
fn product_with(pointer: &str, value: Value) -> Value {
    let mut item = json!({
        "id": "1",
        "action": "add",
        "quantity": 1,
        "productOffering": { "id": "O" },
        "productOrderItemRelationship": [],
        "product": {
            "id": "p-1",
            "productSpecification": { "id": "P" },
            "productCharacteristic": [{ "name": "speed", "value": 100 }],
            "place": [{ "id": "home" }],
        },
    });
    match item.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (within, name) = pointer.rsplit_once('/').unwrap();
            item.pointer_mut(within).unwrap()[name] = value;
        }
    }
    json!({ "productOrderItem": [item] })
}

/// Holds that each document is refused with this kind and at this path.
fn assert_refused(level: Level, table: &[(Value, OrderErrorKind, &str)]) {
    for (document, kind, path) in table {
        let error = Order::parse(level, document).expect_err(&document.to_string());
        assert_eq!((error.kind, error.path.as_str()), (*kind, *path), "{document}: {error}");
    }
}

#[test]
fn a_good_product_order_is_read() {
    let order = product(&product_with("/id", json!("1"))).unwrap();
    let speed = json!({ "speed": 100 });
    assert_eq!(
        order,
        Order {
            level: Level::Product,
            lines: vec![Line {
                id: "1".into(),
                action: Action::Add,
                quantity: 1,
                is_counted: true,
                offering: Some(SpecId::new("O")),
                spec: Some(SpecId::new("P")),
                state: None,
                instance: Some("p-1".into()),
                characteristics: serde_json::from_value(speed).unwrap(),
                place: Some("home".into()),
                areas: BTreeSet::from(["home".into()]),
                agreed: None,
                bundle: None,
                lists: Vec::new(),
                path: "productOrderItem[0]".into(),
                relies_on: Vec::new(),
                dates: LineDates::default(),
            }],
            customer: None,
            at: None,
            dates: Dates::default(),
            after: Vec::new(),
        }
    );
}

#[test]
fn an_order_without_items_is_refused() {
    assert_refused(
        Level::Product,
        &[
            (json!([]), Malformed, "$"),
            (json!(null), Malformed, "$"),
            (json!({}), Malformed, "productOrderItem"),
            (json!({ "productOrderItem": [] }), Malformed, "productOrderItem"),
            (json!({ "productOrderItem": {} }), Malformed, "productOrderItem"),
            (json!({ "productOrderItem": null }), Malformed, "productOrderItem"),
            (json!({ "productOrderItem": [1] }), Malformed, "productOrderItem[0]"),
            (json!({ "productOrderItem": [{}] }), Malformed, "productOrderItem[0].id"),
        ],
    );
}

#[test]
fn missing_and_wrong_attributes_are_refused_with_their_path() {
    let item = "productOrderItem[0]";
    let table = [
        ("/id", json!(null), "id"),
        ("/id", json!(""), "id"),
        ("/id", json!(1), "id"),
        ("/action", json!(null), "action"),
        ("/action", json!("change"), "action"),
        ("/action", json!(["add"]), "action"),
        ("/quantity", json!("1"), "quantity"),
        ("/quantity", json!(-1), "quantity"),
        ("/quantity", json!(0), "quantity"),
        ("/quantity", json!(1.5), "quantity"),
        ("/quantity", json!(4_294_967_296_u64), "quantity"),
        ("/productOffering", json!("O"), "productOffering"),
        ("/productOffering", json!({}), "productOffering.id"),
        ("/productOffering", json!({ "id": 1 }), "productOffering.id"),
        ("/product", json!("P"), "product"),
        ("/product/id", json!(7), "product.id"),
        ("/product/productSpecification", json!([]), "product.productSpecification"),
        ("/product/productSpecification", json!({}), "product.productSpecification.id"),
        ("/product/productCharacteristic", json!({}), "product.productCharacteristic"),
        ("/product/productCharacteristic", json!([1]), "product.productCharacteristic[0]"),
        (
            "/product/productCharacteristic/0/name",
            json!(1),
            "product.productCharacteristic[0].name",
        ),
        (
            "/product/productCharacteristic",
            json!([{ "name": "speed" }]),
            "product.productCharacteristic[0].value",
        ),
        ("/product/place", json!("home"), "product.place"),
        ("/productOrderItem", json!({}), "productOrderItem"),
        ("/productOrderItemRelationship", json!({}), "productOrderItemRelationship"),
        (
            "/productOrderItemRelationship",
            json!([{ "id": "1" }]),
            "productOrderItemRelationship[0].relationshipType",
        ),
        (
            "/productOrderItemRelationship",
            json!([{ "relationshipType": "reliesOn" }]),
            "productOrderItemRelationship[0]",
        ),
    ];
    let table = table.map(|(pointer, value, path)| {
        (product_with(pointer, value), Malformed, format!("{item}.{path}"))
    });
    for (document, kind, path) in &table {
        assert_refused(Level::Product, &[(document.clone(), *kind, path)]);
    }
    let mut document = product_with("/id", json!("1"));
    document["relatedParty"] = json!({});
    assert_refused(Level::Product, &[(document, Malformed, "relatedParty")]);
}

#[test]
fn optional_attributes_may_be_null() {
    for pointer in [
        "/quantity",
        "/productOffering",
        "/product",
        "/product/id",
        "/product/productSpecification",
        "/product/productCharacteristic",
        "/product/place",
        "/productOrderItem",
        "/productOrderItemRelationship",
    ] {
        product(&product_with(pointer, json!(null))).expect(pointer);
    }
}

/// An order of items with relations: `1 bundles 2` and so on.
fn related(items: &[&str], relations: &[&str]) -> Value {
    let items = items.iter().map(|id| {
        let own = relations.iter().map(|text| text.split(' ').collect::<Vec<_>>());
        let own = own.filter(|words| words[0] == *id).map(|words| {
            json!({ "relationshipType": words[1], "id": words[2] })
        });
        json!({ "id": id, "action": "add", "productOrderItemRelationship": own.collect::<Vec<_>>() })
    });
    json!({ "productOrderItem": items.collect::<Vec<_>>() })
}

#[test]
fn an_order_that_contradicts_itself_is_refused() {
    let twice = json!([{ "name": "speed", "value": 1 }, { "name": "speed", "value": 1 }]);
    assert_refused(
        Level::Product,
        &[
            (related(&["1", "1"], &[]), Inconsistent, "productOrderItem[1].id"),
            (
                product_with("/product/productCharacteristic", twice),
                Inconsistent,
                "productOrderItem[0].product.productCharacteristic[1]",
            ),
            (
                related(&["1"], &["1 reliesOn 2"]),
                Inconsistent,
                "productOrderItem[0].productOrderItemRelationship[0]",
            ),
            (
                related(&["1"], &["1 reliesOn 1"]),
                Inconsistent,
                "productOrderItem[0].productOrderItemRelationship[0]",
            ),
            (
                related(&["1", "2"], &["1 reliesOn 2", "2 reliesOn 1"]),
                Inconsistent,
                "productOrderItem[0].productOrderItemRelationship",
            ),
            (
                related(&["1"], &["1 bundles 1"]),
                Inconsistent,
                "productOrderItem[0].productOrderItemRelationship[0]",
            ),
            (
                related(&["1", "2"], &["1 bundles 2", "2 bundles 1"]),
                Inconsistent,
                "productOrderItem[0].productOrderItemRelationship",
            ),
            (
                related(&["1", "2", "3"], &["1 bundles 2", "3 bundles 2"]),
                Inconsistent,
                "productOrderItem[2].productOrderItemRelationship[0]",
            ),
        ],
    );
}

#[test]
fn an_instance_is_named_by_one_item_whatever_is_wanted_of_it() {
    let words = [
        (Level::Product, "productOrderItem", "product"),
        (Level::CustomerService, "serviceOrderItem", "service"),
        (Level::Resource, "orderItem", "resource"),
    ];
    let actions = ["add", "modify", "delete", "noChange"];
    for (level, items, subject) in words {
        let item = |id: &str, action: &str, instance: &str| json!({ "id": id, "action": action, subject: { "id": instance } });
        for (first, second) in actions.iter().flat_map(|one| actions.map(|two| (*one, two))) {
            let twice = json!({ items: [item("1", first, "x"), item("2", second, "x")] });
            let path = format!("{items}[1].{subject}.id");
            assert_refused(level, &[(twice, Inconsistent, &path)]);
            let apart = json!({ items: [item("1", first, "x"), item("2", second, "y")] });
            Order::parse(level, &apart).unwrap();
        }
    }
    let mut outer = product_with("/product/id", json!("x"));
    outer["productOrderItem"][0]["productOrderItem"] =
        json!([{ "id": "2", "action": "modify", "product": { "id": "x" } }]);
    let path = "productOrderItem[0].productOrderItem[0].product.id";
    assert_refused(Level::Product, &[(outer, Inconsistent, path)]);
}

#[test]
fn a_nested_item_cannot_bundle_the_item_that_it_is_in() {
    let relation = json!([{ "relationshipType": "bundles", "id": "1" }]);
    let nested = json!([{ "id": "2", "action": "add", "productOrderItemRelationship": relation }]);
    let document = product_with("/productOrderItem", nested);
    let path = "productOrderItem[0].productOrderItemRelationship";
    assert_refused(Level::Product, &[(document, Inconsistent, path)]);
}

#[test]
fn nesting_and_both_words_for_it_mean_the_same() {
    let bundles = |document: &Value| -> Vec<Option<usize>> {
        product(document).unwrap().lines.iter().map(|line| line.bundle).collect()
    };
    let expected = [None, Some(0), Some(0)];
    assert_eq!(bundles(&related(&["1", "2", "3"], &["1 bundles 2", "1 bundles 3"])), expected);
    assert_eq!(bundles(&related(&["1", "2", "3"], &["2 bundledBy 1", "3 bundledBy 1"])), expected);
    let both = ["1 bundles 2", "2 bundledBy 1", "3 bundledBy 1", "2 reliesOn 1"];
    assert_eq!(bundles(&related(&["1", "2", "3"], &both)), expected);
    let item = |id: &str| json!({ "id": id, "action": "add" });
    let nested = product_with("/productOrderItem", json!([item("2"), item("3")]));
    assert_eq!(bundles(&nested), expected);
}

#[test]
fn items_that_nest_too_deep_or_are_too_many_are_refused() {
    let mut item = json!({ "id": "0", "action": "add" });
    for depth in 1..=16 {
        let id = depth.to_string();
        item = json!({ "id": id, "action": "add", "productOrderItem": [item] });
    }
    product(&json!({ "productOrderItem": [item] })).unwrap();
    item = json!({ "id": "17", "action": "add", "productOrderItem": [item] });
    let error = product(&json!({ "productOrderItem": [item] })).unwrap_err();
    assert_eq!(error.kind, Malformed);
    assert_eq!(error.message, "items may nest 16 deep");
    let many = (0..=LINES_MAX).map(|id| json!({ "id": id.to_string(), "action": "add" }));
    let error = product(&json!({ "productOrderItem": many.collect::<Vec<_>>() })).unwrap_err();
    assert_eq!((error.kind, error.path.as_str()), (Malformed, "productOrderItem[20000]"));
}

#[test]
fn a_customer_is_found_by_role_or_type() {
    let customer = |parties: Value| {
        let mut document = product_with("/id", json!("1"));
        document["relatedParty"] = parties;
        product(&document).unwrap().customer
    };
    let role = json!([{ "id": "s", "role": "Seller" }, { "id": "c", "role": "customer" }]);
    assert_eq!(customer(role).as_deref(), Some("c"));
    let referred = json!([{ "id": "c", "@referredType": "Customer" }]);
    assert_eq!(customer(referred).as_deref(), Some("c"));
    assert_eq!(customer(json!([{ "role": "customer" }])), None);
    assert_eq!(customer(json!([1])), None);
    assert_eq!(customer(json!(null)), None);
}

#[test]
fn a_service_order_has_its_own_names() {
    let item = json!({
        "id": "1",
        "action": "add",
        "service": {
            "serviceSpecification": { "id": "A" },
            "serviceCharacteristic": [{ "name": "mbps", "value": 5 }],
            "place": [{ "id": "home" }],
        },
        "serviceOrderItemRelationship": [
            { "relationshipType": "dependency", "orderItem": { "itemId": "2" } },
            { "relationshipType": "dependency",
              "orderItem": { "itemId": "9", "serviceOrderId": "another" } },
        ],
    });
    let document =
        json!({ "serviceOrderItem": [item, { "id": "2", "action": "add", "service": {} }] });
    for level in [Level::CustomerService, Level::ResourceService] {
        let order = Order::parse(level, &document).unwrap();
        assert_eq!((order.level, order.lines.len()), (Level::CustomerService, 2));
        assert_eq!(order.lines[0].spec, Some(SpecId::new("A")));
        assert_eq!(order.lines[0].characteristics["mbps"], json!(5));
        assert_eq!(order.lines[0].place.as_deref(), Some("home"));
    }
    let without = json!({ "serviceOrderItem": [{ "id": "1", "action": "add" }] });
    let unknown = json!({ "serviceOrderItem": [{ "id": "1", "action": "add", "service": {},
        "serviceOrderItemRelationship": [
            { "relationshipType": "dependency", "orderItem": { "itemId": "2" } },
        ] }] });
    assert_refused(
        Level::CustomerService,
        &[
            (json!({}), Malformed, "serviceOrderItem"),
            (json!({ "serviceOrderItem": [] }), Malformed, "serviceOrderItem"),
            (without, Malformed, "serviceOrderItem[0].service"),
            (unknown, Inconsistent, "serviceOrderItem[0].serviceOrderItemRelationship[0]"),
        ],
    );
}

#[test]
fn a_resource_order_has_its_own_names_and_may_be_empty() {
    let within = json!({
        "id": "1",
        "action": "add",
        "resource": {
            "resourceSpecification": { "id": "R" },
            "resourceCharacteristic": [{ "name": "vlan", "value": 7 }],
            "place": { "id": "home" },
        },
    });
    let beside = json!({
        "id": "2",
        "action": "add",
        "resourceSpecification": { "id": "R" },
        "orderItemRelationship": [
            { "relationshipType": "dependsOn", "orderItem": { "itemId": "1" } },
            { "relationshipType": "dependsOn",
              "orderItem": { "itemId": "9", "resourceOrderId": "another" } },
        ],
    });
    let order = Order::parse(Level::Resource, &json!({ "orderItem": [within, beside] })).unwrap();
    assert!(order.lines.iter().all(|line| line.spec == Some(SpecId::new("R"))));
    assert_eq!(order.lines[0].place.as_deref(), Some("home"));
    assert_eq!(order.lines[0].characteristics["vlan"], json!(7));
    for empty in [json!({}), json!({ "orderItem": [] })] {
        assert!(Order::parse(Level::Resource, &empty).unwrap().lines.is_empty());
    }
    assert_refused(
        Level::Resource,
        &[
            (json!({ "orderItem": 1 }), Malformed, "orderItem"),
            (json!({ "orderItem": [{ "id": "1" }] }), Malformed, "orderItem[0].action"),
        ],
    );
}

/// Any JSON, with a liking for the words of the standards.
fn documents() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "id",
        "action",
        "add",
        "productOrderItem",
        "serviceOrderItem",
        "orderItem",
        "product",
        "service",
        "resource",
        "quantity",
        "productOffering",
        "productSpecification",
        "productCharacteristic",
        "name",
        "value",
        "place",
        "relationshipType",
        "bundles",
        "productOrderItemRelationship",
        "serviceOrderItemRelationship",
        "relatedParty",
        "1",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..6).prop_map(|fields| {
                let fields = fields.into_iter().map(|(name, value)| (name.to_string(), value));
                Value::Object(fields.collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_read_or_refused(document in documents(), within in documents()) {
        for level in [Level::Product, Level::CustomerService, Level::Resource] {
            let _told = Order::parse(level, &document);
            for items in ["productOrderItem", "serviceOrderItem", "orderItem"] {
                let _told = Order::parse(level, &json!({ items: [document, within] }));
            }
        }
    }
}
