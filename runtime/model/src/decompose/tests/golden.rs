//! Every order of every pack has its plan printed next to it.

use super::played::Played;
use super::*;

/// Set to write the plans anew; then look at what has changed.
const BLESS: &str = "FERRULE_BLESS";

#[test]
fn every_order_of_a_pack_becomes_the_plan_next_to_it() {
    let mut checked = 0;
    for pack in folders(&workflows()) {
        let name = pack.file_name().and_then(|name| name.to_str()).unwrap().to_string();
        let rulebook = shipped(&[&name]);
        for path in files(&pack.join("orders"), "json") {
            let plan = match plan_of(&read(&path), &rulebook) {
                Ok(plan) => plan.to_string(),
                Err(stop) => panic!("{}: {stop:?}", path.display()),
            };
            let golden = path.with_extension("plan");
            if std::env::var_os(BLESS).is_some() {
                std::fs::write(&golden, &plan).unwrap();
            }
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            assert!(
                plan == expected,
                "{} is out of date; with {BLESS}=1 it is written anew:\n{plan}",
                golden.display()
            );
            checked += 1;
        }
        for plan in files(&pack.join("orders"), "plan") {
            assert!(plan.with_extension("json").exists(), "{} has no order", plan.display());
        }
    }
    assert!(checked >= 12, "the packs have orders");
}

/// An order in `changes/` is about what the order makes that its instance is named after: `gpon-1`
/// is line 1 of `gpon.json`.
#[test]
fn every_change_of_a_pack_becomes_the_plan_next_to_it() {
    let mut checked = 0;
    for pack in folders(&workflows()) {
        let name = pack.file_name().and_then(|name| name.to_str()).unwrap().to_string();
        for path in files(&pack.join("orders/changes"), "json") {
            let order = read(&path);
            let id = order["productOrderItem"][0]["product"]["id"].as_str().unwrap();
            let (made_by, _) = id.rsplit_once('-').unwrap();
            let mut played = Played::new(shipped(&[&name]));
            played.complete(made_by, &read(&pack.join(format!("orders/{made_by}.json"))));
            let plan = match played.plan(&order) {
                Ok(plan) => plan.to_string(),
                Err(stop) => panic!("{}: {stop:?}", path.display()),
            };
            let golden = path.with_extension("plan");
            if std::env::var_os(BLESS).is_some() {
                std::fs::write(&golden, &plan).unwrap();
            }
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            assert!(plan == expected, "{} is out of date:\n{plan}", golden.display());
            played.complete("change", &order);
            checked += 1;
        }
    }
    assert!(checked >= 4, "the packs have changes");
}

fn folders(path: &Path) -> Vec<PathBuf> {
    entries(path).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(path: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = entries(path).into_iter();
    entries.filter(|path| path.extension().is_some_and(|own| own == extension)).collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
