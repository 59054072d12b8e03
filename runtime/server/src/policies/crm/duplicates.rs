//! Customers that are likely one: parties have index entries by the keys of [`commerce::duplicate`],
//! written in the commit of the party and read in the order of the keys.

use engine::documents::{Change, Document, Expected, Put};
use std::collections::{BTreeMap, BTreeSet};

use commerce::duplicate::{Key, keys};
use engine::keys as facts;
use engine::store::{Scan, pages};
use serde::Serialize;
use serde_json::json;
use tmf::document::Reference;
use tmf::document::party::{Customer, Party};

use super::engaged;
use crate::access::Reader;
use crate::documents::Session;
use crate::policies::{Draft, Refusal, stored};

/// The index entries: `<key>/<party>`.
const KEYS: &str = "partyKey";

/// Max entries that are read at once.
const KEYS_AT_ONCE: usize = 256;

/// Max parties with one key that are looked at.
const SAME_MAX: usize = 100;

/// Max likely duplicates in the answer to a new customer.
const NAMED_MAX: usize = 10;

/// Whether the documents of a resource are parties.
pub(super) fn is_party(key: &str) -> bool {
    matches!(key, "individual" | "organization")
}

/// Updates the index entries of a party.
pub(super) fn index(draft: &mut Draft) -> Result<(), Refusal> {
    let before = match &draft.before {
        Some(before) => keys(&stored(draft.resource.key, before)?),
        None => BTreeSet::new(),
    };
    let after = if draft.after.is_some() { keys(&draft.read()?) } else { BTreeSet::new() };
    let name = |key: &Key| format!("{}/{}", plain(key), draft.id);
    let gone = before.difference(&after);
    let gone =
        gone.map(|key| Put::new(KEYS, name(key), Change::Forget, Expected::Anything).quiet());
    let new = after.difference(&before);
    let party = json!({ "party": draft.id });
    let new = new.map(|key| Put::set(KEYS, name(key), &party).quiet());
    let puts: Vec<Put> = gone.chain(new).collect();
    draft.more.extend(puts);
    Ok(())
}

/// A key as part of a name, without the separators of names.
fn plain(key: &Key) -> String {
    key.to_string().replace(['/', '\0'], "|")
}

/// Customers that are likely one.
#[derive(Serialize)]
pub(crate) struct Group {
    customer: Vec<Duplicate>,
    reason: Vec<Shared>,
}

/// A customer of a group.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Duplicate {
    id: String,
    href: Option<String>,
    name: Option<String>,
    engaged_party: Option<Reference>,
    #[serde(rename = "@referredType")]
    referred_type: &'static str,
}

/// A key that all parties of a group have.
#[derive(Serialize)]
struct Shared {
    reason: &'static str,
    value: String,
}

/// A page of groups of customers that are likely one, after a key; with the key after which the next
/// page begins, if there may be one.
pub(crate) fn groups(
    session: &Session,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Group>, Option<String>), Refusal> {
    let (mut found, mut last) = (Vec::new(), None);
    let mut scan = Scan::prefix(facts::documents(KEYS), KEYS_AT_ONCE);
    scan.after = after.map(|key| facts::document(KEYS, &format!("{key}/\u{10ffff}")));
    let mut same: (String, Vec<String>) = Default::default();
    let begin = scan.prefix.len();
    for page in pages(session.store(), scan) {
        for fact in &page? {
            let key = &fact.0;
            let name = key.get(begin..).unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            let Some((key, _)) = name.rsplit_once('/') else { continue };
            if key != same.0 {
                found.extend(group(session, &same.0, &same.1)?);
                if found.len() >= limit {
                    return Ok((found, last));
                }
                same = (key.to_owned(), Vec::new());
            }
            last = Some(key.to_owned());
            if same.1.len() < SAME_MAX {
                let entry = session.read_all(std::slice::from_ref(fact));
                same.1.extend(
                    entry.filter_map(|entry| entry.body["party"].as_str().map(str::to_owned)),
                );
            }
        }
    }
    found.extend(group(session, &same.0, &same.1)?);
    Ok((found, None))
}

/// The customers of parties with a key, and all keys that these parties share. `None` if there are
/// fewer than two, or if they were shown at an earlier key.
fn group(session: &Session, key: &str, parties: &[String]) -> Result<Option<Group>, Refusal> {
    let mut customers: BTreeMap<String, Duplicate> = BTreeMap::new();
    let mut common: BTreeMap<Key, usize> = BTreeMap::new();
    let mut members = 0;
    for id in parties {
        let Some(party) = party(session, id)? else { continue };
        let own = customers_of(session, id, SAME_MAX, &Reader::All)?;
        if own.is_empty() {
            continue;
        }
        members += 1;
        for key in keys(&party) {
            *common.entry(key).or_default() += 1;
        }
        customers.extend(own.into_iter().map(|one| (one.id.clone(), duplicate(one))));
    }
    let shared = common.into_iter().filter(|(_, count)| *count == members).map(|(key, _)| key);
    let shared: Vec<Key> = shared.collect();
    // The same customers are found at each of their keys: the first name of a key here shows them.
    let first = shared.iter().map(plain).min();
    if customers.len() < 2 || first.as_deref() != Some(key) {
        return Ok(None);
    }
    let shared = shared.into_iter();
    let reason = shared.map(|key| Shared { reason: key.reason.as_str(), value: key.value });
    Ok(Some(Group { customer: customers.into_values().collect(), reason: reason.collect() }))
}

fn duplicate(customer: Customer) -> Duplicate {
    Duplicate {
        id: customer.id,
        href: customer.href,
        name: customer.name,
        engaged_party: customer.engaged_party,
        referred_type: "Customer",
    }
}

fn party(session: &Session, id: &str) -> Result<Option<Party>, Refusal> {
    let found = engaged(session, id)?;
    found.map(|(resource, found)| stored(resource, &found)).transpose()
}

fn customers_of(
    session: &Session,
    party: &str,
    limit: usize,
    reader: &Reader,
) -> Result<Vec<Customer>, Refusal> {
    let by = ("engagedParty.id", party);
    let is_seen = |customer: &Document| reader.sees("customer", &customer.body);
    let found = session.documents_where("customer", by, limit, is_seen)?;
    found.iter().map(|customer| stored("customer", customer)).collect()
}

/// The likely duplicates of a new customer or party that a reader may see: the path of each, and why.
pub(crate) fn likely(
    session: &Session,
    (resource, id): (&str, &str),
    reader: &Reader,
) -> Result<Vec<(String, String)>, Refusal> {
    let mut found = Vec::new();
    match resource {
        "individual" | "organization" => {
            for (other, reasons) in alike(session, id)? {
                let other = engaged(session, &other)?;
                let other = other.filter(|(key, other)| reader.sees(key, &other.body));
                let other = other.map(|(key, other)| stored::<Party>(key, &other)).transpose()?;
                let other = other.and_then(|other| other.href);
                found.extend(other.map(|href| (href, joined(reasons))));
            }
        }
        "customer" => {
            let customer = session.document("customer", id)?;
            let customer: Option<Customer> =
                customer.map(|customer| stored("customer", &customer)).transpose()?;
            let Some(own) = customer.as_ref().and_then(Customer::party) else { return Ok(found) };
            let mut parties = alike(session, own)?;
            parties.entry(own.into()).or_default().insert("engagedParty");
            for (party, reasons) in parties {
                let why = joined(reasons);
                let others = customers_of(session, &party, NAMED_MAX, reader)?.into_iter();
                let others = others.filter(|other| other.id != id).filter_map(|other| other.href);
                found.extend(others.map(|href| (href, why.clone())));
            }
        }
        _ => {}
    }
    found.truncate(NAMED_MAX);
    Ok(found)
}

fn joined(reasons: BTreeSet<&'static str>) -> String {
    reasons.into_iter().collect::<Vec<_>>().join(", ")
}

/// The parties that share a key with a party, with the reasons.
fn alike(
    session: &Session,
    own: &str,
) -> Result<BTreeMap<String, BTreeSet<&'static str>>, Refusal> {
    let mut reasons: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for key in party(session, own)?.iter().flat_map(keys) {
        let prefix = facts::document(KEYS, &format!("{}/", plain(&key)));
        let entries = session.scan(&Scan::prefix(prefix, SAME_MAX))?;
        for entry in session.read_all(&entries) {
            let Some(other) = entry.body["party"].as_str() else { continue };
            if other != own {
                reasons.entry(other.into()).or_default().insert(key.reason.as_str());
            }
        }
    }
    Ok(reasons)
}
