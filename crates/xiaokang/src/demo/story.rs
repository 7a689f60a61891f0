//! The story of the demo: every step is a command that the reader can repeat, run here as it is printed.
//!
//! Deliberately lacking: anything that the commands cannot do. What is not done by a command is done by the bank, for
//! which [`super::bank`] stands in.

use std::fs;
use std::path::{Path, PathBuf};

use app::pay;
use clap::Parser as _;
use model::{Date, Lang};

use super::bank;
use super::cast::{Cast, FLOW};
use crate::acting::Office;
use crate::arguments::Arguments;
use crate::arguments::acting::Site;
use crate::console::{Failure, Outcome, say};
use crate::dispatch;

/// The day on which the village hands in, and those of the story are found.
pub const STARTED: &str = "2016-03-01";
pub const CASE: &str = "minimum-living-guarantee-2016-0001";
/// Parts of the case after the objection: the others, and the household that is objected to.
const STRANDS: [&str; 2] = ["0", "1"];
pub const DOCUMENT: &str = "川财社〔2016〕12号";

/// The day on which the village hands in.
pub fn started() -> Date {
    STARTED.parse().expect("it is a day")
}

/// Tells a story by running its commands.
pub struct Teller {
    folder: PathBuf,
    registry: PathBuf,
    pack: PathBuf,
    lang: Lang,
    /// Whom the story is about.
    pub cast: Cast,
    /// Steps that were done before, and are passed over.
    pub done_before: usize,
    /// Steps that were told or passed over.
    pub steps: usize,
}

impl Teller {
    /// Files of the story stand in `folder`.
    pub fn new(folder: &Path, registry: &Path, pack: &Path, lang: Lang, cast: Cast) -> Self {
        Self {
            folder: folder.to_owned(),
            registry: registry.to_owned(),
            pack: pack.to_owned(),
            lang,
            cast,
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

    /// The first batch of the county's payments in the year, or a later one.
    pub fn batch(&self, number: u32) -> String {
        format!("minimum-living-{}-2016-{number:03}", self.cast.county())
    }

    /// Acts on the case.
    pub fn act(&mut self, role: &str, on: &str, strand: &str, act: &[&str]) -> Result<Outcome, Failure> {
        self.run(&act_of(role, on, strand, act))
    }
}

/// Numbers of the appraisal, as the command takes them.
pub struct Votes {
    pub entitled: String,
    /// One too few for a quorum.
    pub few: String,
    pub present: String,
    pub in_favour: String,
    pub against: String,
}

impl Votes {
    /// Four of five come, or who has to; one of eight of them is against.
    pub fn of(cast: &Cast) -> Self {
        let present = (cast.entitled * 4 / 5).max(cast.quorum());
        let against = present / 8;
        Self {
            entitled: cast.entitled.to_string(),
            few: (cast.quorum() - 1).to_string(),
            present: present.to_string(),
            in_favour: (present - against).to_string(),
            against: against.to_string(),
        }
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
    let (province, county) = (teller.cast.province().to_owned(), teller.cast.county().to_owned());
    let allotted_yuan = teller.cast.allotted_yuan();
    let (issue, allot) = (format!("minimum-living={}", allotted_yuan * 5 / 2), allotted_yuan.to_string());
    let issued = [
        "--title",
        title,
        "--issuer",
        &province,
        "--grant",
        &issue,
        "--as",
        "province:周",
        "--on",
        "2016-01-05",
    ];
    let mut all = vec!["fund", "issue", DOCUMENT, "--fund", "minimum-living"];
    all.extend(issued);
    teller.run(&all)?;
    let allotted = [
        "--from",
        &province,
        "--to",
        &county,
        "--amount",
        &allot,
        "--as",
        "province:周",
        "--on",
        "2016-01-08",
    ];
    let mut all = vec!["fund", "allot", DOCUMENT, "--purpose", "minimum-living"];
    all.extend(allotted);
    teller.run(&all)?;
    Ok(())
}

/// The village hands in, two of the township investigate, the village votes, the notice hangs.
pub fn application_to_notice(teller: &mut Teller) -> Result<(), Failure> {
    application(teller)?;
    survey(teller)?;
    appraisal(teller)
}

/// The village hands in for all who are promised the guarantee.
pub fn application(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("申请：村里代各户提交", "application: the village hands in for its households");
    let (village, on, sheet) = ("village:罗", STARTED, teller.cast.village.clone());
    let start = ["case", "start", FLOW, "--sheet", &sheet, "--as", village, "--on", on];
    teller.run(&start)?;
    let application = teller.document("application.txt", "申请书和收入核对授权书\n")?;
    teller.act(village, on, "", &["attach", "application", &application])?;
    teller.act(village, on, "", &["complete"])?;
    Ok(())
}

/// Two of the township go there; their form fixes what is proposed.
pub fn survey(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("入户调查：两人", "survey: two persons");
    teller.act("township:马", "2016-03-03", "", &["investigate"])?;
    teller.act("township:刘", "2016-03-03", "", &["investigate"])?;
    let form = teller.document("survey.txt", "入户调查表\n")?;
    teller.act("township:刘", "2016-03-04", "", &["attach", "survey-form", &form])?;
    teller.act("township:刘", "2016-03-04", "", &["complete"])?;
    Ok(())
}

/// The village votes, and posts what came of it.
pub fn appraisal(teller: &mut Teller) -> Result<(), Failure> {
    let village = "village:罗";
    teller.chapter("民主评议：第一次到会不足，第二次通过", "appraisal: too few at first, carried then");
    let Votes { entitled, few, present, in_favour, against } = Votes::of(&teller.cast);
    let all = format!("{few}/0");
    let few = ["vote", "--entitled", &entitled, "--present", &few, "--all", &all];
    teller.refused("no-quorum", &act_of(village, "2016-03-06", "", &few))?;
    let more = (teller.cast.entitled + 1).to_string();
    let beyond = ["vote", "--entitled", &more, "--present", &more, "--all", &format!("{more}/0")];
    teller.refused("vote-inconsistent", &act_of(village, "2016-03-07", "", &beyond))?;
    let all = format!("{in_favour}/{against}");
    let vote = ["vote", "--entitled", &entitled, "--present", &present, "--all", &all];
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
    let objected = teller.cast.objected.clone();
    let object = ["object", "--item", &objected, "--grounds", "听说儿子在成都打工"];
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
    for strand in STRANDS {
        teller.act("township:王", "2016-03-22", strand, &["attach", "opinion", &opinion])?;
        teller.act("township:王", "2016-03-22", strand, &["complete"])?;
    }
    Ok(())
}

/// The county visits and posts what it is about to approve; another of it approves, and the money is set apart at once.
pub fn approval(teller: &mut Teller) -> Result<(), Failure> {
    visits_and_notice(teller)?;
    decision(teller)
}

/// The county visits a sample and whom it has to, and posts at the township, in the village and on the screen.
pub fn visits_and_notice(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "县级抽查：干部近亲属、有疑问和被举报的户必访",
        "the county visits a sample, and some households in any case",
    );
    let visits = teller.document("visits.txt", "入户抽查记录\n")?;
    let cast = teller.cast.clone();
    let strands: [(&str, Vec<&str>); 2] = [("0", cast.others()), ("1", vec![&cast.objected])];
    for (strand, items) in &strands {
        teller.act("county:何", "2016-03-23", strand, &["draw"])?;
        teller.act("county:何", "2016-03-23", strand, &[&["visit"], &items[..]].concat())?;
        teller.act("county:何", "2016-03-23", strand, &["attach", "visits", &visits])?;
        teller.act("county:何", "2016-03-23", strand, &["complete"])?;
    }
    teller.chapter(
        "拟批准公示：乡镇、村和电子屏",
        "notice of what is to be approved: township, village, screen",
    );
    for (strand, _) in &strands {
        for place in ["township", "village", "screen"] {
            teller.act("county:何", "2016-03-24", strand, &["post", place])?;
        }
    }
    teller.refused("notice-running", &act_of("county:何", "2016-03-31", "0", &["complete"]))?;
    for (strand, _) in &strands {
        teller.act("county:何", "2016-04-01", strand, &["complete"])?;
    }
    Ok(())
}

/// Another of the county approves; the money is set apart in the same moment.
pub fn decision(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("县级审批：批准的同时预留资金", "approval: the money is set apart at once");
    for strand in STRANDS {
        teller.act("county:高", "2016-04-05", strand, &["complete"])?;
    }
    for strand in STRANDS {
        teller.act("township:王", "2016-04-05", strand, &["complete"])?;
    }
    Ok(())
}

/// The bank gets a file; the line of the household that was objected to comes back.
pub fn payment(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter("发放：一户账号户名不符，被银行退回", "payment: the bank returns one line");
    let (county, batch) = (teller.cast.county().to_owned(), teller.batch(1));
    let plan = ["pay", "plan", "--county", &county, "--as", "county:白", "--on", "2016-04-05"];
    teller.run(&plan)?;
    let (file, returned) = (teller.text("payment.txt"), teller.text("return.txt"));
    teller.run(&["pay", "file", &batch, "--out", &file, "--as", "county:岳", "--on", "2016-04-05"])?;
    acknowledge(teller, &batch, "2016-04-06")?;
    let number = objected_line(teller)?.0;
    bank_answers(teller, "payment.txt", "return.txt", "2016-04-07", &[&number])?;
    let apply = ["pay", "return", &batch, &returned, "--as", "county:岳", "--on", "2016-04-07"];
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
    let (batch, batch_again) = (teller.batch(1), teller.batch(2));
    correction(teller)?;
    teller.run(&["pay", "plan", "--again", &batch, "--as", "county:白", "--on", "2016-04-12"])?;
    let (file, returned) = (teller.text("payment-again.txt"), teller.text("return-again.txt"));
    teller.run(&["pay", "file", &batch_again, "--out", &file, "--as", "county:岳", "--on", "2016-04-12"])?;
    acknowledge(teller, &batch_again, "2016-04-12")?;
    let unexplained =
        ["pay", "reconcile", &batch_again, "--delivered", "1", "--as", "county:岳", "--on", "2016-04-13"];
    teller.refused("not-explained", &unexplained)?;
    bank_answers(teller, "payment-again.txt", "return-again.txt", "2016-04-13", &[])?;
    teller.run(&["pay", "return", &batch_again, &returned, "--as", "county:岳", "--on", "2016-04-13"])?;
    for batch in [&batch, &batch_again] {
        let delivered = batch_of(teller, batch)?.delivered().to_string();
        let reconcile = ["pay", "reconcile", batch, "--delivered", &delivered, "--as", "county:岳"];
        teller.run(&[&reconcile[..], &["--on", "2016-04-15"]].concat())?;
    }
    Ok(())
}

/// The township looks at the passbook and puts the account right.
pub fn correction(teller: &mut Teller) -> Result<(), Failure> {
    let batch = teller.batch(1);
    let reasons = "核对存折：原账号末位抄错";
    let line = objected_line(teller)?.1;
    let correct = ["pay", "correct", &batch, &line, "--account", "6214590000001234567", "--reasons", reasons];
    teller.run(&[&correct[..], &["--as", "township:王", "--on", "2016-04-11"]].concat())?;
    Ok(())
}

/// The bank has taken a file whole.
fn acknowledge(teller: &mut Teller, batch: &str, on: &str) -> Result<(), Failure> {
    let planned = batch_of(teller, batch)?;
    let (count, sum) = (planned.lines.len().to_string(), planned.total().to_string());
    let taken =
        ["pay", "acknowledge", batch, "--count", &count, "--sum", &sum, "--as", "county:岳", "--on", on];
    teller.run(&taken)?;
    Ok(())
}

/// The number in the bank's file, and the id, of the line of the household that was objected to.
fn objected_line(teller: &Teller) -> Result<(String, String), Failure> {
    let holder = format!("household:{}", teller.cast.objected);
    let batch = batch_of(teller, &teller.batch(1))?;
    let state = batch.lines.iter().find(|state| state.line.to.holder.to_string() == holder);
    let state = state.ok_or_else(|| Failure::internal(format!("`{holder}` is in no line")))?;
    Ok((state.number.to_string(), state.line.id.to_string()))
}

/// Everything is published; the household gets its receipt; a stranger checks it.
pub fn publication(teller: &mut Teller) -> Result<(), Failure> {
    teller.chapter(
        "公开：日志、户的凭证、任何人核对",
        "publication: the log, the household's receipts, anyone checks them",
    );
    let (log, receipts) = (teller.text("log"), teller.text("receipts"));
    teller.run(&["log", "publish", "--log", &log, "--as", "county:岳", "--on", "2016-04-18"])?;
    let household = teller.cast.objected.as_str();
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
