//! Trials of versions over the API: a candidate takes a share of new orders, or repeats their calls in shadow,
//! and is promoted or aborted.

use std::sync::Arc;

use engine::worker::Effects;
use model::{Digest, PluginId};

use crate::candidate::{Candidate, Chooser, Trial};
use crate::component::Component;
use crate::contract::Part;
use crate::error::InstallError;
use crate::folder::Origin;
use crate::host::Host;
use crate::provenance::Moment;
use crate::role::Role;
use crate::shared::blocking;
use crate::trust::Proofs;
use crate::versions::{Turn, VersionError};

use engine::clock::Clock as _;

/// The version of a plugin that the plan of an order uses.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Its digest.
    pub digest: Digest,
    /// The effects that it can have.
    pub effects: Effects,
    /// Whether its work can be undone.
    pub can_undo: bool,
}

/// What a version offers to open work.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// Its role.
    pub role: Role,
    /// Whether its work can be undone.
    pub can_undo: bool,
    /// Whether it finds out the fate of its work.
    pub probe: bool,
    /// Whether it reads callbacks.
    pub callbacks: bool,
}

impl Host {
    /// The version of a plugin that the plan of an order uses; without an order, the one that is not on
    /// trial. `None` if there is no such plugin.
    pub fn choose(&self, id: &PluginId, chooser: Option<Chooser<'_>>) -> Option<Chosen> {
        let registry = &self.0.registry;
        let plugin = match chooser {
            Some(chooser) => registry.chosen(id, chooser)?,
            None => registry.current(id)?,
        };
        let (digest, effects) = (plugin.installed.digest.clone(), plugin.installed.effects);
        Some(Chosen { digest, effects, can_undo: plugin.can_undo })
    }

    /// What a kept version offers to open work, if it may be called with the grants and keys of now.
    pub async fn offers(&self, id: &PluginId, digest: &Digest) -> Result<Offered, InstallError> {
        self.vouched(id, digest).await?;
        let plugin = self.restored(digest).await?;
        if plugin.installed.id != *id {
            return Err(InstallError::NotKept { digest: digest.clone() });
        }
        let (role, can_undo) = (plugin.installed.role, plugin.can_undo);
        let (probe, callbacks) = (plugin.offers(Part::Probe), plugin.offers(Part::Callbacks));
        Ok(Offered { role, can_undo, probe, callbacks })
    }

    /// Checks what vouches for a kept version, by the keys of now.
    async fn vouched(&self, id: &PluginId, digest: &Digest) -> Result<(), InstallError> {
        let (id, digest) = (PluginId::new(id.as_str()), Digest::new(digest.as_str()));
        let shared = Arc::clone(&self.0);
        let checked = blocking(move || shared.check_kept(&id, &digest)).await;
        checked.unwrap_or(Err(InstallError::Closing))
    }

    /// Goes on with the trials that were under way when the host was last stopped.
    pub(crate) async fn resume_trials(&self) {
        for id in self.0.registry.without_candidate() {
            let binding = self.binding(&id);
            let Ok(Some(candidate)) = binding.map(|binding| binding.candidate) else { continue };
            let vouched = self.vouched(&id, &candidate.digest).await;
            let restored = match vouched {
                Ok(()) => self.restored(&candidate.digest).await,
                Err(error) => Err(error),
            };
            match restored {
                Ok(_) => self.0.registry.set_candidate(id, Some(candidate)),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(plugin = %id, error, "the version on trial cannot be used");
                }
            }
        }
    }
}

impl Turn<'_> {
    /// Has some new orders use these bytes, or repeats their calls with them, if they are a plugin with this id that the folder would take
    /// in. When this returns, that is on disk. If there is an error nothing has changed.
    pub async fn try_out(
        &self,
        id: &PluginId,
        (bytes, proofs): (Vec<u8>, Proofs),
        trial: Trial,
    ) -> Result<Digest, VersionError> {
        let host = self.host();
        let component = Component::read(bytes, host.0.plugin_bytes_max);
        let component = component.map_err(|refused| refused.error)?;
        let Component { digest, bytes, manifest, .. } = component;
        if manifest.id != id.as_str() {
            return Err(VersionError::OtherId { found: PluginId::new(manifest.id) });
        }
        match self.current(id) {
            None => return Err(VersionError::Unknown),
            Some(current) if current == digest => return Err(VersionError::IsCurrent),
            Some(_) => {}
        }
        let origin = Origin::Upload { file: self.file(id, &manifest.version)?, proofs };
        let plugin = host.build(bytes, origin).await.map_err(|refused| refused.error)?;
        host.0.registry.keep(plugin);
        let since = Moment(host.0.clock.now());
        let candidate = Candidate { digest: digest.clone(), trial, since };
        self.set_candidate(id, Some(candidate)).await?;
        Ok(digest)
    }

    /// Has all new orders use the version on trial.
    pub async fn promote(&self, id: &PluginId) -> Result<Digest, VersionError> {
        let candidate = self.host().binding(id)?.candidate.ok_or(VersionError::NoTrial)?;
        let bytes = self.host().kept(&candidate.digest).await?;
        let digest = self.install(id, bytes, Proofs::default()).await?;
        self.set_candidate(id, None).await?;
        Ok(digest)
    }

    /// Ends the trial: no new order uses the version.
    pub async fn abort(&self, id: &PluginId) -> Result<(), VersionError> {
        self.host().binding(id)?.candidate.ok_or(VersionError::NoTrial)?;
        self.set_candidate(id, None).await
    }

    /// Puts a version on trial, or ends the trial, on disk first.
    pub(crate) async fn set_candidate(
        &self,
        id: &PluginId,
        candidate: Option<Candidate>,
    ) -> Result<(), VersionError> {
        let (shared, of, written) =
            (Arc::clone(&self.host().0), PluginId::new(id.as_str()), candidate.clone());
        let written = blocking(move || shared.bindings.set_candidate(&of, written));
        let written = written.await.ok_or(InstallError::Closing)?;
        written.map_err(crate::versions::unreadable)?;
        if candidate.is_none() {
            self.host().0.shadows.forget(id);
        }
        self.host().0.registry.set_candidate(PluginId::new(id.as_str()), candidate);
        Ok(())
    }
}
