//! The card of a record: what it is due and why, the standards one by one, what is recorded and computed, what hangs
//! from it. Made from the pack's declarations, for any entity.

use app::reading::NOWHERE;
use app::verdict::{Kind, State, Verdict};
use askama::Template;
use pack::program::{ColumnId, ColumnKind, EntityId, Rule, RuleDetail, RuleKind};

use super::address;
use crate::access::Wish;
use crate::answer::{Answer, Fault, html};
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};

#[derive(Template)]
#[template(path = "record.html")]
struct Page {
    s: Shell,
    key: String,
    label: String,
    name: String,
    parent: Option<Anchor>,
    tags: Vec<(String, &'static str)>,
    due: Vec<Line>,
    not_due: Vec<Line>,
    standards: Vec<Line>,
    duties: Vec<Line>,
    problems: Vec<Line>,
    fields: Vec<Value>,
    empty_fields: Vec<String>,
    results: Vec<Value>,
    below: Vec<Below>,
    cases: Vec<Anchor>,
    place_page: Option<Anchor>,
}

/// A rule with what it says.
pub struct Line {
    class: &'static str,
    title: String,
    link: String,
    clause: String,
    words: String,
    amount: Option<String>,
    /// Parts that are not met.
    lacks: Vec<String>,
}

struct Value {
    label: String,
    text: String,
    class: &'static str,
    link: Option<String>,
}

/// Records of one kind that hang from this one.
struct Below {
    title: String,
    count: String,
    heads: Vec<(String, bool)>,
    rows: Vec<(String, Vec<(String, &'static str)>)>,
    more: Option<String>,
}

/// Records below that are shown.
const BELOW: usize = 30;
const BELOW_COLUMNS: usize = 7;

pub fn page(desk: &Desk) -> Answer {
    let (reading, lang) = (&desk.reading, desk.lang);
    let program = reading.program();
    let entity = program.entity_named(desk.ask.part("entity")).ok_or(Fault::Missing)?;
    let key = desk.ask.part("key");
    let row = reading.find(entity, key)?.ok_or(Fault::Missing)?;
    desk.must(Wish::Record(entity, row))?;
    let label = reading.entity_label(entity, lang).to_owned();
    let name = reading.name(entity, row, false, lang)?;
    let mut s = desk.shell(Section::Lists, format!("{label} {key}"));
    let path = reading.path_of(entity, row)?;
    if let Some(place) = path.last() {
        s.crumbs = desk.crumbs(*place, |code| Link::to(["places", code]))?;
        s.crumbs
            .iter_mut()
            .for_each(|crumb| crumb.current = program.entity(entity).division.is_some() && crumb.current);
    }
    let lines = Lines::of(desk, entity, row)?;
    let (fields, empty_fields) = fields(desk, entity, row)?;
    let place_page = program
        .entity(entity)
        .division
        .is_some()
        .then(|| Anchor::new(desk.w.figures_of_place, &Link::to(["places", key])));
    let page = Page {
        key: key.to_owned(),
        parent: parent(desk, entity, row)?,
        tags: lines.tags(desk),
        due: lines.due,
        not_due: lines.not_due,
        standards: lines.standards,
        duties: lines.duties,
        problems: lines.problems,
        fields,
        empty_fields,
        results: results(desk, entity, row)?,
        below: below(desk, entity, row)?,
        cases: super::cases::of_record(desk, key)?,
        place_page,
        label,
        name,
        s,
    };
    html(&page)
}

#[derive(Default)]
struct Lines {
    due: Vec<Line>,
    not_due: Vec<Line>,
    standards: Vec<Line>,
    duties: Vec<Line>,
    problems: Vec<Line>,
    unmet: usize,
    unknown: usize,
}

impl Lines {
    fn of(desk: &Desk, entity: EntityId, row: u32) -> Result<Self, Fault> {
        let mut lines = Self::default();
        let reading = &desk.reading;
        for (id, verdict) in reading.verdicts().iter().filter(|(_, verdict)| verdict.entity == entity) {
            if reading.column(verdict.says)?.is_none() {
                continue;
            }
            let rule = &reading.program().rules[id.index()];
            let state = reading.state(verdict, row)?;
            let line = || line(desk, rule, verdict, state, row);
            match (verdict.kind, state) {
                (_, State::Outside) => continue,
                (Kind::Benefit, State::No) => lines.not_due.push(line()?),
                (Kind::Benefit, _) => lines.due.push(line()?),
                (Kind::Standard, _) => lines.standards.push(line()?),
                (Kind::Duty, _) => lines.duties.push(line()?),
                (Kind::Check, State::Yes) => lines.problems.push(line()?),
                (Kind::Check, _) => continue,
            }
            lines.unmet += usize::from(verdict.kind == Kind::Standard && state == State::No);
            lines.unknown += usize::from(state == State::Unknown);
        }
        // What is known to be due first, then what may be.
        lines.due.sort_by_key(|line| line.class == "maybe");
        lines
            .standards
            .sort_by_key(|line| ["no", "maybe", "yes"].iter().position(|class| *class == line.class));
        Ok(lines)
    }

    fn tags(&self, desk: &Desk) -> Vec<(String, &'static str)> {
        let mut tags = Vec::new();
        if self.unmet > 0 {
            tags.push((phrase::standards_unmet(self.unmet, desk.lang), "tag late"));
        }
        if !self.problems.is_empty() {
            tags.push((phrase::problems(self.problems.len(), desk.lang), "tag late"));
        }
        if self.unknown > 0 {
            tags.push((phrase::results_unknown(self.unknown, desk.lang), "tag unknown"));
        }
        tags
    }
}

fn line(desk: &Desk, rule: &Rule, verdict: &Verdict, state: State, row: u32) -> Result<Line, Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let name = &reading.program().entity(verdict.entity).name;
    let key = reading.key(verdict.entity, row)?;
    let amount = match verdict.amount.filter(|_| state == verdict.kind.listed()) {
        Some(id) => Some(match reading.value(id, row)? {
            Some(value) => reading.shown(id, &value, false, lang),
            None => desk.w.unknown.to_owned(),
        }),
        None => None,
    };
    let every = match &rule.detail {
        RuleDetail::Benefit(benefit) => phrase::every(benefit.every, lang),
        _ => "",
    };
    let mut lacks = Vec::new();
    if let (RuleDetail::Standard(standard), State::No) = (&rule.detail, state) {
        for (title, part) in &standard.parts {
            if reading.value(*part, row)? == Some(pack::program::Value::Bool(false)) {
                lacks.push(title.get(lang).to_owned());
            }
        }
    }
    let class = match (verdict.kind, state) {
        (_, State::Unknown | State::Outside) => "maybe",
        (Kind::Benefit, State::No) => "none",
        (Kind::Check, State::Yes) | (_, State::No) => "no",
        (_, State::Yes) => "yes",
    };
    Ok(Line {
        class,
        title: rule.title.get(lang).to_owned(),
        link: Link::to(["explain", name, &key, &rule.id]).to_string(),
        clause: rule.cite.first().map(ToString::to_string).unwrap_or_default(),
        words: phrase::state(verdict.kind, state, lang).to_owned(),
        amount: amount.map(|amount| if every.is_empty() { amount } else { format!("{amount} {every}") }),
        lacks,
    })
}

fn parent(desk: &Desk, entity: EntityId, row: u32) -> Result<Option<Anchor>, Fault> {
    let program = desk.reading.program();
    let Some(edge) = program.entity(entity).parent else { return Ok(None) };
    let above = program.edge(edge).parent;
    if program.entity(above).division.is_some() {
        return Ok(None);
    }
    let at = desk.reading.links(edge)?.get(row as usize).copied().unwrap_or(NOWHERE);
    if at == NOWHERE {
        return Ok(None);
    }
    let label = desk.reading.entity_label(above, desk.lang);
    let name = desk.reading.name(above, at, false, desk.lang)?;
    Ok(Some(Anchor::new(format!("{label} {name}"), &address::record(desk, above, at)?)))
}

/// What is recorded, and the labels of what is not.
fn fields(desk: &Desk, entity: EntityId, row: u32) -> Result<(Vec<Value>, Vec<String>), Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let program = reading.program();
    let (mut fields, mut empty) = (Vec::new(), Vec::new());
    for id in &program.entity(entity).fields {
        if *id == program.entity(entity).key {
            continue;
        }
        let label = reading.column_label(*id, lang).to_owned();
        match reading.value(*id, row)? {
            None => empty.push(label),
            Some(value) => {
                let text = reading.shown(*id, &value, false, lang);
                fields.push(Value { label, text, class: "", link: None });
            }
        }
    }
    Ok((fields, empty))
}

/// Variables and measures of the record.
fn results(desk: &Desk, entity: EntityId, row: u32) -> Result<Vec<Value>, Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let program = reading.program();
    let key = reading.key(entity, row)?;
    let mut results = Vec::new();
    for (at, column) in program.columns.iter().enumerate() {
        let id = ColumnId(at as u32);
        let kind = column.rule.map(|rule| program.rules[rule.index()].kind);
        let is_value = matches!(kind, Some(RuleKind::Variable | RuleKind::Measure | RuleKind::Scorecard));
        let own =
            column.entity == entity && !column.is_hidden() && !matches!(column.kind, ColumnKind::Field(_));
        if !own || !is_value || reading.column(id)?.is_none() {
            continue;
        }
        let value = reading.value(id, row)?;
        let text = value.as_ref().map(|value| reading.shown(id, value, false, lang));
        results.push(Value {
            label: reading.column_label(id, lang).to_owned(),
            class: if value.is_none() { "unknown" } else { "" },
            text: text.unwrap_or_else(|| desk.w.unknown.to_owned()),
            link: Some(Link::to(["explain", &program.entity(entity).name, &key, &column.name]).to_string()),
        });
    }
    Ok(results)
}

/// Records that hang from this one in the tree, divisions aside.
fn below(desk: &Desk, entity: EntityId, row: u32) -> Result<Vec<Below>, Fault> {
    let program = desk.reading.program();
    let mut all = Vec::new();
    for (at, edge) in program.edges.iter().enumerate() {
        let id = pack::program::EdgeId(at as u32);
        if edge.parent != entity || !edge.tree || program.entity(edge.child).division.is_some() {
            continue;
        }
        let rows = desk.reading.children(id, row)?;
        if rows.is_empty() {
            continue;
        }
        all.push(below_of(desk, edge.child, edge.via, &rows)?);
    }
    Ok(all)
}

fn below_of(desk: &Desk, child: EntityId, via: ColumnId, rows: &[u32]) -> Result<Below, Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let program = reading.program();
    let label = reading.entity_label(child, lang);
    let mut columns = Vec::new();
    for id in
        program.entity(child).fields.iter().filter(|id| **id != via && **id != program.entity(child).key)
    {
        if columns.len() < BELOW_COLUMNS
            && reading.class(*id) != pack::program::DataClass::Identity
            && reading.known(*id)? > 0
        {
            columns.push(*id);
        }
    }
    let mut lines = Vec::new();
    for row in rows.iter().take(BELOW) {
        let mut cells = Vec::new();
        for id in &columns {
            cells.push(match reading.value(*id, *row)? {
                None => (desk.w.not_recorded.to_owned(), "unknown"),
                Some(value) => {
                    let class = if reading.is_number(*id) { "num" } else { "" };
                    (reading.shown(*id, &value, false, lang), class)
                }
            });
        }
        lines.push((address::record(desk, child, *row)?.to_string(), cells));
    }
    Ok(Below {
        title: label.to_owned(),
        count: phrase::all_of(rows.len() as u64, label, lang),
        heads: columns
            .iter()
            .map(|id| (reading.column_label(*id, lang).to_owned(), reading.is_number(*id)))
            .collect(),
        more: rows.len().checked_sub(BELOW).filter(|more| *more > 0).map(|more| phrase::more(more, lang)),
        rows: lines,
    })
}
