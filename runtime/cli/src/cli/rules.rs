//! `ferrule rules`: check packs, and see what an order becomes, without a server.

mod check;
mod rehearsal;
mod test;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use model::decompose::{Answers, Decision, Step, decompose, plan_run};
use model::pack::{PACK, Plugins};
use model::plan::Level;
use model::{Order, Plan, PluginId, Rulebook};
use serde_json::Value;

use super::plugin::Inspector;
use super::{Usage, say};
use server::config::Config;
use server::packs::{self, Found};

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
        /// As JSON: `packs`, and `diagnostics` with `file`, `line`, `column`, `severity`, `code`,
        /// `message` and `hint`.
        #[arg(long)]
        json: bool,
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
        /// Carry this order out before, in memory: what it makes is named after its file, such as
        /// `gpon-1` for line 1 of `gpon.json`. An order in a folder `changes` knows it by itself.
        #[arg(long, value_name = "ORDER", conflicts_with = "workflow")]
        after: Vec<PathBuf>,
    },
    /// Reservation every order in `orders/` and `orders/changes/` of packs against the plan next to it.
    Test {
        /// The folder of a pack, or one with a folder for each pack.
        #[arg(default_value = "workflows")]
        path: PathBuf,
        /// Write plans that are missing or differ; then look at what has changed.
        #[arg(long)]
        write: bool,
        /// As JSON: `orders` with `order`, `plan`, `result` and `message`, and `diagnostics` as `check`
        /// has them.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: Rules) -> Result<()> {
    match command {
        Rules::Check { path, plugins, json } => {
            let plugins = match plugins {
                Some(folder) => Some(self::plugins(&folder).await?),
                None => None,
            };
            check::run(&path, plugins.as_ref(), Form::of(json))
        }
        Rules::Plan { path, order, workflow, after } => {
            let rulebook = read(&path)?;
            if workflow.is_none() && (!after.is_empty() || test::is_change(&order)) {
                let plan = test::plan(&order, &rulebook, &after).await?;
                return say(plan.trim_end());
            }
            let plan = plan(&rulebook, &order, workflow.as_deref())?;
            say(plan.to_string().trim_end())
        }
        Rules::Test { path, write, json } => {
            let writes = if write { test::Writes::Plans } else { test::Writes::Nothing };
            test::run(&path, writes, Form::of(json)).await
        }
    }
}

/// What the plugins of a folder ask of the steps that call them.
async fn plugins(folder: &Path) -> Result<Plugins> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Usage(format!("cannot read `{}`: {error}", folder.display())))?;
    let inspector = Inspector::new(&Config::default())?;
    let mut plugins = Plugins::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let inspected = inspector.host.inspect(bytes).await;
        let inspected =
            inspected.with_context(|| format!("`{}` cannot be used", path.display()))?;
        plugins.insert(PluginId::new(&inspected.manifest.id), inspected.asked());
    }
    Ok(plugins)
}

/// How findings are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

impl Form {
    fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Reads the packs in a folder, which are right.
fn read(path: &Path) -> Result<Rulebook> {
    Ok(packs::put_together(checked(path, None)?)?)
}

/// Checks the packs in a folder; there is at least one.
fn checked(path: &Path, plugins: Option<&Plugins>) -> Result<Vec<Found>> {
    if !path.is_dir() {
        return Err(Usage(format!("there is no folder `{}`", path.display())).into());
    }
    if packs::folders(path)?.is_empty() {
        bail!("there is no pack in `{}`: a pack is a folder with a `{PACK}`", path.display());
    }
    Ok(packs::checked(path, plugins)?)
}

fn plan(rulebook: &Rulebook, file: &Path, workflow: Option<&str>) -> Result<Plan> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Usage(format!("cannot read `{}`: {error}", file.display())))?;
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
    let decide = |answers: &Answers| decompose(&order, &document, rulebook, answers);
    match Decision::new(Answers::new(), decide).begin() {
        Step::Done(plan) => Ok(plan),
        Step::Failed(failure) => bail!("{}: {}", failure.code, failure.message),
        Step::LookUp(_, lookups) => {
            let named = lookups.iter().map(|lookup| format!("{} `{}`", lookup.resource, lookup.id));
            bail!(
                "it is about what another order makes: {}; give that with `--after`, or ask a \
                 server: POST /orchestration/v1/simulate/…",
                named.collect::<Vec<_>>().join(", ")
            )
        }
        Step::Ask(_, questions) => {
            let plugins = questions.iter().map(|question| format!("`{}`", question.plugin));
            let plugins: std::collections::BTreeSet<String> = plugins.collect();
            bail!(
                "the plugin {} decides here; ask a server: POST /orchestration/v1/simulate/…",
                plugins.into_iter().collect::<Vec<_>>().join(", ")
            )
        }
    }
}
