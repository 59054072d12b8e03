use super::*;

#[test]
fn durations_have_known_units_and_fit_64_bits() {
    let table = [
        ("200ms", Some(200)),
        ("10s", Some(10_000)),
        ("5m", Some(300_000)),
        ("1h 30m", Some(5_400_000)),
        ("1h30m", Some(5_400_000)),
        ("2d", Some(172_800_000)),
        ("0s", Some(0)),
        ("", None),
        ("10", None),
        ("-1s", None),
        ("1.5h", None),
        ("5M", None),
        ("10 s", None),
        ("10 seconds", None),
        ("1y", None),
        ("10us", None),
        ("99999999999999999999s", None),
        ("18446744073709551615d", None),
    ];
    for (text, ms) in table {
        assert_eq!(duration_ms(text), ms, "{text}");
    }
}
