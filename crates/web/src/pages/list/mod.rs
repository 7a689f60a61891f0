//! Lists of records: a sentence that can be changed, exact totals, a table with a stated order, and the same as a file.

mod columns;
mod export;
mod query;
mod sentence;

use app::reading::{List, Listed, Sort};
use app::verdict::{Kind, State};
use askama::Template;
use pack::program::{ColumnId, RuleId, Value};

use columns::{Column, columns};
use query::Query;
pub use query::list_link;
use sentence::{Choices, Clause};

use crate::access::Wish;
use crate::answer::{Answer, Fault, html, see};
use crate::format::{self, Shown};
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};

/// Rows of a page.
pub const PAGE_ROWS: usize = 100;

#[derive(Template)]
#[template(path = "list.html")]
struct Page {
    s: Shell,
    heading: String,
    clauses: Vec<Clause>,
    choices: Choices,
    facets: Vec<Anchor>,
    all: String,
    sums: Vec<(String, Shown, u64)>,
    unknown: Option<Anchor>,
    order: String,
    heads: Vec<HeadView>,
    rows: Vec<Vec<CellView>>,
    pages: Vec<Anchor>,
    span: String,
    exports: Vec<Anchor>,
    definition: Option<Anchor>,
}

struct HeadView {
    text: String,
    number: bool,
    /// Sorts by the column; none where it cannot be sorted.
    link: Option<String>,
    /// `ascending`, `descending` or nothing.
    sorted: &'static str,
}

pub struct CellView {
    pub text: String,
    pub link: Option<String>,
    /// `num`, `unknown` or nothing.
    pub class: &'static str,
}

/// A list with what its page and its files are made from.
pub struct Found {
    pub query: Query,
    pub list: List,
    pub listed: Listed,
    pub columns: Vec<Column>,
}

pub fn page(desk: &Desk) -> Answer {
    let (name, ending) = split(desk.ask.part("name"));
    if let Some(link) = query::picked(desk, name)? {
        return see(&link.to_string());
    }
    let found = find(desk, name)?;
    match ending {
        "" => show(desk, found),
        "csv" => export::csv(desk, &found),
        "json" => export::json(desk, &found),
        "xlsx" => export::xlsx(desk, &found),
        _ => Err(Fault::Missing),
    }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, ""))
}

fn find(desk: &Desk, name: &str) -> Result<Found, Fault> {
    let query = Query::read(desk, name)?;
    desk.must(Wish::List(query.place))?;
    let list = query.list();
    let listed = desk.reading.list(&list)?;
    let columns = columns(desk, &query)?;
    Ok(Found { query, list, listed, columns })
}

fn show(desk: &Desk, found: Found) -> Answer {
    let (reading, lang) = (&desk.reading, desk.lang);
    let Found { query, list, listed, columns } = &found;
    let label = reading.entity_label(list.entity, lang).to_owned();
    let count = listed.rows.len();
    let last = count.div_ceil(PAGE_ROWS).max(1);
    let at = query.page.clamp(1, last);
    let from = (at - 1) * PAGE_ROWS;
    let to = (from + PAGE_ROWS).min(count);
    let mut rows = Vec::new();
    for row in &listed.rows[from..to] {
        let cells = columns.iter().map(|column| column.cell(desk, list.entity, *row));
        rows.push(cells.collect::<Result<Vec<_>, _>>()?);
    }
    let heading = sentence::heading(desk, query)?;
    let mut s = desk.shell(Section::Lists, heading.clone());
    let here = query.link(desk, "")?;
    s.crumbs = desk.crumbs(list.place, |code| here.clone().set("division", code).without("page"))?;
    let exports = ["csv", "xlsx", "json"];
    let exports =
        exports.map(|end| Ok(Anchor::new(end, &query.link(desk, &format!(".{end}"))?.without("page"))));
    let page = Page {
        clauses: sentence::clauses(desk, query)?,
        choices: sentence::choices(desk, query)?,
        facets: facets(desk, query)?,
        all: phrase::all_of(count as u64, &label, lang),
        sums: sums(desk, query, &listed.rows)?,
        unknown: unknown(desk, query, listed)?,
        order: sentence::order(desk, list.sort),
        heads: columns.iter().map(|column| head(desk, column, list.sort, &here)).collect(),
        rows,
        pages: pages(desk, &here, at, last),
        span: if count == 0 { String::new() } else { phrase::rows(from + 1, to, lang) },
        exports: exports.into_iter().collect::<Result<_, Fault>>()?,
        definition: definition(desk, query),
        heading,
        s,
    };
    html(&page)
}

/// Yes, no, unknown of the rule that is asked about, each with its count.
fn facets(desk: &Desk, query: &Query) -> Result<Vec<Anchor>, Fault> {
    let Some((rule, verdict, state)) = query.only_rule() else { return Ok(Vec::new()) };
    let Some(figure) = desk.reading.figure(query.place, rule)? else { return Ok(Vec::new()) };
    let mut states = vec![State::Yes, State::No, State::Unknown];
    if figure.outside > 0 {
        states.push(State::Outside);
    }
    let mut facets = Vec::new();
    for other in states {
        let words = phrase::state(verdict.kind, other, desk.lang);
        let text = format!("{words} {}", format::count(figure.count(other)));
        let id = &desk.reading.program().rules[rule.index()].id;
        let criterion = format!("{id}:{}", phrase::state_word(other));
        let link = query.link(desk, "")?.set("rule", criterion).without("page");
        let mut facet = Anchor::new(text, &link);
        facet.current = other == state;
        facets.push(facet);
    }
    Ok(facets)
}

/// The amounts of the rules asked about, added up.
fn sums(desk: &Desk, query: &Query, rows: &[u32]) -> Result<Vec<(String, Shown, u64)>, Fault> {
    let mut sums = Vec::new();
    for (rule, verdict, state) in &query.rules {
        let Some(amount) = verdict.amount.filter(|_| *state == verdict.kind.listed()) else { continue };
        let (sum, unknown) = desk.reading.sum(amount, rows)?;
        let shown = if desk.reading.is_money(amount) {
            format::money(sum, desk.lang)
        } else {
            let text = desk.reading.shown(amount, &Value::Number(sum), true, desk.lang);
            Shown { text, exact: String::new() }
        };
        let title = match verdict.kind {
            Kind::Standard => desk.reading.column_label(amount, desk.lang),
            _ => desk.reading.program().rules[rule.index()].title.get(desk.lang),
        };
        sums.push((title.to_owned(), shown, unknown));
    }
    Ok(sums)
}

/// How many more might be in the list, and which, where one condition alone is asked for.
fn unknown(desk: &Desk, query: &Query, listed: &Listed) -> Result<Option<Anchor>, Fault> {
    if listed.unknown == 0 {
        return Ok(None);
    }
    let label = desk.reading.entity_label(query.entity, desk.lang);
    let text = phrase::unknown(listed.unknown, label, desk.lang);
    let here = query.link(desk, "")?.without("page");
    let link = match (query.rules.as_slice(), query.values.as_slice()) {
        ([(rule, ..)], []) => {
            let id = &desk.reading.program().rules[rule.index()].id;
            here.set("rule", format!("{id}:unknown"))
        }
        ([], [(column, _)]) => {
            here.set("is", format!("{}:?", query::column_name(desk, query.entity, *column)))
        }
        _ => return Ok(Some(Anchor { text, link: String::new(), current: false })),
    };
    Ok(Some(Anchor::new(text, &link)))
}

fn head(desk: &Desk, column: &Column, sort: Sort, here: &Link) -> HeadView {
    let (text, id) = (column.head(desk), column.sort_column(desk));
    let name = column.sort_name(desk);
    let (sorted, descending) = match sort {
        Sort::By { column: by, descending } if Some(by) == id => {
            (if descending { "descending" } else { "ascending" }, descending)
        }
        _ => ("", false),
    };
    let link = name.map(|name| {
        let ahead =
            if sorted.is_empty() { id.is_some_and(|id| desk.reading.is_number(id)) } else { !descending };
        let name = if ahead { format!("-{name}") } else { name };
        here.clone().set("sort", name).without("page").to_string()
    });
    HeadView { text, number: id.is_some_and(|id| desk.reading.is_number(id)), link, sorted }
}

fn pages(desk: &Desk, here: &Link, at: usize, last: usize) -> Vec<Anchor> {
    let w = desk.w;
    let to = |text: &str, page: usize| Anchor::new(text, &here.clone().set("page", page.to_string()));
    let mut pages = Vec::new();
    if at > 1 {
        pages.push(to(w.first, 1));
        pages.push(to(w.previous, at - 1));
    }
    if at < last {
        pages.push(to(w.next, at + 1));
        pages.push(to(w.last, last));
    }
    pages
}

/// The clause that the list rests on.
fn definition(desk: &Desk, query: &Query) -> Option<Anchor> {
    let (rule, ..) = query.only_rule()?;
    let clause = desk.reading.program().rules[rule.index()].cite.first()?.to_string();
    let text = format!("{} {clause}", desk.w.clause);
    let place = desk.reading.place_code(query.place).ok()?;
    let link = Link::at("/decision").with("division", place);
    Some(Anchor { text, link: format!("{link}#c{clause}"), current: false })
}

impl Query {
    /// The rule that is asked about, if it is one alone.
    fn only_rule(&self) -> Option<(RuleId, app::verdict::Verdict, State)> {
        match self.rules.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// Whether a column may be asked about in an address: nobody's name or number stands there.
pub fn may_be_asked(desk: &Desk, column: ColumnId) -> bool {
    !desk.reading.class(column).is_personal()
}
