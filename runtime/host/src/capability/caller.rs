//! The plugin that calls a capability.

use std::sync::Arc;

use model::{FulfilmentId, TaskId};

use super::calls::Calls;
use super::log::Log;
use super::record::Recorder;
use crate::grants::{self, Grants};

/// The plugin that is called, and the task that it is called for.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) plugin: Arc<str>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) fulfilment: FulfilmentId,
    pub(crate) task: TaskId,
    pub(crate) log: Log,
    pub(crate) calls: Arc<Calls>,
    pub(crate) recorder: Recorder,
}

impl Caller {
    /// Adds a line of the host's to its log.
    pub(crate) fn note(&self, text: &str) {
        self.log.write("host", text);
    }

    /// The lines of `ferrule.toml` that grant it one HTTP rule more.
    pub(crate) fn http_lines(&self, more: &str) -> String {
        let granted: Vec<_> = self.grants.http.iter().map(ToString::to_string).collect();
        grants::lines(&self.plugin, "http", &granted, more)
    }
}
