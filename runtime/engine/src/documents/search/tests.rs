use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tmf::time::Timestamp;
use tokio::sync::watch;

use super::*;
use crate::documents::{Put, batch};
use crate::store::{self, Appended, Batch, Epoch, Fact, Memory, Settled};

/// A store that counts how often it is read.
struct Counting {
    memory: Memory,
    reads: AtomicUsize,
}

impl Store for Counting {
    fn append(&self, batch: Batch) -> Appended {
        self.memory.append(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.memory.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, store::Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.memory.scan(scan)
    }

    fn claim(&self) -> Result<Epoch, store::Error> {
        self.memory.claim()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.memory.changed()
    }

    fn settled(&self) -> Settled {
        self.memory.settled()
    }
}

/// Orders of one customer: the first at a place of its own and open, the others elsewhere, of which
/// every tenth is open.
fn orders(count: usize) -> Counting {
    let memory = Memory::new();
    let puts = (0..count).map(|number| {
        let id = format!("{number:06}");
        let is_first = number == 0;
        let body = json!({
            "id": id,
            "state": if is_first || number % 10 == 1 { "inProgress" } else { "completed" },
            "relatedParty": [{ "id": "C", "role": "customer" }],
            "billingAccount": { "id": if is_first { "HERE" } else { "ELSEWHERE" } },
        });
        Put::set("productOrder", id, body)
    });
    let batch = batch(Epoch(0), Timestamp::default(), Vec::new(), puts.collect());
    drop(memory.append(batch));
    Counting { memory, reads: AtomicUsize::new(0) }
}

fn is(path: &str, values: &[&str]) -> Condition {
    let values = values.iter().map(|value| (*value).to_string()).collect();
    Condition { paths: vec![path.into()], values }
}

fn ids(store: &dyn Store, conditions: &[Condition], limit: usize) -> Vec<String> {
    let found = search(store, "productOrder", conditions, limit).unwrap();
    found.iter().map(|document| document.body["id"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_search_costs_the_same_however_many_meet_one_of_its_conditions() {
    let conditions = [
        is("relatedParty.id", &["C"]),
        is("state", &["acknowledged", "inProgress", "held"]),
        is("billingAccount.id", &["HERE"]),
    ];
    let cost = |count| {
        let store = orders(count);
        assert_eq!(ids(&store, &conditions, 100), ["000000"], "the oldest is found");
        store.reads.into_inner()
    };
    let (few, many) = (cost(10), cost(10_000));
    assert!(many <= few + 3, "{few} reads among 10, {many} among 10,000");
}

#[test]
fn documents_that_meet_all_conditions_are_found_latest_first_up_to_the_limit() {
    let store = orders(60);
    let open = is("state", &["inProgress", "held"]);
    let own = is("relatedParty.id", &["C"]);
    let all = ["000051", "000041", "000031", "000021", "000011", "000001", "000000"];
    assert_eq!(ids(&store, &[own.clone(), open.clone()], 100), all);
    assert_eq!(ids(&store, &[open.clone(), own.clone()], 3), all[..3]);
    assert_eq!(ids(&store, &[own, is("state", &["held"])], 9), [""; 0]);
    let either = Condition {
        paths: vec!["category".into(), "billingAccount.id".into()],
        values: vec!["HERE".into()],
    };
    assert_eq!(ids(&store, &[open, either], 9), ["000000"]);
    assert_eq!(ids(&store, &[], 9), [""; 0]);
}

#[test]
fn a_value_that_an_index_cuts_short_is_compared_whole() {
    let memory = Memory::new();
    let value = |end: &str| format!("{}{end}", "x".repeat(index::VALUE_BYTES_MAX));
    let put = |id: &str, end: &str| {
        let body = json!({ "id": id, "state": "held", "externalId": value(end) });
        Put::set("productOrder", id, body)
    };
    let documents = vec![put("a", "1"), put("b", "2")];
    drop(memory.append(batch(Epoch(0), Timestamp::default(), Vec::new(), documents)));
    assert_eq!(ids(&memory, &[is("externalId", &[&value("1")])], 9), ["a"]);
}

#[test]
fn a_search_that_would_read_too_much_is_refused() {
    let memory = Memory::new();
    // Two conditions that no document meets both of, in turns.
    let puts = (0..40_000).map(|number| {
        let id = format!("{number:06}");
        let category = if number % 2 == 0 { "even" } else { "odd" };
        Put::set("productOrder", id.clone(), json!({ "id": id, "category": category })).quiet()
    });
    let batch = batch(Epoch(0), Timestamp::default(), Vec::new(), puts.collect());
    drop(memory.append(batch));
    let wide = [is("category", &["even"]), is("category", &["odd"])];
    let error = search(&memory, "productOrder", &wide, 1).unwrap_err();
    assert!(matches!(error, SearchError::TooWide), "{error}");
}
