//! The manifest of a plugin: TOML in the custom section `ferrule:plugin-manifest`.

use engine::scratch::Quota;
use model::pack::{Asked, AskedKey, InputKind};
use serde::{Deserialize, Serialize};

use crate::grants::{self, GrantKey};
use crate::limits;
use crate::role::Role;
use crate::setting::{self, Settings};

/// The name of the custom section.
pub const SECTION: &str = "ferrule:plugin-manifest";

/// The version of the manifest's shape that this host reads.
pub const SCHEMA: u32 = 1;

/// Max bytes of a manifest.
pub const BYTES_MAX: usize = 64 * 1024;

/// The manifest of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The version of the manifest's shape.
    pub schema: u32,
    /// The id of the plugin, such as `rest-activator`.
    pub id: String,
    /// Its version, such as `1.2.0`.
    pub version: String,
    /// The world that it implements.
    pub world: Role,
    /// Its summary, in one line.
    pub summary: String,
    /// Its requests; the operator decides.
    #[serde(default)]
    pub requests: Requests,
    /// Its settings, if it declares them; others are errors then.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// The limits that it needs; the operator caps them.
    #[serde(default)]
    pub limits: limits::Asked,
    /// The input of a step, for the check of packs, unless the plugin describes it itself.
    #[serde(default)]
    pub input: Input,
    /// Its outputs, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
}

/// The input of a step that calls a plugin: names of the top level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Input {
    /// The mandatory names.
    pub mandatory: Vec<String>,
    /// Of these, one must be there.
    pub one_of: Vec<String>,
    /// All keys that it reads; any key is allowed if none is listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
}

/// A key that a plugin reads of the input of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Key {
    /// Its name; one within another as `request.path`, one in each entry of a list as `take[].pool`.
    pub name: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: InputKind,
    /// Its purpose, in a line.
    #[serde(default)]
    pub about: String,
    /// Of a key within another: whether it must be there when the other is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
}

/// An output of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Output {
    /// Its name; empty where names follow from the input.
    #[serde(default)]
    pub name: String,
    /// Its meaning, in a line.
    pub about: String,
}

/// The requests of a plugin, in its own words, for the operator to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Requests {
    /// The hosts that it calls.
    pub http: Vec<String>,
    /// The kinds of inventory documents that it reads.
    pub inventory: Vec<String>,
    /// The pools that it reserves from.
    pub pools: Vec<String>,
    /// The settings that it reads.
    pub config: Vec<String>,
    /// The secrets that it sends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// What it keeps in a scratch space.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "grants::quota")]
    pub scratch: Option<Quota>,
}

impl Requests {
    /// What is requested of a key of the grants.
    pub fn of(&self, key: GrantKey) -> &[String] {
        match key {
            GrantKey::Config => &self.config,
            GrantKey::Http => &self.http,
            GrantKey::Inventory => &self.inventory,
            GrantKey::Pools => &self.pools,
            GrantKey::Secrets => &self.secrets,
        }
    }
}

/// The errors of a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is larger than manifests may be.
    #[error("the manifest has {0} bytes, the limit is {BYTES_MAX}")]
    TooLarge(usize),
    /// It is not UTF-8.
    #[error("the manifest is not UTF-8 text")]
    NotText,
    /// It is not the TOML that was expected.
    #[error("the manifest cannot be read: {}", .0.message())]
    Toml(#[source] toml::de::Error),
    /// It is of a later shape.
    #[error("the manifest has schema {0}, this host reads schema {SCHEMA}")]
    Schema(u32),
    /// The id is not one.
    #[error("the id `{0}` must be 1 to 64 of a-z, 0-9, `-`, `_` and `.`, and begin with a letter")]
    Id(String),
    /// It asks for a rate.
    #[error("`limits.per-second` and `limits.burst` are the operator's to set: leave them out")]
    Rate,
    /// A setting is declared wrongly.
    #[error("{0}")]
    Setting(String),
    /// It declares too many settings.
    #[error("the manifest declares {0} settings, the limit is {max}", max = setting::COUNT_MAX)]
    Settings(usize),
    /// The version is not one.
    #[error("the version `{0}` must be three numbers, such as `1.2.0`")]
    Version(String),
}

impl Manifest {
    /// Reads the content of the custom section.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > BYTES_MAX {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotText)?;
        let manifest: Self = toml::from_str(text).map_err(ManifestError::Toml)?;
        if manifest.schema != SCHEMA {
            return Err(ManifestError::Schema(manifest.schema));
        }
        if !is_id(&manifest.id) {
            return Err(ManifestError::Id(manifest.id));
        }
        if !is_version(&manifest.version) {
            return Err(ManifestError::Version(manifest.version));
        }
        if manifest.limits.per_second.is_some() || manifest.limits.burst.is_some() {
            return Err(ManifestError::Rate);
        }
        if manifest.settings.len() > setting::COUNT_MAX {
            return Err(ManifestError::Settings(manifest.settings.len()));
        }
        for (name, setting) in &manifest.settings {
            setting.check_itself(name).map_err(ManifestError::Setting)?;
        }
        Ok(manifest)
    }
}

impl Input {
    /// What it asks of the steps that call a plugin.
    pub(crate) fn asked(self, can_undo: bool) -> Asked {
        let keys = self.keys.into_iter().map(|key| AskedKey {
            name: key.name,
            kind: key.kind,
            mandatory: key.mandatory,
        });
        Asked { can_undo, mandatory: self.mandatory, one_of: self.one_of, keys: keys.collect() }
    }
}

/// A component with a manifest in it. One that it has already is replaced by it.
pub fn embed(component: &[u8], manifest: &[u8]) -> Result<Vec<u8>, ManifestError> {
    Manifest::parse(manifest)?;
    let name = SECTION.as_bytes();
    let mut content = leb128(name.len());
    content.extend_from_slice(name);
    content.extend_from_slice(manifest);
    let mut plugin = component.to_vec();
    // A custom section: its kind 0, its length, its name, and what is in it.
    plugin.push(0);
    plugin.extend(leb128(content.len()));
    plugin.extend(content);
    Ok(plugin)
}

/// A number as WebAssembly writes lengths.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// What orders versions: the three numbers, then a release after its pre-releases. `None` if
/// the text is not a version.
pub(crate) fn precedence(version: &str) -> Option<([u64; 3], bool, String)> {
    let version = version.split('+').next()?;
    let (numbers, pre) = version.split_once('-').unwrap_or((version, ""));
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let triple = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then(|| (triple, pre.is_empty(), pre.into()))
}

/// Whether a text is a version, of characters that may stand in a log.
fn is_version(version: &str) -> bool {
    version.len() <= 64
        && version.bytes().all(|byte| byte.is_ascii_graphic())
        && precedence(version).is_some()
}

/// Whether a text is the id of a plugin.
pub fn is_id(id: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    (1..=64).contains(&id.len())
        && id.bytes().all(plain)
        && id.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
