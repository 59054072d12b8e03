use super::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_look_before_a_release_is_stale_for_what_was_released_alone() {
    let (mut claims, first) = (Claims::default(), FulfilmentId::new("first"));
    claims.take(&first, names(&["a", "b"]));
    let before = claims.seen();
    assert_eq!(claims.holder(&names(&["b"])), Some(&first));
    claims.release(&first, names(&["a", "b"]));
    assert_eq!(claims.holder(&names(&["a", "b"])), None);
    assert!(claims.is_stale(&names(&["b"]), before));
    assert!(!claims.is_stale(&names(&["c"]), before));
    assert!(!claims.is_stale(&names(&["b"]), claims.seen()));
}

#[test]
fn a_release_of_what_another_claims_changes_nothing() {
    let (mut claims, first) = (Claims::default(), FulfilmentId::new("first"));
    claims.take(&first, names(&["a"]));
    let before = claims.seen();
    claims.release(&FulfilmentId::new("second"), names(&["a", "b"]));
    assert_eq!(claims.holder(&names(&["a"])), Some(&first));
    assert_eq!(claims.seen(), before);
}

#[test]
fn a_look_older_than_what_is_remembered_is_stale_for_anything() {
    let (mut claims, id) = (Claims::default(), FulfilmentId::new("first"));
    let before = claims.seen();
    for number in 0..=RELEASED_MAX {
        claims.take(&id, names(&[&number.to_string()]));
        claims.release(&id, names(&[&number.to_string()]));
    }
    assert!(claims.is_stale(&names(&["c"]), before));
    assert!(!claims.is_stale(&[], before), "who claims nothing has looked at nothing");
    assert!(!claims.is_stale(&names(&["c"]), claims.seen()));
    assert_eq!(claims.released.len(), RELEASED_MAX);
}
