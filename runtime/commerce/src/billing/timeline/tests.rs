use serde_json::{Value, json};

use super::*;
use crate::billing::tests::{day, product, timeline};

fn charged(product: &Value, history: &str) -> String {
    let days = timeline(product, history).charged();
    let days: Vec<_> = days.iter().map(ToString::to_string).collect();
    days.join(" ").replace("9999-12-31", "")
}

fn with_status(status: &str, history: &str) -> String {
    charged(&product(status, "2026-03-10", &json!([])), history)
}

#[test]
fn charges_run_in_the_statuses_that_are_charged() {
    let table = [
        ("created", "2026-03-01 created"),
        ("pendingActive", "2026-03-01 pendingActive"),
        ("active", "2026-03-01 pendingActive, 2026-03-10 active"),
        ("suspended", "2026-03-10 active, 2026-03-20 suspended"),
        ("active", "2026-03-10 active, 2026-03-20 suspended, 2026-04-02 active"),
        ("pendingTerminate", "2026-03-10 active, 2026-03-20 pendingTerminate"),
        ("terminated", "2026-03-10 active, 2026-03-20 pendingTerminate, 2026-03-31 terminated"),
        ("terminated", "2026-03-10 active, 2026-03-10 terminated"),
        (
            "pendingTerminate",
            "2026-03-10 active, 2026-03-20 suspended, 2026-03-25 pendingTerminate",
        ),
        (
            "active",
            "2026-03-10 active, 2026-03-20 suspended, 2026-03-25 pendingTerminate, 2026-03-28 active",
        ),
        ("aborted ", "2026-03-01 pendingActive, 2026-03-10 aborted "),
        ("cancelled", "2026-03-01 created, 2026-03-10 cancelled"),
    ];
    let lines =
        table.map(|(status, history)| format!("{history}: {}", with_status(status, history)));
    insta::assert_snapshot!(lines.join("\n"), @r"
    2026-03-01 created: 
    2026-03-01 pendingActive: 
    2026-03-01 pendingActive, 2026-03-10 active: 2026-03-10..
    2026-03-10 active, 2026-03-20 suspended: 2026-03-10..2026-03-20
    2026-03-10 active, 2026-03-20 suspended, 2026-04-02 active: 2026-03-10..2026-03-20 2026-04-02..
    2026-03-10 active, 2026-03-20 pendingTerminate: 2026-03-10..
    2026-03-10 active, 2026-03-20 pendingTerminate, 2026-03-31 terminated: 2026-03-10..2026-03-31
    2026-03-10 active, 2026-03-10 terminated: 
    2026-03-10 active, 2026-03-20 suspended, 2026-03-25 pendingTerminate: 2026-03-10..2026-03-20
    2026-03-10 active, 2026-03-20 suspended, 2026-03-25 pendingTerminate, 2026-03-28 active: 2026-03-10..2026-03-20 2026-03-28..
    2026-03-01 pendingActive, 2026-03-10 aborted : 
    2026-03-01 created, 2026-03-10 cancelled:
    ");
}

#[test]
fn it_runs_from_its_start_date_whenever_that_was_written_down() {
    assert_eq!(with_status("active", "2026-03-05 active"), "2026-03-10..");
    assert_eq!(with_status("active", "2026-03-15 active"), "2026-03-10..");
}

#[test]
fn it_ends_on_its_termination_date_or_when_it_is_terminated_whatever_comes_first() {
    let ends = |end: &str, history| {
        let mut product = product("pendingTerminate", "2026-03-10", &json!([]));
        product["terminationDate"] = json!(format!("{end}T00:00:00Z"));
        charged(&product, history)
    };
    let history = "2026-03-10 active, 2026-03-20 pendingTerminate";
    assert_eq!(ends("2026-04-01", history), "2026-03-10..2026-04-01");
    let history = "2026-03-10 active, 2026-03-20 terminated";
    assert_eq!(ends("2026-04-01", history), "2026-03-10..2026-03-20");
    assert_eq!(ends("2026-03-15", history), "2026-03-10..2026-03-15");
    assert_eq!(ends("2026-03-01", history), "");
}

#[test]
fn a_status_that_was_written_down_later_counts_from_the_start() {
    let mut product = product("terminated", "2026-03-10", &json!([]));
    product["terminationDate"] = json!("2026-03-21T08:00:00Z");
    let written_down = "2026-11-01 active, 2026-11-02 terminated";
    assert_eq!(charged(&product, written_down), "2026-03-10..2026-03-21");
}

#[test]
fn a_product_without_a_history_counts_as_in_its_document() {
    assert_eq!(with_status("active", ""), "2026-03-10..");
    assert_eq!(with_status("suspended", ""), "");
    let mut ended = product("terminated", "2026-03-10", &json!([]));
    ended["terminationDate"] = json!("2026-03-20T08:00:00Z");
    assert_eq!(charged(&ended, ""), "2026-03-10..2026-03-20");
}

#[test]
fn a_product_and_the_one_that_takes_its_place_are_never_both_charged() {
    let old = timeline(
        &product("terminated", "2026-03-01", &json!([])),
        "2026-03-01 active, 2026-03-15 terminated",
    );
    let new = timeline(&product("active", "2026-03-15", &json!([])), "2026-03-15 active");
    for number in 0..31 {
        let day = day("2026-03-01").plus_days(number);
        assert_ne!(old.is_charged_on(day), new.is_charged_on(day), "{day}");
    }
}

#[test]
fn malformed_products_are_rejected_with_their_path() {
    let error = |product: &Value| {
        let read = tmf::document::read::<Product>(product);
        read.and_then(|product| Timeline::of(&product, Vec::new(), Zone::UTC))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error(&json!({ "id": "p" })), "`status` is missing");
    assert_eq!(error(&json!({ "id": "p", "status": "live" })), "`status` has no state `live`");
    assert_eq!(
        error(&json!({ "id": "p", "status": "active", "startDate": "2026" })),
        "`startDate` is not a date-time"
    );
}
