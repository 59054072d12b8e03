use super::*;

fn read(entries: &[&str]) -> Result<Option<Narrowing>, NarrowingError> {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    Narrowing::read(&entries, &crate::http::permits::permissions())
}

#[test]
fn a_scope_covers_its_patterns_and_nothing_else() {
    let order = |verb| Permission::standard(622, "productOrder", verb);
    let retry = Permission::own("/fulfilments/{id}/retry", Verb::Act);
    let table = [
        (&["TMF622/productOrder:read"][..], order(Verb::Read), true),
        (&["TMF622/productOrder:read"], order(Verb::Create), false),
        (&["TMF622/productOrder:read,create"], order(Verb::Create), true),
        (&["TMF622"], order(Verb::Create), true),
        (&["TMF622"], retry.clone(), false),
        (&["*:read"], order(Verb::Read), true),
        (&["*:read"], retry.clone(), false),
        (&["TMF620", "orchestration/fulfilments/*:act"], retry.clone(), true),
        (&["TMF*"], retry, false),
    ];
    for (entries, permission, expected) in table {
        let narrowing = read(entries).unwrap().unwrap();
        assert_eq!(narrowing.covers(&permission), expected, "{entries:?} {permission}");
    }
    assert_eq!(read(&[]), Ok(None));
}

#[test]
fn wrong_scopes_are_refused_by_name() {
    let long = "x".repeat(ENTRY_BYTES_MAX + 1);
    let table = [
        ("TMF999", "is no API that is served here"),
        ("orders", "`orders` is no API"),
        ("TMF622/productOrders:read", "did you mean `productOrder`?"),
        ("TMF622:see", "`see` is no verb: there are `read`, `create`"),
        ("TMF622:", "`` is no verb"),
        ("TMF622:act", "nothing there takes the verb `act`"),
        (&long, "at most 128 bytes"),
    ];
    for (entry, expected) in table {
        let error = read(&[entry]).unwrap_err().to_string();
        assert!(error.contains(expected), "{entry}: {error}");
    }
    assert_eq!(read(&["TMF622"; ENTRIES_MAX + 1]), Err(NarrowingError::TooMany));
}
