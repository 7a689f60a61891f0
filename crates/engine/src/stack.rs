//! Threads with deep stacks: expressions are desugared and scheduled by recursion.

use crate::EngineError;

/// What the deepest expression of a pack takes, with room.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// Runs `work` on a thread of its own with a deep stack.
pub(crate) fn deep<T: Send>(work: impl FnOnce() -> Result<T, EngineError> + Send) -> Result<T, EngineError> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("engine".to_owned()).stack_size(STACK_BYTES);
        let handle =
            worker.spawn_scoped(scope, work).map_err(|error| EngineError::Worker(error.to_string()))?;
        handle.join().unwrap_or_else(|_| Err(EngineError::Worker("it panicked".to_owned())))
    })
}
