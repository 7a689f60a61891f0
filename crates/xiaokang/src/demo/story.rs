//! The story of the demo: every step is a command that the reader can repeat, run here as it is printed.
//!
//! Deliberately lacking: anything that the commands cannot do. What is not done by a command is done by the bank, for
//! which [`super::bank`] stands in.

use std::fs;
use std::path::{Path, PathBuf};

use app::pay;
use clap::Parser as _;
use model::{Date, Fen, Lang};

use super::bank;
use crate::acting::Office;
use crate::arguments::Arguments;
use crate::arguments::acting::Site;
use crate::console::{Failure, Outcome, say};
use crate::dispatch;

/// The village, and the households of it that are promised the guarantee.
pub const VILLAGE: &str = "513336205203";
pub const HOUSEHOLDS: [&str; 2] = ["51333620520300427", "51333620520300443"];
pub const CASE: &str = "minimum-living-guarantee-2016-0001";
pub const DOCUMENT: &str = "川财社〔2016〕12号";
pub const BATCH: &str = "minimum-living-513336-2016-001";
pub const BATCH_AGAIN: &str = "minimum-living-513336-2016-002";
/// The household that is objected to.
pub const OBJECTED: &str = HOUSEHOLDS[1];

/// Tells a story by running its commands.
pub struct Teller {
    folder: PathBuf,
    registry: PathBuf,
    pack: PathBuf,
    lang: Lang,
    /// Steps that were done before, and are passed over.
    pub done_before: usize,
    /// Steps that were told or passed over.
    pub steps: usize,
}

impl Teller {
    /// Files of the story stand in `folder`.
    pub fn new(folder: &Path, registry: &Path, pack: &Path, lang: Lang) -> Self {
        Self {
            folder: folder.to_owned(),
            registry: registry.to_owned(),
            pack: pack.to_owned(),
            lang,
            done_before: 0,
            steps: 0,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The registry and pack, as commands open them.
    pub fn office(&self) -> Result<Office, Failure> {
        Office::open(&Site { registry: Some(self.registry.clone()), pack: self.pack.clone() })
    }

    pub fn chapter(&self, zh: &str, en: &str) {
        say!("\n{}", if self.lang == Lang::Zh { zh } else { en });
    }

    /// One step: a command that changes something, once.
    pub fn run(&mut self, arguments: &[&str]) -> Result<Outcome, Failure> {
        self.steps += 1;
        if self.steps <= self.done_before {
            return Ok(Outcome::Done);
        }
        self.look(arguments)
    }

    /// A command that changes nothing, or may be repeated.
    pub fn look(&self, arguments: &[&str]) -> Result<Outcome, Failure> {
        say!("  $ xiaokang {}", arguments.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(" "));
        let lang = if self.lang == Lang::Zh { "zh" } else { "en" };
        let mut all = vec!["xiaokang", "--lang", lang];
        all.extend(arguments);
        let (registry, pack) = (self.registry.display().to_string(), self.pack.display().to_string());
        let offline = matches!(arguments, ["verify", ..] | ["log", "check", ..]);
        // Options of the registry stand before the words of an act.
        let place = if arguments.starts_with(&["case", "do"]) { 6 } else { all.len() };
        if !offline {
            all.splice(place..place, ["--registry", &registry, "--pack", &pack]);
        }
        let parsed = Arguments::try_parse_from(all).map_err(Failure::internal)?;
        dispatch(parsed)
    }

    /// A command that has to be refused with a code; the refusal is part of the story.
    pub fn refused(&self, code: &str, arguments: &[&str]) -> Result<(), Failure> {
        if self.steps < self.done_before {
            return Ok(());
        }
        match self.look(arguments) {
            Err(Failure::Problem(problem)) if problem.code == code => {
                say!("  ✗ {} [{code}]", problem.text.get(self.lang));
                Ok(())
            }
            Err(other) => Err(other),
            Ok(_) => Err(Failure::internal(format!("`{code}` was expected of {arguments:?}"))),
        }
    }

    /// A document for a step to attach.
    fn document(&self, name: &str, text: &str) -> Result<String, Failure> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
        Ok(path.display().to_string())
    }

    /// Acts on the case.
    pub fn act(&mut self, role: &str, on: &str, strand: &str, act: &[&str]) -> Result<Outcome, Failure> {
        self.run(&act_of(role, on, strand, act))
    }
}

/// The arguments of an act on the story's case.
pub fn act_of<'a>(role: &'a str, on: &'a str, strand: &'a str, act: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["case", "do", CASE, "--as", role, "--on", on];
    if !strand.is_empty() {
        all.extend(["--strand", strand]);
    }
    all.extend(act);
    all
}

/// The whole story.
pub fn whole(teller: &mut Teller) -> Result<(), Failure> {
    say!("  $ export XIAOKANG_REGISTRY={}", teller.registry.display());
    money(teller)?;
    application_to_notice(teller)?;
    objection_to_review(teller)?;
    approval(teller)?;
    payment(teller)?;
    again(teller)?;
    publication(teller)
}

/// The province grants money and passes it to the county.
pub fn money(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "钱从哪里来：省下达，县到账",
        "where the money comes from: the province grants it, the county gets it",
    );
    let title = "困难群众基本生活补助资金";
    let (issue, allot) = ("minimum-living=500000", "200000");
    let issued =
        ["--title", title, "--issuer", "51", "--grant", issue, "--as", "province:周", "--on", "2016-01-05"];
    let mut all = vec!["fund", "issue", DOCUMENT, "--fund", "minimum-living"];
    all.extend(issued);
    teller.run(&all)?;
    let allotted =
        ["--from", "51", "--to", "513336", "--amount", allot, "--as", "province:周", "--on", "2016-01-08"];
    let mut all = vec!["fund", "allot", DOCUMENT, "--purpose", "minimum-living"];
    all.extend(allotted);
    teller.run(&all)?;
    Ok(())
}

/// The village hands in, two of the township investigate, the representatives vote, the notice hangs.
pub fn application_to_notice(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("申请：村里代两户提交", "application: the village hands in for two households");
    let (village, on) = ("village:罗", "2016-03-01");
    let start =
        ["case", "start", "minimum-living-guarantee", "--sheet", VILLAGE, "--as", village, "--on", on];
    teller.run(&start)?;
    let application = teller.document("application.txt", "申请书和收入核对授权书\n")?;
    teller.act(village, on, "", &["attach", "application", &application])?;
    teller.act(village, on, "", &["complete"])?;
    teller.chapter("入户调查：两人", "survey: two persons");
    teller.act("township:马", "2016-03-03", "", &["investigate"])?;
    teller.act("township:刘", "2016-03-03", "", &["investigate"])?;
    let form = teller.document("survey.txt", "入户调查表\n")?;
    teller.act("township:刘", "2016-03-04", "", &["attach", "survey-form", &form])?;
    teller.act("township:刘", "2016-03-04", "", &["complete"])?;
    teller.chapter("民主评议：第一次到会不足，第二次通过", "appraisal: too few at first, carried then");
    let few = ["vote", "--entitled", "30", "--present", "19", "--all", "18/1"];
    teller.refused("no-quorum", &act_of(village, "2016-03-06", "", &few))?;
    let vote = ["vote", "--entitled", "30", "--present", "24", "--all", "21/3"];
    teller.act(village, "2016-03-07", "", &vote)?;
    let minutes = teller.document("minutes.txt", "评议记录和表决票\n")?;
    teller.act(village, "2016-03-07", "", &["attach", "minutes", &minutes])?;
    teller.act(village, "2016-03-07", "", &["complete"])?;
    teller.act(village, "2016-03-08", "", &["post", "village"])?;
    Ok(())
}

/// One household is objected to; the others go on; the answer comes from somebody who did not investigate.
pub fn objection_to_review(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "公示期间有人提出异议：该户单列，其他户照常",
        "an objection: that household waits, the others go on",
    );
    let object = ["object", "--item", OBJECTED, "--grounds", "听说儿子在成都打工"];
    teller.act("villager:彭", "2016-03-10", "", &object)?;
    teller.refused("notice-running", &act_of("village:罗", "2016-03-12", "0", &["complete"]))?;
    let answer = ["answer", "0", "dismissed", "--reasons", "入户复核：该户没有儿子，收入属实"];
    teller.refused("maker-is-checker", &act_of("township:刘", "2016-03-14", "", &answer))?;
    teller.act("township:王", "2016-03-14", "", &answer)?;
    teller.act("village:罗", "2016-03-16", "0", &["complete"])?;
    teller.act("village:罗", "2016-03-21", "1", &["complete"])?;
    teller.chapter(
        "乡镇审核：由未参加调查的人办理",
        "review by somebody of the township who did not investigate",
    );
    let opinion = teller.document("opinion.txt", "审核意见\n")?;
    for strand in ["0", "1"] {
        teller.act("township:王", "2016-03-22", strand, &["attach", "opinion", &opinion])?;
        teller.act("township:王", "2016-03-22", strand, &["complete"])?;
    }
    Ok(())
}

/// The county visits, another of the county approves; the money is set apart in the same moment.
pub fn approval(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "县级抽查和审批：批准的同时预留资金",
        "the county visits and approves; the money is set apart at once",
    );
    let visits = teller.document("visits.txt", "入户抽查记录\n")?;
    let strands: [(&str, &[&str]); 2] = [("0", &HOUSEHOLDS[..1]), ("1", &HOUSEHOLDS[1..])];
    for (strand, items) in strands {
        teller.act("county:何", "2016-03-24", strand, &["draw"])?;
        let mut visit = vec!["visit"];
        visit.extend(items);
        teller.act("county:何", "2016-03-24", strand, &visit)?;
        teller.act("county:何", "2016-03-24", strand, &["attach", "visits", &visits])?;
        teller.act("county:何", "2016-03-24", strand, &["complete"])?;
    }
    for strand in ["0", "1"] {
        teller.act("county:高", "2016-03-25", strand, &["complete"])?;
    }
    for strand in ["0", "1"] {
        teller.act("township:王", "2016-03-28", strand, &["complete"])?;
    }
    Ok(())
}

/// The bank gets a file; one line comes back.
pub fn payment(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("发放：一户账号户名不符，被银行退回", "payment: the bank returns one line");
    let plan = ["pay", "plan", "--county", "513336", "--as", "county:白", "--on", "2016-04-05"];
    teller.run(&plan)?;
    let (file, returned) = (teller.text("payment.txt"), teller.text("return.txt"));
    teller.run(&["pay", "file", BATCH, "--out", &file, "--as", "county:岳", "--on", "2016-04-05"])?;
    let sum = total(teller, BATCH)?.to_string();
    let taken = ["pay", "acknowledge", BATCH, "--count", "2", "--sum", &sum, "--as", "county:岳"];
    teller.run(&[&taken[..], &["--on", "2016-04-06"]].concat())?;
    bank_answers(teller, "payment.txt", "return.txt", "2016-04-07", &["2"])?;
    let apply = ["pay", "return", BATCH, &returned, "--as", "county:岳", "--on", "2016-04-07"];
    teller.run(&apply)?;
    teller.look(&apply)?;
    Ok(())
}

/// The returned line is put right and paid again; both batches are reconciled.
pub fn again(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "更正账号，再次支付，对账",
        "the account is put right and paid again; the batches are reconciled",
    );
    let reasons = "核对存折：原账号末位抄错";
    let correct = ["pay", "correct", BATCH, "0002", "--account", "6214590000001234567", "--reasons", reasons];
    teller.run(&[&correct[..], &["--as", "township:王", "--on", "2016-04-11"]].concat())?;
    teller.run(&["pay", "plan", "--again", BATCH, "--as", "county:白", "--on", "2016-04-12"])?;
    let (file, returned) = (teller.text("payment-again.txt"), teller.text("return-again.txt"));
    teller.run(&["pay", "file", BATCH_AGAIN, "--out", &file, "--as", "county:岳", "--on", "2016-04-12"])?;
    let sum = total(teller, BATCH_AGAIN)?.to_string();
    let taken = ["pay", "acknowledge", BATCH_AGAIN, "--count", "1", "--sum", &sum, "--as", "county:岳"];
    teller.run(&[&taken[..], &["--on", "2016-04-12"]].concat())?;
    let reconcile = |delivered: &'static str| {
        ["pay", "reconcile", BATCH_AGAIN, "--delivered", delivered, "--as", "county:岳", "--on", "2016-04-13"]
    };
    teller.refused("not-explained", &reconcile("1"))?;
    bank_answers(teller, "payment-again.txt", "return-again.txt", "2016-04-13", &[])?;
    teller.run(&["pay", "return", BATCH_AGAIN, &returned, "--as", "county:岳", "--on", "2016-04-13"])?;
    for batch in [BATCH, BATCH_AGAIN] {
        let delivered = delivered(teller, batch)?.to_string();
        let reconcile = ["pay", "reconcile", batch, "--delivered", &delivered, "--as", "county:岳"];
        teller.run(&[&reconcile[..], &["--on", "2016-04-15"]].concat())?;
    }
    Ok(())
}

/// Everything is published; the household gets its receipt; a stranger checks it.
pub fn publication(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "公开：日志、户的凭证、任何人核对",
        "publication: the log, the household's receipts, anyone checks them",
    );
    let (log, receipts) = (teller.text("log"), teller.text("receipts"));
    teller.run(&["log", "publish", "--log", &log, "--as", "county:岳", "--on", "2016-04-18"])?;
    let household = HOUSEHOLDS[1];
    teller.look(&["log", "receipt", household, "--log", &log, "--out", &receipts])?;
    let key = teller.text("log.pub");
    let office = teller.office()?;
    let signing = app::publish::signing_key(&office.registry, &crate::acting::random())
        .map_err(|error| crate::acting::failure(error, teller.lang))?;
    say!("  $ xiaokang log key > {key}");
    fs::write(&key, format!("{}\n", signing.verifier())).map_err(Failure::internal)?;
    let last = last_receipt(&teller.path("receipts"))?;
    let last = last.display().to_string();
    teller.look(&["verify", &last, "--key", &key, "--log", &log])?;
    teller.look(&["log", "check", &log, "--key", &key])?;
    teller.chapter("这笔钱的来龙去脉", "the way of this money");
    teller.look(&["fund", "trace", "--household", household])?;
    teller.look(&["fund", "trace", "--document", DOCUMENT])?;
    Ok(())
}

/// The household's latest receipt: of the payment that arrived.
pub fn last_receipt(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = fs::read_dir(folder).map_err(Failure::internal)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths.pop().ok_or_else(|| Failure::internal(format!("`{}` has no receipt", folder.display())))
}

/// The bank takes one file and gives another.
pub fn bank_answers(
    teller: &Teller,
    file: &str,
    returned: &str,
    on: &str,
    refused: &[&str],
) -> Result<(), Failure> {
    let on: Date = on.parse().map_err(Failure::internal)?;
    let taken = fs::read(teller.path(file)).map_err(Failure::internal)?;
    fs::write(teller.path(returned), bank::answer(&taken, on, refused)).map_err(Failure::internal)
}

fn total(teller: &Teller, batch: &str) -> Result<Fen, Failure> {
    Ok(batch_of(teller, batch)?.total())
}

fn delivered(teller: &Teller, batch: &str) -> Result<Fen, Failure> {
    Ok(batch_of(teller, batch)?.delivered())
}

/// A batch as the registry has it.
pub fn batch_of(teller: &Teller, batch: &str) -> Result<model::payment::Batch, Failure> {
    let id = batch.parse().map_err(Failure::internal)?;
    let view = pay::show(&teller.office()?.registry, &id);
    view.map(|view| view.batch).map_err(|error| crate::acting::failure(error, teller.lang))
}

/// An argument as a shell takes it.
fn quoted(part: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_./:=@〔〕".contains(char);
    if part.chars().all(plain) { part.to_owned() } else { format!("'{part}'") }
}
