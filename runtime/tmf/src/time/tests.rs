use super::Timestamp;

#[test]
fn a_date_is_read_as_clients_write_it() {
    let noon = Timestamp::parse("2026-03-12T12:00:00Z");
    for text in [
        "2026-03-12T12:00:00Z",
        "2026-03-12T12:00:00.000Z",
        "2026-03-12t12:00:00z",
        "2026-03-12 12:00:00",
        "2026-03-12T12:00",
        "2026-03-12T12:00Z",
        "2026-03-12T13:00:00+01:00",
        "2026-03-12T13:00:00+0100",
        "2026-03-12T07:00-05:00",
    ] {
        assert_eq!(Timestamp::read(text), noon, "{text}");
    }
    assert_eq!(Timestamp::read("2026-03-12"), Timestamp::parse("2026-03-12T00:00:00Z"));
    for text in ["", "soon", "12.03.2026", "2026-02-30", "2026-03-12T25:00:00Z"] {
        assert_eq!(Timestamp::read(text), None, "{text}");
    }
}
