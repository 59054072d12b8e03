//! Customers as a whole: what one has, ordered and owes, what was talked about, and two that turn
//! out to be one.

mod duplicates;

use commerce::billing::owed::owed;
use engine::keys;
use engine::store::documents::{Change, Expected};
use engine::store::{Put, Scan};
use serde_json::{Map, Value, json};
use tmf::document::customer_bill::CustomerBill;
use tmf::document::read;
use tmf::money::Money;
use tmf::resource::Owner;
use tmf::table;

pub(crate) use duplicates::{groups, likely, settle};

use super::Refusal;
use crate::app::App;

/// What was talked about with a customer, as documents: the customer's id stands first in theirs.
pub(crate) const INTERACTIONS: &str = "interaction";

/// So many documents of one kind stand in the view of a customer.
const SHOWN_MAX: usize = 200;

/// So many documents may refer to a customer who turns out to be another.
const MERGED_MAX: usize = 10_000;

/// What stands in the view of a customer, and by which attribute it is found.
const KINDS: [(&str, &str, &str); 7] = [
    ("billingAccount", "billingAccount", "relatedParty.id"),
    ("product", "product", "relatedParty.id"),
    ("productOrder", "productOrder", "relatedParty.id"),
    ("quote", "quote", "relatedParty.id"),
    ("partyRole", "partyRole", "engagedParty.id"),
    ("customerBill", "customerBill", "billingAccount.id"),
    ("usage", "usage", "relatedParty.id"),
];

/// All that is known of a customer; nothing where there is none.
pub(crate) fn view(app: &App, id: &str) -> Result<Option<Value>, engine::store::Error> {
    let Some(customer) = app.document("customer", id)? else { return Ok(None) };
    let party = customer.body.pointer("/engagedParty/id").and_then(Value::as_str);
    let party = party.unwrap_or_default().to_string();
    let mut view = Map::new();
    let engaged = match app.document("individual", &party)? {
        Some(individual) => Some(individual),
        None => app.document("organization", &party)?,
    };
    view.insert("party".into(), engaged.map_or(Value::Null, |party| party.body));
    let mut names: Vec<String> = vec![id.to_string(), party];
    names.extend(merged_into(&customer.body));
    let mut accounts = Vec::new();
    for (name, key, path) in KINDS {
        let wanted = if path == "billingAccount.id" { &accounts } else { &names };
        let mut found: Vec<Value> = Vec::new();
        for value in wanted.iter().filter(|value| !value.is_empty()) {
            let more = app.documents_by(key, path, value, SHOWN_MAX)?;
            found.extend(more.into_iter().map(|document| document.body));
        }
        found.dedup_by(|one, other| one.get("id") == other.get("id"));
        if key == "billingAccount" {
            accounts = found.iter().filter_map(id_of).collect();
        }
        if key == "customerBill" {
            // A bill that cannot be read is a finding of revenue assurance, and hides no other.
            let bills: Vec<CustomerBill> =
                found.iter().filter_map(|bill| read(bill).ok()).collect();
            let owes: Vec<Value> = owed(&bills).iter().map(Money::to_tmf).collect();
            view.insert("owes".into(), Value::Array(owes));
        }
        view.insert(name.into(), Value::Array(found));
    }
    view.insert("interaction".into(), Value::Array(interactions(app, id)?));
    view.insert("customer".into(), customer.body);
    Ok(Some(Value::Object(view)))
}

/// What was talked about with a customer, oldest first.
pub(crate) fn interactions(app: &App, customer: &str) -> Result<Vec<Value>, engine::store::Error> {
    let prefix = keys::document(INTERACTIONS, &format!("{customer}/"));
    let facts = app.engine.store().scan(&Scan::prefix(prefix, SHOWN_MAX))?;
    Ok(app.read_all(&facts).map(|found| found.body).collect())
}

/// Makes one customer of two: what refers to the duplicate refers to the other from now on, in one
/// commit. Orders stay as they were given, and are found through the customer that is left.
pub(crate) async fn merge(app: &App, id: &str, duplicate: &str) -> Result<Value, Refusal> {
    if id == duplicate {
        return Err(Refusal::unprocessable("duplicate", "a customer is no duplicate of itself"));
    }
    let missing =
        |path: &str, id: &str| Refusal::unprocessable(path, format!("there is no customer `{id}`"));
    let kept = app.document("customer", id)?.ok_or_else(|| missing("id", id))?;
    let gone = app.document("customer", duplicate)?;
    let gone = gone.ok_or_else(|| missing("duplicate", duplicate))?;
    let mut puts = Vec::new();
    let resources = table::APIS.iter().flat_map(|api| api.resources);
    for resource in resources.filter(|resource| resource.owner == Owner::Client) {
        let is_first = tmf::table::of_key(resource.key)
            .is_some_and(|(_, first)| std::ptr::eq(first, resource));
        if !is_first || !resource.indexed.contains(&"relatedParty.id") {
            continue;
        }
        let left = MERGED_MAX - puts.len().min(MERGED_MAX);
        for document in app.documents_by(resource.key, "relatedParty.id", duplicate, left)? {
            let Some(own) = id_of(&document.body) else { continue };
            let mut body = document.body;
            refer(&mut body, duplicate, id);
            let expected = Expected::Revision(document.revision);
            puts.push(Put::new(resource.key, own, Change::Set(body), expected));
        }
    }
    if puts.len() >= MERGED_MAX {
        let message = format!("more than {MERGED_MAX} documents refer to it");
        return Err(Refusal::conflict("duplicate", message));
    }
    let moved = puts.len();
    let mut body = kept.body;
    let mut merged = merged_into(&body);
    merged.extend(merged_into(&gone.body));
    merged.push(duplicate.to_string());
    body["mergedCustomer"] =
        merged.iter().map(|id| json!({ "id": id, "@referredType": "Customer" })).collect();
    puts.push(Put::new("customer", id, Change::Set(body), Expected::Revision(kept.revision)));
    let expected = Expected::Revision(gone.revision);
    puts.push(Put::new("customer", duplicate, Change::Remove, expected));
    app.write(puts).await?;
    Ok(json!({ "id": id, "merged": duplicate, "documentsMoved": moved }))
}

/// The ids of the customers that were found to be this one.
fn merged_into(customer: &Value) -> Vec<String> {
    let merged = customer.get("mergedCustomer").and_then(Value::as_array);
    merged.into_iter().flatten().filter_map(id_of).collect()
}

fn id_of(document: &Value) -> Option<String> {
    Some(document.get("id")?.as_str()?.to_string())
}

/// Has the related parties of a document that are one customer be another.
fn refer(body: &mut Value, from: &str, to: &str) {
    let parties = body.get_mut("relatedParty").and_then(Value::as_array_mut);
    for party in parties.into_iter().flatten().filter(|party| party["id"] == from) {
        // Only an object has an id.
        let fields = party.as_object_mut().expect("a party with an id is an object");
        fields.insert("id".into(), json!(to));
        fields.remove("href");
    }
}
