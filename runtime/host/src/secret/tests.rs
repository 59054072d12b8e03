use super::*;

fn secret(value: &str) -> Secret {
    Secret::new(value.into()).unwrap()
}

#[test]
fn the_line_break_of_a_file_is_not_part_of_a_value() {
    for (bytes, value) in [
        ("password\n", "password"),
        ("password\r\n", "password"),
        ("pass\nword\n\n", "pass\nword\n"),
    ] {
        assert_eq!(secret(bytes).expose(), value);
    }
}

#[test]
fn a_value_that_cannot_be_masked_or_sent_is_refused() {
    for (bytes, why) in [
        (b"passwor\n".to_vec(), UnusableSecret::Short),
        (b"pin\n".to_vec(), UnusableSecret::TooShort),
        (vec![b'x'; BYTES_MAX + 1], UnusableSecret::Long),
        (vec![0xff; 8], UnusableSecret::NotText),
    ] {
        assert_eq!(Secret::new(bytes), Err(why));
    }
}

#[test]
fn a_short_value_is_used_if_its_source_allows_it() {
    assert_eq!(Secret::short(b"1234\n".to_vec()).unwrap().expose(), "1234");
    assert_eq!(Secret::short(b"123\n".to_vec()), Err(UnusableSecret::TooShort));
}

#[test]
fn a_value_is_never_shown_in_debug_output() {
    let safe = Safe::new([("nms".to_owned(), secret("hunter2hunter2"))].into());
    assert!(!format!("{safe:?}").contains("hunter2"));
}

#[test]
fn a_renewed_value_is_used_and_the_one_before_is_still_masked() {
    let safe = Safe::new([("nms".to_owned(), secret("first-value"))].into());
    let (under_way, before) = (safe.get("nms").unwrap(), safe.generation());
    assert!(!safe.renew("nms", secret("first-value")));
    assert_eq!(safe.generation(), before);
    assert!(safe.renew("nms", secret("second-value")));
    assert!(safe.generation() > before);
    assert_eq!(safe.get("nms").unwrap().expose(), "second-value");
    assert_eq!(under_way.expose(), "first-value");
    safe.withdraw("nms");
    assert_eq!(safe.get("nms"), None);
    let all: Vec<_> = safe.all("nms").iter().map(|one| one.expose().to_owned()).collect();
    assert_eq!(all, ["second-value", "first-value"]);
    for n in 0..100 {
        safe.renew("nms", secret(&format!("value-{n:03}")));
    }
    assert_eq!(safe.all("nms").len(), BEFORE_MAX + 1);
    for n in 0..10 {
        safe.renew("nms", secret(&format!("{n}{}", "x".repeat(1_000))));
    }
    assert_eq!(safe.all("nms").len(), BEFORE_BYTES_MAX / 1_001 + 1);
}
