//! What holds for any sequence of commands to batches, retried and out of order.

use proptest::prelude::*;

use crate::office::{Office, noon};

/// Commands over few lines, amounts and files, so that they meet one another.
fn command() -> impl Strategy<Value = String> {
    let outcome = (
        1..4_u8,
        any::<bool>(),
        prop::sample::select(vec![100, 100, 100, 100, 50, 50, 20, 80, 0, 300]),
        1..6_u8,
    )
        .prop_map(|(line, ok, fen, day)| {
            format!("l{line} {} {fen} 2016-03-0{day}", if ok { "ok" } else { "back" })
        });
    let returns = (0..40_u8, prop::collection::vec(outcome, 0..3))
        .prop_map(|(file, rows)| format!("return r{file} {}", rows.join(" ; ")));
    let fixed =
        |texts: &[&str]| prop::sample::select(texts.iter().map(ToString::to_string).collect::<Vec<String>>());
    prop_oneof![
        6 => returns,
        1 => fixed(&["plan B1 l1=100 l2=100 l3=100", "plan B1 l1=1", "cancel", "reject", "send f", "send g"]),
        3 => fixed(&[
            "ack 3 300 2016-03-01", "reconcile 300 2016-03-05", "reconcile 200 2016-03-05",
            "reconcile 100 2016-03-05", "reconcile 0 2016-03-05", "close",
        ]),
        3 => fixed(&["correct l1", "correct l2", "correct l3", "giveup l1", "giveup l2"]),
        2 => fixed(&[
            "again B2 B1 again-l1=100", "again B3 B1 again-l2=100", "again B4 B1 again-l1=100",
            "again B5 B1 again-l1=80", "again B6 B1 again-l2=50",
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Batches and book agree after every command, and a retry changes nothing.
    #[test]
    fn a_fen_is_delivered_returned_or_open(texts in prop::collection::vec(command(), 1..60)) {
        let mut office = Office::new();
        for setting in ["plan B1 l1=100 l2=100 l3=100", "send f", "ack 3 300 2016-03-01"] {
            office.run(setting).unwrap();
        }
        office.now = noon("2016-03-05");
        for text in texts {
            office.current = "B1".parse().unwrap();
            let before = office.batches.clone();
            match office.run(&text) {
                Ok(_) => {
                    let after = (office.batches.clone(), office.book.clone());
                    // A rejected file and one sent later again are another story, told by `file-rejected`.
                    if text != "reject" {
                        office.current = "B1".parse().unwrap();
                        prop_assert_eq!(office.run(&text), Ok(0), "{}", text);
                        prop_assert_eq!(&after, &(office.batches.clone(), office.book.clone()));
                    }
                }
                Err(_) => prop_assert_eq!(&before, &office.batches),
            }
            office.check_office();
        }
        // Whoever has money was owed it: nobody received more than the county verified.
        for household in ["h1", "h2", "h3"] {
            let owed = office.book.account(&crate::office::account(model::ledger::Layer::Encumbered, household));
            prop_assert!(!owed.unwrap().available().unwrap().is_negative());
        }
    }
}
