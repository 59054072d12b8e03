//! `ferrule plugin`: build the shipped plugins, and look at plugin files.

mod list;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use engine::pools::Pools;
use engine::store::Memory;
use host::folder::shown;
use host::{Host, Options};
use model::PluginId;

use super::{Usage, say};
use crate::repository::Repository;
use server::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Build the plugins of this repository and print the folder that they are in.
    Build,
    /// Check a plugin file, or every one in a folder: would it be taken in? No code of it is run.
    Check {
        /// The file or the folder.
        path: PathBuf,
        /// The settings with what plugins are granted.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Put a manifest into a component, which makes it a plugin: for languages other than Rust.
    Pack {
        /// The component.
        component: PathBuf,
        /// Its manifest, as TOML.
        manifest: PathBuf,
        /// Where the plugin is written.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// List the plugins of a folder or of a server: what each asks for and is granted, and why one
    /// is rejected.
    List(list::List),
}

pub(crate) async fn run(command: Plugin) -> Result<()> {
    match command {
        Plugin::Build => {
            let repository = Repository::find()?;
            let folder = tokio::task::block_in_place(|| repository.build_plugins())?;
            say(&folder.display().to_string())
        }
        Plugin::Check { path, config } => check(path, config).await,
        Plugin::Pack { component, manifest, output } => pack(&component, &manifest, &output),
        Plugin::List(arguments) => list::run(arguments).await,
    }
}

/// Writes a component with its manifest, if that makes a plugin.
fn pack(component: &Path, manifest: &Path, output: &Path) -> Result<()> {
    let read = |path: &Path| {
        let bytes = std::fs::read(path);
        bytes.map_err(|error| Usage(format!("cannot read `{}`: {error}", path.display())))
    };
    let (bytes, text) = (read(component)?, read(manifest)?);
    let plugin = host::manifest::embed(&bytes, &text)
        .with_context(|| format!("`{}` cannot be used", manifest.display()))?;
    let manifest = host::Manifest::of(plugin.clone())
        .with_context(|| format!("`{}` is no plugin with it", component.display()))?;
    std::fs::write(output, &plugin)
        .with_context(|| format!("cannot write `{}`", output.display()))?;
    let host::Manifest { id, version, world, .. } = manifest;
    say(&format!("{}: {id} {version} ({world}), {} bytes", shown(output), plugin.len()))
}

async fn check(path: PathBuf, config: Option<PathBuf>) -> Result<()> {
    if !path.exists() {
        return Err(Usage(format!("there is no `{}`", path.display())).into());
    }
    let (host, cache) = looker(Config::read(config.as_deref())?)?;
    let files = if path.is_dir() {
        let entries = std::fs::read_dir(&path)?.flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_some_and(|kind| kind == "wasm")).collect()
    } else {
        vec![path]
    };
    let mut refused = 0;
    for file in &files {
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let size = bytes.len();
        match host.install(bytes).await {
            Ok(plugin) => say(&format!(
                "{}: {} {} ({}), {size} bytes, {:?}, sha256 {}",
                shown(file),
                plugin.id,
                plugin.version,
                plugin.role,
                plugin.effects,
                plugin.digest.short(),
            ))?,
            Err(error) => {
                refused += 1;
                say(&format!("{}: refused: {}", shown(file), server::serve::reason(&error)))?;
            }
        }
    }
    drop(host);
    std::fs::remove_dir_all(&cache).ok();
    if refused > 0 {
        bail!("{refused} of {} would not be taken in", files.len());
    }
    Ok(())
}

/// A host that looks at plugins and calls none, with the folder of what it compiles.
fn looker(config: Config) -> Result<(Host, PathBuf)> {
    let cache = tempfile()?;
    let mut options = Options::new(Arc::new(Memory::default()), Pools::default(), &cache);
    config.host.apply(&mut options);
    let grants = config.plugins.into_iter();
    options.grants = grants.map(|(id, grants)| (PluginId::new(id), grants)).collect();
    Ok((Host::new(options)?, cache))
}

fn tempfile() -> Result<PathBuf> {
    let path =
        std::env::temp_dir().join(format!("ferrule-check-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&path)?;
    Ok(path)
}
