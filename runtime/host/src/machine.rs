//! The wasmtime engine that all plugins share, and the thread that counts its epochs.

use std::num::NonZeroUsize;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::EPOCH;

/// How much of a guest's memory is reset in place, rather than given back to the system.
const KEEP_RESIDENT: usize = 512 * 1024;

/// An engine with its ticking epochs; they stop when it is dropped.
pub(crate) struct Machine {
    engine: Engine,
    stop: Option<mpsc::Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl Machine {
    /// Builds the engine with a pool for this many instances. Where the system does not give the
    /// address space for a pool, memory is taken on demand, which is slower.
    pub(crate) fn new(instances: u32, memory_max: usize) -> wasmtime::Result<Self> {
        let mut config = base();
        config
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances, memory_max)));
        let engine = Engine::new(&config).or_else(|error| {
            tracing::warn!(
                error = format!("{error:#}"),
                "no pool of {instances} instances, memory is taken on demand; raise the limit on \
                 address space (ulimit -v) or lower the pool's size"
            );
            Engine::new(config.allocation_strategy(InstanceAllocationStrategy::OnDemand))
        })?;
        let (stop, stopped) = mpsc::channel();
        let ticking = engine.clone();
        let ticker = std::thread::Builder::new().name("wasm-epoch".into()).spawn(move || {
            while stopped.recv_timeout(EPOCH) == Err(RecvTimeoutError::Timeout) {
                ticking.increment_epoch();
            }
        })?;
        Ok(Self { engine, stop: Some(stop), ticker: Some(ticker) })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(ticker) = self.ticker.take() {
            // It cannot have panicked, and there is nothing to do about it here if it had.
            let _ended = ticker.join();
        }
    }
}

/// An engine that compiles for the machine's and runs nothing, so it sets no memory aside.
pub(crate) fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(base().allocation_strategy(InstanceAllocationStrategy::OnDemand))
}

fn base() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .cranelift_nan_canonicalization(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(16));
    config
}

fn pool(instances: u32, memory_max: usize) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        // A component is a core module and two shims where it is Rust, more where it is Python.
        .total_core_instances(instances.saturating_mul(8))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(8))
        .total_stacks(instances)
        .max_core_instances_per_component(64)
        .max_memories_per_component(16)
        .max_tables_per_component(64)
        .max_tables_per_module(4)
        .max_memories_per_module(2)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(20_000)
        .max_memory_size(memory_max)
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 * 1024)
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_room_for_a_pool_memory_is_taken_on_demand() {
        // 200,000 memories of 4 GiB each are more than a process can address.
        let machine = Machine::new(100_000, 256 << 20).unwrap();
        assert!(machine.engine().pooling_allocator_metrics().is_none());
        let machine = Machine::new(4, 64 << 20).unwrap();
        assert!(machine.engine().pooling_allocator_metrics().is_some());
    }
}
