//! `ferrule bench`: what is sent is carried out, and what is printed is about it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{Output, World, ferrule, text};

/// Runs `ferrule bench` against a server.
async fn bench(world: &World, arguments: &[&str]) -> Output {
    let server = ["--server", &world.http.base];
    ferrule(&[&["bench"][..], arguments, &server].concat()).await
}

/// The lines of JSON that it prints.
async fn measured(world: &World, arguments: &[&str]) -> Vec<Value> {
    let output = bench(world, arguments).await;
    assert!(output.ok, "{}", output.err);
    output.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn runs_are_measured_with_each_number_in_flight() {
    let world = World::start().await;
    let pid = world.process().id().to_string();
    let arguments = ["runs", "--runs", "30", "--in-flight", "1,8", "--json", "--pid", &pid];
    for (workflow, steps) in [("order", 6.0), ("fan", 22.0), ("six-steps", 6.0)] {
        let lines = measured(&world, &[&arguments[..], &["--workflow", workflow]].concat()).await;
        let in_flight: Vec<_> =
            lines.iter().map(|line| line["inFlight"].as_u64().unwrap()).collect();
        assert_eq!(in_flight, [1, 8]);
        for line in lines {
            assert_eq!(line["requests"], 30);
            let figure =
                |name: &str| line[name].as_f64().unwrap_or_else(|| panic!("{name}: {line}"));
            let each = figure("stepsPerSecond") / figure("perSecond");
            assert!((each - steps).abs() < 0.01, "{workflow}: {line}");
            assert!(figure("p50Ms") <= figure("p90Ms") && figure("p90Ms") <= figure("p99Ms"));
            for name in ["cpuMsEach", "writtenKBEach", "syncsPerSecond", "residentMiB"] {
                assert!(figure(name) > 0.0, "{name}: {line}");
            }
        }
    }
    // Each step hashes the text of its run.
    let path = "/orchestration/v1/workflows/order/runs?wait=60s";
    let run = world.http.post(path, &json!({ "text": "abc" })).await;
    let outputs = &run.body["outputs"];
    let hashes: BTreeSet<_> =
        (1..=6).map(|step| text(&outputs[format!("s{step}")]["hash"])).collect();
    assert_eq!(hashes.len(), 6);
    assert!(hashes.iter().all(|hash| hash.len() == 300), "{outputs}");
}

#[tokio::test]
async fn orders_are_measured_to_their_end() {
    let world = World::start().await;
    for (customers, expected) in [("own", 4), ("one", 1)] {
        let before = customers_of(&world).await;
        let arguments = ["orders", "--orders", "4", "--in-flight", "2", "--json"];
        let lines = measured(&world, &[&arguments[..], &["--customers", customers]].concat()).await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["requests"], 4);
        let new = customers_of(&world).await;
        // The orders that warm up have a customer too.
        assert_eq!(new.difference(&before).count(), expected + 1, "{customers}");
    }
    let table = bench(&world, &["orders", "--orders", "2", "--in-flight", "1"]).await;
    assert_eq!(table.out.lines().count(), 2, "{}", table.out);
    assert!(table.out.contains("in flight") && table.out.contains("written kB"), "{}", table.out);
}

#[tokio::test]
async fn a_load_at_a_rate_is_measured_in_rounds() {
    let world = World::start().await;
    let arguments = ["runs", "--runs", "20", "--rate", "40", "--rounds", "3", "--json"];
    let lines = measured(&world, &arguments).await;
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert_eq!(line["requests"], 20);
        // The last one is not sent before it is due: 19 fortieths of a second after the first.
        assert!(line["seconds"].as_f64().unwrap() >= 0.475, "{line}");
    }
}

async fn customers_of(world: &World) -> BTreeSet<String> {
    let path = format!("{}?limit=1000&fields=relatedParty,state", tmf::table::path("productOrder"));
    let orders = world.http.get(&path).await;
    let orders = orders.as_array().unwrap();
    assert!(orders.iter().all(|order| order["state"] == "completed"), "{orders:?}");
    orders.iter().map(|order| text(&order["relatedParty"][0]["id"])).collect()
}

#[tokio::test]
async fn loads_that_cannot_be_are_refused() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.json");
    std::fs::write(&file, "{").unwrap();
    let file = file.to_str().unwrap();
    let table: [(&[&str], &str); 14] = [
        (&["runs", "--in-flight", "0"], "`--in-flight` is a number from 1"),
        (&["runs", "--in-flight", "1,5000"], "`--in-flight` is a number from 1"),
        (&["runs", "--in-flight", "x"], "invalid value 'x'"),
        (&["runs", "--runs", "0"], "there are 1 to"),
        (&["runs", "--rate", "0"], "`--rate` is a number from 0.001"),
        (&["runs", "--rate", "NaN"], "`--rate` is a number from 0.001"),
        (&["runs", "--rate", "inf"], "`--rate` is a number from 0.001"),
        (&["orders", "--rounds", "0"], "`--rounds` is a number from 1"),
        (&["documents", "--rows", "1", "--rate", "5"], "without `--rate` and `--rounds`"),
        (&["documents", "--rows", "1", "--rounds", "2"], "without `--rate` and `--rounds`"),
        (&["runs", "--runs", "1", "--workflow", "nix"], "no pack has a workflow `nix`"),
        (&["runs", "--runs", "1", "--input", file], "order.json"),
        (&["orders", "--orders", "1", "--order", file], "order.json"),
        (&["documents", "--rows", "1", "--in-flight", "1,2"], "`--in-flight` is one number here"),
    ];
    for (arguments, expected) in table {
        let output = bench(&world, arguments).await;
        assert!(!output.ok && output.err.contains(expected), "{arguments:?}: {}", output.err);
    }
    let elsewhere = ["bench", "runs", "--server", "http://192.0.2.1:8080"];
    let output = ferrule(&elsewhere).await;
    assert!(output.err.contains("load goes to loopback only"), "{}", output.err);
}
