//! Which relations mean waiting, where they stand in each standard, and which cannot be.

use serde_json::{Value, json};

use super::super::{Form, Order, OrderErrorKind};
use super::*;

fn product_order(relations: &[(&str, &str, &str)]) -> Value {
    let items = ["1", "2", "3"].map(|id| {
        let own = relations.iter().filter(|(from, ..)| *from == id);
        let own: Vec<Value> =
            own.map(|(_, kind, to)| json!({ "relationshipType": kind, "id": to })).collect();
        json!({ "id": id, "action": "add", "productOrderItemRelationship": own })
    });
    json!({ "productOrderItem": items })
}

fn relied_on(order: &Order) -> Vec<Vec<usize>> {
    let on = |line: &Line| line.relies_on.iter().map(|reliance| reliance.on).collect();
    order.lines.iter().map(on).collect()
}

#[test]
fn the_words_that_mean_waiting_are_known_however_they_are_written() {
    for kind in ["reliesOn", "relies on", "ReliesOn", "dependency", "dependsOn", "requires"] {
        assert!(waits(kind), "{kind}");
        let order = Order::read(Form::ProductOrder, &product_order(&[("1", kind, "3")])).unwrap();
        assert_eq!(relied_on(&order), [vec![2], vec![], vec![]], "{kind}");
    }
    for kind in ["bundles", "bundledBy", "enables", "brings", "migratesTo", "cross-ref", ""] {
        assert!(!waits(kind), "{kind}");
    }
}

#[test]
fn relations_for_people_only_may_run_in_a_circle() {
    let document = product_order(&[("1", "enables", "2"), ("2", "reliesOn", "1")]);
    let order = Order::read(Form::ProductOrder, &document).unwrap();
    assert_eq!(relied_on(&order), [vec![], vec![0], vec![]]);
}

#[test]
fn each_standard_names_the_other_item_in_its_own_way() {
    let relation =
        |to: &str| json!([{ "relationshipType": "dependency", "orderItem": { "itemId": to } }]);
    let services = json!({ "serviceOrderItem": [
        { "id": "a", "action": "add", "service": {}, "serviceOrderItemRelationship": relation("b") },
        { "id": "b", "action": "add", "service": {} },
    ] });
    let order = Order::read(Form::ServiceOrder, &services).unwrap();
    assert_eq!(relied_on(&order), [vec![1], vec![]]);
    let resources = json!({ "orderItem": [
        { "id": "a", "action": "add" },
        { "id": "b", "action": "add", "orderItemRelationship": relation("a") },
    ] });
    let order = Order::read(Form::ResourceOrder, &resources).unwrap();
    assert_eq!(relied_on(&order), [vec![], vec![0]]);
}

#[test]
fn an_order_waits_for_others_by_its_own_relations_and_by_those_of_its_items() {
    let mut document = json!({
        "orderRelationship": [
            { "relationshipType": "dependency", "id": "first" },
            { "relationshipType": "cross-ref", "id": "told" },
            { "relationshipType": "dependency", "id": "first" },
        ],
        "serviceOrderItem": [{
            "id": "a", "action": "add", "service": {}, "serviceOrderItemRelationship": [
                { "relationshipType": "dependency", "orderItem": { "itemId": "1", "serviceOrderId": "second" } },
                { "relationshipType": "reliesOn", "orderItem": {
                    "itemId": "1", "serviceOrderHref": "/tmf-api/serviceOrdering/v4/serviceOrder/third" } },
                { "relationshipType": "enables", "orderItem": { "itemId": "1", "serviceOrderId": "told" } },
            ],
        }],
    });
    let after = |document: &Value| {
        let order = Order::read(Form::ServiceOrder, document).unwrap();
        order
            .after
            .into_iter()
            .map(|after| format!("{} {}", after.order, after.path))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        after(&document),
        [
            "second serviceOrderItem[0].serviceOrderItemRelationship[0].orderItem",
            "third serviceOrderItem[0].serviceOrderItemRelationship[1].orderItem",
            "first orderRelationship[0].id",
        ]
    );
    for (wrong, path) in [
        (json!([{ "relationshipType": "dependency" }]), "orderRelationship[0].id"),
        (json!([{ "id": "first" }]), "orderRelationship[0].relationshipType"),
        (json!({}), "orderRelationship"),
    ] {
        document["orderRelationship"] = wrong;
        let error = Order::read(Form::ServiceOrder, &document).unwrap_err();
        assert_eq!((error.path.as_str(), error.kind), (path, OrderErrorKind::Malformed));
    }
}

#[test]
fn relations_that_cannot_be_are_refused_with_their_path() {
    let mut ends = product_order(&[("1", "reliesOn", "2")]);
    ends["productOrderItem"][1]["action"] = json!("delete");
    let cases = [
        (
            product_order(&[("1", "reliesOn", "9")]),
            "[0].productOrderItemRelationship[0]",
            "no item `9`",
        ),
        (
            product_order(&[("2", "enables", "2")]),
            "[1].productOrderItemRelationship[0]",
            "relates to itself",
        ),
        (
            product_order(&[("1", "bundles", "1")]),
            "[0].productOrderItemRelationship[0]",
            "relates to itself",
        ),
        (ends, "[0].productOrderItemRelationship[0]", "which this order ends"),
        (product_order(&[("1", "reliesOn", "2"), ("2", "requires", "1")]), "", "in a circle"),
        (
            // 2 is a part of 1, which waits for 3; 3 waits for that part.
            product_order(&[
                ("2", "bundledBy", "1"),
                ("1", "reliesOn", "3"),
                ("3", "reliesOn", "2"),
            ]),
            "",
            "in a circle",
        ),
    ];
    for (document, path, message) in cases {
        let error = Order::read(Form::ProductOrder, &document).unwrap_err();
        assert_eq!(error.kind, OrderErrorKind::Inconsistent, "{error}");
        assert!(error.path.contains(path) && error.message.contains(message), "{error}");
    }
    let nested =
        product_order(&[("2", "bundledBy", "1"), ("2", "reliesOn", "1"), ("3", "bundledBy", "1")]);
    Order::read(Form::ProductOrder, &nested).unwrap();
    let nested = product_order(&[("2", "bundledBy", "1"), ("1", "reliesOn", "2")]);
    Order::read(Form::ProductOrder, &nested).unwrap();
}

#[test]
fn a_question_about_an_order_may_relate_its_items() {
    let quote = json!({ "quoteItem": [
        { "id": "1", "action": "add", "quoteItemRelationship": [{ "relationshipType": "reliesOn", "id": "2" }] },
        { "id": "2", "action": "add" },
    ] });
    assert_eq!(relied_on(&Order::read(Form::Quote, &quote).unwrap()), [vec![1], vec![]]);
}

#[test]
fn the_word_for_the_order_of_work_holds_for_all_that_an_item_is_made_of() {
    let both =
        product_order(&[("1", "dependency", "2"), ("1", "reliesOn", "2"), ("2", "requires", "3")]);
    let order = Order::read(Form::ProductOrder, &both).unwrap();
    let extents: Vec<Extent> =
        order.lines.iter().flat_map(|line| &line.relies_on).map(|relies| relies.extent).collect();
    assert_eq!(extents, [Extent::Whole, Extent::Uses]);
}
