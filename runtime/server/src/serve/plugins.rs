//! Installs plugins as they are added to their folder. The first look happens after the server
//! listens: until it is done, orders would be held for missing plugins.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::core::read_fulfilment;
use engine::keys;
use engine::store::{Scan, Store, pages};
use host::folder::{is_plugin, shown};
use host::trust::Proofs;
use host::{Host, InstallError, Loaded};
use model::{Digest, FulfilmentId};
use tokio::sync::Notify;

use super::followed::Followed;
use super::reason;
use crate::plugins::Look;
use crate::stamp::{Stamp, stamp};

/// The interval of looks at the folder.
const LOOK: Duration = Duration::from_secs(1);

/// Looks until a temporary failure is tried again.
const RETRY_LOOKS: u32 = 10;

/// The interval of removals of unused versions.
const SWEEP: Duration = Duration::from_secs(3_600);

/// Open plans that are listed at once.
const PAGE: usize = 1_000;

/// The plugins folder.
pub(super) struct Folder {
    pub(super) host: Host,
    /// Notified when plugins may have been installed.
    pub(super) taken_in: Arc<Notify>,
    pub(super) path: PathBuf,
    /// The file with the grants.
    pub(super) settings: Option<Followed>,
    /// The store of open plans.
    pub(super) store: Arc<dyn Store>,
    /// Retention of unused versions.
    pub(super) keep_versions: Duration,
}

/// Polls the folder. A compilation under way when the server stops is abandoned.
pub(super) async fn watch(mut folder: Folder, look: Look, stopped: impl Future<Output = ()>) {
    let settings = folder.settings.take();
    tokio::select! {
        () = stopped => {}
        () = follow(&folder, settings, &look) => {}
        () = sweep(&folder) => {}
    }
}

/// Removes unused versions at intervals.
async fn sweep(plugins: &Folder) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let store = Arc::clone(&plugins.store);
        match plugins.host.sweep(plugins.keep_versions, move || needed(&*store)).await {
            Ok(removed) => {
                for digest in removed {
                    tracing::info!(%digest, "removed a version of a plugin that nothing needs");
                }
            }
            Err(error) => tracing::warn!(%error, "cannot remove unused versions of plugins"),
        }
    }
}

/// The digests that open plans began with; `None` if a plan cannot be read.
pub(crate) fn needed(store: &dyn Store) -> Option<BTreeSet<Digest>> {
    let mut needed = BTreeSet::new();
    for page in pages(store, Scan::prefix(keys::OPEN, PAGE)) {
        for (key, _) in &page.ok()? {
            let id = String::from_utf8_lossy(key.get(keys::OPEN.len()..).unwrap_or_default());
            let fulfilment = read_fulfilment(store, &FulfilmentId::new(id)).ok()?;
            needed.extend(fulfilment.iter().flat_map(|one| one.versions().into_iter().cloned()));
        }
    }
    Some(needed)
}

async fn follow(plugins: &Folder, mut settings: Option<Followed>, look: &Look) {
    let folder = plugins.path.as_path();
    if let Err(error) = host::versions::remove_drafts(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = shown(folder), %error, "cannot remove what was half written");
    }
    // Files that exist at the start were not written just now, so there is no wait for them.
    let host = &plugins.host;
    let mut last = Some(snapshot(folder));
    let mut seen = None;
    let mut retry = None;
    let mut failed = None;
    loop {
        // A file that was rejected may have its grants now.
        if let Some(settings) = &mut settings
            && settings.look(host).await
        {
            seen = None;
        }
        let current = Some(snapshot(folder));
        let is_settled = current == last;
        last.clone_from(&current);
        let is_due = current != seen || retry == Some(0);
        retry = retry.map(|looks: u32| looks.saturating_sub(1));
        // A file counts when it was the same in two looks, so a slow copy is not read halfway.
        if is_settled && is_due {
            match host.load_dir(folder).await {
                Ok(loaded) => {
                    loaded.iter().for_each(report);
                    retry = loaded.iter().any(is_passing).then_some(RETRY_LOOKS);
                    (seen, failed) = (current, None);
                    look.found(loaded);
                    plugins.taken_in.notify_one();
                }
                // It is tried again at the next look, and logged once.
                Err(error) if failed != Some(error.kind()) => {
                    failed = Some(error.kind());
                    let folder = shown(folder);
                    tracing::error!(folder, %error, "the plugins folder cannot be read");
                }
                Err(_) => {}
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether an unchanged file may be accepted later.
fn is_passing(loaded: &Loaded) -> bool {
    loaded.result.as_ref().is_err_and(InstallError::is_passing)
}

/// Whether a file is a proof of one that is beside it.
fn is_proof(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_of = |(kind, _): (&str, _)| name.ends_with(kind.as_bytes());
    Proofs::default().files().into_iter().any(is_of) && !name.starts_with(b".")
}

/// The plugin files of a folder and their proofs, with sizes and times, if they are readable.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Option<Stamp>)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| is_plugin(path) || is_proof(path))
        .map(|path| {
            let seen = stamp(&path);
            (path, seen)
        })
        .collect();
    files.sort();
    files
}

/// Logs the result of a file.
fn report(loaded: &Loaded) {
    let file = loaded.file.display();
    match &loaded.result {
        Ok(plugin) => {
            tracing::info!(%file, plugin = %plugin.id, version = plugin.version, "plugin ready");
        }
        Err(error) => {
            tracing::warn!(%file, reason = reason(error), "plugin not taken in");
        }
    }
}
