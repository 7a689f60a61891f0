//! `xiaokang fund`

use app::funds::{self, Allot, Issue};
use model::ledger::{Chain, Descent, Holder, Posting, trace_document, trace_holder};
use model::{Lang, Text, text};

use super::{Office, acting, failure, random, with_room, words};
use crate::arguments::acting::{FundAllot, FundCommand, FundIssue, FundTrace};
use crate::console::{CommandResult, Failure, Outcome, say};

pub fn run(command: FundCommand, lang: Lang) -> CommandResult {
    with_room(move || match command {
        FundCommand::Issue(options) => issue(&options, lang),
        FundCommand::Allot(options) => allot(&options, lang),
        FundCommand::Trace(options) => trace(&options, lang),
    })
}

fn issue(options: &FundIssue, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let title = Text { zh: options.title.clone(), en: options.title.clone() };
    let lines = options.grants.iter().map(|grant| (grant.purpose.clone(), grant.fen)).collect();
    let (fund, issuer) = (options.fund.as_str(), options.issuer.0);
    let asked = Issue { number: options.document.clone(), fund, title, issuer, lines };
    funds::issue(&mut registry, &pack.program, &acting(&options.actor), asked, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{} {}", words(lang, "已登记", "registered"), options.document);
    Ok(Outcome::Done)
}

fn allot(options: &FundAllot, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let asked = Allot {
        document: options.document.clone(),
        purpose: options.purpose.clone(),
        from: options.from.0,
        to: options.to.0,
        fen: options.amount.0,
    };
    funds::allot(&mut registry, &pack.program, &acting(&options.actor), &asked, &mut random)
        .map_err(|error| failure(error, lang))?;
    let (from, to) = (options.from.0.short(), options.to.0.short());
    say!("{} {} {from} → {to} {}", words(lang, "已下达", "allotted"), options.document, options.amount.0);
    Ok(Outcome::Done)
}

fn trace(options: &FundTrace, lang: Lang) -> CommandResult {
    let Office { registry, .. } = Office::open(&options.site)?;
    let book = funds::book(&registry).map_err(|error| failure(error, lang))?;
    if let Some(key) = &options.household {
        let chains = trace_holder(&book, &Holder::Household(key.clone()));
        for chain in &chains {
            print_chain(chain, lang);
        }
        if chains.is_empty() {
            say!("{}", words(lang, "没有到账的付款", "nothing was delivered"));
        }
    } else if let Some(number) = &options.document {
        let descent = trace_document(&book, number).ok_or_else(|| {
            Failure::input(text!("没有登记文件 `{number}`", "document `{number}` is not registered"))
        })?;
        print_descent(&descent, lang);
    }
    Ok(Outcome::Done)
}

/// The way of one payment, from the grant down.
pub fn print_chain(chain: &Chain<'_>, lang: Lang) {
    let document = chain.document;
    say!("{} {}", document.number, document.title.get(lang));
    for link in &chain.links {
        say!("  {}", link_text(link.stage, link.posting, lang));
    }
}

fn link_text(stage: Option<model::ledger::Stage>, posting: &Posting, lang: Lang) -> String {
    let transfer = &posting.transfer;
    let stage = stage.map_or("", |stage| stage_text(stage, lang));
    let action = action_text(transfer.draft.action.kind(), lang);
    let basis = &transfer.draft.basis;
    let case = basis.case.as_ref().map_or_else(String::new, |case| format!(" {case}"));
    let (from, to) = (&transfer.debit.holder, &transfer.credit.holder);
    let day = transfer.draft.effective_on;
    format!("{day} {stage}({action}) {from} → {to} {} 〔{}〕{case}", transfer.fen, basis.clause)
}

fn stage_text(stage: model::ledger::Stage, lang: Lang) -> &'static str {
    use model::ledger::Stage::{
        Allotment, Appropriation, CarryOver, Commitment, Payment, Recovery, Withdrawal,
    };
    match stage {
        Appropriation => words(lang, "指标", "appropriation"),
        Allotment => words(lang, "下达", "allotment"),
        Commitment => words(lang, "承诺", "commitment"),
        Payment => words(lang, "支付", "payment"),
        CarryOver => words(lang, "结转", "carry-over"),
        Recovery => words(lang, "收回", "recovery"),
        Withdrawal => words(lang, "核减", "withdrawal"),
    }
}

fn action_text(kind: &'static str, lang: Lang) -> &'static str {
    match kind {
        "move" => words(lang, "划转", "move"),
        "reserve" => words(lang, "预留", "reserve"),
        "post" => words(lang, "确认", "post"),
        "void" => words(lang, "撤销", "void"),
        _ => words(lang, "冲正", "reverse"),
    }
}

/// What became of a document's money; the parts add up to what was granted.
pub fn print_descent(descent: &Descent<'_>, lang: Lang) {
    say!("{} {}", descent.document.number, descent.document.title.get(lang));
    let sums = [
        ("已下拨", "granted", descent.granted),
        ("未承诺", "not committed", descent.uncommitted),
        ("已预留", "committed", descent.committed),
        ("应付未付", "owed", descent.owed),
        ("在途", "with the bank", descent.with_bank),
        ("已到账", "delivered", descent.delivered),
    ];
    for (zh, en, fen) in sums {
        say!("  {} {fen}", words(lang, zh, en));
    }
    for account in &descent.accounts {
        say!("  {} {}", account.id, account.balance.posted());
    }
}
