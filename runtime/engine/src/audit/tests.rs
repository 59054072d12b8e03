use serde_json::json;
use tmf::time::Timestamp;

use super::*;
use crate::documents::{Change, Expected, Put, audited_batch};
use crate::keys;
use crate::store::{Batch, Epoch, Memory, Scan, Store, Write};

const NOW: Timestamp = Timestamp(1_795_976_400_000);

fn act(action: &str) -> Arc<Act> {
    let actor = Actor { subject: "ada".into(), authentication: "jwt".into(), ..Actor::default() };
    Arc::new(Act { actor, action: action.into(), ..Act::default() })
}

fn append(store: &Memory, act: Option<Arc<Act>>, writes: Vec<Write>, puts: Vec<Put>) {
    let audited = act.map(|act| Audited::done(act, NOW));
    drop(store.append(audited_batch(Epoch(0), NOW, (writes, puts), audited)));
}

fn write(key: &str) -> Vec<Write> {
    vec![(key.into(), Some(Vec::new()))]
}

/// A store with this many entries.
fn chain(count: u64) -> Memory {
    let store = Memory::new();
    for number in 0..count {
        append(&store, Some(act("POST x")), write(&format!("x/{number}")), Vec::new());
    }
    store
}

fn entries(store: &Memory) -> Vec<Entry> {
    let stored = read(store, 0, usize::MAX).unwrap();
    stored.iter().map(|stored| stored.entry().unwrap()).collect()
}

fn found(store: &Memory) -> Vec<String> {
    let (findings, more, ..) = verify(store, None).unwrap();
    assert_eq!(more, 0);
    findings.iter().map(ToString::to_string).collect()
}

fn raw(store: &Memory, sequence: u64) -> Vec<u8> {
    store.get(&keys::audit(sequence)).unwrap().unwrap()
}

fn set(store: &Memory, sequence: u64, bytes: Option<Vec<u8>>) {
    drop(store.append(Batch::of(Epoch(0), vec![(keys::audit(sequence), bytes)])));
}

/// The entry with one of its texts replaced by another of the same length.
fn altered(store: &Memory, sequence: u64) -> Vec<u8> {
    let mut bytes = raw(store, sequence);
    let at = bytes.windows(3).position(|bytes| bytes == b"ada").unwrap();
    bytes[at..at + 3].copy_from_slice(b"eve");
    bytes
}

#[test]
fn an_entry_holds_what_was_changed_and_by_whom() {
    let store = Memory::new();
    let act = Arc::new(Act {
        actor: Actor {
            subject: "ada".into(),
            authentication: "jwt".into(),
            roles: vec!["operator".into()],
            tenant: Some("acme".into()),
        },
        address: Some("192.0.2.7".into()),
        request: Some("r-1".into()),
        trace: Some("t-1".into()),
        action: "PATCH individual".into(),
        subject: Some(Subject { resource: "individual".into(), id: Some("7".into()) }),
        why: Some("asked for by phone".into()),
        ..Act::default()
    });
    let person = |name: &str, status: &str| {
        let body = json!({ "id": "7", "givenName": name, "status": status });
        Put::new("individual", "7", Change::Set(body), Expected::Anything)
    };
    append(&store, None, Vec::new(), vec![person("Ada", "initialized")]);
    append(&store, Some(Arc::clone(&act)), Vec::new(), vec![person("Eve", "validated")]);
    let stored = read(&store, 0, 9).unwrap().remove(0);
    insta::assert_snapshot!(String::from_utf8(stored.bytes.clone()).unwrap(), @r#"{"sequence":1,"at":"2026-11-29T18:20:00.000Z","action":"PATCH individual","outcome":"done","actor":{"subject":"ada","authentication":"jwt","roles":["operator"],"tenant":"acme"},"address":"192.0.2.7","request":"r-1","trace":"t-1","subject":{"resource":"individual","id":"7"},"why":"asked for by phone","documents":[{"resource":"individual","id":"7","before":1,"after":2,"changes":[{"path":"givenName","before":"***","after":"***"},{"path":"status","before":"\"initialized\"","after":"\"validated\""}]}]}"#);
    let entry = stored.entry().unwrap();
    assert_eq!(
        (entry.at, entry.actor, entry.subject),
        (NOW, act.actor.clone(), act.subject.clone())
    );
    assert_eq!(act.entries.count(), 1);
}

#[test]
fn only_a_batch_of_an_act_that_writes_has_an_entry() {
    let store = Memory::new();
    append(&store, None, write("x/1"), Vec::new());
    append(&store, Some(act("POST x")), Vec::new(), Vec::new());
    let same = || vec![Put::new("x", "1", Change::Set(json!({ "id": "1" })), Expected::Anything)];
    append(&store, Some(act("POST x")), Vec::new(), same());
    append(&store, Some(act("same")), Vec::new(), same());
    let stale = Put::new("x", "1", Change::Remove, Expected::Revision(9));
    append(&store, Some(act("refused")), write("x/2"), vec![stale]);
    let actions: Vec<_> = entries(&store).into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["POST x"]);
    assert_eq!(found(&store), Vec::<String>::new());
}

#[test]
fn many_documents_of_a_batch_are_bounded() {
    let store = Memory::new();
    let long = "x".repeat(1_000);
    let body = |id: usize| json!({ "id": id.to_string(), "a": long, "b": long, "c": long });
    let put = |id: usize| Put::new("x", id.to_string(), Change::Set(body(id)), Expected::Anything);
    append(&store, Some(act("POST x")), Vec::new(), (0..500).map(put).collect());
    let entry = entries(&store).remove(0);
    assert_eq!((entry.documents.len(), entry.more), (DOCUMENTS_MAX, 500 - DOCUMENTS_MAX as u64));
    assert!(entry.documents.iter().any(|document| document.more > 0));
    assert!(raw(&store, 1).len() < 2 * DIFFERENCES_BYTES_MAX, "{}", raw(&store, 1).len());
}

const DOUBTFUL_2: &str =
    "entry 2 may have been changed: the entry after it holds another hash than it has";
const DOUBTFUL_5: &str =
    "entry 5 may have been changed: the entry after it holds another hash than it has";

type Alter = fn(&Memory);

#[test]
fn an_entry_that_does_not_fit_the_next_one_is_named() {
    let cases: [(&str, Alter, &[&str]); 4] = [
        (
            "hash before",
            |store| {
                let mut bytes = raw(store, 3);
                bytes[0] ^= 1;
                set(store, 3, Some(bytes));
            },
            &[DOUBTFUL_2, "entry 3 was changed"],
        ),
        (
            "hash before the first",
            |store| {
                let mut bytes = raw(store, 1);
                bytes[0] ^= 1;
                set(store, 1, Some(bytes));
            },
            &["entry 1 was changed"],
        ),
        (
            "two neighbours",
            |store| [2, 3].into_iter().for_each(|one| set(store, one, Some(altered(store, one)))),
            &[DOUBTFUL_2, "entry 3 was changed"],
        ),
        (
            "the last two",
            |store| [5, 6].into_iter().for_each(|one| set(store, one, Some(altered(store, one)))),
            &[DOUBTFUL_5, "entry 6 was changed"],
        ),
    ];
    for (name, alter, expected) in cases {
        let store = chain(6);
        alter(&store);
        assert_eq!(found(&store), expected, "{name}");
    }
}

#[test]
fn each_manipulation_is_found_with_its_entry() {
    let cases: [(&str, Alter, &[&str]); 12] = [
        ("nothing", |_| {}, &[]),
        ("changed", |store| set(store, 3, Some(altered(store, 3))), &["entry 3 was changed"]),
        ("first", |store| set(store, 1, Some(altered(store, 1))), &["entry 1 was changed"]),
        ("last", |store| set(store, 6, Some(altered(store, 6))), &["entry 6 was changed"]),
        ("before last", |store| set(store, 5, Some(altered(store, 5))), &["entry 5 was changed"]),
        ("missing", |store| set(store, 4, None), &["entry 4 is missing"]),
        (
            "missing, at the beginning",
            |store| [1, 2].into_iter().for_each(|gone| set(store, gone, None)),
            &["entries 1 to 2 are missing"],
        ),
        (
            "inserted",
            |store| set(store, 4, Some(raw(store, 3))),
            &["entry 3 was inserted: there are two of this number", "entry 4 is missing"],
        ),
        (
            "reordered",
            |store| {
                let (two, three) = (raw(store, 2), raw(store, 3));
                set(store, 2, Some(three));
                set(store, 3, Some(two));
            },
            &["entry 2 stands at another place: after entry 3"],
        ),
        (
            "cut off",
            |store| [5, 6].into_iter().for_each(|gone| set(store, gone, None)),
            &["the entries after 4 were cut off: the head is entry 6"],
        ),
        (
            "added",
            |store| {
                let text = String::from_utf8(raw(store, 6)[32..].to_vec()).unwrap();
                let text = text.replace("\"sequence\":6", "\"sequence\":7");
                let previous = Stored::read(raw(store, 6)).unwrap().hash();
                let added = Stored { previous, bytes: text.into_bytes() };
                set(store, 7, Some(added.to_bytes()));
            },
            &["entry 7 was inserted after the head"],
        ),
        (
            "unreadable",
            |store| set(store, 4, Some(b"x".to_vec())),
            &["what stands in the place of entry 4 cannot be read"],
        ),
    ];
    for (name, alter, expected) in cases {
        let store = chain(6);
        alter(&store);
        assert_eq!(found(&store), expected, "{name}");
    }
}

#[test]
fn a_chain_that_was_written_anew_is_found_by_a_head_that_was_kept() {
    let store = chain(4);
    let kept = Stored::read(raw(&store, 3)).unwrap().hash();
    append(&store, Some(act("POST x")), write("x/9"), Vec::new());
    assert_eq!(verify(&store, Some(kept)).unwrap().0, []);
    let anew = chain(3);
    append(&anew, Some(act("other")), write("x/9"), Vec::new());
    let other = Memory::new();
    append(&other, Some(act("other")), write("x/1"), Vec::new());
    assert_eq!(verify(&other, Some(kept)).unwrap().0, [Finding::HeadUnknown]);
}

#[test]
fn a_chain_without_its_first_entries_begins_at_an_anchor() {
    let store = chain(5);
    let last = Stored::read(raw(&store, 2)).unwrap();
    let silent = chain(5);
    drop(silent.append(Batch::of(Epoch(0), removal(1, &last, 2))));
    assert_eq!(
        found(&silent),
        ["the beginning of the chain is not where the last removal of entries left it"]
    );
    let after = Some(last.hash().to_string());
    let digests = vec![Digested { what: "anchor".into(), before: None, after }];
    let audited = Audited { digests, ..Audited::done(act(PRUNED), NOW) };
    let writes = removal(1, &last, 2);
    drop(store.append(audited_batch(Epoch(0), NOW, (writes, Vec::new()), Some(audited))));
    assert_eq!(entries(&store).len(), 4);
    assert_eq!(found(&store), Vec::<String>::new());
    // The anchor itself is a head that may have been kept.
    assert_eq!(verify(&store, Some(last.hash())).unwrap().0, []);
    set(&store, 3, None);
    assert_eq!(found(&store), ["entry 3 is missing"]);
}

#[test]
fn a_line_is_the_entry_with_its_hashes() {
    let store = chain(2);
    for stored in read(&store, 0, 9).unwrap() {
        let line = Line::from(&stored);
        let value: serde_json::Value = serde_json::from_str(&line.0).unwrap();
        assert_eq!(value["hash"], stored.hash().to_string());
        assert_eq!(value["previous"], stored.previous.to_string());
        assert_eq!(Line::read(&line.0), Ok((stored.clone(), stored.hash())));
        assert_eq!(Line::read(&line.0.replace("\"hash\"", "\"hasj\"")), Err(NotALine));
    }
    assert_eq!(Line::read("{}"), Err(NotALine));
    assert_eq!(Line::read(""), Err(NotALine));
    assert_eq!(Hash::parse(&"+f".repeat(32)), None);
}

#[test]
fn lines_from_anywhere_are_verified_too() {
    let store = chain(4);
    let lines: Vec<_> = read(&store, 1, 9).unwrap();
    let mut verifier = Verifier::anywhere(None);
    lines.iter().for_each(|stored| verifier.take_line(stored, stored.hash()));
    assert_eq!(verifier.end(None).0, []);
    let mut verifier = Verifier::anywhere(None);
    for stored in &lines {
        let hash = stored.hash();
        let text = String::from_utf8(stored.bytes.clone()).unwrap();
        let text = text.replace("\"sequence\":4,", "\"sequence\":4, ");
        verifier.take_line(&Stored { bytes: text.into_bytes(), ..stored.clone() }, hash);
    }
    assert_eq!(verifier.end(None).0, [Finding::Changed(4)], "the last line has no next one");
}

#[tokio::test]
async fn work_belongs_to_an_act_within_it_only() {
    assert!(current().is_none());
    let own = act("POST x");
    within(Some(Arc::clone(&own)), async {
        assert_eq!(current().unwrap().action, "POST x");
        within(None, async { assert!(current().is_none()) }).await;
        tokio::spawn(async { assert!(current().is_none()) }).await.unwrap();
    })
    .await;
    assert!(current().is_none());
}

#[test]
fn entries_of_batches_that_are_written_together_form_one_chain() {
    let store = Memory::held();
    for number in 0..3 {
        append(&store, Some(act("POST x")), write(&format!("x/{number}")), Vec::new());
    }
    // The second is lost with the power, and never had a number.
    assert!(store.flush_one());
    store.lose_pending();
    append(&store, Some(act("PUT x")), write("x/9"), Vec::new());
    while store.flush_one() {}
    let actions: Vec<_> = entries(&store).into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["POST x", "PUT x"]);
    assert_eq!(found(&store), Vec::<String>::new());
    assert_eq!(store.scan(&Scan::prefix("f/", 9)).unwrap().len(), 2);
}
