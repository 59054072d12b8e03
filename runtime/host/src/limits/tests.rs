use super::*;

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

#[test]
fn memory_is_summed_over_the_store() {
    let mut memory = Memory::new(&Limits { memory_mib: 2, ..DEFAULT });
    assert!(memory.memory_growing(0, 1 << 20, None).unwrap());
    assert!(memory.memory_growing(0, 1 << 20, None).unwrap());
    assert!(!memory.refused());
    assert!(!memory.memory_growing(1 << 20, (1 << 20) + 65_536, None).unwrap());
    assert!(memory.refused());
}

#[test]
fn waiting_costs_one_epoch_and_no_more() {
    let meter = Meter::new(&Limits { cpu_ms: 100, ..DEFAULT });
    assert!(!meter.is_spent());
    assert_eq!(meter.spent(), EPOCH);
    assert!(!meter.is_spent());
    let tight = Meter::new(&Limits { cpu_ms: 1, ..DEFAULT });
    assert!(!tight.is_spent());
}
