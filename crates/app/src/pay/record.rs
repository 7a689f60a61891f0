//! What the bank really delivered, as records that audits read.

use std::collections::BTreeMap;

use model::ledger::Holder;
use model::payment::{Batch, BatchId, LineId, LineOutcome, LineState, OutcomeKind};
use model::{Date, DivisionCode};
use pack::program::{ColumnId, EntityId, Program, Type, Value};

use super::payees::payee;
use crate::acting::{ActingError, Deed, Salts};
use crate::funds::fund_key;
use crate::procedure::{declared, read_case};

/// Writes a transfer for every delivery; a late return takes those of its line back.
pub fn write_transfers(
    deed: &mut Deed<'_>,
    before: &Batch,
    salts: &BTreeMap<LineId, String>,
    outcomes: &[LineOutcome],
) -> Result<(), ActingError> {
    let Some(entity) = deed.program.entity_named("transfer") else { return Ok(()) };
    for outcome in outcomes {
        let Some(state) = before.line(&outcome.line) else { continue };
        match outcome.kind {
            OutcomeKind::Delivered => write(deed, entity, before, state, salts, outcome)?,
            OutcomeKind::Returned { .. } if state.open_fen().is_zero() => {
                for number in 1..=state.deliveries.len() {
                    deed.remove(entity, &transfer_number(before, state, number))?;
                }
            }
            OutcomeKind::Returned { .. } => {}
        }
    }
    Ok(())
}

fn write(
    deed: &mut Deed<'_>,
    entity: EntityId,
    batch: &Batch,
    state: &LineState,
    salts: &BTreeMap<LineId, String>,
    outcome: &LineOutcome,
) -> Result<(), ActingError> {
    let program = deed.program;
    let line = &state.line;
    let salts_file = Salts::of(&deed.folder());
    let salt = salts.get(&line.id).map(|id| salts_file.find(id)).transpose()?.flatten();
    let payee = payee(program, deed.view(), &line.to.holder, &salt.unwrap_or_default())?;
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let (household, person) = match &line.to.holder {
        Holder::Household(key) => (text(key.as_str()), None),
        Holder::Person(key) => (None, text(key.as_str())),
        _ => (None, None),
    };
    let approved = approval(deed, state)?;
    let fund = approved.as_ref().map(|(county, _)| fund_key(&line.from, *county)).transpose()?;
    let number = transfer_number(batch, state, state.deliveries.len() + 1);
    let given = [
        ("number", text(&number)),
        ("fund_number", fund.and_then(|key| text(key.as_str()))),
        ("household_number", household),
        ("person_number", person),
        ("benefit", benefit(deed, program, entity, state)?),
        ("purpose", text(line.from.purpose.as_str())),
        ("period", text(&line.from.year.to_string())),
        ("amount", Some(Value::Number(i128::from(outcome.fen.fen())))),
        ("approved_on", approved.map(|(_, on)| Value::Date(on))),
        ("paid_on", Some(Value::Date(outcome.on))),
        ("account", payee.and_then(|payee| text(&payee.account))),
        ("decision_number", line.basis.decision.as_ref().and_then(|key| text(key.as_str()))),
    ];
    let given = given.into_iter().filter(|(_, value)| value.is_some());
    let fields: Vec<(ColumnId, Option<Value>)> =
        given.filter_map(|(name, value)| Some((program.column_named(entity, name)?, value))).collect();
    let source = deed.source(&stream(batch.id()), line.id.as_str())?;
    deed.record(entity, &fields, source)
}

/// `minimum-living-513336-2016-001-0002`, with the number of the part from the second on.
fn transfer_number(batch: &Batch, state: &LineState, part: usize) -> String {
    let whole = format!("{}-{}", batch.id(), state.line.id);
    if part > 1 { format!("{whole}-{part}") } else { whole }
}

/// The county whose money was committed to the line, and the day on which it was.
fn approval(deed: &mut Deed<'_>, state: &LineState) -> Result<Option<(DivisionCode, Date)>, ActingError> {
    let line = &state.line;
    let book = deed.book()?;
    let commitment = book.postings_of(&line.from).find(|posting| {
        let transfer = &posting.transfer;
        transfer.credit == line.from
            && transfer.draft.basis == line.basis
            && matches!(transfer.draft.action, model::ledger::Action::Reserve { .. })
    });
    Ok(commitment.and_then(|posting| match posting.transfer.debit.holder {
        Holder::Division(county) => Some((county, posting.transfer.draft.effective_on)),
        _ => None,
    }))
}

/// The benefit that was decided, if the pack's list has it.
fn benefit(
    deed: &Deed<'_>,
    program: &Program,
    entity: EntityId,
    state: &LineState,
) -> Result<Option<Value>, ActingError> {
    let Some(id) = &state.line.basis.case else { return Ok(None) };
    let case = read_case(deed.view(), id)?;
    let flow = declared(program, &case.state.flow)?;
    let Some(benefit) = flow.benefit_id else { return Ok(None) };
    let column = program.column_named(entity, "benefit").map(|column| &program.column(column).ty);
    let known = match column {
        Some(Type::Code(list)) => program.lists[list.index()].codes.iter().any(|code| code.code == benefit),
        _ => false,
    };
    Ok(known.then(|| Value::Text(benefit.to_owned())))
}

/// The stream of a batch's events.
pub(super) fn stream(id: &BatchId) -> String {
    format!("payment/{id}")
}
