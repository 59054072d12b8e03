//! Whether the plugins folder was looked at.

use std::sync::Arc;

use host::Loaded;
use tokio::sync::watch;

/// Tells when the folder was looked at for the first time.
#[derive(Clone, Debug)]
pub struct Looked(watch::Receiver<Option<Arc<Vec<Loaded>>>>);

impl Looked {
    /// Whether the folder was looked at.
    pub fn is_done(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// What was found; empty where the server ended before.
    pub async fn wait(mut self) -> Arc<Vec<Loaded>> {
        match self.0.wait_for(Option::is_some).await {
            Ok(found) => found.clone().unwrap_or_default(),
            Err(_) => Arc::default(),
        }
    }
}

/// Tells of the first look.
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

/// The two ends of the news of the first look.
pub(crate) fn looked() -> (Look, Looked) {
    let (look, looked) = watch::channel(None);
    (Look(look), Looked(looked))
}
