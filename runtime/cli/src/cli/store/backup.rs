//! `ferrule store backup`: a file with the whole store as it is after one commit, from a folder or from a server that
//! runs.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use clap::Args;
use engine::clock::{Clock as _, System};
use engine::store::Store as _;
use http_body_util::BodyExt as _;
use hyper::Method;
use indicatif::ProgressBar;
use server::config::Config;
use store::backup::{Header, Whole, check};
use store::{OpenError, Options, Sled};
use tempfile::NamedTempFile;
use tmf::time::Timestamp;

use super::located;
use crate::cli::{Usage, say};
use crate::client::{Answer, Client, Login};

/// Bytes that are written to the file at once.
const WRITE_BYTES: usize = 1 << 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Backup {
    /// The file; it is written beside, and takes this name once it is whole and on the disk.
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
    /// The settings, which name the folder of the store and its key.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The folder of the store of a server that does not run.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    pub(super) data: Option<PathBuf>,
    /// A server that runs: it goes on while the backup is taken. Only an administrator of the default tenant may.
    #[arg(long, visible_alias = "url", value_name = "URL", conflicts_with = "config")]
    pub(super) server: Option<String>,
    /// Replace a file that is there.
    #[arg(long)]
    pub(super) replace: bool,
    #[command(flatten)]
    pub(super) login: Login,
}

/// Takes a backup, and reads it to its end before it gets its name.
pub(super) async fn run(backup: Backup) -> Result<()> {
    let Backup { to, config, data, server, replace, login } = backup;
    if !replace && to.exists() {
        return Err(is_there(&to));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let cannot = || format!("cannot write `{}`", to.display());
    // Its mode is 600, and it goes if it is not kept.
    let mut named = tempfile::Builder::new();
    let file = named.prefix(".ferrule-backup-").suffix(".part").tempfile_in(folder);
    let file = file.with_context(cannot)?;
    match server {
        Some(server) => download(&Client::new(&server, &login)?, &file).await?,
        None => copy(config, data, &file).await?,
    }
    file.as_file().sync_all().with_context(cannot)?;
    let (header, whole) = verified(file.path())?;
    keep(file, &to, replace)?;
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    say(&described(&header, whole))
}

/// The contents of a backup, in one line.
pub(super) fn described(header: &Header, whole: Whole) -> String {
    let Whole { records, commits, bytes } = whole;
    let (store, taken) = (&header.store, Timestamp(header.taken_ms));
    let sealed = if header.keys.is_some() { ", sealed" } else { "" };
    format!(
        "store `{store}` after commit {commits}, taken at {taken}: {records} records, {} KiB{sealed}",
        bytes.div_ceil(1 << 10)
    )
}

fn is_there(to: &Path) -> anyhow::Error {
    Usage(format!("`{}` is there: name another file, or give `--replace`", to.display())).into()
}

/// Takes the backup of a folder.
async fn copy(config: Option<PathBuf>, data: Option<PathBuf>, to: &NamedTempFile) -> Result<()> {
    let config = Config::read(config.as_deref())?;
    let (path, keys) = located(&config, data).await?;
    let opened = Sled::open(&path, &Options { keys, ..Options::default() });
    if matches!(opened, Err(OpenError::InUse { .. })) {
        bail!("a server runs on `{}`: take the backup from it with `--server URL`", path.display());
    }
    let store = opened.context("the store cannot be opened")?;
    let bar = ProgressBar::new_spinner();
    let mut file = BufWriter::with_capacity(WRITE_BYTES, to.as_file());
    let mut told = |cells| bar.set_message(format!("{cells} cells copied"));
    let taken = System::default().now();
    let done = store.back_up().and_then(|backup| backup.write(taken.0, &mut file, &mut told));
    bar.finish_and_clear();
    done.map(drop).context("no backup was taken")
}

/// Takes the backup that a server sends.
async fn download(client: &Client, to: &NamedTempFile) -> Result<()> {
    const PATH: &str = "/orchestration/v1/backups";
    let response = client.open(Method::POST, PATH, "", Body::empty()).await?;
    if !response.status().is_success() {
        Answer::read(response).await?.success(PATH)?;
        bail!("the backup was refused");
    }
    let bar = ProgressBar::new_spinner();
    let mut file = BufWriter::with_capacity(WRITE_BYTES, to.as_file());
    let (mut body, mut bytes) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame
            .context("the backup broke off, and is not kept: the server's log has the reason")?;
        let Ok(data) = frame.into_data() else { continue };
        file.write_all(&data).context("the backup cannot be written")?;
        bytes += data.len() as u64;
        bar.set_message(format!("{} KiB received", bytes >> 10));
    }
    bar.finish_and_clear();
    file.flush().context("the backup cannot be written")
}

/// Reads a file to its end.
fn verified(path: &Path) -> Result<(Header, Whole)> {
    let file = File::open(path).context("the backup cannot be read")?;
    check(BufReader::with_capacity(WRITE_BYTES, file))
        .context("the backup is not whole, and is not kept")
}

/// Gives a file its name.
fn keep(file: NamedTempFile, to: &Path, replace: bool) -> Result<()> {
    let kept = if replace { file.persist(to) } else { file.persist_noclobber(to) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(to)),
        Err(error) => Err(error.error).with_context(|| format!("cannot write `{}`", to.display())),
    }
}
