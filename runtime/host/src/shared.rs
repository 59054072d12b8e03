//! The parts of a host that all its clones and calls share.

use std::fmt::Write as _;
use std::sync::Arc;

use engine::clock::System;
use engine::pools::Pools;
use engine::scratch::Scratch;
use engine::store::Store;

use crate::admission::Admission;
use crate::artefact::Cache;
use crate::binding::Bindings;
use crate::capability::record::Keep;
use crate::compile::Compiler;
use crate::counters::Counters;
use crate::executor::Executor;
use crate::executor::lane::Lanes;
use crate::granting::Granting;
use crate::machine::Machine;
use crate::registry::Registry;
use crate::secret::Safe;
use crate::shadow::Shadows;
use crate::trust::Trusted;

/// The state of a host.
pub(crate) struct Shared {
    pub(crate) machine: Arc<Machine>,
    pub(crate) pools: Pools,
    pub(crate) scratch: Scratch,
    pub(crate) store: Arc<dyn Store>,
    /// Instances and memory, by plugin.
    pub(crate) admission: Admission,
    pub(crate) executor: Arc<Executor>,
    pub(crate) lanes: Lanes,
    pub(crate) registry: Registry,
    pub(crate) cache: Cache,
    pub(crate) bindings: Bindings,
    pub(crate) compiler: Arc<Compiler>,
    pub(crate) granting: Granting,
    pub(crate) secrets: Arc<Safe>,
    pub(crate) callbacks: String,
    pub(crate) plugin_bytes_max: usize,
    /// What plugins did, counted.
    pub(crate) counters: Arc<Counters>,
    /// What is kept of exchanges.
    pub(crate) keep: Keep,
    /// Versions that repeat calls without effects.
    pub(crate) shadows: Shadows,
    pub(crate) clock: Arc<System>,
    /// The keys that vouch for plugins.
    pub(crate) trust: Trusted,
    /// Held while the folder of plugins is looked at or changed.
    pub(crate) folder_turn: tokio::sync::Mutex<()>,
}

impl Shared {
    /// Where an element posts its answer to a call, by the name that the engine gives it.
    pub(crate) fn callback_url(&self, name: &str) -> String {
        let mut url = self.callbacks.clone();
        for byte in name.bytes() {
            // What a path segment may hold as it is (RFC 3986); the rest is escaped.
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(byte)),
                b'-' | b'.' | b'_' | b'~' | b':' | b'@' | b'+' => url.push(char::from(byte)),
                _ => {
                    // Writing to a text cannot fail.
                    let _ok = write!(url, "%{byte:02X}");
                }
            }
        }
        url
    }
}

pub(crate) fn callbacks(base_url: &str) -> String {
    format!("{}/orchestration/v1/callbacks/", base_url.trim_end_matches('/'))
}

/// Runs work on a thread that may block; `None` if the runtime is shutting down.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Some(result),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}
