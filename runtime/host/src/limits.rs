//! How much a call may take: memory, processor time and wall-clock time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

use crate::admission::{Permit, Short};
use crate::rate::{Rate, Throttle};

/// The default limits of a call.
pub const DEFAULT: Limits =
    Limits { memory_mib: 64, cpu_ms: 1_000, wall_ms: 10_000, concurrency: 64 };

/// The limits that a plugin may ask for by default.
pub const CEILING: Limits =
    Limits { memory_mib: 256, cpu_ms: 10_000, wall_ms: 120_000, concurrency: 128 };

/// How long an epoch lasts: a guest's processor time is looked at this often.
pub(crate) const EPOCH: Duration = Duration::from_millis(1);

/// The processor time that a call has before it goes to the background.
pub(crate) const PROMPT: Duration = Duration::from_millis(1);

/// The time that a call runs in the background before the next one has the thread.
pub(crate) const SLICE: Duration = Duration::from_millis(2);

/// Max bytes that a guest may pass to the host, or answer, at once.
pub(crate) const HOSTCALL_BYTES_MAX: usize = 2 << 20;

/// Max bytes of the headers of one request or response.
pub(crate) const FIELDS_BYTES_MAX: usize = 32 << 10;

const PROMPT_NS: u64 = PROMPT.as_nanos() as u64;
const SLICE_NS: u64 = SLICE.as_nanos() as u64;

/// Max elements of one table of a guest.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;

/// Max linear memories of one component, over all of its core instances.
pub(crate) const MEMORIES_MAX: u32 = 4;

/// Max tables of one component, over all of its core instances.
pub(crate) const TABLES_MAX: u32 = 16;

/// Max core instances of one component: three or four if it is Rust, dozens if it is Python.
pub(crate) const CORE_INSTANCES_MAX: u32 = 64;

/// Max bytes of what the host keeps of a component and its core instances, beside their memories
/// and tables.
pub(crate) const INSTANCE_BYTES_MAX: usize = 4 << 20;

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
    /// Calls a second; the operator's to set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<Rate>,
    /// How many of them at once, if there were none before; 1 by default. The operator's to set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
}

/// The limits that hold for a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Asked {
    /// How often a plugin may be called.
    pub(crate) fn throttle(&self) -> Throttle {
        Throttle { concurrency: None, per_second: self.per_second, burst: self.burst }
    }
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

/// Sums the linear memory of a store; wasmtime's own limit counts each memory by itself. The
/// memory of the store is charged to the budget of all guests.
#[derive(Debug)]
pub(crate) struct Memory {
    used: usize,
    max: usize,
    refused: bool,
    permit: Permit,
    short: Option<Short>,
    meter: Arc<Meter>,
}

impl Memory {
    pub(crate) fn new(limits: &Limits, permit: Permit, meter: Arc<Meter>) -> Self {
        let max = (limits.memory_mib as usize) << 20;
        Self { used: 0, max, refused: false, permit, short: None, meter }
    }

    /// Whether the guest wanted more than it may have.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }

    /// Why the budget of all guests did not do, if it did not.
    pub(crate) fn short(&self) -> Option<Short> {
        self.short
    }

    /// Charges bytes to the budget of all guests. An error ends the call.
    pub(crate) fn charge(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.permit.grow(bytes).map_err(|short| {
            self.short = Some(short);
            wasmtime::Error::new(short)
        })
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let after = self.used.saturating_add(more);
        if after > self.max {
            self.refused = true;
            return Ok(false);
        }
        self.charge(more)?;
        self.used = after;
        self.meter.memory_bytes.store(after, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            return Ok(false);
        }
        self.charge(desired.saturating_sub(current) * size_of::<usize>())?;
        Ok(true)
    }

    // The pool checks these when a component is loaded. Without a pool they are checked here.
    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}

/// Counts the processor time of a call, and its memory. Time in which it waits for the host, or in which the
/// machine is busy with others, costs it nothing.
#[derive(Debug)]
pub(crate) struct Meter {
    is_long: AtomicBool,
    spent_ns: AtomicU64,
    /// The thread's processor time when this poll began.
    began_ns: AtomicU64,
    max_ns: u64,
    /// The linear memory of the call, which never shrinks.
    memory_bytes: AtomicUsize,
}

/// What becomes of a guest at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Continue,
    /// Others have the thread first.
    Yield,
    /// Its budget is spent.
    Stop,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            is_long: AtomicBool::new(false),
            spent_ns: AtomicU64::new(0),
            began_ns: AtomicU64::new(0),
            max_ns: u64::from(limits.cpu_ms) * 1_000_000,
            memory_bytes: AtomicUsize::new(0),
        }
    }

    /// Whether the call has used enough to belong into the background.
    pub(crate) fn is_long(&self) -> bool {
        self.is_long.load(Ordering::Relaxed)
    }

    /// Looks at the budget; asked when an epoch ends, on the thread that polls.
    pub(crate) fn look(&self) -> Verdict {
        let running = thread_ns().saturating_sub(self.began_ns.load(Ordering::Relaxed));
        let spent = self.spent_ns.load(Ordering::Relaxed) + running;
        if spent > self.max_ns {
            return Verdict::Stop;
        }
        let becomes_long = spent >= PROMPT_NS && !self.is_long.swap(true, Ordering::Relaxed);
        if becomes_long || running >= SLICE_NS { Verdict::Yield } else { Verdict::Continue }
    }

    /// What was spent so far.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed))
    }

    /// The most linear memory that the call had.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    /// Runs a future under this meter.
    pub(crate) async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| {
            let began = thread_ns();
            self.began_ns.store(began, Ordering::Relaxed);
            let poll = future.as_mut().poll(context);
            self.spent_ns.fetch_add(thread_ns().saturating_sub(began), Ordering::Relaxed);
            poll
        })
        .await
    }
}

/// The processor time of this thread.
fn thread_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests;
