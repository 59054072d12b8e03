//! `ferrule store restore`: makes the store of a folder of a backup.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use indicatif::ProgressBar;
use server::config::Config;
use store::Options;
use store::restoration::{Existing, RestoreError, Restored, restore};

use super::backup::described;
use super::place::in_settings;
use crate::cli::{Usage, say};

/// Bytes that are read from the file at once.
const READ_BYTES: usize = 1 << 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Restore {
    /// The file of the backup.
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// The settings, with the key of a sealed store.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The folder that the store is made in; no server may run on it.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Replace the store that is there, once the restored one is whole.
    #[arg(long)]
    pub(super) replace: bool,
}

/// Restores a backup. It is read to its end, and the store compared with it, before anything is put in place.
pub(super) async fn run(arguments: Restore) -> Result<()> {
    let config = Config::read(arguments.config.as_deref())?;
    let path = in_settings(&config, arguments.data.clone())?;
    let keys = config.encryption.keys(&config.secrets).await?;
    let from = arguments.from.display();
    let file = File::open(&arguments.from).with_context(|| format!("cannot read `{from}`"))?;
    let existing = if arguments.replace { Existing::Replace } else { Existing::Refuse };
    let options = Options { keys, ..Options::default() };
    let bar = ProgressBar::new_spinner();
    let told = |records| bar.set_message(format!("{records} records restored"));
    let file = BufReader::with_capacity(READ_BYTES, file);
    let done = restore(file, &path, existing, &options, told);
    bar.finish_and_clear();
    if let Err(RestoreError::Exists { path }) = &done {
        let path = path.display();
        return Err(Usage(format!("`{path}` holds a store: give `--replace` to replace it")).into());
    }
    let Restored { header, whole, facts } =
        done.with_context(|| format!("`{from}` is not restored, and nothing was changed"))?;
    say(&described(&header, whole))?;
    say(&format!("{facts} facts are restored in `{}`", path.display()))
}
