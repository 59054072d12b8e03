//! A change that fails is rolled back, in the inventories and in the network, and locks nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::picture::{Instances, Picture};
use super::sold::Sold;
use super::walk::Tour;
use crate::world::{Settings, World, copied_packs, pack_order};

/// A change, and the element that will not have it. No two cases share an operation at an element.
struct Case {
    order: &'static str,
    line: &'static str,
    changed: Value,
    fault: Value,
    /// What the failed change did and had to be rolled back, each with an element.
    restored: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let ported = json!({
        "portIn": true, "portNumber": "+61491570006", "donorOperator": "OtherTel",
        "portWindow": "2020-01-01T00:00:00Z",
    });
    vec![
        // REST: the port was changed, the policy is refused.
        Case {
            order: "superfibre/gpon",
            line: "1",
            changed: json!({ "downstreamSpeed": 500 }),
            fault: json!({ "element": "bng-1", "operation": "put policies", "fault": "error", "status": 400 }),
            restored: &["olt-1"],
        },
        // JSON-RPC: the subscriber was changed, the profile is refused.
        Case {
            order: "mobile-4g/new-number",
            line: "1",
            changed: ported,
            fault: json!({ "element": "hlr", "operation": "updateProfile", "fault": "error", "status": 400, "rpcCode": -32602 }),
            restored: &["hss"],
        },
        // REST and JSON-RPC: the numbers were changed, a second registration is refused.
        Case {
            order: "triple-play/nested",
            line: "1.2",
            changed: json!({ "lines": 2 }),
            fault: json!({ "element": "ims", "operation": "createSubscriber", "fault": "error", "status": 400, "rpcCode": -32602 }),
            restored: &["numbers"],
        },
        // It was never changed: the element was busy until the last retry.
        Case {
            order: "mobile-4g/new-number",
            line: "1",
            changed: json!({ "dataQuota": 50 }),
            fault: json!({ "element": "pcrf", "operation": "updatePolicy", "fault": "error" }),
            restored: &[],
        },
        // It was never changed: the element accepted it, and then could not.
        Case {
            order: "superfibre/static-ip",
            line: "1",
            changed: json!({ "cpeModel": "Huawei HG8245H" }),
            fault: json!({ "element": "warehouse", "operation": "put shipments", "fault": "async", "outcome": "failed" }),
            restored: &[],
        },
    ]
}

impl Case {
    fn changed(&self) -> &Map<String, Value> {
        self.changed.as_object().unwrap()
    }
}

/// Sells, has every change fail, and then not fail any more.
async fn fails_and_succeeds(tour: &Tour, cases: &[Case]) {
    let mut all = Vec::new();
    for case in cases {
        let sold = tour.sell(&pack_order(case.order)).await.unwrap();
        let before = pictured(tour, &sold).await;
        all.push((case, sold, before));
    }
    tour.world.network.fail(cases.iter().map(|case| case.fault.clone()).collect()).await;
    let mut sent = Vec::new();
    for (case, sold, _) in &mut all {
        let id = tour.world.submit(&sold.modify(case.line, case.changed())).await;
        sold.orders.push(id.clone());
        sent.push(id);
    }
    for (id, (case, sold, before)) in sent.iter().zip(&all) {
        let now = tour.world.settled(id).await;
        assert_eq!(now["state"], "failed", "{} {}: {now:#}", case.order, case.changed);
        let after = pictured(tour, sold).await;
        assert_eq!(after.differences(before), "", "{} {}", case.order, case.changed);
        let effects = tour.world.network.effects().await;
        let restored = effects.iter().filter(|effect| {
            let is_ours = effect.key.starts_with(&format!("{id}:"));
            is_ours && effect.key.ends_with(":undo") && effect.applied > 0
        });
        let mut restored: Vec<&str> = restored.map(|effect| effect.element.as_str()).collect();
        restored.dedup();
        assert_eq!(restored, case.restored, "{} {}", case.order, case.changed);
    }
    assert_eq!(tour.world.findings(&json!({})).await, [""; 0]);
    tour.world.network.heal().await;
    for (case, sold, _) in &mut all {
        tour.change(sold, case.line, case.changed()).await.unwrap();
        let agreed = tour.agree(sold, &mut BTreeSet::new()).await;
        assert_eq!(agreed, Ok(()), "{} {}", case.order, case.changed);
        tour.end(sold, &BTreeSet::new()).await.unwrap();
    }
    tour.end_fresh().await.unwrap();
    tour.nothing_left().await.unwrap();
}

async fn pictured(tour: &Tour, sold: &Sold) -> Picture {
    Instances::of(&tour.world, sold).await.picture(&tour.world, sold).await
}

#[tokio::test]
async fn a_change_that_fails_is_rolled_back_and_succeeds_later() {
    fails_and_succeeds(&Tour::new(World::start().await), &cases()).await;
}

/// A pack may choose the method by what is wanted of the item: rolling back is a change too.
#[tokio::test]
async fn a_method_by_the_action_changes_back_where_a_change_fails() {
    let packs = copied_packs("mobile-4g/workflows.yaml", |text| {
        text.replace("          change: { method: updateSubscriber }\n", "").replace(
            "method: createSubscriber",
            "method: '=item.action == \"modify\" ? \"updateSubscriber\" : \"createSubscriber\"'",
        )
    });
    let settings = Settings { workflows: Some(packs.path().into()), ..Settings::default() };
    let tour = Tour::new(World::with(settings).await);
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.restored == ["hss"]).collect();
    assert_eq!(cases.len(), 1);
    fails_and_succeeds(&tour, &cases).await;
}
