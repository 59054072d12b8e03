//! A mistake in a pack: where it is, what it is, and what would be right.

use std::fmt;

use serde::Serialize;

/// Something that is wrong with a pack, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The file within the pack.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Whether the pack cannot be used.
    pub severity: Severity,
    /// The kind of mistake.
    pub code: Code,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What would be right.
    #[serde(rename = "hint", skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The line's text.
    #[serde(skip)]
    pub text: String,
}

/// Whether a pack with this can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but this is hardly what was meant.
    Warning,
}

/// The kind of a mistake, for programs: the words stay, the messages may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A file is missing.
    FileMissing,
    /// A file cannot be read from the disk, or is no text.
    FileUnreadable,
    /// A file is not YAML or not JSON.
    Syntax,
    /// A key is not known, one is missing, or a value has another type.
    Shape,
    /// A value is not one of those that may stand there.
    Value,
    /// Two things have one name.
    Twice,
    /// What is written contradicts itself.
    Contradiction,
    /// An expression cannot be compiled.
    Expression,
    /// No catalog has what is named.
    UnknownReference,
    /// The pack has no such workflow.
    UnknownWorkflow,
    /// The workflow has no such step, or not before this one.
    UnknownStep,
    /// No pack has the pool.
    UnknownPool,
    /// The plugin is not there.
    UnknownPlugin,
    /// The specification has no such characteristic.
    UnknownCharacteristic,
    /// The standard has no relation of this name.
    UnknownRelation,
    /// The specification is of another kind than is meant.
    WrongKind,
    /// Needs run in a circle.
    Circle,
    /// It never comes into play.
    Unreachable,
    /// The plugin does not take this input.
    PluginInput,
    /// A step is to be undone by a plugin that cannot.
    NoUndo,
    /// An entity of the catalog cannot be used.
    Catalog,
    /// Another pack has the same.
    Clash,
}

impl Diagnostic {
    /// Whether the pack cannot be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, text, .. } = self;
        let severity = if self.is_error() { "" } else { "warning: " };
        writeln!(f, "{file}:{line}:{column}: {severity}{message}")?;
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
