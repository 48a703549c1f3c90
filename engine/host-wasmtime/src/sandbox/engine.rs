//! The compiler's and the pool's settings.
//!
//! Measured: the three `keep_resident` values and a guest stack of 64 KiB make a fresh instance five
//! times as cheap. Features that no plugin needs are off: each is a place for a fault.

use crate::limits::{CALLS_AT_ONCE, MEMORY_MAX_BYTES, TABLE_MAX_ELEMENTS, TICK_MS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// Pages of a slot that stay resident and are zeroed instead of given back.
const MEMORY_RESIDENT_BYTES: usize = 512 * 1024;
const TABLE_RESIDENT_BYTES: usize = 64 * 1024;
const STACK_RESIDENT_BYTES: usize = 64 * 1024;
/// Guest frames and host frames above them lie on one fiber stack.
const GUEST_STACK_MAX_BYTES: usize = 512 * 1024;
const FIBER_STACK_BYTES: usize = 2 * 1024 * 1024;
/// A component built from Rust has a main module and two or three small shims.
const MODULES_PER_COMPONENT: u32 = 8;

/// # Errors
/// When the machine cannot give the address space of the pool.
pub fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()))
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_MAX_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .wasm_component_model(true)
        .wasm_gc(false)
        .wasm_exceptions(false)
        .wasm_function_references(false)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false)
        .concurrency_support(false)
        .wasm_backtrace_max_frames(None);
    Engine::new(&config)
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(CALLS_AT_ONCE)
        .total_core_instances(CALLS_AT_ONCE * MODULES_PER_COMPONENT)
        .max_core_instances_per_component(MODULES_PER_COMPONENT)
        .total_memories(CALLS_AT_ONCE)
        .max_memories_per_component(1)
        .max_memories_per_module(1)
        .max_memory_size(MEMORY_MAX_BYTES)
        .total_tables(CALLS_AT_ONCE * 4)
        .max_tables_per_component(4)
        .max_tables_per_module(2)
        .table_elements(TABLE_MAX_ELEMENTS)
        .total_stacks(CALLS_AT_ONCE)
        .total_gc_heaps(0)
        .linear_memory_keep_resident(MEMORY_RESIDENT_BYTES)
        .table_keep_resident(TABLE_RESIDENT_BYTES)
        .async_stack_keep_resident(STACK_RESIDENT_BYTES);
    pool
}

/// Advances the engine's epoch until it is dropped.
pub struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Ticker {
    /// # Errors
    /// When the system has no further thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, engine) = (stop.clone(), engine.clone());
        let thread = std::thread::Builder::new()
            .name("plugin-epoch".into())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    // A parked thread with a time-out is a sleep that `drop` can cut short.
                    std::thread::park_timeout(Duration::from_millis(TICK_MS));
                    engine.increment_epoch();
                }
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread has no panicking code; there is nothing to learn from its end.
            let _ = thread.join();
        }
    }
}
