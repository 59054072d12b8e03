use super::*;

fn token(number: usize) -> [u8; 32] {
    let mut token = [0; 32];
    token[..8].copy_from_slice(&number.to_le_bytes());
    token
}

#[test]
fn the_cache_is_bounded_and_keeps_what_is_used() {
    let cache = Cache::default();
    let known = Known { identity: Arc::new(Identity::local()), issuer: "".into(), generation: 1 };
    for number in 0..10 * HALF_MAX {
        cache.put(token(number), known.clone());
        assert!(cache.get(&token(0)).is_some(), "{number}");
    }
    let halves = cache.0.lock().unwrap();
    assert!(halves.young.len() + halves.old.len() <= 2 * HALF_MAX);
    drop(halves);
    assert!(cache.get(&token(10 * HALF_MAX - 1)).is_some());
    assert!(cache.get(&token(1)).is_none());
}
