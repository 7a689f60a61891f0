//! `xiaokang pay`

use app::pay::{self, Correct, Plan, Planned};
use model::payment::{Batch, BatchStage};
use model::{Lang, Text};

use super::{Office, acting, failure, random, with_room, words};
use crate::arguments::acting::{
    PayAcknowledge, PayCommand, PayCorrect, PayFile, PayPlan, PayReconcile, PayReturn, PayShow,
};
use crate::console::{CommandResult, Failure, Outcome, say};

pub fn run(command: PayCommand, lang: Lang) -> CommandResult {
    with_room(move || match command {
        PayCommand::Plan(options) => plan(&options, lang),
        PayCommand::File(options) => file(&options, lang),
        PayCommand::Acknowledge(options) => acknowledge(&options, lang),
        PayCommand::Return(options) => receive(&options, lang),
        PayCommand::Correct(options) => correct(&options, lang),
        PayCommand::Reconcile(options) => reconcile(&options, lang),
        PayCommand::Show(options) => show(&options, lang),
    })
}

fn plan(options: &PayPlan, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let planned = match (&options.again, options.county) {
        (Some(batch), _) => pay::again(&mut registry, &pack.program, &acting, batch, &mut random),
        (None, Some(county)) => {
            let asked = Plan { county: county.0, purpose: &options.purpose, layout: &options.layout };
            pay::plan(&mut registry, &pack.program, &acting, &asked, &mut random)
        }
        (None, None) => {
            return Err(Failure::input(Text::new("请用 `--county` 指明县", "name the county with --county")));
        }
    };
    let Planned { batch, left_out } = planned.map_err(|error| failure(error, lang))?;
    print_batch(&batch, lang);
    for left in &left_out {
        say!("! {}: {}", left.holder, left.reason.get(lang));
    }
    Ok(if left_out.is_empty() { Outcome::Done } else { Outcome::Findings })
}

fn file(options: &PayFile, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let digest = pay::file(&mut registry, &pack.program, &acting, &options.batch, &options.out, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{} {digest}", options.out.display());
    Ok(Outcome::Done)
}

fn acknowledge(options: &PayAcknowledge, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let bank = (options.count, options.sum.0);
    pay::acknowledge(&mut registry, &pack.program, &acting, &options.batch, bank, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{} {}", options.batch, stage_text(BatchStage::Acknowledged, lang));
    Ok(Outcome::Done)
}

fn receive(options: &PayReturn, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let bytes = std::fs::read(&options.file).map_err(|error| Failure::file(&options.file, &error))?;
    let batch = pay::receive_file(&mut registry, &pack.program, &acting, &options.batch, &bytes, &mut random)
        .map_err(|error| failure(error, lang))?;
    let Some(batch) = batch else {
        say!("{}", words(lang, "该文件已处理过，没有变化", "this file was applied before; nothing changes"));
        return Ok(Outcome::Done);
    };
    print_batch(&batch, lang);
    let returned = batch.lines.iter().any(|line| !line.return_open_fen().is_zero());
    Ok(if returned { Outcome::Findings } else { Outcome::Done })
}

fn correct(options: &PayCorrect, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let asked = Correct {
        batch: &options.batch,
        line: &options.line,
        account: &options.account,
        reasons: &options.reasons,
    };
    let payee = pay::correct(&mut registry, &pack.program, &acting(&options.actor), &asked, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{} {} {} {}", options.batch, options.line, payee.name, payee.account);
    Ok(Outcome::Done)
}

fn reconcile(options: &PayReconcile, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let delivered = options.delivered.0;
    let batch = pay::reconcile(&mut registry, &pack.program, &acting, &options.batch, delivered, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{} {}", batch.id(), stage_text(batch.stage, lang));
    Ok(Outcome::Done)
}

fn show(options: &PayShow, lang: Lang) -> CommandResult {
    let Office { registry, .. } = Office::open(&options.site)?;
    let ids = match &options.batch {
        Some(id) => vec![id.clone()],
        None => pay::list(&registry).map_err(|error| failure(error, lang))?,
    };
    for id in ids {
        let view = pay::show(&registry, &id).map_err(|error| failure(error, lang))?;
        print_batch(&view.batch, lang);
    }
    Ok(Outcome::Done)
}

/// A batch and its lines; payees are masked.
pub fn print_batch(batch: &Batch, lang: Lang) {
    let count = batch.lines.len();
    say!("{}  {}  {count}  {}", batch.id(), stage_text(batch.stage, lang), batch.total());
    for state in &batch.lines {
        let line = &state.line;
        let mut what = String::new();
        if !state.delivered_fen.is_zero() {
            what.push_str(&format!("  {} {}", words(lang, "到账", "delivered"), state.delivered_fen));
        }
        for returned in &state.returns {
            let word = words(lang, "退回", "returned");
            what.push_str(&format!("  {word} {} {}", returned.fen, returned.reason));
        }
        say!(
            "  {}  {}  {}  {}  {}{what}",
            line.id,
            line.to.holder,
            line.shown.name,
            line.shown.account,
            line.fen
        );
    }
}

/// A stage of a batch in words.
pub fn stage_text(stage: BatchStage, lang: Lang) -> &'static str {
    match stage {
        BatchStage::Planned => words(lang, "已编制", "planned"),
        BatchStage::Sent => words(lang, "已出盘", "sent"),
        BatchStage::Acknowledged => words(lang, "银行已受理", "acknowledged"),
        BatchStage::Reconciled => words(lang, "已对账", "reconciled"),
        BatchStage::Closed => words(lang, "已关闭", "closed"),
        BatchStage::Cancelled => words(lang, "已取消", "cancelled"),
    }
}
