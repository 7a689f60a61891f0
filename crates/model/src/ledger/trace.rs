//! Where a fen came from and where it went.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AccountId, Action, Balance, Book, DocumentNumber, FundDocument, Holder, Layer, Posting, Stage, TransferId,
};
use crate::Fen;

/// The way of money from the document that granted it to a transfer, and what became of the transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    pub document: &'a FundDocument,
    /// From the grant down to the transfer, each after what supplied it. Reservations come with their posting.
    ///
    /// Money within one account cannot be told apart, so a link is every transfer that supplied the account by
    /// then, not one chosen among them. Commitments are told apart by their case.
    pub links: Vec<Link<'a>>,
    /// What followed from the transfer: posted, voided, reversed, what was kept of it.
    pub outcomes: Vec<Link<'a>>,
}

/// A transfer in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    pub stage: Option<Stage>,
    pub posting: &'a Posting,
}

/// What became of everything that a document granted. The sums other than `granted` add up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descent<'a> {
    pub document: &'a FundDocument,
    /// Granted less withdrawn.
    pub granted: Fen,
    /// With the one who granted it, or on its way down, and free.
    pub uncommitted: Fen,
    /// Reserved by approvals.
    pub committed: Fen,
    /// Verified as owed and not yet ordered.
    pub owed: Fen,
    /// Ordered, and not yet delivered or returned.
    pub with_bank: Fen,
    pub delivered: Fen,
    /// Every account of the document, from the grant down.
    pub accounts: Vec<DescentAccount<'a>>,
    /// Who received how much of it, by holder.
    pub paid: Vec<Paid<'a>>,
}

/// One account of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescentAccount<'a> {
    pub id: &'a AccountId,
    pub balance: Balance,
    /// The accounts that supplied it, by what still stands.
    pub from: Vec<(&'a AccountId, Fen)>,
}

/// What one holder received of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid<'a> {
    pub holder: &'a Holder,
    pub fen: Fen,
    /// The deliveries, in order.
    pub transfers: Vec<TransferId>,
}

/// The chain of one transfer, `None` if the book has none of that id. The book must be whole.
pub fn trace_transfer(book: &Book, id: TransferId) -> Option<Chain<'_>> {
    let start = book.posting(id)?;
    let document = book.document(&start.transfer.debit.document)?;
    let mut found = BTreeMap::from([(start.number, start)]);
    // A reversal goes back up: its chain is that of what it reverses.
    let mut seed = start;
    while let Some(resolved) = seed.transfer.draft.action.resolves().and_then(|id| book.posting(id)) {
        found.insert(resolved.number, resolved);
        seed = resolved;
    }
    let mut open = vec![&seed.transfer.debit];
    let mut seen = BTreeSet::new();
    while let Some(account) = open.pop() {
        if !seen.insert(account) {
            continue;
        }
        for supply in supplies(book, account, seed) {
            found.insert(supply.number, supply);
            let reserved = supply.transfer.draft.action.resolves().and_then(|id| book.posting(id));
            found.extend(reserved.map(|reservation| (reservation.number, reservation)));
            open.push(&supply.transfer.debit);
        }
    }
    let links = found.into_values().map(link).collect();
    Some(Chain { document, links, outcomes: outcomes(book, start) })
}

/// The chains of every payment to a holder that stands, in order. The book must be whole.
pub fn trace_holder<'a>(book: &'a Book, holder: &Holder) -> Vec<Chain<'a>> {
    let settled = book.accounts().map(|state| &state.account.id);
    let settled = settled.filter(|id| id.layer == Layer::Settled && id.holder == *holder);
    let deliveries = settled.flat_map(|id| supplied(book, id));
    let ordered: BTreeMap<u64, TransferId> =
        deliveries.map(|posting| (posting.number, posting.transfer.id)).collect();
    ordered.into_values().filter_map(|id| trace_transfer(book, id)).collect()
}

/// What became of a document's money, `None` if it is not registered or a sum exceeds 64 bits. The book must be
/// whole.
pub fn trace_document<'a>(book: &'a Book, number: &DocumentNumber) -> Option<Descent<'a>> {
    let document = book.document(number)?;
    let states: Vec<_> = book.accounts().filter(|state| state.account.id.document == *number).collect();
    let sum = |layers: &[Layer], amount: fn(&Balance) -> Option<Fen>| {
        let chosen = states.iter().filter(|state| layers.contains(&state.account.id.layer));
        Fen::checked_sum(chosen.map(|state| amount(&state.balance)).collect::<Option<Vec<Fen>>>()?)
    };
    let posted = |balance: &Balance| Some(balance.posted());
    let pending = |balance: &Balance| Some(balance.debits_pending);
    let free = |balance: &Balance| balance.posted().checked_sub(balance.debits_pending);
    let mut paid: BTreeMap<&Holder, (Fen, BTreeMap<u64, TransferId>)> = BTreeMap::new();
    for state in states.iter().filter(|state| state.account.id.layer == Layer::Settled) {
        let id = &state.account.id;
        let (fen, transfers) = paid.entry(&id.holder).or_default();
        *fen = fen.checked_add(state.balance.posted())?;
        transfers.extend(supplied(book, id).map(|posting| (posting.number, posting.transfer.id)));
    }
    let accounts = states.iter().map(|state| DescentAccount {
        id: &state.account.id,
        balance: state.balance,
        from: givers(book, &state.account.id),
    });
    Some(Descent {
        document,
        granted: sum(&[Layer::Source], |balance| balance.posted().checked_neg())?,
        uncommitted: sum(&[Layer::Appropriated, Layer::Allotted], free)?,
        committed: sum(&[Layer::Appropriated, Layer::Allotted], pending)?,
        owed: sum(&[Layer::Encumbered], free)?,
        with_bank: sum(&[Layer::Encumbered], pending)?,
        delivered: sum(&[Layer::Settled], posted)?,
        accounts: accounts.collect(),
        paid: paid
            .into_iter()
            .filter(|(_, (fen, _))| !fen.is_zero())
            .map(|(holder, (fen, transfers))| Paid {
                holder,
                fen,
                transfers: transfers.into_values().collect(),
            })
            .collect(),
    })
}

/// Transfers that supplied an account, and still stand.
fn supplied<'a>(book: &'a Book, account: &'a AccountId) -> impl Iterator<Item = &'a Posting> {
    book.postings_of(account).filter(move |posting| {
        let is_reversal = matches!(posting.transfer.draft.action, Action::Reverse { .. });
        posting.transfer.credit == *account && !is_reversal && !posting.standing_fen().is_zero()
    })
}

/// What supplied an account before a transfer left it: of the same case, if cases are told apart there.
fn supplies<'a>(book: &'a Book, account: &'a AccountId, seed: &Posting) -> Vec<&'a Posting> {
    let before = |posting: &&Posting| posting.number <= seed.number;
    let all: Vec<&Posting> = supplied(book, account).filter(before).collect();
    let case = &seed.transfer.draft.basis.case;
    let same: Vec<&Posting> =
        all.iter().copied().filter(|posting| posting.transfer.draft.basis.case == *case).collect();
    if case.is_none() || same.is_empty() { all } else { same }
}

/// Who supplied an account, and with how much that still stands.
fn givers<'a>(book: &'a Book, account: &'a AccountId) -> Vec<(&'a AccountId, Fen)> {
    let mut sums: BTreeMap<&AccountId, Vec<Fen>> = BTreeMap::new();
    for posting in supplied(book, account) {
        sums.entry(&posting.transfer.debit).or_default().push(posting.standing_fen());
    }
    let sum = |parts: Vec<Fen>| Fen::checked_sum(parts).expect("the account's own sum fits");
    sums.into_iter().map(|(id, parts)| (id, sum(parts))).collect()
}

/// What followed from a transfer: what resolves it, what a post kept, and what followed from these.
fn outcomes<'a>(book: &'a Book, start: &'a Posting) -> Vec<Link<'a>> {
    let mut known = BTreeSet::from([start.transfer.id]);
    let later = book.postings_of(&start.transfer.debit).filter(|posting| posting.number > start.number);
    let mut found = Vec::new();
    for posting in later {
        let transfer = &posting.transfer;
        let kept = known.iter().any(|id| {
            let post = book.posting(*id).map(|known| &known.transfer.draft.key);
            post.is_some_and(|key| TransferId::of_remainder(key) == transfer.id)
        });
        if kept || transfer.draft.action.resolves().is_some_and(|id| known.contains(&id)) {
            known.insert(transfer.id);
            found.push(link(posting));
        }
    }
    found
}

fn link(posting: &Posting) -> Link<'_> {
    let transfer = &posting.transfer;
    let is_reversal = matches!(transfer.draft.action, Action::Reverse { .. });
    let (from, to) =
        if is_reversal { (&transfer.credit, &transfer.debit) } else { (&transfer.debit, &transfer.credit) };
    Link { stage: Stage::of(from, to), posting }
}
