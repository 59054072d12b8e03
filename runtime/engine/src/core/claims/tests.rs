use super::*;

fn exclusive(names: &[&str]) -> Vec<Claim> {
    super::exclusive(self::names(names))
}

fn shared(names: &[&str]) -> Vec<Claim> {
    let claims = exclusive(names).into_iter();
    claims.map(|claim| Claim { mode: ClaimMode::Shared, ..claim }).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_look_before_a_release_is_stale_for_what_was_released_alone() {
    let (mut claims, first) = (Claims::default(), FulfilmentId::new("first"));
    claims.take(&first, exclusive(&["a", "b"]));
    let before = claims.seen();
    assert_eq!(claims.holder(&names(&["b"])), Some(&first));
    claims.release(&first, names(&["a", "b"]));
    assert_eq!(claims.holder(&names(&["a", "b"])), None);
    assert!(claims.is_stale(&exclusive(&["b"]), before));
    assert!(!claims.is_stale(&exclusive(&["c"]), before));
    assert!(!claims.is_stale(&exclusive(&["b"]), claims.seen()));
}

#[test]
fn a_release_of_what_another_claims_changes_nothing() {
    let (mut claims, first) = (Claims::default(), FulfilmentId::new("first"));
    claims.take(&first, exclusive(&["a"]));
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
        claims.take(&id, exclusive(&[&number.to_string()]));
        claims.release(&id, names(&[&number.to_string()]));
    }
    assert!(claims.is_stale(&exclusive(&["c"]), before));
    assert!(!claims.is_stale(&[], before), "who claims nothing has looked at nothing");
    assert!(!claims.is_stale(&exclusive(&["c"]), claims.seen()));
    assert_eq!(claims.released.len(), RELEASED_MAX);
}

#[test]
fn what_several_use_none_of_them_changes() {
    let mut claims = Claims::default();
    let [first, second] = ["first", "second"].map(FulfilmentId::new);
    claims.take(&first, shared(&["a"]));
    assert_eq!(claims.against(&shared(&["a"])), None);
    assert_eq!(claims.against(&exclusive(&["a"])), Some(&first));
    claims.take(&second, shared(&["a"]));
    let before = claims.seen();
    claims.release(&first, names(&["a"]));
    assert_eq!(claims.against(&exclusive(&["a"])), Some(&second));
    assert!(claims.is_stale(&shared(&["a"]), before), "the first may have added a user");
    claims.release(&second, names(&["a"]));
    claims.take(&first, exclusive(&["a"]));
    assert_eq!(claims.against(&shared(&["a"])), Some(&first));
}
