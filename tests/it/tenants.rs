//! Tenants of one server: each goes on with its own orders after the server was killed, and a wrong setting
//! of one is told by its name.

use std::collections::BTreeMap;

use serde_json::json;

use crate::kill::troubles;
use crate::world::{
    Books, Clients, Dice, Http, Settings, World, eventually, ferrule, pack_order, plugins_dir, text,
};

/// So often the server is killed while orders of both tenants are in flight.
const KILLS: usize = 4;

/// Orders of each in flight at one time.
const IN_FLIGHT: usize = 12;

/// Max records of a tenant between two kills.
const RECORDS_MAX: u64 = 60;

/// The orders of each: the pools of two tenants have the same values, and these go to different elements.
const ORDERS: [&str; 2] = ["mobile-4g/new-number", "superfibre/gpon"];

#[tokio::test]
async fn each_tenant_goes_on_with_its_own_orders_whenever_the_server_is_killed() {
    let mut dice = Dice::from_environment();
    let tenants = &["acme"];
    let mut world = World::with(Settings { tenants, ..Settings::default() }).await;
    world.network.fail(troubles()).await;
    let [of_first, of_second] = ORDERS.map(|order| vec![pack_order(order)]);
    let acme = world.tenant("acme");
    let of_default = Clients::begin(&world.http, of_first, IN_FLIGHT);
    let of_acme = Clients::begin(&acme, of_second, IN_FLIGHT);
    for _ in 0..KILLS {
        of_acme.see_records(dice.up_to(RECORDS_MAX)).await;
        of_default.see_records(dice.up_to(RECORDS_MAX)).await;
        world.kill().await;
        world.restart().await;
    }
    of_default.stop_ordering();
    of_acme.stop_ordering();
    let ids = [of_default.all_ended().await, of_acme.all_ended().await];
    let books = [world.books().await, Books::read(&acme, &world.network).await];
    for ((own, other), books) in [(&ids[0], &ids[1]), (&ids[1], &ids[0])].into_iter().zip(&books) {
        check(own, other, books);
    }
    books[0].check_once();
    // The audit of each is whole, and all are looked at.
    world.kill().await;
    let data = world.data();
    let verified = ferrule(&["audit", "verify", "--data", data.to_str().unwrap()]).await;
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("the default tenant:"), "{}", verified.out);
    assert!(verified.out.contains("tenant `acme`:"), "{}", verified.out);
    assert_eq!(verified.out.matches(" 0 faults").count(), 2, "{}", verified.out);
}

/// A tenant has its orders, each delivered, and none of the other.
fn check(own: &BTreeMap<String, String>, other: &BTreeMap<String, String>, books: &Books) {
    assert!(own.len() >= IN_FLIGHT);
    own.values().for_each(|id| books.check_delivered(id));
    let orders = books.of("productOrder");
    assert_eq!(orders.len(), own.len());
    assert!(other.values().all(|id| !orders.contains_key(id)));
    books.check_pools();
    books.check_outbox();
}

#[tokio::test]
async fn a_plugin_that_is_dropped_into_one_tenant_is_not_there_for_another() {
    const PLUGINS: &str = "/orchestration/v1/plugins";
    const RUNS: &str = "/orchestration/v1/workflows/six-steps/runs";
    let own = tempfile::tempdir().unwrap();
    let plugins = Some(own.path().to_owned());
    let world = World::with(Settings { tenants: &["acme"], plugins, ..Settings::default() }).await;
    let acme = world.tenant("acme");
    let noop = format!("{PLUGINS}/noop");
    let look = async |http: &Http, path: &str| http.send("GET", path, &[], "").await.unwrap();
    let is_there = async || (look(&acme, &noop).await.status == 200).then_some(());
    eventually("acme has its plugin", is_there).await;
    let done = acme.post(&format!("{RUNS}?wait=60s"), &json!({})).await;
    assert_eq!(done.body["state"], "completed", "{}", done.text);
    assert_eq!(world.http.get(PLUGINS).await, json!([]));
    for path in ["", "/shadow"] {
        let hidden = look(&world.http, &format!("{noop}{path}")).await;
        assert_eq!(hidden.status, 404, "{path}: {}", hidden.text);
    }
    let held = world.http.post(RUNS, &json!({})).await;
    assert_eq!(held.body["failures"][0]["code"], "PLUGIN_MISSING", "{}", held.text);
    // The same file in another folder is another plugin: it stays when acme removes its own.
    let removed = acme.send("DELETE", &noop, &[], "").await.unwrap();
    assert!(removed.status < 300, "{}", removed.text);
    let file = plugins_dir().await.join("noop.wasm");
    std::fs::copy(file, own.path().join("noop.wasm")).unwrap();
    let run = format!("/orchestration/v1/runs/{}", text(&held.body["id"]));
    let is_done = async || (world.http.get(&run).await["state"] == "completed").then_some(());
    eventually("the run of the default tenant is completed", is_done).await;
    assert_ne!(look(&acme, &noop).await.body["state"], "ready");
}

#[tokio::test]
async fn a_wrong_setting_of_a_tenant_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let start = async |text: &str| {
        std::fs::write(path("acme.toml"), text).unwrap();
        let server = format!(
            "data = {:?}\nplugins-dir = {:?}\nworkflows-dir = {:?}\n[tenants.acme]\nsettings = {:?}\n",
            path("data"),
            path("plugins"),
            path("workflows"),
            path("acme.toml")
        );
        std::fs::write(path("ferrule.toml"), server).unwrap();
        std::fs::create_dir_all(path("workflows")).unwrap();
        let config = path("ferrule.toml");
        let ran = ferrule(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.err
    };
    let folders = "plugins-dir = \"own\"\nworkflows-dir = \"workflows\"\n";
    for (text, reason) in [
        (
            format!("{folders}listen = \"127.0.0.1:1\"\n"),
            "sets `listen`, which holds for all tenants",
        ),
        (
            format!("{folders}[retention]\nruns-days = 2\nsubmissions-days = 3\n"),
            "tenant `acme` cannot be served",
        ),
        ("workflows-dir = \"workflows\"\n".into(), "has no `plugins-dir`"),
        (
            folders.replace("own", "plugins"),
            "the tenants `default` and `acme` have one folder of plugins",
        ),
        (format!("{folders}[limits]\nexports = 3\n"), "sets `limits.exports`"),
        ("plugins = ".into(), "line 1"),
    ] {
        let said = start(&text).await;
        assert!(said.contains(reason), "{text}: {said}");
    }
}
