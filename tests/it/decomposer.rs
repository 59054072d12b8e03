//! Decomposers that are written in several languages, in a pack whose orders they decompose.

use std::path::Path;

use serde_json::json;

use crate::plugin::Folders;
use crate::project::{Projects, has};
use crate::world::{Request, Settings, World};

/// The languages, with the tool that each needs beside cargo.
const LANGUAGES: [(&str, Option<&str>); 3] =
    [("rust", None), ("javascript", Some("npm")), ("c", Some("clang"))];

/// A pack with a product for each language, which the plugin `wan-<language>` decomposes.
fn write_pack(folder: &Path, languages: &[&str]) {
    let product = |language: &&str| {
        json!({ "id": format!("PS-WAN-{language}"), "name": "WAN",
            "productSpecCharacteristic": [{ "name": "sites", "valueType": "array", "configurable": true }] })
    };
    let offering = |language: &&str| {
        let of = json!({ "id": format!("PS-WAN-{language}") });
        json!({ "id": format!("PO-WAN-{language}"), "name": "WAN", "isSellable": true, "productSpecification": of })
    };
    let catalog = json!({
        "productOffering": languages.iter().map(offering).collect::<Vec<_>>(),
        "productSpecification": languages.iter().map(product).collect::<Vec<_>>(),
        "serviceSpecification": [
            { "id": "CFS-ACCESS", "@type": "CustomerFacingServiceSpecification", "name": "Access",
              "specCharacteristic": [{ "name": "site", "valueType": "string" }],
              "serviceSpecRelationship": [{ "relationshipType": "reliesOn", "id": "RFS-ACCESS" }] },
            { "id": "RFS-ACCESS", "@type": "ResourceFacingServiceSpecification", "name": "Access",
              "specCharacteristic": [{ "name": "site", "valueType": "string" }] },
        ],
    });
    let rules: String = languages
        .iter()
        .map(|one| {
            format!("  - {{ rule: accesses by {one}, from: PS-WAN-{one}, plugin: wan-{one} }}\n")
        })
        .collect();
    let pack = folder.join("wan");
    std::fs::create_dir(&pack).unwrap();
    for (file, text) in [
        ("pack.yaml", "pack: wan\ntitle: WAN\ndescription: Plugins decompose it.\n".to_owned()),
        ("catalog.json", catalog.to_string()),
        ("rules.yaml", format!("decompose:\n{rules}deliver:\n  - {{ spec: RFS-ACCESS, workflow: access }}\n")),
        (
            "workflows.yaml",
            "workflows:\n  - { workflow: access, steps: [{ step: set, plugin: noop, input: { site: =item.char.site } }] }\n"
                .to_owned(),
        ),
    ] {
        std::fs::write(pack.join(file), text).unwrap();
    }
}

#[tokio::test]
async fn a_decomposer_in_each_language_decomposes_orders_of_a_pack() {
    let projects = Projects::new();
    let folders = Folders::new().await;
    let is_there = |tool: Option<&str>| tool.is_none_or(has);
    let languages: Vec<&str> =
        LANGUAGES.into_iter().filter(|(_, tool)| is_there(*tool)).map(|(name, _)| name).collect();
    for language in &languages {
        let id = format!("wan-{language}");
        let plugin = projects.build(&projects.make_in(language, &id, "decomposer"));
        folders.drop_in(&format!("{id}.wasm"), &std::fs::read(plugin).unwrap());
    }
    write_pack(&folders.workflows(), &languages);
    let world = World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        ..Settings::default()
    })
    .await;
    for language in languages {
        let sites = json!([{ "name": "sites", "valueType": "array", "value": ["Bern", "Basel"] }]);
        let order = json!({ "productOrderItem": [{
            "id": "1", "action": "add", "quantity": 1,
            "productOffering": { "id": format!("PO-WAN-{language}") },
            "product": { "productCharacteristic": sites },
        }] });
        let id = world.submit(&order).await;
        world.completed(&id).await;
        let path = format!("/orchestration/v1/fulfilments/{id}/plan");
        let plan = world.http.ask(&Request::get(&path)).await.unwrap().text;
        for site in ["Bern", "Basel"] {
            // Of the service and of what it relies on.
            let line = format!("site = {site:?}");
            assert_eq!(plan.matches(&line).count(), 2, "{language}:\n{plan}");
        }
    }
}
