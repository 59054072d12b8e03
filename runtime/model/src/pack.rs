//! Packs: a folder of catalog, rules, workflows and pools, read and checked as a whole. Every
//! mistake is reported with its file, line and column, and a pack with a mistake is not used at
//! all.

mod check;
pub mod keys;
mod reader;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::reader::Reader;
pub use self::together::{Asked, AskedKey, InputKind, Plugins, mistakes};
use crate::catalog::{Catalog, RESOURCES};
pub use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::id::{Digest, SpecId};
use crate::places::{Place, Tree};
use crate::pool::{Pool, PoolError, Values};
use crate::rule::{Delivery, Hooks, Rule, WrittenRules};
use crate::workflow::{Workflow, WrittenWorkflow};

/// A pack, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// What it is for, for people.
    pub description: String,
    /// The digest of its files.
    pub digest: Digest,
    /// Its part of the catalogs.
    pub catalog: Catalog,
    /// Its rules, in the order in which they are written.
    pub rules: Vec<Rule>,
    /// How its specifications are delivered.
    pub deliveries: BTreeMap<SpecId, Delivery>,
    /// What runs around product orders.
    pub hooks: Hooks,
    /// Its workflows.
    pub workflows: BTreeMap<String, Workflow>,
    /// Its pools.
    pub pools: Vec<Pool>,
    /// What is hardly meant in it, though it can be used.
    pub warnings: Vec<Diagnostic>,
    /// What it was read from.
    files: Arc<PackFiles>,
}

/// The files of a pack as text, by their path within it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackFiles(pub BTreeMap<String, String>);

/// What belongs to a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The entities of its catalog.
    pub entities: BTreeSet<SpecId>,
    /// The specifications that its rules are about.
    pub ruled: BTreeSet<SpecId>,
    /// Its workflows.
    pub workflows: BTreeSet<String>,
}

/// The file that names a pack.
pub const PACK: &str = "pack.yaml";
/// The file with its part of the catalogs.
pub const CATALOG: &str = "catalog.json";
/// The file with its rules.
pub const RULES: &str = "rules.yaml";
/// The file with its workflows.
pub const WORKFLOWS: &str = "workflows.yaml";
/// The file with its pools.
pub const POOLS: &str = "pools.yaml";

/// The files that make a pack; others, such as example orders, are not read.
pub const FILES: [&str; 5] = [PACK, CATALOG, RULES, WORKFLOWS, POOLS];

/// A file of a pack may be so large, in bytes.
pub const FILE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPack {
    pack: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWorkflows {
    #[serde(default)]
    workflows: Vec<WrittenWorkflow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPools {
    #[serde(default)]
    pools: Vec<WrittenPool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPool {
    pool: String,
    resource: String,
    characteristic: String,
    #[serde(default)]
    values: Option<String>,
    #[serde(default)]
    ipv4: Option<String>,
    #[serde(default)]
    ipv6: Option<String>,
    #[serde(default)]
    prefix: Option<u8>,
}

impl Pack {
    /// Reads and checks a pack. References to other packs' catalogs are checked when packs are
    /// put together, see `Rulebook`.
    pub fn parse(files: &PackFiles) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::new(files);
        let written: WrittenPack = reader.yaml(PACK);
        if files.get(PACK).is_none() {
            let message = format!("the file `{PACK}` is missing");
            reader.report_at(Code::FileMissing, PACK, (1, 1), message, None);
        } else if written.pack.is_empty() && reader.found.is_empty() {
            let (tree, message) = (reader.tree(PACK), "`pack` is empty: give the pack a name");
            reader.report(Code::Value, PACK, tree.root().get("pack"), message.into(), None);
        }
        let catalog = reader.catalog();
        let rules: WrittenRules = reader.yaml(RULES);
        let workflows: WrittenWorkflows = reader.yaml(WORKFLOWS);
        let pools: WrittenPools = reader.yaml(POOLS);
        let workflows = check::workflows(&mut reader, workflows.workflows);
        let pools = reader.pools(pools.pools);
        let (hooks, deliveries, rules) = check::rules(&mut reader, rules);
        let mut warnings = reader.found;
        warnings.sort();
        if warnings.iter().any(Diagnostic::is_error) {
            return Err(warnings);
        }
        Ok(Self {
            name: written.pack,
            title: written.title,
            description: written.description,
            digest: files.digest(),
            catalog,
            rules,
            deliveries,
            hooks,
            workflows,
            pools,
            warnings,
            files: Arc::new(files.clone()),
        })
    }
}

impl Names {
    /// The same with those of another version of the pack.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.entities.extend(other.entities);
        self.ruled.extend(other.ruled);
        self.workflows.extend(other.workflows);
        self
    }
}

impl PackFiles {
    /// A file's text.
    pub fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }

    /// The name of the pack, as far as that can be read.
    pub fn name(&self) -> Option<String> {
        let tree = Tree::parse(self.get(PACK)?);
        let name = tree.root().get("pack").text().filter(|name| !name.is_empty());
        name.map(str::to_string)
    }

    /// What belongs to the pack, as far as that can be read: a pack with mistakes may be asked too.
    pub fn names(&self) -> Names {
        let tree = |file: &str| Tree::parse(self.get(file).unwrap_or_default());
        let (catalog, rules, workflows) = (tree(CATALOG), tree(RULES), tree(WORKFLOWS));
        let texts = |entries: Vec<Place<'_>>, key: &str| -> Vec<String> {
            let texts = entries.into_iter().filter_map(|entry| entry.get(key).text());
            texts.map(str::to_string).collect()
        };
        let entities = RESOURCES.iter();
        let entities =
            entities.flat_map(|(name, _)| texts(catalog.root().get(name).entries(), "id"));
        let ruled = texts(rules.root().get("decompose").entries(), "from");
        let delivered = texts(rules.root().get("deliver").entries(), "spec");
        let workflows = texts(workflows.root().get("workflows").entries(), "workflow");
        Names {
            entities: entities.map(SpecId::new).collect(),
            ruled: ruled.into_iter().chain(delivered).map(SpecId::new).collect(),
            workflows: workflows.into_iter().collect(),
        }
    }

    /// The digest of names and contents.
    fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for (name, text) in &self.0 {
            bytes.extend_from_slice(format!("{} {name} {}\n", name.len(), text.len()).as_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Digest::of(&bytes)
    }
}

impl WrittenPool {
    /// Its values; else the key that is wrong, and why.
    fn values(&self) -> Result<Values, (&'static str, String)> {
        let wrong = |key| move |error: PoolError| (key, error.to_string());
        match (&self.values, &self.ipv4, &self.ipv6, self.prefix) {
            (Some(pattern), None, None, None) => Values::pattern(pattern).map_err(wrong("values")),
            (None, Some(network), None, None) => Values::ipv4(network).map_err(wrong("ipv4")),
            (None, Some(network), None, Some(prefix)) => {
                Values::ipv4_subnets(network, prefix).map_err(wrong("ipv4"))
            }
            (None, None, Some(network), Some(prefix)) => {
                Values::ipv6(network, prefix).map_err(wrong("ipv6"))
            }
            (None, None, Some(_), None) => {
                Err(("ipv6", "`ipv6` needs `prefix`, the length handed out".into()))
            }
            (Some(_), None, None, Some(_)) => {
                Err(("prefix", "`prefix` is for `ipv4` and `ipv6`, a pattern has none".into()))
            }
            _ => Err(("pool", "a pool has one of `values`, `ipv4` and `ipv6`".into())),
        }
    }
}

impl Pack {
    /// What it was read from.
    pub fn files(&self) -> &PackFiles {
        &self.files
    }
}

#[cfg(test)]
mod tests;
