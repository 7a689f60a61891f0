//! The bank's return files, and the end of a batch.

use std::collections::BTreeMap;

use model::Fen;
use model::payment::{Batch, BatchCommand, BatchId, Statement, decide, receive};
use pack::program::Program;
use store::Registry;

use super::batch::{county_acts, go_on, not_the_planner, read};
use super::file::layout;
use super::payees::payees;
use crate::acting::{Acting, ActingError, Deed, Randomness, Salts};

/// Applies a return file, in whole or not at all. `None` if the same file was applied before: nothing changes.
pub fn receive_file(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    id: &BatchId,
    bytes: &[u8],
    random: Randomness<'_>,
) -> Result<Option<Batch>, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    county_acts(&deed)?;
    let view = read(deed.view(), id)?;
    let salts = Salts::of(&deed.folder());
    let lines = view.batch.lines.iter().map(|state| &state.line);
    let payees = payees(program, deed.view(), &salts, lines, &view.salts)?;
    let events = receive(&view.batch, layout(program, &view)?, &payees, bytes, acting.effective_at())?;
    if events.is_empty() {
        return Ok(None);
    }
    let batch = go_on(&mut deed, Some(&view), id, events, BTreeMap::new())?;
    deed.commit()?;
    Ok(batch)
}

/// Records that every line is explained and that the bank's statement agrees.
pub fn reconcile(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    id: &BatchId,
    delivered: Fen,
    random: Randomness<'_>,
) -> Result<Batch, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    county_acts(&deed)?;
    let view = read(deed.view(), id)?;
    not_the_planner(&deed, &view)?;
    let statement = Statement { on: acting.on, delivered_fen: delivered };
    let events = decide(Some(&view.batch), &BatchCommand::Reconcile { statement }, acting.effective_at())?;
    let batch = go_on(&mut deed, Some(&view), id, events, BTreeMap::new())?;
    deed.commit()?;
    batch.ok_or_else(|| ActingError::damaged("payment/", "the batch is gone"))
}
