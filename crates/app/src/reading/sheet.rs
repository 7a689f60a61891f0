//! A list as a workbook: one sheet, numbers as numbers, and above it what it is and where it comes from.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};

use model::Date;

/// A cell of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum SheetCell {
    Text(String),
    /// With the decimals that it shows.
    Number(f64, u8),
    Date(Date),
}

/// Rows that a sheet holds below its head.
pub const SHEET_ROWS_MAX: usize = 1_048_000;

/// The bytes of a workbook.
///
/// # Errors
/// What a sheet does not take: too many rows or columns.
pub fn workbook(
    notes: &[String],
    heads: &[String],
    rows: impl IntoIterator<Item = Vec<SheetCell>>,
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (bold, date) = (Format::new().set_bold(), Format::new().set_num_format("yyyy-mm-dd"));
    let mut at = 0;
    for note in notes {
        sheet.write(at, 0, note.as_str())?;
        at += 1;
    }
    for (column, head) in heads.iter().enumerate() {
        sheet.write_with_format(at, column as u16, head.as_str(), &bold)?;
        sheet.set_column_width(column as u16, 16)?;
    }
    sheet.set_freeze_panes(at + 1, 0)?;
    let formats: Vec<Format> = (0..=9_usize)
        .map(|decimals| {
            let places = if decimals == 0 { String::new() } else { format!(".{}", "0".repeat(decimals)) };
            Format::new().set_num_format(format!("#,##0{places}"))
        })
        .collect();
    for row in rows {
        at += 1;
        for (column, cell) in row.into_iter().enumerate() {
            let column = column as u16;
            match cell {
                SheetCell::Text(text) => sheet.write(at, column, text)?,
                SheetCell::Number(number, decimals) => {
                    let format = &formats[usize::from(decimals).min(formats.len() - 1)];
                    sheet.write_with_format(at, column, number, format)?
                }
                SheetCell::Date(day) => {
                    let (year, month, number) = day.ymd();
                    match u16::try_from(year) {
                        Ok(year) if year >= 1900 => {
                            let day = ExcelDateTime::from_ymd(year, month as u8, number as u8)?;
                            sheet.write_with_format(at, column, &day, &date)?
                        }
                        // Sheets know no earlier days.
                        _ => sheet.write(at, column, day.to_string())?,
                    }
                }
            };
        }
    }
    book.save_to_buffer()
}
