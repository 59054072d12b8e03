//! Customers as a whole, and what documents said earlier.

use axum::body::Body;
use engine::documents::Put;
use serde_json::{Value, json};

use super::bench::Bench;

const CUSTOMER: &str = "/tmf-api/customerManagement/v4/customer";

async fn created(bench: &Bench, path: &str, body: &Value) -> String {
    let answer = bench.post(path, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["id"].as_str().unwrap().to_string()
}

async fn customer(bench: &Bench, name: &str) -> String {
    let person = json!({ "givenName": name, "familyName": "Walker" });
    let party = created(bench, "/tmf-api/party/v4/individual", &person).await;
    let customer = json!({ "name": name, "engagedParty": { "id": party } });
    created(bench, CUSTOMER, &customer).await
}

async fn account(bench: &Bench, of: &str) -> String {
    let party = json!({ "id": of, "name": "Ann", "role": "owner" });
    let account = json!({ "name": "home", "relatedParty": [party] });
    created(bench, "/tmf-api/accountManagement/v4/billingAccount", &account).await
}

#[tokio::test]
async fn a_customer_is_seen_as_a_whole() {
    let bench = Bench::new();
    let (ann, eve) = (customer(&bench, "Ann").await, customer(&bench, "Eve").await);
    let own = account(&bench, &ann).await;
    account(&bench, &eve).await;
    let talks = format!("/orchestration/v1/customers/{ann}/interactions");
    assert_eq!(bench.post(&talks, &json!({ "description": "slow line" })).await.status, 201);
    let wrong = bench.post(&talks, &json!({ "channel": "phone" })).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.body["referenceError"]),
        (400, &json!("description"))
    );
    let view = bench.get(&format!("/orchestration/v1/customers/{ann}")).await.body;
    assert_eq!(view["party"]["givenName"], "Ann");
    assert_eq!(view["billingAccount"].as_array().unwrap().len(), 1);
    assert_eq!(view["billingAccount"][0]["id"], json!(own));
    assert_eq!(view["interaction"][0]["description"], "slow line");
    assert_eq!(view["owes"], json!([]));
    assert_eq!(bench.get("/orchestration/v1/customers/none").await.status, 404);
}

#[tokio::test]
async fn an_id_that_begins_with_another_one_leads_to_nothing_of_it() {
    let bench = Bench::new();
    let documents = &bench.services.documents;
    let ids = ["ACME", "ACME/001"];
    for id in ids {
        let party = json!({ "id": format!("P-{id}"), "givenName": "Ann" });
        let customer = json!({ "id": id, "engagedParty": { "id": format!("P-{id}") } });
        let topic = json!({ "id": id, "name": id });
        let puts = vec![
            Put::create("individual", format!("P-{id}"), &party),
            Put::create("customer", id, &customer),
            Put::create("topic", id, &topic),
        ];
        documents.write(puts).await.unwrap();
        let escaped = id.replace('/', "%2F");
        let talk = json!({ "description": format!("about {id}") });
        let talks = format!("/orchestration/v1/customers/{escaped}/interactions");
        assert_eq!(bench.post(&talks, &talk).await.status, 201);
        let event = json!({ "eventId": "1", "title": format!("about {id}") });
        let events = format!("/tmf-api/event/v4/topic/{escaped}/event");
        assert_eq!(bench.post(&events, &event).await.status, 201);
    }
    let told = async |path: &str| {
        let answer = bench.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.text.matches("about ACME").count(), 1, "{path}: {}", answer.text);
        answer.text.contains("about ACME/001")
    };
    for (escaped, is_other) in [("ACME", false), ("ACME%2F001", true)] {
        for path in [
            format!("/orchestration/v1/customers/{escaped}"),
            format!("/orchestration/v1/customers/{escaped}/interactions"),
            format!("/orchestration/v1/persons/P-{escaped}"),
            format!("/tmf-api/event/v4/topic/{escaped}/event"),
            format!("/tmf-api/event/v4/topic/{escaped}/event/1"),
        ] {
            assert_eq!(told(&path).await, is_other, "{path}");
        }
    }
    let within = "/tmf-api/event/v4/topic/ACME/event/001%2F1";
    assert_eq!(bench.get(within).await.status, 404);
    let erased = bench.post("/orchestration/v1/persons/P-ACME/erase", &json!({})).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert!(told("/orchestration/v1/customers/ACME%2F001/interactions").await);
}

#[tokio::test]
async fn two_customers_that_are_one_become_one_or_stay_as_they_are() {
    let bench = Bench::new();
    let (ann, anna) = (customer(&bench, "Ann").await, customer(&bench, "Anna").await);
    let moved = account(&bench, &anna).await;
    let merge = format!("/orchestration/v1/customers/{ann}/merge");
    for (body, status) in [
        (json!({}), 400),
        (json!({ "duplicate": "none" }), 422),
        (json!({ "duplicate": ann }), 422),
    ] {
        let before = bench.facts();
        assert_eq!(bench.post(&merge, &body).await.status, status, "{body}");
        assert_eq!(bench.facts(), before);
    }
    let merged = bench.post(&merge, &json!({ "duplicate": anna })).await;
    assert_eq!((merged.status.as_u16(), &merged.body["documentsMoved"]), (200, &json!(1)));
    assert_eq!(bench.get(&format!("{CUSTOMER}/{anna}")).await.status, 404);
    let view = bench.get(&format!("/orchestration/v1/customers/{ann}")).await.body;
    assert_eq!(view["billingAccount"][0]["id"], json!(moved));
    assert_eq!(view["customer"]["mergedCustomer"][0]["id"], json!(anna));
}

#[tokio::test]
async fn earlier_versions_of_a_document_can_be_read() {
    let bench = Bench::new();
    let id = customer(&bench, "Ann").await;
    let headers = [("content-type", "application/merge-patch+json")];
    let line = format!("PATCH {CUSTOMER}/{id}");
    let patched = bench.send(&line, &headers, Body::from(r#"{ "name": "Eve" }"#)).await;
    assert_eq!((patched.status.as_u16(), patched.header("etag")), (200, "\"2\""));
    let path = format!("/orchestration/v1/history/customer/{id}");
    let versions = bench.get(&path).await.body;
    let names: Vec<&Value> =
        versions.as_array().unwrap().iter().map(|version| &version["document"]["name"]).collect();
    assert_eq!(names, [&json!("Ann"), &json!("Eve")]);
    let then = versions[0]["since"].as_str().unwrap();
    let first = bench.get(&format!("{path}?at={then}")).await.body;
    assert!(first["document"]["name"].is_string());
    let never = bench.get(&format!("{path}?at=2001-01-01T00:00:00Z")).await;
    assert_eq!(never.status, 404);
    assert_eq!(bench.get(&format!("{path}?at=then")).await.status, 400);
    assert_eq!(bench.get("/orchestration/v1/history/quote/1").await.status, 404);
}

#[tokio::test]
async fn who_changes_what_another_changed_is_told() {
    let bench = Bench::new();
    let id = customer(&bench, "Ann").await;
    let line = format!("PATCH {CUSTOMER}/{id}");
    let patch = |tag: &'static str| {
        let headers = [("content-type", "application/merge-patch+json"), ("if-match", tag)];
        let (bench, line) = (&bench, &line);
        async move { bench.send(line, &headers, Body::from(r#"{ "name": "Eve" }"#)).await }
    };
    let stale = patch("\"7\"").await;
    assert_eq!((stale.status.as_u16(), &stale.body["referenceError"]), (412, &json!("If-Match")));
    assert_eq!(bench.get(&format!("{CUSTOMER}/{id}")).await.body["name"], "Ann");
    assert_eq!(patch("\"1\"").await.status, 200);
    assert_eq!(patch("\"1\"").await.status, 412);
    let known = [("if-none-match", "\"2\"")];
    let same = bench.send(&format!("GET {CUSTOMER}/{id}"), &known, Body::empty()).await;
    assert_eq!(same.status, 304);
    let fixed = bench
        .send(&line, &[("content-type", "application/json")], Body::from(r#"{ "id": "x" }"#))
        .await;
    assert_eq!((fixed.status.as_u16(), &fixed.body["referenceError"]), (400, &json!("id")));
    let xml = bench.send(&line, &[("content-type", "application/xml")], Body::from("{}")).await;
    assert_eq!(xml.status, 415);
    let test = r#"[{ "op": "test", "path": "/name", "value": "Bob" }]"#;
    let operations = [("content-type", "application/json-patch+json")];
    assert_eq!(bench.send(&line, &operations, Body::from(test)).await.status, 409);
    let party = bench.get(&format!("{CUSTOMER}/{id}")).await.body["engagedParty"]["id"].clone();
    let in_use = format!("DELETE /tmf-api/party/v4/individual/{}", party.as_str().unwrap());
    assert_eq!(bench.send(&in_use, &[], Body::empty()).await.status, 409);
    assert_eq!(
        bench.send(&format!("DELETE {CUSTOMER}/{id}"), &[], Body::empty()).await.status,
        204
    );
    assert_eq!(bench.send(&in_use, &[], Body::empty()).await.status, 204);
}

const INDIVIDUAL: &str = "/tmf-api/party/v4/individual";
const DUPLICATES: &str = "/orchestration/v1/customers/duplicates";

/// A customer who is a person, with the likely duplicates in its `Link`.
async fn person(bench: &Bench, person: &Value) -> (String, String, Vec<String>) {
    let party = created(bench, INDIVIDUAL, person).await;
    let customer = json!({ "name": person["givenName"], "engagedParty": { "id": party } });
    let made = bench.post(CUSTOMER, &customer).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let links = made.headers.get_all("link").iter();
    let links = links.map(|link| link.to_str().unwrap().to_owned()).collect();
    (made.body["id"].as_str().unwrap().to_owned(), party, links)
}

#[tokio::test]
async fn customers_that_are_likely_one_are_found_with_the_reasons() {
    let bench = Bench::new();
    let who = |name: &str, born: &str, email: &str| {
        json!({
            "givenName": name, "familyName": "Walker", "birthDate": born,
            "contactMedium": [{ "mediumType": "email", "characteristic": { "emailAddress": email } }],
        })
    };
    let born = "1980-02-03T00:00:00Z";
    let (ann, _, alone) = person(&bench, &who("Ann", born, "ann@example.com")).await;
    assert_eq!(alone, [] as [String; 0]);
    let (again, party, links) = person(&bench, &who("ANN ", born, "Ann@Example.com")).await;
    assert_eq!(links.len(), 1, "{links:?}");
    assert!(links[0].contains(&format!("/customer/{ann}>; rel=\"duplicate\"")), "{links:?}");
    assert!(links[0].contains("emailAddress, nameAndBirthDate"), "{links:?}");
    let (eve, ..) = person(&bench, &who("Eve", born, "walkers@example.com")).await;
    let (bob, ..) = person(&bench, &who("Bob", born, "walkers@example.com")).await;
    person(&bench, &who("Kim", born, "kim@example.com")).await;

    let found = bench.get(DUPLICATES).await;
    assert_eq!(found.status, 200, "{}", found.text);
    let groups = |body: &Value| -> Vec<(Vec<String>, Vec<String>)> {
        let texts = |group: &Value, list: &str, name: &str| {
            let mut found: Vec<String> = group[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one[name].as_str().unwrap().to_owned())
                .collect();
            found.sort();
            found
        };
        let groups = body["group"].as_array().unwrap().iter();
        groups.map(|one| (texts(one, "customer", "id"), texts(one, "reason", "reason"))).collect()
    };
    let sorted = |one: &str, other: &str| {
        let mut both = vec![one.to_owned(), other.to_owned()];
        both.sort();
        both
    };
    let expected = [
        (sorted(&ann, &again), vec!["emailAddress".to_owned(), "nameAndBirthDate".into()]),
        (sorted(&eve, &bob), vec!["emailAddress".to_owned()]),
    ];
    assert_eq!(groups(&found.body), expected);
    assert_eq!(found.body["next"], Value::Null);

    // Page by page it is the same.
    let mut paged = Vec::new();
    let mut path = format!("{DUPLICATES}?limit=1");
    loop {
        let page = bench.get(&path).await.body;
        paged.extend(groups(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{DUPLICATES}?limit=1&after={}", next.replace('@', "%40"));
    }
    assert_eq!(paged, expected);
    assert_eq!(bench.get(&format!("{DUPLICATES}?limit=0")).await.status, 400);

    // A changed or merged customer is no duplicate any more.
    let headers = [("content-type", "application/merge-patch+json")];
    let other = who("Anna", "1990-01-01T00:00:00Z", "anna@example.com");
    let patch = format!("PATCH {INDIVIDUAL}/{party}");
    assert_eq!(bench.send(&patch, &headers, Body::from(other.to_string())).await.status, 200);
    let merge = format!("/orchestration/v1/customers/{eve}/merge");
    assert_eq!(bench.post(&merge, &json!({ "duplicate": bob })).await.status, 200);
    assert_eq!(bench.get(DUPLICATES).await.body["group"], json!([]));
}
