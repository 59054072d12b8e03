//! `ferrule rules`: check packs, and see what an order becomes, without a server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use model::decompose::{Answers, Stop, decompose, plan_run};
use model::pack::PACK;
use model::plan::{Level, Step};
use model::{Order, Plan, PluginId, Rulebook};
use serde_json::Value;

use super::say;
use crate::packs;

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Check a pack, or every pack in a folder; mistakes are shown with file, line and column.
    Check {
        /// The folder of a pack, or one with a folder for each pack.
        #[arg(default_value = "workflows")]
        path: PathBuf,
        /// A folder of plugins that the steps are checked against, such as the server's.
        #[arg(long)]
        plugins: Option<PathBuf>,
    },
    /// Print the plan that an order becomes.
    Plan {
        /// The folder of a pack, or one with a folder for each pack.
        path: PathBuf,
        /// The order: TMF622, TMF641 or TMF652.
        order: PathBuf,
        /// Take the file as the input of this workflow instead.
        #[arg(long)]
        workflow: Option<String>,
    },
}

pub(crate) async fn run(command: Rules) -> Result<()> {
    match command {
        Rules::Check { path, plugins } => {
            let rulebook = read(&path)?;
            if let Some(plugins) = plugins {
                check_undo(&rulebook, &plugins)?;
            }
            for pack in rulebook.packs() {
                say(&format!(
                    "{}: {} offerings, {} specifications, {} rules, {} workflows, {} pools, sha256 {}",
                    pack.name,
                    pack.catalog.offerings.len(),
                    pack.catalog.specs.len(),
                    pack.rules.len(),
                    pack.workflows.len(),
                    pack.pools.len(),
                    pack.digest.short(),
                ))?;
            }
            Ok(())
        }
        Rules::Plan { path, order, workflow } => {
            let plan = plan(&read(&path)?, &order, workflow.as_deref())?;
            say(plan.to_string().trim_end())
        }
    }
}

/// Refuses steps that are to be undone by a plugin of this folder which has no `undo`.
fn check_undo(rulebook: &Rulebook, folder: &Path) -> Result<()> {
    let mut without_undo = BTreeSet::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let (manifest, can_undo) = host::Manifest::with_undo(bytes)
            .with_context(|| format!("`{}` is no plugin", path.display()))?;
        if !can_undo {
            without_undo.insert(PluginId::new(manifest.id));
        }
    }
    let workflows = rulebook.packs().flat_map(|pack| pack.workflows.values());
    let steps = workflows.flat_map(|workflow| &workflow.steps).map(|entry| &entry.step);
    let wrong: Vec<_> = steps
        .filter(|step| step.undo && without_undo.contains(&step.plugin))
        .map(|Step { workflow, step, plugin, .. }| {
            format!(
                "step `{step}` of workflow `{workflow}`: plugin `{plugin}` has no undo; write \
                 `undo: false`, or use an activator"
            )
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn read(path: &Path) -> Result<Rulebook> {
    if !path.join(PACK).is_file() {
        return Ok(packs::read_all(path)?);
    }
    let pack = packs::read_one(path)?;
    Rulebook::new([pack]).map_err(|errors| packs::PacksError::Together(errors).into())
}

fn plan(rulebook: &Rulebook, file: &Path, workflow: Option<&str>) -> Result<Plan> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    let document: Value =
        serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", file.display()))?;
    if let Some(workflow) = workflow {
        return plan_run(workflow, &document, rulebook)
            .map_err(|failure| anyhow::anyhow!("{}: {}", failure.code, failure.message));
    }
    let level = if document.get("serviceOrderItem").is_some() {
        Level::CustomerService
    } else if document.get("orderItem").is_some() {
        Level::Resource
    } else {
        Level::Product
    };
    let order = Order::parse(level, &document)
        .with_context(|| format!("`{}` cannot be read as an order", file.display()))?;
    match decompose(&order, &document, rulebook, &Answers::new()) {
        Ok(plan) => Ok(plan),
        Err(Stop::Failure(failure)) => bail!("{}: {}", failure.code, failure.message),
        Err(Stop::Recall(recalls)) => {
            let named = recalls.iter().map(|recall| format!("{} `{}`", recall.resource, recall.id));
            bail!(
                "it is about what a server has: {}; ask it: POST /orchestration/v1/simulate/…",
                named.collect::<Vec<_>>().join(", ")
            )
        }
        Err(Stop::Ask(question)) => bail!(
            "the plugin `{}` decides here; ask a server: POST /orchestration/v1/simulate/…",
            question.plugin
        ),
    }
}
