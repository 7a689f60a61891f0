//! Refusals: stable codes and their words.

use model::{Fen, Lang, Refusal, RefusalCode, Text, normalise_header, normalise_text};
use proptest::prelude::*;

#[test]
fn codes_round_trip_and_are_kebab_case() {
    for code in RefusalCode::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert!(code.as_str().chars().all(|char| char.is_ascii_lowercase() || char == '-'), "{code}");
    }
    assert!("no-such-code".parse::<RefusalCode>().is_err());
}

/// Other programs rely on the codes: a change of this list is a change of an interface.
#[test]
fn codes_and_words_stay_as_published() {
    let lines: Vec<String> = RefusalCode::ALL
        .iter()
        .map(|code| {
            let (title, hint) = (code.title(), code.hint());
            format!("{code}\n  {} | {}\n  {} | {}", title.zh, hint.zh, title.en, hint.en)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn messages_hold_only_what_is_known() {
    let check = |refusal: Refusal, zh: &str, en: &str| assert_eq!(refusal.message(), Text::new(zh, en));
    let months = Refusal::new(RefusalCode::OutOfRange);
    check(months.clone(), "超出允许范围", "outside the allowed range");
    let months = months.field(Text::new("务工时间", "months worked")).value(14).expected("0-12");
    check(
        months,
        "`务工时间`：超出允许范围：`14`；应为 `0-12`",
        "`months worked`: outside the allowed range: `14`; expected `0-12`",
    );
    let amount = Refusal::from("1.005".parse::<Fen>().expect_err("three decimals"));
    assert_eq!(amount.to_string(), "more decimals than the field allows: `1.005`; expected `0.00`");
    assert_eq!(amount.message_in(Lang::Zh), "小数位过多：`1.005`；应为 `0.00`");
}

#[test]
fn english_words_begin_in_lower_case_and_end_openly() {
    for code in RefusalCode::ALL {
        for words in [code.title().en, code.hint().en] {
            assert!(!words.starts_with(|first: char| first.is_ascii_uppercase()), "{words}");
            assert!(!words.ends_with('.'), "{words}");
        }
    }
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in "\\PC*") {
        let once = normalise_text(&text).into_owned();
        prop_assert_eq!(normalise_text(&once), once.as_str());
        let header = normalise_header(&text);
        prop_assert_eq!(normalise_header(&header), header);
    }
}
