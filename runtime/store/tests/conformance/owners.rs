//! Several processes on one database: one leads, and what an earlier one still writes is refused.

use std::time::{Duration, Instant};

use engine::store::{Epoch, Error, Store as _};
use store::Postgres;
use store::postgres::{Address, Led, Options, Purpose, SCHEMA};
use store::seal::MasterKeys;

use crate::subject::{OnPostgres, Subject as _, all, batch, master, put};

fn here() -> Led {
    Led::Here
}

fn there(node: &str) -> Led {
    Led::There { node: node.into() }
}

/// Opens it where there is a PostgreSQL.
fn opened<const N: usize>() -> Option<(OnPostgres, [Postgres; N])> {
    let subject = OnPostgres::is_there().then(OnPostgres::default)?;
    let stores = std::array::from_fn(|_| subject.open());
    Some((subject, stores))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leads_and_another_takes_over_when_it_ends() {
    let Some((_, [mut first, mut second])) = opened() else { return };
    assert_eq!(first.name(), second.name());
    assert_eq!(first.lead("a").unwrap(), here());
    let epoch = first.claim().unwrap();
    for number in 0..100_u8 {
        first.append(batch(epoch, [put([number], [number])])).await.unwrap();
        assert_eq!(second.lead("b").unwrap(), there("a"));
    }
    let last = first.append(batch(epoch, [put("last", "1")]));
    drop(first);
    last.await.unwrap();
    assert_eq!(second.lead("b").unwrap(), here());
    assert_eq!(second.claim().unwrap(), Epoch(epoch.0 + 1));
    assert_eq!(all(&second).len(), 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_owner_is_fenced_and_reads_no_more() {
    let Some((subject, [mut first, mut second])) = opened() else { return };
    let database = OnPostgres::database().unwrap();
    assert_eq!(first.lead("a").unwrap(), here());
    let old = first.claim().unwrap();
    first.append(batch(old, [put("key", "of the first")])).await.unwrap();
    assert!(!*first.lost().borrow());
    // As if the first had stood still for longer than its lease.
    database.run(&format!("UPDATE {}.lease SET until = '-infinity'", subject.schema()));
    assert_eq!(second.lead("b").unwrap(), here());
    let new = second.claim().unwrap();
    second.append(batch(new, [put("key", "of the second")])).await.unwrap();
    let late = first.append(batch(old, [put("key", "too late"), put("more", "1")])).await;
    assert!(matches!(late, Err(Error::Fenced { owner, batch }) if (owner, batch) == (new, old)));
    let mut lost = first.lost();
    tokio::time::timeout(Duration::from_secs(10), lost.wait_for(|lost| *lost))
        .await
        .unwrap()
        .unwrap();
    // Its cache has the old value, which it must not show any more.
    assert!(matches!(first.get(b"key"), Err(Error::Away(_))));
    assert!(matches!(first.scan(&engine::store::Scan::prefix("", 9)), Err(Error::Away(_))));
    assert!(first.settled().await.is_err());
    drop(first);
    assert_eq!(second.get(b"key").unwrap(), Some(b"of the second".to_vec()));
    assert_eq!(second.get(b"more").unwrap(), None);
    assert!(!*second.lost().borrow());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_renewed_for_as_long_as_its_holder_lives() {
    let Some((_, [mut first, mut second])) = opened() else { return };
    assert_eq!(first.lead("a").unwrap(), here());
    let until = Instant::now() + Duration::from_secs(7);
    while Instant::now() < until {
        assert_eq!(second.lead("b").unwrap(), there("a"));
        assert_eq!(first.get(b"key").unwrap(), None);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_lead_keeps_no_old_fact() {
    let Some((_, [first, second])) = opened() else { return };
    let epoch = first.claim().unwrap();
    for number in 0..20_u8 {
        first.append(batch(epoch, [put("key", [number])])).await.unwrap();
        assert_eq!(second.get(b"key").unwrap(), Some(vec![number]));
        assert_eq!(first.get(b"key").unwrap(), Some(vec![number]));
    }
    let epoch = second.claim().unwrap();
    second.append(batch(epoch, [put("key", "new")])).await.unwrap();
    assert_eq!(second.get(b"key").unwrap(), Some(b"new".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_lease_any_more_cannot_claim() {
    let Some((subject, [mut first, mut second])) = opened() else { return };
    assert_eq!(first.lead("a").unwrap(), here());
    let database = OnPostgres::database().unwrap();
    database.run(&format!("UPDATE {}.lease SET until = '-infinity'", subject.schema()));
    assert_eq!(second.lead("b").unwrap(), here());
    let epoch = second.claim().unwrap();
    assert!(first.claim().is_err());
    second.append(batch(epoch, [put("key", "1")])).await.unwrap();
}

/// Another node may have led with a newer key meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leads_reads_the_keys_again() {
    if !OnPostgres::is_there() {
        return;
    }
    let subject = OnPostgres::sealed();
    let mut old = subject.open();
    let rotated = MasterKeys { current: master(8).current, previous: vec![master(7).current] };
    let mut new = subject.open_with(Some(rotated));
    assert_eq!(new.lead("new").unwrap(), here());
    let epoch = new.claim().unwrap();
    new.append(batch(epoch, [put("key", "1")])).await.unwrap();
    drop(new);
    let refused = chain(&old.lead("old").unwrap_err());
    assert!(refused.contains("it is sealed under the key"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_not_finished_is_not_opened_and_is_begun_again() {
    if !OnPostgres::is_there() {
        return;
    }
    // A node may have made the tables before the copy, and found that it must be made.
    for is_made in [false, true] {
        let subject = OnPostgres::default();
        if is_made {
            drop(subject.open());
        }
        for _ in 0..2 {
            let mut copy = subject.open_for(Purpose::Copy);
            assert_eq!(copy.lead("copy").unwrap(), here());
            assert_eq!(all(&copy), []);
            let epoch = copy.claim().unwrap();
            copy.append(batch(epoch, [put("key", "1")])).await.unwrap();
            drop(copy);
            let refused = refusal(&OnPostgres::database().unwrap().url(), subject.schema(), None);
            assert!(refused.contains("was not finished"), "{refused}");
        }
        let mut copy = subject.open_for(Purpose::Copy);
        assert!(copy.finish_copy().is_err());
        assert_eq!(copy.lead("copy").unwrap(), here());
        copy.finish_copy().unwrap();
        drop(copy);
        assert_eq!(all(&subject.open()), []);
    }
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut source = Some(error);
    let chain = std::iter::from_fn(|| {
        let error = source?;
        source = error.source();
        Some(error.to_string())
    });
    chain.collect::<Vec<_>>().join(": ")
}

/// The errors of opening a store, one below the other.
fn refusal(url: &str, schema: &str, keys: Option<MasterKeys>) -> String {
    let address = Address::parse(url, schema).unwrap();
    let opened =
        Postgres::open(address, Options { cache_bytes: 0, keys, tls: None, purpose: Purpose::Use });
    chain(&opened.expect_err(schema))
}

#[test]
fn a_database_that_cannot_be_used_is_refused_by_what_is_wrong_and_not_changed() {
    if !OnPostgres::is_there() {
        return;
    }
    let database = OnPostgres::database().unwrap();
    let url = database.url();
    let (plain, sealed) = (OnPostgres::default(), OnPostgres::sealed());
    let epoch = plain.open().claim().unwrap();
    drop((plain.open(), sealed.open()));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        plain.open().append(batch(epoch, [put("a", "1")])).await.unwrap();
    });
    drop(OnPostgres::default().open());
    database.run(
        "CREATE SCHEMA of_others; CREATE TABLE of_others.cars (id int);
         CREATE SCHEMA half; CREATE TABLE half.fact (key bytea);
         CREATE USER guest; CREATE SCHEMA theirs;",
    );
    let later = OnPostgres::default();
    drop(later.open());
    database.run(&format!("UPDATE {}.store SET version = 9", later.schema()));
    let guest = url.replace("//ferrule@", "//guest@");
    let table = [
        (refusal(&url, "of_others", None), "has tables of something else, such as `cars`"),
        (refusal(&url, "half", None), "has tables of something else, such as `fact`"),
        (refusal(&url, later.schema(), None), "its tables are of version 9"),
        (refusal(&url, plain.schema(), Some(master(7))), "it is not sealed, and a key is set"),
        (refusal(&url, sealed.schema(), None), "it is sealed, and no key is set"),
        (refusal(&url, sealed.schema(), Some(master(8))), "it is sealed under the key"),
        (refusal(&guest, SCHEMA, None), "the user must own the schema, or be allowed to make it"),
        (refusal(&guest, "theirs", None), "the user must own the schema"),
        (refusal(&url.replace("/postgres", "/nothing"), SCHEMA, None), "make it with `createdb`"),
        (refusal(&url.replace("//ferrule@", "//stranger@"), SCHEMA, None), "look at the user"),
        (refusal("postgres://f@127.0.0.1:1/f", SCHEMA, None), "it cannot be reached"),
        (refusal("postgres://f@db.invalid/f", SCHEMA, None), "no certificates to trust are there"),
    ];
    for (refusal, part) in table {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema IN
        ('of_others', 'half', 'theirs')";
    assert_eq!(database.run(tables), "2");
}

#[test]
fn a_value_that_was_changed_in_the_database_is_not_read_as_another() {
    if !OnPostgres::is_there() {
        return;
    }
    let database = OnPostgres::database().unwrap();
    let subject = OnPostgres::sealed();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = "a secret that stands in a value";
    let store = subject.open();
    let epoch = store.claim().unwrap();
    runtime.block_on(store.append(batch(epoch, [put("a", text), put("b", "2")]))).unwrap();
    drop(store);
    let facts = format!("{}.fact", subject.schema());
    let found =
        format!("SELECT count(*) FROM {facts} WHERE position('secret'::bytea IN value) > 0");
    assert_eq!(database.run(&found), "0");
    for change in [
        "set_byte(value, 20, get_byte(value, 20) # 1) WHERE key = 'a'",
        "(SELECT value FROM FACTS WHERE key = 'b') WHERE key = 'a'",
        "'' WHERE key = 'a'",
        "'\\x09'::bytea || value WHERE key = 'a'",
    ] {
        let before = database.run(&format!("SELECT value FROM {facts} WHERE key = 'a'"));
        database.run(&format!("UPDATE {facts} SET value = {}", change.replace("FACTS", &facts)));
        let store = subject.open();
        assert!(matches!(store.get(b"a"), Err(Error::Failed { .. })), "{change}");
        assert_eq!(store.get(b"b").unwrap(), Some(b"2".to_vec()));
        database.run(&format!("UPDATE {facts} SET value = '{before}' WHERE key = 'a'"));
        assert_eq!(store.get(b"a").unwrap(), Some(text.as_bytes().to_vec()));
    }
}
