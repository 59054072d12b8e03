//! `ferrule rules test`: every example order of a pack becomes the plan that stands next to it.
//!
//! `orders/gpon.json` has its plan in `orders/gpon.plan`. An order in `orders/changes/` is about
//! what another order makes: the instance `gpon-1` is what line 1 of `orders/gpon.json` makes, so
//! that order is carried out first, in memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use model::Rulebook;
use serde_json::Value;

use super::rehearsal::Rehearsal;
use crate::cli::{Usage, say};
use crate::packs;

/// Lines of a plan that are shown before the first that differs.
const CONTEXT: usize = 2;

/// Holds the orders of every pack in a folder against their plans, or writes the plans.
pub(super) async fn run(folder: &Path, rulebook: &Rulebook, writes: Writes) -> Result<()> {
    let (mut orders, mut wrong) = (0, 0);
    for pack in packs::folders(folder)? {
        let examples = pack.join("orders");
        for path in
            files(&examples, "json")?.into_iter().chain(files(&examples.join("changes"), "json")?)
        {
            orders += 1;
            match compare(&path, rulebook, writes).await {
                Ok(Found::Same) => {}
                Ok(Found::Written) => say(&format!("{} is written", plan_of(&path).display()))?,
                Ok(Found::Other(difference)) => {
                    wrong += 1;
                    say(&format!("{}: {difference}", plan_of(&path).display()))?;
                }
                Err(error) => {
                    wrong += 1;
                    say(&format!("{}: {error:#}", path.display()))?;
                }
            }
        }
        for folder in [examples.clone(), examples.join("changes")] {
            for plan in files(&folder, "plan")? {
                if !plan.with_extension("json").is_file() {
                    wrong += 1;
                    say(&format!("{}: there is no order of this plan", plan.display()))?;
                }
            }
        }
    }
    match (orders, wrong) {
        (0, 0) => bail!("there are no orders: write them into `orders/` of a pack"),
        (orders, 0) => say(&format!("{orders} orders become the plans next to them")),
        (orders, wrong) => bail!("{wrong} of {orders} orders are wrong; `--write` writes plans"),
    }
}

/// Whether plans that differ are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    Nothing,
    Plans,
}

enum Found {
    Same,
    Written,
    Other(String),
}

async fn compare(path: &Path, rulebook: &Rulebook, writes: Writes) -> Result<Found> {
    let plan = plan(path, rulebook, &[]).await?;
    let golden = plan_of(path);
    let known = match std::fs::read_to_string(&golden) {
        Ok(known) => Some(known),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| "it cannot be read".to_string()),
    };
    if known.as_ref() == Some(&plan) {
        return Ok(Found::Same);
    }
    if writes == Writes::Plans {
        std::fs::write(&golden, plan)?;
        return Ok(Found::Written);
    }
    Ok(Found::Other(match known {
        Some(known) => difference(&known, &plan),
        None => "there is none".into(),
    }))
}

/// The plan of an order, once those before it are carried out: those that are given, else for an
/// order in a folder `changes` those that made what it is about.
pub(super) async fn plan(path: &Path, rulebook: &Rulebook, before: &[PathBuf]) -> Result<String> {
    let order = read(path)?;
    let rehearsal = Rehearsal::new(rulebook.clone())?;
    let made = if before.is_empty() { makers(path, &order) } else { before.to_vec() };
    for maker in made {
        let id = maker.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let document = read(&maker)?;
        rehearsal
            .complete(id, &document)
            .await
            .with_context(|| format!("`{}` does not complete", maker.display()))?;
    }
    Ok(rehearsal.plan(&order).await?.to_string())
}

/// Whether an order stands in a folder `changes`, and so is about what others make.
pub(super) fn is_change(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|name| name == "changes")
}

/// The orders next to the folder `changes` that made the instances of an order.
fn makers(path: &Path, order: &Value) -> Vec<PathBuf> {
    let Some(orders) = path.parent().and_then(Path::parent).filter(|_| is_change(path)) else {
        return Vec::new();
    };
    let mut names = BTreeSet::new();
    instances(order, &mut |id| {
        if let Some((name, _)) = id.rsplit_once('-') {
            names.insert(name.to_string());
        }
    });
    let paths = names.into_iter().map(|name| orders.join(format!("{name}.json")));
    paths.filter(|path| path.is_file()).collect()
}

/// The ids of the products, services and resources that an order names, at any depth.
fn instances(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| instances(entry, take)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_instance = ["product", "service", "resource"].contains(&name.as_str());
                if let Some(id) = value.get("id").and_then(Value::as_str).filter(|_| is_instance) {
                    take(id);
                }
                instances(value, take);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The first lines that differ, as in a patch.
fn difference(known: &str, plan: &str) -> String {
    let (known, plan): (Vec<_>, Vec<_>) = (known.lines().collect(), plan.lines().collect());
    let same = known.iter().zip(&plan).take_while(|(known, plan)| known == plan).count();
    let mut lines = vec![format!("differs from line {}", same + 1)];
    let before = known.iter().take(same).skip(same.saturating_sub(CONTEXT));
    lines.extend(before.map(|line| format!("    {line}")));
    lines.extend(known.get(same).map(|line| format!("  - {line}")));
    lines.extend(plan.get(same).map(|line| format!("  + {line}")));
    lines.join("\n")
}

fn plan_of(path: &Path) -> PathBuf {
    path.with_extension("plan")
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Usage(format!("cannot read `{}`: {error}", path.display())))?;
    serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))
}

/// The files of a folder with this extension, in order; none where the folder is not there.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|own| own == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
