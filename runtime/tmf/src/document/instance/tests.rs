use serde_json::json;

use super::*;

fn service() -> Value {
    json!({
        "id": "s-1",
        "state": "active",
        "serviceOrderItem": [
            { "serviceOrderId": "f", "itemId": "2" },
            { "serviceOrderId": "g", "itemId": "1" },
        ],
        "supportingService": [{ "id": "s-2" }, { "id": "s-3" }],
    })
}

#[test]
fn an_instance_has_its_state_its_orders_and_its_parts() {
    let read = Instance::read("service", &service()).unwrap().unwrap();
    assert_eq!((read.id.as_str(), read.resource()), ("s-1", "service"));
    assert_eq!(read.state, State::Service(Some(ServiceState::Active)));
    assert_eq!(read.orders().collect::<Vec<_>>(), ["f", "g"]);
    assert_eq!(read.links[0].item(), Some("2"));
    assert!(read.leads_to("supportingService", "s-3"));
    assert!(!read.leads_to("supportingService", "s-"));
    assert!(!read.leads_to("supportingResource", "s-3"));
    assert_eq!(orders_of("service", &service()).collect::<Vec<_>>(), ["f", "g"]);
    assert_eq!(links_of(&service()), Ok(read.links));
    assert_eq!(Instance::read("customer", &json!({})), Ok(None));
}

#[test]
fn a_malformed_instance_is_refused_with_the_path() {
    for (resource, attribute, value, path) in [
        ("service", "id", json!(null), "id"),
        ("service", "state", json!("on"), "state"),
        ("product", "status", json!(7), "status"),
        ("resource", "usageState", json!("full"), "usageState"),
        ("service", "serviceOrderItem", json!({}), "serviceOrderItem"),
        ("service", "serviceOrderItem", json!([{ "itemId": 1 }]), "serviceOrderItem[0].itemId"),
    ] {
        let mut document = service();
        document[attribute] = value;
        let refused = Instance::read(resource, &document).unwrap_err();
        assert_eq!(refused.attribute, path, "{refused}");
    }
}
