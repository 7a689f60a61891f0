//! What went wrong in other systems that pay.

use model::Reason;
use model::payment::{ReceiveError, receive, render};

use crate::files::{csv_layout, layout_matched_by};
use crate::office::{Office, check, date, payees};

fn sent() -> Office {
    check(
        "plan B1 l1=500 l2=200 l3=300 => ok
         send f => ok
         ack 3 1000 2016-03-01 => ok
         on 2016-03-10",
    )
}

/// The code of the first finding, or the number of events.
fn received(office: &Office, text: &str) -> Result<usize, &'static str> {
    received_by(office, &csv_layout(), text)
}

fn received_by(
    office: &Office,
    layout: &model::payment::BankLayout,
    text: &str,
) -> Result<usize, &'static str> {
    match receive(office.batch(), layout, &payees(office.batch()), text.as_bytes(), office.now) {
        Ok(events) => Ok(events.len()),
        Err(ReceiveError::Faults(faults)) => Err(faults[0].code.as_str()),
        Err(ReceiveError::Findings(findings)) => Err(findings[0].code.as_str()),
        Err(ReceiveError::Refused(refusal)) => Err(refusal.code.as_str()),
    }
}

#[test]
fn the_same_return_file_twice_changes_nothing() {
    let mut office = sent();
    let text = "l1,王一,622848000000 0001,5.00,2016-03-02,00,\n".replace(' ', "");
    let events =
        receive(office.batch(), &csv_layout(), &payees(office.batch()), text.as_bytes(), office.now).unwrap();
    office.record(&"B1".parse().unwrap(), &events);
    let before = office.batch().clone();
    assert_eq!(received(&office, &text), Ok(0));
    assert_eq!(*office.batch(), before);
    // The same rows in another file are not the same file: the line is explained already.
    assert_eq!(received(&office, &format!("{text}\r\n")), Err("already-explained"));
    office.check("paid h1 500");
}

#[test]
fn the_same_payment_file_is_sent_once() {
    check(
        "plan B1 l1=500 => ok
         send f => ok
         send f => again
         send g => file-differs
         owed h1 500 500",
    );
}

#[test]
fn a_file_counts_in_whole_or_not_at_all() {
    let mut office = sent();
    let good = "l1,王一,6228480000000001,5.00,2016-03-02,00,\n";
    for (row, code) in [
        ("l9,王一,6228480000000001,5.00,2016-03-02,00,\n", "line-unknown"),
        ("l2,李二,6228480000000002,2.01,2016-03-02,00,\n", "amount-differs"),
        ("l2,李二,6228480000000002,2.00,2016-03-02,77,\n", "status-unknown"),
        ("l2,李二,6228480000000002,2.00,2016-02-29,00,\n", "date-invalid"),
        ("l2,李二,6228480000000002,2.00,2016-03-11,00,\n", "date-invalid"),
        ("l2,李二,6228480000000003,2.00,2016-03-02,00,\n", "payee-differs"),
        ("l2,李四,6228480000000002,2.00,2016-03-02,00,\n", "payee-differs"),
        ("l1,王一,6228480000000001,5.00,2016-03-02,00,\n", "line-repeated"),
        ("l2,李二,6228480000000002,two,2016-03-02,00,\n", "not-an-amount"),
        ("l2,李二\n", "cell-count"),
    ] {
        assert_eq!(received(&office, &format!("{good}{row}")), Err(code), "{row}");
        assert_eq!(received(&office, &format!("{row}{good}")), Err(code), "{row}");
    }
    office.check("see l1 0 0 500");
    assert_eq!(received(&office, good), Ok(1));
}

#[test]
fn two_banks_match_by_different_columns() {
    let office = sent();
    let row = "l2,李二,6228480000000002,2.00,2016-03-02,00,\n";
    for fields in [&["line"][..], &["account"], &["name", "amount"], &["name", "account"]] {
        assert_eq!(received_by(&office, &layout_matched_by(fields), row), Ok(1), "{fields:?}");
    }
    // One bank gives no ids back, the other no names.
    let no_id = ",李二,6228480000000002,2.00,2016-03-02,00,\n";
    assert_eq!(received_by(&office, &layout_matched_by(&["account"]), no_id), Ok(1));
    assert_eq!(received_by(&office, &layout_matched_by(&["line"]), no_id), Err("line-unknown"));
    let no_name = "l2,,,2.00,2016-03-02,00,\n";
    assert_eq!(received_by(&office, &layout_matched_by(&["line"]), no_name), Ok(1));
    assert_eq!(received_by(&office, &layout_matched_by(&["account"]), no_name), Err("line-unknown"));
}

#[test]
fn lines_that_the_return_cannot_tell_apart_are_found_before_anything_is_paid() {
    let office = check("plan B1 l1=200 l2=200 => ok");
    let layout = layout_matched_by(&["amount"]);
    let faults = render(office.batch(), &layout, &payees(office.batch()), date("2016-03-01")).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "two lines cannot be told apart by the columns that the bank returns: `l1, l2`"
    );
    let mut office = office;
    office.check("send f => ok\nack 2 400 2016-03-01 => ok");
    let row = "l2,李二,6228480000000002,2.00,2016-03-01,00,\n";
    assert_eq!(received_by(&office, &layout, row), Err("line-ambiguous"));
}

#[test]
fn sent_is_not_reconciled() {
    let mut office = check("plan B1 l1=500 => ok\nsend f => ok\nreconcile 500 2016-03-01 => wrong-stage");
    office.check(
        "ack 1 500 2016-03-01 => ok
         reconcile 500 2016-03-01 => not-explained
         paid h1 0
         return r l1 ok 500 2016-03-01 => ok
         reconcile 500 2016-03-01 => ok",
    );
}

#[test]
fn a_delivered_amount_is_never_rounded() {
    let office = sent();
    let row = |amount: &str| format!("l1,王一,6228480000000001,{amount},2016-03-02,00,\n");
    for amount in ["4.995", "5.001", "5.00元", "5e0", "", "伍元"] {
        assert_eq!(received(&office, &row(amount)), Err("not-an-amount"), "{amount}");
    }
    assert_eq!(received(&office, &row("5")), Ok(1));
}

#[test]
fn the_remainder_of_a_part_delivery_is_kept() {
    let mut office = sent();
    office.check(
        "return r1 l1 ok 120 2016-03-05 => ok
         see l1 120 0 380
         owed h1 500 380
         reconcile 120 2016-03-10 => not-explained
         return r2 l1 ok 80 2016-03-04 => ok      # parts come in any order
         return r3 l1 ok 301 2016-03-06 => amount-differs
         return r3 l1 back 299 2016-03-06 => amount-differs
         return r3 l1 ok 300 2016-03-06 => ok
         return r4 l1 ok 1 2016-03-06 => already-explained
         paid h1 500
         owed h1 500 0",
    );
}

#[test]
fn a_line_delivered_in_part_is_not_explained() {
    check(
        "plan B1 l1=500 => ok
         send f => ok
         ack 1 500 2016-03-01 => ok
         return r l1 ok 499 2016-03-01 => ok
         reconcile 499 2016-03-01 => not-explained
         return s l1 back 1 2016-03-01 => ok
         reconcile 499 2016-03-01 => ok",
    );
}

#[test]
fn a_part_is_a_finding_where_the_bank_delivers_whole() {
    let office = sent();
    let mut layout = csv_layout();
    let row = "l1,王一,6228480000000001,1.20,2016-03-02,00,\n";
    assert_eq!(received_by(&office, &layout, row), Ok(1));
    layout.parts = false;
    assert_eq!(received_by(&office, &layout, row), Err("amount-differs"));
}

#[test]
fn delivery_dates_lie_between_sending_and_today() {
    let mut office = sent();
    office.check(
        "return r l1 ok 500 2016-02-29 => date-invalid
         return r l1 ok 500 2016-03-11 => date-invalid
         return r l1 ok 500 2016-03-01 => ok",
    );
}

#[test]
fn one_payment_has_one_row_of_a_file() {
    let mut office = sent();
    office.check(
        "return r l1 ok 200 2016-03-02 ; l1 ok 300 2016-03-02 => line-repeated
         see l1 0 0 500",
    );
}

#[test]
fn what_was_received_is_not_taken_from_what_was_billed() {
    let mut office = sent();
    office.check(
        "return r l1 ok 500 2016-03-02 ; l2 back 200 2016-03-02 ; l3 ok 300 2016-03-02 => ok
         reconcile 1000 2016-03-10 => statement-differs
         reconcile 800 2016-03-11 => date-invalid
         reconcile 800 2016-03-10 => ok",
    );
}

#[test]
fn a_payee_who_is_not_given_cannot_be_matched_by() {
    let office = sent();
    let row = b"l1,\xe7\x8e\x8b\xe4\xb8\x80,6228480000000001,5.00,2016-03-02,00,\n";
    let found = receive(
        office.batch(),
        &layout_matched_by(&["account"]),
        &model::payment::Payees::new(),
        row,
        office.now,
    );
    let Err(ReceiveError::Findings(findings)) = found else { panic!("findings") };
    assert_eq!(findings[0].code.as_str(), "payee-missing");
}

#[test]
fn the_file_of_another_batch_is_refused() {
    let mut office = sent();
    office.check("return r x1 ok 500 2016-03-02 => line-unknown");
    let with_batch = crate::files::fixed_layout();
    let mut row = b"B2        ".to_vec();
    row.extend(b"00000001");
    row.extend(b"0000000500");
    row.extend(b"2016030200");
    let found = receive(office.batch(), &with_batch, &payees(office.batch()), &row, office.now);
    let Err(ReceiveError::Findings(findings)) = found else { panic!("{found:?}") };
    assert_eq!(findings[0].to_string(), "1: no line of the batch matches; expected `B1`");
}
