//! A figure as pages show it: how many, of what, the rest beside it, each a door to its list.

use app::reading::{Figure, Place};
use app::verdict::{Kind, State};
use model::Lang;
use pack::program::{Rule, RuleDetail};

use crate::access::{PUBLIC_COUNT_MIN, Wish};
use crate::answer::Fault;
use crate::format::{self, Shown};
use crate::link::Link;
use crate::phrase;
use crate::shell::Desk;

/// One count of a figure.
#[derive(Clone, Debug)]
pub struct Part {
    /// The number, or that it is withheld.
    pub number: String,
    pub text: String,
    /// The list that it counts; none where this person may not see it.
    pub link: Option<String>,
    /// What the style calls it: `met`, `unmet`, `unknown`.
    pub class: &'static str,
}

/// The parts of a bar that are known, in thousandths.
#[derive(Clone, Debug)]
pub struct Bar {
    pub met: u32,
    pub unmet: u32,
    /// The same in words.
    pub label: String,
}

/// What a rule comes to in a division.
#[derive(Clone, Debug)]
pub struct FigureView {
    pub title: String,
    /// The number that is read first, with what it counts.
    pub lead: Part,
    pub rest: Vec<Part>,
    pub bar: Option<Bar>,
    pub target: Option<String>,
    /// Money or a quantity, with what it is.
    pub amount: Option<(String, Shown)>,
    pub unknown: Option<Part>,
}

/// What anyone is told of counts that make up a whole: none where one is so small, or follows from the others and is,
/// that it would tell of single households.
fn told(counts: [u64; 3], withholds: bool) -> [Option<u64>; 3] {
    let small = |count: &u64| (1..PUBLIC_COUNT_MIN).contains(count);
    if !withholds || !counts.iter().any(small) {
        return counts.map(Some);
    }
    let greatest = counts.iter().copied().max().unwrap_or(0);
    let others: u64 = counts.iter().sum::<u64>() - greatest;
    counts.map(|count| (count == 0 || (count == greatest && others >= PUBLIC_COUNT_MIN)).then_some(count))
}

/// The link to the list of the records of which a rule says something.
pub fn rule_list(
    desk: &Desk,
    place: Place,
    rule: &Rule,
    figure: &Figure,
    state: State,
) -> Result<Link, Fault> {
    let entity = &desk.reading.program().entity(figure.verdict.entity).name;
    let code = desk.reading.place_code(place)?;
    let criterion = format!("{}:{}", rule.id, phrase::state_word(state));
    Ok(Link::to(["list", entity]).with("division", code).with("rule", criterion))
}

/// A figure for this person.
pub fn view(desk: &Desk, place: Place, figure: &Figure) -> Result<FigureView, Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let rule = &reading.program().rules[figure.rule.index()];
    let kind = figure.verdict.kind;
    let label = reading.entity_label(figure.verdict.entity, lang);
    let open = desk.may(Wish::List(place))?;
    let withholds = desk.viewer.withholds() && reading.is_personal(figure.verdict.entity);
    let [yes, no, unknown] = told([figure.yes, figure.no, figure.unknown], withholds);
    let part = |state: State, count: Option<u64>, class: &'static str| -> Result<Part, Fault> {
        let link = if open { Some(rule_list(desk, place, rule, figure, state)?.to_string()) } else { None };
        let number = count.map_or_else(|| desk.w.withheld.to_owned(), format::count);
        Ok(Part { number, text: phrase::state(kind, state, lang).to_owned(), link, class })
    };
    let (met, unmet) = (part(State::Yes, yes, "met")?, part(State::No, no, "unmet")?);
    let unknown_part = part(State::Unknown, unknown, "unknown")?;
    let whole = yes.zip(no).zip(unknown);
    let bar = whole
        .filter(|_| !matches!(kind, Kind::Benefit | Kind::Check))
        .map(|((yes, no), unknown)| bar([yes, no, unknown], [&met, &unmet, &unknown_part], lang));
    let mut view = FigureView {
        title: rule.title.get(lang).to_owned(),
        rest: Vec::new(),
        bar,
        target: None,
        amount: None,
        unknown: (figure.unknown > 0).then(|| unknown_part.clone()),
        lead: met.clone(),
    };
    match kind {
        Kind::Benefit | Kind::Check => {
            let count = yes.unwrap_or(PUBLIC_COUNT_MIN);
            view.lead.text = format!("{} {}", phrase::of_entity(label, count, lang), view.lead.text);
        }
        Kind::Standard | Kind::Duty => {
            if figure.subjects() == 0 {
                // No share of nothing: what is there to say is that all of it is unknown.
                view.lead = unknown_part.clone();
                view.lead.text =
                    format!("{} {}", phrase::of_entity(label, figure.unknown, lang), desk.w.unknown);
                view.unknown = None;
                return Ok(with_target(view, rule, lang));
            }
            if let Some((yes, no)) = yes.zip(no) {
                view.lead.number = format::percent(yes, yes + no);
                of_known(kind, lang).clone_into(&mut view.lead.text);
            } else {
                view.lead.text = format!("{} {}", phrase::of_entity(label, 2, lang), view.lead.text);
            }
            view.rest = vec![met, unmet];
            view.rest.extend(view.unknown.take());
        }
    }
    let counted = if kind.listed() == State::Yes { yes } else { no };
    view.amount = counted.and_then(|_| amount(desk, rule, figure));
    Ok(with_target(view, rule, lang))
}

fn with_target(mut view: FigureView, rule: &Rule, lang: Lang) -> FigureView {
    if let RuleDetail::Standard(standard) = &rule.detail {
        view.target = standard.target.map(|(share, by)| phrase::target(share, by, lang));
    }
    view
}

fn of_known(kind: Kind, lang: Lang) -> &'static str {
    match (kind, lang) {
        (Kind::Duty, Lang::Zh) => "已履行（占已知的）",
        (Kind::Duty, Lang::En) => "done, of the known",
        (_, Lang::Zh) => "达标（占已知的）",
        (_, Lang::En) => "met, of the known",
    }
}

fn bar(counts: [u64; 3], parts: [&Part; 3], lang: Lang) -> Bar {
    let all = counts.iter().sum::<u64>().max(1);
    let share = |count: u64| u32::try_from(count * 1000 / all).unwrap_or(0);
    let words: Vec<String> = parts.iter().map(|part| format!("{} {}", part.text, part.number)).collect();
    Bar { met: share(counts[0]), unmet: share(counts[1]), label: words.join(phrase::comma(lang)) }
}

fn amount(desk: &Desk, rule: &Rule, figure: &Figure) -> Option<(String, Shown)> {
    let (sum, column, lang) = (figure.amount?, figure.verdict.amount?, desk.lang);
    if sum == 0 && figure.amount_unknown == 0 {
        return None;
    }
    let shown = if desk.reading.is_money(column) {
        format::money(sum, lang)
    } else {
        let value = pack::program::Value::Number(sum);
        Shown { text: desk.reading.shown(column, &value, true, lang), exact: String::new() }
    };
    let words = match (&rule.detail, lang) {
        (RuleDetail::Benefit(benefit), Lang::Zh) => format!("{}应发", phrase::every(benefit.every, lang)),
        (RuleDetail::Benefit(benefit), Lang::En) => format!("due {}", phrase::every(benefit.every, lang)),
        (_, Lang::Zh) => "补齐还需".to_owned(),
        (_, Lang::En) => "to close the gap:".to_owned(),
    };
    let words = match (figure.amount_unknown, lang) {
        (0, _) => words,
        (unknown, Lang::Zh) => format!("另有 {unknown} 笔金额未知，{words}"),
        (unknown, Lang::En) => format!("{unknown} amounts unknown; {words}"),
    };
    Some((words.trim().to_owned(), shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_is_told_no_count_that_is_small_or_follows_to_be() {
        let all = [Some(3), Some(700), Some(8)];
        assert_eq!(told([3, 700, 8], false), all);
        for (counts, shown) in [
            ([20, 700, 8], [Some(20), Some(700), Some(8)]),
            // The others add up to eleven: the greatest tells nothing of either.
            ([3, 700, 8], [None, Some(700), None]),
            // The other one would follow from the total.
            ([3, 700, 0], [None, None, Some(0)]),
            ([0, 700, 0], [Some(0), Some(700), Some(0)]),
        ] {
            assert_eq!(told(counts, true), shown, "{counts:?}");
        }
    }
}
