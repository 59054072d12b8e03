//! Large orders. The budget is 10,000 items within a second; the benchmarks watch the time.

use super::*;

#[test]
fn ten_thousand_lines_are_decomposed() {
    let mut order = String::new();
    for line in 1..=10_000 {
        order.push_str(&format!("{line} add O speed=100 at:home-{line}\n"));
    }
    let catalog = "
        O offers P
        P product: A, B; speed number
        A service: X, Y
        B service: Z, S
        X network
        Y network after X
        Z network after Y
        S network
    ";
    let rules = "
decompose:
  - { rule: speed, from: A, to: X, when: item.spec == \"A\", characteristics: { mbps: =product.char.speed } }
deliver:
  - { spec: X, workflow: do }
  - { spec: Y, workflow: do }
  - { spec: Z, workflow: do }
  - { spec: S, workflow: do, scope: order }
orders: { before: check, each-product: do, after: check }
";
    let plan = decomposed(catalog, rules, &order, &Answers::new()).unwrap();
    assert_eq!(plan.items.len(), 10_000 * 6 + 1);
    let shared = plan.items.iter().find(|item| item.name == "S").unwrap();
    assert_eq!(shared.parents.len(), 10_000);
    assert_eq!(plan.waves().len(), 3);
    assert!(plan.to_string().lines().count() > 100_000);
    plan.check().unwrap();
}

#[test]
fn one_bundle_may_have_a_thousand_lines() {
    let mut order = String::from("0 add B\n");
    for line in 1..=1_000 {
        order.push_str(&format!("{line} add O in:0\n"));
    }
    let catalog = "
        O offers P
        B bundles O 1..1000
        P product: A
        A service: X, Y
        X network
        Y network after X
    ";
    let rules = "
deliver:
  - { spec: X, workflow: do, scope: bundle }
  - { spec: Y, workflow: do }
";
    let plan = decomposed(catalog, rules, &order, &Answers::new()).unwrap();
    assert_eq!(plan.tasks.len(), 1_001);
}
