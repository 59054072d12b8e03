//! Conditions of roles: lists agree with single reads, and vendors see what is theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use engine::documents::Put;
use serde_json::json;
use tmf::table;

use super::bench::{Bench, order};
use super::walk::{NOW, Of, RUN, answer, identity, plant_run, plant_some, roles};
use crate::access::{Access, Identity, RoleName, Roles};

/// A condition on what [`lists_show_what_single_reads_show`] puts into documents.
fn condition(random: &mut u64) -> String {
    let mut next = |below: u64| {
        *random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % below
    };
    let mut atom = || match next(6) {
        0 => format!("document.dealer == '{}'", ["A", "B", "C"][next(3) as usize]),
        1 => format!("document.rank > {}", next(5)),
        2 => "has(document.rank)".to_owned(),
        3 => format!("document.tags.exists(t, t == {})", next(3)),
        4 => "document.id in identity.plugins".to_owned(),
        _ => format!("!(document.id == 'D{}')", next(9)),
    };
    let (one, other) = (atom(), atom());
    match next(3) {
        0 => one,
        1 => format!("{one} && {other}"),
        _ => format!("{one} || {other}"),
    }
}

#[tokio::test]
async fn lists_show_what_single_reads_show() {
    let mut random = 7;
    let conditions: Vec<String> = (0..40).map(|_| condition(&mut random)).collect();
    let text: String = (0..).zip(&conditions).map(|(number, when)| {
        format!("[r{number}]\nallow = [{{ api = \"TMF637\", verbs = [\"read\"], when = \"{when}\" }}]\n")
    }).collect();
    let tokens = (0..conditions.len()).map(|number| {
        let mut identity = (*identity("x", &format!("r{number}"), "A")).clone();
        identity.plugins = ["D1".to_owned(), "D5".to_owned()].into();
        (format!("r{number}"), Arc::new(identity))
    });
    let access = Access::fixed(roles(&text), tokens.collect());
    let bench = Bench::at(NOW).0.with_access(access);
    let ids: Vec<String> = (0..9).map(|number| format!("D{number}")).collect();
    for (number, id) in (0..).zip(&ids) {
        let mut body = json!({ "id": id, "status": "active", "tags": [number % 3] });
        if number % 4 != 0 {
            body["dealer"] = json!(["A", "B", "C"][number % 3]);
        }
        if number % 2 == 0 {
            body["rank"] = json!(number);
        }
        bench.services.documents.write(vec![Put::create("product", id, &body)]).await.unwrap();
    }
    let path = table::path("product");
    let mut sizes = BTreeSet::new();
    for (number, when) in conditions.iter().enumerate() {
        let token = format!("Bearer r{number}");
        let headers = [("authorization", token.as_str())];
        let mut single = Vec::new();
        for id in &ids {
            let line = format!("GET {path}/{id}");
            if bench.send(&line, &headers, Body::empty()).await.status == 200 {
                single.push(id.clone());
            }
        }
        for query in ["", "?status=active", "?sort=-id", "?limit=2"] {
            let list = bench.send(&format!("GET {path}{query}"), &headers, Body::empty()).await;
            let rows = list.body.as_array().unwrap().iter();
            let mut listed: Vec<&str> = rows.map(|row| row["id"].as_str().unwrap()).collect();
            listed.sort_unstable();
            let total = single.len().to_string();
            assert_eq!(list.header("x-total-count"), total, "{when} {query}");
            let expected = if query == "?limit=2" { single.len().min(2) } else { single.len() };
            assert_eq!(listed, single[..expected], "{when} {query}");
        }
        sizes.insert(single.len());
    }
    assert!(sizes.len() > 4, "{sizes:?}");
}

/// A server for a vendor of the plugin `patient-a`.
fn of_vendor() -> Bench {
    let vendor = Identity {
        subject: "acme".into(),
        roles: [RoleName::new("vendor")].into(),
        plugins: ["patient-a".to_owned()].into(),
        ..Identity::local()
    };
    let tokens = BTreeMap::from([("a".to_owned(), Arc::new(vendor))]);
    Bench::at(NOW).0.with_access(Access::fixed(Roles::default(), tokens))
}

#[tokio::test]
async fn a_vendor_sees_its_own_plugins_and_attempts_alone() {
    let bench = of_vendor();
    for dealer in ["A", "B"] {
        plant_some(&bench, dealer, Of::Resources(&[RUN])).await;
    }
    let own = "/orchestration/v1";
    let table = [
        (format!("GET {own}/fulfilments/OWN-run/attempts"), "200"),
        (format!("GET {own}/fulfilments/OWN-run/tasks/six-steps.s1/attempts"), "200"),
        (format!("GET {own}/fulfilments/MARK-run/attempts"), "404"),
        (format!("GET {own}/fulfilments/MARK-run/tasks/six-steps.s1/attempts"), "404"),
        (format!("GET {own}/fulfilments/OWN-run"), "403"),
        (format!("GET {own}/fulfilments/OWN-run/logs"), "403"),
        (format!("GET {own}/plugins/patient-b"), "404"),
        (format!("PUT {own}/plugins/patient-b"), "404"),
        (format!("POST {own}/plugins/patient-a/moves"), "403"),
        (format!("GET {}", table::path("productOrder")), "403"),
    ];
    for (line, expected) in table {
        let found = answer(&bench, "a", &line, "").await;
        assert!(found.starts_with(expected) && !found.contains("patient-b"), "{line}: {found}");
    }
    let listed = answer(&bench, "a", &format!("GET {own}/plugins"), "").await;
    assert!(listed.contains("patient-a") && !listed.contains("patient-b"), "{listed}");
}

#[tokio::test]
async fn a_simulation_tells_nothing_of_a_hidden_quote() {
    const SELLER: &str = r#"
[seller]
allow = [
    { api = ["TMF620", "TMF633", "TMF634"], verbs = ["read"] },
    { api = "TMF622", verbs = ["read", "create"] },
    { api = "TMF648", verbs = ["read"], when = "document.dealer == identity.claims.dealer" },
    { api = "orchestration", resources = ["simulate"], verbs = ["act"] },
]
"#;
    let tokens = BTreeMap::from([("a".to_owned(), identity("a", "seller", "A"))]);
    let bench = Bench::at(NOW).0.with_access(Access::fixed(roles(SELLER), tokens));
    for (id, dealer) in [("OWN", "A"), ("MARK", "B")] {
        let quote = json!({ "id": id, "dealer": dealer, "state": "approved", "quoteItem": [] });
        bench.services.documents.write(vec![Put::create("quote", id, &quote)]).await.unwrap();
    }
    let simulated = async |id: &str| {
        let mut order = order("x");
        order["quote"] = json!([{ "id": id, "@referredType": "Quote" }]);
        let line = "POST /orchestration/v1/simulate/productOrder";
        answer(&bench, "a", line, &order.to_string()).await.replace(id, "ID")
    };
    let (own, hidden, missing) =
        (simulated("OWN").await, simulated("MARK").await, simulated("NONE").await);
    assert!(missing.contains("there is no quote `ID` here"), "{missing}");
    assert_eq!(hidden, missing);
    assert_ne!(own, missing);
}

#[tokio::test]
async fn attempts_of_plugins_of_others_leave_no_trace() {
    let (with, without) = (of_vendor(), of_vendor());
    plant_run(&with, "shared", &["A", "B"]).await;
    plant_run(&without, "shared", &["A"]).await;
    plant_run(&with, "other", &["B"]).await;
    let own = "/orchestration/v1";
    for path in [
        "fulfilments/shared/attempts",
        "fulfilments/shared/attempts?limit=1",
        "fulfilments/shared/attempts?offset=1",
        "fulfilments/shared/tasks/six-steps.s1/attempts",
        "fulfilments/shared/tasks/six-steps.s2/attempts",
        "fulfilments/other/attempts",
        "fulfilments/other/tasks/six-steps.s1/attempts",
        "plugins",
        "plugins/patient-a",
        "plugins/patient-b",
        "plugins/patient-b/scratch",
    ] {
        let line = format!("GET {own}/{path}");
        let found = answer(&with, "a", &line, "").await;
        assert_eq!(found, answer(&without, "a", &line, "").await, "{path}");
        assert!(!found.contains("patient-b\"") && !found.contains("\"B\""), "{path}: {found}");
    }
    let line = format!("GET {own}/fulfilments/shared/tasks/six-steps.s1/attempts");
    assert!(answer(&with, "a", &line, "").await.contains("http://olt-1/ports/1"));
}
