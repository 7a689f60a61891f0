//! Money set apart by an approval, and given back when it comes to nothing.

use model::ledger::{
    Account, AccountId, Action, Basis, Book, Command, Draft, Holder, Layer, LedgerCode, LedgerRefusal,
    Purpose, Stage, TransferId, TransferKey,
};
use model::{DivisionCode, Fen, RecordKey, Refusal};

use super::Declared;
use crate::acting::{ActingError, Deed, LEDGER_STREAM, county_of};

/// Reserves an amount for a record from the accounts of its county for the purpose and year.
pub fn reserve(
    deed: &mut Deed<'_>,
    flow: &Declared<'_>,
    case: &RecordKey,
    item: &RecordKey,
    fund: &str,
    amount: Fen,
) -> Result<(), ActingError> {
    // Nothing is owed: there is nothing to set apart.
    if amount.is_zero() {
        return Ok(());
    }
    let county = county_of(deed.program, deed.view(), flow.entity, item.as_str())?;
    let county = county.ok_or_else(|| Refusal::new(model::RefusalCode::DivisionNotFound).value(item))?;
    let purpose: Purpose = fund.parse().map_err(|error| ActingError::damaged(LEDGER_STREAM, error))?;
    let year = deed.acting.on.year();
    let now = deed.acting.effective_at();
    let debit = account_with(deed.book()?, county, &purpose, year, amount, now).ok_or_else(|| {
        LedgerRefusal::new(LedgerCode::UnknownAccount).value(format_args!("{purpose} {year} {county}"))
    })?;
    let credit = debit.at(Layer::Encumbered, holder(&deed.program.entity(flow.entity).name, item));
    let basis = Basis {
        clause: flow.clause.clone(),
        decision: Some(decision_key(case, item)?),
        case: Some(case.clone()),
    };
    deed.post(&Command::Open { accounts: vec![Account::new(credit.clone())] })?;
    let effective_on = deed.acting.on;
    let times = open_or_ended(deed.book()?, &basis, &credit.holder);
    let key = format!("case/{case}/{item}/commit/{}", times + 1);
    let key = TransferKey::new(key).map_err(|error| ActingError::damaged(LEDGER_STREAM, error))?;
    let action = Action::Reserve { debit, credit, fen: amount, expires_at: None };
    deed.post(&Command::Transfer(Draft { key, action, basis, effective_on }))
}

/// Gives back what a case has reserved for a record.
pub fn release(
    deed: &mut Deed<'_>,
    flow: &Declared<'_>,
    case: &RecordKey,
    item: &RecordKey,
    fund: &str,
    amount: Fen,
) -> Result<(), ActingError> {
    let holder = holder(&deed.program.entity(flow.entity).name, item);
    let now = deed.acting.effective_at();
    let effective_on = deed.acting.on;
    let book = deed.book()?;
    let open = book.postings().find(|posting| {
        let transfer = &posting.transfer;
        posting.is_open(now)
            && transfer.draft.basis.case.as_ref() == Some(case)
            && transfer.credit.holder == holder
            && transfer.debit.purpose.as_str() == fund
            && transfer.fen == amount
    });
    let Some(transfer) = open.map(|posting| posting.transfer.clone()) else { return Ok(()) };
    let key = TransferKey::new(format!("{}/void", transfer.draft.key));
    let key = key.map_err(|error| ActingError::damaged(LEDGER_STREAM, error))?;
    let action = Action::Void { resolves: transfer.id };
    deed.post(&Command::Transfer(Draft { key, action, basis: transfer.draft.basis, effective_on }))
}

/// Who is owed, by the key of the record.
pub fn holder(entity: &str, key: &RecordKey) -> Holder {
    match entity {
        "household" => Holder::Household(key.clone()),
        "person" => Holder::Person(key.clone()),
        "project" => Holder::Project(key.clone()),
        _ => Holder::Body(key.clone()),
    }
}

/// The first account of the county that has enough; otherwise the one that has most, so that the refusal says how
/// much there is.
fn account_with(
    book: &Book,
    county: DivisionCode,
    purpose: &Purpose,
    year: i32,
    amount: Fen,
    now: model::Moment,
) -> Option<AccountId> {
    let fits = |id: &AccountId| {
        (id.layer, id.year, &id.purpose, &id.holder)
            == (Layer::Allotted, year, purpose, &Holder::Division(county))
    };
    let accounts = book.accounts().map(|state| &state.account.id).filter(|id| fits(id));
    let available: Vec<(Fen, &AccountId)> =
        accounts.filter_map(|id| Some((book.available(id, now)?, id))).collect();
    let enough = available.iter().find(|(fen, _)| *fen >= amount);
    enough.or_else(|| available.iter().max_by_key(|(fen, _)| *fen)).map(|(_, id)| (*id).clone())
}

/// How often the case has reserved for the holder before.
fn open_or_ended(book: &Book, basis: &Basis, holder: &Holder) -> usize {
    let commits = book.postings().filter(|posting| {
        let transfer = &posting.transfer;
        matches!(transfer.draft.action, Action::Reserve { .. })
            && transfer.draft.basis.case == basis.case
            && transfer.credit.holder == *holder
            && Stage::of(&transfer.debit, &transfer.credit) == Some(Stage::Commitment)
            && transfer.id != TransferId::of_remainder(&transfer.draft.key)
    });
    commits.count()
}

/// The key of what a case decides about a record.
pub(super) fn decision_key(case: &RecordKey, item: &RecordKey) -> Result<RecordKey, ActingError> {
    RecordKey::new(format!("{case}-{item}")).map_err(|error| Refusal::from(error).into())
}
