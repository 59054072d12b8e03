//! The versions on trial, of which some repeat calls of another version.

use std::sync::Arc;

use model::{Digest, PluginId};

use super::{Inner, Registry};
use crate::candidate::{Candidate, Lot, Mode};
use crate::install::Plugin;

/// A version that is in shadow, for one order.
pub(crate) struct InShadow {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) lot: Lot,
}

impl Registry {
    /// The version of a plugin that is in shadow, if it repeats the calls of an order with another one.
    pub(crate) fn shadow(&self, id: &PluginId, beside: &Digest, order: &str) -> Option<InShadow> {
        let inner = self.read();
        let candidate = inner.shadow(id).filter(|one| one.digest != *beside)?;
        let lot = candidate.trial.lot(id, order);
        // One whose grants no longer do is not loaded.
        let plugin = inner.plugins.get(&candidate.digest).filter(|_| lot != Lot::NotDrawn)?;
        Some(InShadow { plugin: Arc::clone(&plugin.plugin), lot })
    }

    /// Whether the orders of a customer take part in the shadow of a plugin.
    pub(crate) fn shadows_customer(&self, id: &PluginId, customer: &str) -> bool {
        self.read().shadow(id).is_some_and(|one| one.trial.customers.contains(customer))
    }

    /// Puts a version on trial, or ends the trial.
    pub(crate) fn set_candidate(&self, id: PluginId, candidate: Option<Candidate>) {
        let mut inner = self.write();
        match candidate {
            Some(candidate) => inner.candidates.insert(id, candidate),
            None => inner.candidates.remove(&id),
        };
    }

    /// The plugins that new plans use of which no version is on trial.
    pub(crate) fn without_candidate(&self) -> Vec<PluginId> {
        let inner = self.read();
        let current = inner.current.keys();
        current.filter(|id| !inner.candidates.contains_key(*id)).cloned().collect()
    }

    /// The version of a plugin that is in shadow.
    pub(crate) fn in_shadow(&self, id: &PluginId) -> Option<Candidate> {
        self.read().shadow(id).cloned()
    }
}

impl Inner {
    fn shadow(&self, id: &PluginId) -> Option<&Candidate> {
        self.candidates.get(id).filter(|one| one.trial.mode == Mode::Shadow)
    }
}
