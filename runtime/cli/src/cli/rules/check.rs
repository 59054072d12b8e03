//! `ferrule rules check`: every mistake of packs with its place, as text or as JSON.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use model::Pack;
use model::pack::{Diagnostic, Plugins};
use serde::Serialize;
use serde_json::{Value, json};

use super::Form;
use crate::cli::say;
use server::packs::{self, Found};

/// A diagnostic with the file that it is in, as programs read it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Told {
    /// The folder of the pack.
    pack: PathBuf,
    /// The file, by its whole path; in place of the one within the pack.
    path: PathBuf,
    #[serde(flatten)]
    diagnostic: Diagnostic,
}

/// Checks the packs in a folder.
pub(super) fn run(folder: &Path, plugins: Option<&Plugins>, form: Form) -> Result<()> {
    let found = super::checked(folder, plugins)?;
    match form {
        Form::Text => text(found),
        Form::Json => json(&found),
    }
}

/// What is told of packs, in their order.
pub(super) fn told(found: &[Found]) -> Vec<Told> {
    let of = |found: &Found| -> Vec<Told> {
        let told = found.diagnostics.iter().map(|diagnostic| Told {
            pack: found.path.clone(),
            path: found.path.join(&diagnostic.file),
            diagnostic: diagnostic.clone(),
        });
        told.collect()
    };
    found.iter().flat_map(of).collect()
}

fn text(found: Vec<Found>) -> Result<()> {
    let packs = found.iter().filter_map(|found| found.pack.as_ref());
    let packs: Vec<String> = packs.map(summary).collect();
    let warned = found.iter().filter(|found| {
        let is_wrong = found.diagnostics.iter().any(Diagnostic::is_error);
        !is_wrong && !found.diagnostics.is_empty()
    });
    let warnings: Vec<String> = warned
        .map(|found| {
            let told: Vec<_> = found.diagnostics.iter().map(ToString::to_string).collect();
            format!("the pack in `{}`:\n{}", found.path.display(), told.join("\n"))
        })
        .collect();
    packs::put_together(found)?;
    for line in warnings.into_iter().chain(packs) {
        say(&line)?;
    }
    Ok(())
}

fn summary(pack: &Pack) -> String {
    format!(
        "{}: {} offerings, {} specifications, {} rules, {} workflows, {} pools, sha256 {}",
        pack.name,
        pack.catalog.offerings.len(),
        pack.catalog.specs.len(),
        pack.rules.len(),
        pack.workflows.len(),
        pack.pools.len(),
        pack.digest.short(),
    )
}

fn json(found: &[Found]) -> Result<()> {
    let packs: Vec<Value> = found
        .iter()
        .map(|found| {
            let pack = found.pack.as_ref();
            json!({
                "folder": found.path,
                "name": pack.map_or_else(|| json!(found.files.name()), |pack| json!(pack.name)),
                "digest": pack.map(|pack| &pack.digest),
            })
        })
        .collect();
    let told = told(found);
    let errors = told.iter().filter(|told| told.diagnostic.is_error()).count();
    say(&serde_json::to_string_pretty(&json!({ "packs": packs, "diagnostics": told }))?)?;
    if errors > 0 {
        bail!("the packs have {errors} mistakes");
    }
    Ok(())
}
