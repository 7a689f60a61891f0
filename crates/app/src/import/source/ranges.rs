//! Workbooks of older or other programs (xls, ods), which are held in memory as a whole.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{Data, Ods, OdsError, Range, Reader as _, SheetVisible, Xls, XlsError};

use super::archive::damaged;
use super::rows::{Flow, RowSink};
use super::unusable::protected;
use super::xlsx::{Merge, day};
use crate::import::ImportError;
use crate::import::cell::Cell;

/// Sheets with their cells.
#[derive(Debug, Default)]
pub struct Book {
    pub sheets: Vec<Sheet>,
    pub hidden: Vec<String>,
}

#[derive(Debug)]
pub struct Sheet {
    pub name: String,
    pub merges: Vec<Merge>,
    values: Range<Data>,
    formulas: Range<String>,
}

pub fn open_xls(path: &Path, name: &str) -> Result<Book, ImportError> {
    let read = || -> Result<Book, ImportError> {
        let mut workbook: Xls<BufReader<File>> =
            calamine::open_workbook(path).map_err(|error: XlsError| match error {
                XlsError::Password => protected(name),
                _ => damaged(name),
            })?;
        let mut book = Book::default();
        for sheet in workbook.sheets_metadata().to_vec() {
            if sheet.visible != SheetVisible::Visible {
                book.hidden.push(sheet.name);
                continue;
            }
            let values = workbook.worksheet_range(&sheet.name).map_err(|_| damaged(name))?;
            let formulas = workbook.worksheet_formula(&sheet.name).unwrap_or_default();
            let merges = workbook.merge_cells_by_sheet_name(&sheet.name).unwrap_or_default();
            let merges = merges.iter().map(Merge::of).collect();
            book.sheets.push(Sheet { name: sheet.name, merges, values, formulas });
        }
        Ok(book)
    };
    guarded(name, read)
}

pub fn open_ods(path: &Path, name: &str) -> Result<Book, ImportError> {
    let read = || -> Result<Book, ImportError> {
        let mut workbook: Ods<BufReader<File>> =
            calamine::open_workbook(path).map_err(|error: OdsError| match error {
                OdsError::Password => protected(name),
                _ => damaged(name),
            })?;
        let mut book = Book::default();
        for sheet in workbook.sheets_metadata().to_vec() {
            if sheet.visible != SheetVisible::Visible {
                book.hidden.push(sheet.name);
                continue;
            }
            let values = workbook.worksheet_range(&sheet.name).map_err(|_| damaged(name))?;
            let formulas = workbook.worksheet_formula(&sheet.name).unwrap_or_default();
            book.sheets.push(Sheet { name: sheet.name, merges: Vec::new(), values, formulas });
        }
        Ok(book)
    };
    guarded(name, read)
}

/// What a reader of damaged files panics about is the file's fault.
fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T, ImportError>) -> Result<T, ImportError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(name)))
}

impl Sheet {
    pub fn read(&self, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
        let Some((top, left)) = self.values.start() else { return Ok(()) };
        for (number, row) in (top..).zip(self.values.rows()) {
            let mut cells: Vec<Cell<'_>> = vec![Cell::Empty; left as usize];
            cells.extend((left..).zip(row).map(|(column, data)| match meaning(data) {
                Cell::Empty if self.is_formula(number, column) => Cell::Uncomputed,
                cell => cell,
            }));
            let used = cells.iter().rposition(|cell| *cell != Cell::Empty).map_or(0, |last| last + 1);
            cells.truncate(used);
            if used > 0 && sink(number + 1, &cells)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn is_formula(&self, row: u32, column: u32) -> bool {
        self.formulas.get_value((row, column)).is_some_and(|formula| !formula.is_empty())
    }
}

fn meaning(data: &Data) -> Cell<'_> {
    match data {
        Data::Empty => Cell::Empty,
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            Cell::Text(text.as_str().into())
        }
        Data::Float(number) => Cell::Number(*number),
        Data::Int(number) => Cell::Integer(*number),
        Data::Bool(flag) => Cell::Bool(*flag),
        Data::DateTime(moment) => day(moment),
        Data::Error(error) => Cell::Error(error.to_string().into()),
    }
}
