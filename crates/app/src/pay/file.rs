//! The file that goes to the bank, and the bank's word that it took it.

use std::path::Path;

use model::payment::{BatchCommand, BatchId, decide, render};
use model::{Digest, Fen};
use pack::program::Program;
use store::Registry;

use super::batch::{BatchView, county_acts, go_on, not_the_planner, read};
use super::payees::payees;
use crate::acting::{Acting, ActingError, Deed, Randomness, Salts};

/// Writes the bank's file of a batch and records that it was sent. Repeated, it is the same file.
pub fn file(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    id: &BatchId,
    out: &Path,
    random: Randomness<'_>,
) -> Result<Digest, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    county_acts(&deed)?;
    let view = read(deed.view(), id)?;
    not_the_planner(&deed, &view)?;
    let salts = Salts::of(&deed.folder());
    let lines = view.batch.lines.iter().map(|state| &state.line);
    let payees = payees(program, deed.view(), &salts, lines, &view.salts)?;
    let layout = layout(program, &view)?;
    let bytes = render(&view.batch, layout, &payees, acting.on).map_err(ActingError::File)?;
    let digest = Digest::of(&bytes);
    let events = decide(Some(&view.batch), &BatchCommand::Send { digest }, acting.effective_at())?;
    // The file first: if it cannot be written, nothing was sent; written twice, it is the same.
    write_whole(out, &bytes)?;
    go_on(&mut deed, Some(&view), id, events, std::collections::BTreeMap::new())?;
    deed.commit()?;
    Ok(digest)
}

/// Records that the bank took the file, with the count and sum that it gives.
pub fn acknowledge(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    id: &BatchId,
    (count, sum): (u32, Fen),
    random: Randomness<'_>,
) -> Result<(), ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    county_acts(&deed)?;
    let view = read(deed.view(), id)?;
    not_the_planner(&deed, &view)?;
    let command = BatchCommand::Acknowledge { on: acting.on, count, sum };
    let events = decide(Some(&view.batch), &command, acting.effective_at())?;
    go_on(&mut deed, Some(&view), id, events, std::collections::BTreeMap::new())?;
    deed.commit()
}

/// The layout that a batch was planned with.
pub(super) fn layout<'p>(
    program: &'p Program,
    view: &BatchView,
) -> Result<&'p model::payment::BankLayout, ActingError> {
    let layout = program.bank_layouts.iter().find(|layout| layout.id == *view.batch.layout());
    layout.ok_or_else(|| ActingError::damaged("payment/", format!("no layout `{}`", view.batch.layout())))
}

/// The old file or the new one, whatever interrupts it.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ActingError> {
    let temporary = path.with_added_extension("tmp");
    let write = || {
        use std::io::Write as _;
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(ActingError::io(path))
}
