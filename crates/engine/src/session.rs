//! How DataFusion is set up: one partition per plan, because parts are what runs in parallel.

use std::sync::{Arc, OnceLock};

use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use tokio::runtime::Runtime;

use crate::EngineError;

/// Rows that an operator handles at a time.
const BATCH_ROWS: usize = 16_384;

/// Deep expressions are planned by recursion.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// A session for stages. One partition keeps the order in which floating values are added.
pub(crate) fn state(memory_limit: Option<usize>) -> Result<SessionState, EngineError> {
    let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(BATCH_ROWS);
    let options = config.options_mut();
    // Stages are optimised once for every part, and a second pass finds nothing more.
    options.optimizer.max_passes = 1;
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(limit) = memory_limit {
        runtime = runtime.with_memory_pool(Arc::new(GreedyMemoryPool::new(limit)));
    }
    let runtime = runtime.build_arc().map_err(|error| EngineError::stage("set-up", error))?;
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build())
}

/// The session that small runs in memory share: making one takes longer than such a run.
pub(crate) fn shared() -> Result<&'static SessionState, EngineError> {
    static SHARED: OnceLock<SessionState> = OnceLock::new();
    if let Some(state) = SHARED.get() {
        return Ok(state);
    }
    let state = state(None)?;
    Ok(SHARED.get_or_init(|| state))
}

/// A runtime that works on the thread that enters it.
pub(crate) fn small_runtime() -> Result<Runtime, EngineError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.map_err(|error| EngineError::Worker(error.to_string()))
}

/// Runs `work` on a thread of its own with a deep stack.
pub(crate) fn deep<T: Send>(work: impl FnOnce() -> Result<T, EngineError> + Send) -> Result<T, EngineError> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("engine".to_owned()).stack_size(STACK_BYTES);
        let handle =
            worker.spawn_scoped(scope, work).map_err(|error| EngineError::Worker(error.to_string()))?;
        handle.join().unwrap_or_else(|_| Err(EngineError::Worker("it panicked".to_owned())))
    })
}
