//! A run as a workbook: an index, the totals, a sheet with figures by division and one with names for each article, the
//! pack's own reports, and what is to be paid to whom.
//!
//! Every number stands beside how many records are unknown for it. Personal data is masked unless somebody who may see
//! it asks for it, and that is written down first.

mod article;
mod declared;
mod disclosure;
mod index;
mod list;
mod payments;
mod place;
mod save;
mod sheet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use arrow::array::RecordBatch;
use evaluate::explain::{unit_text, value_text};
use evaluate::{Shown, Viewer};
use model::{AsProblem as _, Lang, Text};
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, NumberKind, Program, Type, Value};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};
use store::Moment;
use thiserror::Error;

use crate::cells::cell;
use crate::explain::{ExplainError, StoredRun};
use crate::tables::{StoredTable, TableError};
use crate::verdict::Verdict;

pub use disclosure::Disclosure;
use place::{Names, Place, levels};
use sheet::{Cell, Head, Style, TableSheet, Title, sheet_name};

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ReportError {
    #[error(transparent)]
    Run(#[from] ExplainError),
    #[error(transparent)]
    Table(#[from] TableError),
    Workbook(#[from] XlsxError),
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    NotAWorkbook {
        path: PathBuf,
    },
    OverInput {
        path: PathBuf,
        why: Text,
    },
}

/// Sheets and rows written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportSummary {
    pub sheets: usize,
    pub rows: u64,
    /// Cells of results that are unknown.
    pub unknown: u64,
}

/// What the workbook is to hold.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    pub lang: Lang,
    /// Names, numbers and accounts in full, for whom and when; masked if absent.
    pub unmasked: Option<Disclosure>,
}

/// Writes the workbook of a run. It is made beside its place and moved there when it is whole.
///
/// # Errors
/// A run that cannot be read, a place that is no workbook's or that an input has, and a disk that does not take it: what
/// was in its place is then untouched.
pub fn write(
    program: &Program,
    run: &StoredRun,
    path: &Path,
    options: &ReportOptions,
) -> Result<ReportSummary, ReportError> {
    run.check_pack(program).map_err(ExplainError::from)?;
    save::refuse_inputs(run, path)?;
    let mut writer = Writer::new(program, run, options);
    writer.articles()?;
    for rule in &program.rules {
        writer.declared(rule)?;
    }
    writer.payments()?;
    let mut book = Workbook::new();
    // No clock: the same run makes the same workbook.
    let (year, month, day) = run.as_of.ymd();
    let made = ExcelDateTime::from_ymd(u16::try_from(year).unwrap_or(1900), month as u8, day as u8)?;
    book.set_properties(
        &DocProperties::new().set_title(program.info.title.get(options.lang)).set_creation_datetime(&made),
    );
    let front = [writer.index()?, writer.overview()?];
    writer.summary.sheets = front.len() + writer.sheets.len();
    for sheet in front.into_iter().chain(std::mem::take(&mut writer.sheets)) {
        book.push_worksheet(sheet);
    }
    if let Some(disclosure) = &options.unmasked {
        let summary = &writer.summary;
        let out = path.display().to_string();
        let shown = serde_json::json!({ "out": out, "sheets": summary.sheets, "rows": summary.rows });
        disclosure.record(run, "report", &shown)?;
    }
    save::whole(&mut book, path)?;
    Ok(writer.summary)
}

/// An entity's recorded rows beside its results.
struct Loaded {
    recorded: RecordBatch,
    results: RecordBatch,
}

/// What the index says of a sheet.
struct Entry {
    section: Section,
    sheet: String,
    title: String,
    rows: u64,
    unknown: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Articles,
    Lists,
    Reports,
    Payments,
}

struct Writer<'a> {
    program: &'a Program,
    run: &'a StoredRun,
    lang: Lang,
    unmasked: bool,
    viewer: Viewer<'a>,
    style: Rc<Style>,
    /// Names of the index and of the sheet of totals.
    front: [String; 2],
    taken: Vec<String>,
    sheets: Vec<Worksheet>,
    entries: Vec<Entry>,
    /// Titles of reports about which nothing is recorded.
    empty: Vec<String>,
    summary: ReportSummary,
    tables: BTreeMap<EntityId, Option<Loaded>>,
    /// The division entities, the highest first.
    levels: Vec<EntityId>,
    shown_levels: Option<Rc<[usize]>>,
    places: BTreeMap<EntityId, Rc<Vec<Place>>>,
    peopled: BTreeMap<EntityId, Rc<Vec<bool>>>,
}

impl<'a> Writer<'a> {
    fn new(program: &'a Program, run: &'a StoredRun, options: &ReportOptions) -> Self {
        let mut taken = vec![];
        let front = match options.lang {
            Lang::Zh => ["目录", "总览"],
            Lang::En => ["contents", "totals"],
        };
        let front = front.map(|name| sheet_name(name, &mut taken));
        Self {
            program,
            run,
            lang: options.lang,
            unmasked: options.unmasked.is_some(),
            viewer: match options.unmasked {
                Some(_) => Viewer::unmasked(program),
                None => Viewer::masked(program),
            },
            style: Rc::new(Style::new()),
            front,
            taken,
            sheets: vec![],
            entries: vec![],
            empty: vec![],
            summary: ReportSummary::default(),
            tables: BTreeMap::new(),
            levels: levels(program),
            shown_levels: None,
            places: BTreeMap::new(),
            peopled: BTreeMap::new(),
        }
    }
}

impl Writer<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Reads an entity's rows; whether the run has results of it.
    fn load(&mut self, entity: EntityId) -> Result<bool, TableError> {
        if let Some(known) = self.tables.get(&entity) {
            return Ok(known.is_some());
        }
        let name = format!("{}.parquet", self.program.entity(entity).name);
        let results = self.run.folder.join(&name);
        let loaded = if results.exists() {
            let recorded = StoredTable::open(&self.run.snapshot.join(&name))?;
            Some(Loaded { recorded: recorded.read_all()?, results: StoredTable::open(&results)?.read_all()? })
        } else {
            None
        };
        let found = loaded.is_some();
        self.tables.insert(entity, loaded);
        Ok(found)
    }

    /// The value of a column for a record, or for the one above it that has the column.
    fn value(&self, entity: EntityId, row: usize, id: ColumnId) -> Option<Value> {
        let column = self.program.column(id);
        let (mut at, mut at_row) = (entity, row);
        while at != column.entity {
            let edge = self.program.entity(at).parent?;
            at_row = self.parent(edge, at_row)?;
            at = self.program.edge(edge).parent;
        }
        let loaded = self.tables.get(&at)?.as_ref()?;
        let batch =
            if matches!(column.kind, ColumnKind::Field(_)) { &loaded.recorded } else { &loaded.results };
        cell(batch.column_by_name(&column.name)?, at_row)
    }

    fn parent(&self, edge: EdgeId, row: usize) -> Option<usize> {
        let edge = self.program.edge(edge);
        let loaded = self.tables.get(&edge.child)?.as_ref()?;
        match cell(loaded.recorded.column_by_name(&format!("_{}", edge.name))?, row)? {
            Value::Number(parent) => usize::try_from(parent).ok(),
            _ => None,
        }
    }

    /// Reads the entities above one, as far as the run has them.
    fn load_above(&mut self, entity: EntityId) -> Result<(), TableError> {
        let mut at = entity;
        while let Some(edge) = self.program.entity(at).parent {
            at = self.program.edge(edge).parent;
            self.load(at)?;
        }
        Ok(())
    }

    /// A value as a cell: numbers as numbers, what is personal masked, what is not known said.
    fn cell(&self, id: ColumnId, value: Option<&Value>) -> Cell {
        let column = self.program.column(id);
        let value = match self.viewer.show(id, value) {
            Shown::Masked(text) => return Cell::Text(text),
            Shown::Value(value) => value,
        };
        let value = value.as_ref();
        match (value, &column.ty) {
            (None, _) if matches!(column.kind, ColumnKind::Field(_)) => {
                Cell::Aside(self.say("未填", "not recorded"))
            }
            (None, _) => Cell::Unknown,
            (Some(Value::Number(number)), Type::Number(ty)) if ty.kind != NumberKind::Rate => {
                Cell::Number(scaled(*number, ty.decimals))
            }
            (Some(Value::Number(number)), Type::Number(ty)) => {
                Cell::Number(scaled(*number, ty.decimals) * 100.0)
            }
            (Some(Value::Date(date)), _) => Cell::Date(*date),
            (Some(value), ty) => Cell::Text(value_text(self.program, ty, Some(value), self.lang)),
        }
    }

    /// The head of a column of the pack, with its unit.
    fn head_of(&self, id: ColumnId) -> Head {
        let column = self.program.column(id);
        let label = match column.label.get(self.lang) {
            "" => column.name.clone(),
            label => label.to_owned(),
        };
        let (unit, decimals) = match &column.ty {
            Type::Number(ty) if ty.kind == NumberKind::Rate => {
                ("%".to_owned(), Some(ty.decimals.saturating_sub(2)))
            }
            Type::Number(ty) => (unit_text(self.program, &ty.unit, self.lang), Some(ty.decimals.min(4))),
            _ => (String::new(), None),
        };
        let text = match (unit.is_empty(), self.lang) {
            (true, _) => label,
            (false, Lang::Zh) => format!("{label}（{unit}）"),
            (false, Lang::En) => format!("{label} ({unit})"),
        };
        let width = match &column.ty {
            Type::Number(_) => 14.0,
            Type::Date => 11.0,
            Type::Bool => 9.0,
            _ if column.ty == Type::Text => 20.0,
            _ => 14.0,
        };
        Head { group: None, text, decimals, adds_up: self.adds_up(id), width }
    }

    /// Money that is recorded or due adds up; income per head does not.
    fn adds_up(&self, id: ColumnId) -> bool {
        let column = self.program.column(id);
        let money = matches!(&column.ty, Type::Number(ty) if ty.is_money());
        let due = self.program.rules.iter().filter_map(|rule| Verdict::of(self.program, rule));
        money
            && (matches!(column.kind, ColumnKind::Field(_))
                || due.into_iter().any(|due| due.amount == Some(id)))
    }

    fn entity_label(&self, entity: EntityId) -> String {
        let entity = self.program.entity(entity);
        match entity.label.get(self.lang) {
            "" => entity.name.clone(),
            label => label.to_owned(),
        }
    }

    /// Heads of the divisions that are named on every row.
    fn place_heads(&mut self) -> Result<Vec<Head>, ReportError> {
        let shown = self.shown_levels()?;
        let labels = shown.iter().map(|level| self.entity_label(self.levels[*level]));
        Ok(labels.map(|label| Head::text(label, 16.0)).collect())
    }

    /// The divisions of a record; where it has none of a level, that it is the division's own, or belongs nowhere.
    fn place_cells(&self, names: &Names) -> Vec<Cell> {
        let shown = self.shown_levels.clone().unwrap_or_default();
        let name_at = |level: usize| names.get(level).map_or("", |name| name);
        let lowest = names.iter().rev().find(|name| !name.is_empty());
        let mut said = false;
        let mut cells = vec![];
        for level in shown.iter() {
            let cell = match (name_at(*level), lowest) {
                ("", _) if said => Cell::Text(String::new()),
                ("", Some(lowest)) if cells.is_empty() => {
                    Cell::Text(format!("{lowest}{}", self.say("（本级）", " (itself)")))
                }
                ("", Some(_)) => Cell::Aside(self.say("（本级）", "(itself)")),
                ("", None) => Cell::Aside(self.say("（无所属）", "(nowhere)")),
                (name, _) => Cell::Text(name.to_owned()),
            };
            said |= name_at(*level).is_empty();
            cells.push(cell);
        }
        cells
    }

    fn title(&mut self, name: &str, title: String, about: String) -> Title {
        let run = self.run;
        let foot = format!(
            "{} {} · {} {} · {} {}",
            self.say("截至", "as of"),
            run.as_of,
            self.program.info.title.get(self.lang),
            self.program.info.version,
            self.say("数据快照", "snapshot"),
            run.manifest.snapshot.digest.get(..12).unwrap_or_default(),
        );
        let name = sheet_name(name, &mut self.taken);
        Title { name, title, about, foot, index: self.front[0].clone() }
    }

    /// Takes a table as a sheet, with a line in the index. One without rows is left out, and its name free again.
    fn add(&mut self, section: Section, title: &Title, table: TableSheet<'_>) -> Result<bool, ReportError> {
        let (rows, unknown) = (table.rows(), table.unknown());
        if rows == 0 {
            self.taken.retain(|name| *name != title.name);
            return Ok(false);
        }
        self.sheets.push(table.finish()?);
        self.entries.push(Entry {
            section,
            sheet: title.name.clone(),
            title: title.title.clone(),
            rows,
            unknown,
        });
        self.summary.rows += rows;
        self.summary.unknown += unknown;
        Ok(true)
    }
}

/// A scaled number as a spreadsheet shows it.
fn scaled(number: i128, decimals: u8) -> f64 {
    number as f64 / 10f64.powi(i32::from(decimals))
}
