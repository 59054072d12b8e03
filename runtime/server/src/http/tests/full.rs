//! Nothing of a client's document is lost or rewritten: for every type of every definition a body
//! with all its attributes is posted in either version, read in both, and sent back.

mod definition;

use std::collections::BTreeMap;

use axum::body::Body as Bytes;
use serde_json::{Map, Value, json};
use tmf::resource::{Operation, Owner, Served};
use tmf::table::APIS;
use tmf::version::Version;
use tmf::version::View;

use super::bench::{BODY_BYTES_MAX, Bench};
use crate::settings::{BillingSettings, References, Strictness};
use definition::{Definition, Maker, Variant};

/// Every resource that a version has.
fn views(version: Version) -> impl Iterator<Item = View> {
    let other = match version {
        Version::V4 => Served::V5,
        Version::V5 => Served::V4,
    };
    let apis = APIS.iter().filter(move |api| version == Version::V4 || api.v5.is_some());
    apis.flat_map(move |api| {
        let resources = api.resources.iter().filter(move |resource| resource.served != other);
        resources.map(move |resource| View { api, resource, version })
    })
}

/// The paths of `sent` that `seen` lacks or has with another value.
fn lost(sent: &Value, seen: &Value, path: &str) -> Vec<String> {
    match (sent, seen) {
        (Value::Object(sent), Value::Object(seen)) => sent
            .iter()
            .flat_map(|(name, value)| {
                let path = format!("{path}.{name}");
                match seen.get(name) {
                    Some(seen) => lost(value, seen, &path),
                    None => vec![format!("{path}: {value} is gone")],
                }
            })
            .collect(),
        (Value::Array(sent), Value::Array(seen)) if sent.len() == seen.len() => {
            let pairs = sent.iter().zip(seen).enumerate();
            pairs
                .flat_map(|(at, (sent, seen))| lost(sent, seen, &format!("{path}[{at}]")))
                .collect()
        }
        _ if sent == seen => Vec::new(),
        _ => vec![format!("{path}: {sent} became {seen}")],
    }
}

/// The texts that tell one place from all others, which either version has somewhere.
fn marks(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let is_mark = text.chars().last().is_some_and(|last| last.is_ascii_digit())
                && (text.contains(' ') || text.contains("example.com"));
            found.extend(is_mark.then(|| text.clone()));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| marks(entry, found)),
        Value::Object(fields) => fields.values().for_each(|value| marks(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a client sends of a body that the server owns is left out.
fn without_owned(view: &View, body: &mut Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !view.sets(name));
    }
}

/// Attributes that the server sets beside those of the table, with the reason.
const OWNED: &[(&str, &[&str])] = &[
    // Answers to a question are computed, not sent.
    ("checkProductStock", &["alternate", "availabilityResult", "state"]),
    ("adjustProductStock", &["state"]),
    // A quote tells prices.
    ("quote", &["quoteItemPrice", "state"]),
    ("checkServiceQualification", ANSWERED),
    ("productOfferingQualification", ANSWERED),
    (
        "reserveProductStock",
        &["productStockReserved", "quantityReserved", "reserveProductStockState"],
    ),
];

/// What a qualification finds out about its items.
const ANSWERED: &[&str] = &[
    "alternateProductOfferingProposal",
    "alternateServiceProposal",
    "eligibilityUnavailabilityReason",
    "eligibilityResultReason",
    "expectedServiceAvailabilityDate",
    "qualificationItemResult",
    "qualificationResult",
    "state",
    "terminationError",
];

/// The compared part of a document: all but attributes of the server, and addresses.
fn compared(view: &View, document: &Value) -> Value {
    let owned = OWNED.iter().find(|(key, _)| *key == view.resource.key);
    let names = owned.map(|(_, names)| *names).unwrap_or_default();
    let mut document = document.clone();
    leave_out(&mut document, names);
    document
}

fn leave_out(value: &mut Value, names: &[&str]) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| leave_out(entry, names)),
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()) && name != "href");
            fields.values_mut().for_each(|value| leave_out(value, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Makes what a path through a document leads to a reference to this id.
fn refer(body: &mut Value, path: &str, id: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(below) = body.get_mut(name) else { return };
    let each = match below.as_array_mut() {
        Some(entries) => entries.iter_mut().collect(),
        None => vec![&mut body[name]],
    };
    for one in each {
        match rest {
            Some(rest) => refer(one, rest, id),
            None => one["id"] = json!(id),
        }
    }
}

/// Makes of a body one that goes with what is there.
async fn settle(bench: &Bench, view: &View, body: &mut Value) {
    without_owned(view, body);
    for reference in view.resource.references {
        let key = reference.to[0];
        let target = json!({
            "name": "target", "givenName": "Ann", "familyName": "Lee",
            "relatedParty": [{ "id": "p", "name": "Ann", "role": "owner" }],
            "productStockStatusType": "available", "productStockLevel": { "amount": 5.0 },
            "stockedProduct": { "name": "router" },
        });
        let made = bench.post(tmf::table::path(key), &target).await;
        assert_eq!(made.status, 201, "{key} {}", made.body);
        refer(body, &view.shown_path(reference.path), made.body["id"].as_str().unwrap());
    }
    if let Some(lifecycle) = view.resource.lifecycle.filter(|lifecycle| !lifecycle.next.is_empty())
        && let Some(state) = body.get_mut(lifecycle.attribute)
        && !lifecycle.next.iter().any(|(known, _)| *state == *known)
    {
        *state = json!("a word of mine");
    }
    if view.resource.key == "usage" {
        body["usageDate"] = json!("2026-01-01T00:00:00Z");
        body.as_object_mut().unwrap().remove("status");
        let rated = body.pointer_mut("/ratedProductUsage/0").and_then(Value::as_object_mut);
        if let Some(rated) = rated {
            rated.retain(|name, _| name == "productRef" || name.starts_with('@'));
        }
    }
    if body.get("provideOnlyAvailable").is_some() {
        body["provideOnlyAvailable"] = json!(false);
    }
    // An item that another is related to is one of the same request.
    for name in [
        "serviceQualificationItem",
        "productOfferingQualificationItem",
        "quoteItem",
        "checkProductOfferingQualificationItem",
    ] {
        if let Some(item) = body.pointer_mut(&format!("/{name}/0")).and_then(Value::as_object_mut) {
            item.retain(|name, _| !name.ends_with("ItemRelationship"));
            ask_of_one(item);
            // A quote is of what the catalog has.
            if name == "quoteItem"
                && let Some(product) = item.get_mut("product").and_then(Value::as_object_mut)
            {
                product.remove("productCharacteristic");
            }
        }
    }
}

/// Makes of an item a question that can be asked: of one offering, about what is to be there.
fn ask_of_one(item: &mut Map<String, Value>) {
    let named = |fields: &mut Map<String, Value>| {
        if let Some(offering) = fields.get_mut("productOffering").and_then(Value::as_object_mut) {
            offering.insert("id".into(), json!("PO-SF200H"));
        }
        for other in
            ["terminationDate", "endDate", "product", "productSpecification", "status", "state"]
        {
            fields.remove(other);
        }
    };
    for name in ["product", "service"] {
        if let Some(fields) = item.get_mut(name).and_then(Value::as_object_mut) {
            named(fields);
        }
    }
    if let Some(offering) = item.get_mut("productOffering").and_then(Value::as_object_mut) {
        offering.insert("id".into(), json!("PO-SF200H"));
    }
}

async fn check(version: Version) {
    let Some(definitions) = definition::all(version) else { return };
    let bench = Bench::new();
    let mut findings = Vec::new();
    let mut posted = 0;
    for view in views(version).filter(|view| view.resource.takes(Operation::Create)) {
        if view.resource.owner != Owner::Client {
            continue;
        }
        let definition =
            definitions.iter().find(|definition| definition.number == view.api.number).unwrap();
        posted += check_view(&bench, definition, view, &mut findings).await;
        // A question is asked anew where it comes in, and usage is rated anew.
        const ANEW: [&str; 7] =
            ["check", "query", "adjust", "reserve", "quote", "usage", "productOfferingQual"];
        let is_asked = view.name() != "usageSpecification"
            && ANEW.iter().any(|word| view.name().starts_with(word));
        if !is_asked && crate::bulk::import::importable(view.resource.key).is_ok() {
            findings.extend(moved(&bench, view.resource.key).await);
        }
    }
    assert!(findings.is_empty(), "{} of {posted}:\n{}", findings.len(), findings.join("\n"));
    assert!(posted > 100, "only {posted}");
}

async fn check_view(
    bench: &Bench,
    definition: &Definition,
    view: View,
    findings: &mut Vec<String>,
) -> usize {
    let Some(schema) = definition.creates(view.shape()) else {
        findings.push(format!("{} {}: no schema", view.api.number, view.name()));
        return 0;
    };
    let mut classes = definition.classes(&schema);
    if classes.is_empty() {
        classes.push((view.shape(), &schema));
    }
    let mut posted = 0;
    for (class, schema) in &classes {
        for (first, is_own) in [(0, false), (1, false), (2, false), (3, false), (0, true)] {
            let mut maker = Maker::new(definition, Variant { first, is_own });
            let mut body = maker.body(class, schema, BODY_BYTES_MAX - 1000);
            settle(bench, &view, &mut body).await;
            let name = format!("{} {} {class} {first} {is_own}", view.api.number, view.path());
            let found = round(bench, &view, &body).await;
            findings.extend(found.into_iter().take(5).map(|found| format!("{name}: {found}")));
            posted += 1;
        }
    }
    posted
}

async fn round(bench: &Bench, view: &View, body: &Value) -> Vec<String> {
    let made = bench.post(&view.path(), body).await;
    if made.status != 201 {
        return vec![format!("{} {}\n   {body}", made.status, made.body)];
    }
    let body = &compared(view, body);
    let mut findings = lost(body, &made.body, "POST");
    let id = made.body["id"].as_str().unwrap();
    let got = bench.get(&format!("{}/{id}", view.path())).await;
    findings.extend(lost(body, &got.body, "GET"));
    let other = match view.version {
        Version::V4 => Version::V5,
        Version::V5 => Version::V4,
    };
    let Some(other) = views(other).find(|other| other.resource.key == view.resource.key) else {
        return findings;
    };
    let there = bench.get(&format!("{}/{id}", other.path())).await;
    let (mut sent, mut seen) = (Vec::new(), Vec::new());
    marks(body, &mut sent);
    marks(&there.body, &mut seen);
    let gone = sent.iter().filter(|mark| !seen.contains(mark));
    findings.extend(gone.map(|mark| format!("{}: `{mark}` is gone", other.version)));
    for by in [view, &other] {
        findings.extend(patched(bench, view, by, id, body).await);
    }
    findings
}

/// What a patch in a version loses of a document, beside what it is about.
async fn patched(bench: &Bench, view: &View, by: &View, id: &str, body: &Value) -> Vec<String> {
    if !by.resource.takes(Operation::Patch) {
        return Vec::new();
    }
    let path = format!("{}/{id}", by.path());
    // A state may be one of those that nothing is changed in any more.
    let change = json!({ "own attribute": { "of": by.version.to_string(), "n": [0.5, null] } });
    let answer = bench.patch(&path, &change).await;
    if answer.status != 200 {
        return vec![format!("PATCH {}: {} {}", by.version, answer.status, answer.body)];
    }
    let after = bench.get(&format!("{}/{id}", view.path())).await.body;
    let mut findings = lost(body, &after, &format!("after PATCH {}", by.version));
    findings.extend(lost(&change, &after, &format!("PATCH {}", by.version)));
    findings
}

/// The attributes lost by documents that are exported and imported elsewhere.
async fn moved(bench: &Bench, key: &str) -> Vec<String> {
    let export = format!("/orchestration/v1/exports/{key}");
    let rows = bench.get(&export).await.text;
    let strictness = Strictness { references: References::None, ..Strictness::default() };
    let other =
        Bench::new().with_commerce(BillingSettings { strictness, ..BillingSettings::default() });
    let import = format!("PUT /orchestration/v1/imports/all?resource={key}&existing=replace");
    let header = [("content-type", "application/x-ndjson")];
    let taken = other.send(&import, &header, Bytes::from(rows.clone())).await;
    if taken.status != 200 {
        return vec![format!("{key}: {}", taken.text)];
    }
    let by_id = |text: &str| -> BTreeMap<String, Value> {
        let rows = text.lines().map(|line| tmf::json::parse(line.as_bytes()).unwrap());
        rows.map(|row| (row["id"].as_str().unwrap().to_string(), row)).collect()
    };
    let there = by_id(&other.get(&export).await.text);
    let gone = by_id(&rows).into_iter().flat_map(|(id, row)| match there.get(&id) {
        Some(there) => lost(&row, there, "import"),
        None => vec![format!("{id} is gone")],
    });
    gone.map(|gone| format!("{key}: {gone}")).take(3).collect()
}

#[tokio::test]
async fn version_4_keeps_all_of_every_document() {
    check(Version::V4).await;
}

#[tokio::test]
async fn version_5_keeps_all_of_every_document() {
    check(Version::V5).await;
}
