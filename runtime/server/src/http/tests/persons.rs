//! A person is exported, and erased from everything that is kept.

use engine::store::{Scan, Store as _};
use serde_json::{Value, json};

use super::bench::Bench;

const NAMES: [&str; 4] = ["Rosalind", "Quartermain", "rosalind@example.org", "Kingfisher"];

/// Whether a value or a key of the store has one of the names in it.
fn names_kept(bench: &Bench) -> Vec<String> {
    let facts = bench.store.scan(&Scan::prefix(Vec::new(), usize::MAX)).unwrap();
    let facts = facts.iter().map(|(key, value)| {
        format!("{} {}", String::from_utf8_lossy(key), String::from_utf8_lossy(value))
    });
    let has_name =
        |fact: &String| NAMES.iter().any(|name| fact.to_lowercase().contains(&name.to_lowercase()));
    facts.filter(has_name).collect()
}

async fn created(bench: &Bench, path: &str, body: &Value) -> String {
    let answer = bench.post(path, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["id"].as_str().unwrap().to_string()
}

/// An individual with a customer, an account, a note, and earlier versions.
async fn person(bench: &Bench) -> (String, String, String) {
    let medium = json!({ "mediumType": "email", "characteristic": { "emailAddress": NAMES[2] } });
    let individual = json!({
        "givenName": NAMES[0], "familyName": NAMES[1], "birthDate": "1980-02-03T00:00:00Z",
        "contactMedium": [medium],
        "familyNamePrefix": NAMES[3],
        "skill": [{ "skillCode": "1", "comment": format!("taught by {}", NAMES[3]) }],
    });
    let party = created(bench, "/tmf-api/party/v4/individual", &individual).await;
    let customer = json!({
        "name": format!("{} {}", NAMES[0], NAMES[1]), "engagedParty": { "id": party },
        "statusReason": format!("asked by {}", NAMES[0]),
        "paymentMethod": [{ "id": "P-1", "name": format!("card of {}", NAMES[1]) }],
    });
    let customer = created(bench, "/tmf-api/customerManagement/v4/customer", &customer).await;
    let account = json!({
        "name": format!("{} home", NAMES[1]), "description": format!("pays for {}", NAMES[3]),
        "defaultPaymentMethod": { "id": "P-1", "name": format!("card of {}", NAMES[1]) },
        "relatedParty": [{ "id": customer, "name": NAMES[0], "role": "owner" }],
    });
    let account = created(bench, "/tmf-api/accountManagement/v4/billingAccount", &account).await;
    let talks = format!("/orchestration/v1/customers/{customer}/interactions");
    let talk = json!({ "description": format!("lives at {} Lane", NAMES[3]) });
    assert_eq!(bench.post(&talks, &talk).await.status, 201);
    let path = format!("/tmf-api/party/v4/individual/{party}");
    let answer = bench.patch(&path, &json!({ "nationality": "GB" })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (party, customer, account)
}

async fn close(bench: &Bench, account: &str) {
    let path = format!("/tmf-api/accountManagement/v4/billingAccount/{account}");
    let closed = bench.patch(&path, &json!({ "state": "closed" })).await;
    assert_eq!(closed.status, 200, "{}", closed.body);
}

#[tokio::test]
async fn all_that_is_kept_about_a_person_is_exported() {
    let bench = Bench::new();
    let (party, customer, account) = person(&bench).await;
    let answer = bench.get(&format!("/orchestration/v1/persons/{party}")).await;
    assert_eq!(answer.status, 200);
    let lines: Vec<Value> =
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has = |resource: &str, id: &str| {
        lines.iter().any(|line| line["resource"] == resource && line["document"]["id"] == id)
    };
    assert!(has("individual", &party) && has("customer", &customer), "{}", answer.text);
    assert!(has("billingAccount", &account), "{}", answer.text);
    assert!(lines.iter().any(|line| line["resource"] == "interaction"), "{}", answer.text);
    assert_eq!(bench.get("/orchestration/v1/persons/none").await.status, 404);
}

#[tokio::test]
async fn a_person_is_erased_from_everything_that_is_kept() {
    let bench = Bench::new();
    let (party, customer, account) = person(&bench).await;
    assert!(!names_kept(&bench).is_empty());
    let erase = format!("/orchestration/v1/persons/{party}/erase");
    let refused = bench.post(&erase, &json!({ "reason": "asked for" })).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body["message"].as_str().unwrap().contains(&account), "{}", refused.body);
    close(&bench, &account).await;

    let erased = bench.post(&erase, &json!({ "reason": "asked for" })).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    assert!(erased.body["documents"].as_u64() >= Some(4), "{}", erased.body);
    assert!(erased.body["events"].as_u64() >= Some(4), "{}", erased.body);
    assert_eq!(names_kept(&bench), Vec::<String>::new());
    // The rest of the document is there, and refers as before.
    let left = bench.get(&format!("/tmf-api/customerManagement/v4/customer/{customer}")).await;
    assert_eq!(left.body["engagedParty"]["id"], json!(party));
    let again = bench.post(&erase, &json!({})).await;
    assert_eq!(again.body, json!({ "documents": 0, "versions": 0, "journals": 0, "events": 0 }));
    assert_eq!(bench.post("/orchestration/v1/persons/none/erase", &json!({})).await.status, 404);
}

#[tokio::test]
async fn another_party_keeps_its_name_when_a_person_is_erased() {
    let bench = Bench::new();
    let (party, customer, account) = person(&bench).await;
    close(&bench, &account).await;
    let related = json!([{ "id": party, "name": NAMES[0], "role": "contact" }]);
    let company = json!({ "tradingName": "Ironworks", "relatedParty": related });
    let company = created(&bench, "/tmf-api/party/v4/organization", &company).await;
    let other = json!({
        "name": "Ironworks", "engagedParty": { "id": company },
        "relatedParty": [{ "id": customer, "name": NAMES[1], "role": "payer" }],
    });
    let other = created(&bench, "/tmf-api/customerManagement/v4/customer", &other).await;
    let erased = bench.post(&format!("/orchestration/v1/persons/{party}/erase"), &json!({})).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    assert_eq!(names_kept(&bench), Vec::<String>::new());
    let company = bench.get(&format!("/tmf-api/party/v4/organization/{company}")).await;
    assert_eq!(company.body["tradingName"], "Ironworks");
    assert_eq!(company.body["relatedParty"][0]["name"], "erased");
    let other = bench.get(&format!("/tmf-api/customerManagement/v4/customer/{other}")).await;
    assert_eq!(other.body["name"], "Ironworks");
    let events = bench.get("/orchestration/v1/events?limit=100").await;
    assert_eq!(events.text.matches("\"tradingName\":\"Ironworks\"").count(), 1, "{}", events.text);
}
