//! Stores whose indexes an earlier version of the program wrote.

use proptest::prelude::*;
use tmf::index;

use super::*;
use crate::documents::search::{Condition, search};
use crate::documents::verify::verify;
use crate::keys;
use crate::store::{TenantNumber, View};

/// Values that documents have.
const NAMES: [&str; 5] = ["a", "a b", "ä", "C1", "0"];

/// Documents of two resources. Some have a name that an index cuts.
fn put() -> impl Strategy<Value = Put> {
    let resource = prop::sample::select(vec!["product", "service"]);
    let state = prop::sample::select(vec!["created", "active", "terminated"]);
    let name = prop_oneof![
        4 => prop::sample::select(NAMES.to_vec()).prop_map(String::from),
        1 => Just("x".repeat(index::VALUE_BYTES_MAX + 7)),
    ];
    let parties = prop::collection::vec(prop::sample::select(NAMES.to_vec()), 0..4);
    (resource, 0..6_u8, state, name, parties).prop_map(|(resource, id, state, name, parties)| {
        let parties: Vec<_> = parties.iter().map(|id| json!({ "id": id })).collect();
        let id = format!("{id}/x");
        let state = if resource == "product" { ("status", state) } else { ("state", state) };
        let body = json!({ "id": id, "name": name, state.0: state.1, "relatedParty": parties });
        Put::set(resource, id, body).quiet()
    })
}

/// The key of an entry in the first form.
fn first_form(key: &[u8]) -> Vec<u8> {
    let [resource, path, value, id] = keys::entry_of(key).unwrap();
    keys::first_entry(resource, path, value, id)
}

/// Writes entries in the first form in the place of those of today.
async fn go_back(store: &View, version: u64) {
    let entries = store.scan(&Scan::prefix(keys::ENTRIES, usize::MAX)).unwrap();
    let mut writes: Vec<Write> =
        entries.iter().map(|(key, _)| (first_form(key), Some(Vec::new()))).collect();
    writes.extend(entries.into_iter().map(|(key, _)| (key, None)));
    writes.push((keys::INDEXED.to_vec(), Some(version.to_be_bytes().to_vec())));
    let epoch = store.claim().unwrap();
    store.append(Batch::of(epoch, writes)).await.unwrap();
}

/// What searches answer, and the counts.
fn answers(store: &View) -> Vec<String> {
    let mut answers = Vec::new();
    for (resource, state) in [("product", "status"), ("service", "state")] {
        let long = "x".repeat(index::VALUE_BYTES_MAX + 7);
        let names = NAMES.iter().copied().chain([long.as_str()]);
        let by_name = names.flat_map(|name| [("name", name), ("relatedParty.id", name)]);
        let by_state = ["created", "active", "terminated"].map(|value| (state, value));
        for (path, value) in by_name.chain(by_state) {
            let condition = Condition { paths: vec![path.into()], values: vec![value.into()] };
            let found = search(store, resource, &[condition], usize::MAX).unwrap();
            let ids: Vec<_> = found.iter().map(|found| found.body["id"].to_string()).collect();
            let count = store.get(&keys::count(resource, path, value)).unwrap();
            answers.push(format!("{resource} {path} {value}: {ids:?} {count:?}"));
        }
    }
    answers
}

/// The ids that a look at each document finds, the latest first.
fn ids_by(store: &View, resource: &str, path: &str, value: &str) -> Vec<String> {
    let documents = store.scan(&Scan::prefix(keys::documents(resource), usize::MAX)).unwrap();
    let documents = documents.iter().rev();
    let documents = documents.map(|(_, bytes)| documents::Document::read(bytes).unwrap().body);
    documents
        .filter(|body| index::leads_to(body, path, &[value.to_string()]))
        .map(|body| body["id"].to_string())
        .collect()
}

fn views() -> [View; 2] {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let tenant = TenantNumber::new(7).unwrap();
    [View::of_default(Arc::clone(&store)), View::of(store, tenant)]
}

fn facts(store: &View, prefix: &[u8]) -> Vec<Fact> {
    store.scan(&Scan::prefix(prefix, usize::MAX)).unwrap()
}

/// Writes documents to a store whose indexes are then of the first form, in one version or the other,
/// and begins again.
async fn rebuilt(store: View, puts: Vec<Put>) -> Result<(), TestCaseError> {
    let (engine, running) = begin(store.clone());
    engine.append(Vec::new(), puts).await.unwrap();
    engine.rebuild_indexes().await.unwrap();
    drop(engine);
    running.await.unwrap().unwrap();
    let (before, whole) = (answers(&store), facts(&store, b""));
    for version in [1, 2] {
        go_back(&store, version).await;
        prop_assert_eq!(facts(&store, keys::ENTRIES), []);
        prop_assert_eq!(verify(&store).unwrap().findings, [], "the next start moves them");
        let (engine, running) = begin(store.clone());
        engine.rebuild_indexes().await.unwrap();
        drop(engine);
        running.await.unwrap().unwrap();
        prop_assert_eq!(answers(&store), before.clone());
        prop_assert_eq!(facts(&store, b""), whole.clone());
        prop_assert_eq!(facts(&store, keys::FIRST_ENTRIES), []);
        prop_assert_eq!(verify(&store).unwrap().findings, []);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_store_of_the_first_form_is_rebuilt_and_answers_the_same(
        puts in prop::collection::vec(put(), 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for store in views() {
            runtime.block_on(rebuilt(store, puts.clone()))?;
        }
    }

    #[test]
    fn searches_find_what_a_look_at_each_document_finds(
        puts in prop::collection::vec(put(), 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for store in views() {
            for put in &puts {
                let batch = documents::batch(Epoch(0), Timestamp(1), Vec::new(), vec![put.clone()]);
                runtime.block_on(store.append(batch)).unwrap();
            }
            for (resource, path) in [("product", "name"), ("product", "relatedParty.id"),
                ("service", "name"), ("service", "relatedParty.id"), ("service", "state")]
            {
                for value in NAMES.into_iter().chain(["active", "terminated"]) {
                    let condition = Condition { paths: vec![path.into()], values: vec![value.into()] };
                    let found = search(&store, resource, &[condition], usize::MAX).unwrap();
                    let found: Vec<_> = found.iter().map(|one| one.body["id"].to_string()).collect();
                    prop_assert_eq!(found, ids_by(&store, resource, path, value), "{} {}", path, value);
                }
            }
        }
    }
}

#[tokio::test]
async fn entries_of_the_first_form_are_strays_in_a_store_of_today() {
    let [store, _] = views();
    let batch = |put| documents::batch(Epoch(0), Timestamp(1), Vec::new(), vec![put]);
    let body = json!({ "id": "1", "name": "a", "status": "active" });
    store.append(batch(Put::create("product", "1", body).quiet())).await.unwrap();
    let entry = keys::entry("product", "name", "a", "1");
    let stray = (first_form(&entry), Some(Vec::new()));
    store.append(Batch::of(Epoch(0), vec![stray, (entry, None)])).await.unwrap();
    let findings = verify(&store).unwrap().findings;
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "the index entry `I/product|name|a|1` is missing",
            "the index entry `i/product|name|a|1` leads to nothing",
        ]
    );
}

#[tokio::test]
async fn entries_are_moved_in_more_than_one_page_and_gaps_are_filled() {
    let [store, _] = views();
    let parties: Vec<_> = (0..100).map(|n| json!({ "id": format!("p{n}") })).collect();
    let put = |id| {
        let id = format!("{id:02}");
        let body = json!({ "id": id, "name": "a", "status": "active", "relatedParty": parties });
        Put::create("product", id, body).quiet()
    };
    let puts = (0..50).map(put).collect();
    store.append(documents::batch(Epoch(0), Timestamp(1), Vec::new(), puts)).await.unwrap();
    let before = facts(&store, keys::ENTRIES);
    assert_eq!(before.len(), 50 * 102);
    go_back(&store, 2).await;
    // A gap, an entry of nothing, and one of an attribute that documents are not found by.
    let of = |path, value| keys::first_entry("product", path, value, "01");
    let writes = vec![
        (of("relatedParty.id", "p77"), None),
        (of("relatedParty.id", "nothing"), Some(Vec::new())),
        (of("description", "x"), Some(Vec::new())),
    ];
    store.append(Batch::of(store.claim().unwrap(), writes)).await.unwrap();
    let findings: Vec<_> =
        verify(&store).unwrap().findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "the index entry `I/product|relatedParty.id|p77|01` is missing",
            "the index entry `i/product|description|x|01` leads to nothing",
            "the index entry `i/product|relatedParty.id|nothing|01` leads to nothing",
        ]
    );
    let (engine, _running) = begin(store.clone());
    engine.rebuild_indexes().await.unwrap();
    assert_eq!(facts(&store, keys::ENTRIES), before);
    assert_eq!(facts(&store, keys::FIRST_ENTRIES), []);
}
