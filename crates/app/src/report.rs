//! A run as a workbook: an overview, a sheet for each article with figures by division, and the lists
//! of who gets what, who lacks what and what contradicts itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use engine::explain::{mask, unit_text, value_text};
use model::{ClauseId, Lang};
use pack::program::{ColumnId, ColumnKind, EntityId, Pii, Program, Rule, RuleDetail, Type, Value};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};
use thiserror::Error;

use crate::cases::cell;
use crate::explain::{ExplainError, StoredRun};
use crate::tables::{StoredTable, TableError};

/// Rows of one sheet, header rows included, that a spreadsheet can hold.
const ROWS_MAX: u32 = 1_048_576;

#[derive(Debug, Error)]
pub enum ReportError {
    #[error(transparent)]
    Run(#[from] ExplainError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the workbook cannot be written: {0}")]
    Workbook(#[from] XlsxError),
}

/// Sheets and list rows written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportSummary {
    pub sheets: usize,
    pub rows: u64,
}

/// Writes the workbook of a run.
pub fn write(
    program: &Program,
    run: &StoredRun,
    path: &Path,
    lang: Lang,
) -> Result<ReportSummary, ReportError> {
    run.check_pack(program)?;
    let mut writer = Writer {
        program,
        run,
        lang,
        book: Workbook::new(),
        summary: ReportSummary::default(),
        tables: BTreeMap::new(),
        places: BTreeMap::new(),
        peopled: BTreeMap::new(),
    };
    writer.overview()?;
    for (article, rules) in by_article(program) {
        writer.article(&article, &rules)?;
    }
    for rule in &program.rules {
        writer.list(rule)?;
    }
    writer.book.save(path)?;
    Ok(writer.summary)
}

/// Executable rules with a yes-or-no verdict, by article, in order.
fn by_article(program: &Program) -> BTreeMap<ClauseId, Vec<&Rule>> {
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

/// The verdict column of a rule, the amount that goes with it, and whether the list names those for
/// whom the verdict is true (or false).
fn verdict(rule: &Rule) -> Option<(ColumnId, Option<ColumnId>, bool)> {
    match &rule.detail {
        RuleDetail::Benefit(benefit) => Some((benefit.who, benefit.amount, true)),
        RuleDetail::Standard(standard) => {
            Some((standard.holds, standard.remedy.as_ref().and_then(|remedy| remedy.cost), false))
        }
        RuleDetail::Duty(duty) => Some((duty.met, None, false)),
        RuleDetail::Check(check) => Some((check.fails, None, true)),
        _ => None,
    }
}

/// An entity's recorded rows beside its results.
struct Loaded {
    recorded: RecordBatch,
    results: RecordBatch,
}

struct Writer<'a> {
    program: &'a Program,
    run: &'a StoredRun,
    lang: Lang,
    book: Workbook,
    summary: ReportSummary,
    tables: BTreeMap<EntityId, Option<Loaded>>,
    places: BTreeMap<EntityId, Rc<Vec<Place>>>,
    peopled: BTreeMap<EntityId, Rc<Vec<bool>>>,
}

/// Where a record belongs.
#[derive(Clone, Default)]
struct Place {
    township: Rc<str>,
    village: Rc<str>,
    /// Whether anything is recorded there: the division list alone makes no subject of a report.
    peopled: bool,
}

/// Township and village.
type Names = (Rc<str>, Rc<str>);

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

impl Writer<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn load(&mut self, entity: EntityId) -> Result<(), TableError> {
        if self.tables.contains_key(&entity) {
            return Ok(());
        }
        let name = format!("{}.parquet", self.program.entity(entity).name);
        let results = self.run.folder.join(&name);
        let loaded = if results.exists() {
            let recorded = StoredTable::open(&self.run.snapshot.join(&name))?;
            Some(Loaded { recorded: recorded.read_all()?, results: StoredTable::open(&results)?.read_all()? })
        } else {
            None
        };
        self.tables.insert(entity, loaded);
        Ok(())
    }

    /// What the numbers of an amount column are: yuan, or a quantity in its unit.
    fn amount_head(&self, id: ColumnId) -> String {
        let unit = match &self.program.column(id).ty {
            Type::Number(ty) if ty.is_money() => return self.say("金额（元）", "yuan").to_owned(),
            Type::Number(ty) => unit_text(&ty.unit, self.lang),
            _ => String::new(),
        };
        let what = self.say("数量", "quantity");
        match (unit.is_empty(), self.lang) {
            (true, _) => what.to_owned(),
            (false, Lang::Zh) => format!("{what}（{unit}）"),
            (false, Lang::En) => format!("{what} ({unit})"),
        }
    }

    fn head(&self) -> Format {
        Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x00E8_EEF4))
            .set_border(FormatBorder::Thin)
            .set_text_wrap()
            .set_align(FormatAlign::Center)
    }

    fn titled(&self, title: &str, name: &str) -> Result<Worksheet, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(sheet_name(name))?;
        sheet.write_with_format(0, 0, title, &Format::new().set_bold().set_font_size(14))?;
        let about = format!(
            "{} {} · {} {} · {} {}",
            self.say("截至", "as of"),
            self.run.as_of,
            self.say("政策包", "pack"),
            self.program.info.version,
            self.say("数据快照", "snapshot"),
            self.run.manifest["snapshot"]["digest"]
                .as_str()
                .unwrap_or_default()
                .get(..12)
                .unwrap_or_default(),
        );
        sheet.write_with_format(1, 0, about, &Format::new().set_font_color(Color::Gray))?;
        Ok(sheet)
    }

    fn overview(&mut self) -> Result<(), ReportError> {
        let title = self.program.info.title.get(self.lang).to_owned();
        let mut sheet = self.titled(&title, self.say("总览", "overview"))?;
        let head = self.head();
        for (column, text) in
            [self.say("指标", "figure"), self.say("数值", "value"), self.say("单位", "unit")]
                .iter()
                .enumerate()
        {
            sheet.write_with_format(3, column as u16, *text, &head)?;
        }
        for (row, total) in (4..).zip(&self.program.totals) {
            let value = &self.run.manifest["totals"][&total.id];
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let money = matches!(&total.function, pack::program::TotalFunction::Sum(id)
                if matches!(&self.program.column(*id).ty, Type::Number(ty) if ty.is_money()));
            sheet.write(row, 0, total.title.get(self.lang))?;
            match text.parse::<i128>() {
                Ok(fen) if money => {
                    sheet.write(row, 1, yuan(fen))?;
                    sheet.write(row, 2, self.say("元", "yuan"))?;
                }
                Ok(count) => {
                    sheet.write(row, 1, count as f64)?;
                }
                Err(_) => {
                    sheet.write(row, 1, text)?;
                }
            }
        }
        sheet.set_column_width(0, 46)?;
        sheet.set_column_width(1, 22)?;
        self.add(sheet, 0);
        Ok(())
    }

    fn add(&mut self, sheet: Worksheet, rows: u64) {
        self.book.push_worksheet(sheet);
        self.summary.sheets += 1;
        self.summary.rows += rows;
    }

    /// Figures of an article's rules by township and village.
    fn article(&mut self, article: &ClauseId, rules: &[&Rule]) -> Result<(), ReportError> {
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

    /// Township and village of every row of an entity; empty where it has none.
    fn places(&mut self, entity: EntityId) -> Result<Rc<Vec<Place>>, ReportError> {
        if let Some(known) = self.places.get(&entity) {
            return Ok(Rc::clone(known));
        }
        let batch = self.recorded(entity)?;
        let table = self.program.entity(entity).clone();
        let own_peopled = match table.division {
            Some(_) => Some(self.peopled(entity)?),
            None => None,
        };
        let above = match table.parent {
            Some(edge) => {
                let edge = self.program.edge(edge);
                let column = batch.column_by_name(&format!("_{}", edge.name)).cloned();
                Some((self.places(edge.parent)?, column))
            }
            None => None,
        };
        let names = batch.column_by_name("name");
        let mut places = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let parent = above.as_ref().and_then(|(places, column)| match cell(column.as_ref()?, row)? {
                Value::Number(number) => places.get(usize::try_from(number).ok()?),
                _ => None,
            });
            let mut place = parent.cloned().unwrap_or_default();
            let name = || match names.and_then(|array| cell(array, row)) {
                Some(Value::Text(name)) => Rc::from(name),
                _ => Rc::from(""),
            };
            match table.division.as_deref() {
                Some("village") => place.village = name(),
                Some("township") => place.township = name(),
                _ => {}
            }
            place.peopled = own_peopled.as_ref().is_none_or(|peopled| peopled[row]);
            places.push(place);
        }
        let places = Rc::new(places);
        self.places.insert(entity, Rc::clone(&places));
        Ok(places)
    }

    fn recorded(&self, entity: EntityId) -> Result<RecordBatch, TableError> {
        if let Some(Some(loaded)) = self.tables.get(&entity) {
            return Ok(loaded.recorded.clone());
        }
        let name = format!("{}.parquet", self.program.entity(entity).name);
        StoredTable::open(&self.run.snapshot.join(name))?.read_all()
    }

    /// Divisions where something is recorded beyond their code and name, or below which something is.
    fn peopled(&mut self, entity: EntityId) -> Result<Rc<Vec<bool>>, ReportError> {
        if let Some(known) = self.peopled.get(&entity) {
            return Ok(Rc::clone(known));
        }
        let batch = self.recorded(entity)?;
        let mut peopled = vec![false; batch.num_rows()];
        let program = self.program;
        let lowest = !program
            .edges
            .iter()
            .any(|edge| edge.parent == entity && edge.tree && program.entity(edge.child).division.is_some());
        if lowest {
            let facts = program.entity(entity).fields.iter().filter(|id| program.column(**id).nullable);
            for array in facts.filter_map(|id| batch.column_by_name(&program.column(*id).name)) {
                for (row, slot) in peopled.iter_mut().enumerate() {
                    *slot |= array.is_valid(row);
                }
            }
        }
        for edge in program.edges.iter().filter(|edge| edge.parent == entity && edge.tree) {
            let child = self.recorded(edge.child)?;
            let below = if program.entity(edge.child).division.is_some() {
                Some(self.peopled(edge.child)?)
            } else {
                None
            };
            let Some(array) = child.column_by_name(&format!("_{}", edge.name)) else { continue };
            for row in 0..child.num_rows() {
                if below.as_ref().is_some_and(|below| !below[row]) {
                    continue;
                }
                if let Some(Value::Number(parent)) = cell(array, row)
                    && let Some(slot) =
                        usize::try_from(parent).ok().and_then(|parent| peopled.get_mut(parent))
                {
                    *slot = true;
                }
            }
        }
        let peopled = Rc::new(peopled);
        self.peopled.insert(entity, Rc::clone(&peopled));
        Ok(peopled)
    }

    /// The records that a rule singles out: who is entitled, who lacks a standard, what contradicts itself.
    fn list(&mut self, rule: &Rule) -> Result<(), ReportError> {
        let Some((verdict, amount, wanted)) = verdict(rule) else { return Ok(()) };
        let entity = self.program.column(verdict).entity;
        self.load(entity)?;
        if self.tables.get(&entity).is_none_or(Option::is_none) {
            return Ok(());
        }
        let places = self.places(entity)?;
        let clause = rule.cite.first().map(ToString::to_string).unwrap_or_default();
        let title = format!("{clause} {}", rule.title.get(self.lang));
        let mut sheet = self.titled(title.trim(), &format!("{clause} {}", rule.id))?;
        let Some(Some(loaded)) = self.tables.get(&entity) else { return Ok(()) };
        let shown = shown_fields(self.program, entity);
        let head = self.head();
        let mut headers = vec![self.say("乡镇", "township").to_owned(), self.say("村", "village").to_owned()];
        headers.extend(shown.iter().map(|id| self.program.column(*id).label.get(self.lang).to_owned()));
        if let Some(amount) = amount {
            headers.push(format!("{}\n{}", rule.title.get(self.lang), self.amount_head(amount)));
        }
        for (column, text) in headers.iter().enumerate() {
            sheet.write_with_format(3, column as u16, text.as_str(), &head)?;
        }
        let applies = match &rule.detail {
            RuleDetail::Standard(standard) => standard.applies,
            RuleDetail::Duty(duty) => Some(duty.owed),
            _ => None,
        };
        let column = |id: ColumnId| loaded.results.column_by_name(&self.program.column(id).name);
        let (verdicts, amounts) = (column(verdict), amount.and_then(column));
        let applying = applies.and_then(column);
        let value = |array: Option<&ArrayRef>, row: usize| array.and_then(|array| cell(array, row));
        let mut at = 4u32;
        for (row, place) in places.iter().enumerate().filter(|(_, place)| place.peopled) {
            let outside = applying.is_some() && value(applying, row) != Some(Value::Bool(true));
            if value(verdicts, row) != Some(Value::Bool(wanted)) || outside || at >= ROWS_MAX {
                continue;
            }
            sheet.write(at, 0, &*place.township)?;
            sheet.write(at, 1, &*place.village)?;
            for (position, id) in shown.iter().enumerate() {
                let value = loaded
                    .recorded
                    .column_by_name(&self.program.column(*id).name)
                    .and_then(|array| cell(array, row));
                let text = self.recorded_text(*id, value.as_ref());
                sheet.write(at, position as u16 + 2, text)?;
            }
            if let Some(amount) = amount {
                let column = shown.len() as u16 + 2;
                match value(amounts, row) {
                    Some(Value::Number(number)) => {
                        sheet.write(at, column, scaled(self.program, amount, number))?;
                    }
                    _ => {
                        sheet.write(at, column, self.say("未知", "unknown"))?;
                    }
                }
            }
            at += 1;
        }
        sheet.set_freeze_panes(4, 0)?;
        sheet.set_column_range_width(0, headers.len() as u16, 18)?;
        let rows = u64::from(at) - 4;
        if rows > 0 {
            self.add(sheet, rows);
        }
        Ok(())
    }

    /// A recorded value as an office would write it; personal data masked.
    fn recorded_text(&self, id: ColumnId, value: Option<&Value>) -> String {
        let column = self.program.column(id);
        let text = match value {
            None => return String::new(),
            Some(value) => value_text(self.program, &column.ty, Some(value), self.lang),
        };
        match &column.kind {
            ColumnKind::Field(field) => mask(&text, field.pii),
            _ => text,
        }
    }
}

/// The key and the names of a record, as far as they tell it from others.
fn shown_fields(program: &Program, entity: EntityId) -> Vec<ColumnId> {
    let table = program.entity(entity);
    let mut shown = vec![table.key];
    shown.extend(table.fields.iter().filter(|id| {
        **id != table.key
            && matches!(&program.column(**id).kind, ColumnKind::Field(field) if field.pii == Pii::Name)
    }));
    shown
}

/// A scaled number as a spreadsheet shows it.
fn scaled(program: &Program, id: ColumnId, number: i128) -> f64 {
    match &program.column(id).ty {
        Type::Number(ty) => number as f64 / 10f64.powi(i32::from(ty.decimals)),
        _ => number as f64,
    }
}

fn yuan(fen: i128) -> f64 {
    fen as f64 / 100.0
}

/// Sheet names have at most 31 letters and lack some marks.
fn sheet_name(text: &str) -> String {
    text.trim()
        .chars()
        .map(|letter| if "[]:*?/\\".contains(letter) { '-' } else { letter })
        .take(31)
        .collect()
}
