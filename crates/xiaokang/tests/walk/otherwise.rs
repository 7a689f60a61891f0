//! Line by line of the story: what would have been otherwise had a fact, a vote, a day, a person or a line of the bank
//! been another. Every refusal is by its code and changes nothing.

use std::fs;

use model::flow::{Outcome, Position, Strand};
use xiaokang::console::Outcome as Printed;
use xiaokang::demo::story::{
    self, CASE, DOCUMENT, STARTED, Teller, Votes, act_of, bank_answers, batch_of, last_receipt,
};

use crate::stages::{at, events, keys, sums};
use crate::{refuses, set_number, set_wages};

/// Where the strands of the case stand.
fn strands(teller: &Teller) -> Vec<Strand> {
    let office = teller.office().unwrap();
    app::procedure::read_case(office.registry.view(), &CASE.parse().unwrap()).unwrap().state.strands
}

fn outcome(strand: &Strand) -> Option<Outcome> {
    match &strand.position {
        Position::At(_) => None,
        Position::Ended(end) => Some(end.outcome),
    }
}

/// Acts on the case that are refused: who, on which day, in which strand, what, and the code.
fn check(teller: &Teller, refused: &[(&str, &str, &str, &[&str], &str)]) {
    for (role, on, strand, act, code) in refused {
        refuses(teller, code, &act_of(role, on, strand, act));
    }
}

fn file(teller: &Teller, text: &str) -> String {
    let path = teller.path("document.txt");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn money_goes_down_by_who_holds_it_for_what_it_was_granted_and_no_further() {
    let (_folder, teller) = at("granted");
    let (province, county) = (teller.cast.province().to_owned(), teller.cast.county().to_owned());
    let granted = sums(&teller)[0];
    let allot = |who: &str, purpose: &str, yuan: &str, code: &str| {
        let from = ["fund", "allot", DOCUMENT, "--purpose", purpose, "--from", &province, "--to", &county];
        refuses(&teller, code, &[&from[..], &["--amount", yuan, "--as", who, "--on", "2016-01-08"]].concat());
    };
    allot("province:周", "minimum-living", &(granted / 100).to_string(), "beyond-balance");
    allot("province:周", "relocation", "1", "outside-purpose");
    allot("county:白", "minimum-living", "1", "not-permitted");
    let issue = |who: &str, grant: &str, code: &str| {
        let title = ["fund", "issue", "川财社〔2016〕99号", "--fund", "minimum-living", "--title", "t"];
        let rest = ["--issuer", &province, "--grant", grant, "--as", who, "--on", "2016-01-05"];
        refuses(&teller, code, &[&title[..], &rest].concat());
    };
    issue("county:白", "minimum-living=1", "not-permitted");
    issue("province:周", "relocation=1", "outside-purpose");
}

#[test]
fn who_is_in_the_case_is_who_is_promised_the_guarantee_that_day() {
    let (_folder, mut teller) = at("granted");
    let other = teller.cast.others()[0].to_owned();
    set_wages(&teller, &other, 900_000);
    story::application(&mut teller).unwrap();
    let items = &strands(&teller)[0].items;
    assert_eq!(items.len(), teller.cast.households.len() - 1);
    assert!(!items.iter().any(|item| item.as_str() == other));

    let (_folder, teller) = at("granted");
    for household in teller.cast.households.keys() {
        set_wages(&teller, household, 900_000);
    }
    let start = ["case", "start", "minimum-living-guarantee", "--sheet", &teller.cast.village];
    refuses(&teller, "required-missing", &[&start[..], &["--as", "village:罗", "--on", STARTED]].concat());
}

#[test]
fn an_application_and_a_survey_wait_for_what_they_declare() {
    let (_folder, mut teller) = at("granted");
    let start = ["case", "start", "minimum-living-guarantee", "--sheet", &teller.cast.village.clone()];
    teller.run(&[&start[..], &["--as", "village:罗", "--on", STARTED]].concat()).unwrap();
    let letter = file(&teller, "申请书\n");
    check(
        &teller,
        &[
            ("village:罗", STARTED, "", &["complete"], "evidence-missing"),
            ("village:罗", STARTED, "", &["attach", "photograph", &letter], "act-not-declared"),
            ("township:刘", STARTED, "", &["attach", "application", &letter], "not-permitted"),
        ],
    );
    teller.act("village:罗", STARTED, "", &["attach", "application", &letter]).unwrap();
    check(&teller, &[("village:罗", STARTED, "", &["attach", "application", &letter], "already-done")]);
    teller.act("village:罗", STARTED, "", &["complete"]).unwrap();

    teller.act("township:马", "2016-03-03", "", &["investigate"]).unwrap();
    teller.act("township:马", "2016-03-03", "", &["attach", "survey-form", &letter]).unwrap();
    check(
        &teller,
        &[
            ("township:马", "2016-03-03", "", &["investigate"], "already-done"),
            ("township:马", "2016-03-03", "", &["complete"], "investigators-missing"),
            ("village:罗", "2016-03-03", "", &["investigate"], "not-permitted"),
        ],
    );
}

#[test]
fn deadlines_are_working_days_of_the_calendar() {
    let due = |stage: &str| {
        let (_folder, teller) = at(stage);
        strands(&teller)[0].due.map(|day| day.to_string())
    };
    // Five working days of the county after 2016-03-22; and after 2016-04-01, where 2016-04-04 is a holiday.
    assert_eq!(due("reviewed").as_deref(), Some("2016-03-29"));
    assert_eq!(due("published").as_deref(), Some("2016-04-11"));
    let (_folder, mut teller) = at("granted");
    story::application(&mut teller).unwrap();
    // Ten working days of the survey after 2016-03-01.
    assert_eq!(strands(&teller)[0].due.unwrap().to_string(), "2016-03-15");
    teller.look(&act_of("township:马", "2016-03-15", "", &["tick"])).unwrap();
    assert!(!strands(&teller)[0].overdue);
    teller.look(&act_of("township:马", "2016-03-16", "", &["tick"])).unwrap();
    assert!(strands(&teller)[0].overdue, "a day later it is late");
    teller.act("township:马", "2016-03-16", "", &["investigate"]).unwrap();
}

#[test]
fn the_appraisal_is_held_against_who_may_vote_by_the_records() {
    let (_folder, mut teller) = at("granted");
    story::application(&mut teller).unwrap();
    story::survey(&mut teller).unwrap();
    let Votes { entitled, present, in_favour, .. } = Votes::of(&teller.cast);
    let fewer = (teller.cast.entitled - 1).to_string();
    let (all, both) = (format!("{in_favour}/0"), format!("{in_favour}/{in_favour}"));
    let (village, on) = ("village:罗", "2016-03-07");
    let minutes = file(&teller, "评议记录\n");
    let vote = |entitled: &str, present: &str, all: &str| -> Vec<String> {
        let words = ["vote", "--entitled", entitled, "--present", present, "--all", all];
        words.iter().map(|word| (*word).to_owned()).collect()
    };
    let refused = |teller: &Teller, act: &[String], code: &str| {
        let act: Vec<&str> = act.iter().map(String::as_str).collect();
        refuses(teller, code, &act_of(village, on, "", &act));
    };
    refused(&teller, &vote(&fewer, &present, &all), "vote-inconsistent");
    refused(&teller, &vote(&entitled, &(teller.cast.entitled + 1).to_string(), &all), "vote-inconsistent");
    refused(&teller, &vote(&entitled, &present, &both), "vote-inconsistent");
    teller.act(village, on, "", &["attach", "minutes", &minutes]).unwrap();
    check(&teller, &[(village, on, "", &["complete"], "vote-missing")]);

    // A village with an assembly of 30 representatives votes there: two thirds of them have to come.
    set_number(&teller, "village", &teller.cast.village, "representatives", 30);
    refused(&teller, &vote(&entitled, &present, &all), "vote-inconsistent");
    refused(&teller, &vote("30", "19", "19/0"), "no-quorum");
    // A tie does not carry.
    teller.act(village, on, "", &["vote", "--entitled", "30", "--present", "20", "--all", "10/10"]).unwrap();
    teller.act(village, on, "", &["complete"]).unwrap();
    assert!(strands(&teller).iter().all(|strand| outcome(strand) == Some(Outcome::Refused)));
    check(&teller, &[(village, "2016-03-08", "0", &["post", "village"], "case-closed")]);
}

#[test]
fn objections_have_their_time_and_hold_up_only_whom_they_concern() {
    let (_folder, mut teller) = at("noticed");
    let objected = teller.cast.objected.clone();
    let object = ["object", "--item", &objected, "--grounds", "另有收入"];
    check(
        &teller,
        &[
            ("village:罗", "2016-03-09", "", &["post", "village"], "already-done"),
            ("villager:彭", "2016-03-10", "", &["object", "--grounds", " "], "reasons-missing"),
            ("villager:彭", "2016-03-16", "", &object, "notice-over"),
            ("township:王", "2016-03-10", "", &["answer", "0", "dismissed", "--reasons", "无"], "not-found"),
        ],
    );
    teller.act("villager:彭", "2016-03-10", "", &object).unwrap();
    let answer = ["answer", "0", "dismissed", "--reasons", "属实"];
    check(
        &teller,
        &[
            ("village:罗", "2016-03-30", "1", &["complete"], "objection-open"),
            ("village:罗", "2016-03-14", "", &answer, "not-permitted"),
            ("township:马", "2016-03-14", "", &answer, "maker-is-checker"),
        ],
    );
    teller.act("township:王", "2016-03-14", "", &answer).unwrap();
    // Four days it stood still: the day it stopped and the day it went on do not count.
    check(&teller, &[("village:罗", "2016-03-20", "1", &["complete"], "notice-running")]);
}

#[test]
fn the_county_visits_whom_it_has_to_before_it_goes_on() {
    let (_folder, mut teller) = at("reviewed");
    let (other, objected) = (teller.cast.others()[0].to_owned(), teller.cast.objected.clone());
    let visits = file(&teller, "入户抽查记录\n");
    teller.act("county:何", "2016-03-23", "0", &["attach", "visits", &visits]).unwrap();
    check(
        &teller,
        &[
            ("township:王", "2016-03-23", "0", &["draw"], "not-permitted"),
            ("county:何", "2016-03-23", "0", &["complete"], "sample-not-drawn"),
        ],
    );
    teller.act("county:何", "2016-03-23", "0", &["draw"]).unwrap();
    check(
        &teller,
        &[
            ("county:何", "2016-03-23", "0", &["draw"], "already-done"),
            ("county:何", "2016-03-23", "0", &["complete"], "sample-not-visited"),
            ("county:何", "2016-03-23", "0", &["visit", &objected], "not-found"),
        ],
    );
    teller.act("county:何", "2016-03-23", "0", &["visit", &other]).unwrap();
    teller.act("county:何", "2016-03-23", "0", &["complete"]).unwrap();
    // The notice hangs at three places, and shows what was proposed.
    check(
        &teller,
        &[
            ("county:何", "2016-03-24", "0", &["post", "website"], "act-not-declared"),
            ("county:何", "2016-03-24", "0", &["complete"], "notice-not-posted"),
        ],
    );
    teller.act("county:何", "2016-03-24", "0", &["post", "village"]).unwrap();
    teller.act("county:何", "2016-03-24", "0", &["post", "township"]).unwrap();
    check(&teller, &[("county:何", "2016-04-20", "0", &["complete"], "notice-not-posted")]);
    set_wages(&teller, &other, 3_000);
    check(&teller, &[("county:何", "2016-03-24", "0", &["post", "screen"], "facts-changed")]);
}

#[test]
fn who_sampled_does_not_approve_and_a_refusal_is_written_and_can_be_appealed() {
    let (_folder, mut teller) = at("published");
    let letter = file(&teller, "不予批准通知\n");
    check(
        &teller,
        &[
            ("county:何", "2016-04-05", "0", &["complete"], "maker-is-checker"),
            ("township:王", "2016-04-05", "0", &["complete"], "not-permitted"),
            ("county:高", "2016-04-05", "0", &["refuse", "--reasons", " "], "reasons-missing"),
            ("county:高", "2016-04-05", "0", &["void"], "facts-unchanged"),
        ],
    );
    teller.act("county:高", "2016-04-05", "0", &["refuse", "--reasons", "核对发现车辆"]).unwrap();
    let Position::Ended(end) = strands(&teller)[0].position.clone() else { panic!("it has ended") };
    // Three working days for the letter.
    let written = end.deliver_by.map(|day| day.to_string());
    assert_eq!((end.outcome, written.as_deref()), (Outcome::Refused, Some("2016-04-08")));
    assert_eq!(sums(&teller)[1], 0, "nothing is set apart");
    teller.act("county:高", "2016-04-06", "0", &["deliver", &letter]).unwrap();
    check(
        &teller,
        &[("village:罗", "2016-07-01", "0", &["appeal", "--grounds", "没有车"], "deadline-passed")],
    );
    teller.act("village:罗", "2016-05-01", "0", &["appeal", "--grounds", "没有车"]).unwrap();
    let Position::At(step) = strands(&teller)[0].position else { panic!("it is open again") };
    assert_eq!(step.0, 1, "it is surveyed again");
}

#[test]
fn a_plan_pays_what_is_approved_once_and_to_whom_an_account_is_recorded() {
    let (_folder, mut teller) = at("approved");
    let county = teller.cast.county().to_owned();
    let plan = |who: &'static str| -> Vec<String> {
        let words = ["pay", "plan", "--county", &county, "--as", who, "--on", "2016-04-05"];
        words.iter().map(|word| (*word).to_owned()).collect()
    };
    let words = |all: &[String]| -> Vec<&'static str> {
        all.iter().map(|word| &*Box::leak(word.clone().into_boxed_str())).collect()
    };
    refuses(&teller, "not-permitted", &words(&plan("township:王")));
    teller.run(&words(&plan("county:白"))).unwrap();
    refuses(&teller, "batch-empty", &words(&plan("county:白")));
    let batch = teller.batch(1);
    let all = batch_of(&teller, &batch).unwrap();
    assert_eq!(all.lines.len(), teller.cast.households.len());
    let owed: i64 = teller.cast.households.values().map(|fen| fen.fen()).sum();
    assert_eq!(all.total().fen(), owed, "the fen of the approvals are the fen of the plan");
}

#[test]
fn the_bank_counts_what_was_sent() {
    let (folder, mut teller) = at("approved");
    let (county, batch) = (teller.cast.county().to_owned(), teller.batch(1));
    let out = folder.path().join("payment.txt").display().to_string();
    teller.run(&["pay", "plan", "--county", &county, "--as", "county:白", "--on", "2016-04-05"]).unwrap();
    let total = batch_of(&teller, &batch).unwrap().total().to_string();
    let taken = |count: &str, on: &str| -> Vec<String> {
        let words = [
            "pay",
            "acknowledge",
            &batch,
            "--count",
            count,
            "--sum",
            &total,
            "--as",
            "county:岳",
            "--on",
            on,
        ];
        words.iter().map(|word| (*word).to_owned()).collect()
    };
    let refused = |teller: &Teller, count: &str, on: &str, code: &str| {
        let all = taken(count, on);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        refuses(teller, code, &all);
    };
    refused(&teller, "2", "2016-04-06", "wrong-stage");
    teller.run(&["pay", "file", &batch, "--out", &out, "--as", "county:岳", "--on", "2016-04-05"]).unwrap();
    refused(&teller, "1", "2016-04-06", "totals-differ");
    refused(&teller, "2", "2016-04-04", "date-invalid");
}

#[test]
fn what_the_bank_pays_is_not_paid_again_and_what_it_returns_is() {
    // The bank pays all: nothing can be corrected or paid again.
    let (folder, mut teller) = at("approved");
    let (county, batch) = (teller.cast.county().to_owned(), teller.batch(1));
    let (sent, back) = (folder.path().join("payment.txt"), folder.path().join("return.txt"));
    let (sent, back) = (sent.display().to_string(), back.display().to_string());
    teller.run(&["pay", "plan", "--county", &county, "--as", "county:白", "--on", "2016-04-05"]).unwrap();
    teller.run(&["pay", "file", &batch, "--out", &sent, "--as", "county:岳", "--on", "2016-04-05"]).unwrap();
    let total = batch_of(&teller, &batch).unwrap().total().to_string();
    let taken = ["pay", "acknowledge", &batch, "--count", "2", "--sum", &total];
    teller.run(&[&taken[..], &["--as", "county:岳", "--on", "2016-04-06"]].concat()).unwrap();
    bank_answers(&teller, "payment.txt", "return.txt", "2016-04-07", &[]).unwrap();
    let apply = ["pay", "return", &batch, &back, "--as", "county:岳", "--on", "2016-04-07"];
    assert_eq!(teller.run(&apply).unwrap(), Printed::Done);
    assert_eq!(keys(&teller, "transfer").len(), teller.cast.households.len());
    let correct = ["pay", "correct", &batch, "0001", "--account", "62145", "--reasons", "更正"];
    refuses(
        &teller,
        "not-returned",
        &[&correct[..], &["--as", "township:王", "--on", "2016-04-11"]].concat(),
    );
    let again = ["pay", "plan", "--again", &batch, "--as", "county:白", "--on", "2016-04-12"];
    refuses(&teller, "batch-empty", &again);
    let reconcile =
        ["pay", "reconcile", &batch, "--delivered", "1", "--as", "county:岳", "--on", "2016-04-15"];
    refuses(&teller, "statement-differs", &reconcile);

    // It returns the other line: that household has nothing until it is paid again.
    let (_folder, teller) = at("paid");
    let paid = keys(&teller, "transfer");
    assert_eq!(paid.len(), teller.cast.households.len() - 1);
    refuses(&teller, "batch-empty", &again);
    let line = "0002";
    let correct = ["pay", "correct", &batch, line, "--account", "62145", "--reasons"];
    let by = |who: &'static str, reasons: &'static str, code: &str| {
        let all = [&correct[..], &[reasons, "--as", who, "--on", "2016-04-11"]].concat();
        refuses(&teller, code, &all);
    };
    by("village:罗", "更正", "not-permitted");
    by("township:王", " ", "reasons-missing");
    by("county:白", "更正", "maker-is-checker");
}

#[test]
fn a_receipt_is_verified_with_this_logs_key_and_no_other() {
    let (folder, mut teller) = at("paid");
    story::again(&mut teller).unwrap();
    let before = events(&teller);
    story::publication(&mut teller).unwrap();
    let published = events(&teller);
    assert!(published > before, "the head of the log is recorded");
    // Publishing again what is published changes nothing.
    let log = folder.path().join("log").display().to_string();
    teller.look(&["log", "publish", "--log", &log, "--as", "county:岳", "--on", "2016-04-19"]).unwrap();
    assert_eq!(events(&teller), published);
    let receipt = last_receipt(&folder.path().join("receipts")).unwrap();
    let text = fs::read_to_string(receipt).unwrap();
    let (_other, elsewhere) = at("imported");
    let other = app::publish::signing_key(&elsewhere.office().unwrap().registry, &[9; 32]).unwrap();
    assert!(app::publish::verify(&text, &other.verifier().to_string(), None).is_err());
    let key = fs::read_to_string(folder.path().join("log.pub")).unwrap();
    assert!(app::publish::verify(&text, &key, Some(&folder.path().join("log"))).is_ok());
}
