//! The grants of all plugins, which the operator may change while the host runs. A call that is under way
//! keeps those that it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use model::PluginId;

use crate::capability::http::Client;
use crate::gate::Gates;
use crate::grants::{Grants, Target};
use crate::limits::CEILING;
use crate::rate::Throttle;
use crate::secret::Safe;
use crate::tls::TargetFault;

/// The grants of a plugin, and the client that may go as far as they do.
pub(crate) type Granted = (Arc<Grants>, Client);

/// The grants of all plugins.
pub(crate) struct Granting {
    by_plugin: RwLock<BTreeMap<PluginId, Granted>>,
    /// For a plugin that is granted nothing.
    nothing: Granted,
    gates: Arc<Gates>,
    /// Keys of mutual TLS may be secrets.
    safe: Arc<Safe>,
    /// Max memory of one call in MiB, which is set when the host starts.
    memory_mib_max: u32,
}

/// Why new grants cannot be taken into use.
#[derive(Debug, thiserror::Error)]
pub enum RegrantError {
    /// A call would have more memory than the host was started for.
    #[error(
        "`{plugin}` may not have {memory_mib} MiB before the next start: the host has room for \
         {memory_mib_max} MiB in a call"
    )]
    Memory {
        /// The plugin.
        plugin: PluginId,
        /// The memory that it is granted.
        memory_mib: u32,
        /// The memory that there is.
        memory_mib_max: u32,
    },
    /// A setting about a target cannot be used.
    #[error("a target of a plugin cannot be set up")]
    Target(#[source] TargetFault),
}

impl Granting {
    /// Grants within the memory that a call may have.
    pub(crate) fn new(
        grants: BTreeMap<PluginId, Grants>,
        safe: &Arc<Safe>,
        memory_mib_max: u32,
    ) -> Result<Self, RegrantError> {
        check_memory(&grants, memory_mib_max)?;
        let gates = Arc::default();
        let nothing = granted(&PluginId::new(""), Grants::default(), (&gates, safe));
        let nothing = nothing.map_err(RegrantError::Target)?;
        let by_plugin = settled(grants, (&gates, safe)).map_err(RegrantError::Target)?;
        let (by_plugin, safe) = (RwLock::new(by_plugin), Arc::clone(safe));
        Ok(Self { by_plugin, nothing, gates, safe, memory_mib_max })
    }

    /// The memory that a call may have by any of these grants, or without one.
    pub(crate) fn memory_mib_max<'a>(grants: impl Iterator<Item = &'a Grants>) -> u32 {
        let memory_max = |grants: &Grants| grants.limits.memory_mib.unwrap_or(0);
        grants.map(memory_max).fold(CEILING.memory_mib, u32::max)
    }

    /// The memory that a call may have.
    pub(crate) fn memory_mib(&self) -> u32 {
        self.memory_mib_max
    }

    /// The grants of the plugin with this id.
    pub(crate) fn of(&self, id: &PluginId) -> Granted {
        // Every change leaves the map consistent, so a poisoned lock is still good.
        let by_plugin = self.by_plugin.read().unwrap_or_else(PoisonError::into_inner);
        by_plugin.get(id).unwrap_or(&self.nothing).clone()
    }

    /// Sets what all plugins share of targets.
    pub(crate) fn share(&self, targets: BTreeMap<Target, Throttle>) {
        self.gates.share(targets);
    }

    /// Takes other grants into use, and returns the plugins whose grants changed.
    pub(crate) fn replace(
        &self,
        grants: BTreeMap<PluginId, Grants>,
    ) -> Result<BTreeSet<PluginId>, RegrantError> {
        check_memory(&grants, self.memory_mib_max)?;
        let settled = settled(grants, (&self.gates, &self.safe)).map_err(RegrantError::Target)?;
        let mut by_plugin = self.by_plugin.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = BTreeSet::new();
        by_plugin.retain(|id, _| settled.contains_key(id) || !changed.insert(id.clone()));
        for (id, after) in settled {
            let is_same = |before: &Granted| before.0 == after.0 && before.1.has_files_of(&after.1);
            if !by_plugin.get(&id).is_some_and(is_same) {
                changed.insert(id.clone());
                by_plugin.insert(id, after);
            }
        }
        Ok(changed)
    }
}

fn check_memory(
    grants: &BTreeMap<PluginId, Grants>,
    memory_mib_max: u32,
) -> Result<(), RegrantError> {
    for (plugin, grants) in grants {
        let memory_mib = grants.limits.memory_mib.unwrap_or(0);
        if memory_mib > memory_mib_max {
            let plugin = plugin.clone();
            return Err(RegrantError::Memory { plugin, memory_mib, memory_mib_max });
        }
    }
    Ok(())
}

/// The grants of each plugin with their clients.
fn settled(
    grants: BTreeMap<PluginId, Grants>,
    shared: (&Arc<Gates>, &Arc<Safe>),
) -> Result<BTreeMap<PluginId, Granted>, TargetFault> {
    let one = |(id, grants): (PluginId, Grants)| {
        let granted = granted(&id, grants, shared)?;
        Ok((id, granted))
    };
    grants.into_iter().map(one).collect()
}

fn granted(
    plugin: &PluginId,
    grants: Grants,
    shared: (&Arc<Gates>, &Arc<Safe>),
) -> Result<Granted, TargetFault> {
    let client = Client::new(plugin, &grants, shared)?;
    Ok((Arc::new(grants), client))
}
