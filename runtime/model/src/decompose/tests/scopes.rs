//! How far one instance reaches, and what needs are met within.

use insta::assert_snapshot;

use super::*;

const SCOPES: &str = "
    O offers P
    Q bundles O 0..9
    P product: A
    A service: X
    X network
";

fn scoped(scope: &str, order: &str) -> String {
    let rules = format!("deliver:\n  - {{ spec: X, workflow: do, scope: {scope} }}\n");
    play(SCOPES, &rules, order)
}

#[test]
fn an_instance_of_scope_item_serves_one_line() {
    assert_snapshot!(scoped("item", "1 add O\n2 add O"), @r"
    items
      add P
        add A
          add X
              task do by noop
      add P#2 (P)
        add A#2 (A)
          add X#2 (X)
              task do by noop
    waves
      1: X, X#2
    tasks
      X.do
      X#2.do
    ");
}

#[test]
fn an_instance_of_scope_bundle_serves_a_bundle_and_what_is_in_none_is_its_own() {
    let order = "1 add Q\n2 add O in:1\n3 add O in:1\n4 add O\n5 add Q\n6 add O in:5";
    assert_snapshot!(scoped("bundle", order), @r"
    items
      add Q
        add P
          add A
            add X shared by A, A#2
                task do by noop
        add P#2 (P)
          add A#2 (A)
      add P#3 (P)
        add A#3 (A)
          add X#2 (X)
              task do by noop
      add Q#2 (Q)
        add P#4 (P)
          add A#4 (A)
            add X#3 (X)
                task do by noop
    waves
      1: X, X#2, X#3
    tasks
      X.do
      X#2.do
      X#3.do
    ");
}

#[test]
fn an_instance_of_scope_order_serves_every_line() {
    assert_snapshot!(scoped("order", "1 add O\n2 add O"), @r"
    items
      add P
        add A
          add X shared by A, A#2
              task do by noop
      add P#2 (P)
        add A#2 (A)
    waves
      1: X
    tasks
      X.do
    ");
}

#[test]
fn an_instance_of_scope_place_serves_the_lines_at_a_place() {
    assert_snapshot!(scoped("place", "1 add O at:a\n2 add O at:b\n3 add O at:a\n4 add O"), @r"
    items
      add P
        add A
          add X shared by A, A#3
              task do by noop
      add P#2 (P)
        add A#2 (A)
          add X#2 (X)
              task do by noop
      add P#3 (P)
        add A#3 (A)
      add P#4 (P)
        add A#4 (A)
          add X#3 (X)
              task do by noop
    waves
      1: X, X#2, X#3
    tasks
      X.do
      X#2.do
      X#3.do
    ");
}

#[test]
fn needs_are_met_within_the_line_before_the_bundle_and_never_beyond_it() {
    let catalog = "
        O offers P
        O2 offers P2
        Q bundles O 0..9, O2 0..9
        P product: A
        P2 product: B
        A service: X, Y
        B service: Z
        X network
        Y network after X
        Z network after X
    ";
    let order = "1 add Q\n2 add O in:1\n3 add O2 in:1\n4 add O\n5 add O2";
    assert_snapshot!(play(catalog, "", order), @r"
    items
      add Q
        add P
          add A
            add X
                task do by noop
            add Y needs X
                task do by noop
        add P2
          add B
            add Z needs X
                task do by noop
      add P#2 (P)
        add A#2 (A)
          add X#2 (X)
              task do by noop
          add Y#2 (Y) needs X#2
              task do by noop
      add P2#2 (P2)
        add B#2 (B)
          add Z#2 (Z)
              task do by noop
    waves
      1: X, X#2, Z#2
      2: Y, Y#2, Z
    tasks
      X.do
      Y.do needs X.do
      Z.do needs X.do
      X#2.do
      Y#2.do needs X#2.do
      Z#2.do
    ");
}

#[test]
fn a_shared_item_meets_the_needs_of_each_line_with_all_its_parts() {
    let catalog = "
        O offers P
        P product: S, B
        S service: X
        B service: Z
        X network: Y
        Y network
        Z network after Y
    ";
    let deep = |scope: &str| {
        let rules = format!(
            "deliver:\n  - {{ spec: S, scope: {scope} }}\n  - {{ spec: X, workflow: do }}\n  \
             - {{ spec: Y, workflow: do }}\n  - {{ spec: Z, workflow: do }}\n"
        );
        outline(
            &decomposed(catalog, &rules, "1 add O at:a\n2 add O at:a", &Answers::new()).unwrap(),
        )
    };
    for scope in ["order", "place", "customer"] {
        let expected =
            ["S of P, P#2", "X of S", "Y of X", "B of P", "Z of B needs Y", "B#2 of P#2"];
        let mut expected: Vec<String> = expected.map(String::from).into();
        expected.push("Z#2 of B#2 needs Y".into());
        assert_eq!(deep(scope), expected, "{scope}");
    }
}

#[test]
fn the_place_of_a_part_is_the_place_of_its_bundle() {
    let order =
        "1 add Q at:a\n2 add O in:1\n3 add O in:1\n4 add Q at:a\n5 add O in:4\n6 add O in:4 at:b";
    let rules = "deliver:\n  - { spec: X, workflow: do, scope: place }\n";
    let plan = decomposed(SCOPES, rules, order, &Answers::new()).unwrap();
    assert_eq!(
        outline(&plan),
        ["A of P", "X of A, A#2, A#3", "A#2 of P#2", "A#3 of P#3", "A#4 of P#4", "X#2 of A#4",]
    );
}

/// Instances are named after their lines, so two with one line would be one instance.
#[test]
fn the_parts_of_lines_of_a_service_order_have_lines_of_their_own() {
    let add = |id: &str| {
        let service = json!({ "serviceSpecification": { "id": "A" } });
        json!({ "id": id, "action": "add", "service": service })
    };
    let document = json!({ "serviceOrderItem": [add("1"), add("3")] });
    let order = Order::parse(Level::CustomerService, &document).unwrap();
    let rulebook = rulebook("A service: X\nX network: Y\nY network", "");
    let plan = decompose(&order, &document, &rulebook, &Answers::new()).unwrap();
    let lines: Vec<&str> = plan.items.iter().map(|item| item.line.as_str()).collect();
    assert_eq!(lines, ["1", "3", "2", "4", "5", "6"]);
}
