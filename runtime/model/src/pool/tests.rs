use super::*;

fn pool(values: Values) -> Pool {
    Pool {
        id: PoolId::new("p"),
        resource: SpecId::new("RS-P"),
        characteristic: "value".into(),
        values,
    }
}

#[test]
fn a_pattern_counts_its_last_counter_fastest() {
    let ports = pool(Values::pattern("olt-1/{slot:1..2}/{port:0..3}").unwrap());
    assert_eq!(ports.len(), 8);
    assert_eq!(ports.value(0), "olt-1/1/0");
    assert_eq!(ports.value(5), "olt-1/2/1");
    assert_eq!(ports.attributes(5), [("slot".into(), 2), ("port".into(), 1)]);
}

#[test]
fn leading_zeros_set_the_width() {
    let serials = pool(Values::pattern("HW{0001..9999}").unwrap());
    assert_eq!(serials.value(41), "HW0042");
}

#[test]
fn networks_give_hosts_and_subnets() {
    let v4 = pool(Values::ipv4("100.64.0.0/30").unwrap());
    assert_eq!((v4.len(), v4.value(0), v4.value(1)), (2, "100.64.0.1".into(), "100.64.0.2".into()));
    let v6 = pool(Values::ipv6("2001:db8::/48", 56).unwrap());
    assert_eq!((v6.len(), v6.value(255)), (256, "2001:db8:0:ff00::/56".into()));
}

#[test]
fn what_cannot_be_counted_is_refused() {
    assert_eq!(Values::pattern("x{1..2").unwrap_err(), PoolError::Brace("x{1..2".into()));
    assert_eq!(Values::pattern("x{2..1}").unwrap_err(), PoolError::Counter("2..1".into()));
    assert_eq!(Values::pattern("x").unwrap_err(), PoolError::NoCounter("x".into()));
    assert!(Values::ipv4("10.0.0.0/31").is_err());
    assert!(Values::ipv6("2001:db8::/56", 56).is_err());
    let huge = "{0..4294967295}{0..4294967295}";
    assert_eq!(Values::pattern(huge).unwrap_err(), PoolError::TooLarge);
}
