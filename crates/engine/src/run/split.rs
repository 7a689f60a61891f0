//! How a run is split into parts, and where they do not fit into blocks.

use std::collections::BTreeSet;

use evaluate::needs::totalled;
use pack::program::ColumnId;

use super::budget::Budget;
use super::options::RunOptions;
use super::parts::Layout;
use super::phases::Phases;
use super::rounds::Rounds;
use super::snapshot::Snapshot;
use crate::EngineError;
use crate::desugar::Flat;

/// How a run is split.
pub(super) struct Split {
    pub layout: Layout,
    pub phases: Phases,
    pub rounds: Option<Rounds>,
    pub threads: usize,
}

impl Split {
    /// Whole parts where they fit the memory, on as many threads as were asked for; else blocks, if more of them can be
    /// in work than parts.
    pub fn new(
        flat: &Flat<'_>,
        snapshot: &Snapshot,
        stored: &BTreeSet<ColumnId>,
        layout: Layout,
        budget: Option<&Budget>,
        threads: usize,
        options: &RunOptions,
    ) -> Result<Self, EngineError> {
        let parts = budget.map_or(Ok(threads), |budget| budget.threads(snapshot, &layout, threads));
        if let Some(block_rows) = options.block_rows {
            return Self::in_blocks(flat, snapshot, stored, layout, block_rows, threads);
        }
        if let Some(budget) = budget.filter(|_| !matches!(parts, Ok(fitting) if fitting == threads)) {
            let layout = Layout::new(flat.program, snapshot, usize::MAX)?;
            let split = Self::in_blocks(flat, snapshot, stored, layout, Budget::BLOCK_ROWS[0], threads)?;
            if let Some(rounds) = split.rounds {
                match (budget.blocks(flat, snapshot, &split.layout, &rounds, threads), &parts) {
                    (Ok((fitting, _)), Ok(parts)) if fitting <= *parts => {}
                    (Ok((threads, block_rows)), _) => {
                        return Self::in_blocks(flat, snapshot, stored, split.layout, block_rows, threads);
                    }
                    (Err(error), Err(_)) => return Err(error),
                    (Err(_), Ok(_)) => {}
                }
            }
        }
        let phases = Phases::new(flat, &layout, snapshot)?;
        Ok(Self { layout, phases, rounds: None, threads: parts? })
    }

    fn in_blocks(
        flat: &Flat<'_>,
        snapshot: &Snapshot,
        stored: &BTreeSet<ColumnId>,
        layout: Layout,
        block_rows: usize,
        threads: usize,
    ) -> Result<Self, EngineError> {
        let phases = Phases::new(flat, &layout, snapshot)?;
        let blocks = Layout::blocks(flat.program, snapshot, &layout, block_rows)?;
        let kept = kept(flat, &phases, stored);
        let rounds = blocks.map(|blocks| Rounds::new(flat, blocks, &phases, snapshot, &kept)).transpose()?;
        Ok(Self { layout, phases, rounds, threads })
    }
}

/// The columns that something reads after the phase that makes them.
pub(super) fn kept(flat: &Flat<'_>, phases: &Phases, stored: &BTreeSet<ColumnId>) -> BTreeSet<ColumnId> {
    let mut kept: BTreeSet<ColumnId> = stored.union(&totalled(flat.program)).copied().collect();
    kept.extend(&phases.handed_over);
    for id in &flat.order {
        let phase = phases.of(*id);
        flat.program.each_need(*id, &mut |needed| {
            if phases.of(needed) != phase {
                kept.insert(needed);
            }
        });
    }
    kept
}
