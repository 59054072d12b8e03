//! Samples from other sources are accepted.

use std::path::{Path, PathBuf};

use super::*;

/// Samples that contradict their definitions, each with what is wrong in it.
const WRONG: &[(&str, &str)] = &[
    (
        "TMF633-ServiceSpecification.example.json",
        "WrongType `specCharacteristic[0].characteristicValueSpecification[0].valueFrom` is not a whole number",
    ),
    (
        "TMF635-UsageSpecification.example.1.json",
        "WrongType `specCharacteristic[0].configurable` is not true or false",
    ),
    ("TMF637-Product.example.json", "NotAnObject a document is a JSON object"),
    (
        "TMF638-Service.example.json",
        "UnknownValue `serviceOrderItem[1].itemAction` is one of `add`, `modify`, `delete`, \
         `noChange`, not `change`",
    ),
    ("TMF639-LogicalResource.value.json", UNLOCK),
    ("TMF639-Resource.example.json", "WrongType `endOperatingDate` is not a date-time"),
    ("TMF639-Resource.value.json", UNLOCK),
    ("TMF678-BillCycle.example.json", "WrongType `validFor.endDateTime` is not a date-time"),
    ("TMF678-CustomerBill.example.json", "WrongType `billDocument[0].size` is not an object"),
    ("TMF701-ProcessFlow.example.json", "Missing `processFlowSpecification` is missing"),
    ("TMF702-Resource.example.json", "WrongType `endOperatingDate` is not a date-time"),
    ("TMF702-Resource.value.json", UNLOCK),
];

const UNLOCK: &str = "UnknownValue `administrativeState` is one of `locked`, `unlocked`, `shutdown`, \
                      `shuttingDown`, not `unlock`";

fn samples() -> Vec<PathBuf> {
    let folder = "../../../shared/examples/tmf-official-samples";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries =
        std::fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()));
    let mut paths: Vec<PathBuf> = entries.map(Iterator::collect).unwrap_or_default();
    paths.sort();
    paths
}

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn the_official_samples_are_taken() {
    let mut refused = Vec::new();
    let mut taken = 0;
    for path in samples() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (number, rest) = name.trim_start_matches("TMF").split_once('-').unwrap();
        let shape = rest.split('.').next().unwrap();
        let resource = resources()
            .find(|(api, resource)| api.to_string() == number && resource.shape == shape);
        let Some((_, resource)) = resource else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(sample) = serde_json::from_str::<Value>(&text) else { continue };
        match resource.check_new(&sample) {
            Ok(()) => taken += 1,
            Err(invalid) => {
                refused.push((name.to_string(), format!("{:?} {invalid}", invalid.kind)));
            }
        }
    }
    if taken == 0 && refused.is_empty() {
        assert!(std::env::var_os("FERRULE_CI").is_none(), "the samples are missing");
        println!("skipped: the samples are not on this machine");
        return;
    }
    let refused: Vec<(&str, &str)> =
        refused.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    assert_eq!(refused, WRONG);
    assert!(taken > 40, "{taken}");
}

#[test]
fn the_orders_of_the_packs_are_taken() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let mut taken = 0;
    for pack in std::fs::read_dir(packs).unwrap() {
        let Ok(orders) = std::fs::read_dir(pack.unwrap().path().join("orders")) else { continue };
        for path in orders.map(|entry| entry.unwrap().path()) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let Ok(order) = serde_json::from_str::<Value>(&text) else { continue };
            let has = |name: &str| order.get(name).is_some();
            let key = match (has("productOrderItem"), has("serviceOrderItem")) {
                (true, _) => "productOrder",
                (false, true) => "serviceOrder",
                (false, false) => "resourceOrder",
            };
            let checked = resource(key).check_new(&order);
            assert_eq!(checked, Ok(()), "{}", path.display());
            taken += 1;
        }
    }
    assert!(taken > 3, "{taken}");
}
