use proptest::prelude::*;

use super::*;

fn master(byte: u8) -> MasterKey {
    MasterKey::new([byte; KEY_BYTES])
}

fn only(byte: u8) -> MasterKeys {
    MasterKeys { current: master(byte), previous: Vec::new() }
}

fn new() -> Seal {
    Seal::open(None, &only(1)).unwrap().0
}

#[test]
fn a_value_comes_back_and_is_not_seen_in_the_sealed_one() {
    let seal = new();
    let sealed = seal.close(b"d/individual/1", false, b"Erika Mustermann");
    assert!(!sealed.windows(5).any(|part| part == b"Erika"));
    let opened = seal.open_at(b"d/individual/1", false, sealed).unwrap();
    assert_eq!(opened, (b"d/individual/1".to_vec(), b"Erika Mustermann".to_vec()));
}

#[test]
fn the_same_value_is_never_sealed_to_the_same_bytes() {
    let seal = new();
    assert_ne!(seal.close(b"k", false, b"value"), seal.close(b"k", false, b"value"));
}

#[test]
fn the_value_in_the_key_of_an_index_entry_is_hidden_and_comes_back() {
    let seal = new();
    for key in [
        b"i/individual\0familyName\0Mustermann\x007".as_slice(),
        b"T/\x80\x01i/individual\0familyName\0Mustermann\x007",
        b"I/0fMustermann\x007",
        b"T/\x80\x01I/0fMustermann\x007",
        b"d/partyKey/emailAddress:Mustermann@example.com/7",
        b"T/\x80\x01d/partyKey/emailAddress:Mustermann@example.com/7",
    ] {
        let place = seal.place(key).into_owned();
        assert!(!place.windows(6).any(|part| part == b"Muster"), "{place:?}");
        assert!(place.ends_with(&key[key.len() - 2..]));
        // A scan of all entries with a value begins at the same place.
        let prefix = &key[..key.len() - 1];
        assert_eq!(seal.place(prefix).as_ref(), &place[..place.len() - 1]);
        let sealed = seal.close(key, false, b"");
        assert_eq!(seal.open_at(&place, false, sealed).unwrap(), (key.to_vec(), Vec::new()));
    }
}

#[test]
fn other_keys_stay_as_they_are() {
    let seal = new();
    for key in [
        b"j/order/1".as_slice(),
        b"i/",
        b"i/individual\0familyName\0",
        b"I/",
        b"I/0",
        b"I/0f",
        b"T/\x80\x01d/i/1",
        b"",
    ] {
        assert_eq!(seal.place(key).as_ref(), key);
    }
}

#[test]
fn a_value_that_was_moved_changed_or_cut_is_found() {
    let seal = new();
    let sealed = seal.close(b"a", false, b"value");
    assert!(seal.open_at(b"b", false, sealed.clone()).is_err());
    // Whether it is packed stands beside it, and cannot be changed.
    assert!(seal.open_at(b"a", true, sealed.clone()).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(seal.open_at(b"a", false, changed).is_err(), "byte {at}");
        assert!(seal.open_at(b"a", false, sealed[..at].to_vec()).is_err(), "cut at {at}");
    }
    assert!(seal.open_at(b"a", false, b"plain value of an earlier version".to_vec()).is_err());
}

#[test]
fn a_master_key_is_rotated_without_sealing_values_again() {
    let (first, kept) = Seal::open(None, &only(1)).unwrap();
    let sealed = first.close(b"a", false, b"value");
    let both = MasterKeys { current: master(2), previous: vec![master(1)] };
    let (second, kept) = Seal::open(Some(&kept), &both).unwrap();
    assert_eq!(second.open_at(b"a", false, sealed.clone()).unwrap().1, b"value");
    assert_ne!(second.current, first.current);
    // From now on the old key is not needed, and is of no use.
    let (third, kept) = Seal::open(Some(&kept), &only(2)).unwrap();
    assert_eq!(third.open_at(b"a", false, sealed).unwrap().1, b"value");
    assert_eq!(third.current, second.current);
    for entry in [b"I/0fx\x001".as_slice(), b"i/individual\0name\0x\x001"] {
        assert_eq!(first.place(entry), third.place(entry));
    }
    let error = Seal::open(Some(&kept), &only(1)).err().unwrap();
    assert_eq!(error, SealError::OtherKey(master(2).id()));
}

#[test]
fn nonces_of_an_open_store_differ_from_those_before() {
    let (first, kept) = Seal::open(None, &only(1)).unwrap();
    let (second, _) = Seal::open(Some(&kept), &only(1)).unwrap();
    assert_ne!(
        first.close(b"a", false, b"x")[..HEAD_BYTES],
        second.close(b"a", false, b"x")[..HEAD_BYTES]
    );
}

#[test]
fn two_copies_of_a_store_go_on_with_nonces_of_their_own() {
    let (_, kept) = Seal::open(None, &only(1)).unwrap();
    let of = |_| Seal::open(Some(&kept), &only(1)).unwrap().0;
    let nonces = [0, 1].map(of).map(|seal| {
        let sealed = (0..100).map(|_| seal.close(b"a", false, b"x")[..HEAD_BYTES].to_vec());
        sealed.collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(nonces[0].len(), 100);
    assert!(nonces[0].is_disjoint(&nonces[1]), "the same data key and nonce for two values");
}

proptest! {
    #[test]
    fn wrapped_keys_that_are_damaged_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let error = Seal::open(Some(&bytes), &only(1)).err().unwrap();
        prop_assert!(matches!(error, SealError::Keys | SealError::OtherKey(_)));
    }

    #[test]
    fn every_value_comes_back(key in proptest::collection::vec(any::<u8>(), 0..80), value in proptest::collection::vec(any::<u8>(), 0..600)) {
        let seal = new();
        let place = seal.place(&key).into_owned();
        prop_assert_eq!(seal.open_at(&place, false, seal.close(&key, false, &value)).unwrap(), (key, value));
    }
}
