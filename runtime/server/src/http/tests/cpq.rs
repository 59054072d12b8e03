//! Qualify, quote, order and launch, asked as a client asks.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Answer, Bench, order};
use crate::settings::{BillingSettings, Strict, Strictness};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const QUOTES: &str = "/tmf-api/quoteManagement/v4/quote";
const OFFERINGS: &str = "/tmf-api/productCatalogManagement/v4/productOffering";
const PRICES: &str = "/tmf-api/productCatalogManagement/v4/productOfferingPrice";
const SERVICES: &str = "/tmf-api/serviceCatalogManagement/v4/serviceSpecification";
const PRODUCTS: &str = "/tmf-api/productCatalogManagement/v4/productSpecification";

/// A quote for a home with broadband, with a discount in percent.
fn quote(discount: u32) -> Value {
    json!({
        "relatedParty": [{ "id": "CUST-1", "role": "Customer", "@referredType": "Customer" }],
        "quoteItem": [{
            "productOffering": { "id": "PO-SF200H" },
            "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
            "quoteItemPrice": [{
                "priceType": "recurring",
                "priceAlteration": [{
                    "name": "for you", "priceType": "recurring", "price": { "percentage": discount },
                }],
            }],
        }],
    })
}

#[tokio::test]
async fn a_qualification_is_answered_when_it_is_asked() {
    let bench = Bench::new();
    let path = "/tmf-api/productOfferingQualification/v4/productOfferingQualification";
    let home = json!([{ "id": "ADDR-1", "role": "installation" }]);
    let mut request = json!({
        "productOfferingQualificationItem": [{ "id": "1", "productOffering": { "id": "PO-SF200H" } }],
    });
    let without = bench.post(path, &request).await;
    assert_eq!((without.status.as_u16(), &without.body["state"]), (201, &json!("done")));
    let item = &without.body["productOfferingQualificationItem"][0];
    assert_eq!(item["qualificationItemResult"], "unqualified");
    assert_eq!(item["eligibilityUnavailabilityReason"][0]["code"], "PLACE_MISSING");
    request["place"] = home;
    let asked = bench.post(path, &request).await;
    assert_eq!(asked.body["qualificationResult"], "green", "{}", asked.body);
    let id = asked.body["id"].as_str().unwrap();
    assert_eq!(bench.get(&format!("{path}/{id}")).await.body["qualificationResult"], "green");
    let later = "/tmf-api/productOfferingQualification/v5/checkProductOfferingQualification";
    let items = request["productOfferingQualificationItem"].take();
    let later = bench
        .post(
            later,
            &json!({ "checkProductOfferingQualificationItem": items, "place": request["place"] }),
        )
        .await;
    assert_eq!(later.status, 201, "{}", later.body);
    let item = &later.body["checkProductOfferingQualificationItem"][0];
    assert_eq!(item["qualificationItemResult"], "qualified");
}

#[tokio::test]
async fn services_are_qualified_by_the_rules_of_their_orders() {
    let bench = Bench::new();
    let base = "/tmf-api/serviceQualificationManagement/v4";
    let service = |tech: &str| {
        json!({
            "serviceSpecification": { "id": "CFS-INTERNET-ACCESS" },
            "serviceCharacteristic": [
                { "name": "accessTechnology", "value": tech },
                { "name": "downstreamSpeed", "value": 100 },
                { "name": "upstreamSpeed", "value": 20 },
            ],
        })
    };
    let check = |tech: &str| json!({ "serviceQualificationItem": [{ "service": service(tech) }] });
    let path = format!("{base}/checkServiceQualification");
    assert_eq!(bench.post(&path, &check("GPON")).await.body["qualificationResult"], "qualified");
    let other = bench.post(&path, &check("DSL")).await.body;
    let item = &other["serviceQualificationItem"][0];
    assert_eq!(
        (&other["state"], &item["qualificationResult"]),
        (&json!("done"), &json!("unqualified"))
    );
    assert_eq!(item["eligibilityUnavailabilityReason"][0]["code"], "CHARACTERISTIC_VALUE");
    let mut criteria = service("HFC");
    criteria["serviceCharacteristic"].as_array_mut().unwrap().remove(0);
    let query = json!({ "searchCriteria": { "service": criteria } });
    let found = bench.post(&format!("{base}/queryServiceQualification"), &query).await.body;
    assert_eq!(found["serviceQualificationItem"].as_array().map(Vec::len), Some(2), "{found}");
}

#[tokio::test]
async fn a_quote_is_priced_approved_accepted_and_ordered_once_at_its_price() {
    let bench = Bench::new();
    let made = bench.post(QUOTES, &quote(30)).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["state"]),
        (201, &json!("inProgress")),
        "{}",
        made.body
    );
    let total = &made.body["quoteTotalPrice"][1]["price"]["dutyFreeAmount"];
    assert_eq!(total, &json!({ "unit": "USD", "value": 62.3 }));
    let path = format!("{QUOTES}/{}", made.body["id"].as_str().unwrap());
    let order_path = format!("{}/order", path.replace(QUOTES, "/orchestration/v1/quotes"));
    assert_eq!(bench.patch(&path, &json!({ "state": "accepted" })).await.status, 422);
    assert_eq!(bench.patch(&path, &json!({ "state": "approved" })).await.status, 422);
    assert_eq!(bench.patch(&path, &json!({ "state": "pending" })).await.status, 200);
    assert_eq!(bench.patch(&path, &json!({ "state": "approved" })).await.status, 422);
    let approval = json!({ "state": "approved",
        "authorization": [{ "state": "approved", "approver": [{ "id": "boss", "@referredType": "Individual" }] }] });
    let approved = bench.patch(&path, &approval).await;
    assert_eq!(
        (approved.status.as_u16(), &approved.body["state"]),
        (200, &json!("approved")),
        "{}",
        approved.body
    );
    assert_eq!(bench.post(&order_path, &json!({})).await.status, 422);
    assert_eq!(bench.patch(&path, &json!({ "state": "accepted" })).await.status, 200);
    // The catalog becomes dearer; what was quoted holds.
    let dearer = json!({ "price": { "unit": "USD", "value": 100 } });
    assert_eq!(bench.patch(&format!("{PRICES}/POP-SF200-MRC"), &dearer).await.status, 200);
    let ordered = bench.post(&order_path, &json!({})).await;
    assert_eq!(ordered.status, 201, "{}", ordered.body);
    let again = bench.post(&order_path, &json!({})).await;
    assert_eq!((again.status.as_u16(), &again.body["id"]), (201, &ordered.body["id"]));
    let total = &ordered.body["orderTotalPrice"][1]["price"]["dutyFreeAmount"]["value"];
    assert_eq!(total, &json!(62.3));
    // An order written by hand must match the quote, or is refused.
    let mut by_hand = order("A");
    for name in ["productOrderItem", "quote"] {
        by_hand[name] = ordered.body[name].clone();
    }
    let simulate = "/orchestration/v1/simulate/productOrder";
    assert_eq!(bench.post(simulate, &by_hand).await.status, 200);
    by_hand["productOrderItem"][0]["itemPrice"][0]["price"]["dutyFreeAmount"]["value"] = json!(1);
    let refused = bench.post(simulate, &by_hand).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(refused.body["referenceError"], "quote");
    assert!(refused.text.contains("is not what was quoted"), "{}", refused.text);
    // A quote is ordered once, whether or not the order names it at its head.
    by_hand["productOrderItem"] = ordered.body["productOrderItem"].clone();
    for _ in 0..2 {
        let refused = bench.post(ORDERS, &by_hand).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.text.contains("is ordered already"), "{}", refused.text);
        by_hand.as_object_mut().unwrap().remove("quote");
    }
}

#[tokio::test]
async fn a_value_matches_the_pattern_of_its_characteristic() {
    let bench = Bench::new();
    let path = "/tmf-api/productCatalogManagement/v4/productSpecification";
    let spec = |regex: &str| {
        json!({
            "name": "Router", "lifecycleStatus": "Active",
            "productSpecCharacteristic": [{ "name": "mac", "valueType": "string", "regex": regex }],
        })
    };
    let before = bench.facts();
    for regex in ["(", "(a{1000}){1000}", &"a".repeat(2_000)] {
        for status in ["Active", "In Study"] {
            let mut hostile = spec(regex);
            hostile["lifecycleStatus"] = json!(status);
            let refused = bench.post(path, &hostile).await;
            assert_eq!(refused.status, 422, "{regex}: {}", refused.text);
            let path = "productSpecCharacteristic[0].regex";
            assert_eq!(refused.body["referenceError"], path, "{}", refused.text);
        }
    }
    assert_eq!(bench.facts(), before);
    let made = bench.post(path, &spec("([0-9A-F]{2}:){5}[0-9A-F]{2}")).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn a_new_version_withdraws_the_one_before() {
    let bench = Bench::new();
    let made = bench.post(QUOTES, &quote(10)).await;
    let id = made.body["id"].as_str().unwrap();
    let path = format!("{QUOTES}/{id}");
    assert_eq!(bench.patch(&path, &json!({ "state": "approved" })).await.status, 200);
    let next = bench.post(&format!("/orchestration/v1/quotes/{id}/version"), &json!({})).await;
    assert_eq!((next.status.as_u16(), &next.body["version"]), (201, &json!("2")), "{}", next.body);
    assert_eq!(next.body["quoteRelationship"][0]["id"], *id);
    let before = bench.get(&path).await.body;
    assert_eq!(before["state"], "cancelled");
    assert_eq!(before["quoteRelationship"][0]["id"], next.body["id"]);
    let missing = bench.post("/orchestration/v1/quotes/none/version", &json!({})).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_changed_price_counts_for_the_next_quote() {
    let bench = Bench::new();
    let dearer = json!({ "price": { "unit": "USD", "value": 100.5 } });
    assert_eq!(bench.patch(&format!("{PRICES}/POP-SF200-MRC"), &dearer).await.status, 200);
    let made = bench.post(QUOTES, &quote(0)).await.body;
    assert_eq!(made["quoteTotalPrice"][1]["price"]["dutyFreeAmount"]["value"], json!(100.5));
    let nothing = json!({ "priceType": "magic" });
    let refused = bench.patch(&format!("{PRICES}/POP-SF200-MRC"), &nothing).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("priceType"), "{}", refused.text);
}

/// Makes an entity of a catalog and brings it to `Active`; the last answer.
async fn activated(bench: &Bench, path: &str, entity: &Value) -> Answer {
    let made = bench.post(path, entity).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["lifecycleStatus"]),
        (201, &json!("In Study")),
        "{}",
        made.text
    );
    let one = format!("{path}/{}", made.body["id"].as_str().unwrap());
    let mut last = made;
    for status in ["In Design", "In Test", "Active"] {
        last = bench.patch(&one, &json!({ "lifecycleStatus": status })).await;
        if last.status != 200 {
            break;
        }
    }
    last
}

#[tokio::test]
async fn an_offering_that_can_be_delivered_is_launched_and_ordered() {
    let bench = Bench::new();
    let price = json!({ "name": "Fast", "priceType": "recurring", "recurringChargePeriodType": "month",
        "price": { "unit": "USD", "value": 120 } });
    let price = activated(&bench, PRICES, &price).await;
    assert_eq!(price.status, 200, "{}", price.text);
    let offering = json!({ "name": "SuperFibre Business",
        "productSpecification": { "id": "PS-RBA-01" }, "productOfferingPrice": [{ "id": price.body["id"] }] });
    let active = activated(&bench, OFFERINGS, &offering).await;
    assert_eq!(
        (active.status.as_u16(), &active.body["lifecycleStatus"]),
        (200, &json!("Active")),
        "{}",
        active.text
    );
    let mut sent = order("A");
    sent["productOrderItem"][0]["productOffering"] = json!({ "id": active.body["id"] });
    let simulated = bench.post("/orchestration/v1/simulate/productOrder", &sent).await;
    assert_ne!(simulated.body["outcome"], "rejected", "{}", simulated.text);
    let path = format!("{OFFERINGS}/{}", active.body["id"].as_str().unwrap());
    assert_eq!(bench.patch(&path, &json!({ "lifecycleStatus": "Retired" })).await.status, 200);
    let retired = bench.post(ORDERS, &sent).await;
    let found = bench.get(&format!("{ORDERS}/{}", retired.body["id"].as_str().unwrap())).await;
    assert_eq!(found.body["state"], "rejected");
}

/// The launch of an offering whose service no rule delivers, and that has no price.
async fn teleport(bench: &Bench) -> Answer {
    let service = json!({ "name": "Teleport", "@type": "ResourceFacingServiceSpecification" });
    let service = activated(bench, SERVICES, &service).await;
    assert_eq!(service.status, 200, "{}", service.text);
    let product =
        json!({ "name": "Teleport", "serviceSpecification": [{ "id": service.body["id"] }] });
    let product = activated(bench, PRODUCTS, &product).await;
    assert_eq!(product.status, 200, "{}", product.text);
    let offering =
        json!({ "name": "Teleport", "productSpecification": { "id": product.body["id"] } });
    activated(bench, OFFERINGS, &offering).await
}

#[tokio::test]
async fn an_offering_that_cannot_be_delivered_is_launched_with_a_warning_or_not() {
    let reasons = ["productOfferingPrice", "no rule delivers it"];
    let bench = Bench::new();
    let launched = teleport(&bench).await;
    assert_eq!(launched.status, 200, "{}", launched.text);
    let warnings = launched.headers.get_all("warning").iter();
    let warnings: Vec<_> = warnings.map(|warning| warning.to_str().unwrap()).collect();
    for named in reasons {
        assert!(warnings.iter().any(|warning| warning.contains(named)), "{warnings:?}");
    }
    let strictness = Strictness { launch: Strict::Strict, ..Strictness::default() };
    let strict =
        Bench::new().with_commerce(BillingSettings { strictness, ..BillingSettings::default() });
    let refused = teleport(&strict).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["referenceError"]),
        (422, &json!("lifecycleStatus"))
    );
    for named in reasons.into_iter().chain(["`launch` of `[catalog]`"]) {
        assert!(refused.text.contains(named), "{}", refused.text);
    }
}

#[tokio::test]
async fn documents_named_by_rules_are_not_removed() {
    let bench = Bench::new();
    let rule = format!("{SERVICES}/RFS-VLAN");
    let removed = bench.send(&format!("DELETE {rule}"), &[], Body::empty()).await;
    assert_eq!(removed.status, 409, "{}", removed.text);
}

#[tokio::test]
async fn an_order_of_a_quote_from_elsewhere_is_taken_with_its_prices() {
    let bench = Bench::new();
    let price = json!([
        { "name": "Fee", "priceType": "nonRecurring",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 5 } } },
        { "name": "Line", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 42 }, "taxRate": 19 } },
    ]);
    let order = json!({
        "productOrderItem": [{
            "id": "1", "action": "add", "productOffering": { "id": "PO-X" },
            "quoteItem": { "id": "9", "quoteId": "CPQ-1" }, "itemPrice": price,
        }],
    });
    let taken = bench.post("/tmf-api/productOrderingManagement/v4/productOrder", &order).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    assert_eq!(taken.body["productOrderItem"][0]["itemPrice"], price);
    let told = "299 ferrule \"`productOrderItem[0].itemPrice[0].priceType` is one of `oneTime`, \
                `recurring`, `usage`: this price is kept and not billed\"";
    assert_eq!(taken.header("warning"), told);
}
