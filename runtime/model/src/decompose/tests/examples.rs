//! The examples that are not ours: what they expect is what comes out.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::id::ItemId;
use tmf::time::Timestamp;

/// A folder of the examples; `None` if they are not on this machine.
fn example(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/examples").join(folder);
    if path.exists() { Some(path) } else { skipped(folder) }
}

#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn skipped(folder: &str) -> Option<PathBuf> {
    println!("skipped: the examples of {folder} are not on this machine");
    None
}

fn names(items: &[ItemId], plan: &Plan) -> BTreeSet<String> {
    items.iter().map(|item| plan.items[item.index()].name.clone()).collect()
}

fn level(plan: &Plan, level: Level) -> BTreeSet<String> {
    plan.items_of(level).map(|(_, item)| item.name.clone()).collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    let texts = value.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().to_string()).collect()
}

fn item<'a>(plan: &'a Plan, name: &str) -> &'a crate::plan::Item {
    let found = plan.items.iter().find(|item| item.name == name);
    found.unwrap_or_else(|| panic!("no item `{name}`"))
}

/// Compares a plan with an `expected-decomposition.json`.
fn assert_expected(plan: &Plan, expected: &Value) {
    assert_eq!(level(plan, Level::CustomerService), texts(&expected["cfs"]));
    let services = level(plan, Level::ResourceService);
    if let Value::Object(by_parent) = &expected["rfs"] {
        for (parent, below) in by_parent {
            let mut found = texts(below);
            found.retain(|name| !names(&item(plan, name).parents, plan).contains(parent));
            assert_eq!(found, BTreeSet::new(), "below {parent}");
        }
        assert_eq!(services, by_parent.values().flat_map(texts).collect());
    } else {
        assert_eq!(services, texts(&expected["rfs"]));
    }
    if let Value::Array(missing) = &expected["notSelectedCfs"] {
        let specs: Vec<&str> = plan.items.iter().map(|item| item.spec.as_str()).collect();
        assert!(missing.iter().all(|spec| !specs.contains(&spec.as_str().unwrap())));
    }
    for entry in expected["resourceOrderItems"].as_array().into_iter().flatten() {
        let item = item(plan, entry["rfs"].as_str().unwrap());
        let resources: Vec<_> = item.resources.iter().map(|spec| json!(spec.as_str())).collect();
        assert_eq!(json!(item.adapter), entry["adapter"], "{}", item.name);
        assert_eq!(json!(resources), entry["resources"], "{}", item.name);
    }
    for (name, parents) in expected["sharedRfs"].as_object().into_iter().flatten() {
        assert_eq!(names(&item(plan, name).parents, plan), texts(parents), "{name} is shared");
    }
    let needs: BTreeMap<String, BTreeSet<String>> = plan
        .items_of(Level::ResourceService)
        .map(|(_, item)| (item.name.clone(), names(&item.needs, plan)))
        .collect();
    let dependencies = expected["dependencies"].as_object().unwrap();
    assert_eq!(needs, dependencies.iter().map(|(k, v)| (k.clone(), texts(v))).collect());
    let waves: Vec<BTreeSet<String>> = plan.waves().iter().map(|wave| names(wave, plan)).collect();
    assert_eq!(waves, expected["waves"].as_array().unwrap().iter().map(texts).collect::<Vec<_>>());
    let counts = json!({
        "cfs": plan.items_of(Level::CustomerService).count(),
        "rfs": plan.items_of(Level::ResourceService).count(),
        "resourceOrderItems": plan.items.iter().filter(|item| !item.resources.is_empty()).count(),
    });
    assert_eq!(counts, expected["counts"]);
    assert_mapping(plan, &expected["characteristicMapping"]);
    assert_runs_in_order(plan);
}

fn assert_mapping(plan: &Plan, mapping: &Value) {
    let product = &plan.items[0].characteristics;
    for (from, targets) in mapping.as_object().into_iter().flatten() {
        for target in texts(targets) {
            let (name, characteristic) = target.split_once('.').unwrap();
            let value = item(plan, name).characteristics.get(characteristic);
            assert_eq!(value, product.get(from), "{from} is mapped to {target}");
        }
    }
}

/// The first task of an item needs, directly or not, the last ones of what the item needs.
fn assert_runs_in_order(plan: &Plan) {
    plan.check().unwrap();
    for (id, item) in plan.items_of(Level::ResourceService) {
        let first = plan.tasks_of(id).next().expect("each service has a task");
        for need in &item.needs {
            let last = plan.tasks_of(*need).last().unwrap();
            assert!(plan.task(first).needs.contains(&last), "{} waits", item.name);
        }
    }
}

#[test]
fn superfibre_becomes_what_the_example_expects() {
    let Some(folder) = example("01-superfibre-200") else { return };
    let plan = plan_of(&read(&folder.join("product-order.json")), &shipped(&["superfibre"]));
    assert_expected(&plan.unwrap(), &read(&folder.join("expected-decomposition.json")));
}

#[test]
fn superfibre_over_cable_takes_the_other_bearer() {
    let Some(folder) = example("01-superfibre-200") else { return };
    let document = read(&folder.join("product-order-hfc.json"));
    let plan = plan_of(&document, &shipped(&["superfibre"])).unwrap();
    let services = level(&plan, Level::ResourceService);
    assert!(services.contains("RFS-HFC-BEARER") && !services.contains("RFS-GPON-BEARER"));
    let needs = names(&item(&plan, "RFS-VLAN").needs, &plan);
    assert_eq!(needs, BTreeSet::from(["RFS-HFC-BEARER".to_string()]));
}

#[test]
fn the_bad_orders_of_superfibre_are_refused() {
    let Some(folder) = example("01-superfibre-200") else { return };
    let refused = |file: &str| {
        let stop = plan_of(&read(&folder.join(file)), &shipped(&["superfibre"])).unwrap_err();
        let Blocked::Failure(failure) = stop else { panic!("{stop:?}") };
        refusal(&failure)
    };
    insta::assert_snapshot!(refused("product-order-invalid-speed.json"), @"Reject CHARACTERISTIC_VALUE: item `1`: `downstreamSpeed` cannot be 333; allowed are 100, 200, 500");
}

#[test]
fn a_mandatory_characteristic_that_is_missing_has_its_default() {
    let Some(folder) = example("01-superfibre-200") else { return };
    let document = read(&folder.join("product-order-missing-mandatory.json"));
    let plan = plan_of(&document, &shipped(&["superfibre"])).unwrap();
    assert_eq!(item(&plan, "CFS-CPE-MGMT").characteristics["model"], json!("Huawei HG8245H"));
}

#[test]
fn a_mobile_plan_becomes_what_the_example_expects() {
    let Some(folder) = example("03-mobile-4g-essential-plus") else { return };
    let plan = plan_of(&read(&folder.join("product-order.json")), &shipped(&["mobile-4g"]));
    let plan = plan.unwrap();
    assert_expected(&plan, &read(&folder.join("expected-decomposition.json")));
    let window = Timestamp::parse("2026-03-12T02:00:00Z");
    assert_eq!(item(&plan, "RFS-MNP").not_before, window);
    let scheduled: Vec<_> = plan.tasks.iter().filter(|task| task.not_before.is_some()).collect();
    assert!(!scheduled.is_empty());
    for task in scheduled {
        assert_eq!(task.item.map(|item| plan.items[item.index()].name.as_str()), Some("RFS-MNP"));
        assert_eq!(task.not_before, window);
    }
}

#[test]
fn a_mobile_plan_without_a_number_to_port_leaves_the_port_out() {
    let Some(folder) = example("03-mobile-4g-essential-plus") else { return };
    let document = read(&folder.join("product-order-noport.json"));
    let plan = plan_of(&document, &shipped(&["mobile-4g"])).unwrap();
    assert!(!level(&plan, Level::ResourceService).contains("RFS-MNP"));
    assert!(plan.tasks.iter().all(|task| task.not_before.is_none()));
}

#[test]
fn triple_play_becomes_what_the_example_expects_nested_or_flat() {
    let Some(folder) = example("06-triple-play-bundle") else { return };
    let rulebook = shipped(&["triple-play"]);
    let nested = plan_of(&read(&folder.join("product-order.json")), &rulebook).unwrap();
    let flat = plan_of(&read(&folder.join("product-order-flat.json")), &rulebook).unwrap();
    assert_expected(&nested, &read(&folder.join("expected-decomposition.json")));
    assert_eq!(nested, flat);
    assert_eq!(nested.items_of(Level::Product).count(), 4);
}

#[test]
fn all_packs_together_give_the_same_plan_as_one() {
    let Some(folder) = example("01-superfibre-200") else { return };
    let document = read(&folder.join("product-order.json"));
    let alone = plan_of(&document, &shipped(&["superfibre"])).unwrap();
    let together = shipped(&["mobile-4g", "superfibre", "triple-play"]);
    assert_eq!(plan_of(&document, &together).unwrap(), alone);
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let Some(folder) = example("06-triple-play-bundle") else { return };
    let document = read(&folder.join("product-order.json"));
    let bytes = || {
        let plan = plan_of(&document, &shipped(&["triple-play"])).unwrap();
        serde_json::to_vec(&plan).unwrap()
    };
    let first = bytes();
    assert_eq!(first, bytes());
    let read: Plan = serde_json::from_slice(&first).unwrap();
    assert_eq!(serde_json::to_vec(&read).unwrap(), first);
}
