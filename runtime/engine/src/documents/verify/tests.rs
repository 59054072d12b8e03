//! Random changes leave no findings, and damage is found and rebuilt.

use proptest::prelude::*;
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::super::{Change, Expected, Put, batch};
use super::*;
use crate::store::{Epoch, Fact, Memory};

fn append(store: &Memory, writes: Vec<Write>, documents: Vec<Put>) {
    let batch = batch(Epoch(0), Timestamp(1), writes, documents);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(batch)).unwrap();
}

/// A product with any number of parties, more than any page of anything.
fn product() -> impl Strategy<Value = Value> {
    let state = prop::sample::select(vec!["created", "active", "terminated"]);
    (state, 0..200_usize, 0..3_u8).prop_map(|(state, parties, name)| {
        let parties: Vec<_> = (0..parties).map(|n| json!({ "id": format!("p{n}") })).collect();
        json!({ "name": format!("n{name}"), "status": state, "relatedParty": parties })
    })
}

fn put() -> impl Strategy<Value = Put> {
    let change = prop_oneof![
        3 => product().prop_map(Change::Set),
        1 => product().prop_map(Change::SetOnce),
        2 => product().prop_map(Change::Merge),
        1 => Just(Change::Remove),
        1 => Just(Change::Forget),
    ];
    (prop::sample::select(vec!["1", "2", "3", "a/b"]), change).prop_map(|(id, change)| {
        let with_id = |mut body: Value| {
            body["id"] = id.into();
            body
        };
        let change = match change {
            Change::Set(body) => Change::Set(with_id(body)),
            Change::SetOnce(body) => Change::SetOnce(with_id(body)),
            Change::Merge(body) => Change::Merge(with_id(body)),
            other @ (Change::SetPieced(_) | Change::Remove | Change::Forget) => other,
        };
        Put::new("product", id, change, Expected::Anything).quiet()
    })
}

fn facts(store: &Memory, prefix: &str) -> Vec<Fact> {
    store.scan(&Scan::prefix(prefix, usize::MAX)).unwrap()
}

/// What an index leads to, and what a look at each document finds.
fn ids_by(store: &Memory, path: &str, value: &str) -> (Vec<String>, Vec<String>) {
    let prefix = keys::entries("product", path, value);
    let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let indexed = store.scan(&Scan::prefix(prefix.clone(), usize::MAX)).unwrap();
    let indexed = indexed.iter().map(|(key, _)| name(&key[prefix.len()..])).collect();
    let (_, table) = tmf::table::of_key("product").unwrap();
    let scanned = facts(store, "d/product/").into_iter().filter_map(|(key, bytes)| {
        let document = Document::read(&bytes).unwrap();
        has(table, &document, path, value).then(|| name(&key["d/product/".len()..]))
    });
    (indexed, scanned.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_index_leads_to_what_a_scan_finds(puts in prop::collection::vec(put(), 1..20)) {
        let store = Memory::new();
        for put in puts {
            append(&store, Vec::new(), vec![put]);
        }
        for (path, value) in
            [("status", "active"), ("status", "created"), ("relatedParty.id", "p0"),
             ("relatedParty.id", "p70"), ("relatedParty.id", "p199"), ("name", "n1")]
        {
            let (indexed, scanned) = ids_by(&store, path, value);
            prop_assert_eq!(&indexed, &scanned, "{} {}", path, value);
            if path == "status" {
                let count = store.get(&keys::count("product", path, value)).unwrap();
                prop_assert_eq!(number(count.as_deref()), scanned.len() as u64);
            }
        }
        let report = verify(&store).unwrap();
        prop_assert_eq!(report.findings, []);
    }

    #[test]
    fn damage_to_the_indexes_is_found_and_rebuilt(
        puts in prop::collection::vec(put(), 1..12),
        harms in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..6),
    ) {
        let store = Memory::new();
        append(&store, Vec::new(), puts);
        let whole = facts(&store, "");
        let derived: Vec<_> = whole
            .iter()
            .filter(|(key, _)| key.starts_with(keys::ENTRIES) || key.starts_with(b"n/"))
            .collect();
        prop_assume!(!derived.is_empty());
        let mut writes = Vec::new();
        for (index, removes) in harms {
            let (key, _) = index.get(&derived);
            let other = [key.as_slice(), b"x"].concat();
            writes.push(if removes { (key.clone(), None) } else { (other, Some(7_u64.to_be_bytes().to_vec())) });
        }
        append(&store, writes, Vec::new());
        let report = verify(&store).unwrap();
        prop_assert!(!report.findings.is_empty());
        append(&store, report.repairs, Vec::new());
        prop_assert_eq!(verify(&store).unwrap().findings, []);
        prop_assert_eq!(facts(&store, ""), whole);
    }
}

#[test]
fn an_unreadable_document_is_named_with_the_reason() {
    let store = Memory::new();
    let body = json!({ "id": "1", "name": "a", "status": "active" });
    append(&store, Vec::new(), vec![Put::create("product", "1", body).quiet()]);
    let key = keys::document("product", "1");
    append(&store, vec![(key, Some(vec![b'['; 200]))], Vec::new());
    let report = verify(&store).unwrap();
    let [Finding::Unreadable { key, reason }, others @ ..] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
    assert_eq!(key, "d/product/1");
    assert!(reason.contains("recursion limit"), "{reason}");
    // The ways that led to it lead to nothing now; what made them is not known.
    assert!(others.iter().all(|one| !matches!(one, Finding::Unreadable { .. })));
}
