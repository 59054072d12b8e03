//! The progress of an import. It is written in the same commit as the rows that it counts, so it
//! is always exact.

use serde::{Deserialize, Serialize};

/// Max wrong lines that are reported; all are counted.
const WRONG_LINES_MAX: usize = 100;

/// The progress of an import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    /// The client's id of it.
    pub(crate) id: String,
    /// The key of the resource.
    pub(crate) resource: String,
    /// Who began it, as a digest; `None` if access was off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// Whether it continues.
    pub(crate) state: State,
    /// How to treat a row whose document exists.
    pub(crate) existing: Existing,
    /// What to do at a wrong line.
    pub(crate) wrong: Wrong,
    /// Number of lines done: the next attempt continues after them.
    pub(crate) lines: u64,
    /// Number of created documents.
    pub(crate) created: u64,
    /// Number of replaced documents.
    pub(crate) replaced: u64,
    /// Number of unchanged documents.
    pub(crate) kept: u64,
    /// Number of skipped wrong lines.
    pub(crate) refused: u64,
    /// The first wrong lines.
    pub(crate) wrong_lines: Vec<WrongLine>,
    pub(crate) began: String,
    /// When it last continued.
    pub(crate) at: String,
}

/// Whether an import continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// Lines are being imported, or the connection broke: it can be continued.
    Running,
    /// A line is wrong; the import can be continued once it is corrected.
    Stopped,
    /// Every line is done.
    Completed,
}

/// How to treat a row whose document exists with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Existing {
    /// The line is wrong.
    Refuse,
    Keep,
    /// Replace the document by the row.
    Replace,
}

/// What to do at a wrong line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wrong {
    /// Stop before it.
    Stop,
    /// Report the line and continue.
    Skip,
}

/// A refused line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrongLine {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// The attribute; `$` for the whole line.
    pub(crate) path: String,
    pub(crate) message: String,
}

/// The result of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowResult {
    /// Its document is new.
    Created,
    /// Its document was replaced by the row.
    Replaced,
    /// Its document was not changed.
    Kept,
    Refused(WrongLine),
}

impl Existing {
    /// Reads a request parameter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "keep" => Some(Self::Keep),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}

impl Wrong {
    /// Reads a request parameter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "stop" => Some(Self::Stop),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

impl Progress {
    /// A new import.
    pub(crate) fn new(
        id: &str,
        resource: &str,
        (existing, wrong): (Existing, Wrong),
        at: String,
    ) -> Self {
        Self {
            id: id.into(),
            resource: resource.into(),
            owner: None,
            state: State::Running,
            existing,
            wrong,
            lines: 0,
            created: 0,
            replaced: 0,
            kept: 0,
            refused: 0,
            wrong_lines: Vec::new(),
            began: at.clone(),
            at,
        }
    }

    /// Counts a row; all lines up to it are done.
    pub(crate) fn count(&mut self, line: u64, result: RowResult) {
        self.lines = line;
        match result {
            RowResult::Created => self.created += 1,
            RowResult::Replaced => self.replaced += 1,
            RowResult::Kept => self.kept += 1,
            RowResult::Refused(wrong) => {
                self.refused += 1;
                if self.wrong_lines.len() < WRONG_LINES_MAX {
                    self.wrong_lines.push(wrong);
                }
            }
        }
    }

    /// Stops before a wrong line.
    pub(crate) fn stop(&mut self, wrong: WrongLine) {
        self.state = State::Stopped;
        self.lines = wrong.line.saturating_sub(1);
        self.wrong_lines = vec![wrong];
    }

    /// Continues, with the client's current options.
    pub(crate) fn resume(&mut self, existing: Existing, wrong: Wrong) {
        if self.state == State::Stopped {
            self.wrong_lines.clear();
        }
        self.state = State::Running;
        self.existing = existing;
        self.wrong = wrong;
    }
}
