//! Rules that go wrong with an order: a person must mend them.

use insta::assert_snapshot;

use super::*;

const CATALOG: &str = "
    O offers P
    P product: A, B; fast boolean; date string
    A service: X; fast boolean
    B service: X
    X network
    Z network
";

fn wrong(rules: &str) -> String {
    play(CATALOG, rules, "1 add O fast=true date=soon")
}

#[test]
fn a_condition_that_has_no_value_or_is_no_condition() {
    assert_snapshot!(wrong("
decompose:
  - { rule: slow, from: A, to: X, when: item.char.slow }
"), @"Operator DECOMP_RULE: rule `slow`: `item.char.slow`: No such key: slow");
    assert_snapshot!(wrong("
decompose:
  - { rule: named, from: A, to: X, when: item.name }
"), @r#"Operator DECOMP_RULE: rule `named`: `item.name`: a condition is true or false, this is a text"#);
}

#[test]
fn a_quantity_that_is_no_number_of_things() {
    for quantity in ["item.name", "0 - 1", "10001", "1.5"] {
        let rules =
            format!("decompose:\n  - {{ rule: many, from: A, to: X, quantity: {quantity} }}\n");
        let answer = wrong(&rules);
        assert!(
            answer.starts_with("Operator DECOMP_RULE: rule `many`: `quantity` is a"),
            "{answer}"
        );
    }
}

#[test]
fn a_value_that_cannot_be_mapped() {
    assert_snapshot!(wrong("
decompose:
  - { rule: map, from: A, to: X, characteristics: { speed: =item.char.speed } }
"), @"Operator DECOMP_RULE: rule `map`: `item.char.speed`: No such key: speed");
}

#[test]
fn a_date_that_is_none() {
    assert_snapshot!(wrong("
deliver:
  - { spec: X, workflow: do, not-before: product.char.date }
"), @"Operator DECOMP_RULE: the delivery of `X`: `not-before` is a time such as `2026-03-12T02:00:00Z`, not `soon`");
    assert_snapshot!(wrong("
deliver:
  - { spec: X, workflow: do, not-before: product.char.fast }
"), @"Operator DECOMP_RULE: the delivery of `X`: `not-before` is a time as text, not true");
    assert_snapshot!(wrong("
deliver:
  - { spec: X, workflow: twice }
"), @"Operator DECOMP_RULE: workflow `twice`, step `second`: `not-before` is a time such as `2026-03-12T02:00:00Z`, not `soon`");
}

#[test]
fn a_shared_instance_cannot_have_two_values() {
    assert_snapshot!(wrong("
decompose:
  - { rule: one, from: A, to: X, characteristics: { size: 1 } }
  - { rule: two, from: B, to: X, characteristics: { size: 2 } }
"), @"Operator DECOMP_CONFLICT: `X` is shared, but `size` would be 1 for one and 2 for another: narrow its `scope` (`parent` is the narrowest), or map the characteristic");
}

#[test]
fn a_service_without_a_delivery_is_named() {
    assert_snapshot!(wrong("
decompose:
  - { rule: also, from: A, to: Z }
deliver:
  - { spec: X, workflow: do }
"), @"Operator DECOMP_NO_RULE: no rule states how `Z` is delivered: add it under `deliver:` in a pack's rules.yaml and retry");
}

/// It is made of others by the rules, so it needs no delivery where they leave all of them out.
#[test]
fn a_service_whose_parts_are_all_left_out_is_delivered_by_nothing() {
    let rules = "
decompose:
  - { rule: also, from: A, to: Z }
  - { rule: never, from: Z, to: X, quantity: '0' }
deliver:
  - { spec: X, workflow: do }
";
    let plan = wrong(rules);
    assert!(plan.contains("add Z"), "{plan}");
}

#[test]
fn a_need_of_itself_runs_in_a_circle() {
    assert_snapshot!(wrong("
decompose:
  - { rule: also, from: A, to: Z }
deliver:
  - { spec: X, workflow: do, needs: [Z] }
  - { spec: Z, workflow: do, needs: [X] }
"), @"Operator DECOMP_CIRCLE: these need one another in a circle: X, Z");
}

#[test]
fn a_decomposition_into_itself_runs_in_a_circle() {
    assert_snapshot!(wrong("
decompose:
  - { rule: up, from: X, to: B }
"), @"Operator DECOMP_CIRCLE: `X` is decomposed into itself: the rules or the catalog's relations run in a circle");
}

#[test]
fn a_decomposition_that_is_too_deep_is_refused() {
    let mut catalog = String::from("O offers P\nP product: L1\n");
    for level in 1..20 {
        catalog.push_str(&format!("L{level} network: L{}\n", level + 1));
    }
    catalog.push_str("L20 network\n");
    assert_snapshot!(play(&catalog, "", "1 add O"), @"Operator DECOMP_DEPTH: `L17` stands more than 16 deep below a line of the order: put fewer levels into the rules or the catalog's relations");
}

#[test]
fn a_plugin_that_names_an_unknown_specification() {
    let rules = "
decompose:
  - { rule: by plugin, from: A, plugin: splitter }
";
    let nope = Production { spec: SpecId::new("NOPE"), characteristics: Characteristics::new() };
    let stop = answered(&[("by plugin/A", vec![nope])], |answers| {
        decomposed(CATALOG, rules, "1 add O", answers)
    });
    let Err(Blocked::Failure(failure)) = stop else { panic!("{stop:?}") };
    assert_snapshot!(refusal(&failure), @"Operator DECOMP_PLUGIN: rule `by plugin`: plugin `splitter` produces `NOPE`, which no catalog has");
}
