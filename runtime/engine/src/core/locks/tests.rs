use super::*;

fn exclusive(names: &[&str]) -> Vec<Lock> {
    super::exclusive(self::names(names))
}

fn shared(names: &[&str]) -> Vec<Lock> {
    let locks = exclusive(names).into_iter();
    locks.map(|lock| Lock { mode: LockMode::Shared, ..lock }).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_read_before_a_release_is_stale_for_the_released_locks_alone() {
    let (mut locks, first) = (Locks::default(), FulfilmentId::new("first"));
    locks.take(&first, exclusive(&["a", "b"]));
    let before = locks.seen();
    assert_eq!(locks.holder(&names(&["b"])), Some(&first));
    locks.release(&first, names(&["a", "b"]));
    assert_eq!(locks.holder(&names(&["a", "b"])), None);
    assert!(locks.is_stale(&exclusive(&["b"]), before));
    assert!(!locks.is_stale(&exclusive(&["c"]), before));
    assert!(!locks.is_stale(&exclusive(&["b"]), locks.seen()));
}

#[test]
fn a_release_of_the_lock_of_another_changes_nothing() {
    let (mut locks, first) = (Locks::default(), FulfilmentId::new("first"));
    locks.take(&first, exclusive(&["a"]));
    let before = locks.seen();
    locks.release(&FulfilmentId::new("second"), names(&["a", "b"]));
    assert_eq!(locks.holder(&names(&["a"])), Some(&first));
    assert_eq!(locks.seen(), before);
}

#[test]
fn a_read_before_the_oldest_remembered_release_is_stale_for_any_lock() {
    let (mut locks, id) = (Locks::default(), FulfilmentId::new("first"));
    let before = locks.seen();
    for number in 0..=RELEASED_MAX {
        locks.take(&id, exclusive(&[&number.to_string()]));
        locks.release(&id, names(&[&number.to_string()]));
    }
    assert!(locks.is_stale(&exclusive(&["c"]), before));
    assert!(!locks.is_stale(&[], before), "without locks there is nothing to be stale");
    assert!(!locks.is_stale(&exclusive(&["c"]), locks.seen()));
    assert_eq!(locks.released.len(), RELEASED_MAX);
}

#[test]
fn prior_work_that_several_use_is_changed_by_none_of_them() {
    let mut locks = Locks::default();
    let [first, second] = ["first", "second"].map(FulfilmentId::new);
    locks.take(&first, shared(&["a"]));
    assert_eq!(locks.against(&shared(&["a"])), None);
    assert_eq!(locks.against(&exclusive(&["a"])), Some(&first));
    locks.take(&second, shared(&["a"]));
    let before = locks.seen();
    locks.release(&first, names(&["a"]));
    assert_eq!(locks.against(&exclusive(&["a"])), Some(&second));
    assert!(locks.is_stale(&shared(&["a"]), before), "the first may have added a user");
    locks.release(&second, names(&["a"]));
    locks.take(&first, exclusive(&["a"]));
    assert_eq!(locks.against(&shared(&["a"])), Some(&first));
}
