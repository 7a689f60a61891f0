//! How large a part may be, and how many are worked on at a time, so that a run keeps within its memory.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, EntityId, Program};

use super::parts::{Layout, SMALL_ROWS};
use super::snapshot::Snapshot;
use crate::EngineError;
use crate::desugar::{Flat, Form};
use crate::load::Wanted;
use crate::needs::column_needs;
use crate::scalar::Kind;
use crate::stages::stages;

/// What the process takes before it has read a row: the allocator's reserves, and for each column the program, its
/// plan and its code.
const BASE_BYTES: f64 = (64 << 20) as f64;
const COLUMN_BYTES: f64 = (8 << 10) as f64;

/// Smaller parts cost more time than they save memory.
const PART_ROWS_MIN: usize = 4096;

/// Arrays are sized in advance and dropped late; this is what is held over what is counted.
const SLACK: f64 = 1.2;

/// What an encoded row takes of what it took before.
const ENCODED: f64 = 0.1;

/// What the encoder of a column holds while a group is worked on, truth values excepted, which share theirs.
const ENCODER_BYTES: f64 = (1 << 19) as f64;

/// What the rows of every entity take.
pub(crate) struct Budget {
    /// By entity: bytes that a row takes, as read and as computed.
    widths: Vec<f64>,
    /// By entity: columns that are stored and no truth values.
    encoders: Vec<usize>,
    base: f64,
    limit: f64,
    /// Whether results are encoded.
    results: bool,
}

impl Budget {
    pub fn new(
        program: &Program,
        flat: &Flat<'_>,
        snapshot: &Snapshot,
        stored: &BTreeSet<ColumnId>,
        limit: usize,
        results: bool,
    ) -> Self {
        let held = held(flat, stored);
        let widths = (0..program.entities.len() as u32).map(|index| {
            let entity = EntityId(index);
            let wanted = Wanted::new(program, entity, flat.columns.keys().copied());
            let made = held.iter().map(|id| &flat.columns[id]).filter(|column| column.entity == entity);
            snapshot.bytes_of_row(program, &wanted) + made.map(|column| width(column.kind)).sum::<f64>()
        });
        let encoders = (0..program.entities.len() as u32).map(|index| {
            let columns = stored.iter().filter_map(|id| flat.columns.get(id));
            columns.filter(|column| column.entity.0 == index && column.kind != Kind::Bool).count()
        });
        let base = BASE_BYTES + flat.columns.len() as f64 * COLUMN_BYTES;
        Self { widths: widths.collect(), encoders: encoders.collect(), base, limit: limit as f64, results }
    }

    /// Rows of the largest entity that a part may have when so many are in work.
    pub fn part_rows(&self, snapshot: &Snapshot, threads: usize, most: usize) -> usize {
        let rows = |index: usize| snapshot.rows(EntityId(index as u32)) as f64;
        let all: f64 = self.widths.iter().enumerate().map(|(index, width)| rows(index) * width).sum();
        let largest = (0..self.widths.len()).map(rows).fold(1.0, f64::max);
        let fitting = (self.limit - self.base) / SLACK / threads as f64 / (all / largest).max(1.0);
        (fitting.max(0.0) as usize).clamp(PART_ROWS_MIN.min(most), most)
    }

    /// The threads that may work on parts of a layout at a time.
    ///
    /// # Errors
    /// [`EngineError::MemoryTooSmall`] if one part alone takes too much.
    pub fn threads(
        &self,
        snapshot: &Snapshot,
        layout: &Layout,
        threads: usize,
    ) -> Result<usize, EngineError> {
        let entities = || (0..self.widths.len()).map(|index| (EntityId(index as u32), self.widths[index]));
        let part = |part: usize| -> f64 {
            let split = entities().filter(|(entity, _)| layout.is_split(*entity));
            split.map(|(entity, width)| layout.rows(entity, part).len() as f64 * width).sum()
        };
        let largest = (0..layout.parts).map(part).fold(0.0, f64::max);
        let whole = entities().filter(|(entity, _)| !layout.is_split(*entity));
        let whole: f64 = whole.map(|(entity, width)| snapshot.rows(entity) as f64 * width).sum();
        let group = |group: usize| -> f64 {
            let parts = layout.groups[group].clone();
            parts.map(part).sum()
        };
        let encoded =
            (0..layout.groups.len()).filter(|_| self.results).map(group).fold(0.0, f64::max) * ENCODED;
        // Few rows of an entity wait for each other; those that wait for what is made after the parts do so on the
        // disk.
        let small = entities().filter(|(entity, _)| self.results && layout.is_small(*entity, snapshot));
        let small: f64 =
            small.map(|(entity, width)| snapshot.rows(entity).min(SMALL_ROWS) as f64 * width).sum();
        let large = entities().filter(|(entity, _)| self.results && layout.is_split(*entity));
        let encoders: usize = large
            .filter(|(entity, _)| !layout.is_small(*entity, snapshot))
            .map(|(entity, _)| self.encoders[entity.index()])
            .sum();
        // Parts in work, and encoded ones besides, of which one waits to be taken over.
        let needed = |threads: usize| {
            let threads = threads as f64;
            let part = SLACK * largest + encoders as f64 * ENCODER_BYTES;
            self.base + whole + small + threads * part + (threads + 1.0) * encoded
        };
        let fitting = (1..=threads.max(1)).rev().find(|threads| needed(*threads) <= self.limit);
        fitting.ok_or(EngineError::MemoryTooSmall { needed: needed(1) as u64 })
    }
}

/// The computed columns that leave the cache: what is stored, and what another stage reads.
fn held(flat: &Flat<'_>, stored: &BTreeSet<ColumnId>) -> BTreeSet<ColumnId> {
    let mut stage_of = BTreeMap::new();
    for (number, stage) in stages(flat, &flat.columns.keys().copied().collect()).iter().enumerate() {
        stage_of.extend(stage.columns.iter().map(|id| (*id, number)));
    }
    let mut held = stored.clone();
    for (id, number) in &stage_of {
        column_needs(flat.program, *id, &mut |needed| {
            if stage_of.get(&needed).is_some_and(|made| made != number) {
                held.insert(needed);
            }
        });
    }
    held.retain(|id| {
        let form = flat.columns.get(id).map(|column| &column.form);
        form.is_some_and(|form| !matches!(form, Form::Field))
    });
    held
}

fn width(kind: Kind) -> f64 {
    match kind {
        Kind::Bool => 0.25,
        Kind::Date => 4.125,
        Kind::Int | Kind::Float => 8.125,
        Kind::Wide => 16.125,
        Kind::Text => 20.0,
    }
}
