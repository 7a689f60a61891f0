//! Transfers, one at a time.

use super::super::route::route;
use super::super::{
    AccountId, Action, Basis, Draft, Event, LedgerCode, LedgerRefusal, Posting, Remainder, Resolution, Stage,
    Transfer, TransferId,
};
use super::{Trial, named};
use crate::{Fen, Refused};

impl Trial {
    /// Posts a draft whose key is new.
    pub(super) fn transfer(&mut self, draft: &Draft) -> Result<(), LedgerRefusal> {
        let today = self.now.day();
        if draft.effective_on > today {
            let refusal = Refused::new(LedgerCode::EffectiveFuture).value(draft.effective_on);
            return Err(refusal.expected(format_args!("≤ {today}")));
        }
        match &draft.action {
            Action::Move { fen, .. } | Action::Reserve { fen, .. } => self.begin(draft, *fen),
            Action::Post { resolves, fen, remainder } => self.post(draft, *resolves, *fen, *remainder),
            Action::Void { resolves } => self.void(draft, *resolves),
            Action::Reverse { resolves, fen } => self.reverse(draft, *resolves, *fen),
        }
    }

    /// A move or a reservation, which name their accounts.
    fn begin(&mut self, draft: &Draft, fen: Fen) -> Result<(), LedgerRefusal> {
        let (debit, credit) = named(&draft.action).expect("moves and reservations name their accounts");
        positive(fen)?;
        self.open_account(debit)?;
        self.open_account(credit)?;
        let stage = route(&draft.action, debit, credit, draft.effective_on.year())?;
        if stage.is_two_phase() {
            complete(&draft.basis)?;
        }
        if let Action::Reserve { expires_at: Some(end), .. } = draft.action
            && end <= self.now
        {
            return Err(Refused::new(LedgerCode::ExpiryPast).value(end));
        }
        self.check_balance(debit, fen)?;
        self.check_room(credit, fen)?;
        self.check_sums(debit, credit, fen)?;
        self.add(draft, debit.clone(), credit.clone(), fen);
        Ok(())
    }

    fn post(
        &mut self,
        draft: &Draft,
        resolves: TransferId,
        fen: Fen,
        remainder: Remainder,
    ) -> Result<(), LedgerRefusal> {
        positive(fen)?;
        let reservation = self.open_reservation(draft, resolves)?;
        let reserved = reservation.transfer.fen;
        let (debit, credit) = (reservation.transfer.debit.clone(), reservation.transfer.credit.clone());
        let first = reservation.transfer.draft.clone();
        if (&draft.basis.decision, &draft.basis.case) != (&first.basis.decision, &first.basis.case) {
            let name = |basis: &Basis| {
                let part =
                    |key: &Option<crate::RecordKey>| key.as_ref().map_or("-".into(), ToString::to_string);
                format!("{} {}", part(&basis.decision), part(&basis.case))
            };
            let refusal = Refused::new(LedgerCode::OtherCase).value(name(&draft.basis));
            return Err(refusal.expected(name(&first.basis)));
        }
        let left = reserved.checked_sub(fen).filter(|left| !left.is_negative());
        let Some(left) = left else {
            let refusal = Refused::new(LedgerCode::BeyondReserved).value(fen);
            return Err(refusal.expected(format_args!("≤ {reserved}")));
        };
        self.open_account(&debit)?;
        self.open_account(&credit)?;
        self.add(draft, debit.clone(), credit.clone(), fen);
        if remainder == Remainder::Keep && !left.is_zero() {
            let Action::Reserve { expires_at, .. } = first.action else {
                unreachable!("an open reservation was made by `reserve`")
            };
            let action =
                Action::Reserve { debit: debit.clone(), credit: credit.clone(), fen: left, expires_at };
            // It counts from the day of the first, so that parts may be reported in any order.
            let rest = Draft { key: draft.key.derived("rest"), action, ..first };
            self.add(&rest, debit, credit, left);
        }
        Ok(())
    }

    fn void(&mut self, draft: &Draft, resolves: TransferId) -> Result<(), LedgerRefusal> {
        let transfer = self.open_reservation(draft, resolves)?.transfer.clone();
        self.add(draft, transfer.debit, transfer.credit, transfer.fen);
        Ok(())
    }

    fn reverse(&mut self, draft: &Draft, resolves: TransferId, fen: Fen) -> Result<(), LedgerRefusal> {
        positive(fen)?;
        let posting = self.resolved(draft, resolves)?.clone();
        let original = &posting.transfer;
        if matches!(original.draft.action, Action::Reverse { .. }) || !original.moves() {
            let kind = original.draft.action.kind();
            return Err(Refused::new(LedgerCode::NotReversible).value(kind));
        }
        if Stage::of(&original.debit, &original.credit).is_some_and(Stage::is_two_phase) {
            complete(&draft.basis)?;
        }
        let left = posting.standing_fen();
        if left.is_zero() {
            return Err(Refused::new(LedgerCode::AlreadyResolved).value("reversed"));
        }
        if fen > left {
            let refusal = Refused::new(LedgerCode::BeyondTransfer).value(fen);
            return Err(refusal.expected(format_args!("≤ {left}")));
        }
        let (debit, credit) = (&original.credit, &original.debit);
        self.open_account(debit)?;
        self.open_account(credit)?;
        self.check_balance(debit, fen)?;
        self.check_sums(debit, credit, fen)?;
        self.add(draft, debit.clone(), credit.clone(), fen);
        Ok(())
    }

    /// The reservation to be posted or voided, if it is one and still open.
    fn open_reservation(&self, draft: &Draft, id: TransferId) -> Result<&Posting, LedgerRefusal> {
        let posting = self.resolved(draft, id)?;
        if !matches!(posting.transfer.draft.action, Action::Reserve { .. }) {
            let code = match (&draft.action, posting.transfer.moves()) {
                (Action::Void { .. }, true) => LedgerCode::VoidOfPosted,
                _ => LedgerCode::NotAReservation,
            };
            return Err(Refused::new(code).value(posting.transfer.draft.action.kind()));
        }
        if Stage::of(&posting.transfer.debit, &posting.transfer.credit).is_some_and(Stage::is_two_phase) {
            complete(&draft.basis)?;
        }
        match posting.resolution {
            None => Ok(posting),
            Some(Resolution::Posted(_)) if matches!(draft.action, Action::Void { .. }) => {
                Err(Refused::new(LedgerCode::VoidOfPosted).value(id))
            }
            Some(Resolution::Posted(_)) => Err(Refused::new(LedgerCode::AlreadyResolved).value("posted")),
            Some(Resolution::Voided(_)) => Err(Refused::new(LedgerCode::AlreadyResolved).value("voided")),
            Some(Resolution::Expired(at)) => Err(Refused::new(LedgerCode::ReservationExpired).value(at)),
        }
    }

    /// The transfer that a draft refers to, if the draft doesn't count from before it.
    fn resolved(&self, draft: &Draft, id: TransferId) -> Result<&Posting, LedgerRefusal> {
        let unknown = || Refused::new(LedgerCode::UnknownTransfer).value(id);
        let posting = self.book.posting(id).ok_or_else(unknown)?;
        let begun = posting.transfer.draft.effective_on;
        if draft.effective_on < begun {
            let refusal = Refused::new(LedgerCode::EffectiveOrder).value(draft.effective_on);
            return Err(refusal.expected(format_args!("≥ {begun}")));
        }
        Ok(posting)
    }

    fn open_account(&self, id: &AccountId) -> Result<(), LedgerRefusal> {
        if self.account(id)?.closed_at.is_some() {
            return Err(Refused::new(LedgerCode::AccountClosed).value(id));
        }
        Ok(())
    }

    /// What is reserved counts as given.
    fn check_balance(&self, debit: &AccountId, fen: Fen) -> Result<(), LedgerRefusal> {
        let too_large = || Refused::new(LedgerCode::AmountTooLarge).value(fen);
        let available = self.account(debit)?.available().ok_or_else(too_large)?;
        if fen > available {
            let refusal = Refused::new(LedgerCode::BeyondBalance).value(fen);
            return Err(refusal.expected(format_args!("≤ {available}")));
        }
        Ok(())
    }

    /// What is about to be received counts as held.
    fn check_room(&self, credit: &AccountId, fen: Fen) -> Result<(), LedgerRefusal> {
        let state = self.account(credit)?;
        if let Some(room) = state.room().filter(|room| fen > *room) {
            let refusal = Refused::new(LedgerCode::BeyondCeiling).value(fen);
            return Err(refusal.expected(format_args!("≤ {room}")));
        }
        Ok(())
    }

    /// Sums from the beginning stay within 64 bits. What is pending counts, so that posting it always fits.
    fn check_sums(&self, debit: &AccountId, credit: &AccountId, fen: Fen) -> Result<(), LedgerRefusal> {
        let (giver, receiver) = (self.account(debit)?.balance, self.account(credit)?.balance);
        let debits = Fen::checked_sum([giver.debits_posted, giver.debits_pending, fen]);
        let credits = Fen::checked_sum([receiver.credits_posted, receiver.credits_pending, fen]);
        debits.and(credits).map(|_| ()).ok_or_else(|| Refused::new(LedgerCode::AmountTooLarge).value(fen))
    }

    fn add(&mut self, draft: &Draft, debit: AccountId, credit: AccountId, fen: Fen) {
        let id = TransferId::of(&draft.key);
        let linked = self.linked.clone();
        let transfer =
            Transfer { id, draft: draft.clone(), debit, credit, fen, linked, recorded_at: self.now };
        self.record(Event::Transferred(Box::new(transfer)));
    }
}

fn positive(fen: Fen) -> Result<(), LedgerRefusal> {
    if fen > Fen::ZERO { Ok(()) } else { Err(Refused::new(LedgerCode::AmountNotPositive).value(fen)) }
}

/// Whatever concerns a beneficiary names decision and case.
fn complete(basis: &Basis) -> Result<(), LedgerRefusal> {
    if basis.decision.is_some() && basis.case.is_some() {
        return Ok(());
    }
    Err(Refused::new(LedgerCode::BasisMissing).value(&basis.clause))
}
