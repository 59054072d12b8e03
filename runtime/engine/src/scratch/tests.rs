use super::*;
use crate::store::{Batch, Epoch, Memory};

fn changes(plugin: &str, writes: &[(&str, Option<&str>, Expected)]) -> Changes {
    let change = |value: Option<&str>, expected| Change { value: value.map(Into::into), expected };
    let writes =
        writes.iter().map(|(key, value, expected)| (String::from(*key), change(*value, *expected)));
    let quota = Quota { keys: 3, total_kib: 1, ..Quota::default() };
    Changes { plugin: PluginId::new(plugin), quota, writes: writes.collect() }
}

fn put(scratch: &Scratch, store: &Memory, changes: Changes, at: i64) {
    scratch.check(&changes).unwrap();
    let facts = scratch.commit(changes, Stamp(at));
    drop(store.append(Batch::of(Epoch(0), facts)));
}

#[test]
fn a_stale_revision_is_a_conflict_and_the_last_write_counts_without_one() {
    let (scratch, store) = (Scratch::default(), Memory::new());
    put(&scratch, &store, changes("a", &[("k", Some("1"), Expected::Absent)]), 7);
    for (expected, is_refused) in [
        (Expected::Absent, true),
        (Expected::Revision(Stamp(6)), true),
        (Expected::Revision(Stamp(7)), false),
        (Expected::Any, false),
    ] {
        let checked = scratch.check(&changes("a", &[("k", Some("2"), expected)]));
        assert_eq!(checked.is_err(), is_refused, "{expected:?}");
        // Another plugin has a space of its own.
        let other = scratch.check(&changes("b", &[("k", Some("2"), Expected::Absent)]));
        assert_eq!(other, Ok(()));
    }
    let refused = scratch.check(&changes("a", &[("k", None, Expected::Absent)])).unwrap_err();
    assert_eq!(refused.failure().code, FailureCode::ScratchConflict);
    assert_eq!(refused.failure().class, FailureClass::Retry);
    assert_eq!(get(&store, &PluginId::new("a"), "k").unwrap(), Some((Stamp(7), b"1".to_vec())));
    assert_eq!(get(&store, &PluginId::new("b"), "k").unwrap(), None);
}

#[test]
fn a_space_that_is_read_again_has_the_same_keys_sizes_and_revisions() {
    let (scratch, store) = (Scratch::default(), Memory::new());
    let any = Expected::Any;
    put(&scratch, &store, changes("a", &[("b/1", Some("x"), any), ("b/2", Some(""), any)]), 7);
    put(&scratch, &store, changes("a", &[("b/1", None, any), ("a", Some("long"), any)]), 8);
    put(&scratch, &store, changes("z", &[("a", Some("other"), any)]), 9);
    let again = Scratch::default();
    assert_eq!(again.restore(&store).unwrap(), Stamp(9));
    let plugin = PluginId::new("a");
    for scratch in [&scratch, &again] {
        let all = scratch.keys(&plugin, "", None, 9);
        let kept = |revision, bytes| Kept { revision: Stamp(revision), bytes };
        assert_eq!(all, [("a".into(), kept(8, 4)), ("b/2".into(), kept(7, 0))]);
        assert_eq!(scratch.usage(&plugin), Usage { keys: 2, bytes: 8 });
        assert_eq!(scratch.keys(&plugin, "b", None, 9), all[1..]);
        assert_eq!(scratch.keys(&plugin, "", Some("a"), 9), all[1..]);
        assert_eq!(scratch.keys(&plugin, "", None, 1), all[..1]);
    }
}

#[test]
fn a_full_space_may_shrink_and_not_grow() {
    let (scratch, store) = (Scratch::default(), Memory::new());
    let any = Expected::Any;
    let three = [("a", Some("1"), any), ("b", Some("1"), any), ("c", Some("1"), any)];
    put(&scratch, &store, changes("p", &three), 1);
    let long = "x".repeat(1_020);
    for (writes, refused) in [
        (vec![("d", Some("1"), any)], Some("keys")),
        (vec![("d", Some("1"), any), ("a", None, any)], None),
        (vec![("a", Some(long.as_str()), any)], Some("total-kib")),
        (vec![("a", Some("12"), any)], None),
    ] {
        let checked = scratch.check(&changes("p", &writes)).err();
        let setting = checked.as_ref().map(|refused| match refused {
            Refused::Full { setting, .. } => *setting,
            Refused::Conflict(_) => "",
        });
        assert_eq!(setting, refused, "{writes:?}");
        let code = checked.map(|refused| refused.failure().code);
        assert!(code.is_none_or(|code| code == FailureCode::ScratchFull));
    }
}

#[test]
fn keys_are_short_texts() {
    let long = "k".repeat(KEY_NAME_BYTES_MAX + 1);
    for (key, is_key) in
        [("jobs/1 ä", true), (&long[1..], true), ("", false), (&long, false), ("a\nb", false)]
    {
        assert_eq!(wrong_key(key).is_none(), is_key, "{key}");
    }
}

#[test]
fn a_quota_has_a_ceiling_of_its_own() {
    assert_eq!(Quota::default().check(), Ok(()));
    let refused = Quota { value_kib: 65, ..Quota::default() }.check().unwrap_err();
    assert_eq!(refused.to_string(), "`scratch.value-kib` is 65: it may be 1 to 64");
    assert!(Quota { keys: 0, ..Quota::default() }.check().is_err());
}
