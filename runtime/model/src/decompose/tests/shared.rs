//! What several items of a product, or several products, share: whose it is, and which state it has.

use super::installed::{assert_sound, in_use, shared};
use super::played::Played;
use super::*;

#[test]
fn a_shared_instance_is_suspended_when_all_its_users_are() {
    let mut played = shared();
    let is_active = |played: &Played| in_use(played).iter().any(|id| id.ends_with("SHARED"));
    played.complete("g", &document("1 modify O id:f-1 status:suspended"));
    assert!(is_active(&played));
    played.complete("h", &document("1 modify O id:f-2 status:suspended"));
    assert!(!is_active(&played));
    played.complete("i", &document("1 modify O id:f-1 status:active"));
    assert!(is_active(&played));
}

#[test]
fn the_state_of_what_is_shared_follows_who_uses_it() {
    let catalog = "
        O offers P
        P product: ROUTER
        ROUTER network: PORT
        PORT network
    ";
    let rules = "
deliver:
  - { spec: ROUTER, workflow: do, scope: customer }
  - { spec: PORT, workflow: do, scope: customer }
";
    let steps = [
        ("f", "1 add O", 2),
        ("g", "1 modify O id:f-1 status:suspended", 0),
        // Another product wants it, and it is active again with all that it is made of.
        ("h", "1 add O", 2),
        // The last that is not suspended goes.
        ("i", "1 delete O id:h-1", 0),
        ("j", "1 add O\n2 modify O id:f-1 status:active", 2),
        ("k", "1 modify O id:j-1 status:suspended", 2),
        ("l", "1 delete O id:f-1", 0),
        ("m", "1 modify O id:j-1 status:active", 2),
    ];
    let mut played = Played::new(rulebook(catalog, rules));
    for (id, order, active) in steps {
        let mut document = document(order);
        document["relatedParty"] = json!([{ "id": "ann", "role": "Customer" }]);
        played.complete(id, &document);
        assert_eq!(in_use(&played).len(), active, "{order}");
        assert_sound(&played);
        let router = &played.documents[&("service", "f-s1".to_string())];
        assert_eq!(router["supportingService"].as_array().unwrap().len(), 1, "{order}: {router}");
    }
}

/// Another item of a product asks for what the product has already.
#[test]
fn an_existing_part_of_a_product_serves_all_its_items_that_ask_for_the_same() {
    let catalog = "
        O offers P
        P product: A, B, X; opt bool true default false; direct bool false default true
        A service: X; opt bool
        B service: X
        X network: Y
        Y network
    ";
    for scope in ["item", "line", "bundle", "order", "place", "customer"] {
        let rules = format!(
            "
decompose:
  - {{ rule: optional, from: A, to: X, when: item.char.opt }}
  - {{ rule: direct, from: P, to: X, when: item.char.direct }}
  - {{ rule: never, from: B, to: X, quantity: '0' }}
deliver:
  - {{ spec: X, workflow: do, scope: {scope} }}
  - {{ spec: Y, workflow: do, scope: {scope} }}
"
        );
        let mut played = Played::new(rulebook(catalog, &rules));
        played.complete("f", &document("1 add O\n2 add O direct=false"));
        let before = in_use(&played);
        let has = |played: &Played, user: &str| {
            let record = &played.documents[&(crate::installed::INSTALLED, "service/f-s3".into())];
            record["users"].as_object().unwrap().contains_key(user)
        };
        let (product, service) = ("product/f-1", "service/f-s1");
        assert!(has(&played, product) && !has(&played, service), "{scope}");
        // Both ask for it, then one, then the other.
        for (id, order, uses) in [
            ("g", "1 modify O id:f-1 opt=true", [true, true]),
            ("h", "1 modify O id:f-1 direct=false", [false, true]),
            ("i", "1 modify O id:f-1 direct=true opt=false", [true, false]),
        ] {
            let done = played.complete(id, &document(order));
            assert_eq!(in_use(&played), before, "{scope}: {order}");
            assert!(done.plan().tasks.is_empty(), "{scope}: {order}: nothing is done for it");
            assert_eq!([has(&played, product), has(&played, service)], uses, "{scope}: {order}");
            assert_sound(&played);
        }
        played.complete("j", &document("1 delete O id:f-1\n2 delete O id:f-2"));
        assert_eq!(in_use(&played), Vec::<String>::new());
    }
}

/// The line that relies on the other goes first, and what both share goes with the last of them.
#[test]
fn a_shared_instance_does_not_upset_the_order_in_which_dependent_lines_cease() {
    let catalog = "
        O0 offers P0
        O1 offers P1
        P0 product: X, SHARED
        P1 product: PORT, LINE, SHARED
        X network
        PORT network
        LINE network after PORT
        SHARED network
    ";
    let rules = "
deliver:
  - { spec: X, workflow: do }
  - { spec: PORT, workflow: do }
  - { spec: LINE, workflow: do }
  - { spec: SHARED, workflow: do, scope: order }
";
    let mut played = Played::new(rulebook(catalog, rules));
    played.complete("f", &document("1 add O1\n2 add O0 on:1"));
    let plan = played.plan(&document("1 delete O0 id:f-2\n2 delete O1 id:f-1")).unwrap();
    let task = |name: &str| {
        let mut tasks = (0..plan.tasks.len()).map(crate::TaskId::at);
        tasks.find(|task| plan.task_name(*task) == name).unwrap()
    };
    let needs = |name: &str| plan.task(task(name)).needs.clone();
    assert!(needs("PORT.do").contains(&task("LINE.do")), "{plan}");
    for then in ["PORT.do", "LINE.do", "SHARED.do"] {
        assert!(needs(then).contains(&task("X.do")), "{then}: {plan}");
    }
}
