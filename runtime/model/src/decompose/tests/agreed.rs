//! Those who share an instance agree on its characteristics, whichever orders they are of.

use super::played::Played;
use super::*;

const CATALOG: &str = "
    O offers P
    P product: A; opt bool false true default true; speed number 1 2 3 default 1
    A service: OWN, SHARED; opt bool; speed number
    OWN network; speed number
    SHARED network; speed number
";

fn rules(scope: &str) -> String {
    format!(
        "decompose:\n  - {{ rule: optional, from: A, to: SHARED, when: item.char.opt }}\ndeliver:\n  \
         - {{ spec: OWN, workflow: do }}\n  - {{ spec: SHARED, workflow: do, scope: {scope} }}\n"
    )
}

/// An order of the customer.
fn ordered(order: &str) -> Value {
    let mut document = document(order);
    document["relatedParty"] = json!([{ "id": "C-1", "role": "Customer" }]);
    document
}

/// Why an order is refused, with the attribute that is wrong; empty if it is not.
fn refused(played: &Played, order: &str) -> String {
    match played.plan(&ordered(order)) {
        Ok(_) => String::new(),
        Err(Blocked::Failure(failure)) => {
            let attribute = failure.attribute.clone().unwrap_or_default();
            format!("{} [{attribute}]", refusal(&failure))
        }
        Err(stop) => format!("{stop:?}"),
    }
}

/// Two lines of one order that share an instance, or two orders of one customer.
fn shared(scope: &str) -> Played {
    let mut played = Played::new(rulebook(CATALOG, &rules(scope)));
    if scope == "order" {
        played.complete("f", &ordered("1 add O\n2 add O"));
    } else {
        played.complete("f", &ordered("1 add O"));
        played.complete("g", &ordered("1 add O"));
    }
    played
}

/// The two products.
fn products(scope: &str) -> [&'static str; 2] {
    if scope == "order" { ["f-1", "f-2"] } else { ["f-1", "g-1"] }
}

fn speeds_of_shared(played: &Played) -> Vec<Value> {
    let services = played.documents.iter().filter(|((resource, _), document)| {
        *resource == "service"
            && document["state"] == "active"
            && document["serviceSpecification"]["id"] == "SHARED"
    });
    let speed = |document: &Value| {
        let all = document["serviceCharacteristic"].as_array().unwrap();
        all.iter().find(|one| one["name"] == "speed").unwrap()["value"].clone()
    };
    services.map(|(_, document)| speed(document)).collect()
}

#[test]
fn a_product_does_not_decide_for_the_others_that_share_what_it_changes() {
    for scope in ["order", "customer"] {
        let played = shared(scope);
        let [one, other] = products(scope);
        assert_eq!(
            refused(&played, &format!("7 modify O id:{one} speed=2")),
            format!(
                "Reject DECOMP_CONFLICT: item `7`: \
                 productOrderItem[0].product.productCharacteristic: `speed` of the service `f-s3` of \
                 `SHARED` would be 2 and is 1 for the product `{other}`, which shares it: change all \
                 that share it to one value in one order, or have the pack narrow its `scope` or map \
                 the characteristic from what they share \
                 [productOrderItem[0].product.productCharacteristic]"
            ),
            "{scope}"
        );
    }
}

/// Every pair of values that one order gives two products that share an instance.
#[test]
fn products_that_share_an_instance_are_changed_together_to_one_value() {
    for scope in ["order", "customer"] {
        for (first, second) in (0..16).map(|pair| (pair / 4, pair % 4)) {
            let mut played = shared(scope);
            let wish = |speed: i32| match speed {
                0 => String::new(),
                speed => format!(" speed={speed}"),
            };
            let [one, other] = products(scope);
            let order = format!(
                "1 modify O id:{one}{}\n2 modify O id:{other}{}",
                wish(first),
                wish(second)
            );
            let agree = first.max(1) == second.max(1);
            let refusal = refused(&played, &order);
            assert_eq!(refusal.is_empty(), agree, "{scope} {first} {second}: {refusal}");
            if agree {
                played.complete("h", &ordered(&order));
                assert_eq!(speeds_of_shared(&played), [json!(first.max(1))]);
            } else {
                assert!(refusal.starts_with("Reject DECOMP_CONFLICT: item `"), "{refusal}");
            }
        }
    }
}

#[test]
fn who_does_not_share_it_any_more_has_no_say() {
    for scope in ["order", "customer"] {
        let [one, other] = products(scope);
        let change = format!("1 modify O id:{one} speed=2");
        let ways: [&[String]; 4] = [
            &[format!("1 delete O id:{other}"), change.clone()],
            &[format!("1 modify O id:{other} opt=false"), change.clone()],
            &[format!("{change}\n2 delete O id:{other}")],
            &[format!("2 modify O id:{other} opt=false\n{change}")],
        ];
        for way in ways {
            let mut played = shared(scope);
            for (index, order) in way.iter().enumerate() {
                assert_eq!(refused(&played, order), "", "{scope} {way:?}");
                played.complete(&format!("h{index}"), &ordered(order));
            }
            assert_eq!(speeds_of_shared(&played), [json!(2)], "{scope} {way:?}");
        }
    }
}

#[test]
fn a_product_without_a_line_keeps_the_values_of_its_last_change() {
    let mut played = shared("order");
    played.complete("g", &ordered("1 modify O id:f-1 speed=2\n2 modify O id:f-2 speed=2"));
    let refusal = refused(&played, "1 modify O id:f-1 speed=3");
    assert!(refusal.contains("would be 3 and is 2 for the product `f-2`"), "{refusal}");
    assert_eq!(refused(&played, "1 modify O id:f-1 speed=2"), "");
}

#[test]
fn values_for_a_product_without_a_line_follow_from_the_rules() {
    let catalog = CATALOG.replace("SHARED; opt bool; speed number", "SHARED; opt bool");
    let mapped = rules("order").replace(
        "when: item.char.opt",
        "when: item.char.opt, characteristics: { speed: =product.char.speed }",
    );
    let mut played = Played::new(rulebook(&catalog, &mapped));
    played.complete("f", &ordered("1 add O\n2 add O"));
    let refusal = refused(&played, "1 modify O id:f-2 speed=2");
    assert!(refusal.contains("would be 2 and is 1 for the product `f-1`"), "{refusal}");
    let both = "1 modify O id:f-1 speed=2\n2 modify O id:f-2 speed=2";
    played.complete("g", &ordered(both));
    assert_eq!(speeds_of_shared(&played), [json!(2)]);
    let refusal = refused(&played, "1 modify O id:f-2 speed=1");
    assert!(refusal.contains("would be 1 and is 2 for the product `f-1`"), "{refusal}");
}

#[test]
fn a_new_product_shares_what_its_customer_has_as_it_is_or_as_the_order_changes_it() {
    let played = shared("customer");
    let refusal = refused(&played, "4 add O speed=3");
    let expected = "Reject DECOMP_CONFLICT: item `4`: \
                    productOrderItem[0].product.productCharacteristic: `speed` of the service `f-s3` \
                    of `SHARED` would be 3 and is 1 for the product `f-1`";
    assert!(refusal.starts_with(expected), "{refusal}");
    assert_eq!(refused(&played, "4 add O speed=1"), "");
    let changes = ["1 modify O id:f-1 speed=3", "2 modify O id:g-1 speed=3", "3 add O speed=3"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let order = order.map(|index| changes[index]).join("\n");
        assert_eq!(refused(&played, &order), "", "{order}");
    }
    let refusal = refused(&played, "1 modify O id:f-1 speed=3\n2 add O speed=1");
    assert!(refusal.contains("DECOMP_CONFLICT"), "{refusal}");
}

/// A bundle of a line and of a box that may want what the line has.
const BUNDLE: &str = "
    B bundles O-LINE 0..2, O-BOX 0..2
    O-LINE offers P-LINE
    O-BOX offers P-BOX
    P-LINE product: LINE; speed number 1 2 default 1
    P-BOX product: BOX; opt bool false true default false; speed number 1 2 default 1
    LINE service: X; speed number
    BOX service: X, Y; opt bool; speed number
    X network; speed number
    Y network
";

fn bundle() -> Played {
    let rules = rules("bundle").replace("SHARED", "X").replace("OWN", "Y").replace("A,", "BOX,");
    let mut played = Played::new(rulebook(BUNDLE, &rules));
    played.complete("f", &ordered("1 add B\n1.1 add O-LINE in:1\n1.2 add O-BOX in:1"));
    played.complete("other", &ordered("1 add B\n1.1 add O-LINE in:1"));
    played
}

fn in_use(played: &Played, spec: &str) -> Vec<String> {
    let services = played.documents.iter().filter(|((resource, _), document)| {
        *resource == "service"
            && ["active", "inactive"].contains(&document["state"].as_str().unwrap())
            && document["serviceSpecification"]["id"] == spec
    });
    services.map(|((_, id), _)| id.clone()).collect()
}

#[test]
fn a_part_that_newly_wants_what_its_bundle_has_shares_it() {
    let ways: [&[&str]; 3] = [
        &["1 modify O-BOX id:f-1.2 opt=true"],
        &["1 modify O-BOX id:f-1.2 status:suspended", "1 modify O-BOX id:f-1.2 opt=true"],
        &["1 modify O-LINE id:f-1.1 status:suspended\n2 modify O-BOX id:f-1.2 opt=true"],
    ];
    for way in ways {
        let mut played = bundle();
        let before = in_use(&played, "X");
        for (index, order) in way.iter().enumerate() {
            played.complete(&format!("g{index}"), &ordered(order));
        }
        assert_eq!(in_use(&played, "X"), before, "{way:?}");
        // It ceases with the last that uses it.
        played.complete("h", &ordered("1 delete O-LINE id:f-1.1"));
        assert_eq!(in_use(&played, "X"), before, "{way:?}");
        played.complete("i", &ordered("1 delete O-BOX id:f-1.2"));
        assert_eq!(in_use(&played, "X"), [&before[1][..]], "{way:?}");
    }
    let played = bundle();
    let refusal = refused(&played, "1 modify O-BOX id:f-1.2 opt=true speed=2");
    assert!(refusal.contains("would be 2 and is 1 for the product `f-1.1`"), "{refusal}");
}
