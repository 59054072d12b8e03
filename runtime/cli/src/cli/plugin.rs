//! `ferrule plugin`: make the project of a plugin, build it, and look at plugin files.

mod call;
mod certify;
mod folder;
mod generate;
mod granted;
mod imports;
mod language;
mod list;
mod moves;
mod new;
mod oci;
mod project;
mod remote;
mod replay;
mod scratch;
mod secret;
mod shadow;
mod ship;
mod show;
mod template;
mod test;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use engine::pools::Pools;
use engine::store::Memory;
use host::folder::shown;
use host::{Host, Installed, Options};
use tempfile::TempDir;

use self::project::Project;
use super::{Usage, say};
use crate::repository::Repository;
use server::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Make a project for a plugin of your own, with a unit test that passes.
    New(new::New),
    /// Build the plugin of a project into its folder `dist`, or those of this repository.
    Build {
        /// The folder of the project; in a checkout of Ferrule, that.
        #[arg(default_value = ".")]
        project: PathBuf,
    },
    /// Call a plugin once, without a server, and print what it answers.
    Run(call::Run),
    /// Prove a plugin offline against a simulated element that fails in every way, by the cases of its project.
    Test(test::Test),
    /// Sign that a plugin passed every cell of `plugin test`, or check such a certificate.
    Certify(certify::Certify),
    /// Download a real attempt from a server as a case for `plugin test`, without secrets.
    Replay(replay::Replay),
    /// Build the plugin of a project again after each change, for a server that runs.
    Watch(watch::Watch),
    /// Check a plugin file, or every one in a folder: would it be installed? Of its code only `describe` is run.
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
    /// Write a plugin as an OCI artefact, to a registry or to a layout on disk.
    Push(ship::Push),
    /// Read a plugin from a registry or a layout, and check its digests.
    Pull(ship::Pull),
    /// Put a plugin into the folder of a server, or send it to one, if the server would take it in.
    Install(folder::Install),
    /// Remove a plugin from the folder of a server, or from one that runs.
    Remove(folder::Named),
    /// Go back to the version of a plugin that was installed before.
    Rollback(folder::Rollback),
    /// Have all new orders of a server use the version of a plugin that is on trial.
    Promote(remote::OfServer),
    /// End the trial of a version: no new order of a server uses it.
    Abort(remote::OfServer),
    /// List, show or delete what a plugin keeps in its scratch space on a server.
    Scratch(scratch::Scratch),
    /// Have open orders and runs of a server use another version of a plugin.
    Move(moves::Move),
    /// List how the version of a plugin that is in shadow differs from the one in use, of a server.
    Shadow(shadow::Listing),
    /// Show a plugin: what it requests, is granted, used, reads and gives.
    Show(show::Show),
    /// List the plugins of a folder or of a server: what each asks for and is granted, and why one
    /// is rejected.
    List(list::List),
}

pub(crate) async fn run(command: Plugin) -> Result<()> {
    match command {
        Plugin::New(arguments) => new::run(arguments),
        Plugin::Build { project } => build(&project).await,
        Plugin::Run(arguments) => call::run(arguments).await,
        Plugin::Certify(arguments) => certify::run(arguments).await,
        Plugin::Replay(arguments) => replay::run(arguments).await,
        Plugin::Test(arguments) => test::run(arguments).await,
        Plugin::Watch(arguments) => watch::run(arguments).await,
        Plugin::Check { path, config } => check(path, config).await,
        Plugin::Pack { component, manifest, output } => pack(&component, &manifest, &output),
        Plugin::Push(arguments) => ship::push(arguments).await,
        Plugin::Pull(arguments) => ship::pull(arguments).await,
        Plugin::Install(arguments) => folder::install(arguments).await,
        Plugin::Remove(arguments) => folder::remove(arguments).await,
        Plugin::Rollback(arguments) => folder::rollback(arguments).await,
        Plugin::Promote(arguments) => remote::promote(arguments).await,
        Plugin::Abort(arguments) => remote::abort(arguments).await,
        Plugin::Scratch(arguments) => scratch::run(arguments).await,
        Plugin::Move(arguments) => moves::run(arguments).await,
        Plugin::Shadow(arguments) => shadow::run(arguments).await,
        Plugin::Show(arguments) => show::run(arguments).await,
        Plugin::List(arguments) => list::run(arguments).await,
    }
}

/// Builds a project, or the shipped plugins if the folder is that of a checkout.
async fn build(folder: &Path) -> Result<()> {
    let is_shipped = !Project::is_at(folder) && folder == Path::new(".");
    if !is_shipped {
        let project = Project::open(folder)?;
        let inspector = Inspector::new(&Config::default())?;
        return project.build(&inspector).await.map(drop);
    }
    let repository = Repository::find()?;
    let folder = tokio::task::block_in_place(|| repository.build_plugins())?;
    say(&folder.display().to_string())
}

/// Writes a component with its manifest, if that makes a plugin.
fn pack(component: &Path, manifest: &Path, output: &Path) -> Result<()> {
    let (bytes, text) = (read_file(component)?, read_file(manifest)?);
    let plugin = host::manifest::embed(&bytes, &text)
        .with_context(|| format!("`{}` cannot be used", manifest.display()))?;
    let manifest = host::Manifest::of(plugin.clone())
        .with_context(|| format!("`{}` is no plugin with it", component.display()))?;
    std::fs::write(output, &plugin)
        .with_context(|| format!("cannot write `{}`", output.display()))?;
    let host::Manifest { id, version, world, .. } = manifest;
    say(&format!("{}: {id} {version} ({world}), {} bytes", shown(output), plugin.len()))
}

/// The bytes of a file that an argument names.
fn read_file(path: &Path) -> Result<Vec<u8>, Usage> {
    let bytes = std::fs::read(path);
    bytes.map_err(|error| Usage(format!("cannot read `{}`: {error}", path.display())))
}

async fn check(path: PathBuf, config: Option<PathBuf>) -> Result<()> {
    if !path.exists() {
        return Err(Usage(format!("there is no `{}`", path.display())).into());
    }
    let config = Config::read(config.as_deref())?;
    let (inspector, trust) = (Inspector::new(&config)?, config.install.trust()?);
    let host = &inspector.host;
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
        let (size, proofs) = (bytes.len(), remote::proofs(file)?);
        let result = installed(host, bytes.to_owned()).await.and_then(|plugin| {
            let vouched = trust.vouches(&plugin.id, &bytes, &proofs);
            vouched.map(|()| plugin).map_err(|error| server::serve::reason(&error))
        });
        if let Err(reason) = &result {
            refused += 1;
            say(&format!("{}: refused: {reason}", shown(file)))?;
        }
        if let Ok(plugin) = result {
            say(&format!(
                "{}: {} {} ({}), {size} bytes, {:?}, sha256 {}",
                shown(file),
                plugin.id,
                plugin.version,
                plugin.role,
                plugin.effects,
                plugin.digest.short(),
            ))?;
        }
    }
    if refused > 0 {
        bail!("{refused} of {} would not be taken in", files.len());
    }
    Ok(())
}

/// Installs a plugin and reads the schemas by which it describes its JSON; fails with the reason.
async fn installed(host: &Host, bytes: Vec<u8>) -> Result<Installed, String> {
    let plugin = host.install(bytes).await.map_err(|error| server::serve::reason(&error))?;
    match host.describe(&plugin.digest).await {
        Ok(_) => Ok(plugin),
        Err(failure) => Err(format!("it cannot describe its input: {}", failure.message)),
    }
}

/// A host that inspects plugins, in a folder of its own that is removed with it.
pub(super) struct Inspector {
    pub(super) host: Host,
    pools: Pools,
    _cache: TempDir,
}

impl Inspector {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let cache = TempDir::with_prefix("ferrule-check-")?;
        let pools = Pools::default();
        let mut options = Options::new(Arc::new(Memory::default()), pools.clone(), cache.path());
        config.host.apply(&mut options);
        options.grants = config.grants();
        options.targets.clone_from(&config.targets);
        options.trust = config.install.trust()?;
        Ok(Self { host: Host::new(options)?, pools, _cache: cache })
    }
}
