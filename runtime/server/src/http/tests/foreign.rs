//! Catalogs, inventories and references of other systems: kept as they are, told what cannot be ordered
//! and why, and refused only where the operator's settings say so.

use axum::body::Body;
use serde_json::{Value, json};
use tmf::table;

use super::bench::{Answer, Bench};
use crate::settings::{BillingSettings, References, Strict, Strictness};

const CATALOG: &str = "/tmf-api/productCatalogManagement/v4";
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const STANDING: &str = "/orchestration/v1/catalog";

fn with(change: impl FnOnce(&mut Strictness)) -> Bench {
    let mut strictness = Strictness::default();
    change(&mut strictness);
    Bench::new().with_commerce(BillingSettings { strictness, ..BillingSettings::default() })
}

fn offering(id: &str, rest: &Value) -> Value {
    let mut offering = json!({ "id": id, "name": id, "lifecycleStatus": "Active" });
    offering.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    offering
}

/// A catalog as another system may have it, kind by kind; the last column is why an offering cannot
/// be ordered.
fn offerings() -> Vec<(Value, &'static str)> {
    let spec = json!({ "id": "PS-RBA-01" });
    vec![
        (offering("bare", &json!({})), "names neither a `productSpecification`"),
        (
            offering("unknown", &json!({ "productSpecification": { "id": "500" } })),
            "names `500`, which no catalog has",
        ),
        (
            offering(
                "study",
                &json!({ "productSpecification": spec, "lifecycleStatus": "In Study" }),
            ),
            "`In Study`",
        ),
        (
            offering(
                "price",
                &json!({ "productSpecification": spec,
                "productOfferingPrice": [{ "id": "none" }] }),
            ),
            "names `none`, which no catalog has",
        ),
        (
            offering(
                "bundle",
                &json!({ "isBundle": true,
                "bundledProductOffering": [{ "id": "bare" }] }),
            ),
            "names `bare`, which no catalog has ready",
        ),
    ]
}

async fn import(bench: &Bench, resource: &str, rows: &[Value]) -> Answer {
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let path = format!("/orchestration/v1/imports/{resource}?resource={resource}");
    let header = [("content-type", "application/x-ndjson")];
    bench.send(&format!("PUT {path}"), &header, Body::from(lines)).await
}

#[tokio::test]
async fn a_catalog_of_another_system_is_taken_in_and_told_why_it_cannot_be_ordered() {
    let bench = Bench::new();
    let rows: Vec<Value> = offerings().into_iter().map(|(row, _)| row).collect();
    let taken = import(&bench, "productOffering", &rows).await;
    assert_eq!(
        (taken.status.as_u16(), &taken.body["created"]),
        (200, &json!(rows.len())),
        "{}",
        taken.text
    );
    for (row, why) in offerings() {
        let id = row["id"].as_str().unwrap();
        let kept = bench.get(&format!("{CATALOG}/productOffering/{id}")).await;
        assert_eq!(kept.body["lifecycleStatus"], row["lifecycleStatus"], "{id}");
        let standing = bench.get(&format!("{STANDING}/productOffering/{id}")).await;
        assert_eq!(standing.body["isOrderable"], false, "{}", standing.text);
        assert!(standing.body["reason"].to_string().contains(why), "{id}: {}", standing.text);
        let order = json!({ "productOrderItem": [{ "id": "1", "action": "add",
            "productOffering": { "id": id } }] });
        let made = bench.post(ORDERS, &order).await;
        let order = bench.get(&format!("{ORDERS}/{}", made.body["id"].as_str().unwrap())).await;
        assert_eq!(order.body["state"], "rejected", "{id}: {}", order.text);
        assert!(
            order.text.contains(why) && !order.text.contains("has no productOffering"),
            "{id}: {}",
            order.text
        );
    }
    let unready = bench.get(&format!("{STANDING}/productOffering?isOrderable=false&limit=2")).await;
    assert_eq!(unready.header("x-total-count"), rows.len().to_string());
    assert_eq!(unready.body.as_array().unwrap().len(), 2);
    let ready = bench.get(&format!("{STANDING}/productOffering?isOrderable=true")).await;
    assert!(ready.text.contains("PO-SF200H") && !ready.text.contains("bare"), "{}", ready.text);
}

#[tokio::test]
async fn a_posted_offering_tells_why_it_cannot_be_ordered_and_can_once_it_is_complete() {
    let bench = Bench::new();
    let path = format!("{CATALOG}/productOffering");
    let early = offering("early", &json!({ "productSpecification": { "id": "late" } }));
    let mut early = early;
    early.as_object_mut().unwrap().remove("id");
    let made = bench.post(&path, &early).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(made.header("warning").contains("late"), "{}", made.header("warning"));
    let id = made.body["id"].as_str().unwrap();
    let spec = json!({ "id": "late", "name": "late", "lifecycleStatus": "Active",
        "serviceSpecification": [{ "id": "CFS-WIFI-MGMT" }] });
    let taken = import(&bench, "productSpecification", &[spec]).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let standing = bench.get(&format!("{STANDING}/productOffering/{id}")).await;
    assert_eq!(standing.body["isOrderable"], true, "{}", standing.text);
    assert_eq!(standing.body["reason"][0]["code"], "PRICE_MISSING");
}

#[tokio::test]
async fn no_entity_of_another_system_takes_the_place_of_one_that_is_ordered() {
    let bench = Bench::new();
    let before = bench.get(&format!("{STANDING}/productOffering?isOrderable=true")).await.body;
    for (resource, id) in [
        ("resourceSpecification", "RFS-VLAN"),
        ("productSpecification", "CFS-INTERNET-ACCESS"),
        ("resourceSpecification", "PS-RBA-01"),
    ] {
        let taken = import(&bench, resource, &[json!({ "id": id, "name": "other" })]).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        let standing = bench.get(&format!("{STANDING}/{resource}/{id}")).await;
        assert!(standing.text.contains("has the id"), "{}", standing.text);
        let gone = format!("/orchestration/v1/imports/{resource}");
        bench.send(&format!("DELETE {gone}"), &[], Body::empty()).await;
    }
    let after = bench.get(&format!("{STANDING}/productOffering?isOrderable=true")).await.body;
    assert_eq!(after, before);
}

#[tokio::test]
async fn no_change_takes_away_what_can_be_ordered_unless_the_operator_allows_it() {
    let service = "/tmf-api/serviceCatalogManagement/v4/serviceSpecification/RFS-VLAN";
    let spec = format!("{CATALOG}/productSpecification/PS-RBA-01");
    let offering = format!("{CATALOG}/productOffering/PO-SF200H");
    let changes = [
        (format!("PATCH {service}"), json!({ "@type": "ServiceSpecification" }), "@type"),
        (
            format!("PATCH {offering}"),
            json!({ "productSpecification": { "id": "no" } }),
            "productSpecification",
        ),
        (format!("DELETE {spec}"), Value::Null, "id"),
        (format!("DELETE {service}"), Value::Null, "id"),
    ];
    let strict = Bench::new();
    for (request, body, about) in &changes {
        let facts = strict.facts();
        let header = [("content-type", "application/merge-patch+json")];
        let refused = strict.send(request, &header, Body::from(body.to_string())).await;
        assert!(matches!(refused.status.as_u16(), 409 | 422), "{request}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], *about, "{request}: {}", refused.text);
        assert_eq!(strict.facts(), facts);
    }
    let (own, _) = changes.split_at(2);
    for (request, body, _) in own {
        let lenient = with(|rules| rules.changes = Strict::Lenient);
        let header = [("content-type", "application/merge-patch+json")];
        let taken = lenient.send(request, &header, Body::from(body.to_string())).await;
        assert!(taken.status.is_success(), "{request}: {}", taken.text);
        let standing = lenient.get(&format!("{STANDING}/productOffering/PO-SF200H")).await;
        assert_eq!(standing.body["isOrderable"], false, "{request}: {}", standing.text);
    }
}

#[tokio::test]
async fn prices_that_cannot_be_billed_are_kept_where_the_operator_allows_it() {
    let path = format!("{CATALOG}/productOfferingPrice");
    let odd = json!({ "name": "odd", "lifecycleStatus": "Active", "priceType": "allowance",
        "unitOfMeasure": { "amount": 5, "units": "GB" } });
    let refused = Bench::new().post(&path, &odd).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("`prices` of `[catalog]`"), "{}", refused.text);
    let lenient = with(|rules| rules.offering_prices = Strict::Lenient);
    let kept = lenient.post(&path, &odd).await;
    assert_eq!(kept.status, 201, "{}", kept.text);
    assert!(kept.header("warning").contains("cannot be ordered yet"), "{}", kept.header("warning"));

    let path = "/tmf-api/productInventory/v4/product";
    let odd = json!({ "name": "odd", "status": "active", "startDate": "2026-01-01T00:00:00Z",
        "billingAccount": { "id": "A" }, "productPrice": [{ "name": "p", "priceType": "recurring",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1 }, "taxRate": 0 } }] });
    let refused = Bench::new().post(path, &odd).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("`prices` of `[inventory]`"), "{}", refused.text);
    let lenient = with(|rules| rules.product_prices = Strict::Lenient);
    let kept = lenient.post(path, &odd).await;
    assert_eq!(kept.status, 201, "{}", kept.text);
    let ran = lenient.post("/orchestration/v1/billing/runs", &json!({})).await;
    assert_eq!(ran.status, 201, "{}", ran.text);
}

/// A document of each resource whose references are looked up, with the reference.
fn referring() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/tmf-api/customerManagement/v4/customer", json!({ "name": "c" }), "engagedParty"),
        ("/tmf-api/partyRoleManagement/v4/partyRole", json!({ "name": "r" }), "engagedParty"),
        (
            "/tmf-api/accountManagement/v4/billingAccount",
            json!({ "name": "a", "relatedParty": [{ "id": "1" }] }),
            "financialAccount",
        ),
    ]
}

#[tokio::test]
async fn references_to_other_systems_are_kept_as_configured() {
    let elsewhere = "https://crm.example/tmf-api/party/v4/individual/500";
    let ours = "http://127.0.0.1:8080/tmf-api/party/v4/individual/500";
    let cases = [
        (References::Local, elsewhere, 201),
        (References::Local, "https:/host:port/organization/500", 201),
        (References::Local, "urn:party:500", 201),
        (References::Local, "crm.example/party:500", 422),
        (References::Local, ours, 422),
        (References::Local, "/tmf-api/party/v4/individual/500", 422),
        (References::Local, "", 422),
        (References::All, elsewhere, 422),
        (References::None, "", 201),
        (References::None, ours, 201),
    ];
    for (check, href, status) in cases {
        let bench = with(|rules| rules.references = check);
        for (path, document, reference) in referring() {
            let mut document = document;
            document[reference] = json!({ "id": "500", "href": href, "name": "n" });
            let facts = bench.facts();
            let answer = bench.post(path, &document).await;
            assert_eq!(answer.status, status, "{check:?} {href} {path}: {}", answer.text);
            if status == 201 {
                assert_eq!(answer.body[reference]["id"], "500");
                assert!(answer.body[reference]["href"].as_str().unwrap().ends_with(href));
                continue;
            }
            assert_eq!(answer.body["referenceError"], format!("{reference}.id"), "{}", answer.text);
            assert!(answer.text.contains("`check` of `[references]`"), "{}", answer.text);
            assert_eq!(bench.facts(), facts);
        }
    }
}

/// Every reference in the table has a check, or is one of these.
#[test]
fn every_reference_that_may_lead_elsewhere_is_known() {
    let all = table::APIS.iter().flat_map(|api| api.resources);
    let free = all.flat_map(|resource| {
        let own = resource.references.iter().filter(|reference| !reference.is_acted_on);
        own.map(move |reference| (resource.key, reference.path))
    });
    let mut keys: Vec<_> = free.map(|(key, path)| format!("{key}.{path}")).collect();
    keys.sort();
    insta::assert_snapshot!(keys.join("\n"), @"
    billingAccount.billStructure.cycleSpecification
    billingAccount.billStructure.format
    billingAccount.billStructure.presentationMedia
    billingAccount.financialAccount
    customer.engagedParty
    partyAccount.billStructure.cycleSpecification
    partyAccount.billStructure.format
    partyAccount.billStructure.presentationMedia
    partyAccount.financialAccount
    partyRole.engagedParty
    quote.billingAccount
    settlementAccount.billStructure.cycleSpecification
    settlementAccount.billStructure.format
    settlementAccount.billStructure.presentationMedia
    settlementAccount.financialAccount
    ");
}
