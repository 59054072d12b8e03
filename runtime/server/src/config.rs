//! `ferrule.toml`: addresses, folders, limits, and the grants of each plugin.

mod access;
mod audit;
mod certificates;
mod edge;
mod encryption;
mod host;
mod install;
mod issuers;
mod limits;
mod mistake;
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
use std::time::Duration;

use ::host::grants::{CallbackProof, Target};
use ::host::{Grants, Throttle};
use commerce::billing::bill_state::Release;
use commerce::cpq::Policy;
use model::PluginId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use tmf::money::{AMOUNT_MAX, Decimal, TAX_CATEGORY, Tax, decimal};
use tmf::subscription::Keep;
use tmf::zone::Zone;

use crate::access::Authentication;
use crate::access::users::FileError;
use crate::events::{Allowed, Guard, Settings};
use crate::secrets::Sources;
use crate::settings::BillingSettings;

pub use self::audit::{Audit, Auditing, NotAReceiver, Receiver};
pub use self::host::Host;
pub use access::AccessSettings;
pub use edge::{EdgeSettings, ForwardedHeader};
pub use encryption::{Encryption, EncryptionError};
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

/// The delivery of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Events {
    /// Internal addresses, networks and hosts that may be called.
    pub allow: Vec<Allowed>,
    /// Attempts at an event before it is a dead letter.
    pub attempts: u32,
    /// Time without a delivery after which a subscription is paused, in minutes.
    pub pause_after_minutes: u64,
    /// Delivery timeout, in milliseconds.
    pub answer_wait_ms: u64,
    /// Delivered events to retain.
    pub keep: u64,
    /// Max age of delivered events, in hours.
    pub keep_hours: u64,
    /// Hard limit on retained events, delivered or not.
    pub keep_max: u64,
}

/// The settings of bills.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Billing {
    /// The tax, in percent, on prices without a tax in the catalog or the pack.
    #[serde(deserialize_with = "tax_rate")]
    pub tax_rate: Option<Decimal>,
    /// The name of that tax on bills; `VAT` by default.
    pub tax_category: Option<String>,
    /// The time zone of billed days, by its name in the IANA database; UTC if not set.
    #[serde(deserialize_with = "zone")]
    pub time_zone: Zone,
    /// The default state of the bills of a run.
    pub bills: Release,
}

/// The settings of quotes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Quotes {
    /// A discount by hand above this percentage needs approval.
    #[serde(deserialize_with = "percent")]
    pub discount_max: Decimal,
    /// A total above this, once or for one period, needs approval.
    #[serde(deserialize_with = "amount")]
    pub total_max: Decimal,
    /// Days for which a quote is valid.
    #[serde(deserialize_with = "days")]
    pub valid_days: u32,
}

impl Default for Quotes {
    fn default() -> Self {
        let Policy { discount_max, total_max, valid_days } = Policy::default();
        Self { discount_max, total_max, valid_days }
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
    let name = String::deserialize(deserializer)?;
    let wrong = || {
        let expected = "a time zone of the IANA database, such as \"Europe/Berlin\"";
        D::Error::custom(format!("`{name}` is not {expected}"))
    };
    Zone::named(&name).ok_or_else(wrong)
}

fn tax_rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    percent(deserializer).map(Some)
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    number(deserializer, Decimal::ONE_HUNDRED, "a number from 0 to 100, such as 19 or \"7.5\"")
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    number(deserializer, Decimal::from(AMOUNT_MAX), "an amount from 0 to 10^12")
}

/// A number up to a limit, also as text: then it is exact.
fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    max: Decimal,
    expected: &str,
) -> Result<Decimal, D::Error> {
    let wrong = || D::Error::custom(format!("expected {expected}"));
    let written = serde_json::Value::deserialize(deserializer)?;
    let number = decimal(&written).ok_or_else(wrong)?;
    if Decimal::ZERO <= number && number <= max { Ok(number) } else { Err(wrong()) }
}

/// Max days for which a quote may be valid.
const VALID_DAYS_MAX: u32 = 3_650;

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let days = u32::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("expected 1 to {VALID_DAYS_MAX} days"));
    if (1..=VALID_DAYS_MAX).contains(&days) { Ok(days) } else { Err(wrong()) }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data: ".ferrule/data".into(),
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

impl Default for Events {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            attempts: 10,
            pause_after_minutes: 60,
            answer_wait_ms: 10_000,
            keep: 100_000,
            keep_hours: 7 * 24,
            keep_max: 1_000_000,
        }
    }
}

/// How a server is reached.
#[derive(Clone, Copy, Debug)]
pub enum Reached<'a> {
    /// By its public URL.
    Publicly(&'a str),
    /// By its address.
    Directly(&'a str),
}

impl Events {
    /// The settings of delivery workers, for a server with an address that is reached by a URL.
    pub fn settings(&self, url: Reached<'_>, own: SocketAddr) -> Settings {
        const HOUR_MS: u64 = 3_600_000;
        let guard = Guard::new(self.allow.clone(), own);
        let mut settings = match url {
            Reached::Publicly(url) => Settings::new(url, guard.public()),
            Reached::Directly(url) => Settings::new(url, guard),
        };
        settings.patience.attempts_max = self.attempts;
        settings.patience.silence_ms_max = self.pause_after_minutes.saturating_mul(60_000);
        settings.answer_wait = Duration::from_millis(self.answer_wait_ms);
        let age_ms = self.keep_hours.saturating_mul(HOUR_MS);
        settings.keep = Keep { count: self.keep, age_ms, count_max: self.keep_max };
        settings
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
    /// Two settings contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// The file of the users cannot be used.
    #[error("`[access] users-file` cannot be used")]
    Users(#[source] FileError),
    /// The keys of the store cannot be used.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
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

    /// The settings of sales and billing.
    pub fn commerce(&self) -> BillingSettings {
        let Billing { ref tax_rate, ref tax_category, time_zone: zone, bills: release } =
            self.billing;
        let category = tax_category.clone().unwrap_or_else(|| TAX_CATEGORY.into());
        let tax = tax_rate.map(|rate| Tax { rate, category });
        let Quotes { discount_max, total_max, valid_days } = self.quotes;
        let policy = Policy { discount_max, total_max, valid_days };
        BillingSettings { tax, release, zone, policy, strictness: self.strictness() }
    }

    /// The limits of the engine.
    pub fn engine_limits(&self) -> engine::Limits {
        let Limits { open_orders, open_orders_mib, callbacks_kept, callbacks_kept_mib, .. } =
            self.limits;
        engine::Limits {
            open_orders,
            open_orders_bytes: open_orders_mib << 20,
            callbacks_kept,
            callbacks_kept_bytes: callbacks_kept_mib << 20,
            callback_keep_ms: self.retention.callbacks_minutes * 60_000,
        }
    }

    /// Refuses settings that contradict each other, and addresses beyond loopback.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.retention.check().map_err(ConfigError::Contradiction)?;
        self.audit.check().map_err(ConfigError::Contradiction)?;
        let trust = self.install.trust();
        trust.map_err(|error| ConfigError::Contradiction(error.to_string()))?;
        self.limits.check().map_err(ConfigError::Contradiction)?;
        let asks = self.tls.as_ref().map(|tls| tls.client_certificates);
        if asks.unwrap_or_default() == ClientCertificates::Off {
            let mut plugins = self.plugins.iter();
            let certified =
                plugins.find(|(_, grants)| grants.callbacks == CallbackProof::Certificate);
            if let Some((plugin, _)) = certified {
                return Err(ConfigError::Contradiction(format!(
                    "`[plugins.{plugin}] callbacks = \"certificate\"` needs `[tls] client-certificates` to be \
                     \"optional\" or \"required\": elements are asked for none"
                )));
            }
        }
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
