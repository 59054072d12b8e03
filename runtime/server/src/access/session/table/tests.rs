use super::*;
use crate::access::secret::Secret;

const LIFE: Life = Life { whole_ms: 8 * 3_600_000, idle_ms: 30 * 60_000 };

const MINUTE_MS: i64 = 60_000;

fn record(subject: &str, begun: i64) -> Record {
    Record {
        subject: subject.into(),
        name: subject.into(),
        issuer: "https://idp".into(),
        tenant: None,
        roles: [RoleName::new("agent")].into(),
        plugins: BTreeSet::new(),
        claims: Claims::new(),
        begun: Timestamp(begun),
        provider: None,
        entry: None,
    }
}

fn hash() -> Hash {
    Hash::of(Secret::draw().unwrap().text()).unwrap()
}

/// A table with one session that began at 0.
fn table() -> (Table, Hash) {
    let mut table = Table::new(LIFE);
    let hash = hash();
    table.begin(hash.to_owned(), record("mia", 0), Timestamp(0)).unwrap();
    (table, hash)
}

fn is_known(table: &mut Table, hash: &Hash, minute: i64) -> bool {
    table.identify(hash, Timestamp(minute * MINUTE_MS)).is_some()
}

#[test]
fn a_session_ends_when_it_is_idle_or_old() {
    for (uses, at, expected) in [
        (vec![], 29, true),
        (vec![], 30, false),
        (vec![29], 58, true),
        (vec![29], 59, false),
        ((0..480).step_by(20).collect(), 479, true),
        ((0..480).step_by(20).collect(), 480, false),
    ] {
        let (mut table, hash) = table();
        for minute in &uses {
            assert!(is_known(&mut table, &hash, *minute), "{uses:?} at {minute}");
        }
        assert_eq!(is_known(&mut table, &hash, at), expected, "{uses:?} at {at}");
        // One that is over stays so, at any time.
        assert!(expected || !is_known(&mut table, &hash, 1));
    }
}

#[test]
fn a_clock_that_goes_back_ends_no_session() {
    let (mut table, hash) = table();
    assert!(is_known(&mut table, &hash, 20));
    assert!(is_known(&mut table, &hash, 5));
    assert!(is_known(&mut table, &hash, 49));
}

#[test]
fn the_last_use_is_written_once_a_minute() {
    let (mut table, hash) = table();
    assert_eq!(table.writes().len(), 1);
    for second in 1..150 {
        assert!(table.identify(&hash, Timestamp(second * 1_000)).is_some());
    }
    let uses = table.writes();
    assert_eq!(uses.len(), 2);
    assert!(uses.iter().all(|(key, _)| *key == keys::session_use(hash.as_str())));
}

#[test]
fn a_stored_session_goes_on_after_a_restart() {
    let (mut table, hash) = table();
    assert!(is_known(&mut table, &hash, 20));
    let mut restarted = Table::new(LIFE);
    for (key, value) in table.writes() {
        let value = value.unwrap();
        if key == keys::session(hash.as_str()) {
            restarted.restore(hash.to_owned(), serde_json::from_slice(&value).unwrap());
        } else {
            let used = i64::from_be_bytes(value.try_into().unwrap());
            restarted.restore_use(&hash, Timestamp(used));
        }
    }
    let identity = restarted.identify(&hash, Timestamp(49 * MINUTE_MS)).unwrap();
    assert_eq!(identity.subject, "mia");
    assert_eq!(identity.roles, [RoleName::new("agent")].into());
    assert!(!is_known(&mut restarted, &hash, 79));
}

#[test]
fn the_oldest_session_of_a_person_makes_room() {
    let mut table = Table::new(LIFE);
    let hashes: Vec<_> = (0..12).map(|_| hash()).collect();
    for (at, hash) in hashes.iter().enumerate() {
        let begun = i64::try_from(at).unwrap();
        table.begin(hash.to_owned(), record("mia", begun), Timestamp(begun)).unwrap();
    }
    let other = hash();
    table.begin(other.to_owned(), record("tom", 20), Timestamp(20)).unwrap();
    let known: Vec<_> = hashes.iter().map(|hash| is_known(&mut table, hash, 1)).collect();
    assert_eq!(known, [[false, false].as_slice(), &[true; 10]].concat());
    assert!(is_known(&mut table, &other, 1));
}

#[test]
fn the_number_of_sessions_is_bounded() {
    let mut table = Table::new(LIFE);
    for at in 0..SESSIONS_MAX {
        table.restore(hash(), record(&format!("p{at}"), 0));
    }
    let later = Timestamp(31 * MINUTE_MS);
    assert!(table.begin(hash(), record("mia", 0), Timestamp(0)).is_err());
    // Those that are over make room.
    assert!(table.begin(hash(), record("mia", later.0), later).is_ok());
    assert_eq!(table.list(later).len(), 1);
}

#[test]
fn an_ended_session_leaves_no_fact() {
    let (mut table, hash) = table();
    assert!(is_known(&mut table, &hash, 5));
    table.writes();
    let id = id_of(&hash).to_owned();
    assert!(table.has(&id, Timestamp(1)));
    assert_eq!(table.end(|other, _| *other == hash), 1);
    assert_eq!(table.end(|other, _| *other == hash), 0);
    assert!(!table.has(&id, Timestamp(1)));
    let expected = [(keys::session(hash.as_str()), None), (keys::session_use(hash.as_str()), None)];
    assert_eq!(table.writes(), expected);
}

#[test]
fn the_use_of_a_session_that_is_gone_is_removed() {
    let mut table = Table::new(LIFE);
    let hash = hash();
    table.restore_use(&hash, Timestamp(5));
    assert_eq!(table.writes().len(), 2);
}
