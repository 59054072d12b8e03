use super::*;

fn act(address: &str, action: &str) -> Arc<Act> {
    Arc::new(Act { address: Some(address.into()), action: action.into(), ..Act::default() })
}

fn told(entries: Vec<Audited>) -> Vec<String> {
    let told = |entry: Audited| {
        let address = entry.act.address.as_deref().unwrap_or("any");
        let (code, count) = (entry.code.unwrap_or_default(), entry.count.unwrap_or(1));
        format!("{address} {} {code} x{count}", entry.act.action)
    };
    entries.into_iter().map(told).collect()
}

fn refuse(alike: &Alike, act: &Arc<Act>, at: i64) -> Vec<String> {
    told(alike.take(act, Outcome::Refused, "401", Timestamp(at)))
}

#[test]
fn the_first_of_a_minute_has_an_entry_and_the_others_are_counted() {
    let (alike, one) = (Alike::default(), act("192.0.2.1", "POST x"));
    assert_eq!(refuse(&alike, &one, 0), ["192.0.2.1 POST x 401 x1"]);
    for at in 0..999 {
        assert_eq!(refuse(&alike, &one, at), Vec::<String>::new());
    }
    assert_eq!(refuse(&alike, &act("192.0.2.2", "POST x"), 5), ["192.0.2.2 POST x 401 x1"]);
    assert_eq!(told(alike.expired(Timestamp(59_999))), Vec::<String>::new());
    assert_eq!(told(alike.expired(Timestamp(60_000))), ["192.0.2.1 POST x 401 x999"]);
    assert_eq!(refuse(&alike, &one, 60_001), ["192.0.2.1 POST x 401 x1"]);
    assert_eq!(refuse(&alike, &one, 60_002), Vec::<String>::new());
    assert_eq!(told(alike.all(Timestamp(60_003))), ["192.0.2.1 POST x 401 x1"]);
}

#[test]
fn a_flood_of_many_kinds_makes_few_entries() {
    let alike = Alike::default();
    let mut entries = 0;
    for number in 0..10_000 {
        entries += refuse(&alike, &act("192.0.2.1", &format!("POST {number}")), 0).len();
    }
    assert_eq!(entries, KINDS_MAX);
    for number in 0..10_000 {
        entries += refuse(&alike, &act(&format!("host {number}"), "POST x"), 0).len();
    }
    assert!(entries <= ALL_KINDS_MAX, "{entries}");
    let counted = told(alike.expired(Timestamp(60_000)));
    let (others, of_all) = (10_000 - KINDS_MAX, 10_000 - (ALL_KINDS_MAX - KINDS_MAX - 1));
    assert_eq!(
        counted,
        [format!("any others 401 x{of_all}"), format!("192.0.2.1 others 401 x{others}")]
    );
}
