//! Filters, as clients of lists, exports and hubs see them.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::Bench;

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const HUB: &str = "/tmf-api/productOrderingManagement/v4/hub";
const CALLBACK: &str = "http://127.0.0.1:9/in";

/// What a URL has to be written in.
fn in_url(query: &str) -> String {
    query.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E").replace('"', "%22")
}

async fn products(bench: &Bench) {
    for (name, status, start, number) in [
        ("p12", "active", "2012-01-01T00:00:00Z", "1"),
        ("p15", "active", "2015-01-01T00:00:00+02:00", "2"),
        ("p18", "suspended", "2018-01-01T00:00:00.123Z", "a,b"),
        ("p0", "terminated", "2013-06-01", "he said \"x;y&z\""),
    ] {
        let product = json!({
            "name": name, "status": status, "startDate": start, "productSerialNumber": number,
            "isBundle": name == "p15",
            "productCharacteristic": [
                { "name": "speed", "value": 100 }, { "name": name, "value": "fast" },
            ],
        });
        let created = bench.post(PRODUCT, &product).await;
        assert_eq!(created.status, 201, "{}", created.body);
    }
}

/// The names on a list, in order.
fn names(list: &Value) -> String {
    let mut names: Vec<&str> =
        list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.join(" ")
}

#[tokio::test]
async fn lists_and_exports_answer_each_form_alike() {
    let bench = Bench::new();
    products(&bench).await;
    for (query, found) in [
        ("status=active,suspended", "p12 p15 p18"),
        ("status=active;status=suspended", "p12 p15 p18"),
        ("status=active&status=suspended", "p12 p15 p18"),
        ("status=active%3Bstatus%3Dsuspended", "p12 p15 p18"),
        ("status=active%2Csuspended", "p12 p15 p18"),
        ("status=active;suspended", "p12 p15 p18"),
        ("status = active , suspended", "p12 p15 p18"),
        ("status=active;name=p18", "p12 p15 p18"),
        ("name=p18;status=active&isBundle=true;name=p18", "p15 p18"),
        ("status=terminated;name=p18;startDate<2013", "p0 p12 p18"),
        ("startDate.lt=2013-04-20;startDate.gt=2017-04-20", "p12 p18"),
        ("startDate<2013-04-20;startDate>2017-04-20", "p12 p18"),
        ("startDate.gt=2013-04-20&startDate.lt=2017-04-20", "p0 p15"),
        ("startDate=2014-12-31T22:00:00Z", "p15"),
        ("startDate=2013-06-01T02:00:00+02:00", "p0"),
        ("startDate>=2018-01-01T00:00:00.123Z", "p18"),
        ("startDate>2018-01-01T00:00:00.123Z", ""),
        ("startDate=2018-01-01T00:00:00.123000Z", "p18"),
        ("status!=active", "p0 p18"),
        ("status!=active,terminated", "p18"),
        ("isBundle=true", "p15"),
        ("productSerialNumber=\"a,b\"", "p18"),
        ("productSerialNumber=a%2Cb", "p18"),
        ("productSerialNumber=a,b", ""),
        ("productSerialNumber=\"he said \\\"x;y&z\\\"\"", "p0"),
        ("productCharacteristic.value=1e2&name=p12,p15", "p12 p15"),
        ("productCharacteristic.value.gte=100.0", "p0 p12 p15 p18"),
        ("productCharacteristic.value=100.00000000000000001", ""),
        ("name.regex=^p1[58]$", "p15 p18"),
        ("name*=8$", "p18"),
        ("name=~8$", "p18"),
        ("status=cancelled", ""),
    ] {
        let list = bench.get(&format!("{PRODUCT}?{}", in_url(query))).await;
        assert_eq!(list.status, 200, "{query}: {}", list.body);
        assert_eq!(names(&list.body), found, "{query}");
        let total = found.split_whitespace().count().to_string();
        assert_eq!(list.header("x-total-count"), total, "{query}");
        let path = format!("/orchestration/v1/exports/product?{}", in_url(query));
        let export = bench.get(&path).await;
        let rows: Vec<Value> =
            export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(names(&Value::Array(rows)), found, "export {query}");
    }
}

#[tokio::test]
async fn an_index_of_one_attribute_is_not_asked_for_another() {
    let bench = Bench::new();
    products(&bench).await;
    // The first page alone is read: what follows it counts too.
    for (query, found) in [
        ("status=active;productSerialNumber=a%2Cb", "p12"),
        ("productSerialNumber=a%2Cb;status=active", "p12"),
        ("status=active;status!=active", "p12"),
    ] {
        let list = bench.get(&format!("{PRODUCT}?{query}&limit=1")).await;
        assert_eq!(names(&list.body), found, "{query}");
        let total = if query.contains('!') { "4" } else { "3" };
        assert_eq!(list.header("x-total-count"), total, "{query}");
        let next = list.header("link").split("rel=\"first\"").nth(1).unwrap();
        assert!(next.contains(&query.split('=').next().unwrap().to_string()), "{next}");
    }
}

#[tokio::test]
async fn queries_that_a_list_cannot_answer_are_refused_by_their_parameter() {
    let bench = Bench::new();
    products(&bench).await;
    for (query, about, said) in [
        ("status", "status", "write `status=value`"),
        ("=active", "=active", "does not name an attribute"),
        ("status=activ", "status", "is `active` meant?"),
        ("status=active;status=activ", "status", "is `active` meant?"),
        ("stauts=active", "stauts", "is `status` meant?"),
        ("status=active;stauts=active", "stauts", "is `status` meant?"),
        ("productPrice.nam=x", "productPrice.nam", "is `productPrice.name` meant?"),
        ("status=~^x", "status", "one of"),
        ("isBundle=1", "isBundle", "`true` or `false`"),
        ("startDate=soon", "startDate", "date-time"),
        ("startDate.gt=2026-02-30", "startDate.gt", "date-time"),
        ("startDate>soon", "startDate", "date-time"),
        ("relatedParty=C-1", "relatedParty", "such as `relatedParty.id`"),
        ("name=\"x", "name", "not closed"),
        ("name=\"x\"y", "name", "closing quote"),
        ("name=\"x&status=active", "name", "not closed"),
        ("name=a,,b", "name", "empty"),
        ("name.regex=(", "name.regex", "no regular expression"),
        ("name.like=x", "name.like", "unknown operator `.like`"),
        ("name.exists=true", "name.exists", "unknown operator"),
        ("name=<x", "name", "unknown operator `=<`"),
        ("name<>x", "name", "unknown operator `<>`"),
        ("limit=-1", "limit", "whole number"),
        ("limit=1.5", "limit", "whole number"),
        ("limit>1", "limit", "no attribute `limit`"),
        ("offset=x", "offset", "whole number"),
        ("offset=18446744073709551616", "offset", "whole number"),
    ] {
        for path in [PRODUCT, "/orchestration/v1/exports/product"] {
            let is_page = query.starts_with("limit=") || query.starts_with("offset=");
            if is_page && path != PRODUCT {
                continue;
            }
            let refused = bench.get(&format!("{path}?{}", in_url(query))).await;
            assert_eq!(refused.status, 400, "{path} {query}: {}", refused.body);
            assert_eq!(refused.body["referenceError"], about, "{path} {query}: {}", refused.body);
            let message = refused.body["message"].as_str().unwrap();
            assert!(message.contains(said), "{path} {query}: {message}");
        }
    }
}

#[tokio::test]
async fn a_hub_that_would_hear_nothing_is_refused() {
    let bench = Bench::new();
    for (query, said) in [
        ("eventType=ProductOrderCreatedEvent", "is `ProductOrderCreateEvent` meant?"),
        ("eventType = Nonsense", "takes one of `ProductOrderCreateEvent`"),
        ("state=completed", "is `event.productOrder.state` meant?"),
        ("event.productOrder.state=complete", "is `completed` meant?"),
        ("eventType", "has no operator"),
        ("eventType=\"x", "not closed"),
    ] {
        for hub in [HUB, "/tmf-api/productOrderingManagement/v5/hub"] {
            let refused = bench.post(hub, &json!({ "callback": CALLBACK, "query": query })).await;
            assert_eq!(refused.status, 400, "{query}: {}", refused.body);
            assert_eq!(refused.body["referenceError"], "query", "{query}");
            let message = refused.body["message"].as_str().unwrap();
            assert!(message.contains(said), "{query}: {message}");
        }
    }
    let topics = "/tmf-api/event/v4/topic";
    let topic = bench.post(topics, &json!({ "name": "outages" })).await.body;
    let hub = format!("{topics}/{}/hub", topic["id"].as_str().unwrap());
    let refused = bench.post(&hub, &json!({ "callback": CALLBACK, "query": "site=b" })).await;
    assert_eq!((refused.status.as_u16(), &refused.body["referenceError"]), (400, &json!("query")));
    assert!(refused.body["message"].as_str().unwrap().contains("is `event.site` meant?"));
    for (hub, query) in [
        (HUB, "eventType = ProductOrderCreateEvent"),
        (HUB, "eventType=ProductOrderCreateEvent;eventType=ProductOrderStateChangeEvent"),
        (hub.as_str(), "eventType=Anything;event.site=b"),
    ] {
        let taken = bench.post(hub, &json!({ "callback": CALLBACK, "query": query })).await;
        assert_eq!((taken.status.as_u16(), &taken.body["query"]), (201, &json!(query)));
    }
    let list = bench.send(&format!("GET {HUB}"), &[], Body::empty()).await;
    assert_eq!(list.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn attributes_of_clients_own_are_asked_for_once_a_document_has_them() {
    let bench = Bench::new();
    products(&bench).await;
    let v5 = "/tmf-api/productInventory/v5/product";
    let export = "/orchestration/v1/exports/product";
    let questions = ["colour=red", "status=active;colour=red", "maker.name=x", "maker.name!=x"];
    for query in questions {
        for path in [PRODUCT, v5, export] {
            let refused = bench.get(&format!("{path}?{query}")).await;
            assert_eq!(refused.status, 400, "{path} {query}: {}", refused.text);
            let message = refused.body["message"].as_str().unwrap();
            assert!(message.contains("has no attribute `"), "{message}");
        }
    }
    let refused = bench.get(&format!("{PRODUCT}?sort=-colour")).await;
    assert_eq!((refused.status.as_u16(), &refused.body["referenceError"]), (400, &json!("sort")));
    let own =
        json!({ "name": "own", "status": "active", "colour": "red", "maker": { "name": "x" } });
    assert_eq!(bench.post(PRODUCT, &own).await.status, 201);
    for (query, found) in questions.iter().zip([1, 3, 1, 4]) {
        for path in [PRODUCT, v5] {
            let list = bench.get(&format!("{path}?{query}")).await;
            assert_eq!(list.header("x-total-count"), found.to_string(), "{path} {query}");
        }
        let rows = bench.get(&format!("{export}?{query}")).await;
        assert_eq!(rows.text.lines().count(), found, "{query}");
    }
    assert_eq!(bench.get(&format!("{PRODUCT}?colour=blue")).await.body, json!([]));
    let first = bench.get(&format!("{PRODUCT}?sort=-colour&limit=1&fields=colour")).await;
    assert_eq!(first.body[0]["colour"], "red");
    assert_eq!(first.body[0].as_object().unwrap().len(), 4, "{}", first.body);
}

#[tokio::test]
async fn a_list_is_sorted_by_what_attributes_are() {
    let bench = Bench::new();
    products(&bench).await;
    for (sort, order) in [
        ("startDate", "p12 p0 p15 p18"),
        ("-startDate", "p18 p15 p0 p12"),
        ("+status,-name", "p15 p12 p18 p0"),
        ("%2Bstatus, -name", "p15 p12 p18 p0"),
        ("-isBundle,startDate", "p15 p12 p0 p18"),
    ] {
        let list = bench.get(&format!("{PRODUCT}?sort={}", in_url(sort))).await;
        let names: Vec<_> =
            list.body.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), order, "{sort}");
    }
    for (query, about) in [
        ("sort=stauts", "sort"),
        ("sort=name,", "sort"),
        ("sort=a..b", "sort"),
        ("sort=name desc", "sort"),
        ("fields=a..b", "fields"),
        ("fields=name[0]", "fields"),
        ("fields=na me", "fields"),
    ] {
        let refused = bench.get(&format!("{PRODUCT}?{}", in_url(query))).await;
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.body["referenceError"], about, "{query}");
    }
}
