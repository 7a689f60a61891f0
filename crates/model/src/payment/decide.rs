//! What a command to a batch comes to, or why it is refused.

use std::collections::BTreeSet;

use super::{
    Batch, BatchEvent, BatchPlan, BatchStage, Correction, Disposition, Line, LineId, LineOutcome, LineRef,
    LineState, OutcomeKind, PaymentCode, PaymentRefusal, Statement,
};
use crate::ledger::{AccountId, Layer};
use crate::{Date, Digest, Fen, Moment, RecordKey, Refused};

/// What a batch is asked to do. Each may be repeated: the second time it is a success that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchCommand {
    Plan(BatchPlan),
    /// Given up before a file went out.
    Cancel,
    /// A file went to the bank.
    Send {
        digest: Digest,
    },
    /// The bank took nothing of the file, so that another may be sent.
    Reject {
        reason: String,
    },
    /// The bank took the file, and counts and sums it so.
    Acknowledge {
        on: Date,
        count: u32,
        sum: Fen,
    },
    /// A return file counts; see [`super::receive`].
    ApplyReturn {
        digest: Digest,
        outcomes: Vec<LineOutcome>,
    },
    /// The payee of a returned line was verified and put right.
    Correct {
        line: LineId,
        correction: Correction,
    },
    /// What was returned is not to be paid. The book gives it back by reversing the commitment.
    GiveUp {
        line: LineId,
        decision: RecordKey,
    },
    /// Every line is explained, and the bank's statement agrees.
    Reconcile {
        statement: Statement,
    },
    Close,
}

/// The events that a command comes to. `batch` is `None` before the plan.
pub fn decide(
    batch: Option<&Batch>,
    command: &BatchCommand,
    now: Moment,
) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    let Some(batch) = batch else {
        return match command {
            BatchCommand::Plan(plan) => plan_first(plan, now),
            _ => Err(PaymentCode::BatchUnknown.into()),
        };
    };
    match command {
        BatchCommand::Plan(plan) if batch.plan == *plan => Ok(Vec::new()),
        BatchCommand::Plan(plan) => Err(Refused::new(PaymentCode::BatchExists).value(&plan.id)),
        BatchCommand::Cancel if batch.stage == BatchStage::Cancelled => Ok(Vec::new()),
        BatchCommand::Cancel => at_stage(batch, &[BatchStage::Planned], BatchEvent::Cancelled { at: now }),
        BatchCommand::Send { digest } => send(batch, *digest, now),
        BatchCommand::Reject { reason } => {
            let event = BatchEvent::Rejected { reason: reason.clone(), at: now };
            at_stage(batch, &[BatchStage::Sent], event)
        }
        BatchCommand::Acknowledge { on, count, sum } => acknowledge(batch, *on, *count, *sum, now),
        BatchCommand::ApplyReturn { digest, outcomes } => apply_return(batch, *digest, outcomes, now),
        BatchCommand::Correct { line, correction } => correct(batch, line, correction, now),
        BatchCommand::GiveUp { line, decision } => give_up(batch, line, decision, now),
        BatchCommand::Reconcile { statement } => reconcile(batch, *statement, now),
        BatchCommand::Close => close(batch, now),
    }
}

/// Plans a batch in which lines of an earlier one are paid again: the events of the earlier batch, and those of
/// the next one. They are stored together. `next` is the next batch, if this is a retry.
pub fn plan_again(
    earlier: &Batch,
    next: Option<&Batch>,
    plan: &BatchPlan,
    now: Moment,
) -> Result<(Vec<BatchEvent>, Vec<BatchEvent>), PaymentRefusal> {
    if let Some(next) = next {
        return decide(Some(next), &BatchCommand::Plan(plan.clone()), now).map(|events| (Vec::new(), events));
    }
    let mut of_earlier = Vec::new();
    let mut again = BTreeSet::new();
    for (place, line) in plan.lines.iter().enumerate() {
        let Some(reference) = &line.again else { continue };
        let by = LineRef { batch: plan.id.clone(), line: line.id.clone() };
        let fen = check_again(earlier, line, reference).map_err(|refusal| refusal.part(place + 1))?;
        if !again.insert(&reference.line) {
            return Err(Refused::new(PaymentCode::AlreadySettled).value(&reference.line).part(place + 1));
        }
        of_earlier.push(BatchEvent::PaidAgain { line: reference.line.clone(), by, fen, at: now });
    }
    check_plan(plan)?;
    Ok((of_earlier, vec![BatchEvent::Planned { plan: plan.clone(), at: now }]))
}

/// Whether an outcome fits a line: amount, date, and that it is not explained already.
pub(super) fn check_outcome(
    batch: &Batch,
    state: &LineState,
    outcome: &LineOutcome,
    today: Date,
) -> Result<(), PaymentRefusal> {
    let refused = |code| Refused::<PaymentCode>::new(code).value(&state.line.id);
    let (open, fen) = (state.open_fen(), outcome.fen);
    let is_late = matches!(outcome.kind, OutcomeKind::Returned { .. }) && open.is_zero();
    let sent_on = batch.sent.map(|(_, at)| at.day());
    let first = match (is_late, state.deliveries.iter().map(|delivery| delivery.on).max()) {
        (true, Some(delivered)) => sent_on.max(Some(delivered)),
        _ => sent_on,
    };
    if outcome.on > today || first.is_none_or(|first| outcome.on < first) {
        let first = first.map_or_else(|| "-".to_owned(), |first| first.to_string());
        return Err(refused(PaymentCode::DateInvalid)
            .value(format_args!("{} {}", state.line.id, outcome.on))
            .expected(format_args!("{first} … {today}")));
    }
    let amount = |expected: Fen, bound: &str| {
        Err(refused(PaymentCode::AmountDiffers)
            .value(format_args!("{} {fen}", state.line.id))
            .expected(format_args!("{bound}{expected}")))
    };
    match outcome.kind {
        _ if fen <= Fen::ZERO => amount(open, ""),
        OutcomeKind::Delivered if open.is_zero() => Err(refused(PaymentCode::AlreadyExplained)),
        OutcomeKind::Delivered if fen > open => amount(open, "≤ "),
        OutcomeKind::Returned { .. } if is_late && state.delivered_fen.is_zero() => {
            Err(refused(PaymentCode::AlreadyExplained))
        }
        OutcomeKind::Returned { .. } if is_late && fen != state.delivered_fen => {
            amount(state.delivered_fen, "")
        }
        // What the bank returns is all that it has not delivered.
        OutcomeKind::Returned { .. } if !is_late && fen != open => amount(open, ""),
        _ => Ok(()),
    }
}

fn plan_first(plan: &BatchPlan, now: Moment) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    if let Some(place) = plan.lines.iter().position(|line| line.again.is_some()) {
        return Err(Refused::new(PaymentCode::AgainUnlinked).part(place + 1));
    }
    check_plan(plan)?;
    Ok(vec![BatchEvent::Planned { plan: plan.clone(), at: now }])
}

fn check_plan(plan: &BatchPlan) -> Result<(), PaymentRefusal> {
    if plan.lines.is_empty() {
        return Err(Refused::new(PaymentCode::BatchEmpty).value(&plan.id));
    }
    let (mut ids, mut payments) = (BTreeSet::new(), BTreeSet::new());
    for (place, line) in plan.lines.iter().enumerate() {
        let refused = |code| Err(Refused::new(code).value(&line.id).part(place + 1));
        if !ids.insert(&line.id) || !payments.insert((&line.from, &line.to, &line.basis.case)) {
            return refused(PaymentCode::LineRepeated);
        }
        if line.fen <= Fen::ZERO {
            return refused(PaymentCode::AmountNotPositive);
        }
        let alike = line.from.at(Layer::Settled, line.to.holder.clone()) == line.to;
        if line.from.layer != Layer::Encumbered || !alike {
            return refused(PaymentCode::LineAccounts);
        }
    }
    let sum = Fen::checked_sum(plan.lines.iter().map(|line| line.fen));
    sum.map(|_| ()).ok_or_else(|| Refused::new(PaymentCode::AmountDiffers).value(&plan.id))
}

/// What a line that is paid again may be paid: all that was returned, to the payee of the correction.
fn check_again(earlier: &Batch, line: &Line, reference: &LineRef) -> Result<Fen, PaymentRefusal> {
    let refused = |code| Refused::<PaymentCode>::new(code).value(&reference.line);
    let state = earlier.line(&reference.line).filter(|_| reference.batch == *earlier.id());
    let state = state.ok_or_else(|| refused(PaymentCode::LineUnknown))?;
    let open = check_return(state)?;
    let correction = state.correction.as_ref().ok_or_else(|| refused(PaymentCode::NotCorrected))?;
    if correction.commitment != line.commitment {
        return Err(refused(PaymentCode::PayeeChanged));
    }
    // Money of an earlier year was carried over meanwhile.
    let owed = AccountId { year: line.from.year, ..state.line.from.clone() };
    if line.from != owed || line.from.year < state.line.from.year {
        return Err(refused(PaymentCode::LineAccounts));
    }
    if line.fen != open {
        return Err(refused(PaymentCode::AmountDiffers).value(line.fen).expected(open));
    }
    Ok(open)
}

/// What of a line was returned and is open.
fn check_return(state: &LineState) -> Result<Fen, PaymentRefusal> {
    let refused = |code| Err(Refused::new(code).value(&state.line.id));
    match state.return_open_fen() {
        _ if state.returned_fen.is_zero() => refused(PaymentCode::NotReturned),
        Fen::ZERO => refused(PaymentCode::AlreadySettled),
        open => Ok(open),
    }
}

fn send(batch: &Batch, digest: Digest, now: Moment) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    match batch.sent {
        Some((sent, _)) if sent == digest => return Ok(Vec::new()),
        Some(_) => return Err(Refused::new(PaymentCode::FileDiffers).value(digest)),
        None => {}
    }
    if batch.rejected.contains(&digest) {
        return Err(Refused::new(PaymentCode::FileRejected).value(digest));
    }
    at_stage(batch, &[BatchStage::Planned], BatchEvent::Sent { digest, at: now })
}

fn acknowledge(
    batch: &Batch,
    on: Date,
    count: u32,
    sum: Fen,
    now: Moment,
) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    let (lines, total) = (batch.lines.len() as u32, batch.total());
    if (count, sum) != (lines, total) {
        let refusal = Refused::new(PaymentCode::TotalsDiffer).value(format_args!("{count} {sum}"));
        return Err(refusal.expected(format_args!("{lines} {total}")));
    }
    if batch.acknowledged_on == Some(on) {
        return Ok(Vec::new());
    }
    check_date(batch, on, now)?;
    at_stage(batch, &[BatchStage::Sent], BatchEvent::Acknowledged { on, at: now })
}

fn apply_return(
    batch: &Batch,
    digest: Digest,
    outcomes: &[LineOutcome],
    now: Moment,
) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    if batch.returns.contains(&digest) {
        return Ok(Vec::new());
    }
    let mut seen = BTreeSet::new();
    for (place, outcome) in outcomes.iter().enumerate() {
        let refused = |code| Refused::new(code).value(&outcome.line).part(place + 1);
        let state = batch.line(&outcome.line).ok_or_else(|| refused(PaymentCode::LineUnknown))?;
        if !seen.insert(&outcome.line) {
            return Err(refused(PaymentCode::LineRepeated));
        }
        check_outcome(batch, state, outcome, now.day()).map_err(|refusal| refusal.part(place + 1))?;
    }
    let event = BatchEvent::ReturnApplied { digest, outcomes: outcomes.to_vec(), at: now };
    at_stage(batch, &[BatchStage::Acknowledged, BatchStage::Reconciled], event)
}

fn correct(
    batch: &Batch,
    line: &LineId,
    correction: &Correction,
    now: Moment,
) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    let state = known(batch, line)?;
    if state.correction.as_ref() == Some(correction) {
        return Ok(Vec::new());
    }
    check_return(state)?;
    Ok(vec![BatchEvent::Corrected { line: line.clone(), correction: correction.clone(), at: now }])
}

fn give_up(
    batch: &Batch,
    line: &LineId,
    decision: &RecordKey,
    now: Moment,
) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    let state = known(batch, line)?;
    let done = |disposition: &Disposition| match disposition {
        Disposition::GivenUp { decision: by, .. } => by == decision,
        Disposition::PaidAgain { .. } => false,
    };
    if state.return_open_fen().is_zero() && state.dispositions.iter().any(done) {
        return Ok(Vec::new());
    }
    let fen = check_return(state)?;
    Ok(vec![BatchEvent::GivenUp { line: line.clone(), decision: decision.clone(), fen, at: now }])
}

fn reconcile(batch: &Batch, statement: Statement, now: Moment) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    if batch.stage == BatchStage::Reconciled && batch.statement == Some(statement) {
        return Ok(Vec::new());
    }
    let stages = [BatchStage::Acknowledged];
    let events = at_stage(batch, &stages, BatchEvent::Reconciled { statement, at: now })?;
    if let Some(state) = batch.lines.iter().find(|state| !state.is_explained()) {
        return Err(Refused::new(PaymentCode::NotExplained).value(&state.line.id));
    }
    check_date(batch, statement.on, now)?;
    let delivered = batch.delivered();
    if statement.delivered_fen != delivered {
        let refusal = Refused::new(PaymentCode::StatementDiffers).value(statement.delivered_fen);
        return Err(refusal.expected(delivered));
    }
    Ok(events)
}

fn close(batch: &Batch, now: Moment) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    if batch.stage == BatchStage::Closed {
        return Ok(Vec::new());
    }
    let events = at_stage(batch, &[BatchStage::Reconciled], BatchEvent::Closed { at: now })?;
    match batch.lines.iter().find(|state| !state.return_open_fen().is_zero()) {
        Some(state) => Err(Refused::new(PaymentCode::ReturnOpen).value(&state.line.id)),
        None => Ok(events),
    }
}

fn known<'a>(batch: &'a Batch, line: &LineId) -> Result<&'a LineState, PaymentRefusal> {
    batch.line(line).ok_or_else(|| Refused::new(PaymentCode::LineUnknown).value(line))
}

/// A day that the bank gives lies between the sending of the file and today.
fn check_date(batch: &Batch, on: Date, now: Moment) -> Result<(), PaymentRefusal> {
    let (today, sent_on) = (now.day(), batch.sent.map(|(_, at)| at.day()));
    match sent_on {
        Some(sent) if on < sent || on > today => {
            let refusal = Refused::new(PaymentCode::DateInvalid).value(on);
            Err(refusal.expected(format_args!("{sent} … {today}")))
        }
        _ => Ok(()),
    }
}

fn at_stage(
    batch: &Batch,
    stages: &[BatchStage],
    event: BatchEvent,
) -> Result<Vec<BatchEvent>, PaymentRefusal> {
    if stages.contains(&batch.stage) {
        return Ok(vec![event]);
    }
    let names: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
    Err(Refused::new(PaymentCode::WrongStage).value(batch.stage.as_str()).expected(names.join(", ")))
}
