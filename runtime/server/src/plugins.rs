//! The plugins of a server: the host that runs them, and whether their folder was read.

pub(crate) mod usage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::causes::chain;
use host::{Host, InstallError, Loaded};
use tokio::sync::watch;

/// The plugins. Cheap to clone.
#[derive(Clone)]
pub struct Plugins {
    /// Runs them.
    pub host: Host,
    /// Tells when the folder was read; `None` if there is no folder to wait for.
    first_look: Option<FirstLook>,
    /// The folder that they are dropped into; `None` if there is none.
    folder: Option<Arc<PathBuf>>,
    uploads: Uploads,
}

/// Whether plugins may be installed, rolled back and removed over the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uploads {
    /// They may.
    #[default]
    On,
    /// They come by their folder only.
    Off,
}

/// Why plugins cannot be changed over the API.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum NoUploads {
    /// The folder was not read yet.
    #[error(
        "the server has just started and still takes in plugins: send the request again in a moment"
    )]
    Starting,
    /// The settings do not allow it.
    #[error(
        "`[install] uploads` of ferrule.toml is false: put the file into the folder of plugins, or \
         change the setting"
    )]
    Off,
    /// There is no folder.
    #[error("this server has no folder of plugins")]
    NoFolder,
}

impl Plugins {
    /// Plugins that are all installed.
    pub fn new(host: Host) -> Self {
        Self { host, first_look: None, folder: None, uploads: Uploads::On }
    }

    /// Plugins of a folder, which may be changed over the API or not.
    #[must_use]
    pub fn in_folder(self, folder: PathBuf, uploads: Uploads) -> Self {
        Self { folder: Some(Arc::new(folder)), uploads, ..self }
    }

    /// The folder, if it may be changed over the API.
    pub(crate) fn uploads(&self) -> Result<&Path, NoUploads> {
        match (self.uploads, &self.folder) {
            (Uploads::Off, _) => Err(NoUploads::Off),
            (Uploads::On, None) => Err(NoUploads::NoFolder),
            (Uploads::On, Some(_)) if !self.are_ready() => Err(NoUploads::Starting),
            (Uploads::On, Some(folder)) => Ok(folder),
        }
    }

    /// Plugins of a folder that is being read.
    #[must_use]
    pub fn ready_after(self, first_look: FirstLook) -> Self {
        Self { first_look: Some(first_look), ..self }
    }

    /// Whether the folder was read: before, orders would be held for missing plugins.
    pub fn are_ready(&self) -> bool {
        self.first_look.as_ref().is_none_or(FirstLook::is_done)
    }

    /// Waits until the folder was read; returns its files, none if there is no folder to wait for.
    pub(crate) async fn ready(&self) -> Arc<Vec<Loaded>> {
        match &self.first_look {
            Some(first_look) => first_look.wait().await,
            None => Arc::default(),
        }
    }
}

/// Why a plugin was refused, with its causes.
/// Much of it may be text from the file's author, so control characters are removed.
pub fn reason(error: &InstallError) -> String {
    let is_bad = |c: char| c.is_control() && c != '\n';
    chain(error).chars().map(|c| if is_bad(c) { ' ' } else { c }).collect()
}

/// The result of the first look at the plugins folder, when it is there.
#[derive(Clone, Debug)]
pub struct FirstLook(watch::Receiver<Option<Arc<Vec<Loaded>>>>);

impl FirstLook {
    /// Whether the folder was read.
    pub fn is_done(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The files of the folder; empty if the server ended before it was read.
    pub async fn wait(&self) -> Arc<Vec<Loaded>> {
        match self.0.clone().wait_for(Option::is_some).await {
            Ok(found) => found.clone().unwrap_or_default(),
            Err(_) => Arc::default(),
        }
    }
}

/// Reports the first look.
#[derive(Debug)]
pub(crate) struct Look(watch::Sender<Option<Arc<Vec<Loaded>>>>);

impl Look {
    /// Reports what a look at the folder found; only the first report counts.
    pub(crate) fn found(&self, loaded: Vec<Loaded>) {
        self.0.send_if_modified(|found| {
            let is_first = found.is_none();
            found.get_or_insert_with(|| Arc::new(loaded));
            is_first
        });
    }
}

/// Connects the reader of the folder with those who wait for it.
pub(crate) fn first_look() -> (Look, FirstLook) {
    let (look, first_look) = watch::channel(None);
    (Look(look), FirstLook(first_look))
}
