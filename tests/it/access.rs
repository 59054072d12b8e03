//! Who may do what, with the program as it is shipped: keys that are made by the command line, and ends
//! that outlive a kill.

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Answer, Output, Receiver, Settings, World, eventually, ferrule, text};

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
    let audit = "/orchestration/v1/audit?action=POST%20keys";
    let told = send(&world, &root, "GET", audit, &json!({})).await;
    let actor = json!({ "subject": "local", "authentication": "folder" });
    assert_eq!(told.body[0]["actor"], actor, "{}", told.text);
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
    let table: [(&[&str], &str); 6] = [
        (&["--role", "admin"], "there is no role `admin`"),
        (&["--role", "reader", "--scope", "TMF9"], "is no API"),
        (&["--role", "reader", "--days", "731"], "1 to 730 days"),
        (&["--role", "vendor", "--plugin", "A B"], "no id of a plugin"),
        (&["--role", "reader", "--tenant", "acme"], "the settings have no `[tenants.acme]`"),
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

#[tokio::test]
async fn the_first_key_is_made_in_the_store_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let settings = format!("data = {:?}\n", path("data"));
    std::fs::write(path("ferrule.toml"), settings).unwrap();
    let words = ["key", "new", "root", "--role", "reader", "--config", &path("ferrule.toml")];
    let made = ferrule(&words).await;
    assert!(made.ok && made.out.starts_with("frl_"), "{}", made.err);
    assert!(folder.path().join("data/store").is_dir());
    let both = [&words[..], &["--server", "http://127.0.0.1:1"]].concat();
    let refused = ferrule(&both).await;
    assert!(!refused.ok && refused.err.contains("cannot be used with"), "{}", refused.err);
}

/// The key of an issuer, in the form of its file and as a signer.
fn issuer() -> (rcgen::KeyPair, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(key.public_key_raw());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "x": x });
    (key, json!({ "keys": [jwk] }).to_string())
}

fn token(key: &rcgen::KeyPair, claims: &Value) -> String {
    use rcgen::SigningKey as _;
    let header = json!({ "alg": "EdDSA", "kid": "one", "typ": "at+jwt" });
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encoded(&header), encoded(claims));
    let signature = key.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// The end of the tokens of these tests: far away, so that no clock matters.
const LATE: u64 = 7_258_118_400;

#[tokio::test]
async fn tokens_and_users_are_let_in_by_their_roles() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, set) = issuer();
    std::fs::write(path("keys.json"), set).unwrap();
    let user = |password: &str, roles: &str| {
        let hash = ferrule_with_input(&["user", "hash"], password);
        format!("[maria]\n{hash}roles = [{roles}]\n")
    };
    std::fs::write(path("users.toml"), user("correct horse\n", "\"reader\"")).unwrap();
    std::fs::set_permissions(path("users.toml"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let settings = format!(
        "users-file = {:?}\n[access.issuers.acme]\nissuer = \"https://acme.example.com\"\naudience = \"ferrule\"\n\
         keys-file = {:?}\nroles-claim = \"realm_access.roles\"\nroles = {{ sales = \"agent\" }}\n",
        path("users.toml"),
        path("keys.json"),
    );
    let (world, _plugins) = closed(&settings).await;
    let orders = tmf::table::path("productOrder");
    let get =
        async |credentials: &str| send(&world, credentials, "GET", orders, &json!({})).await.status;
    let claims = |roles: Value| {
        json!({ "iss": "https://acme.example.com", "aud": "ferrule", "sub": "crm", "exp": LATE,
            "realm_access": { "roles": roles } })
    };
    assert_eq!(get(&bearer(&token(&key, &claims(json!(["sales"]))))).await, 200);
    assert_eq!(get(&bearer(&token(&key, &claims(json!(["administrator"]))))).await, 403);
    assert_eq!(get(&bearer(&token(&issuer().0, &claims(json!(["sales"]))))).await, 401);
    let basic =
        |password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("maria:{password}")));
    assert_eq!(get(&basic("correct horse")).await, 200);
    assert_eq!(get(&basic("wrong horse")).await, 401);
    // The file changes while the server runs.
    std::fs::write(path("users.toml"), user("battery staple", "")).unwrap();
    let changed = async || (get(&basic("correct horse")).await == 401).then_some(());
    eventually("the file of users is read again", changed).await;
    assert_eq!(get(&basic("battery staple")).await, 403);
}

/// What the program prints for an input.
pub(crate) fn ferrule_with_input(arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferrule"));
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_subscription_goes_as_far_as_keys_of_its_owner_do() {
    let (mut world, _plugins) = closed("").await;
    let root = bearer(&first_key(&mut world).await);
    let people = tmf::table::path("individual");
    let hub = "/tmf-api/party/v4/hub";
    let key = async |world: &World| {
        let new = json!({ "name": "crm", "roles": ["agent"] });
        let made = send(world, &root, "POST", KEYS, &new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        (text(&made.body["id"]), bearer(&text(&made.body["key"])))
    };
    let person = async |world: &World| {
        let made =
            send(world, &root, "POST", people, &json!({ "givenName": "Ann", "familyName": "Lee" }))
                .await;
        assert_eq!(made.status, 201, "{}", made.text);
        text(&made.body["id"])
    };
    let (crm, all) = (Receiver::start().await, Receiver::start().await);
    let (id, first) = key(&world).await;
    for (owner, receiver) in [(&first, &crm), (&root, &all)] {
        let callback = json!({ "callback": receiver.url("/told") });
        let made = send(&world, owner, "POST", hub, &callback).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let is_about = |taken: &[(String, Value)], id: &str| {
        taken.iter().any(|(_, event)| event["event"]["individual"]["id"] == id)
    };
    let told = async |receiver: &Receiver, id: &str| {
        receiver.until("the last person is told", |taken| is_about(taken, id)).await
    };
    told(&crm, &person(&world).await).await;
    let revoked = send(&world, &root, "DELETE", &format!("{KEYS}/{id}"), &json!({})).await;
    assert_eq!(revoked.status, 204, "{}", revoked.text);
    let hidden = person(&world).await;
    told(&all, &hidden).await;
    world.kill().await;
    world.restart().await;
    let hidden_too = person(&world).await;
    told(&all, &hidden_too).await;
    key(&world).await;
    let taken = told(&crm, &person(&world).await).await;
    assert!(!is_about(&taken, &hidden) && !is_about(&taken, &hidden_too), "{taken:?}");
}
