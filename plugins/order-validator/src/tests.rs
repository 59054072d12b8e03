use ferrule_plugin::{Context, Failure, FailureClass, Validator};
use serde_json::{Value, json};

use super::{OrderValidator, Valid};

fn rules() -> Value {
    json!({
        "requirePlace": ["PS-RBA-01"],
        "requireCustomer": true,
        "requireBillingAccount": true,
        "maxQuantity": 10,
        "requiredWhen": [{
            "spec": "PS-MPA-01",
            "characteristic": "portIn",
            "equals": true,
            "requires": ["portNumber", "donorOperator"],
        }],
    })
}

/// An order with a customer, an account and these items.
fn order(items: &Value) -> Value {
    json!({
        "relatedParty": [{"id": "CUST-1", "role": "Customer"}],
        "billingAccount": {"id": "ACC-1"},
        "productOrderItem": items,
    })
}

fn item(id: &str, spec: &str) -> Value {
    json!({
        "id": id,
        "action": "add",
        "quantity": 1,
        "product": {"productSpecification": {"id": spec}, "place": [{"id": "ADDR-1"}]},
    })
}

fn validate(input: &Value) -> Result<Valid, Failure> {
    let context = Context::example(input);
    OrderValidator::validate(&context, context.input()?)
}

/// The problems of an order, or the number of its items.
fn check(order: &Value, rules: &Value) -> Result<u64, String> {
    match validate(&json!({"order": order, "rules": rules})) {
        Ok(Valid { items }) => Ok(items as u64),
        Err(failure) => {
            let sorted = (failure.class, failure.code.as_str());
            assert_eq!(sorted, (FailureClass::Reject, "ORDER_INVALID"));
            Err(failure.message)
        }
    }
}

fn problems(order: &Value) -> String {
    check(order, &rules()).unwrap_err()
}

#[test]
fn a_good_order_passes_and_its_items_are_counted() {
    let mut bundle = item("1", "PS-BUNDLE");
    bundle["productOrderItem"] = json!([item("1.1", "PS-RBA-01"), item("1.2", "PS-TV")]);
    assert_eq!(check(&order(&json!([bundle, item("2", "PS-MPA-01")])), &rules()), Ok(4));
}

#[test]
fn without_rules_only_what_makes_no_sense_is_refused() {
    let bare = json!({"id": "1", "action": "add"});
    assert_eq!(check(&json!({"productOrderItem": [bare]}), &json!({})), Ok(1));
    let empty = check(&json!({}), &json!({})).unwrap_err();
    assert_eq!(empty, "the order has no `productOrderItem`");
    let twice = json!({"productOrderItem": [item("1", "A"), item("1", "B")]});
    assert_eq!(check(&twice, &json!({})).unwrap_err(), "item `1`: `id` is used twice");
}

#[test]
fn every_problem_is_told_at_once() {
    let mut access = item("1", "PS-RBA-01");
    access["product"].as_object_mut().unwrap().remove("place");
    access["quantity"] = json!(11);
    let mut mobile = item("2", "PS-MPA-01");
    mobile["product"]["productCharacteristic"] = json!([
        {"name": "portIn", "value": true},
        {"name": "donorOperator", "value": ""},
    ]);
    let problems = problems(&json!({"productOrderItem": [access, mobile]}));
    assert_eq!(
        problems.split("; ").collect::<Vec<_>>(),
        [
            "the order has no `relatedParty` in the role `customer`",
            "item `1`: `quantity` is 11, at most 10 can be ordered",
            "item `1`: `product.place` is missing, `PS-RBA-01` needs one",
            "item `1`: `billingAccount` is missing",
            "item `2`: `billingAccount` is missing",
            "item `2`: characteristic `portNumber` of `PS-MPA-01` is missing where `portIn` is true",
            "item `2`: characteristic `donorOperator` of `PS-MPA-01` is missing where `portIn` is true",
        ]
    );
}

#[test]
fn items_inside_bundles_are_checked_and_use_what_the_bundle_has() {
    let mut inner = item("1.1", "PS-RBA-01");
    inner["product"].as_object_mut().unwrap().remove("place");
    let mut bundle = item("1", "PS-BUNDLE");
    bundle["productOrderItem"] = json!([inner]);
    assert_eq!(check(&order(&json!([bundle.clone()])), &rules()), Ok(2));
    bundle["product"].as_object_mut().unwrap().remove("place");
    assert_eq!(
        problems(&order(&json!([bundle]))),
        "item `1.1`: `product.place` is missing, `PS-RBA-01` needs one"
    );
}

#[test]
fn an_account_may_be_given_item_by_item() {
    let mut one = item("1", "A");
    one["billingAccount"] = json!({"id": "ACC-1"});
    let mut order = order(&json!([one, item("2", "B")]));
    order.as_object_mut().unwrap().remove("billingAccount");
    assert_eq!(problems(&order), "item `2`: `billingAccount` is missing");
}

#[test]
fn deleted_products_need_no_place_and_no_account() {
    let delete = json!({"id": "1", "action": "delete",
        "product": {"id": "P-1", "productSpecification": {"id": "PS-RBA-01"}}});
    let mut order = order(&json!([delete]));
    order.as_object_mut().unwrap().remove("billingAccount");
    assert_eq!(check(&order, &rules()), Ok(1));
}

#[test]
fn a_rule_may_name_the_offering() {
    let offered = json!({"id": "1", "action": "add", "productOffering": {"id": "PS-RBA-01"}});
    assert_eq!(
        problems(&order(&json!([offered]))),
        "item `1`: `product.place` is missing, `PS-RBA-01` needs one"
    );
}

#[test]
fn a_quantity_is_a_whole_number_from_one() {
    for quantity in [json!(0), json!(-1), json!(1.5), json!("2")] {
        let mut item = item("1", "A");
        item["quantity"] = quantity;
        let expected = "item `1`: `quantity` is not a whole number from 1";
        assert_eq!(problems(&order(&json!([item]))), expected);
    }
}

#[test]
fn a_hundred_problems_are_told_in_part() {
    let items: Vec<_> = (0..100)
        .map(|number| json!({"id": number.to_string(), "action": "add", "quantity": 0}))
        .collect();
    let problems = problems(&order(&json!(items)));
    assert!(problems.ends_with("; and 50 more"), "{problems}");
}

#[test]
fn a_misspelt_rule_is_for_a_person() {
    let input = json!({"order": order(&json!([])), "rules": {"requirePlaces": []}});
    let failure = validate(&input).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Operator, "BAD_INPUT"));
}

fn product(action: &str, characteristics: &Value) -> Value {
    json!({"id": "1", "action": action, "spec": "PS-MPA-01", "char": characteristics})
}

/// The problems of an order about a product that is to be so.
fn of_product(order: &Value, product: &Value) -> Result<u64, String> {
    let input = json!({"order": order, "products": [product], "rules": rules()});
    match validate(&input) {
        Ok(_) => Ok(1),
        Err(failure) => Err(failure.message),
    }
}

#[test]
fn a_change_is_checked_with_what_is_known_of_the_product() {
    let sent = json!({"productOrderItem": [{"id": "1", "action": "modify", "product": {
        "id": "p-1", "productCharacteristic": [{"name": "portIn", "value": true}],
    }}]});
    let known = json!({"portIn": true, "portNumber": "+61", "donorOperator": "OtherTel"});
    assert_eq!(of_product(&sent, &product("modify", &known)), Ok(1));
    let unknown = of_product(&sent, &product("modify", &json!({"portIn": true}))).unwrap_err();
    assert_eq!(
        unknown.split("; ").collect::<Vec<_>>(),
        [
            "item `1`: characteristic `portNumber` of `PS-MPA-01` is missing where `portIn` is true",
            "item `1`: characteristic `donorOperator` of `PS-MPA-01` is missing where `portIn` is true",
        ]
    );
    // What ends needs nothing any more.
    assert_eq!(of_product(&sent, &product("delete", &json!({"portIn": true}))), Ok(1));
}

#[test]
fn only_what_is_added_needs_a_customer() {
    let mut sent = order(&json!([{"id": "1", "action": "modify", "product": {"id": "p-1"}}]));
    sent.as_object_mut().unwrap().remove("relatedParty");
    assert_eq!(check(&sent, &rules()), Ok(1));
}
