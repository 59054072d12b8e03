//! Mistakes of a pack are reported with file, line and column.

mod limits;

use insta::assert_snapshot;

use super::*;

/// The mistakes of a pack of these files; `pack.yaml` is added where it is not among them.
fn mistakes(files: &[(&str, &str)]) -> String {
    match parsed(files) {
        Ok(_) => "no mistakes".into(),
        Err(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn parsed(files: &[(&str, &str)]) -> Result<Pack, Vec<Diagnostic>> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    texts.insert(PACK.into(), "pack: play\n".into());
    texts.extend(files.iter().map(|(name, text)| ((*name).to_string(), (*text).to_string())));
    Pack::parse(&PackFiles(texts))
}

const GOOD: &str = "workflows:
  - workflow: do
    steps:
      - { step: first, plugin: noop }
";

#[test]
fn a_pack_may_have_its_name_only() {
    let pack = parsed(&[]).unwrap();
    assert_eq!((pack.name.as_str(), pack.rules.len(), pack.workflows.len()), ("play", 0, 0));
}

#[test]
fn its_digest_changes_with_every_byte_and_every_name() {
    let digest = |files: &[(&str, &str)]| parsed(files).unwrap().digest;
    let one = digest(&[(WORKFLOWS, GOOD)]);
    assert_eq!(one, digest(&[(WORKFLOWS, GOOD)]));
    assert_ne!(one, digest(&[(WORKFLOWS, &format!("{GOOD}\n"))]));
    assert_ne!(one, digest(&[(WORKFLOWS, GOOD), (RULES, "")]));
}

#[test]
fn a_pack_needs_a_file_with_its_name() {
    let found = Pack::parse(&PackFiles::default()).unwrap_err();
    assert_snapshot!(found[0], @"pack.yaml:1:1: the file `pack.yaml` is missing");
    assert_snapshot!(mistakes(&[(PACK, "title: Play\n")]), @r"
    pack.yaml:1:1: missing field `pack`
      1 | title: Play
        | ^
    ");
    assert_snapshot!(mistakes(&[(PACK, "pack: ''\n")]), @r"
    pack.yaml:1:7: `pack` is empty: give the pack a name
      1 | pack: ''
        |       ^
    ");
    assert_snapshot!(mistakes(&[(PACK, "")]), @"pack.yaml:1:1: `pack` is empty: give the pack a name");
}

#[test]
fn a_misspelt_key_is_found() {
    assert_snapshot!(mistakes(&[(RULES, "
decompose:
  - rule: fast only
    form: P
    to: B
")]), @r"
    rules.yaml:4:5: unknown field `form`, expected one of rule, from, to, plugin, when, quantity, for-each, key, shared, characteristics
      4 |     form: P
        |     ^
      help: is `from` meant?
    ");
}

#[test]
fn a_value_of_the_wrong_type_is_found() {
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - step: first
        plugin: noop
        retry: { attempts: many }
")]), @r"
    workflows.yaml:7:28: invalid u32
      7 |         retry: { attempts: many }
        |                            ^
    ");
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - { step: first, plugin: noop, undo: yes }
")]), @r"
    workflows.yaml:5:44: invalid boolean (strict mode expects true/false)
      5 |       - { step: first, plugin: noop, undo: yes }
        |                                            ^
    ");
    assert_snapshot!(mistakes(&[(RULES, "deliver:\n  - { spec: X, scope: street }\n")]), @r"
    rules.yaml:2:23: unknown variant `street`, expected one of parent, item, line, bundle, order, place, customer
      2 |   - { spec: X, scope: street }
        |                       ^
    ");
}

#[test]
fn text_that_is_no_yaml_is_found() {
    assert_snapshot!(mistakes(&[(RULES, "decompose:\n  - rule: [one\n    from: P\n")]), @r"
    rules.yaml:2:11: expected string scalar
      2 |   - rule: [one
        |           ^
    ");
    assert_snapshot!(mistakes(&[(RULES, "decompose:\n\t- rule: one\n")]), @r"
    rules.yaml:2:2: tabs disallowed within this context (block indentation)
      2 | 	- rule: one
        |  ^
    ");
    assert_snapshot!(mistakes(&[(RULES, "deliver: []\ndeliver: []\n")]), @r"
    rules.yaml:2:1: duplicate mapping key: deliver, set DuplicateKeyPolicy in Options if acceptable
      2 | deliver: []
        | ^
    ");
}

#[test]
fn a_mistake_in_an_expression_is_found_within_its_line() {
    assert_snapshot!(mistakes(&[(RULES, "
decompose:
  - rule: fast only
    from: P
    to: B
    when: item.action = 'add'
")]), @r"
    rules.yaml:6:23: Syntax error: token recognition error at: '= '
      6 |     when: item.action = 'add'
        |                       ^
    ");
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - step: first
        plugin: noop
        input:
          path: ='/vlans/' + (steps.first.vlan
")]), @r"
    workflows.yaml:8:47: Syntax error: missing ')' at '<EOF>'
      8 |           path: ='/vlans/' + (steps.first.vlan
        |                                               ^
    ");
}

#[test]
fn an_unknown_variable_is_found_with_what_there_is() {
    assert_snapshot!(mistakes(&[(RULES, "
decompose:
  - rule: fast only
    from: P
    to: B
    when: item.char.fast && itm.char.slow
    quantity: steps.count
deliver:
  - { spec: X, not-before: input.date }
")]), @r"
    rules.yaml:6:29: unknown variable `itm`
      6 |     when: item.char.fast && itm.char.slow
        |                             ^
      help: available here: item, product, order
    rules.yaml:7:15: unknown variable `steps`
      7 |     quantity: steps.count
        |               ^
      help: available here: item, product, order
    rules.yaml:9:28: unknown variable `input`
      9 |   - { spec: X, not-before: input.date }
        |                            ^
      help: available here: item, product, order
    ");
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - step: first
        plugin: noop
        when: steps.first.done
        input: { path: =itm.name }
")]), @r"
    workflows.yaml:7:15: unknown variable `steps`
      7 |         when: steps.first.done
        |               ^
      help: available here: item, product, order, input
    workflows.yaml:8:25: unknown variable `itm`
      8 |         input: { path: =itm.name }
        |                         ^
      help: available here: item, product, products, order, input, steps, upstream, task, fulfilment
    ");
}

#[test]
fn a_mistake_in_a_block_of_lines_is_found_on_its_line() {
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - step: first
        plugin: noop
        input:
          text: |-
            =item.name +
            itm.name
")]), @r"
    workflows.yaml:10:13: unknown variable `itm`
      10 |             itm.name
         |             ^
      help: available here: item, product, products, order, input, steps, upstream, task, fulfilment
    ");
}

#[test]
fn a_short_expression_is_not_taken_for_a_part_of_another_word() {
    assert_snapshot!(mistakes(&[(RULES, "
decompose:
  - rule: on each site
    from: P
    to: B
    when: it
")]), @r"
    rules.yaml:6:11: unknown variable `it`
      6 |     when: it
        |           ^
      help: available here: item, product, order
    ");
}

#[test]
fn an_unknown_workflow_is_found_with_those_there_are() {
    assert_snapshot!(mistakes(&[(WORKFLOWS, GOOD), (RULES, "
deliver:
  - { spec: X, workflow: done }
orders: { before: intake, each-product: do, after: d }
")]), @r"
    rules.yaml:3:26: no workflow `done`
      3 |   - { spec: X, workflow: done }
        |                          ^
      help: workflows of this pack: do
    rules.yaml:4:19: no workflow `intake`
      4 | orders: { before: intake, each-product: do, after: d }
        |                   ^
      help: workflows of this pack: do
    rules.yaml:4:52: no workflow `d`
      4 | orders: { before: intake, each-product: do, after: d }
        |                                                    ^
      help: is `do` meant?
    ");
}

#[test]
fn a_step_that_needs_what_does_not_stand_before_it_is_found() {
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - { step: first, plugin: noop, needs: [second] }
      - { step: second, plugin: noop }
  - workflow: more
    steps:
      - { step: one, plugin: noop }
      - { step: two, plugin: noop, needs: [one, too] }
")]), @r"
    workflows.yaml:5:46: no step `second` stands before this one
      5 |       - { step: first, plugin: noop, needs: [second] }
        |                                              ^
    workflows.yaml:10:49: no step `too` stands before this one; there are: one
      10 |       - { step: two, plugin: noop, needs: [one, too] }
         |                                                 ^
    ");
}

#[test]
fn a_workflow_that_cannot_be_carried_out_is_found() {
    assert_snapshot!(mistakes(&[(WORKFLOWS, "
workflows:
  - workflow: empty
    steps: []
  - workflow: forever
    steps:
      - { step: wait, plugin: noop, timeout: 10 years }
  - workflow: text
    steps:
      - { step: say, plugin: noop, input: hello }
")]), @r"
    workflows.yaml:3:15: a workflow needs at least one step
      3 |   - workflow: empty
        |               ^
    workflows.yaml:7:46: `10 years` is no duration such as `200ms`, `10s`, `5m`, `1h`
      7 |       - { step: wait, plugin: noop, timeout: 10 years }
        |                                              ^
    workflows.yaml:10:43: `input` is a mapping of names to values
      10 |       - { step: say, plugin: noop, input: hello }
         |                                           ^
    ");
}

#[test]
fn duplicates_are_found() {
    assert_snapshot!(mistakes(&[
        (WORKFLOWS, "
workflows:
  - workflow: do
    steps:
      - { step: first, plugin: noop }
      - { step: first, plugin: noop }
  - workflow: again
    steps: [{ step: first, plugin: noop }]
  - workflow: again
    steps: [{ step: first, plugin: noop }]
"),
        (RULES, "
deliver:
  - { spec: X }
  - { spec: X }
"),
        (POOLS, "
pools:
  - { pool: p, resource: R, characteristic: c, values: 'p{1..2}' }
  - { pool: p, resource: R, characteristic: c, values: 'p{1..2}' }
"),
        (CATALOG, r#"{ "resourceSpecification": [
  { "id": "R", "name": "R" },
  { "id": "R", "name": "R" }
] }"#),
    ]), @r#"
    catalog.json:3:11: resourceSpecification `R`: the id occurs twice
      3 |   { "id": "R", "name": "R" }
        |           ^
    pools.yaml:4:13: the pool `p` occurs twice
      4 |   - { pool: p, resource: R, characteristic: c, values: 'p{1..2}' }
        |             ^
    rules.yaml:4:13: `X` is delivered twice
      4 |   - { spec: X }
        |             ^
    workflows.yaml:6:17: the step `first` occurs twice
      6 |       - { step: first, plugin: noop }
        |                 ^
    workflows.yaml:9:15: the workflow `again` occurs twice
      9 |   - workflow: again
        |               ^
    "#);
}

#[test]
fn a_rule_that_produces_two_things_or_nothing_is_found() {
    assert_snapshot!(mistakes(&[(RULES, "
decompose:
  - { rule: both, from: P, to: B, plugin: splitter }
  - { rule: neither, from: P }
")]), @r"
    rules.yaml:3:13: the rule `both` needs one of `to` and `plugin`
      3 |   - { rule: both, from: P, to: B, plugin: splitter }
        |             ^
    rules.yaml:4:13: the rule `neither` needs one of `to` and `plugin`
      4 |   - { rule: neither, from: P }
        |             ^
    ");
}

#[test]
fn a_pool_that_cannot_be_counted_is_found() {
    assert_snapshot!(mistakes(&[(POOLS, "
pools:
  - { pool: none, resource: R, characteristic: c }
  - { pool: both, resource: R, characteristic: c, ipv4: 10.0.0.0/8, values: '{1..2}' }
  - { pool: brace, resource: R, characteristic: c, values: 'p{1..2' }
  - { pool: down, resource: R, characteristic: c, values: 'p{2..1}' }
  - { pool: one, resource: R, characteristic: c, values: 'p' }
  - { pool: net, resource: R, characteristic: c, ipv4: 10.0.0.0 }
  - { pool: prefix, resource: R, characteristic: c, ipv6: 2001:db8::/32 }
  - { pool: huge, resource: R, characteristic: c, ipv6: ::/0, prefix: 64 }
")]), @r"
    pools.yaml:3:13: a pool has one of `values`, `ipv4` and `ipv6`
      3 |   - { pool: none, resource: R, characteristic: c }
        |             ^
    pools.yaml:4:13: a pool has one of `values`, `ipv4` and `ipv6`
      4 |   - { pool: both, resource: R, characteristic: c, ipv4: 10.0.0.0/8, values: '{1..2}' }
        |             ^
    pools.yaml:5:60: `p{1..2` has an opening brace without a closing one
      5 |   - { pool: brace, resource: R, characteristic: c, values: 'p{1..2' }
        |                                                            ^
    pools.yaml:6:59: `{2..1}` is no counter: write `{from..to}` or `{name:from..to}`, from not above to
      6 |   - { pool: down, resource: R, characteristic: c, values: 'p{2..1}' }
        |                                                           ^
    pools.yaml:7:58: `p` has no counter such as `{1..100}`, so it is a single value
      7 |   - { pool: one, resource: R, characteristic: c, values: 'p' }
        |                                                          ^
    pools.yaml:8:56: `10.0.0.0` is no IPv4 network in CIDR form with room for addresses
      8 |   - { pool: net, resource: R, characteristic: c, ipv4: 10.0.0.0 }
        |                                                        ^
    pools.yaml:9:59: `ipv6` needs `prefix`, the length handed out
      9 |   - { pool: prefix, resource: R, characteristic: c, ipv6: 2001:db8::/32 }
        |                                                           ^
    pools.yaml:10:57: a pool may hold 2^48 values, this one is larger
      10 |   - { pool: huge, resource: R, characteristic: c, ipv6: ::/0, prefix: 64 }
         |                                                         ^
    ");
}

#[test]
fn a_catalog_that_is_no_json_or_lacks_what_is_needed_is_found() {
    assert_snapshot!(mistakes(&[(CATALOG, "{ \"productOffering\": [\n  { \"id\": }\n] }")]), @r#"
    catalog.json:2:11: not JSON: expected value
      2 |   { "id": }
        |           ^
    "#);
    assert_snapshot!(mistakes(&[(CATALOG, r#"{
  "productOfering": [],
  "productOffering": [{ "id": "O", "name": "O" }, { "name": "nameless" }],
  "productOfferingPrice": [{ "id": "PR", "name": "PR", "priceType": "recurring",
    "price": { "unit": "USD", "value": 1 } }],
  "serviceSpecification": [{ "id": "S", "name": "S" }]
}"#)]), @r#"
    catalog.json:2:3: catalog `productOfering`: not a kind of entity; known are resourceSpecification, serviceSpecification, productSpecification, productOfferingPrice, productOffering
      2 |   "productOfering": [],
        |   ^
    catalog.json:3:31: productOffering `O`: names neither a `productSpecification` nor a `bundledProductOffering`
      3 |   "productOffering": [{ "id": "O", "name": "O" }, { "name": "nameless" }],
        |                               ^
    catalog.json:3:51: productOffering `#1`: `id` is missing
      3 |   "productOffering": [{ "id": "O", "name": "O" }, { "name": "nameless" }],
        |                                                   ^
    catalog.json:4:36: productOfferingPrice `PR`: a recurring price needs `recurringChargePeriodType`
      4 |   "productOfferingPrice": [{ "id": "PR", "name": "PR", "priceType": "recurring",
        |                                    ^
    catalog.json:6:36: serviceSpecification `S`: `@type` is neither `CustomerFacingServiceSpecification` nor `ResourceFacingServiceSpecification`
      6 |   "serviceSpecification": [{ "id": "S", "name": "S" }]
        |                                    ^
    "#);
}

#[test]
fn everything_that_is_wrong_is_said_in_the_order_of_files_and_lines() {
    assert_snapshot!(mistakes(&[
        (RULES, "orders: { before: intake }\n"),
        (POOLS, "pools:\n  - { pool: none, resource: R, characteristic: c }\n"),
        (CATALOG, "["),
    ]), @r"
    catalog.json:1:1: not JSON: EOF while parsing a list
      1 | [
        | ^
    pools.yaml:2:13: a pool has one of `values`, `ipv4` and `ipv6`
      2 |   - { pool: none, resource: R, characteristic: c }
        |             ^
    rules.yaml:1:19: no workflow `intake`
      1 | orders: { before: intake }
        |                   ^
      help: workflows of this pack:
    ");
}

#[test]
fn a_rule_that_contradicts_itself_about_how_many_it_makes_is_found() {
    let cases = [
        (
            "to: B, quantity: 2, for-each: '[1]'",
            "the rule `r` has one of `quantity` and `for-each`",
        ),
        ("to: B, key: each.id", "the rule `r` has a `key`, which goes with `for-each`"),
        ("plugin: p, quantity: 2", "the rule `r` leaves it to its plugin how many there are"),
        ("plugin: p, for-each: '[1]'", "the rule `r` leaves it to its plugin how many there are"),
        (
            "to: B, quantity: 2, shared: true",
            "the rule `r` makes several, so what it makes cannot be `shared`",
        ),
        ("to: B, characteristics: { site: =each.site }", "unknown variable `each`"),
        ("to: B, when: each == 1, for-each: '[1]'", "unknown variable `each`"),
    ];
    for (rule, expected) in cases {
        let rules = format!("decompose:\n  - {{ rule: r, from: P, {rule} }}\n");
        let found = mistakes(&[(RULES, rules.as_str())]);
        assert!(found.contains(expected), "{rule}: {found}");
    }
    let rules = "decompose:
  - rule: r
    from: P
    to: B
    for-each: item.char.sites
    key: each.id
    characteristics: { site: =each.id }
";
    assert_eq!(mistakes(&[(RULES, rules)]), "no mistakes");
}
