//! The whole way from an application to a payment that a stranger verifies, on the sample county; and how it goes the
//! other way when a fact, a vote, a day or a line of the bank is another.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod killed;
mod killing;
mod otherwise;
mod receipts;
mod stages;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use app::acting::{Pending, known};
use model::Lang;
use pack::program::{ColumnId, RuleDetail, RuleKind, Value};
use store::{ImportMeta, Record};
use xiaokang::console::Failure;
use xiaokang::demo::story::{self, CASE, DOCUMENT, Teller, act_of, bank_answers, batch_of, last_receipt};

use stages::{at, events, keys, sums};

/// Changes a household's wages, as a corrected workbook does.
fn set_wages(teller: &Teller, household: &str, yuan: i128) {
    set_number(teller, "household", household, "wages", yuan * 100);
}

/// Changes a number of a record, in the units in which it is kept.
fn set_number(teller: &Teller, entity: &str, key: &str, field: &str, number: i128) {
    let mut office = teller.office().unwrap();
    let program = &office.pack.program;
    let entity = program.entity_named(entity).unwrap();
    let columns = [program.entity(entity).key, program.column_named(entity, field).unwrap()];
    let meta = ImportMeta {
        actor: "test".to_owned(),
        role: String::new(),
        recorded_at: store::Moment::from_unix_ms(0),
        pack_digest: program.digest.clone(),
    };
    let mut session = office.registry.begin(meta).unwrap();
    let values = vec![Some(Value::Text(key.to_owned())), Some(Value::Number(number))];
    session.upsert(entity, &columns, &[Record { values, ..Record::default() }]).unwrap();
    session.commit().unwrap();
}

/// A refusal with this code, that has changed nothing; its message.
fn refuses(teller: &Teller, code: &str, arguments: &[&str]) -> String {
    let before = events(teller);
    let said = match teller.look(arguments) {
        Err(failure) => failure.text(Lang::En),
        other => panic!("`{code}` was expected of {arguments:?}, not {other:?}"),
    };
    assert!(said.contains(&format!("[{code}]")), "{arguments:?}: {said}");
    assert_eq!(events(teller), before, "{arguments:?} has changed something");
    said
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
    a_changed_receipt_is_refused(folder.path(), &teller.cast.objected);
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

fn a_changed_receipt_is_refused(folder: &Path, objected: &str) {
    let key = fs::read_to_string(folder.join("log.pub")).unwrap();
    let path = last_receipt(&folder.join("receipts")).unwrap();
    let text = fs::read_to_string(path).unwrap();
    let log = folder.join("log");
    let facts = app::publish::verify(&text, &key, Some(&log)).unwrap();
    let personal = facts.personal.unwrap();
    assert_eq!(personal["fen"], 6_454);
    assert_eq!(personal["to"], format!("household:{objected}"));
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
    let (_folder, mut teller) = at("published");
    let other = teller.cast.others()[0].to_owned();
    set_wages(&teller, &other, 3_000);
    let said = refuses(&teller, "facts-changed", &act_of("county:高", "2016-04-05", "0", &["complete"]));
    assert!(said.contains(&other) && said.contains("→"), "{said}");
    assert!(!said.contains(&teller.cast.objected), "{said}");
    teller.act("county:高", "2016-04-05", "0", &["void"]).unwrap();
    // The other household is approved as it was proposed.
    teller.act("county:高", "2016-04-05", "1", &["complete"]).unwrap();
    let decided = keys(&teller, "decision");
    assert_eq!(decided, [format!("{CASE}-{}", teller.cast.objected)].into());
}

#[test]
fn votes_days_and_makers_count() {
    let (_folder, mut teller) = at("noticed");
    let early = act_of("village:罗", "2016-03-15", "", &["complete"]);
    refuses(&teller, "notice-running", &early);
    let wrong = act_of("county:高", "2016-03-16", "", &["complete"]);
    refuses(&teller, "not-permitted", &wrong);
    let stale =
        [&["case", "do", CASE, "--as", "village:罗", "--on", "2016-03-16"][..], &["--step", "survey"]];
    refuses(&teller, "step-not-current", &[&stale.concat()[..], &["complete"]].concat());
    teller.act("village:罗", "2016-03-16", "", &["complete"]).unwrap();
    let maker = act_of("township:刘", "2016-03-17", "", &["complete"]);
    refuses(&teller, "maker-is-checker", &maker);
}

#[test]
fn an_upheld_objection_sends_that_household_back_and_no_other() {
    let (_folder, mut teller) = at("noticed");
    let (objected, other) = (teller.cast.objected.clone(), teller.cast.others()[0].to_owned());
    let object = ["object", "--item", &objected, "--grounds", "另有收入"];
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
    assert_eq!((place(&objected), place(&other)), (1, 3));
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
    let approve = act_of("county:高", "2016-04-05", "0", &["complete"]);
    refuses(&teller, "beyond-balance", &approve);
    let outside = [&["fund", "allot", DOCUMENT, "--purpose", "relocation"][..], &allot].concat();
    refuses(&teller, "outside-purpose", &outside);
}

#[test]
fn a_line_of_the_bank_that_differs_keeps_the_whole_file_out() {
    let (folder, mut teller) = at("approved");
    let run = |teller: &mut Teller, arguments: &[&str]| teller.run(arguments).unwrap();
    let batch = teller.batch(1);
    let plan = ["pay", "plan", "--county", "513336", "--as", "county:白", "--on", "2016-04-05"];
    run(&mut teller, &plan);
    let out = folder.path().join("payment.txt").display().to_string();
    let by_planner = ["pay", "file", &batch, "--out", &out, "--as", "county:白", "--on", "2016-04-05"];
    refuses(&teller, "maker-is-checker", &by_planner);
    run(&mut teller, &["pay", "file", &batch, "--out", &out, "--as", "county:岳", "--on", "2016-04-05"]);
    let taken =
        ["pay", "acknowledge", &batch, "--as", "county:岳", "--on", "2016-04-06", "--count", "2", "--sum"];
    refuses(&teller, "totals-differ", &[&taken[..], &["9551.70"]].concat());
    run(&mut teller, &[&taken[..], &["9551.69"]].concat());
    bank_answers(&teller, "payment.txt", "return.txt", "2016-04-07", &[]).unwrap();
    let path = folder.path().join("return.txt");
    let whole = fs::read(&path).unwrap();
    let check = |teller: &Teller, from: &str, to: &str, code: &str| {
        let place = whole.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        let changed = [&whole[..place], to.as_bytes(), &whole[place + from.len()..]].concat();
        fs::write(&path, changed).unwrap();
        let file = path.display().to_string();
        refuses(teller, code, &["pay", "return", &batch, &file, "--as", "county:岳", "--on", "2016-04-07"]);
    };
    check(&teller, "9487.15", "9487.16", "amount-differs");
    check(&teller, "|00|", "|77|", "status-unknown");
    check(&teller, "20160407", "20160408", "date-invalid");
    assert!(batch_of(&teller, &batch).unwrap().delivered().is_zero());
    fs::write(&path, &whole).unwrap();
    let file = path.display().to_string();
    let apply = ["pay", "return", &batch, &file, "--as", "county:岳", "--on", "2016-04-07"];
    run(&mut teller, &apply);
    let before = events(&teller);
    run(&mut teller, &apply);
    assert_eq!(events(&teller), before, "the same file twice changes nothing");
}
