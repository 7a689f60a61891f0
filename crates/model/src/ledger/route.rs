//! The ways that money may take.

use serde::{Deserialize, Serialize};

use super::{AccountId, Action, Layer, LedgerCode, LedgerRefusal};
use crate::Refused;

/// What a transfer between two accounts is, in the words of public finance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// A document grants money.
    Appropriation,
    /// Money is passed down.
    Allotment,
    /// Reserved: committed by an approval. Posted: verified as owed.
    Commitment,
    /// Reserved: ordered from the bank. Posted: delivered. Voided: returned.
    Payment,
    /// What is left goes to the next year of the same account.
    CarryOver,
    /// Idle money goes back up.
    Recovery,
    /// A grant is cut.
    Withdrawal,
}

impl Stage {
    /// Whether it must be reserved first, since another has yet to confirm it.
    pub const fn is_two_phase(self) -> bool {
        matches!(self, Self::Commitment | Self::Payment)
    }

    /// The stage of a way that was taken before.
    pub fn of(debit: &AccountId, credit: &AccountId) -> Option<Self> {
        use Layer::{Allotted, Appropriated, Encumbered, Settled, Source};
        let (from, to) = (&debit.holder, &credit.holder);
        match (debit.layer, credit.layer) {
            (Source, Appropriated) if from == to => Some(Self::Appropriation),
            (Appropriated, Source) if from == to => Some(Self::Withdrawal),
            (Appropriated, Allotted) if from == to || to.is_below(from) => Some(Self::Allotment),
            (Allotted, Allotted) if to.is_below(from) => Some(Self::Allotment),
            (Allotted, Allotted) if from.is_below(to) => Some(Self::Recovery),
            (Allotted, Appropriated) if from == to || from.is_below(to) => Some(Self::Recovery),
            (Allotted, Encumbered) => Some(Self::Commitment),
            (Encumbered, Settled) => Some(Self::Payment),
            (first, second) if first == second && first.is_unspent() && from == to => Some(Self::CarryOver),
            _ => None,
        }
    }
}

/// The stage of a new move or reservation, if money may go this way.
pub(super) fn route(
    action: &Action,
    debit: &AccountId,
    credit: &AccountId,
    year: i32,
) -> Result<Stage, LedgerRefusal> {
    let refused = |code| Err(Refused::new(code).value(credit).expected(debit));
    if debit.document != credit.document {
        return refused(LedgerCode::OtherDocument);
    }
    if debit.purpose != credit.purpose {
        return Err(Refused::new(LedgerCode::OutsidePurpose).value(&credit.purpose).expected(&debit.purpose));
    }
    let Some(stage) = Stage::of(debit, credit) else { return refused(LedgerCode::NoRoute) };
    let reserves = matches!(action, Action::Reserve { .. });
    if stage.is_two_phase() != reserves {
        return refused(LedgerCode::NoRoute);
    }
    let wrong_year = |found: i32| Err(Refused::new(LedgerCode::WrongYear).value(found).expected(debit.year));
    match stage {
        Stage::CarryOver if credit.year != debit.year + 1 => {
            Err(Refused::new(LedgerCode::WrongYear).value(credit.year).expected(debit.year + 1))
        }
        Stage::CarryOver if year != debit.year && year != credit.year => wrong_year(year),
        Stage::CarryOver => Ok(stage),
        _ if credit.year != debit.year => wrong_year(credit.year),
        // Idle money is recovered and grants are cut in later years too.
        Stage::Recovery | Stage::Withdrawal if year >= debit.year => Ok(stage),
        _ if year != debit.year => wrong_year(year),
        _ => Ok(stage),
    }
}
