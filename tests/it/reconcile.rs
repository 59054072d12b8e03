//! The inventory compared with the network: changes there by hand are found, and
//! nothing else.

use serde_json::{Value, json};

use crate::world::{World, eventually, pack_order};

const PATH: &str = "/orchestration/v1/reconciliations";

/// Reconciles to the end.
async fn reconcile(world: &World, scope: &Value) -> Value {
    let asked = world.http.post(PATH, scope).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.body["id"].as_str().unwrap().to_string();
    ended(world, &id).await
}

async fn ended(world: &World, id: &str) -> Value {
    let path = format!("{PATH}/{id}");
    let look = async || {
        let now = world.http.get(&path).await;
        (now["state"] == "completed" || now["state"] == "failed").then_some(now)
    };
    let ended = eventually("the reconciliation has ended", look).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    ended
}

/// The kinds of what was found, with the elements.
fn kinds(reconciliation: &Value) -> Vec<String> {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_string();
    let findings = reconciliation["findings"].as_array().unwrap();
    let kinds = findings.iter();
    kinds.map(|one| format!("{} {}", text(one, "kind"), text(one, "element"))).collect()
}

/// Something that an element holds, and where it can be changed by hand.
async fn held(world: &World, element: &str) -> (String, Value) {
    let held = world.network.http.get(&format!("/_state/{element}")).await[0].clone();
    let place = |name: &str| held[name].as_str().unwrap().to_string();
    (format!("/_state/{element}/{}/{}", place("collection"), place("id")), held)
}

/// Has an element hold something else, as if by hand.
async fn by_hand(world: &World, method: &str, place: &str, body: &Value) {
    let done = world.network.http.send(method, place, &[], body.to_string()).await.unwrap();
    assert_eq!(done.status, 204, "{}", done.text);
}

/// The service that a specification has.
async fn service_of(world: &World, spec: &str) -> String {
    let path = tmf::table::path("service");
    let rows = world.http.list(path).await;
    let row = rows.iter().find(|row| row["serviceSpecification"]["id"] == spec).unwrap();
    row["id"].as_str().unwrap().to_string()
}

#[tokio::test]
async fn drifted_instances_are_found_by_name_and_nothing_else() {
    let world = World::start().await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&id).await;
    let before = world.books().await;
    let clean = reconcile(&world, &json!({})).await;
    assert_eq!(kinds(&clean), [""; 0], "{clean:#}");
    assert_eq!(clean["checked"], before.of("service").len(), "{clean:#}");
    assert_eq!(clean["asked"], before.state.len(), "all that the network holds: {clean:#}");

    // One thing is gone.
    let (port, was) = held(&world, "olt-1").await;
    by_hand(&world, "DELETE", &port, &Value::Null).await;
    let missing = reconcile(&world, &json!({})).await;
    assert_eq!(kinds(&missing), ["missingInNetwork olt-1"], "{missing:#}");
    let bearer = service_of(&world, "RFS-GPON-BEARER").await;
    assert_eq!(missing["findings"][0]["id"], *bearer);
    assert_eq!(missing["findings"][0]["key"], was["idempotencyKey"]);
    assert_eq!(missing["found"]["missingInNetwork"], 1);

    // One is another; the bearer is not asked about for it.
    let (policy, mut changed) = held(&world, "bng-1").await;
    let name = changed["config"].as_object().unwrap().keys().next().unwrap().clone();
    let expected = changed["config"][&name].clone();
    changed["config"][&name] = json!("by hand");
    by_hand(&world, "PUT", &policy, &changed).await;
    for scope in [json!({ "query": "state=active" }), json!({ "service": {} })] {
        let both = reconcile(&world, &scope).await;
        assert_eq!(kinds(&both).len(), 2, "{both:#}");
        let findings = both["findings"].as_array().unwrap();
        let differs = findings.iter().find(|one| one["kind"] == "differs").unwrap();
        let difference = json!([{ "name": name, "expected": expected, "found": "by hand" }]);
        assert_eq!(differs["differences"], difference, "{differs:#}");
    }
    let only = json!({ "serviceSpecification": { "id": "RFS-GPON-BEARER" } });
    let only = reconcile(&world, &only).await;
    assert_eq!((&only["checked"], kinds(&only).len()), (&json!(1), 1), "{only:#}");
    // With a service goes what supports it.
    let cfs = service_of(&world, "CFS-INTERNET-ACCESS").await;
    let one = reconcile(&world, &json!({ "service": { "id": cfs } })).await;
    assert_eq!((&one["checked"], kinds(&one).len()), (&json!(5), 2), "{one:#}");

    // An element that does not answer is not reported as missing anything.
    let down = json!([{ "element": "olt-1", "fault": "error", "status": 503 }]);
    world.network.fail(down).await;
    let unknown = reconcile(&world, &json!({ "service": { "id": bearer } })).await;
    world.network.heal().await;
    assert_eq!(kinds(&unknown), ["unknown olt-1"], "{unknown:#}");
    assert_eq!(unknown["found"]["missingInNetwork"], 0);
    assert_eq!(unknown["findings"][0]["code"], "ELEMENT_503", "{unknown:#}");

    // A missing instance is done again, once.
    let found = missing["id"].as_str().unwrap();
    let repair = format!("{PATH}/{found}/findings/1/repair");
    let asked = world.http.post(&repair, &json!({})).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let run = asked.body["run"]["id"].as_str().unwrap();
    world.completed(run).await;
    let again = world.http.post(&repair, &json!({})).await;
    assert_eq!(again.body["run"]["id"], run, "{}", again.text);
    let rest = reconcile(&world, &json!({})).await;
    assert_eq!(kinds(&rest), ["differs bng-1"], "{rest:#}");
    let (_, now) = held(&world, "olt-1").await;
    assert_eq!((&now["config"], &now["onuId"]), (&was["config"], &was["onuId"]));
    assert_ne!(now["idempotencyKey"], was["idempotencyKey"]);

    // Nothing of all this changed the inventory.
    let after = world.books().await;
    assert_eq!(after.of("service"), before.of("service"));
    assert_eq!(after.of("resource"), before.of("resource"));
}

#[tokio::test]
async fn leftovers_of_a_removed_service_are_found() {
    let mut world = World::start().await;
    let first = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&first).await;
    let (place, was) = held(&world, "bng-1").await;
    let mut order = pack_order("superfibre/gpon");
    order["productOrderItem"] =
        json!([{ "id": "1", "action": "delete", "product": { "id": format!("{first}-1") } }]);
    let id = world.submit(&order).await;
    world.completed(&id).await;
    let clean = reconcile(&world, &json!({})).await;
    assert_eq!(kinds(&clean), [""; 0], "{clean:#}");
    assert!(clean["asked"].as_u64() > Some(5), "removed instances are asked about: {clean:#}");
    by_hand(&world, "PUT", &place, &was).await;
    let left = reconcile(&world, &json!({ "query": "state=terminated" })).await;
    assert_eq!(kinds(&left), ["leftInNetwork bng-1"], "{left:#}");
    // An instance of another system is not ours to find.
    let other = json!({ "config": was["config"], "idempotencyKey": "other:1" });
    by_hand(&world, "PUT", &place, &other).await;
    let clean = reconcile(&world, &json!({})).await;
    assert_eq!(kinds(&clean), [""; 0], "{clean:#}");

    // A request that was open when the server was killed is done after.
    by_hand(&world, "PUT", &place, &was).await;
    let asked = world.http.post(PATH, &json!({})).await;
    world.kill().await;
    world.restart().await;
    let left = ended(&world, asked.body["id"].as_str().unwrap()).await;
    assert_eq!(kinds(&left), ["leftInNetwork bng-1"], "{left:#}");
    assert_eq!(world.http.total(PATH).await, 4);
}

/// A product is closed in the inventory, and no order ends its services. A service that was ordered
/// directly is in use by itself.
#[tokio::test]
async fn services_that_no_product_in_use_leads_to_are_orphans() {
    let world = World::start().await;
    let kept = world.submit(&pack_order("superfibre/gpon")).await;
    let closed = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&kept).await;
    world.completed(&closed).await;
    let direct = json!({ "serviceOrderItem": [{ "id": "1", "action": "add", "service": {
        "serviceSpecification": { "id": "RFS-GPON-BEARER" },
        "serviceCharacteristic": [
            { "name": "downMbps", "value": 200 },
            { "name": "upMbps", "value": 20 },
        ],
    } }] });
    let direct = world.http.post(tmf::table::path("serviceOrder"), &direct).await;
    assert_eq!(direct.status, 201, "{}", direct.text);
    world.completed(direct.body["id"].as_str().unwrap()).await;
    for scope in [json!({}), json!({ "resource": {} })] {
        let clean = reconcile(&world, &scope).await;
        assert_eq!(kinds(&clean), [""; 0], "{clean:#}");
    }

    let product = format!("{}/{closed}-1", tmf::table::path("product"));
    let headers = [("content-type", "application/merge-patch+json")];
    let patch = json!({ "status": "terminated" }).to_string();
    let patched = world.http.send("PATCH", &product, &headers, patch).await.unwrap();
    assert_eq!(patched.status, 200, "{}", patched.text);
    let books = world.books().await;
    let found = reconcile(&world, &json!({})).await;
    let mut services: Vec<_> =
        books.services(&closed).iter().map(|row| row["id"].clone()).collect();
    services.sort_by_key(Value::to_string);
    let findings = found["findings"].as_array().unwrap();
    let mut orphans: Vec<_> = findings.iter().map(|finding| finding["id"].clone()).collect();
    orphans.sort_by_key(Value::to_string);
    assert_eq!(orphans, services, "{found:#}");
    assert!(findings.iter().all(|finding| finding["kind"] == "orphaned"), "{found:#}");
    assert_eq!(found["found"]["orphaned"], services.len(), "{found:#}");
    let found = reconcile(&world, &json!({ "resource": {} })).await;
    assert_eq!(found["found"]["orphaned"], books.resources(&closed).len(), "{found:#}");

    // It is for a person: an orphan cannot be done again.
    let repair = format!("{PATH}/{}/findings/1/repair", found["id"].as_str().unwrap());
    assert_eq!(world.http.post(&repair, &json!({})).await.status, 422);
}
