//! Workbooks, streamed cell by cell.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{
    DataRef, Dimensions, ExcelDateTime, Reader as _, SheetVisible, Xlsx, XlsxCellFormulaMetadataRecord,
    XlsxError,
};
use model::Date;

use super::archive::{Archive, damaged};
use super::rows::{Flow, RowSink};
use super::unusable::{protected, unreadable};
use crate::import::ImportError;
use crate::import::cell::Cell;

/// Rows and columns of a spreadsheet.
const ROWS_MAX: u32 = 1_048_576;
const COLUMNS_MAX: u32 = 16_384;

/// Cells that are one, by rows as a spreadsheet numbers them and columns from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    pub top: u32,
    pub bottom: u32,
    pub left: usize,
    pub right: usize,
}

impl Merge {
    pub(super) fn of(range: &Dimensions) -> Self {
        let ((top, left), (bottom, right)) = (range.start, range.end);
        Self {
            top: top.saturating_add(1),
            bottom: bottom.saturating_add(1),
            left: left as usize,
            right: right as usize,
        }
    }
}

/// Names of the sheets that are shown and of those that are not, and merged cells by sheet.
pub(super) struct Contents {
    pub sheets: Vec<String>,
    pub hidden: Vec<String>,
    pub merges: HashMap<String, Vec<Merge>>,
}

pub(super) fn contents(path: &Path, name: &str, archive: &Archive) -> Result<Contents, ImportError> {
    let mut workbook = open(path, name)?;
    let (mut sheets, mut hidden) = (Vec::new(), Vec::new());
    for sheet in workbook.sheets_metadata() {
        let list = if sheet.visible == SheetVisible::Visible { &mut sheets } else { &mut hidden };
        list.push(sheet.name.clone());
    }
    let mut merges = HashMap::new();
    // Finding merged cells means reading a sheet to its end, so it is done only where there are any.
    for sheet in sheets.iter().filter(|_| archive.merges_rows) {
        let found = guarded(name, || {
            workbook.merge_cells_by_sheet_name(sheet).map_err(|error| failure(name, &error))
        });
        // A sheet without rows, such as a chart, has none.
        let found: Vec<Merge> = found.unwrap_or_default().iter().map(Merge::of).collect();
        merges.insert(sheet.clone(), found);
    }
    Ok(Contents { sheets, hidden, merges })
}

pub(super) fn read(path: &Path, name: &str, sheet: &str, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
    let mut workbook = open(path, name)?;
    let mut cells = guarded(name, || match workbook.worksheet_cells_reader(sheet) {
        Ok(cells) => Ok(Some(cells)),
        Err(XlsxError::NotAWorksheet(_)) => Ok(None),
        Err(error) => Err(failure(name, &error)),
    })?;
    let Some(cells) = &mut cells else { return Ok(()) };
    let mut row: Vec<Cell<'_>> = Vec::new();
    let mut number = 0;
    loop {
        let next =
            guarded(name, || cells.next_cell_with_formula_metadata().map_err(|error| failure(name, &error)))?;
        let place = next.as_ref().map(|cell| cell.pos);
        if place.is_none_or(|(line, _)| line + 1 != number) && !row.is_empty() {
            if sink(number, &row)? == Flow::Stop {
                return Ok(());
            }
            row.clear();
        }
        let (Some(cell), Some((line, column))) = (next, place) else { return Ok(()) };
        if line >= ROWS_MAX || column >= COLUMNS_MAX {
            return Err(damaged(name));
        }
        number = line + 1;
        // Cells come in order; a sheet that repeats one is damaged, and the first is kept.
        row.resize(row.len().max(column as usize), Cell::Empty);
        if row.len() == column as usize {
            row.push(content(&cell));
        }
    }
}

fn open(path: &Path, name: &str) -> Result<Xlsx<BufReader<File>>, ImportError> {
    guarded(name, || calamine::open_workbook(path).map_err(|error: XlsxError| failure(name, &error)))
}

/// What a reader of damaged files panics about is the file's fault.
fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T, ImportError>) -> Result<T, ImportError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(name)))
}

fn failure(name: &str, error: &XlsxError) -> ImportError {
    match error {
        XlsxError::Password => protected(name),
        XlsxError::Io(error) => unreadable(name, error),
        _ => damaged(name),
    }
}

fn content<'s>(cell: &XlsxCellFormulaMetadataRecord<'s>) -> Cell<'s> {
    match meaning(&cell.value) {
        Cell::Empty if cell.formula.is_some() => Cell::Uncomputed,
        value => value,
    }
}

fn meaning<'s>(data: &DataRef<'s>) -> Cell<'s> {
    match data {
        DataRef::Empty => Cell::Empty,
        DataRef::SharedString(text) => Cell::Text(Cow::Borrowed(text)),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cell::Text(Cow::Owned(text.clone()))
        }
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::Int(number) => Cell::Integer(*number),
        DataRef::Bool(flag) => Cell::Bool(*flag),
        DataRef::DateTime(moment) => day(moment),
        DataRef::Error(error) => Cell::Error(Cow::Owned(error.to_string())),
    }
}

/// The day of a date cell, in either of the two systems of counting.
pub(super) fn day(moment: &ExcelDateTime) -> Cell<'static> {
    let serial = moment.as_f64();
    if moment.is_duration() {
        return Cell::Number(serial);
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    match Date::from_ymd(i32::from(year), u32::from(month), u32::from(day)) {
        Ok(date) if serial >= 0.0 => Cell::Date(date),
        _ => Cell::BadDate(serial),
    }
}
