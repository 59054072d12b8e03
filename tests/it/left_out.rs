//! A pack with a mistake is left out and the others serve. What it delivered stays as it is: it is
//! neither changed nor ended by half, and goes on once the pack is mended.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Settings, World, copy, eventually, pack_order, repository};

const PACKS: &str = "/orchestration/v1/packs";
const MOBILE: &str = "mobile-4g/new-number";
const FIBRE: &str = "superfibre/gpon";

/// A copy of the shipped packs, with a world that uses it.
struct Shop {
    packs: TempDir,
    world: World,
}

impl Shop {
    async fn open(change: impl FnOnce(&Path)) -> Self {
        let packs = tempfile::tempdir().unwrap();
        copy(&repository().join("workflows"), packs.path());
        change(packs.path());
        let workflows = Some(packs.path().to_path_buf());
        let world = World::with(Settings { workflows, ..Settings::default() }).await;
        Self { packs, world }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.packs.path().join(file)
    }

    async fn restart(&mut self) {
        self.world.end().await;
        self.world.restart().await;
    }

    /// What is told of a pack.
    async fn pack(&self, name: &str) -> Value {
        let packs = self.world.http.get(PACKS).await;
        let mut packs = packs.as_array().unwrap().iter();
        packs.find(|pack| pack["name"] == name).unwrap_or(&Value::Null).clone()
    }

    async fn product(&self, order: &str) -> String {
        let order = self.world.order("productOrder", order).await;
        order["productOrderItem"][0]["product"]["id"].as_str().unwrap().to_string()
    }

    /// Sends an order, which is held since its pack is left out.
    async fn held(&self, order: &Value) -> String {
        let path = tmf::table::path("productOrder");
        let answer = self.world.http.post(path, order).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = answer.body["id"].as_str().unwrap().to_string();
        let held = self.world.settled(&id).await;
        assert_eq!(held["state"], "held", "{held:#}");
        let failure = &held["failures"][0];
        assert_eq!(failure["code"], "PACK_LEFT_OUT", "{held:#}");
        let message = failure["message"].as_str().unwrap();
        for told in ["superfibre", "rules.yaml:", "unknown variable `itm`"] {
            assert!(message.contains(told), "{told}: {message}");
        }
        assert_eq!(held["tasks"].as_array().map_or(0, Vec::len), 0, "{held:#}");
        id
    }
}

fn spoil(file: &Path) {
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, text.replacen("item.char", "itm.char", 1)).unwrap();
}

fn change(action: &str, product: &str) -> Value {
    let characteristics = json!([{ "name": "downstreamSpeed", "value": 500 }]);
    json!({ "productOrderItem": [{
        "id": "1", "action": action,
        "product": { "id": product, "productCharacteristic": characteristics },
    }] })
}

#[tokio::test]
async fn the_others_serve_and_what_it_delivered_waits() {
    let mut shop = Shop::open(|_| ()).await;
    let first = shop.world.submit(&pack_order(FIBRE)).await;
    shop.world.completed(&first).await;
    let product = shop.product(&first).await;
    // One order is under way while the server goes down.
    let writes = async || {
        let effects = shop.world.network.effects().await.into_iter();
        effects.filter(|effect| effect.operation == "put vlans").count()
    };
    let before = writes().await;
    let fault = json!({ "element": "bng-1", "operation": "put vlans", "fault": "error" });
    shop.world.network.fail(json!([fault])).await;
    let open = shop.world.submit(&pack_order("superfibre/defaults")).await;
    eventually("it tries", async || (writes().await > before).then_some(())).await;
    shop.world.end().await;
    shop.world.network.heal().await;

    let rules = shop.path("superfibre/rules.yaml");
    let good = std::fs::read_to_string(&rules).unwrap();
    spoil(&rules);
    shop.restart().await;

    let pack = shop.pack("superfibre").await;
    assert_eq!(pack["state"], "leftOut", "{pack:#}");
    assert_eq!(pack["diagnostics"][0]["file"], "rules.yaml", "{pack:#}");
    assert_eq!(pack["diagnostics"][0]["code"], "expression", "{pack:#}");
    assert_ne!(pack["keptDigest"], Value::Null, "{pack:#}");
    assert_eq!(shop.pack("mobile-4g").await["state"], "ready");
    let ready = shop.world.http.get("/readyz").await;
    assert_eq!(
        (&ready["status"], &ready["packsLeftOut"]),
        (&json!("ready"), &json!(["superfibre"]))
    );
    let metrics = shop.world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
    for line in ["ferrule_packs 3\n", "ferrule_packs_left_out 1\n"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    // Another pack sells on; what was planned already is carried out.
    let other = shop.world.submit(&pack_order(MOBILE)).await;
    shop.world.completed(&other).await;
    shop.world.completed(&open).await;
    // Orders that touch the pack are held: sales, changes, and one with a line of another pack.
    let before = shop.world.network.effects().await.len();
    let mut held = vec![shop.held(&pack_order(FIBRE)).await];
    held.push(shop.held(&change("modify", &product)).await);
    let mut mixed = pack_order(MOBILE);
    let mut line = pack_order(FIBRE)["productOrderItem"][0].clone();
    line["id"] = "fibre".into();
    mixed["productOrderItem"].as_array_mut().unwrap().push(line);
    held.push(shop.held(&mixed).await);
    let path = "/tmf-api/productOrderingManagement/v4/productOrder";
    let found = shop.world.http.get(&format!("{path}/{}", held[0])).await;
    assert_eq!(found["state"], "held", "{found:#}");
    let run = "/orchestration/v1/workflows/superfibre-intake/runs";
    let run = shop.world.http.post(run, &json!({})).await;
    assert_eq!(run.status, 503, "{}", run.body);
    assert!(run.text.contains("left out"), "{}", run.text);
    assert_eq!(shop.world.network.effects().await.len(), before, "nothing is done by half");
    let inventory = "/tmf-api/productInventory/v4/product";
    let kept = shop.world.http.get(&format!("{inventory}/{product}")).await;
    assert_eq!(kept["status"], "active", "{kept:#}");

    // Once the pack is mended all of them go on by themselves.
    std::fs::write(&rules, good).unwrap();
    shop.restart().await;
    assert_eq!(shop.pack("superfibre").await["state"], "ready");
    for id in &held {
        shop.world.completed(id).await;
    }
    let end = shop.world.submit(&change("delete", &product)).await;
    shop.world.completed(&end).await;
}

#[tokio::test]
async fn a_server_starts_with_no_pack_that_is_right() {
    let shop = Shop::open(|packs| {
        for entry in std::fs::read_dir(packs).unwrap() {
            let path = entry.unwrap().path();
            if path.join("pack.yaml").is_file() && !path.ends_with("superfibre") {
                std::fs::remove_dir_all(path).unwrap();
            }
        }
        spoil(&packs.join("superfibre/rules.yaml"));
    })
    .await;
    let packs = shop.world.http.get(PACKS).await;
    assert_eq!(packs.as_array().map(Vec::len), Some(1), "{packs:#}");
    assert_eq!(packs[0]["keptDigest"], Value::Null, "{packs:#}");
    // It was never in use, yet an order for it is told why it waits.
    shop.held(&pack_order(FIBRE)).await;
}

#[tokio::test]
async fn of_packs_that_clash_the_new_one_is_left_out() {
    let mut shop = Shop::open(|_| ()).await;
    let first = shop.world.submit(&pack_order(MOBILE)).await;
    shop.world.completed(&first).await;
    copy(&shop.path("mobile-4g"), &shop.path("a-copy"));
    shop.restart().await;
    let packs = shop.world.http.get(PACKS).await;
    let states: Vec<(&str, &str)> = packs
        .as_array()
        .unwrap()
        .iter()
        .map(|pack| (pack["name"].as_str().unwrap(), pack["state"].as_str().unwrap()))
        .filter(|(name, _)| *name == "mobile-4g")
        .collect();
    assert_eq!(states, [("mobile-4g", "ready"), ("mobile-4g", "leftOut")]);
    let left_out = packs.as_array().unwrap().iter().find(|pack| pack["state"] == "leftOut");
    let told = left_out.unwrap()["diagnostics"][0]["message"].as_str().unwrap();
    assert_eq!(told, "another pack is named `mobile-4g` too");
    // The one that is in use sells on.
    let next = shop.world.submit(&pack_order("mobile-4g/port-in")).await;
    shop.world.settled(&next).await;
}
