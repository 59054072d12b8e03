//! Accepted and refused documents, and the errors of the refused ones.

mod samples;

use proptest::prelude::*;
use serde_json::json;

use super::value::DEPTH_MAX;
use super::*;
use crate::table::of_key;
use crate::table::tests::resources;

fn resource(key: &str) -> &'static Resource {
    of_key(key).unwrap().1
}

#[expect(clippy::needless_pass_by_value, reason = "a document is written where it is used")]
fn new(key: &str, body: Value) -> String {
    said(resource(key).check_new(&body))
}

#[expect(clippy::needless_pass_by_value, reason = "a document is written where it is used")]
fn patched(key: &str, before: Value, after: Value) -> String {
    said(resource(key).check_patched(&before, &after))
}

fn said(result: Result<(), Invalid>) -> String {
    match result {
        Ok(()) => "taken".into(),
        Err(invalid) => {
            let status = if invalid.kind.is_against_a_rule() { 422 } else { 400 };
            format!("{status} {:?} at {:?}: {invalid}", invalid.kind, invalid.path)
        }
    }
}

#[test]
fn a_document_is_an_object() {
    let expected = r#"400 NotAnObject at "": a document is a JSON object"#;
    for (_, resource) in resources() {
        for body in [json!([]), json!("text"), json!(1), json!(null)] {
            assert_eq!(said(resource.check_new(&body)), expected);
        }
    }
}

#[test]
fn every_mandatory_attribute_of_every_resource_is_asked_for() {
    for (_, resource) in resources() {
        for name in resource.mandatory {
            let mut body = json!({});
            for other in resource.mandatory.iter().filter(|other| *other != name) {
                body[*other] = json!({ "some": "thing" });
            }
            let expected = format!("400 Missing at {name:?}: `{name}` is missing");
            assert_eq!(said(resource.check_new(&body)), expected);
            for nothing in [json!(null), json!(""), json!([])] {
                body[*name] = nothing;
                assert_eq!(said(resource.check_new(&body)), expected);
            }
        }
    }
}

#[test]
fn a_wrong_type_is_found_in_depth() {
    let body = json!({
        "status": "active",
        "productPrice": [{ "priceType": "recurring", "price": { "taxRate": "much" } }],
    });
    let expected = "400 WrongType at \"productPrice[0].price.taxRate\": `productPrice[0].price.taxRate` is not a number";
    assert_eq!(new("product", body), expected);
    let product =
        |name: &str, value: Value| new("product", json!({ "status": "active", name: value }));
    assert_eq!(
        product("isBundle", json!("yes")),
        "400 WrongType at \"isBundle\": `isBundle` is not true or false"
    );
    assert_eq!(product("name", json!(1)), "400 WrongType at \"name\": `name` is not a string");
    assert_eq!(
        product("relatedParty", json!({})),
        "400 WrongType at \"relatedParty\": `relatedParty` is not an array"
    );
    assert_eq!(
        product("relatedParty", json!([1])),
        "400 WrongType at \"relatedParty[0]\": `relatedParty[0]` is not an object"
    );
    assert_eq!(product("@type", json!(1)), "400 WrongType at \"@type\": `@type` is not a string");
    let order = json!({ "productOrderItem": [{ "id": "1", "action": "add", "quantity": 1.5 }] });
    assert!(new("productOrder", order).contains("is not a whole number"));
}

#[test]
fn one_of_several_types_may_stand() {
    let order = |external: Value| {
        let item = json!({ "id": "1", "action": "add" });
        new("productOrder", json!({ "productOrderItem": [item], "externalId": external }))
    };
    assert_eq!(order(json!("a")), "taken");
    assert_eq!(order(json!([{ "id": "a", "owner": "crm" }])), "taken");
    assert!(order(json!([{ "owner": 1 }])).contains("`externalId[0].owner` is not a string"));
    assert!(order(json!(5)).contains("`externalId` is not a string"));
}

#[test]
fn an_unknown_value_is_told_those_that_are_known() {
    let order = json!({ "productOrderItem": [{ "id": "1", "action": "explode" }] });
    let expected = "400 UnknownValue at \"productOrderItem[0].action\": `productOrderItem[0].action` is one of \
                    `add`, `modify`, `delete`, `noChange`, not `explode`";
    assert_eq!(new("productOrder", order), expected);
    let stock = json!({ "productStockStatusType": "asleep", "productStockLevel": { "amount": 1 },
        "stockedProduct": { "name": "a" } });
    let expected = "400 UnknownValue at \"productStockStatusType\"";
    assert!(new("productStock", stock).starts_with(expected));
    assert!(new("product", json!({ "status": 1 })).starts_with("400 WrongType"));
}

#[test]
fn missing_nested_attributes_are_asked_for() {
    let order = json!({ "productOrderItem": [{ "id": "1" }] });
    let expected =
        "400 Missing at \"productOrderItem[0].action\": `productOrderItem[0].action` is missing";
    assert_eq!(new("productOrder", order), expected);
}

#[test]
fn the_smallest_product_order_is_taken() {
    let order = json!({
        "productOrderItem": [{ "id": "1", "action": "add" }],
        "relatedParty": [{ "id": "p", "role": "customer" }],
    });
    assert_eq!(new("productOrder", order), "taken");
}

#[test]
fn dates_are_taken_as_clients_write_them() {
    let product = |date: &str| new("product", json!({ "status": "active", "startDate": date }));
    for date in [
        "2026-03-12T02:00:00Z",
        "2026-03-12T02:00:00.123456789+05:30",
        "2026-03-12t02:00:00z",
        "2026-03-12T02:00:00+0100",
        "2026-03-12T02:00:00",
        "2026-03-12T02:00",
        "2026-03-12T02:00Z",
        "2026-03-12",
    ] {
        assert_eq!(product(date), "taken", "{date}");
    }
    for date in [
        "",
        "soon",
        "2026-13-12",
        "2026-02-30T00:00:00Z",
        "2026-03-12T25:00",
        "2026-03-12T02:00:00X",
        "12.3.2026",
        "2026-03-12T",
        "2026-03-12T02:00+1",
    ] {
        assert!(product(date).contains("`startDate` is not a date-time"), "{date}");
    }
}

#[test]
fn unknown_attributes_are_kept_and_null_is_absent() {
    let body = json!({
        "status": "active", "colour": { "deep": [1, null] }, "name": null, "relatedParty": [null],
        "productCharacteristic": [{ "name": "speed", "value": { "any": ["thing"] } }],
    });
    assert_eq!(new("product", body), "taken");
}

#[test]
fn attributes_that_only_the_server_sets_are_not_checked() {
    let item = json!({ "id": "1", "action": "add" });
    let body = json!({ "productOrderItem": [item], "state": 7, "id": "\n", "orderDate": "never" });
    assert_eq!(new("productOrder", body), "taken");
}

#[test]
fn ids_can_be_written_in_keys() {
    let product = |id: &str| {
        let party = json!([{ "id": id }]);
        new("product", json!({ "status": "active", "relatedParty": party }))
    };
    assert_eq!(product(&"a".repeat(200)), "taken");
    assert!(product(&"a".repeat(201)).starts_with("400 BadId at \"relatedParty[0].id\""));
    assert!(product("a\u{7f}").starts_with("400 BadId"));
    let unknown = json!({ "status": "active", "colour": [{ "id": "\n" }] });
    assert!(new("product", unknown).starts_with("400 BadId at \"colour[0].id\""));
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| json!({ "in": inner }))
}

#[test]
fn a_document_is_nested_so_deep_and_no_deeper() {
    assert_eq!(new("topic", nested(DEPTH_MAX)), "taken");
    let too_deep = new("topic", nested(DEPTH_MAX + 1));
    assert_eq!(too_deep, "400 TooDeep at \"\": a document is nested at most 32 deep");
    let with_leaf =
        |depth: usize| (1..depth).fold(json!({ "leaf": 1 }), |inner, _| json!({ "in": inner }));
    assert_eq!(new("topic", with_leaf(DEPTH_MAX)), "taken");
    assert!(new("topic", with_leaf(DEPTH_MAX + 1)).starts_with("400 TooDeep"));
}

#[test]
fn fixed_attributes_stay_and_the_same_value_is_accepted() {
    for (_, resource) in resources() {
        let before = json!({ "id": "1", "href": "/1", "name": "a" });
        assert_eq!(said(resource.check_patched(&before, &before)), "taken");
        for name in resource.fixed {
            let mut after = before.clone();
            after[*name] = json!("other");
            let expected = format!("400 Fixed at {name:?}: `{name}` cannot be changed");
            assert_eq!(said(resource.check_patched(&before, &after)), expected);
        }
    }
}

#[test]
fn a_state_that_cannot_follow_is_refused_for_every_resource() {
    for (_, resource) in resources() {
        let Some(lifecycle) =
            resource.lifecycle.filter(|lifecycle| !resource.fixed.contains(&lifecycle.attribute))
        else {
            continue;
        };
        for (from, _) in lifecycle.next {
            for (to, _) in lifecycle.next {
                let document = |state: &str| json!({ "id": "1", lifecycle.attribute: state });
                let result = resource.check_patched(&document(from), &document(to));
                let kind = result.err().map(|invalid| invalid.kind);
                let is_over =
                    resource.owner == Owner::Order && lifecycle.is_final(from) && from != to;
                let expected = match (is_over, lifecycle.allows(from, to)) {
                    (true, _) => Some(InvalidKind::Final),
                    (false, true) => None,
                    (false, false) => Some(InvalidKind::IllegalTransition),
                };
                assert_eq!(kind, expected, "`{}` from `{from}` to `{to}`", resource.name);
            }
        }
    }
}

#[test]
fn an_illegal_transition_names_the_legal_ones() {
    let refused =
        patched("product", json!({ "status": "created" }), json!({ "status": "suspended" }));
    let expected = "422 IllegalTransition at \"status\": `status` cannot go from `created` to `suspended`: \
                    after `created` comes `pendingActive`, `active`, `aborted`, `aborted `, `cancelled`";
    assert_eq!(refused, expected);
    let over = patched("service", json!({ "state": "terminated" }), json!({ "state": "active" }));
    assert!(over.ends_with("after `terminated` comes nothing"), "{over}");
}

#[test]
fn an_order_that_is_over_is_not_changed_at_all() {
    let refused = patched(
        "serviceOrder",
        json!({ "state": "failed" }),
        json!({ "state": "failed", "description": "x" }),
    );
    assert_eq!(
        refused,
        "422 Final at \"state\": a `serviceOrder` that is `failed` cannot be changed"
    );
}

#[test]
fn an_unknown_state_and_a_removed_one_are_refused() {
    let before = json!({ "status": "active" });
    assert!(
        patched("product", before.clone(), json!({ "status": "asleep" }))
            .starts_with("400 UnknownValue at \"status\"")
    );
    assert_eq!(
        patched("product", before, json!({})),
        "400 Missing at \"status\": `status` is missing"
    );
    assert!(patched("usage", json!({ "status": "rated" }), json!({})).starts_with("400 Missing"));
}

#[test]
fn stored_documents_with_errors_can_still_be_patched() {
    let before = json!({ "status": "active", "name": 1 });
    assert_eq!(
        patched("product", before.clone(), json!({ "status": "suspended", "name": 1 })),
        "taken"
    );
    assert!(
        patched("product", before, json!({ "status": "active", "name": 2 }))
            .contains("`name` is not a string")
    );
}

#[test]
fn a_view_shows_what_is_made_through_it() {
    let view = resources().find(|(_, resource)| resource.name == "physicalResource").unwrap().1;
    let body = json!({ "name": "a", "@type": "LogicalResource" });
    let expected = "400 UnknownValue at \"@type\": the `@type` of a `physicalResource` is \
                    `PhysicalResource`, not `LogicalResource`: a class of your own has \
                    `PhysicalResource` as its `@baseType`";
    assert_eq!(said(view.check_new(&body)), expected);
    let own = json!({ "name": "a", "@type": "MyRouter", "@baseType": "PhysicalResource" });
    assert_eq!(said(view.check_new(&own)), "taken");
    assert!(view.shows(&own) && !view.shows(&json!({ "@type": "MyRouter" })));
    assert_eq!(said(view.check_new(&json!({ "name": "a" }))), "taken");
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(vec!["id", "name", "status", "relatedParty", "@type", "x"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("active")),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(String::from), inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_taken_or_refused_with_its_path(body in any_json(), other in any_json()) {
        for (_, resource) in resources() {
            for result in [resource.check_new(&body), resource.check_patched(&body, &other)] {
                if let Err(invalid) = result {
                    prop_assert!(!invalid.message.is_empty());
                }
            }
        }
    }
}

#[test]
fn whole_numbers_are_those_that_are_kept_as_they_were_sent() {
    let cycle = |offset: &str| {
        let body = format!(r#"{{"name":"monthly","paymentDueDateOffset":{offset}}}"#);
        new("billingCycleSpecification", serde_json::from_str(&body).unwrap())
    };
    for good in ["14", "-3", "14.0", "9223372036854775807"] {
        assert_eq!(cycle(good), "taken", "{good}");
    }
    for bad in ["1.5", "80542030921910231465065918679622877184", "1e300"] {
        assert!(cycle(bad).contains("is not a whole number"), "{bad}");
    }
}

/// The definitions leave the words of a catalog to clients; ours follow each other as they are drawn.
#[test]
fn any_word_tells_where_an_entry_of_a_catalog_stands() {
    for key in
        ["productOffering", "serviceSpecification", "resourceCandidate", "usageSpecification"]
    {
        let body = |word: &str| json!({ "name": "a", "lifecycleStatus": word, "serviceSpecification": { "id": "s" } });
        for word in ["live", "In progress", "active", "In Study", "Außer Betrieb", ""] {
            assert_eq!(new(key, body(word)), "taken", "{key} `{word}`");
        }
        for (from, to) in [
            ("Active", "live"),
            ("live", "Obsolete"),
            ("In progress", "live"),
            ("active", "Retired"),
        ] {
            assert_eq!(patched(key, body(from), body(to)), "taken", "{key} `{from}` `{to}`");
        }
        for (from, to) in [("Obsolete", "Active"), ("active", "In Study"), ("in study", "Retired")]
        {
            let refused = patched(key, body(from), body(to));
            assert!(refused.starts_with("422 IllegalTransition"), "{key} {refused}");
        }
        assert!(new(key, json!({ "name": "a", "lifecycleStatus": 1 })).starts_with("400"), "{key}");
    }
}
