//! Takes other keys into use while plugins run. A plugin whose key is no longer trusted goes on until the next
//! start, and is shown as such.

use std::path::Path;
use std::sync::Arc;

use model::{Digest, PluginId};

use crate::host::Host;
use crate::registry::{Entry, State};
use crate::shared::blocking;
use crate::trust::{Proofs, Trust};
use crate::versions::Used;

impl Host {
    /// Trusts other keys; returns whether they are others. Files that were rejected are looked at again by the
    /// next [`load_dir`](Self::load_dir).
    pub async fn rekey(&self, trust: Trust) -> bool {
        if !self.0.trust.replace(trust) {
            return false;
        }
        let entries = self.entries(Used::new()).await.unwrap_or_default();
        for entry in entries.iter().filter(|entry| entry.is_current) {
            if let (Some(plugin), Some(reason)) = (&entry.id, &entry.untrusted) {
                tracing::warn!(
                    plugin,
                    reason,
                    "the plugin goes on without trust: the next start refuses it"
                );
            }
        }
        true
    }

    /// Whether something vouches for the file of a plugin that was not looked at yet.
    pub(crate) async fn has_new_proofs(&self, file: &Path, digest: &Digest) -> bool {
        if self.0.trust.now().is_off() {
            return false;
        }
        let (shared, file) = (Arc::clone(&self.0), file.to_owned());
        let digest = Digest::new(digest.as_str());
        let is_new = blocking(move || {
            let (given, kept) =
                (Proofs::beside(&file).unwrap_or_default(), shared.cache.proofs(&digest));
            let mut pairs = given.files().into_iter().zip(kept.files());
            pairs.any(|((_, given), (_, kept))| given.is_some() && given != kept)
        });
        is_new.await.unwrap_or(false)
    }

    /// Notes why a version that can be used would be refused now.
    pub(crate) fn judge(&self, entry: &mut Entry) {
        let is_usable = match entry.state {
            State::Ready | State::Kept => true,
            State::Gone | State::Rejected { .. } => false,
        };
        if let (true, Some(id), Some(known)) = (is_usable, &entry.id, &entry.provenance) {
            entry.untrusted = self.0.trust.now().distrusts(&PluginId::new(id.as_str()), known);
        }
    }
}
