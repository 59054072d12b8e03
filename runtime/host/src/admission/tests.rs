use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;

fn admission(instances: usize, mib: usize) -> Admission {
    Admission::new(Capacity { instances, bytes: mib * MIB, share_percent: 25 }, 50)
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A permit, if there is one now.
fn now(admission: &Admission, plugin: &str, bytes: usize) -> Option<Permit> {
    poll(pin!(admission.admit(&PluginId::new(plugin), bytes)))
}

fn all(admission: &Admission, plugin: &str, bytes: usize) -> Vec<Permit> {
    std::iter::from_fn(|| now(admission, plugin, bytes)).collect()
}

#[test]
fn one_plugin_has_its_share_of_the_instances_and_no_more() {
    let admission = admission(256, 2_048);
    let held = all(&admission, "a", MIB);
    assert_eq!(held.len(), 64);
    assert!(now(&admission, "b", MIB).is_some());
}

#[test]
fn however_many_plugins_take_all_they_can_another_finds_something() {
    let admission = admission(256, 2_048);
    let mut held = Vec::new();
    for n in 0..8 {
        held.push(all(&admission, &format!("hog-{n}"), MIB));
        assert!(now(&admission, "another", MIB).is_some(), "{n}");
    }
    let counts: Vec<_> = held.iter().map(Vec::len).collect();
    assert_eq!(counts[..5], [64, 64, 64, 32, 16], "{counts:?}");
}

#[test]
fn a_tenant_that_is_alone_is_not_held_to_a_share() {
    let admission = admission(64, 2_048);
    let held = ["a", "b", "c", "d"].map(|plugin| all(&admission, plugin, MIB));
    assert_eq!(held.map(|held| held.len()), [16, 16, 16, 8]);
}

#[test]
fn however_much_the_plugins_of_a_tenant_take_those_of_another_find_something() {
    let first = admission(256, 2_048);
    let others = [50, 5].map(|percent| first.for_tenant(percent));
    let many = |of: &Admission| -> Vec<_> {
        (0..8).flat_map(|n| all(of, &format!("hog-{n}"), MIB)).collect()
    };
    let held = [many(&first), many(&others[0]), many(&others[1])];
    assert_eq!(held.each_ref().map(Vec::len), [128, 64, 12]);
    // They have the same names, and are others.
    assert_eq!(others[1].capacity().share_percent, 5);
    assert_eq!(first.capacity().share_percent, 25);
}

#[test]
fn a_tenant_has_its_share_of_the_memory_and_no_more() {
    let first = admission(256, 1_000);
    let second = first.for_tenant(10);
    assert_eq!(second.short(&PluginId::new("a"), 101 * MIB), Some(Short::Tenant));
    let _held = now(&second, "a", 60 * MIB).unwrap();
    assert_eq!(second.short(&PluginId::new("b"), 60 * MIB), Some(Short::Tenant));
    assert!(now(&second, "b", 60 * MIB).is_none());
    assert!(now(&first, "b", 60 * MIB).is_some());
}

#[test]
fn released_instances_go_to_the_tenant_that_has_least() {
    let first = admission(6, 2_048);
    let [second, third] = [50, 50].map(|percent| first.for_tenant(percent));
    let mut held: Vec<_> =
        ["a", "b", "c"].into_iter().filter_map(|plugin| now(&first, plugin, MIB)).collect();
    assert_eq!(held.len(), 3);
    let _others = [now(&second, "a", MIB).unwrap(), now(&third, "a", MIB).unwrap()];
    let (d, e) = (PluginId::new("d"), PluginId::new("e"));
    let mut more = Box::pin(first.admit(&d, MIB));
    let mut other = Box::pin(second.admit(&e, MIB));
    assert!(poll(more.as_mut()).is_none() && poll(other.as_mut()).is_none());
    drop(held.pop());
    assert!(poll(more.as_mut()).is_none());
    assert!(poll(other.as_mut()).is_some());
}

#[test]
fn released_memory_goes_to_the_plugin_that_has_least() {
    let admission = admission(4, 2_048);
    let (a, b) = (PluginId::new("a"), PluginId::new("b"));
    let first = now(&admission, "a", MIB).unwrap();
    // Its share is one.
    let mut second = Box::pin(admission.admit(&a, MIB));
    assert!(poll(second.as_mut()).is_none());
    let _others = ["c", "d", "e"].map(|plugin| now(&admission, plugin, MIB).unwrap());
    let mut other = Box::pin(admission.admit(&b, MIB));
    assert!(poll(other.as_mut()).is_none());
    drop(first);
    let (second, other) = (poll(second.as_mut()), poll(other.as_mut()));
    assert!(second.is_some() ^ other.is_some(), "one instance was given back");
}

#[test]
fn a_plugin_that_asked_later_and_has_nothing_comes_before_one_that_has_something() {
    let capacity = Capacity { instances: 4, bytes: 2_048 * MIB, share_percent: 75 };
    let admission = Admission::new(capacity, 50);
    let (a, b) = (PluginId::new("a"), PluginId::new("b"));
    let mut held = all(&admission, "a", MIB);
    assert_eq!(held.len(), 2);
    let others = ["c", "d"].map(|plugin| now(&admission, plugin, MIB).unwrap());
    let mut of_a = Box::pin(admission.admit(&a, MIB));
    let mut of_b = Box::pin(admission.admit(&b, MIB));
    assert!(poll(of_a.as_mut()).is_none());
    assert!(poll(of_b.as_mut()).is_none());
    held.pop();
    assert!(poll(of_a.as_mut()).is_none());
    assert!(poll(of_b.as_mut()).is_some());
    drop(others);
}

#[test]
fn memory_is_shared_like_instances() {
    let admission = admission(1_000, 1_024);
    let mut a = now(&admission, "a", MIB).unwrap();
    assert_eq!(a.grow(255 * MIB), Ok(()));
    assert_eq!(a.grow(1), Err(Short::Share));
    let mut others: Vec<_> = ["b", "c"].map(|id| now(&admission, id, 256 * MIB).unwrap()).into();
    let mut d = now(&admission, "d", MIB).unwrap();
    // 255 MiB are left, and a plugin that grows leaves at least as much as it has then.
    assert_eq!(d.grow(128 * MIB), Err(Short::Budget));
    assert_eq!(d.grow(126 * MIB), Ok(()));
    assert!(now(&admission, "e", 64 * MIB).is_some());
    others.pop();
    assert_eq!(d.grow(100 * MIB), Ok(()));
}

#[test]
fn a_call_that_gives_up_leaves_nothing_behind() {
    let admission = admission(4, 2_048);
    let plugin = PluginId::new("a");
    let held = now(&admission, "a", MIB).unwrap();
    let mut gone = Box::pin(admission.admit(&plugin, MIB));
    let mut stays = Box::pin(admission.admit(&plugin, MIB));
    assert!(poll(gone.as_mut()).is_none());
    assert!(poll(stays.as_mut()).is_none());
    drop(gone);
    drop(held);
    let permit = poll(stays.as_mut());
    assert!(permit.is_some());
    drop(permit);
    let office = admission.lock();
    assert!(office.plugins.is_empty() && office.waiting == 0, "{office:?}");
    assert_eq!(office.left, Held { instances: 4, bytes: 2_048 * MIB });
}

proptest! {
    /// Whatever is taken, given back and given up: the books agree, no plugin and no tenant has more than its
    /// share, and no call waits that could have its permit.
    #[test]
    fn the_books_agree(steps in prop::collection::vec((0_u8..4, 0_usize..5, 0_usize..60), 1..200)) {
        let admission = admission(16, 256);
        let tenants = [admission.clone(), admission.for_tenant(40)];
        let plugins = ["a", "b", "c", "d", "e"].map(PluginId::new);
        let mut held: Vec<Permit> = Vec::new();
        let mut waiting = Vec::new();
        for (what, plugin, number) in steps {
            match what {
                0 => {
                    let admission = tenants[number % 2].clone();
                    let plugin = plugins[plugin].clone();
                    waiting.push(Box::pin(async move {
                        admission.admit(&plugin, number * MIB).await
                    }));
                }
                1 if !held.is_empty() => drop(held.remove(number % held.len())),
                2 if !waiting.is_empty() => drop(waiting.remove(number % waiting.len())),
                _ if !held.is_empty() => {
                    let at = number % held.len();
                    let _refused = held[at].grow(number * MIB);
                }
                _ => {}
            }
            let mut at = 0;
            while at < waiting.len() {
                match poll(waiting[at].as_mut()) {
                    Some(permit) => {
                        held.push(permit);
                        drop(waiting.remove(at));
                    }
                    None => at += 1,
                }
            }
            let office = admission.lock();
            let sum = |get: fn(&Held) -> usize| held.iter().map(|permit| get(&permit.held)).sum::<usize>();
            prop_assert_eq!(office.left.instances + sum(|held| held.instances), 16);
            prop_assert_eq!(office.left.bytes + sum(|held| held.bytes), 256 * MIB);
            for customer in office.plugins.values() {
                prop_assert!(customer.held.instances <= 4 && customer.held.bytes <= 64 * MIB);
            }
            for (share, max) in office.tenants.iter().zip([8, 6]) {
                prop_assert!(share.held.instances <= max && share.held.bytes <= 128 * MIB);
            }
            prop_assert!(office.next().is_none(), "one waits that could have its permit");
        }
        drop((held, waiting));
        let office = admission.lock();
        prop_assert_eq!(office.left, Held { instances: 16, bytes: 256 * MIB });
    }
}

#[tokio::test]
async fn a_call_is_admitted_with_what_its_plugin_usually_takes() {
    let capacity = Capacity { instances: 8, bytes: 1_000, share_percent: 25 };
    let (admission, plugin) = (Admission::new(capacity, 50), PluginId::new("p"));
    let usual = Usual::new(100);
    let mut first = admission.admit(&plugin, 150).await;
    first.prepay(100, usual.clone());
    let second = admission.admit(&plugin, 100).await;
    // The share is used up, and the first call still gets what it was admitted with.
    assert_eq!(first.grow(100), Ok(()));
    assert_eq!(first.grow(1), Err(Short::Share));
    drop(second);
    assert_eq!(first.grow(20), Ok(()));
    drop(first);
    assert_eq!(usual.bytes(), 120);
    let all = admission.admit(&plugin, 250).await;
    drop(all);
}
