//! Takes other grants into use while plugins run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Digest, PluginId};

use crate::error::{InstallError, Refused};
use crate::folder::Origin;
use crate::granting::RegrantError;
use crate::grants::{CallbackProof, Grants, Target};
use crate::host::Host;
use crate::install::Plugin;
use crate::rate::Throttle;
use crate::shared::blocking;

impl Host {
    /// Sets what all plugins share of targets. Requests that wait go on as they began.
    pub fn share(&self, targets: BTreeMap<Target, Throttle>) {
        self.0.granting.share(targets);
    }

    /// What an element shows that answers a task of a plugin under a key that it knows by itself.
    pub fn callback_proof(&self, plugin: &PluginId) -> CallbackProof {
        self.0.granting.of(plugin).0.callbacks.clone()
    }

    /// Takes other grants into use, and returns the plugins whose grants changed. A plugin whose grants no
    /// longer suffice is rejected. Files that were rejected are looked at again by the next
    /// [`load_dir`](Self::load_dir). If there is an error, the grants stay as they were.
    pub async fn regrant(
        &self,
        grants: BTreeMap<PluginId, Grants>,
    ) -> Result<BTreeSet<PluginId>, RegrantError> {
        let shared = Arc::clone(&self.0);
        // Certificates are read from files.
        let replaced = blocking(move || shared.granting.replace(grants)).await;
        let changed = replaced.unwrap_or_else(|| Ok(BTreeSet::new()))?;
        for digest in self.0.registry.of(&changed) {
            match self.relinked(&digest).await {
                Ok(plugin) => self.0.registry.replace(plugin),
                // It goes on with those of before.
                Err(Refused { error: error @ InstallError::Settings { .. }, .. }) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(%digest, error, "the plugin keeps its settings");
                }
                Err(refused) => {
                    let error = self.0.registry.revoke(&digest, refused);
                    tracing::warn!(%digest, error = &error as &dyn std::error::Error, "plugin rejected");
                }
            }
        }
        Ok(changed)
    }

    /// A plugin that is loaded, made again with the grants of now.
    async fn relinked(&self, digest: &Digest) -> Result<Arc<Plugin>, Refused> {
        let (shared, bytes) = (Arc::clone(&self.0), self.kept(digest).await?);
        let examined = blocking(move || shared.examine(bytes, &Origin::Cache));
        let component = examined.await.unwrap_or(Err(InstallError::Closing.into()))?;
        self.make(&component).await.map_err(|error| component.refused(error))
    }
}
