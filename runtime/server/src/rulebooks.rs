//! The packs and catalogs in use, which change while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use model::Rulebook;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};

use crate::settings::BillingSettings;

/// The rulebook in use. Clones share it.
#[derive(Clone)]
pub struct Rulebooks(Arc<Inner>);

struct Inner {
    current: RwLock<Arc<Rulebook>>,
    /// Locked while a change of the catalogs is checked, written and taken into use.
    turn: Arc<Mutex<()>>,
    changed: Arc<Notify>,
}

impl Rulebooks {
    /// Begins with the packs of a server, and the operator's taxes and zone.
    pub fn new(rulebook: Rulebook, settings: &BillingSettings) -> Self {
        let rulebook = rulebook.with_usual_tax(settings.tax.clone()).with_zone(settings.zone);
        let current = RwLock::new(Arc::new(rulebook));
        Self(Arc::new(Inner { current, turn: Arc::default(), changed: Arc::default() }))
    }

    /// The packs and catalogs in use.
    pub fn current(&self) -> Arc<Rulebook> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other packs or catalogs into use, for the orders to come.
    pub(crate) fn replace(&self, rulebook: Rulebook) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rulebook);
        self.0.changed.notify_one();
    }

    /// Locks the catalogs: changes of them are checked and written one after the other.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0.turn).lock_owned().await
    }

    /// Notified when an order that could not be planned may be planned now: the packs, the catalogs,
    /// the plugins or an order that it waits for have changed.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.0.changed)
    }
}
