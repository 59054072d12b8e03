//! The progress of an import. It is written in the same commit as the rows that it counts, so it
//! is always exact.

use serde::{Deserialize, Serialize};

/// Max wrong lines that are reported; all are counted.
const WRONG_LINES_MAX: usize = 100;

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    /// What the client calls it.
    pub(crate) id: String,
    /// The key of the resource that comes in.
    pub(crate) resource: String,
    /// Whether it goes on.
    pub(crate) state: State,
    /// How to treat a row whose document exists.
    pub(crate) existing: Existing,
    /// What becomes of the import at a wrong line.
    pub(crate) wrong: Wrong,
    /// Number of lines done: the next attempt continues after them.
    pub(crate) lines: u64,
    /// Documents that are new.
    pub(crate) created: u64,
    /// Documents that are as the rows say now.
    pub(crate) replaced: u64,
    /// Documents that were there already and stay.
    pub(crate) kept: u64,
    /// Lines that were passed over because they are wrong.
    pub(crate) refused: u64,
    /// The first of the wrong lines.
    pub(crate) wrong_lines: Vec<WrongLine>,
    /// When it began.
    pub(crate) began: String,
    /// When it last went on.
    pub(crate) at: String,
}

/// Whether an import goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// Lines come in, or the connection broke: it can be gone on with.
    Running,
    /// A line is wrong; it can be gone on with once it is right.
    Stopped,
    /// Every line is dealt with.
    Completed,
}

/// How to treat a row whose document exists with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Existing {
    /// The line is wrong.
    Refuse,
    /// The document stays.
    Keep,
    /// Replace the document by the row.
    Replace,
}

/// What becomes of an import at a wrong line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wrong {
    /// It stops before it.
    Stop,
    /// It notes the line and goes on.
    Skip,
}

/// A line that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrongLine {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// The attribute; `$` where it is the whole.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) message: String,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its document is new.
    Created,
    /// Its document was replaced by the row.
    Replaced,
    /// Its document was there and stays.
    Kept,
    /// It is wrong.
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
    /// An import that begins.
    pub(crate) fn new(
        id: &str,
        resource: &str,
        (existing, wrong): (Existing, Wrong),
        at: String,
    ) -> Self {
        Self {
            id: id.into(),
            resource: resource.into(),
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

    /// Counts a row, which makes every line up to its own dealt with.
    pub(crate) fn count(&mut self, line: u64, fate: &Fate) {
        self.lines = line;
        match fate {
            Fate::Created => self.created += 1,
            Fate::Replaced => self.replaced += 1,
            Fate::Kept => self.kept += 1,
            Fate::Refused(wrong) => {
                self.refused += 1;
                if self.wrong_lines.len() < WRONG_LINES_MAX {
                    self.wrong_lines.push(wrong.clone());
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

    /// Goes on, as a client asks now.
    pub(crate) fn resume(&mut self, existing: Existing, wrong: Wrong) {
        if self.state == State::Stopped {
            self.wrong_lines.clear();
        }
        self.state = State::Running;
        self.existing = existing;
        self.wrong = wrong;
    }
}
