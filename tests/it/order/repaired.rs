//! Orders that meet failures and get by.

use serde_json::json;

use crate::world::{World, pack_order};

#[tokio::test]
async fn an_element_that_fails_twice_is_asked_a_third_time() {
    let world = World::start().await;
    let fault =
        json!({ "element": "bng-1", "operation": "put vlans", "fault": "error", "times": 2 });
    world.network.fail(json!([fault])).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    let story = world.completed(&id).await;
    assert_eq!(story.count("retrying"), 2);
    let books = world.books().await;
    books.check_delivered(&id);
    let vlan = books.effects.iter().find(|effect| effect.operation == "put vlans").unwrap();
    assert_eq!((vlan.called, vlan.applied), (3, 1));
}

/// Each first write is carried out and its answer lost, and some of the looks at what came of it.
#[tokio::test]
async fn answers_that_are_lost_are_asked_for_again() {
    let lost = |(element, operation): (&str, &str)| json!({ "element": element, "operation": operation, "fault": "lost", "times": 1 });
    let world = World::start().await;
    world.network.fail(OPERATIONS.into_iter().map(lost).collect()).await;
    let ids = [
        world.submit(&pack_order("superfibre/gpon")).await,
        world.submit(&pack_order("mobile-4g/new-number")).await,
        world.submit(&pack_order("triple-play/nested")).await,
    ];
    let mut retries = 0;
    for id in &ids {
        retries += world.completed(id).await.count("retrying");
    }
    assert_eq!(retries, OPERATIONS.len());
    let books = world.books().await;
    ids.iter().for_each(|id| books.check_delivered(id));
    books.check_once();
    // The probe tells what the lost answer said, so that nothing is asked for twice.
    assert!(books.effects.iter().all(|effect| effect.called == 1), "{:?}", books.effects);
}

const OPERATIONS: [(&str, &str); 16] = [
    ("olt-1", "put onus"),
    ("bng-1", "put vlans"),
    ("bng-1", "get vlans"),
    ("bng-1", "put policies"),
    ("warehouse", "post shipments"),
    ("ipam", "put leases"),
    ("acs", "createDevice"),
    ("cloud-wifi", "post networks"),
    ("hss", "createSubscriber"),
    ("pcrf", "createPolicy"),
    ("ota", "put profiles"),
    ("hlr", "createProfile"),
    ("voicemail", "put mailboxes"),
    ("numbers", "post numbers"),
    ("ims", "createSubscriber"),
    ("iptv", "put accounts"),
];

/// Every element answers `accepted` and calls back, twice each.
#[tokio::test]
async fn answers_that_come_by_callback_are_waited_for() {
    let world = World::start().await;
    world.network.fail(json!([{ "fault": "async", "delayMs": 20, "duplicate": true }])).await;
    let ids = [
        world.submit(&pack_order("superfibre/hfc")).await,
        world.submit(&pack_order("mobile-4g/new-number")).await,
        world.submit(&pack_order("triple-play/nested")).await,
    ];
    for id in &ids {
        let story = world.completed(id).await;
        assert_eq!(story.count("waiting"), story.count("started"), "{story}");
    }
    let books = world.books().await;
    ids.iter().for_each(|id| books.check_delivered(id));
    books.check_once();
}

#[tokio::test]
async fn a_callback_with_failed_fails_the_step() {
    let world = World::start().await;
    let fault = json!({
        "element": "mnp", "fault": "async", "delayMs": 0,
        "outcome": "failed", "code": "E17", "message": "the donor does not know the number",
    });
    world.network.fail(json!([fault])).await;
    let id = world.submit(&pack_order("mobile-4g/port-in")).await;
    let held = world.held(&id).await;
    let failure = &held["failures"][0];
    assert!(failure["message"].as_str().unwrap().contains("the donor does not know"), "{failure}");
}

#[tokio::test]
async fn orders_that_need_an_operator_are_held_until_they_are_retried() {
    let world = World::start().await;
    world.network.fail(json!([{ "element": "mnp", "fault": "error", "status": 400 }])).await;
    let id = world.submit(&pack_order("mobile-4g/port-in")).await;
    let held = world.held(&id).await;
    assert_eq!(held["failures"].as_array().unwrap().len(), 1, "{held:#}");
    assert_eq!(held["failures"][0]["class"], "operator");
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "held");
    let message = &order["productOrderErrorMessage"][0];
    assert_eq!(message["code"], held["failures"][0]["code"], "{message}");
    // As long as the element is as it was, a retry changes nothing.
    world.retry(&id).await;
    world.held(&id).await;
    world.network.heal().await;
    world.retry(&id).await;
    world.completed(&id).await;
    let books = world.books().await;
    books.check_delivered(&id);
    let told = books.told("productOrder", &id);
    assert_eq!(told.last().unwrap(), "ProductOrderStateChangeEvent completed");
    assert!(told.contains(&"ProductOrderStateChangeEvent held".into()), "{told:?}");
    // Nothing is left to retry.
    let path = format!("/orchestration/v1/fulfilments/{id}/retry");
    let late = world.http.send("POST", &path, &[], "").await.unwrap();
    assert_eq!(late.status, 409, "{}", late.text);
}
