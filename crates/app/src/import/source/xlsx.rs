//! Workbooks, streamed cell by cell.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx, XlsxError};
use model::Date;

use super::{Flow, RowSink, unreadable};
use crate::import::ImportError;
use crate::import::cell::Cell;

fn open(path: &Path, name: &str) -> Result<Xlsx<BufReader<File>>, ImportError> {
    calamine::open_workbook(path).map_err(|error: XlsxError| unreadable(name, &error))
}

pub(super) fn sheets(path: &Path, name: &str) -> Result<Vec<String>, ImportError> {
    Ok(open(path, name)?.sheet_names())
}

pub(super) fn read(path: &Path, name: &str, sheet: &str, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
    let mut workbook = open(path, name)?;
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(|error| unreadable(name, &error))?;
    let mut row: Vec<Cell<'_>> = Vec::new();
    let mut number = 0;
    loop {
        let next = cells.next_cell().map_err(|error| unreadable(name, &error))?;
        let place = next.as_ref().map(calamine::Cell::get_position);
        if place.is_none_or(|(line, _)| line + 1 != number) && !row.is_empty() {
            if sink(number, &row)? == Flow::Stop {
                return Ok(());
            }
            row.clear();
        }
        let (Some(cell), Some((line, column))) = (next, place) else { return Ok(()) };
        number = line + 1;
        // Cells come in order; a sheet that repeats one is damaged, and the first is kept.
        row.resize(row.len().max(column as usize), Cell::Empty);
        if row.len() == column as usize {
            row.push(meaning(cell.get_value()));
        }
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
fn day(moment: &ExcelDateTime) -> Cell<'static> {
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
