use serde_json::json;

use super::*;

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
    let order = add(Form::ServiceOrder, &service());
    let item = &order["serviceOrderItem"][0];
    assert_eq!((&item["id"], &item["action"]), (&json!("1"), &json!("add")));
    let mut line = service();
    for name in ["id", "href", "serviceOrderItem"] {
        line.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(item["service"], line);
    let attributes =
        json!({ "description": "the bearer of a home", "relatedParty": [{ "id": "c-1" }] });
    assert_eq!(Value::Object(super::attributes(Form::ServiceOrder, &service())), attributes);
    assert_eq!(order["relatedParty"][0]["id"], "c-1");
}

#[test]
fn only_what_is_another_is_changed() {
    let mut after = service();
    after["serviceCharacteristic"] = json!([{ "name": "down", "value": 500 }]);
    after["description"] = json!("a faster one");
    let order = modify(Form::ServiceOrder, &service(), &after).unwrap();
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
    let order = modify(Form::ServiceOrder, &service(), &after).unwrap();
    assert_eq!(order["serviceOrderItem"][0]["service"]["state"], "inactive");
    after["state"] = json!("terminated");
    let order = modify(Form::ServiceOrder, &service(), &after).unwrap();
    assert_eq!(order, delete(Form::ServiceOrder, &service()));
    assert_eq!(order["serviceOrderItem"][0]["action"], "delete");
    assert_eq!(order["serviceOrderItem"][0]["service"], json!({ "id": "s-1" }));
}

#[test]
fn what_the_inventory_alone_knows_is_no_work() {
    let mut after = service();
    after["description"] = json!("another");
    after["serviceCharacteristic"] = json!([{ "name": "up", "value": 20 }]);
    assert_eq!(modify(Form::ServiceOrder, &service(), &after), None);
}
