//! For each article a sheet with the figures of its rules by division, and one that names the records.

use std::collections::BTreeMap;
use std::rc::Rc;

use model::{ClauseId, Lang};
use pack::program::{Program, Rule, Type, Value};

use super::place::Names;
use super::sheet::{Cell, Head, TableSheet};
use super::{ReportError, Section, Writer, scaled};
use crate::cells::cell;
use crate::verdict::{LATE, MET_LATE, State, Verdict};
use evaluate::explain::unit_text;

/// Counts of one division and rule.
#[derive(Clone, Copy, Default)]
struct Tally {
    yes: u64,
    no: u64,
    unknown: u64,
    /// Of a duty with a day by which it is due: open beyond it, and met after it.
    late: u64,
    met_late: u64,
    amount: i128,
    /// Records of which the verdict is known and the amount is not.
    amount_unknown: u64,
}

/// A rule with its figures by division.
struct Figures<'a> {
    rule: &'a Rule,
    verdict: Verdict,
    tallies: BTreeMap<Names, Tally>,
}

/// Rules with a yes-or-no verdict, by article, in order.
fn by_article(program: &Program) -> BTreeMap<ClauseId, Vec<&Rule>> {
    let mut articles: BTreeMap<ClauseId, Vec<&Rule>> = BTreeMap::new();
    for rule in &program.rules {
        if Verdict::of(program, rule).is_none() {
            continue;
        }
        let mut seen = Vec::new();
        for clause in &rule.cite {
            let article = clause.article();
            if !seen.contains(&article) {
                articles.entry(article.clone()).or_default().push(rule);
                seen.push(article);
            }
        }
    }
    articles
}

impl Writer<'_> {
    /// All sheets of figures, and then all of names.
    pub(super) fn articles(&mut self) -> Result<(), ReportError> {
        let articles = by_article(self.program);
        for (article, rules) in &articles {
            self.figures(article, rules)?;
        }
        for (article, rules) in &articles {
            self.list(article, rules)?;
        }
        Ok(())
    }

    pub(super) fn article_name(&self, article: &ClauseId) -> String {
        match self.lang {
            Lang::Zh => format!("第{article}条"),
            Lang::En => format!("article {article}"),
        }
    }

    fn figures(&mut self, article: &ClauseId, rules: &[&Rule]) -> Result<(), ReportError> {
        let mut all: Vec<Figures<'_>> = Vec::new();
        for rule in rules {
            let Some(verdict) = Verdict::of(self.program, rule) else { continue };
            if !self.load(verdict.entity)? {
                continue;
            }
            let tallies = self.tallies(&verdict)?;
            if !tallies.is_empty() {
                all.push(Figures { rule, verdict, tallies });
            }
        }
        if all.is_empty() {
            return Ok(());
        }
        let mut heads = self.place_heads()?;
        let frozen = heads.len() as u16;
        for figures in &all {
            self.figure_heads(figures, &mut heads);
        }
        let name = self.article_name(article);
        let title = self.figures_title(&name, &all);
        let about = self.say(
            "每行一个村（或乡镇、县本级）：各项规定下符合、达到、履行与未知的记录数",
            "one row a village (or the division above itself): records by verdict of each rule, and the unknown ones",
        );
        let title = self.title(&name, title, about.to_owned());
        let style = Rc::clone(&self.style);
        let mut table = TableSheet::new(&title, &heads, frozen, &style, self.lang)?;
        let mut places: Vec<&Names> = all.iter().flat_map(|figures| figures.tallies.keys()).collect();
        places.sort();
        places.dedup();
        for place in places {
            let mut cells = self.place_cells(place);
            for figures in &all {
                let tally = figures.tallies.get(place).copied().unwrap_or_default();
                cells.extend([tally.yes, tally.no, tally.unknown].map(|count| Cell::Number(count as f64)));
                if figures.verdict.state.is_some() {
                    cells.extend([tally.late, tally.met_late].map(|count| Cell::Number(count as f64)));
                }
                if let Some(amount) = figures.verdict.amount {
                    let decimals = match &self.program.column(amount).ty {
                        Type::Number(ty) => ty.decimals,
                        _ => 0,
                    };
                    cells.push(Cell::Number(scaled(tally.amount, decimals)));
                    cells.push(Cell::Number(tally.amount_unknown as f64));
                }
            }
            table.push(&cells)?;
        }
        let unknown: u64 =
            all.iter().flat_map(|figures| figures.tallies.values()).map(|tally| tally.unknown).sum();
        if self.add(Section::Articles, &title, table)?
            && let Some(entry) = self.entries.last_mut()
        {
            entry.unknown = unknown;
        }
        Ok(())
    }

    /// `第7条：最低生活保障、残疾扶贫对象生活费补贴等 9 项`
    fn figures_title(&self, name: &str, all: &[Figures<'_>]) -> String {
        let first: Vec<&str> = all.iter().take(3).map(|figures| figures.rule.title.get(self.lang)).collect();
        let first = first.join(self.say("、", ", "));
        match (self.lang, all.len() > 3) {
            (Lang::Zh, false) => format!("{name}：{first}"),
            (Lang::Zh, true) => format!("{name}：{first}等 {} 项", all.len()),
            (Lang::En, false) => format!("{name}: {first}"),
            (Lang::En, true) => format!("{name}: {first} and {} more", all.len() - 3),
        }
    }

    fn figure_heads(&self, figures: &Figures<'_>, heads: &mut Vec<Head>) {
        let clause = figures.rule.cite.first().map(ToString::to_string).unwrap_or_default();
        let group = format!("{clause} {}", figures.rule.title.get(self.lang));
        let group = group.trim();
        let [yes, no] = figures.verdict.kind.heads();
        for text in [yes.get(self.lang), no.get(self.lang), self.say("未知", "unknown")] {
            heads.push(Head::count(text).under(group));
        }
        if figures.verdict.state.is_some() {
            let late = self.say("未履行中已逾期", "not met, and late");
            let met_late = self.say("已履行中逾期", "met late");
            heads.extend([late, met_late].map(|text| Head::count(text).under(group)));
        }
        if let Some(amount) = figures.verdict.amount {
            let Type::Number(ty) = &self.program.column(amount).ty else { return };
            let what =
                if ty.is_money() { self.say("金额", "amount") } else { self.say("数量", "quantity") };
            let unit = unit_text(self.program, &ty.unit, self.lang);
            let text = if unit.is_empty() { what.to_owned() } else { format!("{what} ({unit})") };
            let head = Head { decimals: Some(ty.decimals), ..Head::money(text) };
            heads.push(head.under(group));
            let unknown = match self.lang {
                Lang::Zh => format!("{what}未知"),
                Lang::En => format!("{what} unknown"),
            };
            heads.push(Head::count(unknown).under(group));
        }
    }

    /// Figures by division, of divisions where anything is recorded: those of which all is unknown, too.
    fn tallies(&mut self, verdict: &Verdict) -> Result<BTreeMap<Names, Tally>, ReportError> {
        let places = self.places(verdict.entity)?;
        let mut tallies: BTreeMap<Names, Tally> = BTreeMap::new();
        let Some(Some(loaded)) = self.tables.get(&verdict.entity) else { return Ok(tallies) };
        let amounts =
            verdict.amount.and_then(|id| loaded.results.column_by_name(&self.program.column(id).name));
        for (row, place) in places.iter().enumerate().filter(|(_, place)| place.peopled) {
            let state = verdict.state(self.program, &loaded.results, row);
            if state == State::Outside {
                continue;
            }
            let tally = tallies.entry(Rc::clone(&place.names)).or_default();
            match state {
                State::Yes => tally.yes += 1,
                State::No => tally.no += 1,
                State::Unknown | State::Outside => tally.unknown += 1,
            }
            match verdict.duty_state(self.program, &loaded.results, row) {
                Some(Value::Text(code)) if code == LATE => tally.late += 1,
                Some(Value::Text(code)) if code == MET_LATE => tally.met_late += 1,
                _ => {}
            }
            match amounts.and_then(|array| cell(array, row)) {
                Some(Value::Number(number)) => tally.amount += number,
                _ => tally.amount_unknown += u64::from(amounts.is_some() && state != State::Unknown),
            }
        }
        Ok(tallies)
    }
}
