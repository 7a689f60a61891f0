//! What a command comes to, or why it is refused.

mod accounts;
mod transfers;

use std::collections::BTreeSet;

use super::{AccountId, Action, Book, Command, Event, LedgerCode, LedgerRefusal, Linked, TransferId};
use crate::{Moment, Refused};

/// The events that a command comes to at a moment. None, if it was carried out before: the same key with the
/// same body is a success that posts nothing. Apply them all, or none, before the next command.
pub fn decide(book: &Book, command: &Command, now: Moment) -> Result<Vec<Event>, LedgerRefusal> {
    let mut trial =
        Trial { book: book.excerpt(&command.reads(), now), events: Vec::new(), linked: None, now };
    if is_repeated(&trial.book, command)? {
        return Ok(Vec::new());
    }
    trial.expire();
    match command {
        Command::Appropriate { fund, document, .. } => trial.register(fund, document)?,
        Command::Open { accounts } => trial.open(accounts)?,
        Command::Close { account } => trial.close(account)?,
        Command::CarryOver { from, .. } => trial.open_next_year(from)?,
        Command::Recover { from, to, idle_since, .. } => trial.check_recovery(from, to, *idle_since)?,
        Command::Transfer(_) | Command::Group { .. } | Command::Expire => {}
    }
    let drafts = command.drafts();
    for (place, draft) in drafts.iter().enumerate() {
        trial.linked = linked(command, place, drafts.len());
        let posted = trial.transfer(draft);
        posted.map_err(|refusal| if trial.linked.is_some() { refusal.part(place + 1) } else { refusal })?;
    }
    Ok(trial.events)
}

/// A copy of what the command touches, on which its parts are tried one after the other.
struct Trial {
    book: Book,
    events: Vec<Event>,
    /// The group of the transfer that is being tried.
    linked: Option<Linked>,
    now: Moment,
}

impl Trial {
    fn record(&mut self, event: Event) {
        self.book.apply(&event).expect("what was decided fits the book it was decided for");
        self.events.push(event);
    }

    /// Lapsed reservations end within the command that meets them, so that it neither posts one nor is kept
    /// from what one no longer holds.
    fn expire(&mut self) {
        let lapsed: Vec<TransferId> = self.book.lapsed(self.now).collect();
        for reservation in lapsed {
            self.record(Event::ReservationExpired { reservation, at: self.now });
        }
    }
}

/// Whether every transfer of a command was posted before, just so.
fn is_repeated(book: &Book, command: &Command) -> Result<bool, LedgerRefusal> {
    let drafts = command.drafts();
    let mut known = 0;
    let mut keys = BTreeSet::new();
    for (place, draft) in drafts.iter().enumerate() {
        let part = |code| {
            let refusal = Refused::new(code).value(&draft.key);
            if command.group().is_some() { refusal.part(place + 1) } else { refusal }
        };
        if draft.key.is_derived() && !matches!(command, Command::Appropriate { .. }) {
            return Err(part(LedgerCode::KeyReused));
        }
        if !keys.insert(&draft.key) {
            let is_group = matches!(command, Command::Group { .. });
            return Err(part(if is_group { LedgerCode::GroupBroken } else { LedgerCode::DocumentInvalid }));
        }
        let Some(posting) = book.posting(TransferId::of(&draft.key)) else { continue };
        let (found, asked) = (&posting.transfer.linked, linked(command, place, drafts.len()));
        let group = |linked: &Option<Linked>| linked.as_ref().map(|linked| linked.group.clone());
        if posting.transfer.draft != *draft || group(found) != group(&asked) {
            return Err(part(LedgerCode::KeyReused));
        }
        // A retry with fewer or more transfers than the group had, or in another order, is another group.
        if *found != asked {
            return Err(part(LedgerCode::GroupBroken));
        }
        known += 1;
    }
    match command {
        Command::Group { drafts, group } if drafts.is_empty() => {
            Err(Refused::new(LedgerCode::GroupBroken).value(group))
        }
        _ if known > 0 && known < drafts.len() => {
            Err(Refused::new(LedgerCode::GroupBroken).value(known).expected(drafts.len()))
        }
        Command::Appropriate { document, .. } if known > 0 => {
            let same = book.document(&document.number) == Some(document);
            if same { Ok(true) } else { Err(Refused::new(LedgerCode::KeyReused).value(&document.number)) }
        }
        _ => Ok(known > 0),
    }
}

/// How the transfer at a place of a command, from 0, is linked with the others.
fn linked(command: &Command, place: usize, size: usize) -> Option<Linked> {
    let group = command.group()?.clone();
    Some(Linked { group, place: place as u32 + 1, size: size as u32 })
}

/// The accounts that a draft names itself.
fn named(action: &Action) -> Option<(&AccountId, &AccountId)> {
    match action {
        Action::Move { debit, credit, .. } | Action::Reserve { debit, credit, .. } => Some((debit, credit)),
        _ => None,
    }
}
