//! One mistake in a pack that is shipped: exactly one error, in the line where it was made.

use std::path::{Path, PathBuf};

use super::*;
use crate::pack::FILES;

/// A mistake that can be made wherever a line has this text: what is replaced by what.
const MISTAKES: &[(&str, &str, &str)] = &[
    (PACK, "pack: ", "pakc: "),
    (RULES, "- rule: ", "- rul: "),
    (RULES, "from: ", "from: X"),
    (RULES, "to: ", "to: X"),
    (RULES, "from: ", "form: "),
    (RULES, "item.char.", "itm.char."),
    (RULES, "item.char.", "item.chars."),
    (RULES, "product.char.", "product.chr."),
    (RULES, "workflow: ", "workflow: x"),
    (RULES, "workflow: ", "workflw: "),
    (RULES, "needs: [", "needs: [X-"),
    (RULES, "resources: [", "resources: [X-"),
    (RULES, "scope: ", "scope: x"),
    (RULES, "before: ", "before: x"),
    (RULES, "each-product: ", "each-produkt: "),
    (RULES, "after: ", "after: x"),
    (WORKFLOWS, "plugin: ", "plugin: x"),
    (WORKFLOWS, "plugin: ", "plugn: "),
    (WORKFLOWS, "pool: ", "pool: x"),
    (WORKFLOWS, "steps.", "step."),
    (WORKFLOWS, "steps.", "steps.x"),
    (WORKFLOWS, "upstream[\"", "upstream[\"X"),
    (WORKFLOWS, "item.char.", "item.chars."),
    (WORKFLOWS, "item.line", "item.lines"),
    (WORKFLOWS, "fulfilment.id", "fulfillment.id"),
    (WORKFLOWS, "timeout: ", "timeout: x"),
    (WORKFLOWS, "on-failure: ", "on-failure: x"),
    (WORKFLOWS, "retry: { ", "retry: { x: 1, "),
    (WORKFLOWS, "undo: false", "undo: no"),
    (WORKFLOWS, "needs: [", "needs: [x"),
    (POOLS, "resource: ", "resource: X"),
    (POOLS, "characteristic: ", "characteristic: x"),
    (POOLS, "values: \"", "values: \"{5..1}"),
    (POOLS, "ipv4: ", "ipv4: x"),
    (CATALOG, "\"relationshipType\": \"reliesOn\"", "\"relationshipType\": \"relieson\""),
    (CATALOG, "\"relationshipType\": \"dependsOn\"", "\"relationshipType\": \"dependson\""),
    (CATALOG, "\"priceType\": \"", "\"priceType\": \"x"),
    (CATALOG, "\"valueType\": \"number\"", "\"valueType\": \"nubmer\""),
    (CATALOG, "\"@type\": \"CustomerFacing", "\"@type\": \"Customer"),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The packs that are shipped, by the names of their folders.
fn shipped() -> BTreeMap<String, PackFiles> {
    let mut packs = BTreeMap::new();
    for entry in std::fs::read_dir(folder("workflows")).unwrap() {
        let path = entry.unwrap().path();
        let texts = FILES.iter().filter_map(|file| {
            let text = std::fs::read_to_string(path.join(file)).ok()?;
            Some(((*file).to_string(), text))
        });
        let files = PackFiles(texts.collect());
        if !files.0.is_empty() {
            packs.insert(path.file_name().unwrap().to_str().unwrap().into(), files);
        }
    }
    packs
}

fn plugins() -> Plugins {
    let all = std::fs::read_dir(folder("plugins")).unwrap().map(|entry| entry.unwrap().path());
    let all = all.filter(|path| path.join("plugin.toml").is_file());
    all.map(|path| {
        let asked = Asked { can_undo: true, ..Asked::default() };
        (PluginId::new(path.file_name().unwrap().to_str().unwrap()), asked)
    })
    .collect()
}

/// What is told of the shipped packs with one of them written otherwise.
fn errors(
    packs: &BTreeMap<String, Pack>,
    changed: &str,
    files: &PackFiles,
    plugins: &Plugins,
) -> Vec<Diagnostic> {
    let pack = match Pack::parse(files) {
        Ok(pack) => pack,
        Err(found) => return found,
    };
    let mut all: Vec<&Pack> =
        packs.iter().filter(|(name, _)| *name != changed).map(|(_, pack)| pack).collect();
    all.push(&pack);
    mistakes(&all, Some(plugins), &BTreeMap::new()).concat()
}

/// The first and the last place of a text that is no comment and no part of a word.
fn places(text: &str, from: &str) -> BTreeSet<usize> {
    let is_right = |at: &usize| {
        let before = &text[..*at];
        let is_comment = before.rsplit('\n').next().unwrap_or_default().contains('#');
        !is_comment && !before.ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c))
    };
    let all: Vec<usize> = text.match_indices(from).map(|(at, _)| at).filter(is_right).collect();
    all.first().into_iter().chain(all.last()).copied().collect()
}

#[test]
fn one_mistake_in_a_shipped_pack_is_one_error_in_its_line() {
    let (texts, plugins) = (shipped(), plugins());
    let packs: BTreeMap<String, Pack> =
        texts.iter().map(|(name, files)| (name.clone(), Pack::parse(files).unwrap())).collect();
    let (mut planted, mut used, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for (name, files) in &texts {
        assert_eq!(errors(&packs, name, files, &plugins), [], "{name} is right");
        for (index, (file, from, to)) in MISTAKES.iter().enumerate() {
            let text = files.get(file).unwrap_or_default();
            for at in places(text, from) {
                let before = &text[..at];
                let line = before.matches('\n').count() + 1;
                let mut changed = files.clone();
                let text = format!("{before}{to}{}", &text[at + from.len()..]);
                changed.0.insert((*file).into(), text);
                let mut found = errors(&packs, name, &changed, &plugins);
                found.retain(Diagnostic::is_error);
                planted += 1;
                used.insert(index);
                let is_told = matches!(
                    &found[..],
                    [one] if one.file == **file && one.line == line
                );
                if !is_told {
                    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
                    wrong.push(format!("{name}/{file}:{line}: {to}\n{}", found.join("\n")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {planted}:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(planted > 120, "{planted}");
    let unused: Vec<_> = (0..MISTAKES.len()).filter(|index| !used.contains(index)).collect();
    assert!(unused.len() < 4, "made nowhere: {unused:?}");
}
