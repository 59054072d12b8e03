//! `ferrule plugin push` and `pull`: plugins in registries, and in layouts on disk.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use host::Manifest;
use host::folder::shown;
use host::trust::Proofs;
use tempfile::TempDir;

use super::oci::{self, Package, access::Access};
use super::{read_file, remote};
use crate::cli::{Usage, say};
use crate::repository::write_whole;

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The plugin; its signature and certificate beside it go along.
    plugin: PathBuf,
    /// Where to: `oci://HOST/REPOSITORY[:TAG]`, or a layout, which is a folder or a `.tar` file; without a tag it is the
    /// plugin's version.
    place: String,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// Where from: `oci://HOST/REPOSITORY:TAG`, the same with `@sha256:…`, or a layout, which is a folder or a `.tar` file.
    place: String,
    /// The file to write; by default the plugin's id with `.wasm`. Its signature and certificate are put beside it.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

/// The file of a plugin that is to be installed.
pub(super) struct Fetched {
    pub(super) file: PathBuf,
    /// Where it lies until it is installed.
    _folder: Option<TempDir>,
}

pub(super) async fn push(push: Push) -> Result<()> {
    let plugin = read_file(&push.plugin)?;
    let manifest = Manifest::of(plugin.to_owned())
        .with_context(|| format!("`{}` is no plugin", push.plugin.display()))?;
    let proofs = remote::proofs(&push.plugin)?;
    let along = along(&proofs);
    let package = Package { plugin, manifest, proofs };
    let place = oci::push(&package, &push.place, &push.access).await?;
    let Manifest { id, version, .. } = &package.manifest;
    say(&format!("{place}: {id} {version}, {along}"))
}

pub(super) async fn pull(pull: Pull) -> Result<()> {
    if let Some(file) = &pull.output {
        check_target(file)?;
    }
    let (package, place) = oci::pull(&pull.place, &pull.access).await?;
    let Manifest { id, version, .. } = &package.manifest;
    let file = pull.output.unwrap_or_else(|| PathBuf::from(format!("{id}.wasm")));
    write(&package, &file)?;
    say(&format!("{}: {id} {version} of {place}, {}", shown(&file), along(&package.proofs)))
}

/// The plugin of a file, or of a place that it is pulled from.
pub(super) async fn fetch(plugin: &str, access: &Access) -> Result<Fetched> {
    if !oci::is_artefact(plugin) {
        return Ok(Fetched { file: plugin.into(), _folder: None });
    }
    let (package, place) = oci::pull(plugin, access).await?;
    let folder = TempDir::with_prefix("ferrule-pull-")?;
    let file = folder.path().join(format!("{}.wasm", package.manifest.id));
    write(&package, &file)?;
    say(&format!("pulled {place}, {}", along(&package.proofs)))?;
    Ok(Fetched { file, _folder: Some(folder) })
}

fn write(package: &Package, file: &Path) -> Result<()> {
    check_target(file)?;
    for (path, bytes) in oci::files(package, file.into()) {
        write_whole(bytes, &path).with_context(|| format!("cannot write `{}`", shown(&path)))?;
    }
    // What vouched for other bytes does not for these.
    for (kind, text) in package.proofs.files() {
        let beside = file.with_extension(kind);
        if text.is_none() && beside.exists() {
            std::fs::remove_file(&beside)
                .with_context(|| format!("cannot remove `{}`", shown(&beside)))?;
        }
    }
    Ok(())
}

/// Checks that a plugin may be written to a file. The files beside it have its name without `.wasm`.
fn check_target(file: &Path) -> Result<(), Usage> {
    let wrong = |what: &str| Err(Usage(format!("`{}` {what}", shown(file))));
    if file.extension().is_none_or(|kind| kind != "wasm") {
        return wrong("does not end in `.wasm`: a plugin is put into such a file");
    }
    match file.metadata() {
        Ok(about) if !about.is_file() => {
            wrong("is no regular file: give another name with `--output`")
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What vouches for a plugin, for people.
fn along(proofs: &Proofs) -> &'static str {
    match (&proofs.signature, &proofs.certificate) {
        (Some(_), Some(_)) => "with signature and certificate",
        (Some(_), None) => "with signature",
        (None, Some(_)) => "with certificate",
        (None, None) => "without signature",
    }
}
