//! Public money on its way down: the document that grants it, allotments, and where a fen came from.
//!
//! Each act is posted to the book in one transaction with what it means for the registry: money that arrives at a
//! county is a record of its fund, which rules and audits read.
//!
//! Deliberately lacking: recovery, carrying over and withdrawal, which the book knows and no command asks for yet.

use std::collections::BTreeMap;

use model::ledger::{
    Account, AccountId, Action, Basis, Book, Command, DocumentLine, DocumentNumber, Draft, Fund,
    FundDocument, Holder, Layer, LedgerCode, LedgerRefusal, Purpose, TransferKey,
};
use model::{ClauseId, DivisionCode, DivisionLevel, Fen, RecordKey, Refusal, RefusalCode, Text};
use pack::program::{ColumnId, Program, Value};
use store::Registry;

use crate::acting::{Acting, ActingError, Deed, LEDGER_STREAM, Randomness, read_book};

/// The stream of what moved money between offices, as it was asked for.
const STREAM: &str = "funds";

/// A document that grants money.
pub struct Issue<'a> {
    pub number: DocumentNumber,
    /// The fund of the pack that it belongs to.
    pub fund: &'a str,
    pub title: Text,
    pub issuer: DivisionCode,
    pub lines: Vec<(Purpose, Fen)>,
}

/// Money passed down.
pub struct Allot {
    pub document: DocumentNumber,
    pub purpose: Purpose,
    pub from: DivisionCode,
    pub to: DivisionCode,
    pub fen: Fen,
}

/// Registers a document and appropriates what it grants.
pub fn issue(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    asked: Issue<'_>,
    random: Randomness<'_>,
) -> Result<(), ActingError> {
    holds_for(acting, asked.issuer)?;
    let fund = fund(program, asked.fund)?;
    let mut deed = Deed::begin(registry, program, acting, random)?;
    let basis = Basis { clause: clause(fund)?, decision: None, case: None };
    let lines = asked.lines.into_iter().map(|(purpose, fen)| DocumentLine { purpose, fen });
    let document = FundDocument {
        number: asked.number.clone(),
        fund: fund.id.clone(),
        title: asked.title,
        issuer: asked.issuer,
        year: acting.on.year(),
        issued_on: acting.on,
        lines: lines.collect(),
    };
    let key = key(format!("document/{}", asked.number))?;
    let command = Command::Appropriate { key, fund: fund.clone(), document, basis, effective_on: acting.on };
    deed.post(&command)?;
    deed.commit()
}

/// Passes money down. What a county gets becomes a record of its fund.
pub fn allot(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    asked: &Allot,
    random: Randomness<'_>,
) -> Result<(), ActingError> {
    holds_for(acting, asked.from)?;
    let mut deed = Deed::begin(registry, program, acting, random)?;
    let count = deed.view().stream_length(STREAM)?;
    let book = deed.book()?;
    let document = book.document(&asked.document).ok_or_else(|| {
        ActingError::from(LedgerRefusal::new(LedgerCode::UnknownDocument).value(&asked.document))
    })?;
    let fund = program.fund_kinds.iter().find(|fund| fund.id == document.fund);
    let fund = fund.ok_or_else(|| unknown_fund(program, document.fund.as_str()))?;
    let appropriated = document.appropriated(&asked.purpose);
    let from = Holder::Division(asked.from);
    let allotted = appropriated.at(Layer::Allotted, from.clone());
    let debit = if appropriated.holder == from { appropriated } else { allotted };
    let credit = debit.at(Layer::Allotted, Holder::Division(asked.to));
    let (issuer, title) = (document.issuer, document.title.clone());
    deed.post(&Command::Open { accounts: vec![Account::new(credit.clone())] })?;
    // Two allotments alike are two allotments: each has a number of its own.
    let key = key(format!("allotment/{}/{}", asked.document, count + 1))?;
    let basis = Basis { clause: clause(fund)?, decision: None, case: None };
    let action = Action::Move { debit, credit: credit.clone(), fen: asked.fen };
    deed.post(&Command::Transfer(Draft { key: key.clone(), action, basis, effective_on: acting.on }))?;
    deed.append(STREAM, count, &[("allotted", key.as_str())])?;
    if asked.to.level() == DivisionLevel::County {
        arrive(&mut deed, &credit, issuer, &title)?;
    }
    deed.commit()
}

/// The book as it stands.
pub fn book(registry: &Registry) -> Result<Book, ActingError> {
    Ok(read_book(registry.view())?.0)
}

/// What one beneficiary was given under one clause, by the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub clause: ClauseId,
    pub holder: Holder,
    /// Confirmed as owed, what was paid of it included.
    pub owed: Fen,
    /// Delivered, by the bank's own word.
    pub paid: Fen,
}

/// What beneficiaries were given, by clause and holder.
pub fn given(book: &Book) -> Vec<Given> {
    let mut sums: BTreeMap<(&ClauseId, &Holder), (Fen, Fen)> = BTreeMap::new();
    for posting in book.postings() {
        let transfer = &posting.transfer;
        let fen = posting.standing_fen();
        if fen.is_zero() || transfer.credit.holder.passes_on() {
            continue;
        }
        let sum = sums.entry((&transfer.draft.basis.clause, &transfer.credit.holder)).or_default();
        let part = match transfer.credit.layer {
            Layer::Encumbered => &mut sum.0,
            Layer::Settled => &mut sum.1,
            Layer::Source | Layer::Appropriated | Layer::Allotted => continue,
        };
        *part = part.checked_add(fen).expect("the book holds no more than its documents grant");
    }
    let given = |((clause, holder), (owed, paid)): ((&ClauseId, &Holder), (Fen, Fen))| Given {
        clause: clause.clone(),
        holder: holder.clone(),
        owed,
        paid,
    };
    sums.into_iter().map(given).collect()
}

/// The length of the book: what was read of it is still so while this is the same.
pub fn book_length(registry: &Registry) -> Result<u64, ActingError> {
    Ok(registry.view().stream_length(LEDGER_STREAM)?)
}

/// The key of the record that a county's money under a document is.
pub fn fund_key(account: &AccountId, county: DivisionCode) -> Result<RecordKey, ActingError> {
    let text = format!("{}-{}-{}", account.document, account.purpose, county.short());
    RecordKey::new(text).map_err(|error| Refusal::from(error).into())
}

/// Writes what has arrived at a county as the record of its fund.
fn arrive(
    deed: &mut Deed<'_>,
    account: &AccountId,
    issuer: DivisionCode,
    title: &Text,
) -> Result<(), ActingError> {
    let program = deed.program;
    let (Some(entity), Holder::Division(county)) = (program.entity_named("fund"), &account.holder) else {
        return Ok(());
    };
    let county = *county;
    let key = fund_key(account, county)?;
    let known = deed.view().record(entity, key.as_str())?;
    let is_new = known.is_none();
    let received = deed.book()?.account(account).map_or(Fen::ZERO, |state| state.balance.credits_posted);
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let given = [
        ("number", text(key.as_str())),
        ("county_code", text(&county.to_string())),
        ("title", text(&title.zh)),
        ("purpose", text(account.purpose.as_str())),
        ("source", text(issuer.level().as_str())),
        ("amount", Some(Value::Number(i128::from(received.fen())))),
        ("arrived_on", Some(Value::Date(deed.acting.on))),
    ];
    let fields = given.into_iter().filter(|(name, _)| is_new || *name != "arrived_on");
    let fields: Vec<(ColumnId, Option<Value>)> =
        fields.filter_map(|(name, value)| Some((program.column_named(entity, name)?, value))).collect();
    let source = deed.source(STREAM, account.document.as_str())?;
    deed.record(entity, &fields, source)
}

/// Who acts for a division is of its level: money is passed on by who holds it.
fn holds_for(acting: &Acting, division: DivisionCode) -> Result<(), ActingError> {
    let level = division.level().as_str();
    if acting.role == level {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::NotPermitted).value(&acting.role).expected(level).into())
}

fn fund<'p>(program: &'p Program, id: &str) -> Result<&'p Fund, ActingError> {
    program.fund_kinds.iter().find(|fund| fund.id.as_str() == id).ok_or_else(|| unknown_fund(program, id))
}

fn unknown_fund(program: &Program, id: &str) -> ActingError {
    let known: Vec<&str> = program.fund_kinds.iter().map(|fund| fund.id.as_str()).collect();
    let known = known.join("、");
    let hint = Text { zh: format!("规则包有：{known}"), en: format!("the pack has {known}") };
    ActingError::unknown(format!("没有资金“{id}”"), format!("there is no fund `{id}`"), hint)
}

/// On what ground money of a fund moves between offices.
fn clause(fund: &Fund) -> Result<ClauseId, ActingError> {
    fund.cite.first().cloned().ok_or_else(|| {
        let hint = Text::new("请在规则包的 [[fund]] 中写明 cite", "write `cite` in the pack's [[fund]]");
        let (zh, en) =
            (format!("资金“{}”没有条款依据", fund.id), format!("fund `{}` cites no clause", fund.id));
        ActingError::unknown(zh, en, hint)
    })
}

fn key(text: String) -> Result<TransferKey, ActingError> {
    TransferKey::new(text).map_err(|error| ActingError::damaged(STREAM, error))
}
