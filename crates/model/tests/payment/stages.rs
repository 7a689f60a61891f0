//! Every command at every stage of a batch.

use model::payment::{BatchStage, PaymentCode};
use model::{Reason, Text};

use crate::office::{Office, check};

/// Other programs rely on the codes: a change of this list is a change of an interface.
#[test]
fn codes_and_words_stay_as_published() {
    let line = |code: &str, title: Text, hint: Text| {
        format!("{code}\n  {} | {}\n  {} | {}", title.zh, hint.zh, title.en, hint.en)
    };
    let batch = PaymentCode::ALL.iter().map(|code| line(code.as_str(), code.title(), code.hint()));
    let file =
        model::payment::FileCode::ALL.iter().map(|code| line(code.as_str(), code.title(), code.hint()));
    let lines: Vec<String> = batch.chain(file).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_code_has_a_case() {
    let cases = [include_str!("stages.rs"), include_str!("files.rs"), include_str!("peers.rs")].concat();
    for code in PaymentCode::ALL {
        let stated = ["\n", " ", "\""].map(|end| format!("=> {code}{end}"));
        let quoted = format!("\"{code}\"");
        assert!(stated.iter().any(|text| cases.contains(text)) || cases.contains(&quoted), "{code}");
    }
    for code in model::payment::FileCode::ALL {
        assert!(cases.contains(&format!("\"{code}")), "{code}");
    }
}

/// How each stage is reached.
fn at(stage: BatchStage) -> Office {
    let mut office = check("plan B1 l1=100 l2=200 => ok");
    let steps: &[&str] = match stage {
        BatchStage::Planned => &[],
        BatchStage::Cancelled => &["cancel => ok"],
        BatchStage::Sent => &["send f => ok"],
        BatchStage::Acknowledged => &["send f => ok", "ack 2 300 2016-03-01 => ok"],
        BatchStage::Reconciled | BatchStage::Closed => &[
            "send f => ok",
            "ack 2 300 2016-03-01 => ok",
            "return r l1 ok 100 2016-03-01 ; l2 ok 200 2016-03-01 => ok",
            "reconcile 300 2016-03-01 => ok",
        ],
    };
    for step in steps {
        office.check(step);
    }
    if stage == BatchStage::Closed {
        office.check("close => ok");
    }
    assert_eq!(office.batch().stage, stage);
    office
}

#[test]
fn each_command_at_each_stage_has_one_answer() {
    const WRONG: &str = "wrong-stage";
    // In the order of the stages: planned, sent, acknowledged, reconciled, closed, cancelled.
    let table: [(&str, [&str; 6]); 11] = [
        ("plan B1 l1=100 l2=200", ["again"; 6]),
        ("plan B1 l1=100 l2=201", ["batch-exists"; 6]),
        ("cancel", ["ok", WRONG, WRONG, WRONG, WRONG, "again"]),
        ("send f", ["ok", "again", "again", "again", "again", WRONG]),
        ("send g", ["ok", "file-differs", "file-differs", "file-differs", "file-differs", WRONG]),
        ("reject", [WRONG, "ok", WRONG, WRONG, WRONG, WRONG]),
        ("ack 2 300 2016-03-01", [WRONG, "ok", "again", "again", "again", WRONG]),
        ("return s l1 back 100 2016-03-01", ["date-invalid", WRONG, "ok", "ok", WRONG, "date-invalid"]),
        ("return s", [WRONG, WRONG, "ok", "ok", WRONG, WRONG]),
        ("reconcile 300 2016-03-01", [WRONG, WRONG, "not-explained", "again", WRONG, WRONG]),
        ("close", [WRONG, WRONG, WRONG, "ok", "again", WRONG]),
    ];
    for (command, answers) in table {
        for (stage, expected) in BatchStage::ALL.into_iter().zip(answers) {
            println!("{command} when {}", stage.as_str());
            at(stage).check(&format!("{command} => {expected}"));
        }
    }
}

#[test]
fn without_a_plan_there_is_no_batch() {
    for command in ["cancel", "send f", "reject", "ack 1 1 2016-03-01", "return r", "giveup l1", "close"] {
        check(&format!("{command} => batch-unknown"));
    }
}

#[test]
fn a_plan_reserves_and_a_cancelled_one_gives_back() {
    check(
        "plan B1 l1=100 l2=200 => ok
         owed h1 900 100
         cancel => ok
         owed h1 1000 0
         plan B2 l1=1000 => ok
         owed h1 0 1000",
    );
}

#[test]
fn plans_are_refused_that_pay_twice_or_nothing() {
    check(
        "plan B1 => batch-empty
         plan B1 l1=0 => amount-not-positive
         plan B1 l1=-5 => amount-not-positive
         plan B1 l1=1 l1=1 => line-repeated
         plan B1 l1=1 l11=1 => line-repeated            # the same household and case
         plan B1 l1=1 l11=1@other => ok
         plan B2 again-l1=1 => ok                       # a name alone links nothing
         plan B3 l2=9223372036854775807 l3=1 => amount-differs",
    );
}

#[test]
fn accounts_of_a_line_are_those_of_a_payment() {
    let office = check("plan B1 l1=1 => ok");
    let mut plan = office.batch().plan.clone();
    plan.id = "B2".parse().unwrap();
    let code = |plan| {
        let command = model::payment::BatchCommand::Plan(plan);
        model::payment::decide(None, &command, office.now).map_err(|refusal| refusal.code.as_str())
    };
    let mut swapped = plan.clone();
    (swapped.lines[0].from, swapped.lines[0].to) = (plan.lines[0].to.clone(), plan.lines[0].from.clone());
    assert_eq!(code(swapped), Err("line-accounts"));
    let mut other_year = plan.clone();
    other_year.lines[0].to = other_year.lines[0].to.next_year();
    assert_eq!(code(other_year), Err("line-accounts"));
    let mut unlinked = plan;
    let line = unlinked.lines[0].id.clone();
    unlinked.lines[0].again = Some(model::payment::LineRef { batch: "B1".parse().unwrap(), line });
    assert_eq!(code(unlinked), Err("again-unlinked"));
}

#[test]
fn a_rejected_file_is_mended_and_another_sent() {
    check(
        "plan B1 l1=100 => ok
         send f => ok
         reject => ok
         owed h1 900 100
         send f => file-rejected
         send g => ok
         ack 1 100 2016-03-01 => ok",
    );
}

#[test]
fn the_bank_acknowledges_what_was_sent() {
    check(
        "plan B1 l1=100 l2=200 => ok
         send f => ok
         ack 1 300 2016-03-01 => totals-differ
         ack 2 299 2016-03-01 => totals-differ
         ack 2 300 2016-02-29 => date-invalid
         ack 2 300 2016-03-02 => date-invalid
         ack 2 300 2016-03-01 => ok",
    );
}

#[test]
fn a_returned_line_is_corrected_and_paid_again_once() {
    check(
        "plan B1 l1=100 l2=200 => ok
         send f => ok
         ack 2 300 2016-03-01 => ok
         on 2016-03-03
         correct l2 => not-returned
         giveup l2 => not-returned
         return r l1 ok 100 2016-03-02 ; l2 back 200 2016-03-02 => ok
         owed h2 1000 0
         reconcile 100 2016-03-03 => ok
         close => return-open
         again B2 B1 again-l2=200 => not-corrected
         correct l2 => ok
         correct l2 => again
         correct l9 => line-unknown
         again B2 B1 again-l9=200 => line-unknown
         again B2 B1 again-l1=100 => not-returned
         again B2 B1 again-l2=199 => amount-differs
         again B2 B1 again-l2=200 l3=7 => ok
         again B2 B1 again-l2=200 l3=7 => again
         again B3 B1 again-l2=200 => already-settled
         giveup l2 => line-unknown                      # B2 knows it by another id
         batch B1
         giveup l2 => already-settled
         correct l2 => already-settled
         close => ok
         batch B2
         send g => ok
         ack 2 207 2016-03-03 => ok
         return s again-l2 ok 200 2016-03-03 ; l3 ok 7 2016-03-03 => ok
         paid h2 200
         reconcile 207 2016-03-03 => ok
         close => ok",
    );
}

#[test]
fn a_line_paid_again_goes_to_the_corrected_payee() {
    let mut office = check(
        "plan B1 l1=100 => ok
         send f => ok
         ack 1 100 2016-03-01 => ok
         return r l1 back 100 2016-03-01 => ok
         correct l1 => ok",
    );
    let mut plan = office.batch().plan.clone();
    plan.id = "B2".parse().unwrap();
    plan.lines[0].again =
        Some(model::payment::LineRef { batch: "B1".parse().unwrap(), line: plan.lines[0].id.clone() });
    let refusal = model::payment::plan_again(office.batch(), None, &plan, office.now);
    assert_eq!(refusal.map_err(|refusal| refusal.code.as_str()), Err("payee-changed"));
    office.check("again B2 B1 again-l1=100 => ok");
}

#[test]
fn a_return_that_is_given_up_lets_the_batch_close() {
    let mut office = check(
        "plan B1 l1=100 => ok
         send f => ok
         ack 1 100 2016-03-01 => ok
         return r l1 back 100 2016-03-01 => ok
         reconcile 0 2016-03-01 => ok
         giveup l1 => ok
         giveup l1 => again
         close => ok
         owed h1 1000 0",
    );
    // The money is owed no more: the commitment is reversed, and the county has it back.
    let reverse = model::ledger::Draft {
        key: "died".parse().unwrap(),
        action: model::ledger::Action::Reverse {
            resolves: model::ledger::TransferId::of(&"verify-h1".parse().unwrap()),
            fen: crate::office::fen("100"),
        },
        basis: crate::office::basis("case"),
        effective_on: office.now.day(),
    };
    office.post(&model::ledger::Command::Transfer(reverse));
    office.check("owed h1 900 0");
}

#[test]
fn a_late_return_opens_the_batch_again() {
    check(
        "plan B1 l1=100 l2=200 => ok
         send f => ok
         ack 2 300 2016-03-01 => ok
         on 2016-03-10
         return r l1 ok 100 2016-03-02 ; l2 ok 200 2016-03-05 => ok
         reconcile 300 2016-03-06 => ok
         return s l2 back 199 2016-03-08 => amount-differs
         return s l2 back 200 2016-03-04 => date-invalid   # before it was delivered
         return s l2 back 200 2016-03-08 => ok
         stage acknowledged
         see l2 0 200 0
         paid h2 0
         owed h2 1000 0
         return t l2 back 200 2016-03-08 => already-explained
         reconcile 300 2016-03-09 => statement-differs
         reconcile 100 2016-03-09 => ok",
    );
}

#[test]
fn a_correction_is_of_what_was_returned_until_then() {
    check(
        "plan B1 l1=500 => ok
         send f => ok
         ack 1 500 2016-03-01 => ok
         return r1 l1 ok 300 2016-03-01 => ok
         return r2 l1 back 200 2016-03-01 => ok
         correct l1 => ok
         return r3 l1 back 300 2016-03-01 => ok
         again B2 B1 again-l1=500 => not-corrected",
    );
}

#[test]
fn returns_of_one_line_at_different_times_are_each_dealt_with() {
    check(
        "plan B1 l1=500 => ok
         send f => ok
         ack 1 500 2016-03-01 => ok
         return r1 l1 ok 300 2016-03-01 => ok
         return r2 l1 back 200 2016-03-01 => ok
         see l1 300 200 0
         correct l1 => ok
         again B2 B1 again-l1=200 => ok
         batch B1
         return r3 l1 back 300 2016-03-01 => ok          # the part that was delivered comes back too
         see l1 0 500 0
         again B3 B1 again-l1=300 => not-corrected
         batch B1
         correct l1 => ok
         again B3 B1 again-l1=500 => amount-differs
         again B3 B1 again-l1=300 => ok
         owed h1 500 500",
    );
}
