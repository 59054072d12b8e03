use std::num::NonZeroU32;

use super::*;

fn table(per_second: u32, burst: u32) -> Table<u32> {
    let number = |number| NonZeroU32::new(number).unwrap();
    Table::of(Rate { per_second: number(per_second), burst: number(burst) })
}

#[test]
fn a_burst_may_come_at_once_and_then_the_rate() {
    let (table, now) = (table(2, 3), Instant::now());
    let at = |ms| now + Duration::from_millis(ms);
    for _ in 0..3 {
        assert_eq!(table.count(1, at(0)), Ok(()));
    }
    assert_eq!(table.count(1, at(0)), Err(Wait(Duration::from_millis(500))));
    assert_eq!(table.count(1, at(499)), Err(Wait(Duration::from_millis(1))));
    assert_eq!(table.count(1, at(500)), Ok(()));
    assert_eq!(table.count(2, at(500)), Ok(()), "another client is not concerned");
    // After a pause the burst is whole, and no larger.
    let granted = (0..9).filter(|_| table.count(1, at(60_000)).is_ok()).count();
    assert_eq!(granted, 3);
}

#[test]
fn a_client_waits_whole_seconds() {
    for (ms, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2)] {
        assert_eq!(Wait(Duration::from_millis(ms)).seconds(), seconds);
    }
}

#[test]
fn a_table_is_bounded_and_still_limits_each_client_that_it_has() {
    let (table, now) = (table(1, 1), Instant::now());
    let max = u32::try_from(CLIENTS_MAX).unwrap();
    for client in 0..max {
        assert_eq!(table.count(client, now), Ok(()));
    }
    // The next share one place, which the first of them takes.
    assert_eq!(table.count(max, now), Ok(()));
    assert!(table.count(max + 1, now).is_err() && table.look(max + 2, now).is_err());
    assert!(table.count(5, now).is_err());
    assert!(table.clients().whole_at.len() <= CLIENTS_MAX + 1);
    // Once their bursts are whole, there is room again.
    let later = now + Duration::from_secs(2);
    assert_eq!(table.count(max + 1, later), Ok(()));
    assert_eq!(table.count(max + 2, later), Ok(()));
    assert!(table.clients().whole_at.len() < 4);
}

#[test]
fn attempts_that_fail_are_limited_by_network_and_not_on_this_machine() {
    let rates = Rates::new(RateLimits::default());
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    for _ in 0..FAILURES_BURST {
        assert_eq!(rates.may_prove(address("2001:db8::1")), Ok(()));
        rates.failed(address("2001:db8::1"));
        rates.failed(address("127.0.0.1"));
    }
    for (from, may) in [
        ("2001:db8::1", false),
        ("2001:db8::ffff:1", false),
        ("2001:db8:0:1::1", true),
        ("192.0.2.1", true),
        ("127.0.0.1", true),
    ] {
        assert_eq!(rates.may_prove(address(from)).is_ok(), may, "{from}");
    }
    // Requests as such have no limit here.
    assert_eq!(rates.address(address("2001:db8::1")), Ok(()));
    assert_eq!(rates.identity(&Identity::local()), Ok(()));
}
