//! `ferrule plugin watch`: builds a project again after each change, and swaps the plugin of a server
//! that runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;

use super::Inspector;
use super::project::Project;
use crate::cli::{Usage, say};
use crate::repository::write_whole;
use server::config::Config;

/// The pause between two looks at the files.
const PAUSE: Duration = Duration::from_millis(300);

/// Folders that builds write to, or that tools fill.
const LEFT_OUT: [&str; 6] = ["target", "dist", "vendor", "node_modules", ".git", ".venv"];

/// Max files of a project that are looked at.
const FILES_MAX: usize = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The folder of the project.
    #[arg(default_value = ".")]
    project: PathBuf,
    /// The folder of plugins of a server that runs: a plugin that was built well is put there.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Build once and end: for scripts.
    #[arg(long)]
    once: bool,
}

/// The state of the files of a project: their number, and the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    files: usize,
    bytes: u64,
    changed: SystemTime,
}

/// Builds after each change until it is interrupted. A build that fails is reported, and the plugin of
/// before stays.
pub(super) async fn run(watch: Watch) -> Result<()> {
    let Watch { project: folder, into, once } = watch;
    let project = Project::open(&folder)?;
    if let Some(into) = into.as_deref().filter(|into| !into.is_dir()) {
        return Err(Usage(format!("there is no folder `{}`", into.display())).into());
    }
    let inspector = Inspector::new(&Config::default())?;
    let mut seen = None;
    loop {
        let now = look(&folder)?;
        if seen != Some(now) {
            seen = Some(now);
            let built = update(&project, &inspector, into.as_deref()).await;
            if once {
                return built;
            }
            if let Err(error) = built {
                crate::report::complain(&error);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

async fn update(project: &Project, inspector: &Inspector, into: Option<&Path>) -> Result<()> {
    let built = project.build(inspector).await?;
    let Some(into) = into else { return Ok(()) };
    let name = built.file_name().context("a plugin has a name")?;
    let to = into.join(name);
    let bytes = std::fs::read(&built)?;
    write_whole(&bytes, &to).with_context(|| format!("cannot write `{}`", to.display()))?;
    say(&format!("{}: the server takes it in", to.display()))
}

/// Looks at the files of a project.
fn look(folder: &Path) -> Result<Seen> {
    let mut seen = Seen { files: 0, bytes: 0, changed: SystemTime::UNIX_EPOCH };
    add(folder, &mut seen)
        .with_context(|| format!("cannot look at the files of `{}`", folder.display()))?;
    Ok(seen)
}

fn add(folder: &Path, seen: &mut Seen) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A file may be gone by now, as editors replace them.
        let Ok(data) = entry.metadata() else { continue };
        if data.is_dir() {
            let name = entry.file_name();
            if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                add(&entry.path(), seen)?;
            }
            continue;
        }
        seen.files += 1;
        seen.bytes += data.len();
        seen.changed = seen.changed.max(data.modified()?);
        if seen.files > FILES_MAX {
            return Err(std::io::Error::other(format!("there are more than {FILES_MAX}")));
        }
    }
    Ok(())
}
