//! Matching what the bank returned with what was sent.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::decide::check_outcome;
use super::render::match_key;
use super::{
    BankLayout, Batch, BatchCommand, BatchEvent, Field, FileFault, LineOutcome, LineState, Meaning,
    OutcomeKind, Payees, PaymentCode, PaymentRefusal, ReturnFile, ReturnRow, decide, parse,
};
use crate::{Digest, Fen, Moment, Refused};

/// Why a return file does not count. Nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiveError {
    /// It cannot be read.
    #[error("the return file has `{}` faults; the first: {}", .0.len(), first(.0))]
    Faults(Vec<FileFault>),
    /// It can be read and doesn't agree with the batch; `part` is the line of the file.
    #[error("the return file has `{}` findings; the first: {}", .0.len(), first(.0))]
    Findings(Vec<PaymentRefusal>),
    /// The batch takes no return file now.
    #[error("{0}")]
    Refused(PaymentRefusal),
}

/// What a return file comes to: nothing, if the same file was applied before; otherwise the outcome of every
/// row, or, if anything in it doesn't fit, none.
pub fn receive(
    batch: &Batch,
    layout: &BankLayout,
    payees: &Payees,
    bytes: &[u8],
    now: Moment,
) -> Result<Vec<BatchEvent>, ReceiveError> {
    if batch.returns.contains(&Digest::of(bytes)) {
        return Ok(Vec::new());
    }
    let file = parse(layout, bytes).map_err(ReceiveError::Faults)?;
    let outcomes = match_rows(batch, layout, payees, &file, now).map_err(ReceiveError::Findings)?;
    let command = BatchCommand::ApplyReturn { digest: file.digest, outcomes };
    decide(Some(batch), &command, now).map_err(ReceiveError::Refused)
}

/// The outcome of every row, in order, or everything that was found.
pub fn match_rows(
    batch: &Batch,
    layout: &BankLayout,
    payees: &Payees,
    file: &ReturnFile,
    now: Moment,
) -> Result<Vec<LineOutcome>, Vec<PaymentRefusal>> {
    let mut by_key: BTreeMap<Vec<String>, Vec<&LineState>> = BTreeMap::new();
    let mut findings = Vec::new();
    for state in &batch.lines {
        match match_key(state, payees.get(&state.line.id), &layout.match_by) {
            Some(key) => by_key.entry(key).or_default().push(state),
            None => findings.push(Refused::new(PaymentCode::PayeeMissing).value(&state.line.id)),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let (mut outcomes, mut seen) = (Vec::new(), BTreeSet::new());
    for row in &file.rows {
        let matched = match_row(batch, layout, &by_key, row).and_then(|state| {
            if !seen.insert(&state.line.id) {
                return Err(Refused::new(PaymentCode::LineRepeated).value(&state.line.id));
            }
            outcome(batch, layout, payees, state, row, now)
        });
        match matched {
            Ok(outcome) => outcomes.push(outcome),
            Err(finding) => findings.push(finding.part(row.file_line)),
        }
    }
    if findings.is_empty() { Ok(outcomes) } else { Err(findings) }
}

/// The one line that a row is about.
fn match_row<'a>(
    batch: &Batch,
    layout: &BankLayout,
    by_key: &BTreeMap<Vec<String>, Vec<&'a LineState>>,
    row: &ReturnRow,
) -> Result<&'a LineState, PaymentRefusal> {
    if row.batch.as_ref().is_some_and(|id| id != batch.id().as_str()) {
        return Err(Refused::new(PaymentCode::LineUnknown).expected(batch.id()));
    }
    let value = |field: &Field| match field {
        Field::Number => row.number.map(|number| number.to_string()),
        Field::Line => row.line.clone(),
        Field::Name => row.name.clone(),
        Field::Account => row.account.clone(),
        Field::Amount => Some(row.fen.to_string()),
        _ => None,
    };
    let key: Option<Vec<String>> = layout.match_by.iter().map(value).collect();
    match key.and_then(|key| by_key.get(&key)).map_or(&[][..], Vec::as_slice) {
        [state] => Ok(state),
        [] => Err(PaymentCode::LineUnknown.into()),
        several => Err(Refused::new(PaymentCode::LineAmbiguous).value(several.len())),
    }
}

/// What a row says of its line, if all of it agrees.
fn outcome(
    batch: &Batch,
    layout: &BankLayout,
    payees: &Payees,
    state: &LineState,
    row: &ReturnRow,
    now: Moment,
) -> Result<LineOutcome, PaymentRefusal> {
    let id = &state.line.id;
    let status = layout.statuses.iter().find(|status| status.code == row.status);
    let Some(status) = status else {
        return Err(Refused::new(PaymentCode::StatusUnknown).value(&row.status));
    };
    let payee = payees.get(id);
    let differs = |found: Option<&String>, known: Option<&str>| {
        found.is_some_and(|found| known.is_some_and(|known| known != found))
    };
    if differs(row.line.as_ref(), Some(id.as_str()))
        || row.number.is_some_and(|number| number != state.number)
        || differs(row.name.as_ref(), payee.map(|payee| payee.name.as_str()))
        || differs(row.account.as_ref(), payee.map(|payee| payee.account.as_str()))
    {
        return Err(Refused::new(PaymentCode::PayeeDiffers).value(id));
    }
    let kind = match status.means {
        Meaning::Delivered => OutcomeKind::Delivered,
        Meaning::Returned => {
            OutcomeKind::Returned { reason: row.reason.clone().unwrap_or_else(|| row.status.clone()) }
        }
    };
    let is_part = kind == OutcomeKind::Delivered && row.fen < state.open_fen() && row.fen > Fen::ZERO;
    if is_part && !layout.parts {
        let refusal = Refused::new(PaymentCode::AmountDiffers).value(format_args!("{id} {}", row.fen));
        return Err(refusal.expected(state.open_fen()));
    }
    let outcome = LineOutcome { line: id.clone(), kind, fen: row.fen, on: row.on };
    check_outcome(batch, state, &outcome, now.day())?;
    Ok(outcome)
}

fn first<T: ToString>(all: &[T]) -> String {
    all.first().map_or_else(String::new, ToString::to_string)
}
