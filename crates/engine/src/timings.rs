//! How long each piece of a run took, over all threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the pieces of a run took, in order of their first appearance. Copies share what they record.
#[derive(Clone, Default)]
pub struct Timings(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    places: HashMap<String, usize>,
    entries: Vec<Timing>,
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `read person`, `stage household 2`, `write`, …
    pub label: String,
    /// The sum over the threads that did it.
    pub time: Duration,
    pub rows: u64,
    /// Of the arrays that it made; 0 where that says nothing.
    pub bytes: u64,
}

impl Timings {
    pub fn add(&self, label: &str, since: Instant, rows: usize, bytes: usize) {
        let time = since.elapsed();
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = if let Some(place) = recorded.places.get(label) {
            *place
        } else {
            let place = recorded.entries.len();
            recorded.places.insert(label.to_owned(), place);
            let label = label.to_owned();
            recorded.entries.push(Timing { label, time: Duration::ZERO, rows: 0, bytes: 0 });
            place
        };
        let entry = &mut recorded.entries[place];
        entry.time += time;
        entry.rows += rows as u64;
        entry.bytes += bytes as u64;
    }

    pub fn all(&self) -> Vec<Timing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entries.clone()
    }
}
