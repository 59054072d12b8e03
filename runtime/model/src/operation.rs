//! The calls to plugins: which of a plugin's functions is called, and the effects that it can have.

use serde_json::{Map, Value};

/// Whether a plugin can have an effect beyond its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effects {
    /// It was granted no capability that reaches outside: running it twice is as good as once, so
    /// its start need not be recorded.
    Pure,
    /// It can reach outside.
    External,
}

/// Which of a plugin's functions is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Do the work.
    Run,
    /// The outcome of an earlier attempt is unknown: probe if the plugin can, and do the work with
    /// the same key unless it was applied.
    Recover,
    /// Read an answer that came by callback.
    Resume {
        /// The body of the callback.
        payload: Value,
    },
    /// Read an answer to an undo that came by callback.
    ResumeUndo {
        /// The body of the callback.
        payload: Value,
    },
    /// Undo the work.
    Undo {
        /// The outputs of the work; empty if they were never received.
        outputs: Map<String, Value>,
    },
    /// Revert a modification: do the original work again, under a new idempotency key.
    Reapply,
}

impl Operation {
    /// Its name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Recover => "recover",
            Self::Resume { .. } => "resume",
            Self::ResumeUndo { .. } => "resumeUndo",
            Self::Undo { .. } => "undo",
            Self::Reapply => "reapply",
        }
    }

    /// Whether it undoes work, or reverts a modification.
    pub fn reverts(&self) -> bool {
        match self {
            Self::Run | Self::Recover | Self::Resume { .. } => false,
            Self::ResumeUndo { .. } | Self::Undo { .. } | Self::Reapply => true,
        }
    }
}

/// Whether a call carries its fulfilment forward or rolls it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To its completion. A task that undoes prior work goes this way too.
    Forward,
    /// To the state before the order.
    Backward,
}
