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
fn subnets_of_either_family_are_counted_from_the_first() {
    let subnets = |values: Result<Values, PoolError>| {
        let pool = pool(values.unwrap());
        (pool.len(), pool.value(0), pool.value(1), pool.value(pool.len() - 1))
    };
    for (values, len, first, second, last) in [
        (
            Values::ipv4_subnets("10.20.0.0/16", 29),
            8_192,
            "10.20.0.0/29",
            "10.20.0.8/29",
            "10.20.255.248/29",
        ),
        (
            Values::ipv4_subnets("192.0.2.0/24", 32),
            256,
            "192.0.2.0/32",
            "192.0.2.1/32",
            "192.0.2.255/32",
        ),
        (Values::ipv4_subnets("0.0.0.0/0", 8), 256, "0.0.0.0/8", "1.0.0.0/8", "255.0.0.0/8"),
        (
            Values::ipv4_subnets("203.0.113.0/30", 31),
            2,
            "203.0.113.0/31",
            "203.0.113.2/31",
            "203.0.113.2/31",
        ),
        (
            Values::ipv6("2001:db8::/56", 64),
            256,
            "2001:db8::/64",
            "2001:db8:0:1::/64",
            "2001:db8:0:ff::/64",
        ),
        (
            Values::ipv6("2001:db8::/120", 127),
            128,
            "2001:db8::/127",
            "2001:db8::2/127",
            "2001:db8::fe/127",
        ),
        (
            Values::ipv6("2001:db8::/127", 128),
            2,
            "2001:db8::/128",
            "2001:db8::1/128",
            "2001:db8::1/128",
        ),
    ] {
        let expected = (len, first.into(), second.into(), last.into());
        assert_eq!(subnets(values), expected);
    }
}

#[test]
fn no_two_subnets_overlap() {
    let pool = pool(Values::ipv4_subnets("10.0.0.0/20", 27).unwrap());
    let starts: std::collections::BTreeSet<u32> = (0..pool.len())
        .map(|index| {
            let value = pool.value(index);
            let address: Ipv4Addr = value.split('/').next().unwrap().parse().unwrap();
            u32::from(address)
        })
        .collect();
    assert_eq!(starts.len(), 128);
    let all: Vec<u32> = starts.into_iter().collect();
    assert!(all.windows(2).all(|pair| pair[1] - pair[0] == 32));
}

#[test]
fn a_network_that_cannot_be_split_is_refused_with_what_would_be_right() {
    let told = |values: Result<Values, PoolError>| values.unwrap_err().to_string();
    for (values, message) in [
        (
            Values::ipv4_subnets("10.0.0.0/24", 24),
            "subnets of `10.0.0.0/24` have a prefix of 25 to 32, not 24",
        ),
        (
            Values::ipv4_subnets("10.0.0.0/24", 33),
            "subnets of `10.0.0.0/24` have a prefix of 25 to 32, not 33",
        ),
        (
            Values::ipv4_subnets("10.0.0.0/33", 34),
            "`10.0.0.0/33` is no IPv4 network in CIDR form with room for addresses",
        ),
        (
            Values::ipv4("10.0.0.5/24"),
            "`10.0.0.5/24` is an address within the network `10.0.0.0/24`: write that",
        ),
        (
            Values::ipv4_subnets("10.0.1.0/16", 24),
            "`10.0.1.0/16` is an address within the network `10.0.0.0/16`: write that",
        ),
        (
            Values::ipv6("2001:db8::1/48", 56),
            "`2001:db8::1/48` is an address within the network `2001:db8::/48`: write that",
        ),
        (
            Values::ipv6("2001:db8::/48", 129),
            "subnets of `2001:db8::/48` have a prefix of 49 to 128, not 129",
        ),
        (
            Values::ipv6("2001:db8::/129", 130),
            "`2001:db8::/129` is no IPv6 network in CIDR form with room for addresses",
        ),
        (Values::ipv6("::/0", 64), "a pool may hold 2^48 values, this one is larger"),
    ] {
        assert_eq!(told(values), message);
    }
}

#[test]
fn pools_that_cannot_be_counted_are_refused() {
    assert_eq!(Values::pattern("x{1..2").unwrap_err(), PoolError::Brace("x{1..2".into()));
    assert_eq!(Values::pattern("x{2..1}").unwrap_err(), PoolError::Counter("2..1".into()));
    assert_eq!(Values::pattern("x").unwrap_err(), PoolError::NoCounter("x".into()));
    assert!(Values::ipv4("10.0.0.0/31").is_err());
    assert!(Values::ipv6("2001:db8::/56", 56).is_err());
    let huge = "{0..4294967295}{0..4294967295}";
    assert_eq!(Values::pattern(huge).unwrap_err(), PoolError::TooLarge);
}
