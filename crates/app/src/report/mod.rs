//! A run as a workbook: an overview, a sheet for each article with figures by division, and the lists
//! of who gets what, who lacks what and what contradicts itself.

mod article;
mod list;
mod place;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use arrow::array::RecordBatch;
use evaluate::explain::unit_text;
use model::Lang;
use pack::program::{ColumnId, EntityId, Program, Rule, RuleDetail, Type};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};
use thiserror::Error;

use crate::explain::{ExplainError, StoredRun};
use crate::tables::{StoredTable, TableError};

use article::by_article;
use place::Place;

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
