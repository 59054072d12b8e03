//! The results of all cells, as a table and as data.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::time::Duration;

use host::limits::{Asked, Limits};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::bench::Subject;
use super::cell::{Result, Status};
use super::peak::Peak;
use super::problem::Kind;

/// The results of a plugin.
#[derive(Debug, Serialize)]
pub(in crate::cli::plugin) struct Report {
    pub(in crate::cli::plugin) plugin: String,
    pub(in crate::cli::plugin) version: String,
    /// The SHA-256 of its bytes.
    pub(in crate::cli::plugin) digest: String,
    pub(in crate::cli::plugin) results: Vec<Result>,
    /// The highest figures of all calls.
    peak: Peak,
    #[serde(skip)]
    limits: Limits,
}

impl Report {
    pub(super) fn new(subject: &Subject, results: Vec<Result>) -> Self {
        Self {
            plugin: subject.manifest.id.to_owned(),
            version: subject.manifest.version.to_owned(),
            digest: subject.digest.to_string(),
            peak: results.iter().fold(Peak::default(), |peak, one| peak.with(one.peak)),
            limits: Limits::settle(&subject.manifest.limits, &Asked::default()),
            results,
        }
    }

    /// Fails if a cell has.
    pub(in crate::cli::plugin) fn verdict(&self) -> anyhow::Result<()> {
        match self.failed() {
            0 => Ok(()),
            failed => anyhow::bail!("{failed} of {} cells failed", self.results.len()),
        }
    }

    pub(super) fn failed(&self) -> usize {
        self.count(Status::Failed)
    }

    pub(in crate::cli::plugin) fn count(&self, status: Status) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// Whether any request was disturbed.
    pub(in crate::cli::plugin) fn has_faults(&self) -> bool {
        self.results.iter().any(|result| result.cell.ends_with("/refused"))
    }

    /// The report for a terminal: a line for each group of cells, then each failed cell with what to do.
    pub(in crate::cli::plugin) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} {} sha256 {}", self.plugin, self.version, self.digest)];
        lines.extend(self.table());
        for result in self.results.iter().filter(|result| result.status == Status::Failed) {
            lines.push(String::new());
            lines.push(format!("FAILED {} ({})", result.cell, result.about));
            let kinds: BTreeSet<Kind> = result.problems.iter().map(|one| one.kind).collect();
            lines.extend(result.problems.iter().map(|problem| format!("  {}", problem.what)));
            lines.extend(kinds.into_iter().map(|kind| format!("  do: {}", kind.advice())));
            lines.extend(result.story.iter().map(|line| format!("    | {line}")));
        }
        lines.push(String::new());
        let (peak, limits) = (self.peak, self.limits);
        lines.push(format!(
            "a call took at most {}.{} of {} ms of processor time, and {} of {} KiB of memory",
            peak.cpu_us / 1_000,
            peak.cpu_us / 100 % 10,
            limits.cpu_ms,
            peak.memory_kib,
            limits.memory_mib * 1_024
        ));
        let left_out = match self.count(Status::LeftOut) {
            0 => String::new(),
            count => format!(", {count} left out"),
        };
        lines.push(format!(
            "{} cells passed, {} failed{left_out}",
            self.count(Status::Passed),
            self.failed()
        ));
        lines
    }

    /// A line for each part of a case, with its cells.
    fn table(&self) -> Vec<String> {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for result in &self.results {
            let (group, name) = result.cell.rsplit_once('/').unwrap_or(("", &result.cell));
            let shown = match result.status {
                Status::Passed => name.to_owned(),
                Status::Failed => format!("{}!", name.to_uppercase()),
                Status::LeftOut => format!("({name})"),
            };
            match groups.iter_mut().find(|(known, _)| known == group) {
                Some((_, cells)) => cells.push(shown),
                None => groups.push((group.to_owned(), vec![shown])),
            }
        }
        let lines =
            groups.into_iter().map(|(group, cells)| format!("{group}: {}", cells.join(" ")));
        lines.collect()
    }
}

/// How far the plays are, on a terminal.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(cells: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("  {bar:24} {pos}/{len} {wide_msg}");
        let bar = ProgressBar::new(cells as u64);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    pub(super) fn tell(&self, result: &Result) {
        if result.status != Status::LeftOut {
            self.0.inc(1);
        }
        if result.status == Status::Failed {
            self.0.println(format!("  failed: {}", result.cell));
        }
        self.0.set_message(result.cell.to_owned());
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// A text as HTML and XML have it.
pub(super) fn escaped(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => made.push_str("&amp;"),
            '<' => made.push_str("&lt;"),
            '>' => made.push_str("&gt;"),
            '"' => made.push_str("&quot;"),
            '\'' => made.push_str("&#39;"),
            // XML has no place for them.
            char if char.is_control() && char != '\n' => made.push(' '),
            char => made.push(char),
        }
    }
    made
}
