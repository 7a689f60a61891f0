//! The book: a fold of events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    AccountId, AccountState, Action, Command, DocumentNumber, Event, FundDocument, Reads, Resolution,
    Transfer, TransferId,
};
use crate::{Fen, Moment, wire};

/// Documents, accounts and transfers as of the last event applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    documents: BTreeMap<DocumentNumber, FundDocument>,
    accounts: BTreeMap<AccountId, AccountState>,
    postings: BTreeMap<TransferId, Posting>,
    last_number: u64,
    /// Open reservations that end, by when they do.
    expiring: BTreeSet<(Moment, TransferId)>,
    /// The transfers of each account, in the order in which they were posted.
    by_account: BTreeMap<AccountId, Vec<TransferId>>,
}

/// A transfer and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Its place among the transfers of the book, from 1. Money is received before it is given, so this order
    /// goes down every chain.
    pub number: u64,
    pub transfer: Transfer,
    /// Of a reservation: how it ended; `None` while it is open.
    pub resolution: Option<Resolution>,
    /// Of a transfer that moved money: how much of it was reversed.
    #[serde(with = "wire::fen")]
    pub reversed_fen: Fen,
}

impl Posting {
    /// Whether it is a reservation that still holds its money at a moment.
    pub fn is_open(&self, now: Moment) -> bool {
        match self.transfer.draft.action {
            Action::Reserve { expires_at, .. } => {
                self.resolution.is_none() && expires_at.is_none_or(|end| now < end)
            }
            _ => false,
        }
    }

    /// What it moved and was not reversed; zero for what moved nothing.
    pub fn standing_fen(&self) -> Fen {
        if !self.transfer.moves() {
            return Fen::ZERO;
        }
        self.transfer.fen.checked_sub(self.reversed_fen).expect("reversals never exceed their transfer")
    }
}

/// Why events are not those of a book. The stream is damaged, or out of order.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    #[error("`{what}` is recorded twice")]
    Repeated { what: String },
    #[error("`{what}` is referred to before it is recorded")]
    Missing { what: String },
    #[error("`{transfer}` does not fit what it resolves")]
    Mismatch { transfer: TransferId },
    #[error("`{account}` would hold more than it can or less than nothing")]
    Unbalanced { account: AccountId },
}

impl Book {
    pub fn new() -> Self {
        Self::default()
    }

    /// The book of all these events, in order.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, ReplayError> {
        let mut book = Self::new();
        for event in events {
            book.apply(event)?;
        }
        Ok(book)
    }

    /// A part of a book, as a store loads it for one command; see [`Command::reads`]. Postings are in the order
    /// in which they were recorded, with the numbers that the store gave them; a store numbers what is new by
    /// itself, since a part doesn't know the last number. Do not trace over a part.
    pub fn from_parts(
        documents: impl IntoIterator<Item = FundDocument>,
        accounts: impl IntoIterator<Item = AccountState>,
        postings: impl IntoIterator<Item = Posting>,
    ) -> Self {
        let mut book = Self::new();
        book.documents.extend(documents.into_iter().map(|document| (document.number.clone(), document)));
        book.accounts.extend(accounts.into_iter().map(|state| (state.account.id.clone(), state)));
        for posting in postings {
            book.index(&posting.transfer);
            if posting.resolution.is_none() {
                book.expiring.extend(end_of(&posting.transfer));
            }
            book.last_number = book.last_number.max(posting.number);
            book.postings.insert(posting.transfer.id, posting);
        }
        book
    }

    /// Adds what happened. On an error the stream is damaged, and the book is to be thrown away.
    pub fn apply(&mut self, event: &Event) -> Result<(), ReplayError> {
        match event {
            Event::DocumentRegistered { document, .. } => {
                absent(self.documents.contains_key(&document.number), &document.number)?;
                self.documents.insert(document.number.clone(), document.clone());
            }
            Event::AccountOpened { account, at } => {
                absent(self.accounts.contains_key(&account.id), &account.id)?;
                self.accounts.insert(account.id.clone(), AccountState::new(account.clone(), *at));
            }
            Event::AccountClosed { account, at } => {
                let state = self.accounts.get_mut(account).ok_or_else(|| missing(account))?;
                absent(state.closed_at.is_some(), account)?;
                state.closed_at = Some(*at);
            }
            Event::Transferred(transfer) => self.apply_transfer(transfer)?,
            Event::ReservationExpired { reservation, at } => {
                self.release(*reservation, Resolution::Expired(*at))?;
            }
        }
        Ok(())
    }

    pub fn document(&self, number: &DocumentNumber) -> Option<&FundDocument> {
        self.documents.get(number)
    }

    pub fn documents(&self) -> impl Iterator<Item = &FundDocument> {
        self.documents.values()
    }

    pub fn account(&self, id: &AccountId) -> Option<&AccountState> {
        self.accounts.get(id)
    }

    /// Every account, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountState> {
        self.accounts.values()
    }

    pub fn posting(&self, id: TransferId) -> Option<&Posting> {
        self.postings.get(&id)
    }

    /// Every transfer, by id.
    pub fn postings(&self) -> impl Iterator<Item = &Posting> {
        self.postings.values()
    }

    /// The transfers that debit or credit an account, in the order in which they were recorded.
    pub fn postings_of(&self, account: &AccountId) -> impl Iterator<Item = &Posting> {
        let ids = self.by_account.get(account).into_iter().flatten();
        ids.filter_map(|id| self.postings.get(id))
    }

    /// What an account may still give at a moment: lapsed reservations hold nothing, written down or not.
    /// `None` if it is not open.
    pub fn available(&self, id: &AccountId, now: Moment) -> Option<Fen> {
        let state = self.accounts.get(id)?;
        let lapsed = self.lapsed(now).filter_map(|id| self.postings.get(&id));
        let freed =
            lapsed.filter(|posting| posting.transfer.debit == *id).map(|posting| posting.transfer.fen);
        state.available()?.checked_add(Fen::checked_sum(freed)?)
    }

    /// The answer to a command that was carried out: its transfers, in order. A retry gets the same. `None` if
    /// it was not carried out, or moves nothing.
    pub fn reply(&self, command: &Command) -> Option<Vec<&Transfer>> {
        let drafts = command.drafts();
        let found = drafts.iter().map(|draft| self.postings.get(&TransferId::of(&draft.key)));
        let found: Option<Vec<&Transfer>> = found.map(|posting| posting.map(|is| &is.transfer)).collect();
        found.filter(|transfers| !transfers.is_empty())
    }

    /// Open reservations whose end has come, earliest first.
    pub fn lapsed(&self, now: Moment) -> impl Iterator<Item = TransferId> {
        self.expiring.iter().take_while(move |(end, _)| *end <= now).map(|(_, id)| *id)
    }

    /// The part of the book that a command depends on.
    pub fn excerpt(&self, reads: &Reads, now: Moment) -> Self {
        let mut ids = reads.transfers.clone();
        let mut accounts = reads.accounts.clone();
        let pair = |posting: &Posting| [posting.transfer.debit.clone(), posting.transfer.credit.clone()];
        accounts.extend(ids.iter().filter_map(|id| self.postings.get(id)).flat_map(pair));
        for posting in self.lapsed(now).filter_map(|id| self.postings.get(&id)) {
            let both = pair(posting);
            if reads.lapsed || both.iter().any(|account| accounts.contains(account)) {
                ids.insert(posting.transfer.id);
            }
        }
        accounts.extend(ids.iter().filter_map(|id| self.postings.get(id)).flat_map(pair));
        let mut documents = reads.documents.clone();
        documents.extend(accounts.iter().map(|account| account.document.clone()));
        Self::from_parts(
            documents.iter().filter_map(|number| self.documents.get(number)).cloned(),
            accounts.iter().filter_map(|account| self.accounts.get(account)).cloned(),
            ids.iter().filter_map(|id| self.postings.get(id)).cloned(),
        )
    }

    fn apply_transfer(&mut self, transfer: &Transfer) -> Result<(), ReplayError> {
        absent(self.postings.contains_key(&transfer.id), &transfer.id)?;
        let mismatch = || ReplayError::Mismatch { transfer: transfer.id };
        match &transfer.draft.action {
            Action::Move { .. } => self.add(transfer, Column::Posted)?,
            Action::Reserve { .. } => self.add(transfer, Column::Pending)?,
            Action::Post { resolves, .. } => {
                let reserved = self.postings.get(resolves).ok_or_else(|| missing(resolves))?.transfer.fen;
                if transfer.fen > reserved {
                    return Err(mismatch());
                }
                self.release(*resolves, Resolution::Posted(transfer.id))?;
                self.add(transfer, Column::Posted)?;
            }
            Action::Void { resolves } => self.release(*resolves, Resolution::Voided(transfer.id))?,
            Action::Reverse { resolves, .. } => {
                let posting = self.postings.get(resolves).ok_or_else(|| missing(resolves))?;
                let reversed = posting.reversed_fen.checked_add(transfer.fen);
                let reversed =
                    reversed.filter(|sum| *sum <= posting.transfer.fen && posting.transfer.moves());
                let reversed = reversed.ok_or_else(mismatch)?;
                self.add(transfer, Column::Posted)?;
                self.postings.get_mut(resolves).ok_or_else(|| missing(resolves))?.reversed_fen = reversed;
            }
        }
        self.index(transfer);
        self.expiring.extend(end_of(transfer));
        self.last_number += 1;
        let (number, transfer) = (self.last_number, transfer.clone());
        let posting = Posting { number, transfer, resolution: None, reversed_fen: Fen::ZERO };
        self.postings.insert(posting.transfer.id, posting);
        Ok(())
    }

    /// Adds a transfer to both of its accounts, or to neither.
    fn add(&mut self, transfer: &Transfer, column: Column) -> Result<(), ReplayError> {
        let (debit, credit) = (&transfer.debit, &transfer.credit);
        let mut giver = self.accounts.get(debit).ok_or_else(|| missing(debit))?.clone();
        let mut receiver = self.accounts.get(credit).ok_or_else(|| missing(credit))?.clone();
        let fits = column.add(&mut giver, &mut receiver, transfer.fen).is_some();
        if !fits || debit == credit || giver.available().is_none_or(Fen::is_negative) {
            return Err(ReplayError::Unbalanced { account: debit.clone() });
        }
        if matches!(column, Column::Posted) {
            let day = Some(transfer.draft.effective_on);
            (giver.moved_on, receiver.moved_on) = (giver.moved_on.max(day), receiver.moved_on.max(day));
        }
        self.accounts.insert(debit.clone(), giver);
        self.accounts.insert(credit.clone(), receiver);
        Ok(())
    }

    /// Ends an open reservation: what it held is free.
    fn release(&mut self, id: TransferId, resolution: Resolution) -> Result<(), ReplayError> {
        let posting = self.postings.get_mut(&id).ok_or_else(|| missing(id))?;
        let is_reservation = matches!(posting.transfer.draft.action, Action::Reserve { .. });
        if !is_reservation || posting.resolution.is_some() {
            return Err(ReplayError::Mismatch { transfer: id });
        }
        let transfer = &posting.transfer;
        let less = |held: Fen| held.checked_sub(transfer.fen).filter(|left| !left.is_negative());
        let giver = self.accounts.get(&transfer.debit).ok_or_else(|| missing(&transfer.debit))?;
        let receiver = self.accounts.get(&transfer.credit).ok_or_else(|| missing(&transfer.credit))?;
        let unbalanced = |account: &AccountId| ReplayError::Unbalanced { account: account.clone() };
        let held = less(giver.balance.debits_pending).ok_or_else(|| unbalanced(&transfer.debit))?;
        let due = less(receiver.balance.credits_pending).ok_or_else(|| unbalanced(&transfer.credit))?;
        if let Some(state) = self.accounts.get_mut(&transfer.debit) {
            state.balance.debits_pending = held;
        }
        if let Some(state) = self.accounts.get_mut(&transfer.credit) {
            state.balance.credits_pending = due;
        }
        if let Some(end) = end_of(transfer) {
            self.expiring.remove(&end);
        }
        posting.resolution = Some(resolution);
        Ok(())
    }

    fn index(&mut self, transfer: &Transfer) {
        for account in [&transfer.debit, &transfer.credit] {
            self.by_account.entry(account.clone()).or_default().push(transfer.id);
        }
    }
}

/// The pair of sums that a transfer is added to.
#[derive(Debug, Clone, Copy)]
enum Column {
    Posted,
    Pending,
}

impl Column {
    fn add(self, giver: &mut AccountState, receiver: &mut AccountState, fen: Fen) -> Option<()> {
        let (debits, credits) = match self {
            Self::Posted => (&mut giver.balance.debits_posted, &mut receiver.balance.credits_posted),
            Self::Pending => (&mut giver.balance.debits_pending, &mut receiver.balance.credits_pending),
        };
        *debits = debits.checked_add(fen)?;
        *credits = credits.checked_add(fen)?;
        Some(())
    }
}

/// When a reservation ends, if it is one that does.
fn end_of(transfer: &Transfer) -> Option<(Moment, TransferId)> {
    match transfer.draft.action {
        Action::Reserve { expires_at: Some(end), .. } => Some((end, transfer.id)),
        _ => None,
    }
}

fn absent(known: bool, what: &impl ToString) -> Result<(), ReplayError> {
    if known { Err(ReplayError::Repeated { what: what.to_string() }) } else { Ok(()) }
}

fn missing(what: impl ToString) -> ReplayError {
    ReplayError::Missing { what: what.to_string() }
}
