//! Regions by parts: made by several threads, written in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Condvar, Mutex};
use std::thread;

use crate::error::{Result, SynthError};
use crate::output::{Encoded, Encoder, Writer};
use crate::rows::Rows;

/// The rows of a part, by entity.
pub type PartRows = Vec<(usize, Rows)>;

/// Parts that may be under way beyond one for each thread.
const AHEAD: usize = 1;

/// Rows that parts before have, and how far parts are written.
struct Turn {
    /// The part that takes its place next.
    next: usize,
    offsets: Vec<usize>,
    written: usize,
    stopped: bool,
}

/// Makes parts with `threads` and hands them to the writer in order. `offsets` are the rows that entities have
/// before, and in the end those that they have. `done` is told how many parts are written.
pub fn in_order(
    threads: usize,
    parts: usize,
    offsets: &mut Vec<usize>,
    make: &(dyn Fn(usize) -> PartRows + Sync),
    writer: &mut Writer,
    done: &dyn Fn(usize),
) -> Result<()> {
    let encoder = writer.encoder();
    let threads = threads.clamp(1, parts.max(1));
    let turn = Mutex::new(Turn { next: 0, offsets: std::mem::take(offsets), written: 0, stopped: false });
    let changed = Condvar::new();
    let claimed = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel(threads + AHEAD);
    let written = thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, turn, changed, claimed, encoder) =
                (sender.clone(), &turn, &changed, &claimed, &encoder);
            scope.spawn(move || {
                loop {
                    let part = claimed.fetch_add(1, Ordering::Relaxed);
                    if part >= parts || !wait(turn, changed, |turn| part < turn.written + threads + AHEAD) {
                        return;
                    }
                    let rows = make(part);
                    if !wait(turn, changed, |turn| turn.next == part) {
                        return;
                    }
                    let offsets = take_place(turn, changed, &rows);
                    let encoded = encode(encoder, rows, &offsets);
                    if sender.send((part, encoded)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting: BTreeMap<usize, Result<Vec<Encoded>>> = BTreeMap::new();
        let mut written = Ok(());
        for (part, encoded) in receiver {
            waiting.insert(part, encoded);
            let next = || turn.lock().expect("no thread panicked").written;
            while written.is_ok()
                && let Some(encoded) = waiting.remove(&next())
            {
                written = encoded.and_then(|all| all.into_iter().try_for_each(|one| writer.write(one)));
                let mut turn = turn.lock().expect("no thread panicked");
                turn.written += 1;
                turn.stopped = written.is_err();
                done(turn.written);
                drop(turn);
                changed.notify_all();
            }
        }
        written
    });
    *offsets = turn.into_inner().expect("no thread panicked").offsets;
    written
}

/// Waits until something holds; false if the work was stopped.
fn wait(turn: &Mutex<Turn>, changed: &Condvar, holds: impl Fn(&Turn) -> bool) -> bool {
    let turn = turn.lock().expect("no thread panicked");
    let turn = changed.wait_while(turn, |turn| !turn.stopped && !holds(turn)).expect("no thread panicked");
    !turn.stopped
}

/// Adds the part's rows to the offsets and returns those before.
fn take_place(turn: &Mutex<Turn>, changed: &Condvar, rows: &PartRows) -> Vec<usize> {
    let mut turn = turn.lock().expect("no thread panicked");
    let before = turn.offsets.clone();
    for (entity, rows) in rows {
        turn.offsets[*entity] += rows.count;
    }
    turn.next += 1;
    drop(turn);
    changed.notify_all();
    before
}

/// Encodes rows that begin at the offsets.
pub fn encode(encoder: &Encoder, rows: PartRows, offsets: &[usize]) -> Result<Vec<Encoded>> {
    let mut all = Vec::with_capacity(rows.len());
    for (entity, rows) in rows {
        if i32::try_from(offsets[entity] + rows.count).is_err() {
            return Err(SynthError::TooMany);
        }
        if rows.count > 0 {
            all.extend(encoder.encode(entity, rows.finish(offsets))?);
        }
    }
    Ok(all)
}
