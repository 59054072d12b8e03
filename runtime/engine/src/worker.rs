//! What the engine asks of whoever runs plugins.

use std::pin::Pin;

use model::{Digest, FulfilmentId, Outcome, PluginId, TaskId, Timestamp};
use serde_json::{Map, Value};

/// Runs plugins.
pub trait Worker: Send + Sync + 'static {
    /// The version of a plugin that new plans use, and what it can do; nothing where no such
    /// plugin is active.
    fn resolve(&self, plugin: &PluginId) -> Option<Resolved>;

    /// What the plugin with these bytes can do; nothing where it is not to be had.
    fn nature(&self, digest: &Digest) -> Option<Nature>;

    /// Carries out one call. Never panics and always answers: within the call's time limit, or
    /// with a failure that says it was exceeded.
    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>>;
}

/// A version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it can do.
    pub nature: Nature,
}

/// Whether a plugin can have an effect beyond its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It was granted nothing that reaches outside: running it twice is as good as once, whatever
    /// it does, so nobody need know that it was started.
    Pure,
    /// It can reach outside.
    External,
}

/// One call to a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The fulfilment that the task is part of.
    pub fulfilment: FulfilmentId,
    /// The task.
    pub task: TaskId,
    /// The task's name, such as `RFS-VLAN.activate`.
    pub name: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The same for every try; that of the work where it is taken back.
    pub idempotency_key: String,
    /// The name under which the element may answer later, at the end of its URL.
    pub callback: String,
    /// Which of the plugin's functions is meant.
    pub manner: Manner,
    /// The plugin.
    pub plugin: PluginId,
    /// The version of it.
    pub digest: Digest,
    /// The specification of the task's item; empty for a task of the whole order.
    pub spec: String,
    /// What is wanted of the item: `add`, `modify`, `delete` or `noChange`.
    pub action: String,
    /// The item's characteristics.
    pub characteristics: Map<String, Value>,
    /// The key that the work was done under before, where it stands and is changed, or is done again
    /// as it was.
    pub replaces: Option<String>,
    /// The step's input, evaluated.
    pub input: Map<String, Value>,
    /// How long the call may take, in milliseconds.
    pub timeout_ms: u64,
    /// When it was due.
    pub at: Timestamp,
}

/// Which of a plugin's functions a call means.
#[derive(Clone, Debug, PartialEq)]
pub enum Manner {
    /// Do the work.
    Run,
    /// The work may have been done already, by an attempt whose outcome is unknown: probe where
    /// the plugin can, and do the work with the same key unless it was applied.
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
    /// Take the work back.
    Undo {
        /// The outputs of the work; empty where they were never seen.
        outputs: Map<String, Value>,
    },
    /// Take back that the work was done in another way: do it again as it was, under a key of its
    /// own.
    Restore,
}

impl Manner {
    /// Whether it takes work back, or does it again as it was.
    pub fn takes_back(&self) -> bool {
        match self {
            Self::Run | Self::Recover | Self::Resume { .. } => false,
            Self::ResumeUndo { .. } | Self::Undo { .. } | Self::Restore => true,
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What the plugin logged, one line each, capped by the worker.
    pub log: Vec<String>,
}
