use std::collections::BTreeSet;

use super::*;

#[test]
fn a_hash_depends_on_the_whole_text_and_on_the_step() {
    let text = "x".repeat(1_000);
    let other = format!("{}y", &text[1..]);
    let all: BTreeSet<_> =
        [hash(&text, 0), hash(&text, 1), hash(&other, 0), hash("", 0)].into_iter().collect();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|hash| hash.len() == HASH_CHARS));
    assert_eq!(hash(&text, 1), hash(&text, 1));
    assert_eq!(&hash("", 0)[..8], "af5570f5");
}

#[test]
fn a_step_answers_with_the_hash_of_its_text() {
    let input = serde_json::json!({ "text": "abc", "step": 2 });
    let context = Context::example(&input);
    let outcome = Hasher::run(&context, serde_json::from_value(input).unwrap());
    assert_eq!(outcome, Ok(Outcome::Done(Hash { hash: hash("abc", 2) })));
}
