//! `ferrule plugin install`, `remove` and `rollback`: the folder of plugins that a server watches, or a
//! server itself. A server that runs takes each change of its folder in by itself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use host::Manifest;
use host::folder::{is_plugin, shown};
use host::trust::Proofs;
use host::versions::BEFORE;

use super::oci::access::Access;
use super::{Inspector, installed, read_file, remote, ship};
use crate::cli::{Usage, say};
use crate::client::{Client, Login, Proof};
use crate::repository::write_whole;
use server::config::Config;

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The plugin: a file, `oci://HOST/REPOSITORY:TAG`, the same with `@sha256:…`, or a layout of OCI, which is a folder or a
    /// `.tar` file.
    plugin: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    proof: Proof,
    #[command(flatten)]
    trial: remote::Trial,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The id of the plugin.
    id: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    login: Login,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    named: Named,
    /// The version, by its digest or the beginning of it, if it is not the one before; with `--server`.
    #[arg(long, value_name = "DIGEST")]
    to: Option<String>,
}

#[derive(Debug, Args)]
struct Place {
    /// The folder of plugins; that of the settings by default.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// The settings with the folder, and with what plugins are granted.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// This server instead of a folder.
    #[arg(long, value_name = "URL", conflicts_with_all = ["into", "config"])]
    server: Option<String>,
}

/// The file of a plugin in the folder.
struct Found {
    path: PathBuf,
    version: String,
}

/// Puts a plugin into the folder if a server with the settings would take it in. The version that it
/// replaces is kept for a rollback.
pub(super) async fn install(install: Install) -> Result<()> {
    let Install { plugin, place, proof, trial, access } = install;
    let fetched = ship::fetch(&plugin, &access).await?;
    let path = &fetched.file;
    if let Some(server) = &place.server {
        // One file may have the CAs of the registry and of the server.
        let client = Client::new(server, &proof.with_ca(access.ca))?;
        return remote::install(&client, path, &trial).await;
    }
    let config = Config::read(place.config.as_deref())?;
    let bytes = read_file(path)?;
    let inspector = Inspector::new(&config)?;
    let folder = place.into.unwrap_or(config.plugins_dir);
    let plugin = match installed(&inspector.host, bytes.clone()).await {
        Ok(plugin) => plugin,
        Err(reason) => bail!("`{}` is not installed: {reason}", path.display()),
    };
    let proofs = remote::proofs(path)?;
    let vouched = config.install.trust()?.vouches(&plugin.id, &bytes, &proofs);
    vouched.with_context(|| format!("`{}` is not installed", path.display()))?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    let (id, version) = (plugin.id.as_str(), &plugin.version);
    let found = find(&folder, id)?;
    let to = match &found {
        Some(found) => found.path.clone(),
        None => folder.join(format!("{id}.wasm")),
    };
    let cannot_write = || format!("cannot write `{}`", to.display());
    let old = found.as_ref().map(|found| std::fs::read(&found.path));
    let old = old.transpose().with_context(cannot_write)?;
    for (kind, text) in proofs.files() {
        let beside = to.with_extension(kind);
        match text {
            Some(text) => write_whole(text.as_bytes(), &beside).with_context(cannot_write)?,
            // It is of other bytes.
            None if old.as_ref() != Some(&bytes) && beside.exists() => {
                std::fs::remove_file(&beside).with_context(cannot_write)?;
            }
            None => {}
        }
    }
    let replaced = match found.zip(old) {
        Some((found, old)) => {
            if old == bytes {
                return say(&format!("{}: {id} {version} is installed", shown(&to)));
            }
            write_whole(&old, &before(&to)).with_context(cannot_write)?;
            format!(", in place of {}", found.version)
        }
        None => String::new(),
    };
    write_whole(&bytes, &to).with_context(cannot_write)?;
    say(&format!("{}: {id} {version}{replaced}", shown(&to)))
}

/// Removes a plugin from the folder. Orders that began with it go on with the copy that the server has.
pub(super) async fn remove(named: Named) -> Result<()> {
    if let Some(server) = &named.place.server {
        let client = Client::new(server, &named.login)?;
        return remote::remove(&client, &named.id).await;
    }
    let (id, found) = find_named(named)?;
    let cannot_remove = || format!("cannot remove `{}`", found.path.display());
    std::fs::remove_file(&found.path).with_context(cannot_remove)?;
    let proofs = Proofs::default().files().map(|(kind, _)| found.path.with_extension(kind));
    for beside in proofs.into_iter().chain([before(&found.path)]).filter(|path| path.exists()) {
        std::fs::remove_file(&beside).with_context(cannot_remove)?;
    }
    say(&format!("{}: {id} {} is removed", shown(&found.path), found.version))
}

/// Swaps a plugin with the version before it.
pub(super) async fn rollback(rollback: Rollback) -> Result<()> {
    let Rollback { named, to } = rollback;
    if let Some(server) = &named.place.server {
        let client = Client::new(server, &named.login)?;
        return remote::roll_back(&client, &named.id, to.as_deref()).await;
    }
    if to.is_some() {
        return Err(
            Usage("`--to` needs `--server`: a folder has the version before only".into()).into()
        );
    }
    let (id, found) = find_named(named)?;
    let before = before(&found.path);
    let Ok(old) = std::fs::read(&before) else {
        bail!("there is no version before {} of `{id}`", found.version);
    };
    let manifest = Manifest::of(old.clone())
        .with_context(|| format!("`{}` cannot be used", before.display()))?;
    let cannot_write = || format!("cannot write `{}`", found.path.display());
    let new = std::fs::read(&found.path).with_context(cannot_write)?;
    write_whole(&old, &found.path).with_context(cannot_write)?;
    write_whole(&new, &before).with_context(cannot_write)?;
    let (file, version) = (shown(&found.path), manifest.version);
    say(&format!("{file}: {id} {version}, in place of {}", found.version))
}

fn find_named(named: Named) -> Result<(String, Found)> {
    let Named { id, place, .. } = named;
    let folder = match place.into {
        Some(folder) => folder,
        None => Config::read(place.config.as_deref())?.plugins_dir,
    };
    match find(&folder, &id)? {
        Some(found) => Ok((id, found)),
        None => Err(Usage(format!("`{}` has no plugin `{id}`", folder.display())).into()),
    }
}

/// The file of a plugin in a folder.
fn find(folder: &Path, id: &str) -> Result<Option<Found>> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Usage(format!("cannot read `{}`: {error}", folder.display())))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if !is_plugin(&path) {
            continue;
        }
        // A file that is no plugin is the server's to report.
        let manifest = std::fs::read(&path).ok().and_then(|bytes| Manifest::of(bytes).ok());
        if let Some(manifest) = manifest.filter(|manifest| manifest.id == id) {
            return Ok(Some(Found { path, version: manifest.version }));
        }
    }
    Ok(None)
}

/// The file with the version before.
fn before(path: &Path) -> PathBuf {
    path.with_extension(BEFORE)
}
