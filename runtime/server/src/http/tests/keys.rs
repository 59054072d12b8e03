//! API keys over HTTP: made, used, narrowed, expired, revoked.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::super::permits;
use super::bench::{Answer, Bench};
use crate::access::keys::KEYS_MAX;
use crate::access::{Access, Authentication, Roles};

const KEYS: &str = "/orchestration/v1/keys";
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// A server that demands credentials, and the key of its administrator.
async fn closed(bench: Bench) -> (Bench, String) {
    let made = bench.post(KEYS, &json!({ "name": "root", "roles": ["administrator"] })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let access = Access::new(Authentication::Required, Roles::default());
    access.keys().add(Arc::clone(&bench.services.keys));
    (bench.with_access(access), key(&made))
}

fn key(made: &Answer) -> String {
    made.body["key"].as_str().unwrap().to_owned()
}

async fn call(bench: &Bench, key: &str, line: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    bench.send(line, &headers, Body::from(body.to_string())).await
}

async fn make(bench: &Bench, key: &str, body: &Value) -> Answer {
    call(bench, key, &format!("POST {KEYS}"), body).await
}

#[tokio::test]
async fn a_key_does_what_its_roles_and_its_scope_allow_until_it_is_revoked() {
    let (bench, root) = closed(Bench::new()).await;
    let body = json!({ "name": "crm", "roles": ["agent"], "scope": ["TMF622/productOrder:read"], "days": 7 });
    let made = make(&bench, &root, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    assert_eq!(made.body["state"], "active");
    assert_eq!(made.body["createdBy"], json!({ "subject": "root", "proof": "key" }));
    let crm = key(&made);
    let get = format!("GET {ORDERS}");
    assert_eq!(call(&bench, &crm, &get, &json!({})).await.status, StatusCode::OK);
    let post = format!("POST {ORDERS}");
    assert_eq!(call(&bench, &crm, &post, &json!({})).await.status, StatusCode::FORBIDDEN);
    // The secret is shown once.
    let listed = call(&bench, &root, &format!("GET {KEYS}"), &json!({})).await;
    assert_eq!(listed.header("x-total-count"), "2");
    assert!(!listed.text.contains("frl_"), "{}", listed.text);
    let row = listed.body.as_array().unwrap().iter().find(|row| row["name"] == "crm").unwrap();
    assert!(row["lastUsed"].is_string(), "{row}");
    // Nothing of it but the hash is stored.
    for (_, value) in bench.store_facts() {
        assert!(!String::from_utf8_lossy(&value).contains(&crm[31..]));
    }
    let delete = format!("DELETE {KEYS}/{}", made.body["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(call(&bench, &root, &delete, &json!({})).await.status, StatusCode::NO_CONTENT);
    }
    let refused = call(&bench, &crm, &get, &json!({})).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.text, call(&bench, "frl_x", &get, &json!({})).await.text);
    let unknown = call(&bench, &root, &format!("DELETE {KEYS}/x"), &json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_gives_no_more_than_its_maker_has() {
    let roles: std::collections::BTreeMap<String, crate::access::Role> = toml::from_str(
        r#"[keeper]
        allow = [{ api = "orchestration", resources = ["keys"], verbs = ["read", "act"] }]"#,
    )
    .unwrap();
    let roles = Roles::new(&roles, &permits::permissions()).unwrap();
    let bench = Bench::new();
    let made = bench.post(KEYS, &json!({ "name": "root", "roles": ["administrator"] })).await;
    let access = Access::new(Authentication::Required, roles);
    access.keys().add(Arc::clone(&bench.services.keys));
    let (bench, root) = (bench.with_access(access), key(&made));
    let body = json!({ "name": "k", "roles": ["keeper", "vendor"], "plugins": ["acme-olt"] });
    let keeper = key(&make(&bench, &root, &body).await);
    let body = json!({ "name": "n", "roles": ["administrator"], "scope": ["*"] });
    let narrowed = key(&make(&bench, &root, &body).await);
    let table = [
        (&keeper, json!({ "name": "1", "roles": ["keeper"] }), StatusCode::CREATED),
        (&keeper, json!({ "name": "1", "roles": ["reader"] }), StatusCode::FORBIDDEN),
        (&keeper, json!({ "name": "1", "roles": ["administrator"] }), StatusCode::FORBIDDEN),
        (
            &keeper,
            json!({ "name": "1", "roles": ["vendor"], "plugins": ["acme-olt"] }),
            StatusCode::CREATED,
        ),
        (
            &keeper,
            json!({ "name": "1", "roles": ["vendor"], "plugins": ["other"] }),
            StatusCode::FORBIDDEN,
        ),
        // A narrowed key would make one that is not.
        (&narrowed, json!({ "name": "1", "roles": ["administrator"] }), StatusCode::FORBIDDEN),
        // What belongs to the name of another's key would belong to it too.
        (&keeper, json!({ "name": " root", "roles": ["keeper"] }), StatusCode::CONFLICT),
        (&root, json!({ "name": "1", "roles": ["reader"] }), StatusCode::CREATED),
        (&keeper, json!({ "name": "1", "roles": ["keeper"] }), StatusCode::CONFLICT),
    ];
    for (maker, body, expected) in table {
        let made = make(&bench, maker, &body).await;
        assert_eq!(made.status, expected, "{body}: {}", made.text);
    }
}

#[tokio::test]
async fn wrong_keys_are_refused_with_their_attribute() {
    let bench = Bench::new();
    let table = [
        (json!({ "name": "a", "roles": ["redaer"] }), "roles", "did you mean `reader`?"),
        (json!({ "name": "a", "roles": [] }), "roles", "at least one role"),
        (json!({ "name": "", "roles": ["reader"] }), "name", "a name has"),
        (json!({ "name": "a", "roles": ["reader"], "days": 731 }), "days", "1 to 730 days"),
        (json!({ "name": "a", "roles": ["reader"], "days": 0 }), "days", "1 to 730 days"),
        (json!({ "name": "a", "roles": ["reader"], "scope": ["TMF9"] }), "scope", "is no API"),
        (
            json!({ "name": "a", "roles": ["vendor"], "plugins": ["A B"] }),
            "plugins",
            "no id of a plugin",
        ),
        (json!({ "name": "a", "roles": vec!["reader"; 65] }), "roles", "at most 64"),
    ];
    for (body, about, message) in table {
        let refused = bench.post(KEYS, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], about, "{body}");
        let told = refused.body["message"].as_str().unwrap();
        assert!(told.contains(message), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_repeated_request_makes_one_key() {
    let bench = Bench::new();
    let body = json!({ "name": "crm", "roles": ["agent"] });
    let send = async |body: &Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "one")];
        bench.send(&format!("POST {KEYS}"), &headers, Body::from(body.to_string())).await
    };
    let first = send(&body).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let again = send(&body).await;
    assert_eq!((again.status, &again.body["id"]), (StatusCode::OK, &first.body["id"]));
    assert!(again.body["key"].is_null());
    let other = send(&json!({ "name": "crm", "roles": ["reader"] })).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(bench.get(KEYS).await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_expires() {
    let (bench, hands) = Bench::at("2026-04-01T00:00:00Z");
    let (bench, root) = closed(bench).await;
    let get = format!("GET {KEYS}");
    hands.set("2026-06-29T23:59:59Z");
    assert_eq!(call(&bench, &root, &get, &json!({})).await.status, StatusCode::OK);
    hands.set("2026-06-30T00:00:00Z");
    assert_eq!(call(&bench, &root, &get, &json!({})).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_are_limited_and_ended_ones_make_room() {
    let bench = Bench::new();
    let body = json!({ "name": "many", "roles": ["reader"] });
    let mut last = Value::Null;
    for _ in 0..KEYS_MAX {
        let made = bench.post(KEYS, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        last = made.body["id"].clone();
    }
    let refused = bench.post(KEYS, &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("which is the limit: revoke"), "{}", refused.text);
    let delete = format!("DELETE {KEYS}/{}", last.as_str().unwrap());
    assert_eq!(bench.send(&delete, &[], Body::empty()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.post(KEYS, &body).await.status, StatusCode::CREATED);
    let page = bench.get(&format!("{KEYS}?offset=1000&limit=5")).await;
    assert_eq!((page.header("x-total-count"), page.header("x-result-count")), ("1001", "1"));
}

#[tokio::test]
async fn keys_survive_a_restart_with_their_ends() {
    let (bench, root) = closed(Bench::new()).await;
    let gone = make(&bench, &root, &json!({ "name": "gone", "roles": ["reader"] })).await;
    let id = gone.body["id"].as_str().unwrap();
    call(&bench, &root, &format!("DELETE {KEYS}/{id}"), &json!({})).await;
    let again = Bench::on(bench.store.clone());
    let access = Access::new(Authentication::Required, Roles::default());
    again.services.keys.load(access.roles(), &permits::permissions()).await.unwrap();
    access.keys().add(Arc::clone(&again.services.keys));
    let again = again.with_access(access);
    let get = format!("GET {KEYS}");
    assert_eq!(call(&again, &root, &get, &json!({})).await.status, StatusCode::OK);
    let refused = call(&again, &key(&gone), &get, &json!({})).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_open_stream_ends_with_its_key() {
    let (bench, root) = closed(Bench::new()).await;
    let made = make(&bench, &root, &json!({ "name": "watcher", "roles": ["reader"] })).await;
    let id = bench.run(1, "one").await;
    let path = format!("GET /orchestration/v1/fulfilments/{id}/events");
    let bearer = format!("Bearer {}", key(&made));
    let stream = bench.open(&path, &[("authorization", &bearer)], Body::empty()).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let mut body = stream.into_body();
    body.frame().await.unwrap().unwrap();
    let key = made.body["id"].as_str().unwrap();
    call(&bench, &root, &format!("DELETE {KEYS}/{key}"), &json!({})).await;
    // It would go on as long as the run waits for its element.
    while let Some(frame) = body.frame().await {
        frame.unwrap();
    }
}
