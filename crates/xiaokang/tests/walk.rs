//! The whole way from an application to a payment that a stranger verifies, on the sample county; and how it goes the
//! other way when a fact, a vote, a day or a line of the bank is another.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use app::acting::{Pending, known};
use app::funds;
use model::Lang;
use model::ledger::trace_document;
use pack::program::{ColumnId, RuleDetail, RuleKind, Value};
use store::{ImportMeta, Record, Statement, listen_to_statements};
use xiaokang::console::Failure;
use xiaokang::demo::story::{
    self, BATCH, CASE, DOCUMENT, HOUSEHOLDS, OBJECTED, Teller, act_of, bank_answers, batch_of, last_receipt,
};

const FILES: [&str; 5] = ["村.xlsx", "户.xlsx", "人.xlsx", "住院.xlsx", "贷款.xlsx"];

fn pack_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015")
}

/// Registries as they are at the beginning of chapters; made once.
struct Stages {
    folder: tempfile::TempDir,
}

impl Stages {
    fn get() -> &'static Self {
        static MADE: OnceLock<Stages> = OnceLock::new();
        MADE.get_or_init(|| {
            let stages = Self { folder: tempfile::tempdir().unwrap() };
            let imported = stages.folder.path().join("imported");
            fs::create_dir(&imported).unwrap();
            let registry = imported.join("registry");
            let data = pack_folder().join("data/xiangcheng");
            let done = Command::new(env!("CARGO_BIN_EXE_xiaokang"))
                .arg("import")
                .args(["--registry".as_ref(), registry.as_os_str()])
                .args(["--pack".as_ref(), pack_folder().as_os_str()])
                .args(FILES.map(|file| data.join(file)))
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(done.success(), "the sample is imported");
            stages.next("imported", "granted", story::money);
            stages.next("granted", "noticed", story::application_to_notice);
            stages.next("noticed", "reviewed", story::objection_to_review);
            stages.next("reviewed", "approved", story::approval);
            stages
        })
    }

    fn next(&self, from: &str, to: &str, chapter: fn(&mut Teller) -> Result<(), Failure>) {
        let (from, to) = (self.folder.path().join(from), self.folder.path().join(to));
        copy(&from, &to);
        chapter(&mut teller(&to)).unwrap();
    }
}

/// A copy of a stage, to go on with.
fn at(stage: &str) -> (tempfile::TempDir, Teller) {
    let folder = tempfile::tempdir().unwrap();
    copy(&Stages::get().folder.path().join(stage), folder.path());
    let teller = teller(folder.path());
    (folder, teller)
}

fn teller(folder: &Path) -> Teller {
    Teller::new(folder, &folder.join("registry"), &pack_folder(), Lang::En)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Changes a household's wages, as a corrected workbook does.
fn set_wages(teller: &Teller, household: &str, yuan: i128) {
    let mut office = teller.office().unwrap();
    let program = &office.pack.program;
    let entity = program.entity_named("household").unwrap();
    let columns = [program.entity(entity).key, program.column_named(entity, "wages").unwrap()];
    let meta = ImportMeta {
        actor: "test".to_owned(),
        role: String::new(),
        recorded_at: store::Moment::from_unix_ms(0),
        pack_digest: program.digest.clone(),
    };
    let mut session = office.registry.begin(meta).unwrap();
    let values = vec![Some(Value::Text(household.to_owned())), Some(Value::Number(yuan * 100))];
    session.upsert(entity, &columns, &[Record { values, ..Record::default() }]).unwrap();
    session.commit().unwrap();
}

fn events(teller: &Teller) -> u64 {
    let office = teller.office().unwrap();
    office.registry.view().events_after(0, usize::MAX >> 1).unwrap().len() as u64
}

/// A refusal with this code, that has changed nothing; its message.
fn refuses(teller: &mut Teller, code: &str, arguments: &[&str]) -> String {
    let before = events(teller);
    let said = match teller.look(arguments) {
        Err(failure) => failure.text(Lang::En),
        other => panic!("`{code}` was expected of {arguments:?}, not {other:?}"),
    };
    assert!(said.contains(&format!("[{code}]")), "{arguments:?}: {said}");
    assert_eq!(events(teller), before, "{arguments:?} has changed something");
    said
}

/// Keys of the current records of an entity.
fn keys(teller: &Teller, entity: &str) -> BTreeSet<String> {
    let office = teller.office().unwrap();
    let program = &office.pack.program;
    let entity = program.entity_named(entity).unwrap();
    let mut keys = BTreeSet::new();
    let add = |row: &store::ScanRow<'_>| {
        keys.extend(row.text(0).map(str::to_owned));
        Ok(())
    };
    office.registry.view().scan(entity, &[program.entity(entity).key], add).unwrap();
    keys
}

/// What was granted, set apart, owed, with the bank and delivered, in fen.
fn sums(teller: &Teller) -> [i64; 5] {
    let book = funds::book(&teller.office().unwrap().registry).unwrap();
    let descent = trace_document(&book, &DOCUMENT.parse().unwrap()).unwrap();
    [descent.granted, descent.committed, descent.owed, descent.with_bank, descent.delivered]
        .map(model::Fen::fen)
}

#[test]
fn the_whole_way_ends_with_a_payment_that_a_stranger_verifies() {
    let (folder, mut teller) = at("approved");
    assert_eq!(keys(&teller, "decision").len(), 2);
    assert_eq!(sums(&teller), [50_000_000, 955_169, 0, 0, 0]);
    story::payment(&mut teller).unwrap();
    assert_eq!(keys(&teller, "transfer").len(), 1, "what the bank returned is not paid");
    assert_eq!(sums(&teller), [50_000_000, 0, 6_454, 0, 948_715]);
    story::again(&mut teller).unwrap();
    assert_eq!(sums(&teller), [50_000_000, 0, 0, 0, 955_169]);
    story::publication(&mut teller).unwrap();
    audits_find_nothing(&teller);
    a_changed_receipt_is_refused(folder.path());
}

/// The audits of article 20 read what was paid, and have nothing to say.
fn audits_find_nothing(teller: &Teller) {
    // Values rest on one another through many columns.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        thread.spawn_scoped(scope, || audit(teller)).unwrap().join().unwrap();
    });
}

fn audit(teller: &Teller) {
    let office = teller.office().unwrap();
    let program = &office.pack.program;
    let entity = program.entity_named("transfer").unwrap();
    let audits: BTreeSet<ColumnId> = program
        .rules
        .iter()
        .filter(|rule| rule.kind == RuleKind::Audit && rule.entity == Some(entity))
        .filter_map(|rule| match &rule.detail {
            RuleDetail::Check(check) => Some(check.fails),
            _ => None,
        })
        .collect();
    assert!(audits.len() > 5);
    let paid = keys(teller, "transfer");
    assert_eq!(paid.len(), 2);
    let day = "2016-04-20".parse().unwrap();
    let view = office.registry.view();
    let values = known(program, view, day, entity, &paid, &audits, &Pending::new()).unwrap();
    for (key, audit) in paid.iter().flat_map(|key| audits.iter().map(move |audit| (key, *audit))) {
        let found = values.value(key, audit);
        assert_ne!(found, Some(&Value::Bool(true)), "{key}: {}", program.column(audit).name);
    }
    for name in ["paid_before_approval", "paid_to_other_account", "paid_too_much", "not_entitled"] {
        let column = program.column_named(entity, name).unwrap();
        let clear = paid.iter().all(|key| values.value(key, column) == Some(&Value::Bool(false)));
        assert!(clear, "`{name}` knows what it has to");
    }
}

fn a_changed_receipt_is_refused(folder: &Path) {
    let key = fs::read_to_string(folder.join("log.pub")).unwrap();
    let path = last_receipt(&folder.join("receipts")).unwrap();
    let text = fs::read_to_string(path).unwrap();
    let log = folder.join("log");
    let facts = app::publish::verify(&text, &key, Some(&log)).unwrap();
    let personal = facts.personal.unwrap();
    assert_eq!(personal["fen"], 6_454);
    assert_eq!(personal["to"], format!("household:{}", HOUSEHOLDS[1]));
    assert!(!facts.public.contains_key("fen"), "what a household gets is not public");
    for (place, byte) in text.bytes().enumerate().filter(|(place, _)| place % 7 == 0) {
        let mut changed = text.clone().into_bytes();
        changed[place] = if byte == b'A' { b'B' } else { b'A' };
        let Ok(changed) = String::from_utf8(changed) else { continue };
        let verified = app::publish::verify(&changed, &key, Some(&log));
        assert!(verified.is_err(), "byte {place} can be changed: {changed}");
    }
}

#[test]
fn a_fact_that_changes_after_the_proposal_voids_the_approval_and_is_named() {
    let (_folder, mut teller) = at("noticed");
    teller.act("village:罗", "2016-03-16", "", &["complete"]).unwrap();
    let opinion = teller.path("application.txt").display().to_string();
    teller.act("township:王", "2016-03-22", "", &["attach", "opinion", &opinion]).unwrap();
    teller.act("township:王", "2016-03-22", "", &["complete"]).unwrap();
    let strands: [(&str, &[&str]); 1] = [("0", &HOUSEHOLDS)];
    for (strand, items) in strands {
        teller.act("county:何", "2016-03-24", strand, &["draw"]).unwrap();
        let visit = [&["visit"], items].concat();
        teller.act("county:何", "2016-03-24", strand, &visit).unwrap();
        let document = teller.path("application.txt").display().to_string();
        teller.act("county:何", "2016-03-24", strand, &["attach", "visits", &document]).unwrap();
        teller.act("county:何", "2016-03-24", strand, &["complete"]).unwrap();
    }
    set_wages(&teller, HOUSEHOLDS[0], 3_000);
    let said = refuses(&mut teller, "facts-changed", &act_of("county:高", "2016-03-25", "0", &["complete"]));
    assert!(said.contains(HOUSEHOLDS[0]) && said.contains("→"), "{said}");
    assert!(!said.contains(HOUSEHOLDS[1]), "{said}");
    teller.act("county:高", "2016-03-25", "0", &["void"]).unwrap();
    // The other household is approved as it was proposed.
    teller.act("county:高", "2016-03-25", "0", &["complete"]).unwrap();
    let decided = keys(&teller, "decision");
    assert_eq!(decided, [format!("{CASE}-{}", HOUSEHOLDS[1])].into());
}

#[test]
fn votes_days_and_makers_count() {
    let (_folder, mut teller) = at("noticed");
    let early = act_of("village:罗", "2016-03-15", "", &["complete"]);
    refuses(&mut teller, "notice-running", &early);
    let wrong = act_of("county:高", "2016-03-16", "", &["complete"]);
    refuses(&mut teller, "not-permitted", &wrong);
    let stale =
        [&["case", "do", CASE, "--as", "village:罗", "--on", "2016-03-16"][..], &["--step", "survey"]];
    refuses(&mut teller, "step-not-current", &[&stale.concat()[..], &["complete"]].concat());
    teller.act("village:罗", "2016-03-16", "", &["complete"]).unwrap();
    let maker = act_of("township:刘", "2016-03-17", "", &["complete"]);
    refuses(&mut teller, "maker-is-checker", &maker);
}

#[test]
fn an_upheld_objection_sends_that_household_back_and_no_other() {
    let (_folder, mut teller) = at("noticed");
    let object = ["object", "--item", OBJECTED, "--grounds", "另有收入"];
    teller.act("villager:彭", "2016-03-10", "", &object).unwrap();
    let answer = ["answer", "0", "upheld", "--reasons", "复核属实"];
    teller.act("township:王", "2016-03-14", "", &answer).unwrap();
    let office = teller.office().unwrap();
    let case = app::procedure::read_case(office.registry.view(), &CASE.parse().unwrap()).unwrap();
    let place = |item: &str| {
        let strand = case.state.strands.iter().find(|it| it.items.contains(item)).unwrap();
        match strand.position {
            model::flow::Position::At(step) => step.0,
            model::flow::Position::Ended(_) => panic!("it has not ended"),
        }
    };
    assert_eq!((place(OBJECTED), place(HOUSEHOLDS[0])), (1, 3));
}

#[test]
fn money_that_is_not_there_is_not_promised() {
    let (_folder, mut teller) = at("imported");
    story::application_to_notice(&mut teller).unwrap();
    story::objection_to_review(&mut teller).unwrap();
    let said = story::approval(&mut teller).unwrap_err();
    assert!(matches!(&said, Failure::Problem(problem) if problem.code == "unknown-account"), "{said:?}");
    assert!(keys(&teller, "decision").is_empty(), "nothing of the approval is left");
    let grant = ["--title", "t", "--issuer", "51", "--grant", "minimum-living=1000", "--as", "province:周"];
    let issue = [&["fund", "issue", DOCUMENT, "--fund", "minimum-living", "--on", "2016-03-25"][..], &grant];
    teller.run(&issue.concat()).unwrap();
    let allot =
        ["--from", "51", "--to", "513336", "--amount", "1000", "--as", "province:周", "--on", "2016-03-25"];
    teller.run(&[&["fund", "allot", DOCUMENT, "--purpose", "minimum-living"][..], &allot].concat()).unwrap();
    let approve = act_of("county:高", "2016-03-25", "0", &["complete"]);
    refuses(&mut teller, "beyond-balance", &approve);
    let outside = [&["fund", "allot", DOCUMENT, "--purpose", "relocation"][..], &allot].concat();
    refuses(&mut teller, "outside-purpose", &outside);
}

#[test]
fn a_line_of_the_bank_that_differs_keeps_the_whole_file_out() {
    let (folder, mut teller) = at("approved");
    let run = |teller: &mut Teller, arguments: &[&str]| teller.run(arguments).unwrap();
    let plan = ["pay", "plan", "--county", "513336", "--as", "county:白", "--on", "2016-04-05"];
    run(&mut teller, &plan);
    let out = folder.path().join("payment.txt").display().to_string();
    let by_planner = ["pay", "file", BATCH, "--out", &out, "--as", "county:白", "--on", "2016-04-05"];
    refuses(&mut teller, "maker-is-checker", &by_planner);
    run(&mut teller, &["pay", "file", BATCH, "--out", &out, "--as", "county:岳", "--on", "2016-04-05"]);
    let taken =
        ["pay", "acknowledge", BATCH, "--as", "county:岳", "--on", "2016-04-06", "--count", "2", "--sum"];
    refuses(&mut teller, "totals-differ", &[&taken[..], &["9551.70"]].concat());
    run(&mut teller, &[&taken[..], &["9551.69"]].concat());
    bank_answers(&teller, "payment.txt", "return.txt", "2016-04-07", &[]).unwrap();
    let path = folder.path().join("return.txt");
    let whole = fs::read(&path).unwrap();
    let check = |teller: &mut Teller, from: &str, to: &str, code: &str| {
        let place = whole.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        let changed = [&whole[..place], to.as_bytes(), &whole[place + from.len()..]].concat();
        fs::write(&path, changed).unwrap();
        let file = path.display().to_string();
        refuses(teller, code, &["pay", "return", BATCH, &file, "--as", "county:岳", "--on", "2016-04-07"]);
    };
    check(&mut teller, "9487.15", "9487.16", "amount-differs");
    check(&mut teller, "|00|", "|77|", "status-unknown");
    check(&mut teller, "20160407", "20160408", "date-invalid");
    assert!(batch_of(&teller, BATCH).unwrap().delivered().is_zero());
    fs::write(&path, &whole).unwrap();
    let file = path.display().to_string();
    let apply = ["pay", "return", BATCH, &file, "--as", "county:岳", "--on", "2016-04-07"];
    run(&mut teller, &apply);
    let before = events(&teller);
    run(&mut teller, &apply);
    assert_eq!(events(&teller), before, "the same file twice changes nothing");
}

/// What a child process is told: the statement at which it dies (0: none), steps done before, its folder.
const TASK: &str = "XIAOKANG_WALK_TASK";
const MOMENTS: u64 = 32;

static STATEMENTS: AtomicU64 = AtomicU64::new(0);
static DIES_AT: AtomicU64 = AtomicU64::new(0);

fn count(statement: Statement<'_>) {
    if let Statement::Begins(_) = statement
        && STATEMENTS.fetch_add(1, Ordering::SeqCst) + 1 == DIES_AT.load(Ordering::SeqCst)
    {
        std::process::abort();
    }
}

/// From the approval to the payment.
fn pays(teller: &mut Teller) -> Result<(), Failure> {
    story::approval(teller)?;
    story::payment(teller)
}

/// Runs in a child process, and is nothing otherwise.
#[test]
fn child_that_pays() {
    let Ok(task) = env::var(TASK) else { return };
    let mut parts = task.splitn(3, ' ');
    let mut number = || parts.next().unwrap().parse::<u64>().unwrap();
    let (dies_at, done_before) = (number(), number());
    let folder = PathBuf::from(parts.next().unwrap());
    DIES_AT.store(dies_at, Ordering::SeqCst);
    assert!(listen_to_statements(count));
    let mut teller = teller(&folder);
    teller.done_before = usize::try_from(done_before).unwrap();
    pays(&mut teller).unwrap();
    fs::write(folder.join("statements"), STATEMENTS.load(Ordering::SeqCst).to_string()).unwrap();
}

/// Whether the child came to its end.
fn child(folder: &Path, dies_at: u64, done_before: u64) -> bool {
    let done = Command::new(env::current_exe().unwrap())
        .args(["child_that_pays", "--exact", "--nocapture"])
        .env(TASK, format!("{dies_at} {done_before} {}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    done.success()
}

fn transactions(folder: &Path) -> u64 {
    let office = teller(folder).office().unwrap();
    office.registry.imports().unwrap().len() as u64
}

#[test]
fn killed_at_any_statement_nothing_is_half_done_and_the_walk_goes_on() {
    let (_folder, whole) = at("reviewed");
    let base = transactions(whole.path("").as_path());
    assert!(child(&whole.path(""), 0, 0));
    let all: u64 = fs::read_to_string(whole.path("statements")).unwrap().parse().unwrap();
    let expected = (sums(&whole), keys(&whole, "transfer"), keys(&whole, "decision"), events(&whole));
    for moment in (1..=MOMENTS).map(|number| number * all / (MOMENTS + 1)) {
        let (_folder, killed) = at("reviewed");
        let folder = killed.path("");
        assert!(!child(&folder, moment, 0), "it dies at statement {moment} of {all}");
        // What was promised and paid adds up at every moment.
        let [granted, committed, owed, with_bank, delivered] = sums(&killed);
        let decided = keys(&killed, "decision").len();
        assert_eq!(granted, 50_000_000, "{moment}");
        assert!([0, 948_715, 955_169].contains(&(committed + owed + with_bank + delivered)), "{moment}");
        assert_eq!(decided == 0, committed + owed + with_bank + delivered == 0, "{moment}");
        let done = transactions(&folder) - base;
        assert!(child(&folder, 0, done), "it goes on after statement {moment}");
        let found = (sums(&killed), keys(&killed, "transfer"), keys(&killed, "decision"), events(&killed));
        assert_eq!(found, expected, "killed at statement {moment} of {all}");
    }
}
