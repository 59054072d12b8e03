//! Why a call was not begun, or was given up: limits of the host and of the plugin as a whole.

use std::time::Duration;

use model::{Failure, FailureClass, FailureCode};

use crate::admission::{Capacity, Short};
use crate::install::Plugin;

const MIB: usize = 1 << 20;

/// No instance was free in time.
pub(super) fn busy(plugin: &Plugin, capacity: Capacity) -> Failure {
    let message = format!(
        "plugin `{}` had no free slot in time: it may have {} calls at once ([plugins.{0}] \
         limits.concurrency), and {} of the {} instances of the host, fewer while others need them \
         ([host] plugin-share-percent, instances)",
        plugin.name,
        plugin.limits.concurrency,
        capacity.instances_share(),
        capacity.instances,
    );
    Failure::new(FailureClass::Retry, FailureCode::PluginBusy, message)
}

/// It was called as often as it may be.
pub(super) fn rate(plugin: &Plugin, retry_after: Duration) -> Failure {
    let name = &plugin.name;
    let message = format!(
        "plugin `{name}` was called as often as it may be ([plugins.{name}] limits.per-second, burst)"
    );
    let ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
    let failure = Failure::new(FailureClass::Retry, FailureCode::PluginRate, message);
    Failure { retry_after_ms: Some(ms), ..failure }
}

/// The element has not finished the change that is to be rolled back.
pub(super) fn pending() -> Failure {
    let message = "the element still works on the change: it is rolled back when that has ended";
    Failure::new(FailureClass::Retry, FailureCode::ElementPending, message)
}

/// The time was up.
pub(super) fn late(plugin: &Plugin) -> Failure {
    let (name, limits) = (&plugin.name, &plugin.limits);
    let message = format!(
        "plugin `{name}` did not answer in time; it may take {} ms, and no longer than its step",
        limits.wall_ms
    );
    Failure::new(FailureClass::Retry, FailureCode::PluginTimeout, message)
}

/// The memory of all guests, or the plugin's share of it, was used up.
pub(super) fn short(short: Short, capacity: Capacity) -> Failure {
    let message = match short {
        Short::Budget => format!(
            "the plugins have used up the {} MiB of memory that they may have together; the task is \
             tried again, raise [host] memory-mib if it stays so",
            capacity.bytes / MIB
        ),
        Short::Share => format!(
            "the calls of this plugin have used up its share of memory, {} of {} MiB; the task is \
             tried again, raise [host] memory-mib or plugin-share-percent if it stays so",
            capacity.bytes_share() / MIB,
            capacity.bytes / MIB
        ),
        Short::Tenant => {
            "the calls of this tenant have used up its share of the memory of plugins; the \
                          task is tried again, raise [tenants.NAME] share-percent if it stays so"
                .into()
        }
    };
    Failure::new(FailureClass::Retry, FailureCode::HostMemory, message)
}

/// The call needs more memory than its plugin can ever have.
pub(super) fn too_large(plugin: &Plugin, bytes: usize, capacity: Capacity) -> Failure {
    let message = format!(
        "a call of plugin `{}` needs {} MiB in the host, a plugin may have {}; raise [host] \
         memory-mib or plugin-share-percent, then retry the task",
        plugin.name,
        bytes.div_ceil(MIB),
        capacity.bytes_share() / MIB
    );
    Failure::new(FailureClass::Operator, FailureCode::HostMemory, message)
}

/// wasmtime's pool had no room, although the call was admitted.
pub(super) fn pool(error: &wasmtime::Error) -> Failure {
    let message = format!(
        "the host has no room for another instance ({error}); the task is tried again, raise [host] \
         instances if it stays so"
    );
    Failure::new(FailureClass::Retry, FailureCode::HostBusy, message)
}

/// The host is ending.
pub(super) fn closing() -> Failure {
    Failure::new(FailureClass::Retry, FailureCode::HostClosing, "the host is closing")
}

/// The host panicked while it served the call.
pub(super) fn fault(plugin: &Plugin) -> Failure {
    let message = format!(
        "the host failed while it called plugin `{}`: see the server's log, report it, then retry \
         the task",
        plugin.name
    );
    Failure::new(FailureClass::Operator, FailureCode::HostFault, message)
}

/// A plugin that reaches outside and exports no `undo` was asked to undo its work.
pub(crate) fn no_undo(plugin: &Plugin) -> Failure {
    let (name, role) = (&plugin.name, plugin.installed.role);
    let message = format!(
        "plugin `{name}` is a {role} that exports no `undo`, and its work outside remains: undo it by \
         hand, then skip the task; for later orders give its step `undo: false`, or export `undo`"
    );
    Failure::new(FailureClass::Operator, FailureCode::PluginNoUndo, message)
}
