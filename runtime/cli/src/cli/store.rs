//! `ferrule store`: looks after the data of a server.

mod backup;
mod restore;

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use engine::audit;
use engine::documents::verify::{self, Report};
use engine::store::{Batch, Store as _, View, tenants};
use engine::tenant::TenantName;
use indicatif::ProgressBar;
use store::compaction::{self, CompactError, Compacted};
use store::seal::{KEY_BYTES, SealError};
use store::{OpenError, Options};

pub(super) use self::place::{Missing, located, opened};
use super::say;

mod copy;
mod place;

use server::config::Config;

/// At most this many findings are printed.
const PRINTED_MAX: usize = 1_000;

/// At most this many repairs are written together.
const WRITES_AT_ONCE: usize = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Check that every document is readable, that indexes and counts agree with the documents, and that the
    /// audit is whole.
    Verify(Verify),
    /// Copy what is kept into a new store, which takes the place of the old one: what was removed or
    /// replaced is not in it, and it is sealed as `[encryption]` sets.
    Compact(Compact),
    /// Copy the store from a folder into a database, or back; no server has it meanwhile. The copy is compared with
    /// the original before it can be used.
    Copy(copy::Copy),
    /// Write the whole store to a file, as it is after one commit: from a folder, or from a server that goes on.
    Backup(Box<backup::Backup>),
    /// Make the store of a folder of a backup.
    Restore(restore::Restore),
    /// Print a new key for `[encryption]`, or write it to a file for its user alone.
    NewKey {
        /// The file; it must not exist.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Compact {
    /// The settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the store.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The store is not sealed yet, and is to be.
    #[arg(long, conflicts_with = "unseal")]
    seal: bool,
    /// The store is sealed, and is not to be any more.
    #[arg(long)]
    unseal: bool,
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
    match command {
        Store::Verify(arguments) => verify(arguments).await,
        Store::Compact(arguments) => compact(arguments).await,
        Store::Copy(arguments) => copy::run(arguments).await,
        Store::Backup(arguments) => backup::run(*arguments).await,
        Store::Restore(arguments) => restore::run(arguments).await,
        Store::NewKey { out } => new_key(out.as_deref()),
    }
}

async fn compact(arguments: Compact) -> Result<()> {
    let config = Config::read(arguments.config.as_deref())?;
    let (path, keys) = located(&config, arguments.data.clone()).await?;
    if keys.is_none() && (arguments.seal || arguments.unseal) {
        bail!("no key is set: set `[encryption] key` in the file of `--config`");
    }
    let (from, to) = match (arguments.seal, arguments.unseal) {
        (true, _) => (None, keys),
        (false, true) => (keys, None),
        (false, false) => (keys.clone(), keys),
    };
    let bar = ProgressBar::new_spinner().with_prefix("facts");
    let options = Options { keys: from, ..Options::default() };
    let told = |facts| bar.set_message(format!("{facts} facts copied"));
    let done = compaction::compact(&path, &options, to.as_ref(), told);
    bar.finish_and_clear();
    if let Err(error) = &done
        && let Some(mistake) = mistaken(error, &arguments)
    {
        bail!("{mistake}; the store is as it was");
    }
    let Compacted { facts, bytes_before, bytes_after } = done.context("the store is as it was")?;
    let kib = |bytes: u64| bytes.div_ceil(1 << 10);
    say(&format!("{facts} facts, {} KiB before, {} KiB now", kib(bytes_before), kib(bytes_after)))
}

/// An option that the store is in no state for.
fn mistaken(error: &CompactError, arguments: &Compact) -> Option<&'static str> {
    let CompactError::Open(OpenError::Seal { source, .. }) = error else { return None };
    match source {
        SealError::NoKey if arguments.seal => Some(
            "the store is sealed already: leave out `--seal`; without it a compaction keeps the store sealed",
        ),
        SealError::Plain if arguments.unseal => {
            Some("the store is not sealed: leave out `--unseal`")
        }
        SealError::NoKey
        | SealError::Plain
        | SealError::OtherKey(_)
        | SealError::Keys
        | SealError::Random => None,
    }
}

fn new_key(out: Option<&Path>) -> Result<()> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).context("no random bytes could be drawn")?;
    let key = hex::encode(bytes);
    let Some(path) = out else { return say(&key) };
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("cannot make `{}`", path.display()))?;
    writeln!(file, "{key}").with_context(|| format!("cannot write `{}`", path.display()))
}

async fn verify(arguments: Verify) -> Result<()> {
    let config = Config::read(arguments.config.as_deref())?;
    let store = place::opened(&config, arguments.data, Missing::Refused).await?;
    let tenants = tenants(&*store).context("the store cannot be read")?;
    let is_served = |name: &TenantName| config.tenants.contains_key(name);
    let mut left = verified(&View::of_default(Arc::clone(&store)), arguments.repair).await?;
    for (name, number) in tenants {
        let note = if is_served(&name) { "" } else { ", which the settings do not name" };
        say(&format!("tenant `{name}`{note}:"))?;
        left += verified(&View::of(Arc::clone(&store), number), arguments.repair).await?;
    }
    match (left, arguments.repair) {
        (0, _) => Ok(()),
        (_, false) => bail!("the store has faults: `--repair` rebuilds indexes and counts"),
        (_, true) => bail!("{left} faults cannot be repaired: restore the store from a backup"),
    }
}

/// Verifies the data of a tenant; returns how many faults are left.
async fn verified(store: &View, repair: bool) -> Result<usize> {
    let report = verify::verify(store).context("the store cannot be read")?;
    print(&report)?;
    let (faults, more, entries, _) =
        audit::verify(store, None).context("the audit cannot be read")?;
    for fault in &faults {
        say(&format!("audit: {fault}"))?;
    }
    // Nothing repairs them: a copy that was exported has the audit as it was.
    let of_audit = faults.len() + usize::try_from(more).unwrap_or(usize::MAX);
    say(&format!("{entries} entries of the audit, {of_audit} faults"))?;
    if report.findings.is_empty() || !repair {
        return Ok(report.findings.len() + of_audit);
    }
    let epoch = store.claim()?;
    for writes in report.repairs.chunks(WRITES_AT_ONCE) {
        store.append(Batch::of(epoch, writes.to_vec())).await?;
    }
    let left = verify::verify(store).context("the store cannot be read")?.findings.len();
    let found = report.findings.len();
    say(&format!("{} of {found} faults are repaired", found - left))?;
    Ok(left + of_audit)
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
