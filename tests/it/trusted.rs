//! Who must vouch for plugins: certificates over the API, and keys that are taken away while the server runs.

use std::io::Cursor;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use host::certificate::{Certificate, SCHEMA, Statement};
use host::provenance::Moment;
use minisign::KeyPair;
use model::Digest;
use tmf::time::Timestamp;

use crate::world::{Answer, Settings, World, eventually, repository};

const NOOP: &str = "/orchestration/v1/plugins/noop";

fn certificate(pair: &KeyPair, bytes: &[u8]) -> String {
    let statement = Statement {
        schema: SCHEMA,
        plugin: "noop".into(),
        version: "0.1.0".into(),
        digest: Digest::of(bytes),
        tested_at: Moment(Timestamp(1_800_000_000_000)),
        tested_by: "0.1.0".into(),
        cases: Digest::of(b"cases"),
        passed: vec!["line/plain".into()],
        failed: Vec::new(),
        left_out: Vec::new(),
    };
    let statement = serde_json::to_string(&statement).unwrap();
    let signature = minisign::sign(None, &pair.sk, Cursor::new(&statement), None, None);
    let signature = signature.unwrap().into_string();
    serde_json::to_string(&Certificate { statement, signature }).unwrap()
}

async fn put(world: &World, bytes: &[u8], certificate: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/wasm")];
    headers.extend(certificate.map(|sent| ("plugin-certificate", sent)));
    world.http.send("PUT", NOOP, &headers, bytes.to_vec()).await.unwrap()
}

#[tokio::test]
async fn a_server_takes_certified_plugins_in_and_follows_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let [plugins, workflows] = ["plugins", "workflows"].map(|name| folder.path().join(name));
    std::fs::create_dir(&plugins).unwrap();
    std::fs::create_dir(&workflows).unwrap();
    let [lab, other] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
    let key = folder.path().join("lab.pub");
    let write =
        |pair: &KeyPair| std::fs::write(&key, pair.pk.to_box().unwrap().to_string()).unwrap();
    write(&lab);
    let world = World::with(Settings {
        plugins: Some(plugins.to_path_buf()),
        workflows: Some(workflows),
        tail: format!(
            "[install]\ncertificates = \"required\"\n\
             [install.certifiers]\nlab = {{ file = {key:?}, ids = [\"no*\"] }}\n"
        ),
        ..Settings::default()
    })
    .await;
    let noop = repository().join("runtime/host/tests/contract-0.1/noop.wasm");
    let noop = std::fs::read(noop).unwrap();
    let sent = |pair: &KeyPair| BASE64_STANDARD.encode(certificate(pair, &noop));
    let rows = [
        (None, 422, "ferrule plugin certify"),
        (Some("~".to_owned()), 400, "Plugin-Certificate"),
        (Some(BASE64_STANDARD.encode("{}")), 422, "the certificate cannot be read"),
        (Some(sent(&other)), 422, "[install.certifiers]"),
    ];
    for (certificate, status, reason) in rows {
        let refused = put(&world, &noop, certificate.as_deref()).await;
        assert!(refused.status == status && refused.text.contains(reason), "{}", refused.text);
        assert!(!plugins.join("noop.wasm").exists());
    }
    let taken = put(&world, &noop, Some(&sent(&lab))).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let certified = &world.http.get(NOOP).await["versions"][0]["provenance"]["certified"];
    assert_eq!((&certified["key"], &certified["cases"][0]), (&"lab".into(), &"line".into()));
    assert!(plugins.join("noop.wasm.cert").exists());
    write(&other);
    let untrusted = || async { world.http.get(NOOP).await["versions"][0]["untrusted"].to_string() };
    eventually("the key is taken away", async || {
        untrusted().await.contains("not trusted").then_some(())
    })
    .await;
    assert!(world.http.get(NOOP).await["current"].is_string(), "the plugin goes on");
    write(&lab);
    eventually("the key is back", async || (untrusted().await == "null").then_some(())).await;
}
