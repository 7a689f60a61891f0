//! Reading a bank's return file.

use std::fmt;

use encoding_rs::GBK;

use super::render::{date, is_quotable};
use super::{
    Align, BankLayout, Column, Encoding, Field, FileCode, FileFault, FileLayout, Format, Totals, TotalsPlace,
};
use crate::{Date, Digest, Fen};

/// A return file as read. It is whole: one fault anywhere, and there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnFile {
    /// Of the bytes.
    pub digest: Digest,
    pub rows: Vec<ReturnRow>,
}

/// One row. What the layout has no column for is absent; so is an empty cell. Names and account numbers are not
/// printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnRow {
    /// The line of the file, from 1.
    pub file_line: usize,
    pub number: Option<u32>,
    pub batch: Option<String>,
    pub line: Option<String>,
    pub name: Option<String>,
    pub account: Option<String>,
    pub fen: Fen,
    pub on: Date,
    pub status: String,
    pub reason: Option<String>,
}

impl fmt::Debug for ReturnRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file_line, number, batch, line, fen, on, status, reason, .. } = self;
        f.debug_struct("ReturnRow")
            .field("file_line", file_line)
            .field("number", number)
            .field("batch", batch)
            .field("line", line)
            .field("fen", fen)
            .field("on", on)
            .field("status", status)
            .field("reason", reason)
            .finish_non_exhaustive()
    }
}

/// Reads a return file by its layout, or gives every fault in it. Lines may end in either way; empty lines at
/// the end and a byte order mark are passed over.
pub fn parse(layout: &BankLayout, bytes: &[u8]) -> Result<ReturnFile, Vec<FileFault>> {
    if let Some(problem) = layout.problems().first() {
        return Err(vec![FileFault::new(FileCode::LayoutUnfit, 0).value(problem)]);
    }
    let file = &layout.returns;
    let mut lines = split_lines(bytes);
    let mut faults = Vec::new();
    let first = cut(file, TotalsPlace::First, &mut lines, &mut faults);
    if file.header {
        header(file, take_first(&mut lines), &mut faults);
    }
    let last = cut(file, TotalsPlace::Last, &mut lines, &mut faults);
    let mut rows = Vec::new();
    for (number, line) in lines {
        match split(file, &file.columns, number, line).and_then(|cells| row(file, number, &cells)) {
            Ok(row) => rows.push(row),
            Err(found) => faults.extend(found),
        }
    }
    // Totals over rows that could not all be read would only repeat that.
    if faults.is_empty()
        && let (Some(totals), Some((number, cells))) = (&file.totals, first.or(last))
    {
        check_totals(totals, number, &cells, &rows, &mut faults);
    }
    if faults.is_empty() { Ok(ReturnFile { digest: Digest::of(bytes), rows }) } else { Err(faults) }
}

/// A line and its number, from 1.
type Numbered<'a> = (usize, &'a [u8]);

/// Neither UTF-8 nor GBK has a line feed within a character, so bytes are cut before they are decoded.
fn split_lines(bytes: &[u8]) -> Vec<Numbered<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let ends = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines: Vec<Numbered> = ends.enumerate().map(|(place, line)| (place + 1, line)).collect();
    while lines.last().is_some_and(|(_, line)| line.is_empty()) {
        lines.pop();
    }
    lines
}

fn take_first<'a>(lines: &mut Vec<Numbered<'a>>) -> Option<Numbered<'a>> {
    if lines.is_empty() { None } else { Some(lines.remove(0)) }
}

/// Takes the line of totals off one end, if the layout has it there.
fn cut(
    file: &FileLayout,
    place: TotalsPlace,
    lines: &mut Vec<Numbered>,
    faults: &mut Vec<FileFault>,
) -> Option<(usize, Vec<String>)> {
    let totals = file.totals.as_ref().filter(|totals| totals.place == place)?;
    let line = match place {
        TotalsPlace::First => take_first(lines),
        TotalsPlace::Last => lines.pop(),
    };
    let Some((number, line)) = line else {
        faults.push(FileFault::new(FileCode::TotalsMissing, 0));
        return None;
    };
    match split(file, &totals.columns, number, line) {
        Ok(cells) => Some((number, cells)),
        Err(found) => {
            faults.extend(found);
            None
        }
    }
}

fn header(file: &FileLayout, line: Option<Numbered>, faults: &mut Vec<FileFault>) {
    let Some((number, line)) = line else {
        faults.push(FileFault::new(FileCode::TotalsMissing, 0));
        return;
    };
    match split(file, &file.columns, number, line) {
        Ok(cells) => {
            for (column, cell) in
                file.columns.iter().zip(&cells).filter(|(column, cell)| column.title != **cell)
            {
                let fault = FileFault::new(FileCode::HeaderDiffers, number).value(cell);
                faults.push(fault.expected(&column.title));
            }
        }
        Err(found) => faults.extend(found),
    }
}

/// The cells of a line as text, without what fills them.
fn split(
    file: &FileLayout,
    columns: &[Column],
    number: usize,
    line: &[u8],
) -> Result<Vec<String>, Vec<FileFault>> {
    let raw = match file.delimiter {
        Some(delimiter) => {
            let undecodable = || vec![FileFault::new(FileCode::NotDecodable, number)];
            let text = decode(line, file.encoding).ok_or_else(undecodable)?;
            delimited(&text, delimiter, file.quotes)
                .ok_or_else(|| vec![FileFault::new(FileCode::Delimiter, number)])?
        }
        None => fixed(file, columns, number, line)?,
    };
    if raw.len() != columns.len() {
        let fault = FileFault::new(FileCode::CellCount, number).value(raw.len());
        return Err(vec![fault.expected(columns.len())]);
    }
    Ok(raw.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// A delimiter may be the second byte of a character of GBK, so the line is cut as text.
fn delimited(line: &str, delimiter: char, quotes: bool) -> Option<Vec<String>> {
    if !quotes {
        return Some(line.split(delimiter).map(str::to_owned).collect());
    }
    let mut cells = vec![String::new()];
    let mut chars = line.chars().peekable();
    let mut within = false;
    while let Some(char) = chars.next() {
        let cell = cells.last_mut()?;
        match char {
            '"' if within && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if within => within = false,
            '"' if cell.is_empty() => within = true,
            _ if char == delimiter && !within => cells.push(String::new()),
            _ => cell.push(char),
        }
    }
    (!within).then_some(cells)
}

/// Widths are bytes, so the line is cut before it is decoded.
fn fixed(
    file: &FileLayout,
    columns: &[Column],
    number: usize,
    line: &[u8],
) -> Result<Vec<String>, Vec<FileFault>> {
    let widths: usize = columns.iter().map(|column| column.width.map_or(0, usize::from)).sum();
    if line.len() != widths {
        let fault = FileFault::new(FileCode::LineWidth, number).value(line.len());
        return Err(vec![fault.expected(widths)]);
    }
    let (mut rest, mut cells, mut faults) = (line, Vec::new(), Vec::new());
    for column in columns {
        let (cell, after) = rest.split_at(column.width.map_or(0, usize::from));
        rest = after;
        match decode(cell, file.encoding) {
            Some(text) => cells.push(unfilled(&text, column)),
            None => faults.push(FileFault::new(FileCode::NotDecodable, number).column(&column.title)),
        }
    }
    if faults.is_empty() { Ok(cells) } else { Err(faults) }
}

fn unfilled(text: &str, column: &Column) -> String {
    let bare = match column.align {
        Align::Left => text.trim_end_matches(column.pad),
        Align::Right => text.trim_start_matches(column.pad),
    };
    // Zeros that fill a number are digits too: all zeros is zero, `0.50` lost its own, `.50` gets it back.
    match (column.pad, column.align) {
        ('0', Align::Right) if bare.is_empty() || bare.starts_with('.') => format!("0{bare}"),
        ('0', Align::Left) => text.trim().to_owned(),
        _ => bare.to_owned(),
    }
}

fn decode(bytes: &[u8], encoding: Encoding) -> Option<String> {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
        Encoding::Gbk => {
            GBK.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
        }
    }
}

fn row(file: &FileLayout, number: usize, cells: &[String]) -> Result<ReturnRow, Vec<FileFault>> {
    let mut faults = Vec::new();
    let fault = |code, column: &Column, cell: &str| {
        let fault = FileFault::new(code, number).column(&column.title);
        if is_quotable(column.field) { fault.value(cell) } else { fault }
    };
    let mut fen = Fen::ZERO;
    let mut on = Date::MIN;
    let mut place = None;
    for (column, cell) in file.columns.iter().zip(cells) {
        match column.field {
            Field::Amount => match read_amount(cell, column.format) {
                Some(read) => fen = read,
                None => faults.push(fault(FileCode::NotAnAmount, column, cell)),
            },
            Field::Date => match read_date(cell, column.format) {
                Some(read) => on = read,
                None => faults.push(fault(FileCode::NotADate, column, cell)),
            },
            Field::Number if !cell.is_empty() => match cell.parse() {
                Ok(read) => place = Some(read),
                Err(_) => faults.push(fault(FileCode::NotANumber, column, cell)),
            },
            Field::Constant if column.text.as_ref() != Some(cell) => {
                let fault = fault(FileCode::ConstantDiffers, column, cell);
                faults.push(fault.expected(column.text.as_deref().unwrap_or_default()));
            }
            _ => {}
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let text = |field| {
        let found = file.columns.iter().position(|column| column.field == field);
        found.map(|place| cells[place].clone()).filter(|cell| !cell.is_empty())
    };
    Ok(ReturnRow {
        file_line: number,
        number: place,
        batch: text(Field::Batch),
        line: text(Field::Line),
        name: text(Field::Name),
        account: text(Field::Account),
        fen,
        on,
        status: text(Field::Status).unwrap_or_default(),
        reason: text(Field::Reason),
    })
}

fn check_totals(
    totals: &Totals,
    number: usize,
    cells: &[String],
    rows: &[ReturnRow],
    faults: &mut Vec<FileFault>,
) {
    let sum = Fen::checked_sum(rows.iter().map(|row| row.fen));
    for (column, cell) in totals.columns.iter().zip(cells) {
        let (agrees, expected) = match column.field {
            Field::Count => (cell.parse() == Ok(rows.len()), rows.len().to_string()),
            Field::Sum => {
                let read = read_amount(cell, column.format);
                (read.is_some() && read == sum, sum.unwrap_or_default().to_string())
            }
            _ => continue,
        };
        if !agrees {
            let fault = FileFault::new(FileCode::TotalsDiffer, number).column(&column.title);
            faults.push(fault.value(cell).expected(expected));
        }
    }
}

/// An amount exactly to the fen: digits, commas, a point and a sign, in the declared unit and no other.
fn read_amount(cell: &str, format: Option<Format>) -> Option<Fen> {
    if !cell.chars().all(|char| matches!(char, '0'..='9' | ',' | '.' | '-' | '+')) {
        return None;
    }
    match format {
        Some(Format::Fen) => cell.parse().ok().map(Fen::from_fen),
        _ => cell.parse().ok(),
    }
}

fn read_date(cell: &str, format: Option<Format>) -> Option<Date> {
    let read: Date = cell.parse().ok()?;
    (date(read, format) == cell).then_some(read)
}
