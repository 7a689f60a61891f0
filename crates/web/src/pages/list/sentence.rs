//! The sentence above a list: what it holds, each condition with a way to drop it, and the form that changes it.

use app::reading::{Place, Sort};
use app::verdict::State;
use model::Lang;
use pack::program::{ColumnId, RuleKind};

use super::may_be_asked;
use super::query::{Query, column_name, list_link};
use crate::access::Wish;
use crate::answer::Fault;
use crate::phrase;
use crate::shell::Desk;

/// A condition of the sentence.
pub struct Clause {
    pub text: String,
    /// The same list without it.
    pub without: String,
}

/// What the form offers.
pub struct Choices {
    pub action: String,
    /// What the form carries along.
    pub kept: Vec<(String, String)>,
    pub places: Vec<Choice>,
    pub rules: Vec<(String, Vec<Choice>)>,
    pub states: Vec<Choice>,
    pub sorts: Vec<Choice>,
}

pub struct Choice {
    pub value: String,
    pub text: String,
    pub chosen: bool,
}

/// `乡城县的户：最低生活保障 应享受`.
pub fn heading(desk: &Desk, query: &Query) -> Result<String, Fault> {
    let place = desk.reading.place_name(query.place)?;
    let label = desk.reading.entity_label(query.entity, desk.lang);
    let what = match desk.lang {
        Lang::Zh => format!("{place}的{label}"),
        Lang::En => format!("{} of {place}", capital(&phrase::of_entity(label, 2, desk.lang))),
    };
    let conditions = conditions(desk, query);
    if conditions.is_empty() {
        return Ok(what);
    }
    Ok(format!("{what}{}{}", phrase::colon(desk.lang), conditions.join(phrase::comma(desk.lang))))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn conditions(desk: &Desk, query: &Query) -> Vec<String> {
    let reading = &desk.reading;
    let rules = query.rules.iter().map(|(rule, verdict, state)| {
        let title = reading.program().rules[rule.index()].title.get(desk.lang);
        format!("{title} {}", phrase::state(verdict.kind, *state, desk.lang))
    });
    let values = query.values.iter().map(|(column, value)| {
        let label = reading.column_label(*column, desk.lang);
        let shown = match value {
            None => desk.w.unknown.to_owned(),
            Some(value) => reading.shown(*column, value, false, desk.lang),
        };
        format!("{label}{}{shown}", phrase::colon(desk.lang))
    });
    rules.chain(values).collect()
}

pub fn clauses(desk: &Desk, query: &Query) -> Result<Vec<Clause>, Fault> {
    let texts = conditions(desk, query);
    let mut clauses = Vec::new();
    for (at, text) in texts.into_iter().enumerate() {
        let mut without = query.clone();
        match at.checked_sub(query.rules.len()) {
            None => drop(without.rules.remove(at)),
            Some(at) => drop(without.values.remove(at)),
        }
        let link = without.link(desk, "")?;
        clauses.push(Clause { text, without: link.to_string() });
    }
    Ok(clauses)
}

pub fn order(desk: &Desk, sort: Sort) -> String {
    match sort {
        Sort::Snapshot => desk.w.order_default.to_owned(),
        Sort::By { column, descending } => {
            let way = if descending { desk.w.sort_down } else { desk.w.sort_up };
            let label = desk.reading.column_label(column, desk.lang);
            match desk.lang {
                Lang::Zh => format!("按{label}{way}"),
                Lang::En => format!("by {label}, {way}"),
            }
        }
    }
}

pub fn choices(desk: &Desk, query: &Query) -> Result<Choices, Fault> {
    let program = desk.reading.program();
    let mut kept = Vec::new();
    for (column, value) in &query.values {
        let list = app::reading::List {
            criteria: vec![app::reading::Criterion::Is(*column, value.clone())],
            sort: Sort::Snapshot,
            ..query.list()
        };
        // The address of a list of that condition alone holds it as forms send it.
        let link = list_link(desk, &list, "")?.to_string();
        let pairs = crate::ask::Pairs::parse(link.split_once('?').map_or("", |(_, query)| query).as_bytes());
        kept.extend(pairs.all("is").map(|value| ("is".to_owned(), value.to_owned())));
    }
    for (rule, _, state) in query.rules.iter().skip(1) {
        let id = &program.rules[rule.index()].id;
        kept.push(("rule".to_owned(), format!("{id}:{}", phrase::state_word(*state))));
    }
    if let Some((rule, _, state)) = query.rules.first().filter(|_| query.rules.len() > 1) {
        let id = &program.rules[rule.index()].id;
        kept.insert(0, ("rule".to_owned(), format!("{id}:{}", phrase::state_word(*state))));
    }
    Ok(Choices {
        action: format!("/list/{}", program.entity(query.entity).name),
        kept,
        places: places(desk, query.place)?,
        rules: rules(desk, query),
        states: states(desk, query),
        sorts: sorts(desk, query)?,
    })
}

fn places(desk: &Desk, here: Place) -> Result<Vec<Choice>, Fault> {
    let mut places = Vec::new();
    let above = desk.reading.path(here)?;
    let below = desk.reading.places_below(here)?;
    for place in above.into_iter().chain(below) {
        if place != here && (!desk.may(Wish::List(place))? || !desk.reading.is_peopled(place)?) {
            continue;
        }
        places.push(Choice {
            value: desk.reading.place_code(place)?,
            text: desk.reading.place_name(place)?,
            chosen: place == here,
        });
    }
    Ok(places)
}

/// Rules about these records by kind; checks only if one is asked about.
fn rules(desk: &Desk, query: &Query) -> Vec<(String, Vec<Choice>)> {
    let program = desk.reading.program();
    let asked = query.rules.first().map(|(rule, ..)| *rule);
    let w = desk.w;
    let kinds = [
        (RuleKind::Benefit, w.benefits_kind),
        (RuleKind::Standard, w.standards),
        (RuleKind::Duty, w.duties),
        (RuleKind::Check, w.checks),
        (RuleKind::Audit, w.checks),
    ];
    let mut groups: Vec<(String, Vec<Choice>)> = Vec::new();
    for (kind, title) in kinds {
        let of_kind = desk.reading.verdicts().iter().filter(|(id, verdict)| {
            let rule = &program.rules[id.index()];
            verdict.entity == query.entity && rule.kind == kind
        });
        let choices: Vec<Choice> = of_kind
            .map(|(id, _)| {
                let rule = &program.rules[id.index()];
                let text = rule.title.get(desk.lang).to_owned();
                Choice { value: rule.id.clone(), text, chosen: asked == Some(*id) }
            })
            .collect();
        if !choices.is_empty() {
            groups.push((title.to_owned(), choices));
        }
    }
    groups
}

fn states(desk: &Desk, query: &Query) -> Vec<Choice> {
    let first = query.rules.first();
    let kind = first.map(|(_, verdict, _)| verdict.kind);
    [State::Yes, State::No, State::Unknown]
        .into_iter()
        .map(|state| {
            let text = match kind {
                Some(kind) => phrase::state(kind, state, desk.lang),
                None if state == State::Yes => desk.w.yes,
                None if state == State::No => desk.w.no,
                None => desk.w.unknown,
            };
            let chosen = first.is_some_and(|(_, _, asked)| *asked == state);
            Choice { value: phrase::state_word(state).to_owned(), text: text.to_owned(), chosen }
        })
        .collect()
}

fn sorts(desk: &Desk, query: &Query) -> Result<Vec<Choice>, Fault> {
    let columns = super::columns::columns(desk, query)?;
    let ids: Vec<ColumnId> = columns.iter().filter_map(|column| column.sort_column(desk)).collect();
    let mut sorts = Vec::new();
    for id in ids.into_iter().filter(|id| may_be_asked(desk, *id)) {
        let name = column_name(desk, query.entity, id);
        for (sign, descending) in [("", false), ("-", true)] {
            let sort = Sort::By { column: id, descending };
            sorts.push(Choice {
                value: format!("{sign}{name}"),
                text: order(desk, sort),
                chosen: query.sort == sort,
            });
        }
    }
    Ok(sorts)
}
