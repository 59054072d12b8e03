//! `ferrule rules test`: every example order of a pack becomes the plan that stands next to it.
//!
//! `orders/gpon.json` has its plan in `orders/gpon.plan`. An order in `orders/changes/` is about
//! what another order makes: the instance `gpon-1` is what line 1 of `orders/gpon.json` makes, so
//! that order is carried out first, in memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use model::Rulebook;
use serde::Serialize;
use serde_json::Value;

use super::rehearsal::Rehearsal;
use super::{Form, check};
use crate::cli::{Usage, say};
use server::packs;

/// Lines of a plan that are shown before the first that differs.
const CONTEXT: usize = 2;

/// Holds the orders of every pack in a folder against their plans, or writes the plans.
pub(super) async fn run(folder: &Path, writes: Writes, form: Form) -> Result<()> {
    let found = super::checked(folder, None)?;
    let told = check::told(&found);
    let rulebook = match packs::put_together(found) {
        Ok(rulebook) => rulebook,
        Err(error) if form == Form::Json => {
            say_json(&[], &told)?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let tested = test(folder, &rulebook, writes).await?;
    let wrong = tested.iter().filter(|tested| tested.is_wrong()).count();
    let orders = tested.iter().filter(|tested| tested.order.is_some()).count();
    match form {
        Form::Json => say_json(&tested, &told)?,
        Form::Text => tested.iter().filter_map(Tested::line).try_for_each(|line| say(&line))?,
    }
    match (orders, wrong) {
        (0, 0) => bail!("there are no orders: write them into `orders/` of a pack"),
        (_, 0) if form == Form::Json => Ok(()),
        (orders, 0) => say(&format!("{orders} orders become the plans next to them")),
        (orders, wrong) => bail!("{wrong} of {orders} orders are wrong; `--write` writes plans"),
    }
}

/// What became of an order, or of a plan that has none.
#[derive(Debug, Serialize)]
struct Tested {
    /// The file of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<PathBuf>,
    /// The file of its plan.
    plan: PathBuf,
    result: Ending,
    /// What differs, or why there is no plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Ending {
    Same,
    Written,
    Differs,
    NoPlan,
    NoOrder,
    Failed,
}

impl Tested {
    fn is_wrong(&self) -> bool {
        match self.result {
            Ending::Same | Ending::Written => false,
            Ending::Differs | Ending::NoPlan | Ending::NoOrder | Ending::Failed => true,
        }
    }

    fn line(&self) -> Option<String> {
        let message = self.message.as_deref().unwrap_or_default();
        let plan = self.plan.display();
        match (self.result, &self.order) {
            (Ending::Same, _) => None,
            (Ending::Written, _) => Some(format!("{plan} is written")),
            (Ending::Failed, Some(order)) => Some(format!("{}: {message}", order.display())),
            (Ending::Differs | Ending::NoPlan | Ending::NoOrder | Ending::Failed, _) => {
                Some(format!("{plan}: {message}"))
            }
        }
    }
}

fn say_json(tested: &[Tested], diagnostics: &[check::Told]) -> Result<()> {
    let body = serde_json::json!({ "orders": tested, "diagnostics": diagnostics });
    say(&serde_json::to_string_pretty(&body)?)
}

async fn test(folder: &Path, rulebook: &Rulebook, writes: Writes) -> Result<Vec<Tested>> {
    let mut tested = Vec::new();
    for pack in packs::folders(folder)? {
        let folders = [pack.join("orders"), pack.join("orders").join("changes")];
        for folder in &folders {
            for order in files(folder, "json")? {
                let plan = plan_of(&order);
                let (result, message) = match compare(&order, rulebook, writes).await {
                    Ok((result, message)) => (result, message),
                    Err(error) => (Ending::Failed, Some(format!("{error:#}"))),
                };
                tested.push(Tested { order: Some(order), plan, result, message });
            }
        }
        for folder in &folders {
            for plan in files(folder, "plan")? {
                if !plan.with_extension("json").is_file() {
                    let message = Some("there is no order of this plan".to_string());
                    tested.push(Tested { order: None, plan, result: Ending::NoOrder, message });
                }
            }
        }
    }
    Ok(tested)
}

/// Whether plans that differ are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    Nothing,
    Plans,
}

async fn compare(
    path: &Path,
    rulebook: &Rulebook,
    writes: Writes,
) -> Result<(Ending, Option<String>)> {
    let plan = plan(path, rulebook, &[]).await?;
    let golden = plan_of(path);
    let known = match std::fs::read_to_string(&golden) {
        Ok(known) => Some(known),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| "it cannot be read".to_string()),
    };
    if known.as_ref() == Some(&plan) {
        return Ok((Ending::Same, None));
    }
    if writes == Writes::Plans {
        std::fs::write(&golden, plan)?;
        return Ok((Ending::Written, None));
    }
    Ok(match known {
        Some(known) => (Ending::Differs, Some(difference(&known, &plan))),
        None => (Ending::NoPlan, Some("there is none".into())),
    })
}

/// The plan of an order, once those before it are carried out: those that are given, else for an
/// order in a folder `changes` those that made what it is about.
pub(super) async fn plan(path: &Path, rulebook: &Rulebook, before: &[PathBuf]) -> Result<String> {
    let order = Arc::new(read(path)?);
    let rehearsal = Rehearsal::new(rulebook.clone())?;
    let made = if before.is_empty() { fulfilments_of(path, &order) } else { before.to_vec() };
    for maker in made {
        let id = maker.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let document = Arc::new(read(&maker)?);
        rehearsal
            .complete(id, document)
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
fn fulfilments_of(path: &Path, order: &Value) -> Vec<PathBuf> {
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
