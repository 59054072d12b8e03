//! Reads the files of a pack and gathers what is wrong with them, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{CATALOG, Code, Diagnostic, POOLS, PackFiles, Severity, WORKFLOWS, WrittenPool};
use crate::catalog::{Catalog, CatalogError};
use crate::id::{PoolId, SpecId};
use crate::places::{Place, Tree};
use crate::pool::Pool;
use tmf::nearest::nearest;

/// Max entries of a file that are left out because they cannot be read, so that the rest can be.
const LEFT_OUT_MAX: usize = 64;

/// Reads a pack's files and gathers what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) files: &'a PackFiles,
    pub(super) found: Vec<Diagnostic>,
    /// The text of files of which entries were left out: the lines of those are empty.
    rests: BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a PackFiles) -> Self {
        Self { files, found: Vec::new(), rests: BTreeMap::new() }
    }

    /// A file as a tree, without what was left out.
    pub(super) fn tree(&self, file: &str) -> Tree {
        let rest = self.rests.get(file).map(String::as_str);
        Tree::parse(rest.or_else(|| self.files.get(file)).unwrap_or_default())
    }

    /// Reports a mistake at a place of a file.
    pub(super) fn report(
        &mut self,
        code: Code,
        file: &str,
        place: Place<'_>,
        message: String,
        help: Option<String>,
    ) {
        self.report_at(code, file, (place.line, place.column), message, help);
    }

    pub(super) fn report_at(
        &mut self,
        code: Code,
        file: &str,
        at: (usize, usize),
        message: String,
        help: Option<String>,
    ) {
        self.found_at(Severity::Error, code, (file, at), (message, help));
    }

    /// Tells what is hardly meant at a place of a file.
    pub(super) fn warn(
        &mut self,
        code: Code,
        (file, place): (&str, Place<'_>),
        message: String,
        help: Option<String>,
    ) {
        let at = (place.line, place.column);
        self.found_at(Severity::Warning, code, (file, at), (message, help));
    }

    pub(super) fn found_at(
        &mut self,
        severity: Severity,
        code: Code,
        (file, (line, column)): (&str, (usize, usize)),
        (message, help): (String, Option<String>),
    ) {
        let text = self.files.get(file).unwrap_or_default();
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_string();
        let (file, column) = (file.to_string(), column.max(1));
        let found = Diagnostic { file, line, column, severity, code, message, help, text };
        self.found.push(found);
    }

    /// Reads a YAML file; the default where it is missing or empty. An entry that cannot be read is
    /// reported and left out, so that the mistakes of others are found too.
    pub(super) fn yaml<T: DeserializeOwned + Default>(&mut self, file: &str) -> T {
        let Some(text) = self.files.get(file).filter(|text| !text.trim().is_empty()) else {
            return T::default();
        };
        // An unquoted `!has(x)` would be read as a YAML tag, and the condition would vanish.
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            reject_unsupported_tags: true,
        };
        let mut rest = text.to_string();
        for _ in 0..LEFT_OUT_MAX {
            let error = match serde_saphyr::from_str_with_options(&rest, options.clone()) {
                Ok(read) => {
                    if rest != text {
                        self.rests.insert(file.into(), rest);
                    }
                    return read;
                }
                Err(error) => error,
            };
            let place = error.location();
            let at = |n: u64| usize::try_from(n).unwrap_or(1);
            let line = place.map_or(1, |place| at(place.line()));
            let column = place.map_or(1, |place| at(place.column()));
            let message = error.without_snippet().to_string();
            let message = without_place(message.lines().next().unwrap_or_default());
            let code = if Tree::parse(&rest).is_read() { Code::Shape } else { Code::Syntax };
            self.report_at(code, file, (line, column), message.into(), meant(message));
            match without_entry(&rest, line) {
                Some(left) => rest = left,
                None => break,
            }
        }
        T::default()
    }

    pub(super) fn catalog(&mut self) -> Catalog {
        let Some(text) = self.files.get(CATALOG) else {
            return Catalog::default();
        };
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("not JSON: {}", without_place(&error.to_string()));
                self.report_at(
                    Code::Syntax,
                    CATALOG,
                    (error.line(), error.column()),
                    message,
                    None,
                );
                return Catalog::default();
            }
        };
        Catalog::parse(&value).unwrap_or_else(|errors| {
            let tree = Tree::parse(text);
            for error in errors {
                let place = place_of(&tree, &error);
                self.report(Code::Catalog, CATALOG, place, error.to_string(), None);
            }
            Catalog::default()
        })
    }

    /// The names of the workflows, those that cannot be read too; `None` where the file cannot be
    /// read at all.
    pub(super) fn workflow_names(&self) -> Option<BTreeSet<String>> {
        let Some(text) = self.files.get(WORKFLOWS).filter(|text| !text.trim().is_empty()) else {
            return Some(BTreeSet::new());
        };
        let tree = Tree::parse(text);
        let entries = tree.root().get("workflows").entries().into_iter();
        let names = entries.filter_map(|entry| entry.get("workflow").text().map(str::to_string));
        tree.is_read().then(|| names.collect())
    }

    pub(super) fn pools(&mut self, written: Vec<WrittenPool>) -> Vec<Pool> {
        let tree = self.tree(POOLS);
        let mut pools: Vec<Pool> = Vec::new();
        for (index, entry) in written.into_iter().enumerate() {
            let place = tree.root().get("pools").at(index);
            let id = PoolId::new(&entry.pool);
            if pools.iter().any(|pool| pool.id == id) {
                let message = format!("the pool `{id}` occurs twice");
                self.report(Code::Twice, POOLS, place.get("pool"), message, None);
            }
            match entry.values() {
                Ok(values) => pools.push(Pool {
                    id,
                    resource: SpecId::new(entry.resource),
                    characteristic: entry.characteristic,
                    values,
                }),
                Err((key, message)) => {
                    self.report(Code::Value, POOLS, place.get(key), message, None);
                }
            }
        }
        pools
    }
}

/// Where an entity of a catalog is wrong: at what its message names first, else where it begins.
fn place_of<'a>(tree: &'a Tree, error: &CatalogError) -> Place<'a> {
    let entities = tree.root().get(error.resource);
    let mut own = entities.entries().into_iter().filter(|entity| {
        let id = entity.get("id").text();
        id == Some(error.id.as_str())
    });
    let position = error.id.strip_prefix('#').and_then(|position| position.parse().ok());
    let entity = match (own.next(), position) {
        // Of two with one id the second is wrong.
        (Some(first), _) if error.message.contains("twice") => own.next().unwrap_or(first),
        (Some(first), _) => first,
        (None, Some(position)) => entities.at(position),
        (None, None) => return tree.root().key(&error.id),
    };
    let named = error.message.split('`').skip(1).step_by(2);
    let mut places = named.filter_map(|name| entity.value(name).or_else(|| entity.seek(name)));
    places.next().unwrap_or_else(|| entity.get("id"))
}

/// What was likely meant by a key or a word that is not known.
fn meant(message: &str) -> Option<String> {
    let (unknown, known) = message.split_once(", expected one of ")?;
    let unknown = unknown.split('`').nth(1)?;
    let meant = nearest(unknown, known.split(", ").map(|name| name.trim_matches('`')))?;
    Some(format!("is `{meant}` meant?"))
}

/// A text without the entry of a list that a line is in; `None` where it is in none that has lines
/// of its own. The other lines stay where they are.
fn without_entry(text: &str, line: usize) -> Option<String> {
    let tree = Tree::parse(text);
    for section in tree.root().below() {
        let entries = section.entries();
        let Some(index) = entries.iter().rposition(|entry| entry.line <= line) else { continue };
        let Some(entry) = entries.get(index) else { continue };
        let next = entries.get(index + 1).map(|next| next.line);
        let lines: Vec<&str> = text.lines().collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let first = lines.get(entry.line - 1)?;
        let is_own = first.trim_start().starts_with('-') && next != Some(entry.line);
        // The last entry ends where something is written further left.
        let end = next.unwrap_or_else(|| {
            let below = lines.iter().enumerate().skip(entry.line);
            let ends = |line: &str| !line.trim().is_empty() && indent(line) <= indent(first);
            below.into_iter().find(|(_, line)| ends(line)).map_or(lines.len() + 1, |(at, _)| at + 1)
        });
        if is_own && (entry.line..end).contains(&line) {
            // A list of which nothing is left is empty, and not absent.
            let empty = format!("{}[]", " ".repeat(indent(first)));
            let kept = lines.iter().enumerate().map(|(at, text)| match at + 1 {
                own if own == entry.line && entries.len() == 1 => empty.as_str(),
                own if (entry.line..end).contains(&own) => "",
                _ => *text,
            });
            return Some(kept.collect::<Vec<_>>().join("\n"));
        }
    }
    None
}

/// A message without the place at its end, which stands in front of it already.
fn without_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((text, place)) if place.starts_with(|c: char| c.is_ascii_digit()) => text,
        _ => message,
    }
}
