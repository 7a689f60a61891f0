//! From the province's document to the person, through the bank and back.

use model::ledger::{Holder, trace_document, trace_holder};
use model::payment::{receive, render};
use model::{Digest, Fen};

use crate::files::fixed_layout;
use crate::office::{Office, check, date, payees};

/// Renders the file of the current batch and sends it.
fn send(office: &mut Office) -> Vec<u8> {
    let file = render(office.batch(), &fixed_layout(), &payees(office.batch()), office.now.day()).unwrap();
    let command = model::payment::BatchCommand::Send { digest: Digest::of(&file) };
    let events = model::payment::decide(Some(office.batch()), &command, office.now).unwrap();
    let id = office.current.clone();
    office.record(&id, &events);
    file
}

fn take(office: &mut Office, rows: &[&str]) {
    let bytes = rows.join("\r\n").into_bytes();
    let events =
        receive(office.batch(), &fixed_layout(), &payees(office.batch()), &bytes, office.now).unwrap();
    let id = office.current.clone();
    office.record(&id, &events);
    office.check_office();
}

#[test]
fn a_fen_goes_from_the_document_to_the_person_and_a_returned_one_is_paid_again() {
    let mut office = check("plan B1 l1=500 l2=200 => ok");
    let file = send(&mut office);
    assert!(file.starts_with(b"B1        20160301000002000000000700\r\n"));
    office.check("ack 2 700 2016-03-01 => ok\non 2016-03-04");
    take(&mut office, &["B1        0000000100000005002016030200", "B1        0000000200000002002016030301"]);
    office.check(
        "paid h1 500
         owed h2 1000 0
         reconcile 500 2016-03-04 => ok
         correct l2 => ok
         again B2 B1 again-l2=200 => ok
         batch B1
         close => ok
         batch B2",
    );
    send(&mut office);
    office.check("ack 1 200 2016-03-04 => ok\non 2016-03-08");
    take(&mut office, &["B2        0000000100000002002016030700"]);
    office.check("reconcile 200 2016-03-08 => ok\nclose => ok\npaid h2 200");

    // Down: where everything of the document is.
    let descent = trace_document(&office.book, &"川财社〔2016〕12号".parse().unwrap()).unwrap();
    let sums = [descent.granted, descent.uncommitted, descent.owed, descent.with_bank, descent.delivered];
    assert_eq!(sums.map(Fen::fen), [8000, 3000, 4300, 0, 700]);
    let paid: Vec<(String, i64)> =
        descent.paid.iter().map(|paid| (paid.holder.to_string(), paid.fen.fen())).collect();
    assert_eq!(paid, [("household:h1".into(), 500), ("household:h2".into(), 200)]);

    // Up: on what ground one person has the money.
    let chains = trace_holder(&office.book, &Holder::Household("h2".parse().unwrap()));
    let [chain] = &chains[..] else { panic!("one delivery stands") };
    let steps: Vec<String> = chain
        .links
        .iter()
        .map(|link| {
            let transfer = &link.posting.transfer;
            let kind = transfer.draft.action.kind();
            format!("{kind} {} {} -> {}", transfer.fen.fen(), transfer.debit, transfer.credit)
        })
        .collect();
    insta::assert_snapshot!(steps.join("\n"), @r"
    move 8000 source/2016/living/川财社〔2016〕12号/51 -> appropriated/2016/living/川财社〔2016〕12号/51
    move 6000 appropriated/2016/living/川财社〔2016〕12号/51 -> allotted/2016/living/川财社〔2016〕12号/513431
    reserve 1000 allotted/2016/living/川财社〔2016〕12号/513431 -> encumbered/2016/living/川财社〔2016〕12号/household:h2
    post 1000 allotted/2016/living/川财社〔2016〕12号/513431 -> encumbered/2016/living/川财社〔2016〕12号/household:h2
    reserve 200 encumbered/2016/living/川财社〔2016〕12号/household:h2 -> settled/2016/living/川财社〔2016〕12号/household:h2
    post 200 encumbered/2016/living/川财社〔2016〕12号/household:h2 -> settled/2016/living/川财社〔2016〕12号/household:h2
    ");
    let basis = &chain.links[5].posting.transfer.draft.basis;
    assert!(basis.decision.is_some() && basis.case.is_some());
}

#[test]
fn what_the_book_refuses_the_batch_does_not_plan() {
    let office = check("plan B1 l1=900 => ok");
    let text = office.batch().plan.clone();
    let mut plan = model::payment::BatchPlan { id: "B2".parse().unwrap(), ..text };
    plan.lines[0].fen = Fen::from_fen(101);
    let event = model::payment::BatchEvent::Planned { plan, at: office.now };
    let command = model::payment::postings(None, &event).unwrap();
    let refusal = model::ledger::decide(&office.book, &command, office.now).unwrap_err();
    assert_eq!(refusal.code, model::ledger::LedgerCode::BeyondBalance);
    assert_eq!(date("2016-03-01"), office.now.day());
}
