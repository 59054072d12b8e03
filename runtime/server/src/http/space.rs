//! The space that is left on the disk of the data. With too little of it nothing new is taken on, so that what was
//! accepted can be finished: a store whose disk is full cannot write its outcomes.

use std::path::PathBuf;

use super::demand::Demand;
use super::problem::Problem;
use crate::access::{ApiName, Permission, Verb};
use crate::config::Config;

/// Operations of our own API that take on new work. The others repair, decide, answer or remove.
const TAKING_ON: [&str; 8] = [
    "workflows/runs",
    "imports",
    "exports",
    "quotes/order",
    "billing/runs",
    "reconciliations",
    "customers/interactions",
    "plugins",
];

/// The disk of the data, and how much of it must be free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    folder: PathBuf,
    free_bytes_min: u64,
}

impl Space {
    /// The disk of some settings; `None` if the store is in a database, or there is no limit.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let free_bytes_min = config.limits.disk_free_mib << 20;
        let is_limited = config.store.is_none() && free_bytes_min > 0;
        is_limited.then(|| Self { folder: config.data.clone(), free_bytes_min })
    }

    /// Refuses a request that takes on new work while there is too little space.
    pub(super) fn check(&self, demands: &[Demand]) -> Result<(), Problem> {
        if !demands.iter().any(|demand| takes_on(&demand.permission)) {
            return Ok(());
        }
        match store::free_bytes(&self.folder) {
            Ok(free) if free < self.free_bytes_min => {
                tracing::warn!(
                    free,
                    min = self.free_bytes_min,
                    "the disk of the data is nearly full"
                );
                Err(Problem::unavailable(
                    "the disk of the server is nearly full, so nothing new is taken on: try again later",
                ))
            }
            Ok(_) => Ok(()),
            // What cannot be told refuses nothing.
            Err(error) => {
                tracing::warn!(%error, "the free space of the disk cannot be told");
                Ok(())
            }
        }
    }
}

/// Whether a request with this permission leaves more to do or to keep.
fn takes_on(permission: &Permission) -> bool {
    match (&permission.api, permission.verb) {
        (_, Verb::Read | Verb::Delete) | (ApiName::Server, _) => false,
        (ApiName::Standard(_), Verb::Create | Verb::Change | Verb::Act) => true,
        (ApiName::Orchestration, Verb::Create | Verb::Change | Verb::Act) => {
            TAKING_ON.contains(&permission.resource.as_str())
        }
    }
}

#[cfg(test)]
mod tests;
