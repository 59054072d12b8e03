//! Follows the file of the settings, and the files with certificates and keys that it names: changed
//! grants and trusted keys are taken into use without a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::trust::Trust;
use host::{Grants, Host, regular};
use tokio::sync::watch;
use toml::{Table, Value};

use crate::config::{ClientCertificates, Config, ConfigError, FILE_BYTES_MAX, TrustError, Whose};
use crate::secrets::Sources;
use crate::stamp::{Stamp, stamp};

/// The tables of the settings that are taken into use when they change.
const TAKEN: [&str; 3] = ["plugins", "targets", "secrets"];

/// What is taken into use of `[install]`.
const TAKEN_OF_INSTALL: [&str; 4] = ["signatures", "keys", "certificates", "certifiers"];

/// The file of the settings.
pub(super) struct Followed {
    /// The grants of plugins that the file does not name.
    base_grants: BTreeMap<String, Grants>,
    secrets: watch::Sender<Arc<Sources>>,
    path: PathBuf,
    whose: Whose,
    /// Whether clients are asked for certificates, until the next start.
    asks: ClientCertificates,
    /// The files that the grants and keys name.
    named: BTreeSet<PathBuf>,
    last: Vec<Option<Stamp>>,
    seen: Vec<Option<Stamp>>,
    /// The settings that count from the next start.
    others: Option<Table>,
}

impl Followed {
    /// Follows the file that the settings were read from; `None` if there was none.
    pub(super) fn new(config: &Config, secrets: watch::Sender<Arc<Sources>>) -> Option<Self> {
        let path = config.file.clone()?;
        let (others, base_grants) = (others(&path), config.base_grants.clone());
        let (named, whose, asks) = (named(config), config.whose, config.asks());
        let (last, seen) = (Vec::new(), Vec::new());
        let mut followed =
            Self { base_grants, secrets, path, whose, asks, named, last, seen, others };
        followed.last = followed.stamps();
        followed.seen.clone_from(&followed.last);
        Some(followed)
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        std::iter::once(&self.path).chain(&self.named).map(|path| stamp(path)).collect()
    }

    /// Takes the grants and keys of the file into use if it changed, and was the same in two looks. Returns
    /// whether they changed. If the file cannot be used, those of before stay.
    pub(super) async fn look(&mut self, host: &Host) -> bool {
        let now = self.stamps();
        let is_settled = now == self.last;
        self.last = now;
        if !is_settled || self.last == self.seen {
            return false;
        }
        self.seen.clone_from(&self.last);
        let file = self.path.display();
        let Some(read) = reading(&self.path, self.whose, self.asks).await else { return false };
        let Read { mut config, trust, others } = match read {
            Ok(read) => read,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(%file, error, "the settings cannot be read: the grants stay");
                return false;
            }
        };
        if others != self.others {
            tracing::warn!(
                %file,
                "of the settings only grants, secrets and trusted keys count before the next start"
            );
        }
        self.take_secrets(std::mem::take(&mut config.secrets));
        config.base_grants.clone_from(&self.base_grants);
        self.named = named(&config);
        self.seen = self.stamps();
        let are_keys_changed = self.take_keys(trust, host).await;
        are_keys_changed | self.take_grants(config, host).await
    }

    /// Trusts the keys of the settings; returns whether they are others.
    async fn take_keys(&self, trust: Result<Trust, TrustError>, host: &Host) -> bool {
        match trust {
            Ok(trust) => {
                let are_others = host.rekey(trust).await;
                if are_others {
                    tracing::info!(file = %self.path.display(), "the keys that vouch for plugins changed");
                }
                are_others
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the keys that vouch for plugins stay as they were");
                false
            }
        }
    }

    /// Takes the grants of the settings into use; returns whether they changed.
    async fn take_grants(&self, mut config: Config, host: &Host) -> bool {
        match host.regrant(config.grants()).await {
            Ok(changed) => {
                host.share(std::mem::take(&mut config.targets));
                for plugin in &changed {
                    tracing::info!(%plugin, "its grants changed");
                }
                !changed.is_empty()
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(file = %self.path.display(), error, "the grants stay as they were");
                false
            }
        }
    }

    /// Has the secrets read from other sources, if these are others.
    fn take_secrets(&self, sources: Sources) {
        self.secrets.send_if_modified(|now| {
            let is_other = **now != sources;
            if is_other {
                *now = Arc::new(sources);
            }
            is_other
        });
    }
}

/// What the file of the settings and the files with keys contain.
struct Read {
    config: Config,
    trust: Result<Trust, TrustError>,
    others: Option<Table>,
}

/// Reads the settings, where it keeps no other task waiting. `None` if the server stops.
async fn reading(
    path: &Path,
    whose: Whose,
    asks: ClientCertificates,
) -> Option<Result<Read, ConfigError>> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let config = Config::read_of(Some(&path), whose)?;
        config.check_own(asks)?;
        let trust = config.install.trust();
        Ok(Read { config, trust, others: others(&path) })
    });
    read.await.ok()
}

/// The files that the grants and keys name.
fn named(config: &Config) -> BTreeSet<PathBuf> {
    let targets = config.plugins.values().flat_map(|grants| grants.targets.values());
    let files = targets.flat_map(|connecting| connecting.files());
    files.chain(config.install.files()).map(Path::to_owned).collect()
}

/// What a file has beside grants, secrets and trusted keys.
fn others(path: &Path) -> Option<Table> {
    let mut table: Table = regular::read_text(path, FILE_BYTES_MAX).ok()?.parse().ok()?;
    table.retain(|name, _| !TAKEN.contains(&name));
    if let Some(install) = table.get_mut("install").and_then(Value::as_table_mut) {
        install.retain(|name, _| !TAKEN_OF_INSTALL.contains(&name));
        if install.is_empty() {
            table.remove("install");
        }
    }
    Some(table)
}
