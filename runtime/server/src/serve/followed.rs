//! Follows the file of the settings: changed grants are taken into use without a restart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host::{Grants, Host};
use toml::Table;

use super::stamp::{Stamp, stamp};
use crate::config::Config;

/// The table of the settings that is taken into use when it changes.
const GRANTS: &str = "plugins";

/// The file of the settings.
pub(super) struct Followed {
    /// The grants of plugins that the file does not name.
    base_grants: BTreeMap<String, Grants>,
    path: PathBuf,
    last: Option<Stamp>,
    seen: Option<Stamp>,
    /// The settings that count from the next start.
    others: Option<Table>,
}

impl Followed {
    /// Follows the file that the settings were read from; `None` if there was none.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let path = config.file.clone()?;
        let seen = stamp(&path);
        let (others, base_grants) = (others(&path), config.base_grants.clone());
        Some(Self { base_grants, path, last: seen, seen, others })
    }

    /// Takes the grants of the file into use if it changed, and was the same in two looks. Returns whether
    /// grants changed. If the file cannot be used, those of before stay.
    pub(super) async fn look(&mut self, host: &Host) -> bool {
        let now = stamp(&self.path);
        let is_settled = now == self.last;
        self.last = now;
        if !is_settled || now == self.seen {
            return false;
        }
        self.seen = now;
        let file = self.path.display();
        let mut config = match Config::read(Some(&self.path)) {
            Ok(config) => config,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(%file, error, "the settings cannot be read: the grants stay");
                return false;
            }
        };
        if others(&self.path) != self.others {
            tracing::warn!(%file, "of the settings only grants count before the next start");
        }
        config.base_grants.clone_from(&self.base_grants);
        match host.regrant(config.grants()).await {
            Ok(changed) => {
                for plugin in &changed {
                    tracing::info!(%plugin, "its grants changed");
                }
                !changed.is_empty()
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(%file, error, "the grants stay as they were");
                false
            }
        }
    }
}

/// What a file has beside the grants.
fn others(path: &Path) -> Option<Table> {
    let mut table: Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
    table.remove(GRANTS);
    Some(table)
}
