//! How large a part may be, and how many are worked on at a time, so that a run keeps within its memory.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, EntityId, Program};

use super::parts::Layout;
use super::rounds::Rounds;
use super::snapshot::Snapshot;
use crate::EngineError;
use crate::desugar::{Flat, Form};
use crate::load::Wanted;
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

/// What the encoders of an entity hold while a group is worked on.
const ENCODER_BYTES: f64 = (4 << 20) as f64;

/// What a thread that works on blocks holds besides them, mostly pages that its allocator has begun; and what is held
/// besides by a run that encodes results block by block. Both are measured.
const THREAD_BYTES: f64 = (48 << 20) as f64;
const WRITER_BYTES: f64 = (112 << 20) as f64;

/// What the rows of every entity take.
pub(crate) struct Budget {
    /// By entity: bytes that a row takes, as read and as computed.
    widths: Vec<f64>,
    /// By entity: bytes that the results of a row take.
    results_widths: Vec<f64>,
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
        let stored_of = (0..program.entities.len() as u32).map(|index| {
            let columns = stored.iter().filter_map(|id| flat.columns.get(id));
            columns.filter(|column| column.entity.0 == index).map(|column| width(column.kind)).sum::<f64>()
        });
        let base =
            BASE_BYTES + flat.columns.len() as f64 * COLUMN_BYTES + snapshot.bytes_of_metadata() as f64;
        let (widths, results_widths) = (widths.collect(), stored_of.collect());
        Self { widths, results_widths, base, limit: limit as f64, results }
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
        let part = |part: usize| -> f64 {
            let split = self.entities().filter(|(entity, _)| layout.is_split(*entity));
            split.map(|(entity, width)| layout.rows(entity, part).len() as f64 * width).sum()
        };
        let largest = (0..layout.parts).map(part).fold(0.0, f64::max);
        let encoded = self.largest_group(layout, &|entity, rows| self.encoded(entity, rows));
        // Few rows of an entity are not encoded with their group.
        let small = self.largest_group(layout, &|entity, rows| {
            if layout.is_small(entity, snapshot) { self.results(entity, rows) } else { 0.0 }
        });
        // Parts in work, and encoded ones besides, of which one waits to be taken over.
        let needed = |threads: usize| {
            let threads = threads as f64;
            let part = SLACK * largest + small + self.encoders(snapshot, layout);
            self.base + self.whole(snapshot, layout) + threads * part + (threads + 1.0) * encoded
        };
        let fitting = (1..=threads.max(1)).rev().find(|threads| needed(*threads) <= self.limit);
        fitting.ok_or(EngineError::MemoryTooSmall { needed: needed(1).ceil() as u64 })
    }

    /// The threads that may work on groups in blocks at a time, and the rows of the largest entity in a block.
    ///
    /// # Errors
    /// [`EngineError::MemoryTooSmall`] if one group alone takes too much.
    pub fn blocks(
        &self,
        flat: &Flat<'_>,
        snapshot: &Snapshot,
        layout: &Layout,
        rounds: &Rounds,
        threads: usize,
    ) -> Result<(usize, usize), EngineError> {
        let blocks = &rounds.blocks;
        let read: Vec<f64> = (0..self.widths.len())
            .map(|index| rounds.width_together(flat, EntityId(index as u32), &width))
            .collect();
        let group = self.largest_group(layout, &|entity, rows| {
            let held =
                if blocks.is_split(entity) { read[entity.index()] } else { self.widths[entity.index()] };
            let small = layout.is_small(entity, snapshot) && blocks.is_split(entity);
            let small = if small { self.results(entity, rows) } else { 0.0 };
            rows as f64 * held + small + self.encoded(entity, rows)
        });
        let encoded = self.largest_group(layout, &|entity, rows| self.encoded(entity, rows));
        let in_blocks = self.entities().filter(|(entity, _)| blocks.is_split(*entity));
        let (mut bytes, mut most) = (0.0, 1.0_f64);
        for (entity, width) in in_blocks {
            bytes += snapshot.rows(entity) as f64 * width;
            most = most.max(snapshot.rows(entity) as f64);
        }
        let needed = |threads: usize, rows: usize| {
            let block = rows as f64 * bytes / most;
            let writer = if self.results { WRITER_BYTES } else { 0.0 };
            let thread = THREAD_BYTES + self.encoders(snapshot, layout) + block + group;
            self.base + self.whole(snapshot, layout) + writer + threads as f64 * thread + encoded
        };
        let choices =
            (1..=threads.max(1)).rev().flat_map(|threads| Self::BLOCK_ROWS.map(|rows| (threads, rows)));
        let fitting = choices.into_iter().find(|(threads, rows)| needed(*threads, *rows) <= self.limit);
        let least = needed(1, Self::BLOCK_ROWS[Self::BLOCK_ROWS.len() - 1]);
        fitting.ok_or(EngineError::MemoryTooSmall { needed: least.ceil() as u64 })
    }

    /// Rows of the largest entity that blocks may have: the larger, the fewer pages are read for two of them.
    pub const BLOCK_ROWS: [usize; 4] = [1 << 16, 1 << 15, 1 << 14, 1 << 13];

    fn entities(&self) -> impl Iterator<Item = (EntityId, f64)> {
        self.widths.iter().enumerate().map(|(index, width)| (EntityId(index as u32), *width))
    }

    /// What the entities take that no part divides.
    fn whole(&self, snapshot: &Snapshot, layout: &Layout) -> f64 {
        let whole = self.entities().filter(|(entity, _)| !layout.is_split(*entity));
        whole.map(|(entity, width)| snapshot.rows(entity) as f64 * width).sum()
    }

    /// What the split entities take in the group where they take most.
    fn largest_group(&self, layout: &Layout, bytes: &dyn Fn(EntityId, usize) -> f64) -> f64 {
        let group = |group: usize| -> f64 {
            let split = self.entities().filter(|(entity, _)| layout.is_split(*entity));
            split.map(|(entity, _)| bytes(entity, layout.group_rows(entity, group).len())).sum()
        };
        (0..layout.groups.len()).map(group).fold(0.0, f64::max)
    }

    /// What results take before they are encoded.
    fn results(&self, entity: EntityId, rows: usize) -> f64 {
        if self.results { rows as f64 * self.results_widths[entity.index()] } else { 0.0 }
    }

    fn encoded(&self, entity: EntityId, rows: usize) -> f64 {
        self.results(entity, rows) * ENCODED
    }

    fn encoders(&self, snapshot: &Snapshot, layout: &Layout) -> f64 {
        let encoded = |entity: EntityId| layout.is_split(entity) && !layout.is_small(entity, snapshot);
        let entities = self.entities().filter(|(entity, _)| self.results && encoded(*entity));
        entities.count() as f64 * ENCODER_BYTES
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
        flat.program.each_need(*id, &mut |needed| {
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
