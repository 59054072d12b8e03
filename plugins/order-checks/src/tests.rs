use ferrule_plugin::{Context, FailureClass};
use serde_json::{Value, json};

use super::*;

const OWN: &str = "f-2";

fn order() -> Value {
    json!({
        "relatedParty": [{ "id": "CUST-1", "role": "Customer" }],
        "billingAccount": { "id": "ACC-1" },
        "productOrderItem": [{
            "id": "1",
            "action": "add",
            "productOffering": { "id": "PO-1" },
            "product": { "place": [{ "id": "ADDR-1", "postcode": "8004" }] },
        }],
    })
}

fn customer(score: i64, rating: i64) -> Value {
    let always = json!({ "startDateTime": "2020-01-01T00:00:00Z" });
    json!({ "id": "CUST-1", "creditProfile": [
        { "creditProfileDate": "2026-01-01", "creditScore": score, "creditRiskRating": rating,
          "validFor": always },
        { "creditProfileDate": "2025-01-01", "creditScore": 999, "validFor": always },
        { "creditProfileDate": "2026-02-01", "creditScore": 999,
          "validFor": { "endDateTime": "2026-02-02T00:00:00Z" } },
    ]})
}

fn bill(id: &str, due: &str, left: f64) -> Value {
    let left = json!({ "unit": "USD", "value": left });
    json!({ "id": id, "paymentDueDate": due, "remainingAmount": left })
}

/// The verdict on an order with these rules and facts.
fn check(rules: &Value, facts: &Facts) -> Result<Vec<String>, (FailureClass, String, String)> {
    let mut input = json!({ "order": order(), "today": "2026-03-10" });
    input.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    let input: Input = serde_json::from_value(input).unwrap();
    match verdict(findings(&input, facts, OWN)) {
        Ok(passed) => Ok(passed.notes),
        Err(failure) => Err((failure.class, failure.code, failure.message)),
    }
}

fn facts() -> Facts {
    Facts { customer: Some("CUST-1".into()), ..Facts::default() }
}

fn rejected(code: &str, message: &str) -> Result<Vec<String>, (FailureClass, String, String)> {
    Err((FailureClass::Reject, code.into(), message.into()))
}

#[test]
fn a_low_score_is_refused_and_a_good_one_passes() {
    let rules = json!({ "credit": { "minScore": 400, "maxRating": 5 } });
    let with = |score, rating| Facts { profile: Some(customer(score, rating)), ..facts() };
    assert_eq!(check(&rules, &with(400, 5)), Ok(vec![]));
    assert_eq!(
        check(&rules, &with(399, 6)),
        rejected(
            "CREDIT_LOW",
            "`relatedParty` `CUST-1`: `creditProfile.creditScore` is 399, at least 400 is needed; \
             `relatedParty` `CUST-1`: `creditProfile.creditRiskRating` is 6, at most 5 is taken"
        )
    );
}

#[test]
fn who_has_no_profile_is_what_the_rules_say() {
    assert_eq!(check(&json!({ "credit": { "minScore": 400 } }), &facts()), Ok(vec![]));
    let rules = json!({ "credit": { "minScore": 400, "unknown": "operator" } });
    let message = "`relatedParty` `CUST-1`: has no credit profile that is valid today";
    let expected = (FailureClass::Operator, "CREDIT_UNKNOWN".to_string(), message.to_string());
    assert_eq!(check(&rules, &facts()), Err(expected));
}

#[test]
fn overdue_bills_count_and_bills_not_yet_due_do_not() {
    let rules = json!({ "credit": { "maxOverdue": "50" } });
    let mut facts = facts();
    facts.bills = vec![bill("b-1", "2026-03-09", 50.0), bill("b-2", "2026-03-10", 90.0)];
    assert_eq!(check(&rules, &facts), Ok(vec![]));
    facts.bills.push(bill("b-3", "2026-01-01T00:00:00Z", 0.5));
    assert_eq!(
        check(&rules, &facts),
        rejected(
            "CREDIT_OVERDUE",
            "`relatedParty` `CUST-1`: owes 50.5 USD on bills past `paymentDueDate`, at most 50 is \
             let pass"
        )
    );
}

#[test]
fn a_place_that_is_not_served_is_refused() {
    let served = |rules: Value| check(&json!({ "address": rules }), &facts());
    assert_eq!(served(json!({})), Ok(vec![]));
    assert_eq!(served(json!({ "served": ["8004"] })), Ok(vec![]));
    assert_eq!(served(json!({ "specs": ["PO-2"], "served": ["8005"] })), Ok(vec![]));
    let refused =
        rejected("ADDRESS_NOT_SERVED", "item `1`: `product.place` `ADDR-1` is not served");
    assert_eq!(served(json!({ "served": ["8005"] })), refused);
    assert_eq!(served(json!({ "served": ["8004"], "notServed": ["ADDR-1"] })), refused);
}

#[test]
fn a_place_that_is_not_said_is_unknown_where_only_some_are_served() {
    let mut nowhere = order();
    nowhere["productOrderItem"][0].as_object_mut().unwrap().remove("product");
    let served = |rules: Value| {
        let input = json!({ "order": nowhere, "today": "2026-03-10", "address": rules });
        let input: Input = serde_json::from_value(input).unwrap();
        findings(&input, &facts(), OWN).len()
    };
    assert_eq!(served(json!({ "notServed": ["9999"] })), 0);
    assert_eq!(served(json!({ "served": ["8004"] })), 1);
}

#[test]
fn the_same_for_the_same_place_is_a_duplicate() {
    let rules = json!({ "duplicate": {} });
    let mut other = order();
    other["id"] = json!("f-1");
    other["state"] = json!("held");
    let with = |order: &Value| Facts { orders: vec![order.clone()], ..facts() };
    assert_eq!(
        check(&rules, &with(&other)),
        rejected(
            "ORDER_DUPLICATE",
            "item `1`: `productOffering` `PO-1` is there for `ADDR-1` already: order `f-1`, which \
             is `held`"
        )
    );
    let noted = check(&json!({ "duplicate": { "otherwise": "note" } }), &with(&other)).unwrap();
    assert_eq!(noted.len(), 1);
    let elsewhere = json!({ "duplicate": { "offerings": ["PO-2"] } });
    assert_eq!(check(&elsewhere, &with(&other)), Ok(vec![]));
    other["productOrderItem"][0]["product"]["place"][0]["id"] = json!("ADDR-2");
    assert_eq!(check(&rules, &with(&other)), Ok(vec![]));
    let mut ended = order();
    ended["state"] = json!("cancelled");
    assert_eq!(check(&rules, &with(&ended)), Ok(vec![]));
}

#[test]
fn a_product_that_is_there_is_a_duplicate_unless_it_is_of_this_order() {
    let rules = json!({ "duplicate": { "otherwise": "operator" } });
    let product = |maker: &str| {
        json!({ "id": "p-1", "status": "active", "productOffering": { "id": "PO-1" },
            "place": [{ "id": "ADDR-1" }], "productOrderItem": [{ "productOrderId": maker }] })
    };
    let with = |maker| Facts { products: vec![product(maker)], ..facts() };
    let (class, code, message) = check(&rules, &with("f-1")).unwrap_err();
    assert_eq!((class, code.as_str()), (FailureClass::Operator, "ORDER_DUPLICATE"));
    assert!(message.ends_with("already: product `p-1`"), "{message}");
    assert_eq!(check(&rules, &with(OWN)), Ok(vec![]));
}

#[test]
fn a_misspelt_rule_is_for_the_operator() {
    let input = json!({ "order": order(), "today": "2026-03-10", "credits": {} });
    let failure = Context::example(&input).input::<Input>().err().unwrap();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Operator, "BAD_INPUT"));
}
