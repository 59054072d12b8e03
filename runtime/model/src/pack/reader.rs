//! Reads the files of a pack and gathers what is wrong with them, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::places::{Place, Tree};
use super::{
    CATALOG, Diagnostic, POOLS, PackFiles, WORKFLOWS, WrittenPool, check, line_and_column,
};
use crate::catalog::Catalog;
use crate::id::{PoolId, SpecId};
use crate::pool::Pool;
use crate::workflow::{self, Mistakes, Workflow, WrittenWorkflow};

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
        file: &str,
        place: Place<'_>,
        message: String,
        help: Option<String>,
    ) {
        self.report_at(file, (place.line, place.column), message, help);
    }

    pub(super) fn report_at(
        &mut self,
        file: &str,
        (line, column): (usize, usize),
        message: String,
        help: Option<String>,
    ) {
        let text = self.files.get(file).unwrap_or_default();
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_string();
        let (file, column) = (file.to_string(), column.max(1));
        self.found.push(Diagnostic { file, line, column, message, help, text });
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
            self.report_at(file, (line, column), message.into(), None);
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
                self.report_at(CATALOG, (error.line(), error.column()), message, None);
                return Catalog::default();
            }
        };
        Catalog::parse(&value).unwrap_or_else(|errors| {
            for error in errors {
                let id = format!("\"{}\"", error.id);
                let place = line_and_column(text, text.find(&id).unwrap_or(0));
                self.report_at(CATALOG, place, error.to_string(), None);
            }
            Catalog::default()
        })
    }

    pub(super) fn workflows(&mut self, written: &[WrittenWorkflow]) -> BTreeMap<String, Workflow> {
        let tree = self.tree(WORKFLOWS);
        let mut workflows = BTreeMap::new();
        for (index, entry) in written.iter().enumerate() {
            let place = tree.root().get("workflows").at(index);
            let mut mistakes = Mistakes::default();
            let workflow = workflow::checked(entry, place, &mut mistakes);
            for wrong in mistakes.0 {
                self.report(WORKFLOWS, wrong.place, wrong.message, wrong.help);
            }
            check::workflow(self, &workflow, place);
            if workflows.insert(entry.workflow.clone(), workflow).is_some() {
                let message = format!("the workflow `{}` occurs twice", entry.workflow);
                self.report(WORKFLOWS, place.get("workflow"), message, None);
            }
        }
        workflows
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

    pub(super) fn pools(&mut self, written: &[WrittenPool]) -> Vec<Pool> {
        let tree = self.tree(POOLS);
        let mut pools: Vec<Pool> = Vec::new();
        for (index, entry) in written.iter().enumerate() {
            let place = tree.root().get("pools").at(index);
            let id = PoolId::new(&entry.pool);
            if pools.iter().any(|pool| pool.id == id) {
                let message = format!("the pool `{id}` occurs twice");
                self.report(POOLS, place.get("pool"), message, None);
            }
            match entry.values() {
                Ok(values) => pools.push(Pool {
                    id,
                    resource: SpecId::new(&entry.resource),
                    characteristic: entry.characteristic.clone(),
                    values,
                }),
                Err((key, message)) => self.report(POOLS, place.get(key), message, None),
            }
        }
        pools
    }
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
