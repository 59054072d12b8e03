use serde_json::{Value, json};

use super::*;

const FORM: Form = Form::ServiceOrder;

fn changed_to(after: &Value) -> Option<Value> {
    let (before, after) = (service(), Attributes::of(after));
    modify(FORM, Attributes::of(&before), after).unwrap().map(|order| order.write(FORM.names()))
}

fn service() -> Value {
    json!({
        "id": "s-1",
        "href": "/service/s-1",
        "state": "active",
        "description": "the bearer of a home",
        "relatedParty": [{ "id": "c-1" }],
        "serviceSpecification": { "id": "RFS" },
        "serviceCharacteristic": [
            { "name": "down", "value": 200 },
            { "name": "up", "value": 20 },
        ],
        "serviceOrderItem": [{ "serviceOrderId": "f-0" }],
    })
}

#[test]
fn a_new_instance_is_ordered_as_it_is_described() {
    let order = add(FORM, Attributes::of(&service())).write(FORM.names());
    let item = &order["serviceOrderItem"][0];
    assert_eq!((&item["id"], &item["action"]), (&json!("1"), &json!("add")));
    let mut line = service();
    for name in ["id", "href", "serviceOrderItem"] {
        line.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(item["service"], line);
    let attributes =
        json!({ "description": "the bearer of a home", "relatedParty": [{ "id": "c-1" }] });
    assert_eq!(Value::Object(super::attributes(FORM, Attributes::of(&service()))), attributes);
    assert_eq!(order["relatedParty"][0]["id"], "c-1");
}

#[test]
fn only_other_values_are_changed() {
    let mut after = service();
    after["serviceCharacteristic"] = json!([{ "name": "down", "value": 500 }]);
    after["description"] = json!("a faster one");
    let order = changed_to(&after).unwrap();
    assert_eq!(
        order["serviceOrderItem"][0],
        json!({
            "id": "1",
            "action": "modify",
            "service": {
                "id": "s-1",
                "description": "a faster one",
                "relatedParty": [{ "id": "c-1" }],
                "serviceSpecification": { "id": "RFS" },
                "serviceCharacteristic": [{ "name": "down", "value": 500 }],
            },
        })
    );
}

#[test]
fn another_state_is_asked_for_and_the_last_one_is_an_end() {
    let mut after = service();
    after["state"] = json!("inactive");
    let order = changed_to(&after).unwrap();
    assert_eq!(order["serviceOrderItem"][0]["service"]["state"], "inactive");
    after["state"] = json!("terminated");
    let order = changed_to(&after).unwrap();
    assert_eq!(order, delete(Attributes::of(&service())).write(FORM.names()));
    assert_eq!(order["serviceOrderItem"][0]["action"], "delete");
    assert_eq!(order["serviceOrderItem"][0]["service"], json!({ "id": "s-1" }));
}

#[test]
fn attributes_that_the_inventory_alone_knows_are_no_work() {
    let mut after = service();
    after["description"] = json!("another");
    after["serviceCharacteristic"] = json!([{ "name": "up", "value": 20 }]);
    assert_eq!(changed_to(&after), None);
}
