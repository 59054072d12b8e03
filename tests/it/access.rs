//! Who may do what, with the program as it is shipped: keys that are made by the command line, and ends
//! that outlive a kill.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Answer, Output, Settings, World, ferrule, text};

const KEYS: &str = "/orchestration/v1/keys";

/// A server that demands credentials, without plugins.
async fn closed(access: &str) -> (World, TempDir) {
    let plugins = tempfile::tempdir().unwrap();
    let settings = Settings {
        plugins: Some(plugins.path().into()),
        tail: format!("[access]\nauthentication = \"required\"\n{access}"),
        ..Settings::default()
    };
    (World::with(settings).await, plugins)
}

async fn send(world: &World, credentials: &str, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("authorization", credentials), ("content-type", "application/json")];
    world.http.send(method, path, &headers, body.to_string()).await.unwrap()
}

/// The first key, made on the store of the server while it does not run.
async fn first_key(world: &mut World) -> String {
    let data = world.data();
    let data = data.to_str().unwrap();
    let new = ["key", "new", "root", "--role", "administrator", "--data", data];
    let busy = ferrule(&new).await;
    assert!(!busy.ok && busy.err.contains("a server runs on"), "{}", busy.err);
    assert!(busy.err.contains("--server"), "{}", busy.err);
    world.end().await;
    let made = ferrule(&new).await;
    assert!(made.ok, "{}", made.err);
    world.restart().await;
    made.out.trim().to_owned()
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[tokio::test]
async fn a_key_that_is_revoked_stays_so_after_a_kill() {
    let (mut world, _plugins) = closed("").await;
    let stranger = world.http.send("GET", KEYS, &[], "").await.unwrap();
    assert_eq!(stranger.status, 401);
    let root = bearer(&first_key(&mut world).await);
    let new = json!({ "name": "crm", "roles": ["agent"], "scope": ["TMF622:read"] });
    let made = send(&world, &root, "POST", KEYS, &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let crm = bearer(&text(&made.body["key"]));
    world.kill().await;
    world.restart().await;
    let orders = tmf::table::path("productOrder");
    assert_eq!(send(&world, &crm, "GET", orders, &json!({})).await.status, 200);
    assert_eq!(send(&world, &crm, "POST", orders, &json!({})).await.status, 403);
    let path = format!("{KEYS}/{}", text(&made.body["id"]));
    assert_eq!(send(&world, &root, "DELETE", &path, &json!({})).await.status, 204);
    world.kill().await;
    world.restart().await;
    assert_eq!(send(&world, &crm, "GET", orders, &json!({})).await.status, 401);
    let shown = send(&world, &root, "GET", &path, &json!({})).await;
    assert_eq!(shown.body["state"], "revoked", "{}", shown.text);
}

#[tokio::test]
async fn wrong_first_keys_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let table: [(&[&str], &str); 5] = [
        (&["--role", "admin"], "there is no role `admin`"),
        (&["--role", "reader", "--scope", "TMF9"], "no such API"),
        (&["--role", "reader", "--days", "731"], "1 to 730 days"),
        (&["--role", "vendor", "--plugin", "A B"], "no id of a plugin"),
        (&[], "--role"),
    ];
    for (arguments, expected) in table {
        let words = [&["key", "new", "crm", "--data", data], arguments].concat();
        let Output { ok, out, err, .. } = ferrule(&words).await;
        assert!(!ok && out.is_empty(), "{arguments:?}: {out}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
    assert!(!std::path::Path::new(data).exists());
}
