//! How work is undone: under a key of its own, by plugins that can.

use engine::worker::Call;
use model::plan::UNDO;
use model::{Failure, FailureClass};

use super::Guest;
use crate::bindings::types::{Attribute, Task};
use crate::install::Plugin;

/// The attribute of a task that tells that it is undone, or done again as it was.
const IS_UNDO: &str = "undo";

/// The task as it is undone: under a key of its own.
pub(super) fn task(guest: &Guest, call: &Call) -> Task {
    let mut task = guest.task(call, format!("{}{UNDO}", call.idempotency_key));
    task.attributes.push(Attribute { name: IS_UNDO.into(), value: "true".into() });
    task
}

/// A plugin of the world `step` was asked to undo what it did.
pub(crate) fn no_undo(plugin: &Plugin) -> Failure {
    let (name, role) = (&plugin.name, plugin.installed.role);
    let message = format!(
        "plugin `{name}` is a {role}, whose world has no `undo`, and what it did outside stands: take \
         it back by hand, then skip the task; for later orders give its step `undo: false`, or make \
         the plugin an activator"
    );
    Failure::new(FailureClass::Person, "PLUGIN_NO_UNDO", message)
}
