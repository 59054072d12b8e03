//! Several instances of one specification in one line: what makes them, what tells them apart, and
//! what is below each.

use super::played::Played;
use super::*;

const CATALOG: &str = "
    O offers P
    P product: A, B; sites array; count number; twin boolean; fast boolean
    A service: X
    B service
    X network: Y, Z; site string; role string; speed number
    Y network
    Z network after Y
";

/// An order of one line with these characteristics, about `f-1` where it does not add.
fn order(action: &str, characteristics: &Value) -> Value {
    let fields = characteristics.as_object().unwrap().iter();
    let written: Vec<Value> =
        fields.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut product = json!({ "productCharacteristic": written });
    if action != "add" {
        product["id"] = json!("f-1");
    }
    json!({ "productOrderItem": [{
        "id": "1", "action": action, "productOffering": { "id": "O" }, "product": product,
    }] })
}

/// Rules, and the scopes of specifications that have another than `item`.
fn rules(decompose: &str, scopes: &[(&str, &str)]) -> String {
    let mut rules = format!("decompose:\n{decompose}\ndeliver:\n");
    for spec in ["X", "Y", "Z"] {
        let scope = scopes.iter().find(|(of, _)| *of == spec).map_or("item", |(_, scope)| scope);
        rules.push_str(&format!("  - {{ spec: {spec}, workflow: do, scope: {scope} }}\n"));
    }
    rules
}

fn added(rules: &str, characteristics: &Value, answers: &[(&str, &[Value])]) -> String {
    let document = order("add", characteristics);
    let order = Order::parse(Level::Product, &document).unwrap();
    let given = answers.iter().map(|(key, productions)| {
        let productions = productions.iter().map(|characteristics| Production {
            spec: SpecId::new("X"),
            characteristics: serde_json::from_value(characteristics.clone()).unwrap(),
        });
        (*key, productions.collect())
    });
    let given: Vec<(&str, Vec<Production>)> = given.collect();
    let rulebook = rulebook(CATALOG, rules);
    let plan = answered(&given, |answers| decompose(&order, &document, &rulebook, answers));
    match plan {
        Ok(plan) => outline(&plan).join("\n"),
        Err(Blocked::Failure(failure)) => refusal(&failure),
        Err(stop) => panic!("{stop:?}"),
    }
}

const ROLES: &str = "
  - { rule: hub, from: A, to: X, characteristics: { role: hub } }
  - { rule: branch, from: A, to: X, when: has(product.char.twin), characteristics: { role: branch } }
";
const SHARED: &str = "
  - { rule: hub, from: A, to: X, shared: true, characteristics: { role: hub } }
  - { rule: also, from: A, to: X, shared: true, characteristics: { speed: 5 } }
";
const SITES: &str = "
  - rule: sites
    from: A
    to: X
    for-each: product.char.sites
    characteristics: { site: =each.id, speed: =each.speed }
";
const NAMES: &str = "
  - { rule: names, from: A, to: X, for-each: product.char.sites, characteristics: { site: =each } }
";
const COUNT: &str = "
  - { rule: many, from: A, to: X, quantity: product.char.count }
";
const PLUGIN: &str = "
  - { rule: none of the catalog, from: A, to: X, when: 'false' }
  - { rule: asked, from: A, plugin: splitter }
";

#[test]
fn whatever_makes_several_instances_gives_each_its_values_and_its_own_parts() {
    let two = |first: &str, second: &str| {
        format!(
            "A of P\nX of A with {first}\nY of X\nZ of X needs Y\nX#2 of A with {second}\n\
             Y#2 of X#2\nZ#2 of X#2 needs Y#2\nB of P"
        )
    };
    let sites = json!({ "sites": [{ "id": "north", "speed": 1 }, { "id": "south", "speed": 2 }] });
    let asked: [Value; 2] = [json!({ "role": "hub" }), json!({ "role": "branch" })];
    let numbered: [Value; 2] = [json!({ "number": 7 }), json!({ "number": 8 })];
    let alike: [Value; 2] = [json!({ "role": "a" }), json!({ "role": "a" })];
    let roles = two(r#"role="hub""#, r#"role="branch""#);
    let cases: [(&str, &str, Value, &[Value], String); 8] = [
        ("rules", ROLES, json!({ "twin": true }), &[], roles.clone()),
        ("elements", SITES, sites, &[], two(r#"site="north" speed=1"#, r#"site="south" speed=2"#)),
        ("texts", NAMES, json!({ "sites": ["a", "b"] }), &[], two(r#"site="a""#, r#"site="b""#)),
        ("equals", NAMES, json!({ "sites": ["a", "a"] }), &[], two(r#"site="a""#, r#"site="a""#)),
        ("quantity", COUNT, json!({ "count": 2 }), &[], two("number=1", "number=2")),
        ("productions", PLUGIN, json!({}), &asked, roles),
        ("numbered", PLUGIN, json!({}), &numbered, two("number=7", "number=8")),
        ("alike", PLUGIN, json!({}), &alike, two(r#"role="a""#, r#"role="a""#)),
    ];
    for (what, decompose, characteristics, answers, expected) in cases {
        let made = added(&rules(decompose, &[]), &characteristics, &[("asked/A", answers)]);
        assert_eq!(made, expected, "{what}");
    }
}

#[test]
fn only_a_shared_production_is_one_for_several_that_ask_for_it() {
    let one = "A of P\nX of A with role=\"hub\" speed=5\nY of X\nZ of X needs Y\nB of P";
    assert_eq!(added(&rules(SHARED, &[]), &json!({}), &[]), one);
    let agreed = ROLES.replace("role: branch", "role: hub");
    for scope in ["line", "bundle", "order", "place", "customer"] {
        let made = added(&rules(&agreed, &[("X", scope)]), &json!({ "twin": true }), &[]);
        assert_eq!(made.matches("X").count(), 3, "{scope}: {made}");
        let refused = added(&rules(ROLES, &[("X", scope)]), &json!({ "twin": true }), &[]);
        assert!(refused.starts_with("Operator DECOMP_CONFLICT"), "{scope}: {refused}");
    }
    let made = added(&rules(&agreed, &[]), &json!({ "twin": true }), &[]);
    assert!(made.contains("X#2 of A with role=\"hub\""), "{made}");
}

#[test]
fn a_part_of_several_instances_is_shared_if_its_scope_is_wider() {
    for scope in ["line", "bundle", "order", "place", "customer"] {
        let made = added(&rules(COUNT, &[("Y", scope)]), &json!({ "count": 3 }), &[]);
        assert!(made.contains("Y of X, X#2, X#3\n"), "{scope}: {made}");
        assert!(made.contains("Z#3 of X#3 needs Y\n"), "{scope}: {made}");
    }
}

#[test]
fn a_list_that_is_none_is_a_mistake_of_the_rule_and_none_of_it_makes_none() {
    let wrong = added(&rules(NAMES, &[]), &json!({ "sites": "north" }), &[]);
    assert_eq!(
        wrong,
        "Operator DECOMP_RULE: rule `names`: `for-each` is a list of up to 10000 elements, not \
         \"north\""
    );
    assert_eq!(added(&rules(NAMES, &[]), &json!({ "sites": [] }), &[]), "A of P\nB of P");
}

#[test]
fn two_items_of_a_line_share_what_both_ask_for_unless_it_is_for_its_parent_only() {
    let catalog = CATALOG.replace("B service", "B service: X");
    let plan = |scope: &str| {
        let rules = rules("", &[("X", scope)]).replace("decompose:\n\n", "");
        outline(&decomposed(&catalog, &rules, "1 add O", &Answers::new()).unwrap()).join("\n")
    };
    assert!(plan("item").contains("X of A, B"), "{}", plan("item"));
    let apart = plan("parent");
    assert!(apart.contains("X of A\nY of X\n") && apart.contains("X#2 of B\n"), "{apart}");
}

/// What a modify makes of the first order, as the actions of the instances of X and Y.
fn changed(decompose: &str, before: &Value, after: &Value) -> String {
    let mut played = Played::new(rulebook(CATALOG, &rules(decompose, &[])));
    played.complete("f", &order("add", before));
    let plan = played.plan(&order("modify", after)).unwrap_or_else(|stop| panic!("{stop:?}"));
    let told = plan.items.iter().filter(|item| ["X", "Y"].contains(&item.spec.as_str()));
    let told = told.map(|item| {
        let values: Vec<String> =
            item.characteristics.iter().map(|(_, value)| value.to_string()).collect();
        format!("{} {} {}", item.action.as_str(), item.spec, values.join(" ")).trim().to_string()
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told.join(", ")
}

#[test]
fn a_change_touches_those_of_several_that_differ() {
    let site = |id: &str, speed: u64| json!({ "id": id, "speed": speed });
    let sites = |sites: &[Value]| json!({ "sites": sites });
    let three = sites(&[site("a", 1), site("b", 2), site("c", 3)]);
    let cases = [
        (
            "the first of a list goes",
            SITES,
            three,
            sites(&[site("b", 2), site("c", 3)]),
            r#"delete X "a" 1, delete Y, noChange X "b" 2, noChange X "c" 3, noChange Y, noChange Y"#,
        ),
        (
            "one of a list is another, one is new",
            SITES,
            sites(&[site("a", 1), site("b", 2)]),
            sites(&[site("d", 4), site("b", 5), site("a", 1)]),
            r#"add X "d" 4, add Y, modify X "b" 5, noChange X "a" 1, noChange Y, noChange Y"#,
        ),
        (
            "fewer of a number",
            COUNT,
            json!({ "count": 3 }),
            json!({ "count": 1 }),
            "delete X 2, delete X 3, delete Y, delete Y, noChange X 1, noChange Y",
        ),
    ];
    for (what, decompose, before, after, expected) in cases {
        assert_eq!(changed(decompose, &before, &after), expected, "{what}");
    }
}

#[test]
fn an_instance_stays_the_one_of_its_rule_and_alternatives_change_one() {
    let both = "
  - { rule: r1, from: A, to: X, when: product.char.twin, characteristics: { role: one } }
  - { rule: r2, from: A, to: X, when: product.char.fast, characteristics: { role: two } }
";
    let with = |twin: bool, fast: bool| json!({ "twin": twin, "fast": fast });
    assert_eq!(
        changed(both, &with(true, true), &with(false, true)),
        r#"delete X "one", delete Y, noChange X "two", noChange Y"#
    );
    assert_eq!(
        changed(both, &with(false, true), &with(true, true)),
        r#"add X "one", add Y, noChange X "two", noChange Y"#
    );
    assert_eq!(
        changed(both, &with(true, false), &with(false, true)),
        r#"modify X "two", noChange Y"#
    );
}

#[test]
fn the_number_of_an_instance_can_be_mapped() {
    let rules = rules(
        "  - { rule: many, from: A, to: X, quantity: product.char.count, characteristics: { role: =\"r\" + string(number) } }",
        &[],
    );
    let plan = added(&rules, &json!({ "count": 2 }), &[]);
    for role in ["r1", "r2"] {
        assert!(plan.contains(role), "{role}: {plan}");
    }
}
