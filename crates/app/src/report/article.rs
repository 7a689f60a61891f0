//! A sheet for each article: figures of its rules by township and village.

use std::collections::BTreeMap;
use std::rc::Rc;

use model::{ClauseId, Lang};
use pack::program::{ColumnId, Program, Rule, Value};
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::place::Names;
use super::{ReportError, Writer, scaled, verdict};
use crate::cases::cell;

/// Title of a rule, its figures by township and village, and its amount column.
type ArticleColumn = (String, BTreeMap<Names, Tally>, Option<ColumnId>);

/// Counts of one division and rule.
#[derive(Clone, Copy, Default)]
struct Tally {
    subjects: u64,
    yes: u64,
    unknown: u64,
    amount: i128,
}

/// Executable rules with a yes-or-no verdict, by article, in order.
pub(super) fn by_article(program: &Program) -> BTreeMap<ClauseId, Vec<&Rule>> {
    let mut articles: BTreeMap<ClauseId, Vec<&Rule>> = BTreeMap::new();
    for rule in &program.rules {
        if verdict(rule).is_none() {
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
    /// Figures of an article's rules by township and village.
    pub(super) fn article(&mut self, article: &ClauseId, rules: &[&Rule]) -> Result<(), ReportError> {
        let mut columns: Vec<ArticleColumn> = Vec::new();
        for rule in rules {
            let Some((verdict, amount, _)) = verdict(rule) else { continue };
            let entity = self.program.column(verdict).entity;
            self.load(entity)?;
            if self.tables.get(&entity).is_none_or(Option::is_none) {
                continue;
            }
            let places = self.places(entity)?;
            let Some(Some(loaded)) = self.tables.get(&entity) else { continue };
            let column = |id: ColumnId| loaded.results.column_by_name(&self.program.column(id).name);
            let verdicts = column(verdict);
            let amounts = amount.and_then(column);
            let mut tallies: BTreeMap<Names, Tally> = BTreeMap::new();
            for (row, place) in places.iter().enumerate().filter(|(_, place)| place.peopled) {
                let key = (Rc::clone(&place.township), Rc::clone(&place.village));
                let tally = tallies.entry(key).or_default();
                tally.subjects += 1;
                match verdicts.and_then(|array| cell(array, row)) {
                    Some(Value::Bool(true)) => tally.yes += 1,
                    None => tally.unknown += 1,
                    _ => {}
                }
                if let Some(Value::Number(number)) = amounts.and_then(|array| cell(array, row)) {
                    tally.amount += number;
                }
            }
            tallies.retain(|_, tally| tally.yes > 0 || tally.amount != 0 || tally.unknown < tally.subjects);
            columns.push((rule.title.get(self.lang).to_owned(), tallies, amount));
        }
        if columns.is_empty() {
            return Ok(());
        }
        self.article_sheet(article, &columns)
    }

    fn article_sheet(&mut self, article: &ClauseId, columns: &[ArticleColumn]) -> Result<(), ReportError> {
        let name = match self.lang {
            Lang::Zh => format!("第{article}条"),
            Lang::En => format!("article {article}"),
        };
        let mut sheet = self.titled(&name, &name)?;
        let head = self.head();
        let bold = Format::new().set_bold();
        sheet.write_with_format(3, 0, self.say("乡镇", "township"), &head)?;
        sheet.write_with_format(3, 1, self.say("村", "village"), &head)?;
        let mut at = 2u16;
        let mut starts = Vec::new();
        for (title, _, amount) in columns {
            starts.push(at);
            for text in
                [self.say("对象数", "subjects"), self.say("符合数", "yes"), self.say("未知数", "unknown")]
            {
                sheet.write_with_format(3, at, format!("{title}\n{text}"), &head)?;
                at += 1;
            }
            if let Some(amount) = amount {
                sheet.write_with_format(3, at, format!("{title}\n{}", self.amount_head(*amount)), &head)?;
                at += 1;
            }
        }
        let mut places: Vec<&Names> = columns.iter().flat_map(|(_, tallies, _)| tallies.keys()).collect();
        places.sort();
        places.dedup();
        let program = self.program;
        let mut row = 4;
        let mut line = |sheet: &mut Worksheet, names: (&str, &str), tallies: Vec<Tally>, format: &Format| {
            sheet.write_with_format(row, 0, names.0, format)?;
            sheet.write_with_format(row, 1, names.1, format)?;
            for ((start, tally), (_, _, amount)) in starts.iter().zip(&tallies).zip(columns) {
                sheet.write_with_format(row, *start, tally.subjects as f64, format)?;
                sheet.write_with_format(row, start + 1, tally.yes as f64, format)?;
                sheet.write_with_format(row, start + 2, tally.unknown as f64, format)?;
                if let Some(amount) = amount {
                    sheet.write_with_format(
                        row,
                        start + 3,
                        scaled(program, *amount, tally.amount),
                        format,
                    )?;
                }
            }
            row += 1;
            Ok::<(), XlsxError>(())
        };
        let sum = |keep: &dyn Fn(&Names) -> bool| -> Vec<Tally> {
            columns
                .iter()
                .map(|(_, tallies, _)| {
                    tallies.iter().filter(|(place, _)| keep(place)).fold(
                        Tally::default(),
                        |sum, (_, tally)| Tally {
                            subjects: sum.subjects + tally.subjects,
                            yes: sum.yes + tally.yes,
                            unknown: sum.unknown + tally.unknown,
                            amount: sum.amount + tally.amount,
                        },
                    )
                })
                .collect()
        };
        line(&mut sheet, (self.say("合计", "total"), ""), sum(&|_| true), &bold)?;
        let plain = Format::new();
        let mut township = "";
        for place in &places {
            if &*place.0 != township {
                township = &place.0;
                line(
                    &mut sheet,
                    (township, self.say("小计", "subtotal")),
                    sum(&|other| other.0 == place.0),
                    &bold,
                )?;
            }
            line(&mut sheet, (&place.0, &place.1), sum(&|other| other == *place), &plain)?;
        }
        sheet.set_freeze_panes(4, 2)?;
        sheet.set_column_width(0, 18)?;
        sheet.set_column_width(1, 26)?;
        sheet.set_column_range_width(2, at.max(3) - 1, 15)?;
        let rows = u64::from(row) - 4;
        self.add(sheet, rows);
        Ok(())
    }
}
