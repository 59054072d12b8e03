use super::*;

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_clock_that_is_moved_back_stalls_nothing_and_one_moved_forward_is_followed() {
    let clock = System { began: Instant::now(), base_ms: AtomicI64::new(10 * DAY_MS) };
    let at = |days: i64, s| clock.at(days * DAY_MS, Duration::from_secs(s)).0;
    assert_eq!(at(10, 0), 10 * DAY_MS);
    assert_eq!(at(9, 4), 10 * DAY_MS + 4_000, "moved back by a day");
    assert_eq!(at(11, 4), 11 * DAY_MS, "moved forward");
    assert_eq!(at(10, 5), 11 * DAY_MS + 1_000, "and back again");
}
