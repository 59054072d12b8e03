//! The processor time and the memory that calls take.

use serde::Serialize;

/// The highest figures of calls.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli::plugin) struct Peak {
    pub(super) cpu_us: u64,
    #[serde(rename = "memoryKiB")]
    pub(super) memory_kib: u32,
}

impl Peak {
    /// The higher figures of two.
    pub(super) fn with(self, other: Self) -> Self {
        let memory_kib = self.memory_kib.max(other.memory_kib);
        Self { cpu_us: self.cpu_us.max(other.cpu_us), memory_kib }
    }
}
