use std::future::Future;
use std::task::{Context, Poll, Waker};

use model::PluginId;

use super::*;
use crate::admission::{Admission, Capacity};

fn asked(memory: Option<u32>) -> Asked {
    Asked { memory_mib: memory, ..Asked::default() }
}

#[test]
fn the_operator_caps_what_a_plugin_asks_for() {
    let settle = |plugin, operator| Limits::settle(&asked(plugin), &asked(operator)).memory_mib;
    assert_eq!(settle(None, None), DEFAULT.memory_mib);
    assert_eq!(settle(Some(128), None), 128);
    assert_eq!(settle(Some(4_096), None), CEILING.memory_mib);
    assert_eq!(settle(Some(128), Some(32)), 32);
    assert_eq!(settle(Some(16), Some(32)), 16);
    assert_eq!(settle(None, Some(512)), 512);
    assert_eq!(settle(Some(0), None), 1);
}

fn meter() -> Arc<Meter> {
    Arc::new(Meter::new(&DEFAULT))
}

fn permit(mib: usize) -> Permit {
    let capacity = Capacity { instances: 1, bytes: mib << 20, share_percent: 100 };
    let admission = Admission::new(capacity, 100);
    let mut admit = Box::pin(async move { admission.admit(&PluginId::new("a"), 0).await });
    match admit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(permit) => permit,
        Poll::Pending => panic!("there is room"),
    }
}

#[test]
fn memory_is_summed_over_the_store() {
    let mut memory = Memory::new(&Limits { memory_mib: 2, ..DEFAULT }, permit(64), meter());
    assert!(memory.memory_growing(0, 1 << 20, None).unwrap());
    assert!(memory.memory_growing(0, 1 << 20, None).unwrap());
    assert!(!memory.refused());
    assert!(!memory.memory_growing(1 << 20, (1 << 20) + 65_536, None).unwrap());
    assert!(memory.refused());
    assert_eq!(memory.short(), None);
}

#[test]
fn a_lack_in_the_budget_of_all_guests_is_not_the_fault_of_the_guest() {
    let mut memory = Memory::new(&DEFAULT, permit(4), meter());
    assert!(memory.memory_growing(0, 1 << 20, None).unwrap());
    memory.memory_growing(1 << 20, 4 << 20, None).unwrap_err();
    assert_eq!(memory.short(), Some(Short::Budget));
    assert!(!memory.refused());
    // Tables take memory too.
    let mut memory = Memory::new(&DEFAULT, permit(0), meter());
    memory.table_growing(0, 1_000, None).unwrap_err();
}

#[test]
fn a_call_that_waits_is_not_long() {
    let meter = Meter::new(&Limits { cpu_ms: 100, ..DEFAULT });
    meter.began_ns.store(thread_ns(), Ordering::Relaxed);
    std::thread::park_timeout(PROMPT * 3);
    assert_eq!(meter.look(), Verdict::Continue);
    assert!(!meter.is_long());
}

#[test]
fn a_call_that_works_yields_and_ends_when_its_time_is_spent() {
    let meter = Meter::new(&Limits { cpu_ms: 20, ..DEFAULT });
    meter.began_ns.store(thread_ns(), Ordering::Relaxed);
    assert_eq!(until_not(&meter, Verdict::Continue), Verdict::Yield);
    assert!(meter.is_long());
    // Without a new turn it is asked to yield again and again, and stopped in the end.
    assert_eq!(until_not(&meter, Verdict::Continue), Verdict::Yield);
    assert_eq!(until_not(&meter, Verdict::Yield), Verdict::Stop);
}

fn until_not(meter: &Meter, verdict: Verdict) -> Verdict {
    loop {
        let now = meter.look();
        if now != verdict {
            return now;
        }
    }
}
