use engine::audit::Hash;

use super::*;

#[test]
fn an_entry_is_a_message_with_its_length() {
    let bytes = r#"{"sequence":7,"at":"2026-11-30T01:12:16.123Z","action":"POST x","outcome":"refused","actor":{"subject":"é","authentication":"off"}}"#;
    let stored = Stored { previous: Hash::default(), bytes: bytes.into() };
    let message = message(&stored, "node 1\n");
    let head =
        format!("<108>1 2026-11-30T01:12:16.123Z node1 ferrule {} audit - {{", std::process::id());
    assert!(message.starts_with(&head), "{message}");
    let (_, line) = message.split_once(" audit - ").unwrap();
    assert_eq!(Line::read(line).unwrap().0, stored);
    let framed = framed(&message);
    let text = String::from_utf8(framed).unwrap();
    let (length, rest) = text.split_once(' ').unwrap();
    assert_eq!((length.parse(), rest), (Ok(message.len()), message.as_str()));
    let damaged = Stored { previous: Hash::default(), bytes: b"x".to_vec() };
    assert!(super::message(&damaged, "").starts_with("<107>1 - - ferrule "));
}
