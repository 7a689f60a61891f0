//! What the events of a batch come to in the book.

use super::line::{line_key, order_key, outcome_key};
use super::{Batch, BatchEvent, LineOutcome, LineState, OutcomeKind};
use crate::ledger::{Account, Action, Command, Draft, Remainder, TransferKey};

/// The accounts that a batch pays into, to be opened before its plan is posted.
pub fn openings(plan: &super::BatchPlan) -> Command {
    let mut ids: Vec<_> = plan.lines.iter().map(|line| line.to.clone()).collect();
    ids.sort();
    ids.dedup();
    Command::Open { accounts: ids.into_iter().map(Account::new).collect() }
}

/// The command to the book that belongs to an event, `None` if the event moves no money. `before` is the batch
/// before the event, `None` before its plan. Event and command are stored together or not at all; if the book
/// refuses, so does the batch.
pub fn postings(before: Option<&Batch>, event: &BatchEvent) -> Option<Command> {
    match event {
        BatchEvent::Planned { plan, at } => {
            let order = |line: &super::Line| Draft {
                key: order_key(&plan.id, &line.id),
                action: Action::Reserve {
                    debit: line.from.clone(),
                    credit: line.to.clone(),
                    fen: line.fen,
                    expires_at: None,
                },
                basis: line.basis.clone(),
                effective_on: at.day(),
            };
            group(&plan.id, "plan", plan.lines.iter().map(order).collect())
        }
        BatchEvent::Cancelled { at } => {
            let batch = before?;
            let void = |state: &LineState| Draft {
                key: line_key(batch.id(), &state.line.id, "cancelled"),
                action: Action::Void { resolves: state.order },
                basis: state.line.basis.clone(),
                effective_on: at.day(),
            };
            group(batch.id(), "cancel", batch.lines.iter().map(void).collect())
        }
        BatchEvent::ReturnApplied { digest, outcomes, .. } => {
            let batch = before?;
            let drafts = outcomes.iter().flat_map(|outcome| {
                batch
                    .line(&outcome.line)
                    .map(|state| outcome_drafts(batch, state, outcome))
                    .unwrap_or_default()
            });
            group(batch.id(), &format!("return/{digest}"), drafts.collect())
        }
        _ => None,
    }
}

fn outcome_drafts(batch: &Batch, state: &LineState, outcome: &LineOutcome) -> Vec<Draft> {
    let key = outcome_key(batch.id(), state, outcome);
    let draft =
        |key, action| Draft { key, action, basis: state.line.basis.clone(), effective_on: outcome.on };
    match outcome.kind {
        OutcomeKind::Delivered => {
            let remainder = Remainder::Keep;
            vec![draft(key, Action::Post { resolves: state.order, fen: outcome.fen, remainder })]
        }
        OutcomeKind::Returned { .. } if !state.open_fen().is_zero() => {
            vec![draft(key, Action::Void { resolves: state.order })]
        }
        OutcomeKind::Returned { .. } => {
            let reverse = |(place, delivery): (usize, &super::Delivery)| {
                let what = format!("taken-back-{}-{}", state.outcomes + 1, place + 1);
                let key = line_key(batch.id(), &state.line.id, &what);
                draft(key, Action::Reverse { resolves: delivery.transfer, fen: delivery.fen })
            };
            state.deliveries.iter().enumerate().map(reverse).collect()
        }
    }
}

fn group(batch: &super::BatchId, what: &str, drafts: Vec<Draft>) -> Option<Command> {
    let key = TransferKey::new(format!("payment/{batch}/{what}"));
    let group = key.expect("an id of 50 characters and a digest make a key of at most 200");
    (!drafts.is_empty()).then_some(Command::Group { group, drafts })
}
