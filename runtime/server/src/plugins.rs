//! The plugins of a server: the host that runs them, and whether their folder was read.

use std::sync::Arc;

use host::{Host, Loaded};
use tokio::sync::watch;

/// The plugins. Cheap to clone.
#[derive(Clone)]
pub struct Plugins {
    /// Runs them.
    pub host: Host,
    /// Tells when the folder was read; `None` if there is no folder to wait for.
    first_look: Option<FirstLook>,
}

impl Plugins {
    /// Plugins that are all installed.
    pub fn new(host: Host) -> Self {
        Self { host, first_look: None }
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
