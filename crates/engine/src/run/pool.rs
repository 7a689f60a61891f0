//! Parts side by side, results in order.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::EngineError;
use crate::stack::STACK_BYTES;

/// Which part comes next, and how many have been taken over.
struct Window {
    next: usize,
    taken: usize,
    stopped: bool,
}

struct Shared {
    window: Mutex<Window>,
    moved: Condvar,
    parts: usize,
    /// Parts that may be in work or waiting to be taken over.
    width: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next part to work on; waits while too many results have not been taken over, so that memory
    /// follows the number of threads and not the number of parts.
    fn next(&self) -> Option<usize> {
        let mut window = self.lock();
        loop {
            if window.stopped || window.next == self.parts {
                return None;
            }
            if window.next < window.taken + self.width {
                window.next += 1;
                return Some(window.next - 1);
            }
            window = self.moved.wait(window).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn taken(&self) {
        self.lock().taken += 1;
        self.moved.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }
}

/// Lets the others go when a worker or the taker panics.
struct StopOnPanic<'a>(&'a Shared);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Works on the parts 0 to `parts - 1` on `threads` threads and hands the results to `take` in order, on
/// the calling thread. The first error ends it.
pub(crate) fn in_order<T: Send>(
    threads: usize,
    parts: usize,
    work: &(dyn Fn(usize) -> Result<T, EngineError> + Sync),
    take: &mut dyn FnMut(usize, T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let threads = threads.clamp(1, parts.max(1));
    let window = Mutex::new(Window { next: 0, taken: 0, stopped: false });
    let shared = Shared { window, moved: Condvar::new(), parts, width: threads + 1 };
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for number in 0..threads {
            let (sender, shared) = (sender.clone(), &shared);
            let thread = std::thread::Builder::new().name(format!("part-{number}")).stack_size(STACK_BYTES);
            let spawned = thread.spawn_scoped(scope, move || worker(shared, work, &sender));
            if let Err(error) = spawned {
                shared.stop();
                return Err(EngineError::Worker(error.to_string()));
            }
        }
        drop(sender);
        let _guard = StopOnPanic(&shared);
        let result = take_all(&shared, &receiver, take);
        shared.stop();
        result
    })
}

fn worker<T>(
    shared: &Shared,
    work: &(dyn Fn(usize) -> Result<T, EngineError> + Sync),
    sender: &Sender<(usize, Result<T, EngineError>)>,
) {
    let _guard = StopOnPanic(shared);
    while let Some(part) = shared.next() {
        if sender.send((part, work(part))).is_err() {
            return;
        }
    }
}

fn take_all<T>(
    shared: &Shared,
    receiver: &Receiver<(usize, Result<T, EngineError>)>,
    take: &mut dyn FnMut(usize, T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut early: BTreeMap<usize, T> = BTreeMap::new();
    let mut next = 0;
    while next < shared.parts {
        let Ok((part, result)) = receiver.recv() else {
            return Err(EngineError::Worker("it ended before its parts".to_owned()));
        };
        early.insert(part, result?);
        while let Some(result) = early.remove(&next) {
            take(next, result)?;
            next += 1;
            shared.taken();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whoever_is_first() {
        let mut seen = vec![];
        in_order(
            4,
            50,
            &|part| {
                let spin: u64 = (0..(50 - part as u64) * 1000).sum();
                Ok((part, spin))
            },
            &mut |part, (same, _)| {
                assert_eq!(part, same);
                seen.push(part);
                Ok(())
            },
        )
        .expect("no part fails");
        assert_eq!(seen, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_error_ends_it() {
        let failing = |part: usize| {
            if part == 3 { Err(EngineError::Worker("three".to_owned())) } else { Ok(part) }
        };
        let result = in_order(2, 1000, &failing, &mut |_, _| Ok(()));
        assert!(matches!(result, Err(EngineError::Worker(reason)) if reason == "three"));
    }
}
