//! A person is exported, and erased from everything that is kept.

use axum::body::Body;
use engine::store::{Scan, Store as _};
use serde_json::{Value, json};

use super::bench::{Bench, order};

const INDIVIDUAL: &str = "/tmf-api/party/v4/individual";
const CUSTOMER: &str = "/tmf-api/customerManagement/v4/customer";
const ROLE: &str = "/tmf-api/partyRoleManagement/v4/partyRole";
const ACCOUNT: &str = "/tmf-api/accountManagement/v4/billingAccount";
const ORDER: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

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
    let party = created(bench, INDIVIDUAL, &individual).await;
    let customer = json!({
        "name": format!("{} {}", NAMES[0], NAMES[1]), "engagedParty": { "id": party },
        "statusReason": format!("asked by {}", NAMES[0]),
        "paymentMethod": [{ "id": "P-1", "name": format!("card of {}", NAMES[1]) }],
    });
    let customer = created(bench, CUSTOMER, &customer).await;
    let account = json!({
        "name": format!("{} home", NAMES[1]), "description": format!("pays for {}", NAMES[3]),
        "defaultPaymentMethod": { "id": "P-1", "name": format!("card of {}", NAMES[1]) },
        "relatedParty": [{ "id": customer, "name": NAMES[0], "role": "owner" }],
    });
    let account = created(bench, ACCOUNT, &account).await;
    let talks = format!("/orchestration/v1/customers/{customer}/interactions");
    let talk = json!({ "description": format!("lives at {} Lane", NAMES[3]) });
    assert_eq!(bench.post(&talks, &talk).await.status, 201);
    let path = format!("{INDIVIDUAL}/{party}");
    let answer = bench.patch(&path, &json!({ "nationality": "GB" })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (party, customer, account)
}

async fn close(bench: &Bench, account: &str) {
    let path = format!("{ACCOUNT}/{account}");
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
    let left = bench.get(&format!("{CUSTOMER}/{customer}")).await;
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
    let other = created(&bench, CUSTOMER, &other).await;
    let erased = bench.post(&format!("/orchestration/v1/persons/{party}/erase"), &json!({})).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    assert_eq!(names_kept(&bench), Vec::<String>::new());
    let company = bench.get(&format!("/tmf-api/party/v4/organization/{company}")).await;
    assert_eq!(company.body["tradingName"], "Ironworks");
    assert_eq!(company.body["relatedParty"][0]["name"], "erased");
    let other = bench.get(&format!("{CUSTOMER}/{other}")).await;
    assert_eq!(other.body["name"], "Ironworks");
    let events = bench.get("/orchestration/v1/events?limit=100").await;
    assert_eq!(events.text.matches("\"tradingName\":\"Ironworks\"").count(), 1, "{}", events.text);
}

/// An order that ends at once: no one knows its offering.
async fn ended_order(bench: &Bench, party: &str) -> String {
    let mut order = order("person");
    order["productOrderItem"][0]["productOffering"]["id"] = json!("PO-NONE");
    let name = format!("{} {}", NAMES[0], NAMES[1]);
    order["relatedParty"] = json!([{ "id": party, "name": name, "role": "customer" }]);
    let id = created(bench, ORDER, &order).await;
    let ended = bench.get(&format!("{ORDER}/{id}")).await;
    assert_eq!(ended.body["state"], "rejected", "{}", ended.text);
    id
}

async fn remove(bench: &Bench, resource: &str, id: &str) {
    let removed = bench.send(&format!("DELETE {resource}/{id}"), &[], Body::empty()).await;
    assert_eq!(removed.status, 204, "{}", removed.text);
}

/// Erases a person, and looks whether a name is left, or something for another erasure.
async fn erase_all(bench: &Bench, party: &str) -> Value {
    let erase = format!("/orchestration/v1/persons/{party}/erase");
    let erased = bench.post(&erase, &json!({ "reason": "asked for" })).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert_eq!(names_kept(bench), Vec::<String>::new());
    let again = bench.post(&erase, &json!({})).await;
    assert_eq!(again.body, json!({ "documents": 0, "versions": 0, "journals": 0, "events": 0 }));
    erased.body
}

#[tokio::test]
async fn a_removed_person_is_exported_and_erased() {
    let bench = Bench::new();
    let individual = json!({ "givenName": NAMES[0], "familyName": NAMES[1] });
    let party = created(&bench, INDIVIDUAL, &individual).await;
    let order = ended_order(&bench, &party).await;
    remove(&bench, INDIVIDUAL, &party).await;
    let exported = bench.get(&format!("/orchestration/v1/persons/{party}")).await;
    assert_eq!(exported.status, 200, "{}", exported.text);
    for line in ["\"resource\":\"individual\"", &format!("\"id\":\"{order}\""), NAMES[1]] {
        assert!(exported.text.contains(line), "{line}: {}", exported.text);
    }
    let erased = erase_all(&bench, &party).await;
    assert_eq!((&erased["documents"], &erased["journals"]), (&json!(1), &json!(1)), "{erased}");
    let order = bench.get(&format!("{ORDER}/{order}")).await;
    assert_eq!(order.body["relatedParty"][0]["id"], json!(party));
}

#[tokio::test]
async fn removed_roles_and_accounts_of_a_person_are_erased() {
    let bench = Bench::new();
    let (party, customer, account) = person(&bench).await;
    close(&bench, &account).await;
    ended_order(&bench, &customer).await;
    // A role has no earlier versions: events alone tell of it.
    let role = json!({ "name": NAMES[1], "engagedParty": { "id": party } });
    let role = created(&bench, ROLE, &role).await;
    let related = json!([{ "id": role, "name": NAMES[0], "role": "payer" }]);
    let paid = json!({ "name": NAMES[1], "state": "closed", "relatedParty": related });
    let paid = created(&bench, ACCOUNT, &paid).await;
    ended_order(&bench, &role).await;
    for (resource, id) in [(ACCOUNT, account), (ACCOUNT, paid), (CUSTOMER, customer), (ROLE, role)]
    {
        remove(&bench, resource, &id).await;
    }
    let erased = erase_all(&bench, &party).await;
    assert_eq!(erased["journals"], 2, "{erased}");
}

#[tokio::test]
async fn a_removed_person_leaves_what_is_of_others() {
    let bench = Bench::new();
    let (party, customer, account) = person(&bench).await;
    // The account goes to another person, and the first one is removed.
    let other = json!({ "givenName": "Ada", "familyName": "Byron" });
    let other = created(&bench, INDIVIDUAL, &other).await;
    let related = json!([{ "id": other, "name": "Ada", "role": "owner" }]);
    let moved = json!({ "name": "moved", "description": "of Ada", "relatedParty": related });
    let moved = bench.patch(&format!("{ACCOUNT}/{account}"), &moved).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    remove(&bench, CUSTOMER, &customer).await;
    remove(&bench, INDIVIDUAL, &party).await;
    let erased = bench.post(&format!("/orchestration/v1/persons/{party}/erase"), &json!({})).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    let account = bench.get(&format!("{ACCOUNT}/{account}")).await;
    assert_eq!(
        (&account.body["name"], &account.body["relatedParty"][0]["name"]),
        (&json!("moved"), &json!("Ada"))
    );
}
