//! The first command that anybody types.

use std::collections::BTreeSet;

use tmf::resource::Operation;
use tmf::table;

use crate::world::{Http, Process, ferrule, pack_order};

/// Its lines, without the numbers that differ each time.
#[tokio::test]
async fn the_demo_shows_an_order_from_the_door_to_the_bill() {
    let output = ferrule(&["demo"]).await;
    assert!(output.ok, "{}\n{}", output.out, output.err);
    let said = [
        "productOrder   completed",
        "serviceOrder   completed",
        "resourceOrder  completed",
        "GPON-Bearer",
        "olt-1-1-1-1-1",
        "Residential Broadband Access",
        "SuperFibre 200 monthly",
        "USD",
        "The order is completed after",
    ];
    for text in said {
        assert!(output.out.contains(text), "`{text}` is not in:\n{}", output.out);
    }
}

#[tokio::test]
async fn a_demo_whose_order_is_rejected_fails_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.json");
    let mut order = pack_order("superfibre/gpon");
    crate::world::with_characteristic(&mut order, "downstreamSpeed", &333.into());
    std::fs::write(&file, order.to_string()).unwrap();
    let output = ferrule(&["demo", "--order", file.to_str().unwrap()]).await;
    assert_eq!(output.code, Some(1), "{}", output.out);
    assert!(output.out.contains("333"), "{}", output.out);
    assert!(output.err.contains("it is rejected"), "{}", output.err);
}

#[tokio::test]
async fn a_demo_with_an_invalid_order_fails_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.json");
    for (content, expected) in [("{", "is not JSON"), ("{}", "productOrderItem")] {
        std::fs::write(&file, content).unwrap();
        let output = ferrule(&["demo", "--order", file.to_str().unwrap()]).await;
        assert_eq!(output.code, Some(1), "{}", output.out);
        assert!(output.err.contains(expected), "{}", output.err);
    }
}

/// The way to play: everything of the repository, with one flag.
#[tokio::test]
async fn serve_demo_takes_orders() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_str().unwrap().to_string();
    let arguments = ["serve", "--demo", "--listen", "127.0.0.1:0", "--data", &data];
    let arguments = arguments.map(String::from);
    let (_server, url) = Process::start("demo", &arguments, folder.path()).await.unwrap();
    let http = Http::new(&url);
    let path = tmf::table::path("productOrder");
    let answer = http.post(path, &pack_order("triple-play/nested")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let story = http.ended(answer.body["id"].as_str().unwrap()).await;
    assert_eq!(story.end, "completed", "{story}");
    for path in ["/healthz", "/readyz"] {
        http.get(path).await;
    }
}

/// A small operator to look around in: no API is empty.
#[tokio::test]
async fn a_demo_that_is_kept_has_something_to_show_at_every_api() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--keep"].map(String::from);
    let (mut demo, url) = Process::start("demo", &arguments, folder.path()).await.unwrap();
    let said = demo.wait_for_line("goes on serving").await;
    assert!(said.contains("Every API has something to show"), "{said}");
    let http = Http::new(&url);
    let mut empty = Vec::new();
    for api in table::APIS {
        for resource in api.resources.iter().filter(|one| one.takes(Operation::List)) {
            let path = api.path(resource);
            if http.total(&format!("{path}?limit=1")).await == 0 {
                empty.push(path);
            }
        }
    }
    assert!(empty.is_empty(), "nothing at {empty:#?}");
    let orders = http.list(tmf::table::path("productOrder")).await;
    let states: BTreeSet<&str> =
        orders.iter().map(|order| order["state"].as_str().unwrap()).collect();
    for state in ["completed", "held", "cancelled", "rejected"] {
        assert!(states.contains(state), "{state} in {states:?}");
    }
    let open = ["acknowledged", "pending", "inProgress"].iter().any(|state| states.contains(state));
    assert!(open, "{states:?}");
    let books = http.get("/orchestration/v1/billing/ledger").await;
    for sum in books["difference"].as_array().unwrap() {
        assert_eq!(sum["value"], 0, "{books}");
    }
    assert!(!books["account"].as_array().unwrap().is_empty(), "{books}");
}
