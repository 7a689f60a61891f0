//! Documents and accounts: registering, opening, closing, carrying over.

use super::super::{
    Account, AccountId, AccountState, DocumentNumber, Event, Fund, FundDocument, Holder, Layer, LedgerCode,
    LedgerRefusal, Purpose, Stage,
};
use super::Trial;
use crate::{Date, Fen, Refused};

impl Trial {
    /// Registers a document and opens the two accounts of each of its purposes.
    pub(super) fn register(&mut self, fund: &Fund, document: &FundDocument) -> Result<(), LedgerRefusal> {
        if self.book.document(&document.number).is_some() {
            return Err(Refused::new(LedgerCode::KeyReused).value(&document.number));
        }
        if document.fund != fund.id {
            return Err(Refused::new(LedgerCode::DocumentInvalid).value(&document.fund).expected(&fund.id));
        }
        if document.lines.is_empty() {
            return Err(Refused::new(LedgerCode::DocumentInvalid).value(&document.number));
        }
        for (place, line) in document.lines.iter().enumerate() {
            let refused = |code| Refused::new(code).value(&line.purpose).part(place + 1);
            if !fund.purposes.contains(&line.purpose) {
                let known: Vec<&str> = fund.purposes.iter().map(Purpose::as_str).collect();
                return Err(refused(LedgerCode::OutsidePurpose).expected(known.join(", ")));
            }
            if document.lines[..place].iter().any(|earlier| earlier.purpose == line.purpose) {
                return Err(refused(LedgerCode::DocumentInvalid));
            }
            if line.fen <= Fen::ZERO {
                return Err(refused(LedgerCode::AmountNotPositive).value(line.fen));
            }
        }
        self.record(Event::DocumentRegistered { document: document.clone(), at: self.now });
        for line in &document.lines {
            let source =
                Account { overdraft_fen_max: line.fen, ..Account::new(document.source(&line.purpose)) };
            for account in [source, Account::new(document.appropriated(&line.purpose))] {
                self.record(Event::AccountOpened { account, at: self.now });
            }
        }
        Ok(())
    }

    pub(super) fn open(&mut self, accounts: &[Account]) -> Result<(), LedgerRefusal> {
        for (place, account) in accounts.iter().enumerate() {
            self.open_one(account).map_err(|refusal| refusal.part(place + 1))?;
        }
        Ok(())
    }

    /// Closes an account. What was granted and what was delivered stays on record in closed accounts too.
    pub(super) fn close(&mut self, id: &AccountId) -> Result<(), LedgerRefusal> {
        let state = self.account(id)?;
        if state.closed_at.is_some() {
            return Ok(());
        }
        let balance = state.balance;
        let is_pending = !balance.debits_pending.is_zero() || !balance.credits_pending.is_zero();
        if is_pending || (id.layer.is_unspent() && !balance.posted().is_zero()) {
            return Err(Refused::new(LedgerCode::AccountNotEmpty).value(balance.posted()));
        }
        self.record(Event::AccountClosed { account: id.clone(), at: self.now });
        Ok(())
    }

    /// Opens the account of the next year, with the limits of this year's.
    pub(super) fn open_next_year(&mut self, from: &AccountId) -> Result<(), LedgerRefusal> {
        let next = from.next_year();
        if !from.layer.is_unspent() {
            return Err(Refused::new(LedgerCode::NoRoute).value(next).expected(from));
        }
        let account = Account { id: next, ..self.account(from)?.account.clone() };
        if self.book.account(&account.id).is_some() { Ok(()) } else { self.open_one(&account) }
    }

    /// Idle money goes upward only, and only if it is idle.
    pub(super) fn check_recovery(
        &self,
        from: &AccountId,
        to: &AccountId,
        idle_since: Option<Date>,
    ) -> Result<(), LedgerRefusal> {
        if Stage::of(from, to) != Some(Stage::Recovery) {
            return Err(Refused::new(LedgerCode::NoRoute).value(to).expected(from));
        }
        let moved_on = self.account(from)?.moved_on;
        match (moved_on, idle_since) {
            (Some(moved), Some(since)) if moved > since => {
                Err(Refused::new(LedgerCode::NotIdle).value(moved).expected(format_args!("≤ {since}")))
            }
            _ => Ok(()),
        }
    }

    /// An account that is known, open or closed.
    pub(super) fn account(&self, id: &AccountId) -> Result<&AccountState, LedgerRefusal> {
        self.book.account(id).ok_or_else(|| Refused::new(LedgerCode::UnknownAccount).value(id))
    }

    fn open_one(&mut self, account: &Account) -> Result<(), LedgerRefusal> {
        let id = &account.id;
        if let Some(state) = self.book.account(id) {
            let same = state.account == *account;
            return if same { Ok(()) } else { Err(Refused::new(LedgerCode::AccountDiffers).value(id)) };
        }
        let document = self.document(&id.document)?;
        if document.granted(&id.purpose).is_none() {
            let granted: Vec<&str> = document.lines.iter().map(|line| line.purpose.as_str()).collect();
            let refusal = Refused::new(LedgerCode::OutsidePurpose).value(&id.purpose);
            return Err(refusal.expected(granted.join(", ")));
        }
        if id.year < document.year {
            let refusal = Refused::new(LedgerCode::WrongYear).value(id.year);
            return Err(refusal.expected(format_args!("≥ {}", document.year)));
        }
        let may_hold = match id.layer {
            // Only a document makes a grant: an account below zero would make money.
            Layer::Source => false,
            Layer::Appropriated => id.holder == Holder::Division(document.issuer),
            Layer::Allotted => id.holder.passes_on(),
            Layer::Encumbered | Layer::Settled => true,
        };
        let limits = account.overdraft_fen_max.is_zero()
            && account.balance_fen_max.is_none_or(|ceiling| !ceiling.is_negative());
        if !may_hold || !limits {
            return Err(Refused::new(LedgerCode::AccountInvalid).value(id));
        }
        self.record(Event::AccountOpened { account: account.clone(), at: self.now });
        Ok(())
    }

    fn document(&self, number: &DocumentNumber) -> Result<&FundDocument, LedgerRefusal> {
        self.book.document(number).ok_or_else(|| Refused::new(LedgerCode::UnknownDocument).value(number))
    }
}
