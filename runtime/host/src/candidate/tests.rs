use super::*;

fn taken(trial: &Trial, plugin: &str) -> Vec<usize> {
    let id = PluginId::new(plugin);
    let takes =
        |n: &usize| trial.takes(&id, Chooser { order: &format!("order-{n}"), customer: None });
    (0..2_000).filter(takes).collect()
}

#[test]
fn a_share_of_orders_uses_the_candidate_and_each_order_always_does() {
    let share = |share| Trial { share, ..Trial::default() };
    for (percent, orders) in [(0, 0..=0), (10, 150..=250), (50, 900..=1_100), (100, 2_000..=2_000)]
    {
        let taken = taken(&share(percent), "olt").len();
        assert!(orders.contains(&taken), "{percent} %: {taken}");
    }
    // Who was in stays in when the share grows, and another plugin has other orders.
    let (ten, twenty) = (taken(&share(10), "olt"), taken(&share(20), "olt"));
    assert!(ten.iter().all(|order| twenty.contains(order)));
    assert_ne!(ten, taken(&share(10), "acs"));
}

#[test]
fn all_orders_of_a_named_customer_use_the_candidate() {
    let trial = Trial { customers: ["C-1".to_string()].into(), ..Trial::default() };
    let takes = |customer| trial.takes(&PluginId::new("olt"), Chooser { order: "1", customer });
    assert!(takes(Some("C-1")) && !takes(Some("C-2")) && !takes(None));
}

#[test]
fn no_order_uses_a_version_in_shadow() {
    let trial = Trial { mode: Mode::Shadow, share: 100, customers: ["C-1".to_string()].into() };
    assert!(taken(&trial, "olt").is_empty());
    assert_eq!(trial.lot(&PluginId::new("olt"), "1"), Lot::Drawn);
    let some = Trial { share: 0, ..trial };
    assert_eq!(some.lot(&PluginId::new("olt"), "1"), Lot::ByCustomer);
}
