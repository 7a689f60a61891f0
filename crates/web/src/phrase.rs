//! Sentences with numbers and names in them, in both languages.

use app::verdict::{Kind, State};
use model::{ClauseId, Date, Lang};

use crate::format;

/// `第七条`, `Article 7`.
pub fn article(id: &ClauseId, lang: Lang) -> String {
    let text = id.to_string();
    match (lang, text.parse::<u32>()) {
        (Lang::Zh, Ok(number)) => format!("第{}条", chinese(number)),
        (Lang::Zh, Err(_)) => format!("附加 {text}"),
        (Lang::En, Ok(_)) => format!("Article {text}"),
        (Lang::En, Err(_)) => format!("Supplement {text}"),
    }
}

/// A whole number below a hundred in Chinese digits; larger ones as they are.
fn chinese(number: u32) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |digit: u32| DIGITS[digit as usize % 10];
    match number {
        1..=9 => digit(number).to_owned(),
        10..=19 => format!("十{}", digit(number % 10)),
        20..=99 => format!("{}十{}", digit(number / 10), digit(number % 10)),
        _ => number.to_string(),
    }
}

/// What so many records are called: `户`, `条“住院”`, `households`.
pub fn of_entity(label: &str, number: u64, lang: Lang) -> String {
    // `县（市、区）` is counted as `县`.
    let label = label.split('（').next().unwrap_or(label);
    match lang {
        // Households, persons and villages are counted without a measure word.
        Lang::Zh if label.chars().count() == 1 => label.to_owned(),
        Lang::Zh => format!("条“{label}”"),
        Lang::En if number == 1 => label.to_owned(),
        Lang::En => plural(label),
    }
}

fn plural(word: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|end| word.ends_with(end));
    match word.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "ch", "sh"]) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// What a verdict is called: `应享受`, `达标`, `存在问题`.
pub fn state(kind: Kind, state: State, lang: Lang) -> &'static str {
    let (zh, en) = match (kind, state) {
        (_, State::Unknown) => ("未知", "unknown"),
        (_, State::Outside) => ("不适用", "not concerned"),
        (Kind::Benefit, State::Yes) => ("应享受", "entitled"),
        (Kind::Benefit, State::No) => ("不符合条件", "not entitled"),
        (Kind::Standard, State::Yes) => ("达标", "met"),
        (Kind::Standard, State::No) => ("未达标", "not met"),
        (Kind::Duty, State::Yes) => ("已履行", "done"),
        (Kind::Duty, State::No) => ("未履行", "not done"),
        (Kind::Check, State::Yes) => ("存在问题", "contradictory"),
        (Kind::Check, State::No) => ("未发现问题", "in order"),
    };
    if lang == Lang::Zh { zh } else { en }
}

/// The word of a state in an address.
pub const fn state_word(state: State) -> &'static str {
    match state {
        State::Yes => "yes",
        State::No => "no",
        State::Unknown => "unknown",
        State::Outside => "outside",
    }
}

pub fn state_of_word(word: &str) -> Option<State> {
    [State::Yes, State::No, State::Unknown, State::Outside]
        .into_iter()
        .find(|state| state_word(*state) == word)
}

/// `2 户未知`.
pub fn unknown(number: u64, label: &str, lang: Lang) -> String {
    let count = format::count(number);
    let of = of_entity(label, number, lang);
    match lang {
        Lang::Zh => format!("{count} {of}未知"),
        Lang::En => format!("{count} {of} unknown"),
    }
}

/// `目标 100 %（2020 年）`; the share is scaled by ten thousand.
pub fn target(share: i64, by: i32, lang: Lang) -> String {
    let share = format::percent(u64::try_from(share).unwrap_or(0), 10_000);
    match lang {
        Lang::Zh => format!("目标 {share}（{by} 年）"),
        Lang::En => format!("target {share} by {by}"),
    }
}

/// `每年`, of what is due so often; empty for once.
pub fn every(period: pack::program::Period, lang: Lang) -> &'static str {
    use pack::program::Period as P;
    let (zh, en) = match period {
        P::Once => ("", ""),
        P::Month => ("每月", "a month"),
        P::Quarter => ("每季度", "a quarter"),
        P::Term => ("每学期", "a term"),
        P::Year => ("每年", "a year"),
    };
    if lang == Lang::Zh { zh } else { en }
}

/// `共 20 户`.
pub fn all_of(number: u64, label: &str, lang: Lang) -> String {
    let of = of_entity(label, number, lang);
    match lang {
        Lang::Zh => format!("共 {} {of}", format::count(number)),
        Lang::En => format!("{} {of}", format::count(number)),
    }
}

/// `第 1 至 100 行`.
pub fn rows(from: usize, to: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("第 {from} 至 {to} 行"),
        Lang::En => format!("rows {from} to {to}"),
    }
}

/// `其后登记的 3 项修改未计入`.
pub fn changes_since(number: usize, lang: Lang) -> String {
    match (lang, number) {
        (Lang::Zh, 0) => "其后没有新的登记".to_owned(),
        (Lang::Zh, number) => format!("其后登记的 {number} 条记录尚未计入"),
        (Lang::En, 0) => "nothing recorded since".to_owned(),
        (Lang::En, 1) => "1 record recorded since is not in it yet".to_owned(),
        (Lang::En, number) => format!("{number} records recorded since are not in it yet"),
    }
}

/// `另有 12 项`.
pub fn more(number: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("另有 {number} 项"),
        Lang::En => format!("{number} more"),
    }
}

/// `3 项尚无记录`.
pub fn quiet(number: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{number} 项尚无可算的记录"),
        Lang::En => format!("{number} without records to compute from"),
    }
}

/// `核查 5 项，发现 12 处问题`.
pub fn checks(rules: usize, problems: u64, lang: Lang) -> String {
    let count = format::count(problems);
    match (lang, problems) {
        (Lang::Zh, 0) => format!("核查 {rules} 项，未发现问题"),
        (Lang::Zh, _) => format!("核查 {rules} 项，发现 {count} 处问题"),
        (Lang::En, 0) => format!("{}, nothing contradictory", checks_en(rules)),
        (Lang::En, _) => format!("{}, {count} contradictory", checks_en(rules)),
    }
}

/// `已批准发放 2 笔`.
pub fn paid_to(number: usize, lang: Lang) -> String {
    match (lang, number) {
        (Lang::Zh, _) => format!("已批准发放 {number} 笔"),
        (Lang::En, 1) => "1 payment approved".to_owned(),
        (Lang::En, _) => format!("{number} payments approved"),
    }
}

/// `68 项参数中 12 项是示例值`.
pub fn assumed(number: usize, all: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("共 {all} 项，其中 {number} 项是示例值，须由本地填报"),
        Lang::En => format!("{all} in all; {number} of them are example values that the place has to report"),
    }
}

/// `2 项未达标`.
pub fn standards_unmet(number: usize, lang: Lang) -> String {
    match (lang, number) {
        (Lang::Zh, _) => format!("{number} 项未达标"),
        (Lang::En, 1) => "1 standard not met".to_owned(),
        (Lang::En, _) => format!("{number} standards not met"),
    }
}

/// `3 处问题`.
pub fn problems(number: usize, lang: Lang) -> String {
    match (lang, number) {
        (Lang::Zh, _) => format!("{number} 处问题"),
        (Lang::En, 1) => "1 contradiction".to_owned(),
        (Lang::En, _) => format!("{number} contradictions"),
    }
}

/// `2 项未知`.
pub fn results_unknown(number: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{number} 项未知"),
        Lang::En => format!("{number} unknown"),
    }
}

fn checks_en(rules: usize) -> String {
    if rules == 1 { "1 check".to_owned() } else { format!("{rules} checks") }
}

/// `逾期 2 天`, `今天`, `剩 3 天`.
pub fn due_in(today: Date, due: Date, lang: Lang) -> (String, bool) {
    let days = Date::days_between(today, due);
    let text = match (lang, days) {
        (Lang::Zh, 0) => "今天".to_owned(),
        (Lang::Zh, ..0) => format!("逾期 {} 天", -days),
        (Lang::Zh, _) => format!("剩 {days} 天"),
        (Lang::En, 0) => "today".to_owned(),
        (Lang::En, ..0) => format!("{} days late", -days),
        (Lang::En, _) => format!("{days} days left"),
    };
    (text, days < 0)
}

/// Where a fact was recorded.
pub fn provenance(
    file: &str,
    sheet: Option<&str>,
    row: Option<u32>,
    recorded: Option<Date>,
    lang: Lang,
) -> String {
    let mut parts = vec![file.to_owned()];
    parts.extend(sheet.filter(|sheet| !sheet.is_empty()).map(str::to_owned));
    parts.extend(row.map(|row| if lang == Lang::Zh { format!("第 {row} 行") } else { format!("row {row}") }));
    parts.extend(
        recorded.map(|on| if lang == Lang::Zh { format!("{on} 录入") } else { format!("recorded {on}") }),
    );
    parts.join(if lang == Lang::Zh { "，" } else { ", " })
}

/// Which of a list: `其中`, `of which`.
pub const fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "：",
        Lang::En => ": ",
    }
}

/// What parts of an enumeration stand between.
pub const fn comma(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "、",
        Lang::En => ", ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_counted_as_the_law_does() {
        for (id, zh, en) in [
            ("7", "第七条", "Article 7"),
            ("10", "第十条", "Article 10"),
            ("11", "第十一条", "Article 11"),
            ("20", "第二十条", "Article 20"),
            ("29", "第二十九条", "Article 29"),
            ("X3", "附加 X3", "Supplement X3"),
        ] {
            let id: ClauseId = id.parse().unwrap();
            assert_eq!((article(&id, Lang::Zh).as_str(), article(&id, Lang::En).as_str()), (zh, en));
        }
    }

    #[test]
    fn records_are_counted_in_words_of_both_languages() {
        for (label, number, lang, text) in [
            ("户", 2, Lang::Zh, "户"),
            ("住院", 2, Lang::Zh, "条“住院”"),
            ("县（市、区）", 2, Lang::Zh, "县"),
            ("household", 1, Lang::En, "household"),
            ("county", 2, Lang::En, "counties"),
            ("branch", 3, Lang::En, "branches"),
            ("stay", 3, Lang::En, "stays"),
        ] {
            assert_eq!(of_entity(label, number, lang), text);
        }
    }

    #[test]
    fn a_deadline_says_how_late_it_is() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let check = |due: &str, zh: &str, late: bool| {
            assert_eq!(due_in(day("2016-03-10"), day(due), Lang::Zh), (zh.to_owned(), late));
        };
        check("2016-03-08", "逾期 2 天", true);
        check("2016-03-10", "今天", false);
        check("2016-03-13", "剩 3 天", false);
    }
}
