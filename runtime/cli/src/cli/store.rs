//! `ferrule store`: looks after the data of a server that does not run.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use engine::documents::verify::{self, Report};
use engine::store::{Batch, Store as _};
use store::{Options, Sled};

use super::say;
use server::config::Config;
use server::serve::STORE;

/// At most this many findings are printed.
const PRINTED_MAX: usize = 1_000;

/// At most this many repairs are written together.
const WRITES_AT_ONCE: usize = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Check that every document is readable, and that indexes and counts agree with the documents.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the store.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Rebuild indexes and counts that are wrong. Documents that cannot be read stay as they are.
    #[arg(long)]
    repair: bool,
}

/// Runs a command. What is found and not repaired makes it fail.
pub(super) async fn run(command: Store) -> Result<()> {
    let Store::Verify(arguments) = command;
    let config = Config::read(arguments.config.as_deref())?;
    let path = arguments.data.unwrap_or(config.data).join(STORE);
    if !path.is_dir() {
        bail!("there is no store in `{}`", path.display());
    }
    let store = Sled::open(&path, &Options::default()).context("the store cannot be opened")?;
    let report = verify::verify(&store).context("the store cannot be read")?;
    print(&report)?;
    if report.findings.is_empty() {
        return Ok(());
    }
    if !arguments.repair {
        bail!("the store has faults: `--repair` rebuilds indexes and counts");
    }
    let epoch = store.claim()?;
    for writes in report.repairs.chunks(WRITES_AT_ONCE) {
        store.append(Batch::of(epoch, writes.to_vec())).await?;
    }
    let left = verify::verify(&store).context("the store cannot be read")?.findings;
    say(&format!(
        "{} of {} faults are repaired",
        report.findings.len() - left.len(),
        report.findings.len()
    ))?;
    if left.is_empty() {
        return Ok(());
    }
    bail!("{} documents cannot be read: restore them from a backup", left.len());
}

fn print(report: &Report) -> Result<()> {
    for finding in report.findings.iter().take(PRINTED_MAX) {
        say(&finding.to_string())?;
    }
    if report.findings.len() > PRINTED_MAX {
        say(&format!("and {} more", report.findings.len() - PRINTED_MAX))?;
    }
    let Report { documents, entries, findings, .. } = report;
    let faults = findings.len();
    say(&format!("{documents} documents, {entries} index entries, {faults} faults"))
}

#[cfg(test)]
mod tests;
