//! The wasmtime engine that all plugins share, and the pool that its instances come from.

use std::num::NonZeroUsize;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmFeatures,
};

use crate::limits::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};

/// How much of a guest's memory is reset in place, rather than given back to the system.
const MEMORY_KEPT: usize = 512 * 1024;
/// The same of its tables.
const TABLES_KEPT: usize = 64 * 1024;

/// What a guest may not use: wasmtime is built without the feature `gc`, and code of these proposals
/// that passes validation nevertheless would call what is not there, which ends the process.
const UNUSED: WasmFeatures = WasmFeatures::GC.union(WasmFeatures::FUNCTION_REFERENCES);

/// What the pool takes of a component's own data; what is installed is held to less.
const INSTANCE_BYTES_LOADED_MAX: usize = 64 << 20;

/// An engine.
pub(crate) struct Machine {
    engine: Engine,
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
                 address space (ulimit -v) or lower [host] instances"
            );
            Engine::new(config.allocation_strategy(InstanceAllocationStrategy::OnDemand))
        })?;
        Ok(Self { engine })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How much memory a pool for this many instances keeps when no guest has it.
    pub(crate) fn kept(instances: u32) -> usize {
        instances as usize * (MEMORY_KEPT + TABLES_KEPT)
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
        .wasm_features(UNUSED, false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(16));
    config
}

/// A pool that cannot be used up by calls that were admitted: everything is there for each instance
/// as often as one component may have it.
///
/// The limits of a component are checked before it is compiled ([`crate::declared`]). The pool checks
/// them only when compiled code is loaded, and code that cannot be loaded counts as damaged.
fn pool(instances: u32, memory_max: usize) -> PoolingAllocationConfig {
    let core_instances = instances.saturating_mul(CORE_INSTANCES_MAX);
    let memories = instances.saturating_mul(MEMORIES_MAX);
    let tables = instances.saturating_mul(TABLES_MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(core_instances)
        .total_memories(memories)
        .total_tables(tables)
        .total_stacks(instances)
        .max_core_instances_per_component(core_instances)
        .max_memories_per_component(memories)
        .max_tables_per_component(tables)
        .max_tables_per_module(tables)
        .max_memories_per_module(memories)
        .max_component_instance_size(INSTANCE_BYTES_LOADED_MAX)
        .max_core_instance_size(INSTANCE_BYTES_LOADED_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(memory_max)
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(MEMORY_KEPT)
        .table_keep_resident(TABLES_KEPT)
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
