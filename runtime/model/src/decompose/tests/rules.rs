//! How rules change what the catalog relates.

use insta::assert_snapshot;

use super::*;

const CATALOG: &str = "
    O offers P
    P product: A, B; fast boolean; count number; date string
    A service: X
    B service: Y
    X network
    Y network after X
    Z network
";

#[test]
fn an_edge_of_the_catalog_without_a_rule_is_always_taken() {
    assert_snapshot!(play(CATALOG, "", "1 add O"), @r"
    items
      add P
        add A
          add X
              task do by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.do
      Y.do needs X.do
    ");
}

#[test]
fn a_rule_takes_its_edge_only_when_its_condition_holds() {
    let rules = "
decompose:
  - { rule: fast only, from: P, to: B, when: has(item.char.fast) && item.char.fast }
";
    assert_snapshot!(play(CATALOG, rules, "1 add O"), @r"
    items
      add P
        add A
          add X
              task do by noop
    waves
      1: X
    tasks
      X.do
    ");
    assert_snapshot!(play(CATALOG, rules, "1 add O fast=true"), @r"
    items
      add P
          fast = true
        add A
          add X
              task do by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.do
      Y.do needs X.do
    ");
}

#[test]
fn a_rule_adds_an_edge_that_the_catalog_does_not_have() {
    let rules = "
decompose:
  - rule: also
    from: A
    to: Z
    characteristics: { fast: =product.char.fast, fixed: 1, nested: { line: ='line-' + item.line } }
";
    assert_snapshot!(play(CATALOG, rules, "1 add O fast=true"), @r#"
    items
      add P
          fast = true
        add A
          add X
              task do by noop
          add Z
              fast = true
              fixed = 1
              nested = {"line":"line-1"}
              task do by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X, Z
      2: Y
    tasks
      X.do
      Z.do
      Y.do needs X.do
    "#);
}

#[test]
fn a_rule_with_a_quantity_makes_numbered_instances() {
    let rules = "
decompose:
  - { rule: many, from: A, to: X, quantity: item.quantity + 1 }
";
    assert_snapshot!(play(CATALOG, rules, "1 add O x2"), @r"
    items
      add P
        add A
          add X
              number = 1
              task do by noop
          add X#2 (X)
              number = 2
              task do by noop
        add B
          add Y needs X, X#2
              task do by noop
    waves
      1: X, X#2
      2: Y
    tasks
      X.do
      X#2.do
      Y.do needs X.do, X#2.do
    ");
    let rules = "
decompose:
  - { rule: many, from: A, to: X, quantity: product.quantity - 1 }
";
    assert_snapshot!(play(CATALOG, rules, "1 add O"), @r"
    items
      add P
        add A
        add B
          add Y
              task do by noop
    waves
      1: Y
    tasks
      Y.do
    ");
}

#[test]
fn a_delivery_adds_needs_resources_an_adapter_and_a_date() {
    let catalog = "
        O offers P
        P product: A; date string
        A service: X, Y
        X network
        Y network
        R resource
    ";
    let rules = "
deliver:
  - { spec: X, workflow: do, resources: [R], adapter: OLT }
  - { spec: Y, workflow: do, needs: [X], not-before: product.char.date }
";
    let order = "1 add O date=2026-03-12T02:00:00Z";
    assert_snapshot!(play(catalog, rules, order), @r#"
    items
      add P
          date = "2026-03-12T02:00:00Z"
        add A
          add X
              resources R by OLT
              task do by noop
          add Y needs X not before 2026-03-12T02:00:00.000Z
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.do
      Y.do needs X.do not before 2026-03-12T02:00:00.000Z
    "#);
}

#[test]
fn steps_are_left_out_and_dated_when_the_plan_is_made() {
    let rules = "
deliver:
  - { spec: X, workflow: twice }
  - { spec: Y, workflow: do }
";
    let slow = "1 add O fast=false date=2026-03-12T02:00:00Z";
    assert_snapshot!(play(CATALOG, rules, slow), @r#"
    items
      add P
          date = "2026-03-12T02:00:00Z"
          fast = false
        add A
          add X
              task first by noop
              task second by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.first
      X.second needs X.first not before 2026-03-12T02:00:00.000Z
      Y.do needs X.second
    "#);
    let fast = "1 add O fast=true date=2026-03-12T02:00:00Z";
    assert_snapshot!(play(CATALOG, rules, fast), @r#"
    items
      add P
          date = "2026-03-12T02:00:00Z"
          fast = true
        add A
          add X
              task second by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.second not before 2026-03-12T02:00:00.000Z
      Y.do needs X.second
    "#);
}

#[test]
fn hooks_run_before_and_after_all_else_once() {
    let rules = "
deliver:
  - { spec: X, workflow: do }
  - { spec: Y, workflow: do }
orders: { before: check, after: check }
";
    assert_snapshot!(play(CATALOG, rules, "1 add O\n2 add O"), @r"
    items
      add P
        add A
          add X
              task do by noop
        add B
          add Y needs X
              task do by noop
      add P#2 (P)
        add A#2 (A)
          add X#2 (X)
              task do by noop
        add B#2 (B)
          add Y#2 (Y) needs X#2
              task do by noop
    waves
      1: X, X#2
      2: Y, Y#2
    tasks
      check.check
      X.do needs check.check
      Y.do needs X.do
      X#2.do needs check.check
      Y#2.do needs X#2.do
      check.check needs Y.do, Y#2.do
    ");
}

#[test]
fn a_decomposer_plugin_is_asked_and_its_answer_is_taken() {
    let rules = "
decompose:
  - { rule: by plugin, from: A, plugin: splitter, when: item.char.fast }
";
    let catalog = CATALOG.replace("A service: X", "A service: X; fast boolean");
    assert_snapshot!(play(&catalog, rules, "1 add O fast=false"), @r"
    items
      add P
          fast = false
        add A
            fast = false
          add X
              task do by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.do
      Y.do needs X.do
    ");
    let order = "1 add O fast=true";
    let Err(Blocked::Questions(mut questions)) =
        decomposed(&catalog, rules, order, &Answers::new())
    else {
        panic!("the plugin is asked");
    };
    assert_eq!(questions.len(), 1);
    let question = questions.remove(0);
    assert_eq!(question.key, "by plugin/A");
    assert_eq!((question.plugin.as_str(), question.spec.as_str()), ("splitter", "A"));
    assert_eq!(
        (question.action.as_str(), &question.characteristics["fast"]),
        ("add", &json!(true))
    );
    let production = Production {
        spec: SpecId::new("Z"),
        characteristics: Characteristics::from_iter([("part", json!(1))]),
    };
    let mut answers = Answers::new();
    answers.insert(question, vec![production]);
    let plan = decomposed(&catalog, rules, order, &answers).unwrap();
    assert_snapshot!(plan, @r"
    items
      add P
          fast = true
        add A
            fast = true
          add X
              task do by noop
          add Z
              part = 1
              task do by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X, Z
      2: Y
    tasks
      X.do
      Z.do
      Y.do needs X.do
    ");
}

#[test]
fn each_item_is_asked_about_apart() {
    let rules = "
decompose:
  - { rule: by plugin, from: A, plugin: splitter }
";
    let nothing = || Vec::new();
    let mut answers = Answers::new();
    let mut asked = Vec::new();
    let mut rounds = 0;
    while let Err(Blocked::Questions(questions)) =
        decomposed(CATALOG, rules, "1 add O\n2 add O", &answers)
    {
        rounds += 1;
        for question in questions {
            asked.push(question.key.clone());
            answers.insert(question, nothing());
        }
    }
    assert_eq!(asked, ["by plugin/A", "by plugin/A#2"]);
    assert_eq!(rounds, 1, "questions of one depth come together");
}

#[test]
fn a_line_that_does_not_change_is_not_decomposed() {
    assert_snapshot!(play(CATALOG, "", "1 noChange O\n2 add O"), @r"
    items
      noChange P
      add P#2 (P)
        add A
          add X
              task do by noop
        add B
          add Y needs X
              task do by noop
    waves
      1: X
      2: Y
    tasks
      X.do
      Y.do needs X.do
    ");
}

#[test]
fn a_service_order_is_decomposed_from_its_own_lines() {
    let document = json!({ "serviceOrderItem": [
        { "id": "a", "action": "add", "service": { "serviceSpecification": { "id": "A" } } },
        { "id": "z", "action": "add", "service": { "serviceSpecification": { "id": "Z" } } },
    ] });
    let order = Order::parse(Level::CustomerService, &document).unwrap();
    let plan = decompose(&order, &document, &rulebook(CATALOG, ""), &Answers::new());
    assert_snapshot!(plan.unwrap(), @r"
    items
      add A
        add X
            task do by noop
      add Z
          task do by noop
    waves
      1: X, Z
    tasks
      Z.do
      X.do
    ");
}

#[test]
fn a_run_is_the_plan_of_its_workflow() {
    let plan = plan_run("check", &json!({ "n": 1 }), &rulebook(CATALOG, ""));
    assert_snapshot!(plan.unwrap(), @r"
    tasks
      check.check
    ");
    let failure = plan_run("nothing", &json!({}), &rulebook(CATALOG, "")).unwrap_err();
    assert_snapshot!(refusal(&failure), @"Operator WORKFLOW_UNKNOWN: no pack has a workflow `nothing`");
}

#[test]
fn an_answer_counts_for_its_question_alone_when_names_shift() {
    // The Y that the plugin makes of A takes the name that the Y of B had when it was asked about.
    let rules = "
decompose:
  - { rule: by plugin, from: A, plugin: splitter }
  - { rule: of B, from: B, to: Y, characteristics: { speed: 5 } }
  - { rule: deeper, from: Y, plugin: splitter }
";
    let catalog = CATALOG.replace("Y network after X", "Y network; speed number");
    let made = |question: &Question| match question.spec.as_str() {
        "A" => vec![Production { spec: SpecId::new("Y"), characteristics: Characteristics::new() }],
        _ if question.characteristics.contains("speed") => Vec::new(),
        _ => vec![Production { spec: SpecId::new("Z"), characteristics: Characteristics::new() }],
    };
    let (mut answers, mut rounds) = (Answers::new(), Vec::new());
    let plan = loop {
        assert!(rounds.len() < 5, "it comes to an end: {rounds:?}");
        match decomposed(&catalog, rules, "1 add O", &answers) {
            Err(Blocked::Questions(questions)) => {
                let keys: Vec<_> = questions.iter().map(|question| question.key.clone()).collect();
                rounds.push(keys.join(", "));
                questions.into_iter().for_each(|question| {
                    let made = made(&question);
                    answers.insert(question, made);
                });
            }
            Ok(plan) => break plan,
            Err(blocked) => panic!("{blocked:?}"),
        }
    };
    assert_eq!(rounds, ["by plugin/A, deeper/Y", "deeper/Y"], "another Y is asked about");
    let names: Vec<&str> = plan.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["P", "A", "X", "Y", "Z", "B"]);
}
