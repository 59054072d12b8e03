//! Packs: a folder of catalog, rules, workflows and pools, read and checked as a whole. Every
//! mistake is reported with its file, line and column, and a pack with a mistake is not used at
//! all.

mod check;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::id::{Digest, PoolId, SpecId};
use crate::pool::{Pool, PoolError, Values};
use crate::rule::{Delivery, Hooks, Rule, WrittenRules};
use crate::workflow::{self, Workflow, WrittenWorkflow};

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
}

/// The files of a pack as text, by their path within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles(pub BTreeMap<String, String>);

/// A mistake in a pack, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file within the pack.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// The line's text.
    pub text: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, text, .. } = self;
        writeln!(f, "{file}:{line}:{column}: {message}")?;
        if !text.is_empty() {
            let gutter = line.to_string();
            writeln!(f, "  {gutter} | {text}")?;
            write!(
                f,
                "  {:gutter$} | {:column$}^",
                "",
                "",
                gutter = gutter.len(),
                column = column - 1
            )?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
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
    /// put together, see [`crate::rulebook::Rulebook`].
    pub fn parse(files: &PackFiles) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { files, found: Vec::new() };
        let written: WrittenPack = reader.yaml(PACK);
        if files.get(PACK).is_none() {
            reader.report(PACK, "", format!("the file `{PACK}` is missing"), None);
        } else if written.pack.is_empty() && reader.found.is_empty() {
            reader.report(PACK, "pack", "`pack` is empty: give the pack a name".into(), None);
        }
        let catalog = reader.catalog();
        let rules: WrittenRules = reader.yaml(RULES);
        let workflows: WrittenWorkflows = reader.yaml(WORKFLOWS);
        let pools: WrittenPools = reader.yaml(POOLS);
        let workflows = reader.workflows(&workflows.workflows);
        let pools = reader.pools(&pools.pools);
        let (hooks, deliveries, rules) = check::rules(&mut reader, &rules, &workflows);
        if !reader.found.is_empty() {
            reader.found.sort();
            return Err(reader.found);
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
        })
    }
}

impl PackFiles {
    /// A file's text.
    pub fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
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

/// Reads a pack's files and gathers what is wrong with them.
struct Reader<'a> {
    files: &'a PackFiles,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reports a mistake at the first place of `at` in a file, or at its beginning.
    fn report(&mut self, file: &str, at: &str, message: String, help: Option<String>) {
        let text = self.files.get(file).unwrap_or_default();
        let (line, column) = line_and_column(text, places(text, at).next().unwrap_or(0));
        self.report_at(file, line, column, message, help);
    }

    /// Reports a mistake at the last place of `at` in a file: what is there a second time.
    fn report_again(&mut self, file: &str, at: &str, message: String) {
        let text = self.files.get(file).unwrap_or_default();
        let (line, column) = line_and_column(text, places(text, at).last().unwrap_or(0));
        self.report_at(file, line, column, message, None);
    }

    fn report_at(
        &mut self,
        file: &str,
        line: usize,
        column: usize,
        message: String,
        help: Option<String>,
    ) {
        let text = self.files.get(file).unwrap_or_default();
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_string();
        let (file, column) = (file.to_string(), column.max(1));
        self.found.push(Diagnostic { file, line, column, message, help, text });
    }

    /// Reads a YAML file; the default where it is missing, empty or wrong.
    fn yaml<T: DeserializeOwned + Default>(&mut self, file: &str) -> T {
        let Some(text) = self.files.get(file).filter(|text| !text.trim().is_empty()) else {
            return T::default();
        };
        // An unquoted `!has(x)` would be read as a YAML tag, and the condition would vanish.
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            reject_unsupported_tags: true,
        };
        serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|error| {
            let place = error.location();
            let at = |n: u64| usize::try_from(n).unwrap_or(1);
            let line = place.map_or(1, |place| at(place.line()));
            let column = place.map_or(1, |place| at(place.column()));
            let message = error.without_snippet().to_string();
            let message = without_place(message.lines().next().unwrap_or_default());
            self.report_at(file, line, column, message.into(), None);
            T::default()
        })
    }

    fn catalog(&mut self) -> Catalog {
        let Some(text) = self.files.get(CATALOG) else {
            return Catalog::default();
        };
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("not JSON: {}", without_place(&error.to_string()));
                self.report_at(CATALOG, error.line(), error.column(), message, None);
                return Catalog::default();
            }
        };
        Catalog::parse(&value).unwrap_or_else(|errors| {
            for error in errors {
                let at = format!("\"{}\"", error.id);
                self.report(CATALOG, &at, error.to_string(), None);
            }
            Catalog::default()
        })
    }

    fn workflows(&mut self, written: &[WrittenWorkflow]) -> BTreeMap<String, Workflow> {
        let mut workflows = BTreeMap::new();
        for entry in written {
            match workflow::checked(entry) {
                Ok(workflow) => {
                    check::workflow(self, &workflow);
                    if workflows.insert(entry.workflow.clone(), workflow).is_some() {
                        let message = format!("the workflow `{}` occurs twice", entry.workflow);
                        self.report_again(WORKFLOWS, &entry.workflow, message);
                    }
                }
                Err(wrong) => self.report(WORKFLOWS, &wrong.at, wrong.message, None),
            }
        }
        workflows
    }

    fn pools(&mut self, written: &[WrittenPool]) -> Vec<Pool> {
        let mut pools: Vec<Pool> = Vec::new();
        for entry in written {
            let id = PoolId::new(&entry.pool);
            if pools.iter().any(|pool| pool.id == id) {
                let message = format!("the pool `{id}` occurs twice");
                self.report_again(POOLS, &entry.pool, message);
            }
            match entry.values() {
                Ok(values) => pools.push(Pool {
                    id,
                    resource: SpecId::new(&entry.resource),
                    characteristic: entry.characteristic.clone(),
                    values,
                }),
                Err(message) => self.report(POOLS, &entry.pool, message, None),
            }
        }
        pools
    }
}

impl WrittenPool {
    fn values(&self) -> Result<Values, String> {
        let text = |error: PoolError| error.to_string();
        match (&self.values, &self.ipv4, &self.ipv6) {
            (Some(pattern), None, None) => Values::pattern(pattern).map_err(text),
            (None, Some(network), None) => Values::ipv4(network).map_err(text),
            (None, None, Some(network)) => {
                let prefix = self.prefix.ok_or("`ipv6` needs `prefix`, the length handed out")?;
                Values::ipv6(network, prefix).map_err(text)
            }
            _ => Err("a pool has one of `values`, `ipv4` and `ipv6`".into()),
        }
    }
}

/// Where a text stands in a file as a value of its own, not within a word, a key or a comment;
/// where it stands at all if there is no such place.
fn places<'a>(text: &'a str, at: &'a str) -> impl Iterator<Item = usize> + 'a {
    let own = move |offset: &usize| {
        let before = text.get(..*offset).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let after = text.get(offset + at.len()..).and_then(|after| after.chars().next());
        let is_comment = line.trim_start().starts_with('#') || line.contains(" #");
        let is_spaced = line.ends_with([' ', '[', '{', '"', '\'', '=']);
        let begins = match line.trim_end().chars().next_back() {
            None => true,
            Some(last) => is_spaced && "-:,[{\"'=".contains(last),
        };
        let begins = begins && !is_comment;
        begins && after.is_none_or(|c| c.is_whitespace() || ",]}\"'".contains(c))
    };
    let whole = text.match_indices(at).map(|(offset, _)| offset).filter(own);
    let found: Vec<usize> = if at.is_empty() { Vec::new() } else { whole.collect() };
    let anywhere = if found.is_empty() { text.find(at) } else { None };
    found.into_iter().chain(anywhere)
}

/// A message without the place at its end, which stands in front of it already.
fn without_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((text, place)) if place.starts_with(|c: char| c.is_ascii_digit()) => text,
        _ => message,
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

#[cfg(test)]
mod tests;
