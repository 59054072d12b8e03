//! The samples in the guides of version 5 are accepted, and shown again as they were sent.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{View, lost, views};
use crate::time::Timestamp;

/// The samples of TMF641 write the state of an item with a capital letter.
const ITEM_STATE: &str = "`serviceOrderItem[0].state` is one of `acknowledged`, `rejected`, \
     `pending`, `held`, `inProgress`, `cancelled`, `completed`, `failed`, `assessingCancellation`, \
     `pendingCancellation`, `partial`, not `InProgress`";

/// Samples that contradict their definitions, each with what is wrong in it.
const WRONG: &[(&str, &str)] = &[
    ("TMF622-015-List_or_find_ProductOrder_objects.json", "Missing `productOrderItem` is missing"),
    (
        "TMF637-001-Json_representation_sample_s_.json",
        "UnknownValue `productOrderItem[1].orderItemAction` is one of `add`, `modify`, `delete`, \
         `noChange`, not `change`",
    ),
    ("TMF641-001-Json_representation_sample_s_.json", ITEM_STATE),
    ("TMF641-013-Response.json", ITEM_STATE),
    ("TMF641-014-Response.json", ITEM_STATE),
    ("TMF641-022-Response.json", ITEM_STATE),
];

fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = format!("../../../shared/examples/{folder}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries =
        std::fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()));
    let mut paths: Vec<PathBuf> = entries.map(Iterator::collect).unwrap_or_default();
    paths.sort();
    paths
}

/// The documents of a resource in a sample: itself, or the rows of a list.
fn documents(path: &Path) -> Vec<(String, View, Value)> {
    let file = path.file_name().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let Ok(mut sample) = serde_json::from_str::<Value>(&text) else { return Vec::new() };
    let number: u16 = file.trim_start_matches("TMF").get(..3).unwrap().parse().unwrap();
    let payload = sample["payload"].take();
    let rows = payload.as_array().cloned().unwrap_or_else(|| vec![payload]);
    let found = rows.into_iter().filter_map(|row| {
        let shape = row.get("@type")?.as_str()?.to_string();
        let view = views().find(|view| view.api.number == number && view.shape() == shape)?;
        // A row with a selection of `fields` is no whole document.
        (row.as_object()?.len() > 4).then(|| (file.to_string(), view, row))
    });
    found.collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn samples_of_the_guides_are_accepted_and_shown_again() {
    let (mut refused, mut taken) = (Vec::new(), 0);
    for (file, view, sample) in samples("tmf-v5-userguide").iter().flat_map(|path| documents(path))
    {
        if let Err(invalid) = view.new_body(sample.clone()) {
            refused.push((file, format!("{:?} {invalid}", invalid.kind)));
            continue;
        }
        let seen = view.shown(view.kept(sample.clone()));
        // A sample with a name of version 4 is shown with the name of version 5.
        let mut lost = lost(&sample, &seen, "");
        let is_named =
            |wrong: &String| [".fullName", ".quoteDate"].iter().any(|name| wrong.starts_with(name));
        lost.retain(|wrong| !wrong.contains(".@type") && !is_named(wrong));
        assert_eq!(lost, Vec::<String>::new(), "{file}");
        let kept = view.kept(sample);
        let document = view.resource.new_document(kept, "1", Timestamp(0), "/1");
        match view.resource.check_shape(&document) {
            Ok(()) => taken += 1,
            Err(wrong) => refused.push((file, wrong.to_string())),
        }
    }
    if taken == 0 {
        assert!(std::env::var_os("FERRULE_CI").is_none(), "the samples are missing");
        println!("skipped: the samples are not on this machine");
        return;
    }
    let refused: Vec<(&str, &str)> =
        refused.iter().map(|(file, wrong)| (file.as_str(), wrong.as_str())).collect();
    let mut refused = refused;
    refused.dedup();
    assert_eq!(refused, WRONG, "{taken} taken");
}

/// Documents from before version 5: shown in version 5 and sent back, they are unchanged.
#[test]
fn documents_of_version_4_go_there_and_back() {
    let mut gone = 0;
    for path in samples("tmf-official-samples") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (number, rest) = name.trim_start_matches("TMF").split_once('-').unwrap();
        let shape = rest.split('.').next().unwrap();
        let is_it =
            |view: &View| view.api.number.to_string() == number && view.resource.shape == shape;
        let Some(view) = views().find(is_it) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(sample) = serde_json::from_str::<Value>(&text) else { continue };
        if name.contains("AppliedCustomerBillingRate") {
            // It speaks of its rate as version 5 does.
            continue;
        }
        let again = view.kept(view.shown(sample.clone()));
        let (mut expected, mut again) = (sample, again);
        for document in [&mut expected, &mut again] {
            without_types(document);
        }
        assert_eq!(lost(&expected, &again, ""), Vec::<String>::new(), "{name}");
        assert_eq!(lost(&again, &expected, ""), Vec::<String>::new(), "{name}");
        gone += 1;
    }
    assert!(gone > 20 || std::env::var_os("FERRULE_CI").is_none(), "{gone} samples");
}

/// Types are said again where something is kept.
fn without_types(document: &mut Value) {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("@type");
    }
    let below: Vec<&mut Value> = match document {
        Value::Object(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
        Value::Array(entries) => entries.iter_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    below.into_iter().for_each(without_types);
}
