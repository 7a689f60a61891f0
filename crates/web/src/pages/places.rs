//! A division: the pack's totals, the standards one by one, the divisions below by one of them, and its peers.

use app::reading::{Figure, Place};
use app::verdict::{Kind, State};
use askama::Template;
use pack::program::{RuleId, TotalFunction, Type};

use super::figure::{Bar, FigureView, Part, view};
use super::list::list_link;
use crate::access::{PUBLIC_COUNT_MIN, Wish};
use crate::answer::{Answer, Fault, html, see};
use crate::format::{self, Shown};
use crate::link::Link;
use crate::phrase;
use crate::shell::{Desk, Section, Shell};

#[derive(Template)]
#[template(path = "places.html")]
struct Page {
    s: Shell,
    name: String,
    level: String,
    code: String,
    decision: String,
    record: Option<String>,
    totals: Vec<TotalView>,
    standards: Vec<FigureView>,
    duties: Vec<FigureView>,
    quiet: String,
    by: Vec<(String, String, bool)>,
    by_title: String,
    below: Vec<Row>,
    below_amounts: bool,
    peers: Vec<Row>,
    peer_amounts: bool,
}

struct TotalView {
    title: String,
    value: Shown,
    unknown: Option<String>,
    link: Option<String>,
}

/// A division in a comparison.
struct Row {
    name: String,
    link: String,
    current: bool,
    bar: Option<Bar>,
    share: String,
    counts: [String; 3],
    lists: [Option<String>; 3],
    amount: Option<Shown>,
}

pub fn home(desk: &Desk) -> Answer {
    let code = desk.reading.place_code(desk.own_place()?)?;
    see(&Link::to(["places", &code]).to_string())
}

pub fn page(desk: &Desk) -> Answer {
    let (reading, lang) = (&desk.reading, desk.lang);
    let code = desk.ask.part("code");
    let place = reading.place(code)?.ok_or(Fault::Missing)?;
    desk.must(Wish::Figures(place))?;
    let name = reading.place_name(place)?;
    let mut s = desk.shell(Section::Places, name.clone());
    s.crumbs = desk.crumbs(place, |code| Link::to(["places", code]))?;
    let figures = reading.figures(place)?;
    let of_kind = |figure: &&Figure| matches!(figure.verdict.kind, Kind::Standard | Kind::Duty);
    let (at_work, quiet): (Vec<&Figure>, Vec<&Figure>) =
        figures.iter().filter(of_kind).partition(|figure| !figure.is_empty());
    let mut sorted = at_work.clone();
    // What is failed most comes first.
    sorted.sort_by_key(|figure| std::cmp::Reverse(figure.no * 10_000 / figure.subjects().max(1)));
    let (standards, duties): (Vec<&Figure>, Vec<&Figure>) =
        sorted.into_iter().partition(|figure| figure.verdict.kind == Kind::Standard);
    let views = |figures: Vec<&Figure>| -> Result<Vec<FigureView>, Fault> {
        figures.into_iter().map(|figure| view(desk, place, figure)).collect()
    };
    let compared = compared(desk, &at_work);
    let by = compared_choices(desk, &at_work, compared);
    let by_title = compared.map(|rule| reading.program().rules[rule.index()].title.get(lang).to_owned());
    let children = reading.places_below(place)?;
    let peers = match reading.path(place)?.iter().rev().nth(1) {
        Some(above) => reading.places_below(*above)?,
        None => Vec::new(),
    };
    let peers = rows(desk, &peers, compared, place)?;
    let below = rows(desk, &children, compared, place)?;
    let open = desk.may(Wish::Record(place.level, place.row))?;
    let page = Page {
        level: reading.entity_label(place.level, lang).to_owned(),
        code: code.to_owned(),
        decision: Link::at("/decision").with("division", code).to_string(),
        record: if open {
            Some(super::address::record(desk, place.level, place.row)?.to_string())
        } else {
            None
        },
        totals: totals(desk, place)?,
        standards: views(standards)?,
        duties: views(duties)?,
        quiet: if quiet.is_empty() { String::new() } else { phrase::quiet(quiet.len(), lang) },
        by,
        by_title: by_title.unwrap_or_default(),
        below_amounts: below.iter().any(|row| row.amount.is_some()),
        below,
        peer_amounts: peers.iter().any(|row| row.amount.is_some()),
        peers: if peers.len() > 1 { peers } else { Vec::new() },
        name,
        s,
    };
    html(&page)
}

fn totals(desk: &Desk, place: Place) -> Result<Vec<TotalView>, Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let open = desk.may(Wish::List(place))?;
    let mut views = Vec::new();
    for total in reading.totals(place)? {
        let label = reading.entity_label(total.list.entity, lang);
        let withholds = desk.viewer.withholds() && reading.is_personal(total.list.entity);
        let small = |count: u64| withholds && (1..PUBLIC_COUNT_MIN).contains(&count);
        let value = match total.total.function {
            TotalFunction::Sum(column) if reading.is_money(column) => format::money(total.value, lang),
            TotalFunction::Sum(column) => {
                let value = pack::program::Value::Number(total.value);
                debug_assert!(matches!(reading.program().column(column).ty, Type::Number(_)));
                Shown { text: reading.shown(column, &value, true, lang), exact: String::new() }
            }
            _ => {
                let count = u64::try_from(total.value).unwrap_or(0);
                let text = if small(count) { desk.w.fewer.to_owned() } else { format::count(count) };
                Shown { text, exact: String::new() }
            }
        };
        let unknown = (total.unknown > 0).then(|| {
            if small(total.unknown) {
                format!("{} {}", desk.w.unknown, desk.w.fewer)
            } else {
                phrase::unknown(total.unknown, label, lang)
            }
        });
        views.push(TotalView {
            title: total.total.title.get(lang).to_owned(),
            value,
            unknown,
            link: if open { Some(list_link(desk, &total.list, "")?.to_string()) } else { None },
        });
    }
    Ok(views)
}

/// The rule by which divisions are compared: the one asked for, or the standard with most subjects.
fn compared(desk: &Desk, figures: &[&Figure]) -> Option<RuleId> {
    let program = desk.reading.program();
    let asked = desk.ask.query.get("by");
    let named = figures.iter().find(|figure| Some(program.rules[figure.rule.index()].id.as_str()) == asked);
    let most = figures.iter().max_by_key(|figure| (figure.subjects(), std::cmp::Reverse(figure.rule)));
    named.or(most).map(|figure| figure.rule)
}

fn compared_choices(
    desk: &Desk,
    figures: &[&Figure],
    compared: Option<RuleId>,
) -> Vec<(String, String, bool)> {
    let program = desk.reading.program();
    let choices = figures.iter().map(|figure| {
        let rule = &program.rules[figure.rule.index()];
        (rule.id.clone(), rule.title.get(desk.lang).to_owned(), compared == Some(figure.rule))
    });
    choices.collect()
}

/// Divisions by one rule, the worst first; those of which nothing is recorded, or that may not be seen, are left out.
fn rows(desk: &Desk, places: &[Place], rule: Option<RuleId>, here: Place) -> Result<Vec<Row>, Fault> {
    let Some(rule) = rule else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for place in places {
        if !desk.may(Wish::Figures(*place))? || !desk.reading.is_peopled(*place)? {
            continue;
        }
        if let Some(figure) = desk.reading.figure(*place, rule)? {
            let share = figure.yes * 10_000 / figure.subjects().max(1);
            found.push((figure.subjects() == 0, share, *place, figure));
        }
    }
    found.sort_by_key(|(empty, share, place, _)| (*empty, *share, *place));
    found.into_iter().map(|(_, _, place, figure)| row(desk, place, &figure, here)).collect()
}

fn row(desk: &Desk, place: Place, figure: &Figure, here: Place) -> Result<Row, Fault> {
    let code = desk.reading.place_code(place)?;
    let shown = view(desk, place, figure)?;
    let part = |state: State| -> Option<&Part> {
        let words = phrase::state(figure.verdict.kind, state, desk.lang);
        shown.rest.iter().chain(&shown.unknown).find(|part| part.text == words)
    };
    let states = [State::Yes, State::No, State::Unknown];
    let text = |state| part(state).map_or_else(|| "0".to_owned(), |part| part.number.clone());
    let link = |state| part(state).and_then(|part| part.link.clone());
    Ok(Row {
        name: desk.reading.place_name(place)?,
        link: Link::to(["places", &code]).to_string(),
        current: place == here,
        share: if figure.subjects() == 0 { "–".to_owned() } else { shown.lead.number.clone() },
        counts: states.map(text),
        lists: states.map(link),
        amount: shown.amount.map(|(_, amount)| amount),
        bar: shown.bar,
    })
}
