use super::*;

fn grants(text: &str) -> Grants {
    toml::from_str(text).unwrap()
}

fn counts(uses: &[Use]) -> Vec<(&str, u64)> {
    uses.iter().map(|one| (one.name.as_str(), one.count.count)).collect()
}

#[test]
fn counts_go_on_with_other_grants_and_end_with_a_grant() {
    let clock = Arc::new(System::default());
    let first = grants("inventory = [\"service\", \"product\"]\npools = [\"olt-*\"]");
    let before = Ledger::new(&first, None, &clock);
    before.used(GrantKey::Inventory, "service");
    before.used(GrantKey::Inventory, "product");
    before.used(GrantKey::Pools, "olt-*");
    before.used(GrantKey::Pools, "olt-1");
    before.denied(GrantKey::Http);
    before.logged(3);
    let second = grants("inventory = [\"service\", \"customer\"]\npools = [\"olt-*\"]");
    let after = Ledger::new(&second, Some(&before), &clock);
    // A call that is under way still has the grants of before.
    before.used(GrantKey::Inventory, "service");
    after.used(GrantKey::Inventory, "service");
    let shown = after.shown();
    assert_eq!(counts(&shown.inventory), [("customer", 0), ("service", 3)]);
    assert_eq!(counts(&shown.pools), [("olt-*", 1)]);
    assert_eq!(
        (shown.log.count, shown.denied[&GrantKey::Http].count, shown.denied.len()),
        (3, 1, 1)
    );
    let [hint] = shown.hints.as_slice() else { panic!("one hint: {:?}", shown.hints) };
    assert!(hint.starts_with("inventory `customer` is granted but was never used since 20"));
    assert_eq!(shown.since, before.shown().since);
}

#[test]
fn counts_are_written_flat_and_read_again() {
    let ledger = Ledger::new(&grants("pools = [\"p\"]"), None, &Arc::new(System::default()));
    ledger.used(GrantKey::Pools, "p");
    ledger.denied(GrantKey::Secrets);
    let shown = ledger.shown();
    let text = serde_json::to_string(&shown).unwrap();
    assert!(
        text.contains("\"count\":1,\"last\":\"20") && text.contains("\"denied\":{\"secrets\":")
    );
    assert_eq!(serde_json::from_str::<UsedCapabilities>(&text).unwrap(), shown);
}
