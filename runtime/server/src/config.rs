//! `ferrule.toml`: addresses, folders, limits, and the grants of each plugin.

mod access;
mod audit;
mod billing;
mod certificates;
mod database;
mod edge;
mod encryption;
mod events;
mod host;
mod install;
mod issuers;
mod limits;
mod mistake;
mod names;
mod number;
mod retention;
mod sampling;
mod sessions;
mod strictness;
mod targets;
pub(crate) mod tenants;
mod tls;
mod traces;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ::host::grants::{CallbackProof, Target};
use ::host::manifest::is_id;
use ::host::{Grants, Throttle};
use engine::tenant::TenantName;
use model::PluginId;
use serde::Deserialize;

use crate::access::Authentication;
use crate::access::identity::NO_ID;
use crate::access::users::FileError;
use crate::secrets::Sources;

pub use self::audit::{Audit, Auditing, NotAReceiver, Receiver};
pub use self::host::Host;
pub use access::AccessSettings;
pub use billing::{Billing, Quotes};
pub use database::{Database, DatabaseError, Postgres};
pub use edge::{EdgeSettings, ForwardedHeader};
pub use encryption::{Encryption, EncryptionError};
pub use events::{Events, Reached};
pub use install::{Install, TrustError};
pub use limits::{Limits, Rate, RateLimits, Reach};
pub use mistake::Mistake;
pub use retention::Retention;
pub use sampling::Share;
pub use strictness::{Catalog, Inventory, References};
pub use tenants::{Tenant, Tenants, Whose};
pub use tls::{ClientCertificates, Tls};
pub(crate) use traces::Collector;
pub use traces::Traces;

/// Every setting with its default and description, as a settings file.
pub const SETTINGS: &str = include_str!("config/settings.toml");

/// Max bytes of the file of the settings.
pub(crate) const FILE_BYTES_MAX: usize = 16 << 20;

/// The settings of a server. Everything has a default; flags of the command line win.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The address; beyond loopback with TLS and authentication only.
    pub listen: SocketAddr,
    /// The URL of the server for elements and clients, if it is not `http://<listen>`.
    pub public_url: Option<String>,
    pub data: PathBuf,
    /// The URL of the database that the store is in; in a folder of `data` without one.
    pub store: Option<String>,
    /// The settings of that database.
    pub postgres: Option<Postgres>,
    /// The folder that plugins are dropped into.
    pub plugins_dir: PathBuf,
    /// The folder with a folder for each pack.
    pub workflows_dir: PathBuf,
    /// Whether every step is on disk before the next begins, even if no client could see the
    /// difference.
    pub commit_each_step: bool,
    /// Max size of a body, in bytes.
    pub body_bytes_max: usize,
    /// Who may do what.
    pub access: AccessSettings,
    /// The keys that the store is sealed under.
    pub encryption: Encryption,
    /// Limits on open work.
    pub limits: Limits,
    /// Retention of ended orders and runs.
    pub retention: Retention,
    /// The delivery of events.
    pub events: Events,
    /// The settings of bills.
    pub billing: Billing,
    /// The settings of quotes.
    pub quotes: Quotes,
    /// How strictly catalogs are checked.
    pub catalog: Catalog,
    /// How strictly inventories are checked.
    pub inventory: Inventory,
    /// How strictly references are checked.
    pub references: References,
    /// Limits of running and compiling plugins.
    pub host: Host,
    /// How plugins may come.
    pub install: Install,
    /// Where spans are sent.
    pub traces: Traces,
    /// The proxies in front of the server.
    pub edge: EdgeSettings,
    /// The certificate of the listener, if it speaks TLS.
    pub tls: Option<Tls>,
    /// What is kept of who changes what.
    pub audit: Audit,
    /// Where the secrets are read from, by their names.
    pub secrets: Sources,
    /// The grants of each plugin, by its id.
    pub plugins: BTreeMap<String, Grants>,
    /// What all plugins share of targets, by host and port.
    #[serde(deserialize_with = "targets::shared")]
    pub targets: BTreeMap<Target, Throttle>,
    /// The tenants besides the default one.
    #[serde(deserialize_with = "tenants::named")]
    pub tenants: Tenants,
    /// The grants of plugins that the file does not name.
    #[serde(skip)]
    pub base_grants: BTreeMap<String, Grants>,
    /// The file that they were read from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Whose file it is.
    #[serde(skip)]
    pub whose: Whose,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data: ".ferrule/data".into(),
            store: None,
            postgres: None,
            plugins_dir: ".ferrule/plugins".into(),
            workflows_dir: "workflows".into(),
            commit_each_step: false,
            body_bytes_max: 10 << 20,
            access: AccessSettings::default(),
            encryption: Encryption::default(),
            limits: Limits::default(),
            retention: Retention::default(),
            events: Events::default(),
            billing: Billing::default(),
            quotes: Quotes::default(),
            catalog: Catalog::default(),
            inventory: Inventory::default(),
            references: References::default(),
            host: Host::default(),
            install: Install::default(),
            traces: Traces::default(),
            edge: EdgeSettings::default(),
            tls: None,
            audit: Audit::default(),
            secrets: Sources::new(),
            plugins: BTreeMap::new(),
            targets: BTreeMap::new(),
            tenants: Tenants::new(),
            base_grants: BTreeMap::new(),
            file: None,
            whose: Whose::Server,
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file is malformed. No value of it is shown: it may be a secret.
    #[error("`{}` is wrong: {mistake}", .path.display())]
    Parse { path: PathBuf, mistake: Mistake },
    /// The file of a tenant has a setting of the whole server.
    #[error(
        "`{}` sets `{key}`, which holds for all tenants: it stands in the settings of the server",
        .path.display()
    )]
    OfServer { path: PathBuf, key: String },
    /// The file of a tenant lacks a setting.
    #[error("`{}` has no `{key}`: each tenant has a folder of its own", .path.display())]
    Needed { path: PathBuf, key: &'static str },
    /// The file of a tenant cannot be used.
    #[error("`[tenants.{name}] settings` cannot be used")]
    Tenant {
        name: TenantName,
        #[source]
        source: Box<ConfigError>,
    },
    /// Two settings contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// The file of the users cannot be used.
    #[error("`[access] users-file` cannot be used")]
    Users(#[source] FileError),
    /// The keys of the store cannot be used.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// The database of the store cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// It would listen on an address that other machines reach.
    #[error(
        "`{0}` can be reached from other machines: that needs `[tls]` with `certificate` and `key`, and `[access] \
         authentication = \"required\"`; without them listen on a loopback address such as 127.0.0.1:8080"
    )]
    Exposed(SocketAddr),
    /// It would listen on all addresses, of which none can stand in hrefs.
    #[error(
        "`{0}` is every address of this machine: set `public-url` to the one by which clients and elements reach it, \
         such as \"https://ferrule.example.com\""
    )]
    Unnamed(SocketAddr),
}

impl Config {
    /// Reads a file; the defaults without one.
    pub fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read_of(path, Whose::Server)
    }

    /// Reads the file of a server or of a tenant; the defaults without one.
    pub(crate) fn read_of(path: Option<&Path>, whose: Whose) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = ::host::regular::read_text(path, FILE_BYTES_MAX)
            .map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let config = match whose {
            Whose::Server => toml::from_str::<Self>(&text).map_err(|error| {
                let mistake = Mistake::of(&text, &error);
                ConfigError::Parse { path: path.into(), mistake }
            })?,
            Whose::Tenant => tenants::read(path, &text)?,
        };
        config.check_secrets().map_err(ConfigError::Contradiction)?;
        config.encryption.check(&config.secrets).map_err(ConfigError::Encryption)?;
        database::check(config.store.as_deref(), config.postgres.as_ref(), &config.secrets)?;
        Ok(Self { file: Some(path.into()), whose, ..config })
    }

    /// Checks that each secret that a plugin is granted is there, and has a place to go to.
    fn check_secrets(&self) -> Result<(), String> {
        for (plugin, grants) in &self.plugins {
            for (name, grant) in &grants.secrets {
                let (key, secret) = (format!("plugins.{plugin}.secrets.{name}"), &grant.secret);
                if !self.secrets.contains_key(secret) {
                    return Err(format!(
                        "`{key}` names the secret `{secret}`, which is not there: add \
                         `[secrets.{secret}]` with `file`, `env`, `command`, `credential` or `vault`"
                    ));
                }
                if grant.to.is_empty() {
                    return Err(format!(
                        "`{key}` may go nowhere: list the places in `to`, such as \
                         \"http://10.0.0.7:8080\""
                    ));
                }
            }
            for (target, connecting) in &grants.targets {
                if let Some(secret) =
                    connecting.secrets().find(|secret| !self.secrets.contains_key(*secret))
                {
                    return Err(format!(
                        "`plugins.{plugin}.targets.\"{target}\"` names the secret `{secret}`, which is not \
                         there: add `[secrets.{secret}]` with its source"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The grants of each plugin.
    pub fn grants(&self) -> BTreeMap<PluginId, Grants> {
        let all = self.base_grants.iter().chain(&self.plugins);
        all.map(|(id, grants)| (PluginId::new(id), grants.clone())).collect()
    }

    /// The database that the store is in, and its password; `None` if it is in a folder.
    pub async fn database(&self) -> Result<Option<Database>, DatabaseError> {
        database::reached(self.store.as_deref(), self.postgres.as_ref(), &self.secrets).await
    }

    /// The limits of the engine.
    pub fn engine_limits(&self) -> engine::Limits {
        let Limits {
            open_orders,
            open_orders_mib,
            orders_in_memory_mib,
            callbacks_kept,
            callbacks_kept_mib,
            ..
        } = self.limits;
        engine::Limits {
            open_orders,
            open_orders_bytes: open_orders_mib << 20,
            orders_in_memory_bytes: orders_in_memory_mib << 20,
            callbacks_kept,
            callbacks_kept_bytes: callbacks_kept_mib << 20,
            callback_keep_ms: self.retention.callbacks_minutes * 60_000,
        }
    }

    /// Whether clients are asked for certificates.
    pub(crate) fn asks(&self) -> ClientCertificates {
        self.tls.as_ref().map(|tls| tls.client_certificates).unwrap_or_default()
    }

    /// Refuses settings of a tenant that contradict each other, or have no effect. `asks`: whether the server asks
    /// its clients for certificates.
    pub(crate) fn check_own(&self, asks: ClientCertificates) -> Result<(), ConfigError> {
        let checks = [
            self.retention.check(),
            self.limits.check(),
            self.install.check(),
            self.events.check(),
            self.billing.check(),
            self.traces.check(),
            self.check_bodies(),
            self.check_sources(),
            self.check_plugins(asks),
        ];
        let mistake = checks.into_iter().find_map(Result::err);
        mistake.map_or(Ok(()), |mistake| Err(ConfigError::Contradiction(mistake)))
    }

    /// Refuses a body that all bodies together may not have.
    fn check_bodies(&self) -> Result<(), String> {
        let room = self.limits.bodies_mib << 20;
        match (1..=room).contains(&self.body_bytes_max) {
            true => Ok(()),
            false => Err(format!(
                "`body-bytes-max` is a number from 1 to {room}, which `[limits] bodies-mib` lets all bodies take"
            )),
        }
    }

    /// Refuses secrets whose place cannot be reached as it is set.
    fn check_sources(&self) -> Result<(), String> {
        self.secrets.iter().try_for_each(|(name, source)| {
            names::check_name("secrets", name)?;
            source.check().map_err(|mistake| format!("`[secrets.{name}]`: {mistake}"))
        })
    }

    /// Refuses grants of what can be no plugin, and those that need certificates which are not asked for.
    fn check_plugins(&self, asks: ClientCertificates) -> Result<(), String> {
        for (plugin, grants) in &self.plugins {
            if !is_id(plugin) {
                return Err(format!("`[plugins.{plugin:?}]`: {NO_ID}"));
            }
            grants.check().map_err(|mistake| format!("`[plugins.{plugin}]` {mistake}"))?;
            let is_certified = matches!(grants.callbacks, CallbackProof::Certificates(_));
            if is_certified && asks == ClientCertificates::Off {
                return Err(format!(
                    "`[plugins.{plugin}] callbacks` with certificates needs `[tls] client-certificates` to be \
                     \"optional\" or \"required\": elements are asked for none"
                ));
            }
        }
        Ok(())
    }

    /// Refuses settings that contradict each other, and addresses beyond loopback.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_own(self.asks())?;
        self.audit.check().map_err(ConfigError::Contradiction)?;
        self.edge.check().map_err(ConfigError::Contradiction)?;
        if let Some(tls) = &self.tls {
            tls.check().map_err(ConfigError::Contradiction)?;
        }
        self.access.check(self.tls.as_ref(), &self.tenants).map_err(ConfigError::Contradiction)?;
        self.check_public_url()?;
        let is_required = self.access.authentication == Authentication::Required;
        let address = self.listen.ip();
        if address.is_loopback() {
            return Ok(());
        }
        if self.tls.is_none() || !is_required {
            return Err(ConfigError::Exposed(self.listen));
        }
        match address.is_unspecified() && self.public_url.is_none() {
            true => Err(ConfigError::Unnamed(self.listen)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
