use model::{SpecId, Values};

use super::*;

fn pools(pattern: &str) -> (Pools, PoolId) {
    let pools = Pools::default();
    let id = PoolId::new("p");
    pools.define(Pool {
        id: id.clone(),
        resource: SpecId::new("RS-P"),
        characteristic: "value".into(),
        values: Values::pattern(pattern).unwrap(),
    });
    (pools, id)
}

#[test]
fn two_tasks_never_get_the_same_value_and_the_pool_ends() {
    let (pools, id) = pools("{1..3}");
    let order = FulfilmentId::new("f");
    let values: BTreeSet<_> = (0..3)
        .map(|task| pools.reserve(&order, TaskId(task), id.clone(), "").unwrap().value)
        .collect();
    assert_eq!(values.len(), 3);
    let full = pools.reserve(&order, TaskId(9), id.clone(), "");
    assert_eq!(full, Err(ReserveError::Exhausted { pool: id, len: 3 }));
}

#[test]
fn asking_twice_under_one_name_gives_the_same_value() {
    let (pools, id) = pools("{1..3}");
    let order = FulfilmentId::new("f");
    let first = pools.reserve(&order, TaskId(0), id.clone(), "a").unwrap();
    assert_eq!(pools.reserve(&order, TaskId(0), id.clone(), "a").unwrap(), first);
    assert_ne!(pools.reserve(&order, TaskId(0), id, "b").unwrap(), first);
}

#[test]
fn an_abandoned_attempt_releases_its_reservations() {
    let (pools, id) = pools("{1..1}");
    let order = FulfilmentId::new("f");
    pools.reserve(&order, TaskId(0), id.clone(), "").unwrap();
    pools.abandon(&order, TaskId(0));
    assert_eq!(pools.held(&id), 0);
    assert_eq!(pools.reserve(&order, TaskId(1), id, "").unwrap().value, "1");
}

#[test]
fn reservations_in_the_store_are_not_handed_out() {
    let (pools, id) = pools("{1..3}");
    pools.restore(&id, 0, None);
    pools.restore(&id, 1, Some("service/a".into()));
    let order = FulfilmentId::new("f");
    assert_eq!(pools.reserve(&order, TaskId(0), id.clone(), "").unwrap().value, "3");
    assert!(pools.release(&id, 1, "service/a"));
    assert_eq!(pools.held(&id), 2);
}

#[test]
fn a_value_is_released_by_its_holder_alone() {
    let (pools, id) = pools("{1..1}");
    let order = FulfilmentId::new("f");
    let reservation = pools.reserve(&order, TaskId(0), id.clone(), "").unwrap();
    assert!(!pools.release(&id, reservation.index, "service/a"), "an attempt holds it");
    pools.finish(&order, TaskId(0));
    pools.keep(&reservation, "service/a");
    assert!(!pools.release(&id, reservation.index, "service/b"));
    assert_eq!(pools.held(&id), 1);
    assert!(pools.release(&id, reservation.index, "service/a"));
    assert!(!pools.release(&id, reservation.index, "service/a"), "it is free");
}

#[test]
fn a_repeated_task_keeps_the_value_of_the_same_pool_and_name() {
    let (pools, id) = pools("{1..3}");
    let order = FulfilmentId::new("f");
    let reservation = pools.reserve(&order, TaskId(0), id.clone(), "a").unwrap();
    pools.finish(&order, TaskId(0));
    pools.keep(&reservation, "service/s");
    let again = FulfilmentId::new("g");
    pools.offer(&again, TaskId(0), vec![reservation.clone()]);
    assert_eq!(pools.reserve(&again, TaskId(0), id.clone(), "a").unwrap(), reservation);
    let other = pools.reserve(&again, TaskId(0), id.clone(), "b").unwrap();
    assert_ne!(other, reservation);
    pools.abandon(&again, TaskId(0));
    assert_eq!(pools.held(&id), 1, "what it held before stays");
    pools.offer(&again, TaskId(0), vec![reservation.clone()]);
    pools.reserve(&again, TaskId(0), id, "a").unwrap();
    assert_eq!(pools.finish(&again, TaskId(0)), [reservation]);
}
