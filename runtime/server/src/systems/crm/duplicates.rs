//! Customers that are likely one: parties are kept by what two of them have in common when they are
//! one, in the commit that writes them, and are read in that order.

use std::collections::{BTreeMap, BTreeSet};

use commerce::duplicate::{Key, keys};
use engine::keys as facts;
use engine::store::documents::{Change, Expected};
use engine::store::{Error, Put, Scan};
use serde_json::{Value, json};

use crate::app::App;
use crate::systems::Draft;

/// What parties have in common, as documents: `<key>/<party>`.
const KEYS: &str = "partyKey";

/// So many keys are read at once.
const KEYS_AT_ONCE: usize = 256;

/// So many parties with one key are looked at.
const SAME_MAX: usize = 100;

/// So many customers that are likely the same are named when one is made.
const NAMED_MAX: usize = 10;

/// Keeps a party by what it has in common with others.
pub(crate) fn settle(draft: &mut Draft) {
    if !matches!(draft.resource.key, "individual" | "organization") {
        return;
    }
    let before = draft.before.as_ref().map(|before| keys(&before.body)).unwrap_or_default();
    let after = draft.after.as_ref().map(keys).unwrap_or_default();
    let name = |key: &Key| format!("{}/{}", plain(key), draft.id);
    let gone = before.difference(&after);
    let gone =
        gone.map(|key| Put::new(KEYS, name(key), Change::Forget, Expected::Anything).quiet());
    let new = after.difference(&before);
    let party = json!({ "party": draft.id });
    let new = new.map(|key| Put::set(KEYS, name(key), party.clone()).quiet());
    let puts: Vec<Put> = gone.chain(new).collect();
    draft.more.extend(puts);
}

/// A key as part of a name: what separates the parts of a name is not in it.
fn plain(key: &Key) -> String {
    key.to_string().replace(['/', '\0'], "|")
}

/// A page of customers that are likely one, in groups, after a key; with the key to go on after
/// where there may be more.
pub(crate) fn groups(
    app: &App,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Value>, Option<String>), Error> {
    let (mut found, mut last) = (Vec::new(), None);
    let mut scan = Scan::prefix(facts::documents(KEYS), KEYS_AT_ONCE);
    scan.after = after.map(|key| facts::document(KEYS, &format!("{key}/\u{10ffff}")));
    let mut same: (String, Vec<String>) = Default::default();
    loop {
        let page = app.engine.store().scan(&scan)?;
        scan.after = page.last().map(|(key, _)| key.clone());
        for fact in &page {
            let key = &fact.0;
            let name = key.get(scan.prefix.len()..).unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            let Some((key, _)) = name.rsplit_once('/') else { continue };
            if key != same.0 {
                found.extend(group(app, &same.0, &same.1)?);
                if found.len() >= limit {
                    return Ok((found, last));
                }
                same = (key.to_owned(), Vec::new());
            }
            last = Some(key.to_owned());
            if same.1.len() < SAME_MAX {
                let party = app.read_all(std::slice::from_ref(fact));
                same.1.extend(
                    party.filter_map(|party| party.body["party"].as_str().map(str::to_owned)),
                );
            }
        }
        if page.len() < KEYS_AT_ONCE {
            found.extend(group(app, &same.0, &same.1)?);
            return Ok((found, None));
        }
    }
}

/// The customers of some parties with a key, and all reasons why they are likely one; nothing where
/// they are fewer than two, or were shown at an earlier key.
fn group(app: &App, key: &str, parties: &[String]) -> Result<Option<Value>, Error> {
    let mut customers = BTreeMap::new();
    let mut common: BTreeMap<Key, usize> = BTreeMap::new();
    let mut members = 0;
    for id in parties {
        let Some(party) = party(app, id)? else { continue };
        let own = app.documents_by("customer", "engagedParty.id", id, SAME_MAX)?;
        if own.is_empty() {
            continue;
        }
        members += 1;
        for key in keys(&party) {
            *common.entry(key).or_default() += 1;
        }
        customers.extend(own.into_iter().filter_map(|one| {
            let id = one.body.get("id")?.as_str()?.to_owned();
            Some((
                id,
                json!({ "id": one.body["id"], "href": one.body["href"], "name": one.body["name"],
                "engagedParty": one.body["engagedParty"], "@referredType": "Customer" }),
            ))
        }));
    }
    let shared: Vec<Key> =
        common.into_iter().filter(|(_, count)| *count == members).map(|(key, _)| key).collect();
    // The same customers come at each of their keys, in order of the names that keys have here.
    let first = shared.iter().map(plain).min();
    if customers.len() < 2 || first.as_deref() != Some(key) {
        return Ok(None);
    }
    let reasons: Vec<Value> = shared
        .iter()
        .map(|key| json!({ "reason": key.reason.as_str(), "value": key.value }))
        .collect();
    let customers: Vec<Value> = customers.into_values().collect();
    Ok(Some(json!({ "customer": customers, "reason": reasons })))
}

fn party(app: &App, id: &str) -> Result<Option<Value>, Error> {
    let found = match app.document("individual", id)? {
        Some(found) => Some(found),
        None => app.document("organization", id)?,
    };
    Ok(found.map(|found| found.body))
}

/// Who is likely the same as a customer or party that was just made: its path, and why.
pub(crate) fn likely(
    app: &App,
    resource: &str,
    document: &Value,
) -> Result<Vec<(String, String)>, Error> {
    let (own, of_customer) = match resource {
        "individual" | "organization" => (document.get("id"), false),
        "customer" => (document.pointer("/engagedParty/id"), true),
        _ => return Ok(Vec::new()),
    };
    let Some(own) = own.and_then(Value::as_str) else { return Ok(Vec::new()) };
    let mut reasons: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    if of_customer {
        reasons.entry(own.into()).or_default().insert("engagedParty");
    }
    for key in party(app, own)?.iter().flat_map(keys) {
        let prefix = facts::document(KEYS, &format!("{}/", plain(&key)));
        for party in app.read_all(&app.engine.store().scan(&Scan::prefix(prefix, SAME_MAX))?) {
            let body = party.body;
            let Some(other) = body["party"].as_str() else { continue };
            if other != own {
                reasons.entry(other.into()).or_default().insert(key.reason.as_str());
            }
        }
    }
    let mut found = Vec::new();
    for (party, reasons) in reasons {
        let why = reasons.into_iter().collect::<Vec<_>>().join(", ");
        let others: Vec<Value> = if of_customer {
            let own = app.documents_by("customer", "engagedParty.id", &party, NAMED_MAX)?;
            own.into_iter().map(|one| one.body).collect()
        } else {
            self::party(app, &party)?.into_iter().collect()
        };
        let others = others.into_iter().filter(|other| other.get("id") != document.get("id"));
        found.extend(
            others.filter_map(|other| Some((other.get("href")?.as_str()?.to_owned(), why.clone()))),
        );
    }
    found.truncate(NAMED_MAX);
    Ok(found)
}
