//! The Decision, article by article, with what each clause comes to in a division.

use std::collections::BTreeMap;

use app::funds::Given;
use app::reading::{Figure, Place};
use app::verdict::Kind;
use askama::Template;
use model::{ClauseId, Lang};
use pack::program::{Clause, NumberKind, Program, Rule, RuleDetail, RuleId, Type, Value};

use super::figure::{FigureView, Part, rule_list, view};
use super::money::Sum;
use crate::access::{PUBLIC_COUNT_MIN, Wish};
use crate::answer::{Answer, Fault, html};
use crate::format;
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};

#[derive(Template)]
#[template(path = "decision.html")]
struct Page {
    s: Shell,
    law: String,
    place: String,
    about: Vec<String>,
    below: Vec<Anchor>,
    public: bool,
    articles: Vec<Article>,
}

struct Article {
    anchor: String,
    title: String,
    clauses: Vec<ClauseView>,
}

/// One clause with its figures.
struct ClauseView {
    id: String,
    summary: String,
    /// What has to be done with the clause; shown where no figure is.
    kind: String,
    reason: Option<String>,
    figures: Vec<FigureView>,
    /// Figures that are folded away.
    more: Vec<FigureView>,
    more_text: String,
    money: Option<Sum>,
    measures: Vec<(String, String)>,
    checks: Option<(String, Vec<Part>)>,
    quiet: Vec<String>,
    quiet_text: String,
}

/// Figures of a clause that are shown at once.
const SHOWN: usize = 3;

pub fn page(desk: &Desk) -> Answer {
    let place = desk.place()?;
    desk.must(Wish::Figures(place))?;
    let reading = &desk.reading;
    let name = reading.place_name(place)?;
    let mut s = desk.shell(Section::Decision, format!("{} · {name}", desk.w.decision));
    let link = |code: &str| Link::at("/decision").with("division", code);
    s.crumbs = desk.crumbs(place, link)?;
    let mut below = Vec::new();
    for other in reading.places_below(place)? {
        if desk.may(Wish::Figures(other))? && reading.is_peopled(other)? {
            below.push(Anchor::new(reading.place_name(other)?, &link(&reading.place_code(other)?)));
        }
    }
    let page = Page {
        law: reading.program().info.title.get(desk.lang).to_owned(),
        place: name,
        about: about(desk)?,
        below,
        public: desk.viewer.signed().is_none(),
        articles: articles(desk, place)?,
        s,
    };
    html(&page)
}

/// As of when, from which run, and what is not in it.
fn about(desk: &Desk) -> Result<Vec<String>, Fault> {
    let reading = &desk.reading;
    let mut about = vec![format!("{} {}", desk.w.as_of, reading.as_of())];
    if let Some(change) = reading.change()
        && desk.viewer.signed().is_some()
    {
        let since =
            desk.office.with_registry(reading, |registry| Ok(registry.changed_since(change)?.len()))?;
        about.push(phrase::changes_since(since, desk.lang));
    }
    Ok(about)
}

fn articles(desk: &Desk, place: Place) -> Result<Vec<Article>, Fault> {
    let program = desk.reading.program();
    let figures = desk.reading.figures(place)?;
    let by_rule: BTreeMap<RuleId, &Figure> = figures.iter().map(|figure| (figure.rule, figure)).collect();
    let by_clause = rules_by_clause(program);
    let given = desk.office.given(&desk.reading)?;
    let mut articles: Vec<Article> = Vec::new();
    for clause in &program.clauses {
        let article = clause.id.article();
        let anchor = format!("a{article}");
        if articles.last().is_none_or(|last| last.anchor != anchor) {
            let title = phrase::article(&article, desk.lang);
            articles.push(Article { anchor, title, clauses: Vec::new() });
        }
        let rules = by_clause.get(&clause.id).map(Vec::as_slice).unwrap_or_default();
        let view = clause_view(desk, place, clause, rules, &by_rule, &given)?;
        if let Some(article) = articles.last_mut() {
            article.clauses.push(view);
        }
    }
    Ok(articles)
}

/// Rules by the clause that they cite first: each figure stands in one place.
fn rules_by_clause(program: &Program) -> BTreeMap<ClauseId, Vec<RuleId>> {
    let mut rules: BTreeMap<ClauseId, Vec<RuleId>> = BTreeMap::new();
    for (at, rule) in program.rules.iter().enumerate() {
        if let Some(clause) = rule.cite.first() {
            rules.entry(clause.clone()).or_default().push(RuleId(at as u32));
        }
    }
    rules
}

fn clause_view(
    desk: &Desk,
    place: Place,
    clause: &Clause,
    rules: &[RuleId],
    figures: &BTreeMap<RuleId, &Figure>,
    given: &[Given],
) -> Result<ClauseView, Fault> {
    let (program, lang) = (desk.reading.program(), desk.lang);
    let mut view_of_clause = ClauseView {
        id: clause.id.to_string(),
        summary: clause.summary.get(lang).to_owned(),
        kind: kind_text(&clause.kind, lang).to_owned(),
        reason: clause.reason.as_ref().map(|reason| reason.get(lang).to_owned()),
        figures: Vec::new(),
        more: Vec::new(),
        more_text: String::new(),
        money: super::money::sum(desk, place, &clause.id, given)?,
        measures: Vec::new(),
        checks: None,
        quiet: Vec::new(),
        quiet_text: String::new(),
    };
    let mut checks: Vec<(&Rule, &Figure)> = Vec::new();
    for id in rules {
        let rule = &program.rules[id.index()];
        match figures.get(id) {
            Some(figure) if figure.verdict.kind == Kind::Check => checks.push((rule, figure)),
            Some(figure) if figure.is_empty() => view_of_clause.quiet.push(rule.title.get(lang).to_owned()),
            Some(figure) => view_of_clause.figures.push(view(desk, place, figure)?),
            None => view_of_clause.measures.extend(measure(desk, place, rule)?),
        }
    }
    if view_of_clause.figures.len() > SHOWN + 1 {
        view_of_clause.more = view_of_clause.figures.split_off(SHOWN);
    }
    view_of_clause.more_text = phrase::more(view_of_clause.more.len(), lang);
    view_of_clause.quiet_text = phrase::quiet(view_of_clause.quiet.len(), lang);
    view_of_clause.checks = checks_view(desk, place, &checks)?;
    Ok(view_of_clause)
}

/// One line for all checks of a clause, with the ones that find something.
fn checks_view(
    desk: &Desk,
    place: Place,
    checks: &[(&Rule, &Figure)],
) -> Result<Option<(String, Vec<Part>)>, Fault> {
    let at_work: Vec<_> = checks.iter().filter(|(_, figure)| !figure.is_empty()).collect();
    // Contradictions in records are for those who can mend them.
    if at_work.is_empty() || desk.viewer.signed().is_none() {
        return Ok(None);
    }
    let open = desk.may(Wish::List(place))?;
    let problems = at_work.iter().map(|(_, figure)| figure.yes).sum();
    let mut found = Vec::new();
    for (rule, figure) in at_work.iter().filter(|(_, figure)| figure.yes > 0) {
        let link = if open {
            Some(rule_list(desk, place, rule, figure, figure.verdict.kind.listed())?.to_string())
        } else {
            None
        };
        let text = rule.title.get(desk.lang).to_owned();
        found.push(Part { number: format::count(figure.yes), text, link, class: "unmet" });
    }
    Ok(Some((phrase::checks(at_work.len(), problems, desk.lang), found)))
}

/// A measure of the division itself.
fn measure(desk: &Desk, place: Place, rule: &Rule) -> Result<Option<(String, String)>, Fault> {
    let program = desk.reading.program();
    let RuleDetail::Measure(measure) = &rule.detail else { return Ok(None) };
    let Some((_, column)) = measure.columns.iter().find(|(level, _)| *level == place.level) else {
        return Ok(None);
    };
    let value = desk.reading.value(*column, place.row)?;
    let Some(value) = value else { return Ok(None) };
    // A measure that counts a few tells of them.
    let few = matches!(value, Value::Number(count) if (1..i128::from(PUBLIC_COUNT_MIN)).contains(&count));
    let counts = matches!(&program.column(*column).ty, Type::Number(ty) if ty.kind == NumberKind::Count);
    if desk.viewer.withholds() && few && counts {
        return Ok(Some((rule.title.get(desk.lang).to_owned(), desk.w.fewer.to_owned())));
    }
    let shown = desk.reading.shown(*column, &value, false, desk.lang);
    Ok(Some((rule.title.get(desk.lang).to_owned(), shown)))
}

fn kind_text(kind: &str, lang: Lang) -> &'static str {
    let (zh, en) = match kind {
        "benefit" => ("待遇", "benefit"),
        "standard" => ("标准", "standard"),
        "duty" => ("职责", "duty"),
        "measure" => ("指标", "measure"),
        "programme" => ("专项", "programme"),
        "fund" => ("资金", "fund"),
        "register" => ("登记", "register"),
        "flow" => ("程序", "procedure"),
        "asset" => ("资产", "asset"),
        "outside" => ("不建", "not built"),
        "principle" => ("原则", "principle"),
        _ => ("待定", "open"),
    };
    if lang == Lang::Zh { zh } else { en }
}
