//! Reference pages are made of what the code knows: the keys of packs, the inputs of the shipped
//! plugins, the simulated network.

use std::fmt::Write as _;
use std::path::Path;

use host::Manifest;
use model::pack::keys;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::world::{Settings, World, repository};

/// Set to write the pages anew.
const BLESS: &str = "FERRULE_BLESS";

/// Plugins whose input is read by the host, or is one of two shapes: they do not list their keys.
const SILENT: [&str; 3] = ["noop", "pool-allocator", "tariff-rater"];

pub(crate) fn hold(path: &Path, expected: &str) {
    if std::env::var_os(BLESS).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, expected).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == expected, "{} is out of date: write it anew with {BLESS}=1", path.display());
}

#[test]
fn the_tables_of_pack_keys_are_made_of_the_code() {
    let path = repository().join("workflows/README.md");
    let mut page = std::fs::read_to_string(&path).unwrap();
    let mut tables: Vec<&str> = keys::keys().iter().map(|key| key.table).collect();
    tables.dedup();
    // The three keys of `rules.yaml` have a section each.
    tables.retain(|table| *table != "rules");
    for table in tables {
        let begin = format!(
            "<!-- keys of {table}: made of runtime/model/src/pack/keys, with FERRULE_BLESS=1 -->\n"
        );
        let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
        let (_, after) = rest.split_once("<!-- end of keys -->\n").unwrap();
        page = format!("{before}{begin}\n{}\n<!-- end of keys -->\n{after}", keys::page(table));
    }
    hold(&path, &page);
}

#[test]
fn the_page_of_the_simulated_network_is_made_of_its_tables() {
    hold(&repository().join("docs/reference/simulated-network.md"), &simnet::page());
}

/// The manifests of the shipped plugins, with the inputs that their schemas describe.
fn manifests() -> Vec<Manifest> {
    let folders = std::fs::read_dir(repository().join("plugins")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let mut manifests: Vec<Manifest> = folders
        .filter(|folder| folder.join("plugin.toml").is_file())
        .map(|folder| {
            let text = std::fs::read(folder.join("plugin.toml")).unwrap();
            let mut manifest = Manifest::parse(&text).unwrap();
            let schemas = std::fs::read(folder.join("schema.json")).unwrap_or_default();
            let schemas: Value = serde_json::from_slice(&schemas).unwrap_or_default();
            if let Some(schema) = schemas.get("input") {
                let schema = host::schema::Keywords::deserialize(schema).unwrap();
                manifest.input = host::manifest::Input::of_schema(&schema);
            }
            manifest
        })
        .collect();
    manifests.sort_by(|left, right| left.id.cmp(&right.id));
    manifests
}

#[test]
fn the_page_of_plugin_inputs_is_made_of_the_schemas() {
    let mut page = String::from(
        "# Inputs of the shipped plugins\n\n\
         The keys of a step's `input`. A key within another is written as `request.path`, \
         one in each entry of a list as `take[].pool`. Any value may be an expression after `=`. A key \
         that is not listed is a mistake.\n",
    );
    for Manifest { id, summary, world, input, outputs, .. } in manifests() {
        writeln!(page, "\n## {id}\n\n{summary}. World: `{world}`.\n").unwrap();
        if !input.keys.is_empty() {
            page.push_str("| key | type | | |\n|---|---|---|---|\n");
        }
        for key in &input.keys {
            let is_mandatory = key.mandatory || input.mandatory.contains(&key.name);
            let need = match (is_mandatory, input.one_of.contains(&key.name)) {
                (true, _) => "mandatory".to_string(),
                (_, true) => format!("one of {}", input.one_of.join(", ")),
                _ => String::new(),
            };
            let (name, kind, about) = (&key.name, key.kind.as_str(), &key.about);
            writeln!(page, "| `{name}` | {kind} | {need} | {about} |").unwrap();
        }
        for output in outputs {
            let name =
                if output.name.is_empty() { String::new() } else { format!("`{}`: ", output.name) };
            writeln!(page, "\nOutput: {name}{}.", output.about).unwrap();
        }
    }
    hold(&repository().join("docs/reference/plugin-inputs.md"), &page);
}

/// A value at a place of an input, such as `take[].pool`.
fn at(prefix: &str, value: Value) -> Value {
    let Some((first, rest)) = prefix.split_once('.') else { return value };
    let inner = at(rest, value);
    match first.strip_suffix("[]") {
        Some(name) => json!({ name: [inner] }),
        None => json!({ first: inner }),
    }
}

/// Each plugin is asked itself: told a key that it does not know, it names those that it knows.
#[tokio::test]
async fn the_schemas_list_the_keys_that_plugins_read() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("ask");
    std::fs::create_dir(&pack).unwrap();
    std::fs::write(pack.join("pack.yaml"), "pack: ask\n").unwrap();
    let mut workflows = String::from("workflows:\n");
    for manifest in manifests() {
        writeln!(
            workflows,
            "  - workflow: {0}\n    steps:\n      - {{ step: ask, plugin: {0}, retry: {{ attempts: 1 }}, on-failure: roll-back, undo: false }}",
            manifest.id
        )
        .unwrap();
    }
    std::fs::write(pack.join("workflows.yaml"), workflows).unwrap();
    let workflows = Some(folder.path().to_path_buf());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let mut asked = 0;
    for manifest in manifests().iter().filter(|manifest| !SILENT.contains(&manifest.id.as_str())) {
        let keys = &manifest.input.keys;
        let mut prefixes = vec![String::new()];
        prefixes.extend(keys.iter().filter_map(|key| {
            let prefix = key.name.rsplit_once('.').map(|(prefix, _)| format!("{prefix}."))?;
            Some(prefix)
        }));
        prefixes.sort();
        prefixes.dedup();
        for prefix in prefixes {
            let unknown = json!({ "no such key": 1 });
            let input = if prefix.is_empty() { unknown } else { at(&prefix, unknown) };
            let path = format!("/orchestration/v1/workflows/{}/runs?wait=30s", manifest.id);
            let answer = world.http.post(&path, &input).await;
            let told = answer.body["failures"][0]["message"].as_str().unwrap_or_default();
            let (_, told) = told
                .split_once("expected ")
                .unwrap_or_else(|| panic!("{} `{prefix}`: {}", manifest.id, answer.text));
            let mut known: Vec<&str> = told.split('`').skip(1).step_by(2).collect();
            let mut listed: Vec<&str> = keys
                .iter()
                .filter_map(|key| key.name.strip_prefix(prefix.as_str()))
                .filter(|name| !name.contains(['.', '[']))
                .collect();
            known.sort_unstable();
            listed.sort_unstable();
            assert_eq!(listed, known, "{} `{prefix}`", manifest.id);
            asked += 1;
        }
    }
    assert!(asked > 10, "{asked}");
}

#[test]
fn a_manifest_makes_a_plugin_of_a_component() {
    let empty = b"\0asm\x0d\x00\x01\x00";
    let text = std::fs::read(repository().join("plugins/noop/plugin.toml")).unwrap();
    let made = host::manifest::embed(empty, &text).unwrap();
    let section: Vec<u8> = [host::manifest::SECTION.as_bytes(), &text].concat();
    assert!(made.ends_with(&section), "the section ends with the text");
    let length = made.len() - empty.len();
    assert!(length > section.len() && length < section.len() + 12, "{length}");
    assert!(host::manifest::embed(empty, b"schema = 9").is_err());
}

#[tokio::test]
async fn plugins_of_other_languages_are_packed_by_the_command_line() {
    use crate::world::{ferrule, plugins_dir};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    // A shipped plugin stands for any component: the manifest that is put around it counts.
    let component = plugins_dir().await.join("noop.wasm");
    let component = component.to_str().unwrap();
    let text = std::fs::read_to_string(repository().join("plugins/noop/plugin.toml")).unwrap();
    std::fs::write(path("mine.toml"), text.replace("id = \"noop\"", "id = \"mine\"")).unwrap();
    let (manifest, made) = (path("mine.toml"), path("mine.wasm"));
    let packed = ferrule(&["plugin", "pack", component, &manifest, "-o", &made]).await;
    assert_eq!(packed.code, Some(0), "{}", packed.err);
    let checked = ferrule(&["plugin", "check", &made]).await;
    assert!(checked.out.contains("mine 0.1.0 (step)"), "{}{}", checked.out, checked.err);
    // Invalid manifests and components are reported, and nothing is written.
    std::fs::write(path("bad.toml"), "schema = 1\n").unwrap();
    let (bad, none) = (path("bad.toml"), path("none.wasm"));
    for (component, manifest, code) in [
        (component, bad.as_str(), 1),
        (manifest.as_str(), manifest.as_str(), 1),
        ("/nowhere", &manifest, 2),
    ] {
        let output = ferrule(&["plugin", "pack", component, manifest, "-o", &none]).await;
        assert_eq!(output.code, Some(code), "{}", output.err);
        assert!(!Path::new(&none).exists(), "{}", output.out);
    }
}
