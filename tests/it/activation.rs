//! Services and resources that are activated directly (TMF640, 702): a monitor shows how far they
//! are, and the elements have them.

use serde_json::{Value, json};

use crate::world::{Answer, World, eventually};

const SERVICES: &str = "/tmf-api/ServiceActivationAndConfiguration/v4/service";
const MONITORS: &str = "/tmf-api/ServiceActivationAndConfiguration/v4/monitor";
const RESOURCES: &str = "/tmf-api/ResourceActivationAndConfiguration/v4/resource";
const RESOURCE_MONITORS: &str = "/tmf-api/ResourceActivationAndConfiguration/v4/monitor";

fn bearer(down: u32) -> Value {
    json!({
        "name": "bearer of an office",
        "state": "active",
        "relatedParty": [{ "id": "CUST-1", "role": "Customer", "@referredType": "Customer" }],
        "serviceSpecification": { "id": "RFS-GPON-BEARER" },
        "serviceCharacteristic": [
            { "name": "downMbps", "value": down },
            { "name": "upMbps", "value": 20 },
        ],
    })
}

fn policy() -> Value {
    json!({
        "name": "policy of a trunk",
        "description": "agreed with the carrier",
        "resourceSpecification": { "id": "RS-BW-POLICY" },
        "resourceCharacteristic": [{ "name": "down", "value": 900 }, { "name": "up", "value": 90 }],
    })
}

/// The path of the monitor that an answer leads to.
fn monitor_of(answer: &Answer) -> String {
    let link = answer.headers["link"].to_str().unwrap();
    assert!(link.ends_with(">; rel=\"monitor\""), "{link}");
    let url = link.split(['<', '>']).nth(1).unwrap();
    url[url.find("/tmf-api").unwrap()..].to_string()
}

/// The monitor of a request when it is in progress no more.
async fn settled(world: &World, answer: &Answer) -> Value {
    let path = monitor_of(answer);
    eventually("the monitor has settled", async || {
        let monitor = world.http.get(&path).await;
        (monitor["state"] != "InProgress").then_some(monitor)
    })
    .await
}

async fn send(world: &World, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/merge-patch+json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    world.http.send(method, path, &headers, body).await.unwrap()
}

#[tokio::test]
async fn a_service_is_activated_changed_and_removed() {
    let world = World::start().await;
    let posted = world.http.post(SERVICES, &bearer(200)).await;
    assert_eq!(posted.status, 201, "{}", posted.text);
    let id = posted.body["id"].as_str().unwrap().to_string();
    let path = format!("{SERVICES}/{id}");
    assert!(posted.headers["location"].to_str().unwrap().ends_with(&path));
    assert_eq!(posted.body["name"], "bearer of an office");
    assert!(posted.body["serviceDate"].is_string(), "{}", posted.body);
    let monitor = settled(&world, &posted).await;
    assert_eq!(monitor["state"], "Completed", "{monitor:#}");
    assert!(monitor["sourceHref"].as_str().unwrap().ends_with(&id), "{monitor:#}");
    assert_eq!(monitor["request"]["method"], "POST");
    assert_eq!(monitor["response"]["statusCode"], "201");
    let said: Value = serde_json::from_str(monitor["response"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&said["id"], &said["state"]), (&json!(id), &json!("active")));
    let service = world.http.get(&path).await;
    assert_eq!(
        (&service["state"], &service["name"]),
        (&json!("active"), &json!("bearer of an office"))
    );
    assert_eq!(service["supportingResource"].as_array().unwrap().len(), 1, "{service:#}");
    assert_eq!(world.network.state().await.len(), 1);

    let faster = json!({ "serviceCharacteristic": [{ "name": "downMbps", "value": 500 }],
        "description": "a faster one" });
    let patched = send(&world, "PATCH", &path, &faster).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    assert_eq!(patched.body["description"], "a faster one");
    assert_eq!(settled(&world, &patched).await["state"], "Completed");
    let service = world.http.get(&path).await;
    let down = service["serviceCharacteristic"].as_array().unwrap().iter();
    let down: Vec<_> = down.map(|one| (&one["name"], &one["value"])).collect();
    let expected = [("downMbps", 500), ("upMbps", 20)].map(|(n, v)| (json!(n), json!(v)));
    assert_eq!(down, expected.iter().map(|(name, value)| (name, value)).collect::<Vec<_>>());
    let state = world.network.state().await;
    assert!(state.len() == 1 && state[0].to_string().contains("500"), "{state:#?}");

    let deleted = send(&world, "DELETE", &path, &Value::Null).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    assert_eq!(settled(&world, &deleted).await["state"], "Completed");
    assert_eq!(world.http.send("GET", &path, &[], "").await.unwrap().status, 404);
    assert!(world.network.state().await.is_empty());
    let monitors = world.http.get(MONITORS).await;
    assert_eq!(monitors.as_array().unwrap().len(), 3);
    let books = world.books().await;
    for effect in &books.effects {
        assert_eq!(effect.applied, 1, "{effect:?}");
    }
    let order = posted.body["serviceOrderItem"][0]["serviceOrderId"].as_str().unwrap();
    let told = books.told("monitor", order);
    assert!(told.contains(&"MonitorStateChangeEvent Completed".to_string()), "{told:?}");
}

#[tokio::test]
async fn a_request_that_is_repeated_is_carried_out_once() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let headers = [("idempotency-key", "k-1")];
        let answer = world.http.post_with(SERVICES, &headers, &bearer(100)).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(settled(&world, &answer).await["state"], "Completed");
        ids.push(answer.body["id"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(world.network.state().await.len(), 1);
    assert_eq!(world.http.get(MONITORS).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_refused_by_the_network_is_in_error_and_leaves_nothing() {
    let world = World::start().await;
    let fault =
        json!({ "element": "olt-1", "operation": "put onus", "fault": "error", "status": 409 });
    world.network.fail(json!([fault])).await;
    let answer = world.http.post(SERVICES, &bearer(200)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let monitor = settled(&world, &answer).await;
    assert_eq!(monitor["state"], "InError", "{monitor:#}");
    let said: Value = serde_json::from_str(monitor["response"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(said["code"], "ELEMENT_CONFLICT", "{monitor:#}");
    let path = format!("{SERVICES}/{}", answer.body["id"].as_str().unwrap());
    assert_eq!(world.http.get(&path).await["state"], "terminated");
    assert!(world.network.state().await.is_empty());
    let deleted = send(&world, "DELETE", &path, &Value::Null).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    assert_eq!(world.http.send("GET", &path, &[], "").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_resource_is_activated_changed_and_removed() {
    let world = World::start().await;
    let posted = world.http.post(RESOURCES, &policy()).await;
    assert_eq!(posted.status, 201, "{}", posted.text);
    let path = format!("{RESOURCES}/{}", posted.body["id"].as_str().unwrap());
    let monitor = settled(&world, &posted).await;
    assert_eq!(monitor["state"], "Completed", "{monitor:#}");
    let resource = world.http.get(&path).await;
    assert_eq!(resource["usageState"], "busy", "{resource:#}");
    assert_eq!(resource["description"], "agreed with the carrier", "{resource:#}");
    assert!(world.network.state().await[0].to_string().contains("900"));

    let faster = json!({ "resourceCharacteristic": [{ "name": "down", "value": 950 }] });
    let patched = send(&world, "PATCH", &path, &faster).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    assert_eq!(settled(&world, &patched).await["state"], "Completed");
    let resource = world.http.get(&path).await;
    assert_eq!(resource["name"], "policy of a trunk", "{resource:#}");
    let down = resource["resourceCharacteristic"].as_array().unwrap().iter();
    let down = down.clone().find(|one| one["name"] == "down").unwrap();
    assert_eq!(down["value"], 950, "{resource:#}");
    assert!(world.network.state().await[0].to_string().contains("950"));

    let deleted = send(&world, "DELETE", &path, &Value::Null).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    assert_eq!(settled(&world, &deleted).await["state"], "Completed");
    assert_eq!(world.http.send("GET", &path, &[], "").await.unwrap().status, 404);
    assert!(world.network.state().await.is_empty());
    assert_eq!(world.http.get(RESOURCE_MONITORS).await.as_array().unwrap().len(), 3);
}
