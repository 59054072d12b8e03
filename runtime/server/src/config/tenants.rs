//! `[tenants.NAME]` of `ferrule.toml`: the tenants besides the default one, each with a file of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::tenant::{NAME_BYTES_MAX, TenantName};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Table;

use super::{Config, ConfigError, Limits, Mistake};

/// The folder with the data folders of named tenants, in that of the server.
const FOLDER: &str = "tenants";

/// The name of the default tenant in metrics, which no other may have.
pub(crate) const DEFAULT: &str = "default";

/// Max tenants of a server.
const TENANTS_MAX: usize = 1_000;

/// A tenant besides the default one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tenant {
    /// The file with its settings.
    pub settings: PathBuf,
    /// The share of calls, memory, bodies and places that it may have, in percent.
    #[serde(default = "usual_share", deserialize_with = "share")]
    pub share_percent: u32,
}

/// The tenants besides the default one, by their names.
pub type Tenants = BTreeMap<TenantName, Tenant>;

/// Whose settings a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Those of the server and its default tenant.
    #[default]
    Server,
    /// Those of a named tenant.
    Tenant,
}

/// What is set for the whole server, and not in the file of a tenant.
const OF_SERVER: [&[&str]; 20] = [
    &["listen"],
    &["public-url"],
    &["data"],
    &["store"],
    &["postgres"],
    &["host"],
    &["access"],
    &["tls"],
    &["edge"],
    &["audit"],
    &["encryption"],
    &["tenants"],
    &["limits", "bodies-mib"],
    &["limits", "exports"],
    &["limits", "store-cache-mib"],
    &["limits", "disk-free-mib"],
    &["limits", "requests-per-second"],
    &["limits", "requests-burst"],
    &["limits", "address-requests-per-second"],
    &["limits", "address-requests-burst"],
];

/// The settings that are paths of files and folders; `*` stands for any name.
const PATHS: [&[&str]; 12] = [
    &["plugins-dir"],
    &["workflows-dir"],
    &["traces", "ca"],
    &["secrets", "*", "file"],
    &["secrets", "*", "env-file"],
    &["secrets", "*", "vault", "token-file"],
    &["secrets", "*", "vault", "ca"],
    &["plugins", "*", "targets", "*", "ca"],
    &["plugins", "*", "targets", "*", "certificate"],
    &["plugins", "*", "targets", "*", "key"],
    &["install", "keys", "*", "file"],
    &["install", "certifiers", "*", "file"],
];

/// What each tenant must set: it has folders of its own.
const NEEDED: [&str; 2] = ["plugins-dir", "workflows-dir"];

pub(super) fn usual_share() -> u32 {
    ::host::host::TENANT_PERCENT
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    super::number::within(deserializer, "share-percent", 100)
}

/// Reads the table of tenants.
pub(super) fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tenants, D::Error> {
    let written = BTreeMap::<String, Tenant>::deserialize(deserializer)?;
    if written.len() > TENANTS_MAX {
        return Err(D::Error::custom(format!("there may be {TENANTS_MAX} tenants")));
    }
    let read = |(name, tenant): (String, Tenant)| {
        if name == DEFAULT {
            let message = "`default` is the tenant of this file: name another one differently";
            return Err(D::Error::custom(message));
        }
        let wrong = || {
            let expected = format!("1 to {NAME_BYTES_MAX} of `a` to `z`, `0` to `9` and `-`");
            D::Error::custom(format!("the name of a tenant is {expected}"))
        };
        Ok((TenantName::parse(&name).ok_or_else(wrong)?, tenant))
    };
    written.into_iter().map(read).collect()
}

impl Config {
    /// The settings of the tenants besides the default one.
    pub fn of_tenants(&self) -> Result<BTreeMap<TenantName, Self>, ConfigError> {
        let read = |(name, tenant): (&TenantName, &Tenant)| {
            let read = Self::read_of(Some(&tenant.settings), Whose::Tenant);
            Ok((name.clone(), read.map_err(of_tenant(name))?.within(self, name)))
        };
        self.tenants.iter().map(read).collect()
    }

    /// The settings of a tenant, with those of the server that it is in.
    fn within(self, server: &Self, name: &TenantName) -> Self {
        let Limits { bodies_mib, exports, store_cache_mib, disk_free_mib, .. } = server.limits;
        let limits = Limits { bodies_mib, exports, store_cache_mib, disk_free_mib, ..self.limits };
        let root = |url: &String| format!("{}{}", url.trim_end_matches('/'), prefix(name));
        Self {
            listen: server.listen,
            public_url: server.public_url.as_ref().map(root),
            data: server.data.join(FOLDER).join(name.as_str()),
            host: server.host,
            access: server.access.clone(),
            audit: server.audit.clone(),
            limits,
            tls: server.tls.clone(),
            ..self
        }
    }
}

/// Tells which table names the file.
fn of_tenant(name: &TenantName) -> impl Fn(ConfigError) -> ConfigError {
    move |error| ConfigError::Tenant { name: name.to_owned(), source: Box::new(error) }
}

/// The beginning of the paths of a named tenant.
pub(crate) fn prefix(name: &TenantName) -> String {
    format!("/tenants/{name}")
}

/// Reads the text of a tenant's file, whose relative paths begin at its folder.
pub(super) fn read(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let wrong = |error: &toml::de::Error| ConfigError::Parse {
        path: path.into(),
        mistake: Mistake::of(text, error),
    };
    let mut table: Table = toml::from_str(text).map_err(|error| wrong(&error))?;
    let file = || path.to_owned();
    if let Some(key) = OF_SERVER.iter().find(|key| has(&table, key)) {
        return Err(ConfigError::OfServer { path: file(), key: key.join(".") });
    }
    if let Some(key) = NEEDED.into_iter().find(|key| !table.contains_key(*key)) {
        return Err(ConfigError::Needed { path: file(), key });
    }
    // A mistake is told with its place in the text, which the table does not know.
    toml::from_str::<Config>(text).map_err(|error| wrong(&error))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    for key in PATHS {
        each(&mut table, key, &|path| join(folder, path));
    }
    table.try_into().map_err(|error| wrong(&error))
}

fn join(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}

/// Whether a table has a setting.
fn has(table: &Table, key: &[&str]) -> bool {
    let Some((first, rest)) = key.split_first() else { return true };
    let Some(value) = table.get(*first) else { return false };
    rest.is_empty() || value.as_table().is_some_and(|below| has(below, rest))
}

/// Replaces every text that a key leads to.
fn each(table: &mut Table, key: &[&str], replace: &impl Fn(&str) -> String) {
    let Some((first, rest)) = key.split_first() else { return };
    for (_, value) in table.iter_mut().filter(|(name, _)| *first == "*" || name == first) {
        if let Some(below) = value.as_table_mut() {
            each(below, rest, replace);
        } else if let Some(replaced) = value.as_str().filter(|_| rest.is_empty()).map(replace) {
            *value = replaced.into();
        }
    }
}

/// Checks that no two tenants have the same folder of plugins.
pub(crate) fn check_folders<'a>(
    all: impl Iterator<Item = (&'a str, &'a Path)>,
) -> Result<(), ConfigError> {
    let mut seen = BTreeMap::new();
    for (tenant, folder) in all {
        let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if let Some(other) = seen.insert(real, tenant) {
            return Err(ConfigError::Contradiction(format!(
                "the tenants `{other}` and `{tenant}` have one folder of plugins, `{}`: give each \
                 its own `plugins-dir`",
                folder.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
