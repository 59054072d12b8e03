use serde_json::json;

use super::*;

#[test]
fn charges_and_ledger_entries_are_written_once() {
    let change =
        |resource| put(Document { resource, id: "x".into(), body: json!({ "id": "x" }) }).change;
    for resource in ["journalEntry", "appliedCustomerBillingRate"] {
        assert!(matches!(change(resource), Change::SetOnce(_)), "{resource}");
    }
    assert!(matches!(change("product"), Change::Merge(_)));
    assert!(matches!(change("productOrder"), Change::Set(_)));
}
