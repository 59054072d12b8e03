//! How much a call may take: memory, processor time and wall-clock time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

/// What a call gets where neither the plugin nor the operator says anything.
pub const DEFAULT: Limits =
    Limits { memory_mib: 64, cpu_ms: 1_000, wall_ms: 10_000, concurrency: 64 };

/// What a plugin may ask for at the most where the operator says nothing.
pub const CEILING: Limits =
    Limits { memory_mib: 256, cpu_ms: 10_000, wall_ms: 120_000, concurrency: 1_024 };

/// How long an epoch lasts: guests yield to each other, and their budget is looked at, this often.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

const EPOCH_NS: u64 = EPOCH.as_nanos() as u64;

/// No table of a guest may have more elements.
const TABLE_ELEMENTS_MAX: usize = 20_000;

/// What a manifest asks for or an operator caps; all of it optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Asked {
    /// Linear memory of one call, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// Processor time of one call, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u32>,
    /// Wall-clock time of one call, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u32>,
    /// Calls at one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}

/// The limits that hold for a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory of one call, in MiB, summed over all of its memories.
    pub memory_mib: u32,
    /// Processor time of one call, in milliseconds.
    pub cpu_ms: u32,
    /// Wall-clock time of one call, in milliseconds.
    pub wall_ms: u32,
    /// Calls at one time.
    pub concurrency: u32,
}

impl Limits {
    /// What a plugin gets: what it asked for, capped by the operator or else by [`CEILING`].
    pub fn settle(asked: &Asked, operator: &Asked) -> Self {
        let pick = |asked: Option<u32>, cap: Option<u32>, default: u32, ceiling: u32| match cap {
            Some(cap) => asked.unwrap_or(cap).min(cap).max(1),
            None => asked.unwrap_or(default).clamp(1, ceiling),
        };
        Self {
            memory_mib: pick(
                asked.memory_mib,
                operator.memory_mib,
                DEFAULT.memory_mib,
                CEILING.memory_mib,
            ),
            cpu_ms: pick(asked.cpu_ms, operator.cpu_ms, DEFAULT.cpu_ms, CEILING.cpu_ms),
            wall_ms: pick(asked.wall_ms, operator.wall_ms, DEFAULT.wall_ms, CEILING.wall_ms),
            concurrency: pick(
                asked.concurrency,
                operator.concurrency,
                DEFAULT.concurrency,
                CEILING.concurrency,
            ),
        }
    }
}

/// Sums the linear memory of a store; wasmtime's own limit counts each memory by itself.
#[derive(Debug)]
pub(crate) struct Memory {
    used: usize,
    max: usize,
    refused: bool,
}

impl Memory {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { used: 0, max: (limits.memory_mib as usize) << 20, refused: false }
    }

    /// Whether the guest wanted more than it may have.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self.used.saturating_add(desired.saturating_sub(current));
        if after > self.max {
            self.refused = true;
            return Ok(false);
        }
        self.used = after;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

/// Counts the processor time of a call. Time in which it waits for the host, or in which the
/// machine is busy with others, costs it nothing.
///
/// Asking for a thread's time is a system call, and most calls end within their first epoch. So
/// counting begins with the first epoch that ends while the guest runs; what went before is taken
/// as one epoch.
#[derive(Debug)]
pub(crate) struct Meter {
    is_counting: AtomicBool,
    spent_ns: AtomicU64,
    /// The thread's processor time when this poll began.
    began_ns: AtomicU64,
    max_ns: u64,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            is_counting: AtomicBool::new(false),
            spent_ns: AtomicU64::new(0),
            began_ns: AtomicU64::new(0),
            max_ns: u64::from(limits.cpu_ms) * 1_000_000,
        }
    }

    /// Whether the budget is spent; asked when an epoch ends, on the thread that polls.
    pub(crate) fn is_spent(&self) -> bool {
        let now = thread_ns();
        if !self.is_counting.swap(true, Ordering::Relaxed) {
            self.began_ns.store(now, Ordering::Relaxed);
            self.spent_ns.store(EPOCH_NS.min(self.max_ns / 2), Ordering::Relaxed);
            return false;
        }
        let running = now.saturating_sub(self.began_ns.load(Ordering::Relaxed));
        self.spent_ns.load(Ordering::Relaxed) + running > self.max_ns
    }

    /// What was spent so far.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed))
    }

    /// Runs a future under this meter.
    pub(crate) async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| {
            if self.is_counting.load(Ordering::Relaxed) {
                self.began_ns.store(thread_ns(), Ordering::Relaxed);
            }
            let poll = future.as_mut().poll(context);
            if self.is_counting.load(Ordering::Relaxed) {
                let began = self.began_ns.load(Ordering::Relaxed);
                self.spent_ns.fetch_add(thread_ns().saturating_sub(began), Ordering::Relaxed);
            }
            poll
        })
        .await
    }
}

fn thread_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests;
