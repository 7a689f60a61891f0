//! The workbooks given, in one workbook, with every fault marked in its cell and listed in front.
//!
//! Rows keep their numbers, so that a fault is found by the number that the list names. What happened to a
//! row is also written behind it in words: colour is never the only sign.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rust_xlsxwriter::{Color, ExcelDateTime, Format, Note, Url, Workbook, Worksheet, XlsxError};

use super::ImportError;
use super::cell::Cell;
use super::fault::{Fault, Severity};
use super::link::Tables;
use super::report::ImportReport;
use super::report_path;
use super::source::{Flow, Source};
use super::stage::{Part, State, Table};

/// Sheets beyond this many rows come back with their faulty rows only.
const WHOLE_MAX: usize = 200_000;
/// Rows of a spreadsheet.
const ROWS_MAX: u32 = 1_048_576;
/// A sheet holds 65,530 links; faults beyond are named without one.
const LINKS_MAX: u32 = 65_000;
/// Characters of a cell, and of a note.
const TEXT_MAX: usize = 32_767;
/// Columns of a spreadsheet.
const COLUMNS_MAX: u16 = 16_384;
/// Rows looked at for the width of columns.
const WIDTH_ROWS: u32 = 200;

const LIST: &str = "错误清单";

/// Writes the report workbook.
pub fn write(
    report: &ImportReport,
    tables: &Tables,
    sources: &[Source],
    path: &Path,
) -> Result<(), ImportError> {
    let failed = |error: &XlsxError| ImportError::ReportUnwritable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let sheets = sheets(tables, sources);
    let mut workbook = Workbook::new();
    workbook.push_worksheet(fault_list(report, &sheets).map_err(|error| failed(&error))?);
    let styles = Styles::new();
    for sheet in &sheets {
        let marks = marks(report, tables, sources, sheet);
        workbook.push_worksheet(copy(sheet, &sources[sheet.part.file], &marks, &styles, &failed)?);
    }
    let bytes = workbook.save_to_buffer().map_err(|error| failed(&error))?;
    report_path::write(path, &bytes)
        .map_err(|error| ImportError::ReportUnwritable { path: path.to_owned(), reason: error.to_string() })
}

/// A sheet of a file and its name in the report.
struct Sheet<'s> {
    table: &'s Table,
    part: &'s Part,
    name: String,
}

fn sheets<'s>(tables: &'s Tables, sources: &[Source]) -> Vec<Sheet<'s>> {
    let mut parts: Vec<(&Table, &Part)> =
        tables.iter().flatten().flat_map(|table| table.parts.iter().map(move |part| (table, part))).collect();
    parts.sort_by_key(|(_, part)| part.file);
    let mut taken = BTreeSet::from([LIST.to_owned()]);
    parts
        .into_iter()
        .map(|(table, part)| {
            let source = &sources[part.file];
            let wanted = if source.sheets.len() == 1 {
                source.stem()
            } else {
                format!("{}-{}", source.stem(), part.sheet)
            };
            let mut name = sheet_name(&wanted, "");
            for count in 2.. {
                if taken.insert(name.clone()) {
                    break;
                }
                name = sheet_name(&wanted, &format!("-{count}"));
            }
            Sheet { table, part, name }
        })
        .collect()
}

/// At most 31 characters, none of those that spreadsheets forbid.
fn sheet_name(wanted: &str, ending: &str) -> String {
    let allowed = |char: &char| !matches!(char, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'');
    let room = 31 - ending.chars().count();
    let name: String = wanted.chars().filter(allowed).take(room).collect();
    format!("{}{ending}", if name.is_empty() { "表" } else { &name })
}

/// What is to be shown on the rows of a sheet.
#[derive(Default)]
struct Marks<'m> {
    rows: HashMap<u32, RowMark>,
    cells: BTreeMap<(u32, u16), Vec<&'m Fault>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum RowMark {
    Refused,
    Warned,
    /// With the row that it waits for.
    Held(String),
}

fn marks<'m>(report: &'m ImportReport, tables: &Tables, sources: &[Source], sheet: &Sheet<'_>) -> Marks<'m> {
    let file = &sources[sheet.part.file].name;
    let mut marks = Marks::default();
    for fault in report.faults.iter().filter(|fault| fault.file == *file && fault.sheet == sheet.part.sheet) {
        marks.rows.entry(fault.row).or_insert(RowMark::Warned);
        if let Some(position) = fault.position {
            marks.cells.entry((fault.row, position)).or_default().push(fault);
        }
    }
    let rows = sheet.part.base..sheet.part.base + sheet.part.read;
    for row in rows.filter(|row| matches!(sheet.table.states[*row], State::Refused | State::Repeated)) {
        marks.rows.insert(sheet.table.numbers[row], RowMark::Refused);
    }
    debug_assert!(tables.len() >= sheet.table.entity.index(), "tables are by entity");
    for held in report.held.iter().filter(|held| held.file == *file && held.sheet == sheet.part.sheet) {
        let because = report.place(&held.because.file, &held.because.sheet, held.because.row);
        marks.rows.insert(held.row, RowMark::Held(because.zh));
    }
    marks
}

fn fault_list(report: &ImportReport, sheets: &[Sheet<'_>]) -> Result<Worksheet, XlsxError> {
    let mut list = Worksheet::new();
    list.set_name(LIST)?;
    let header = Format::new().set_bold().set_background_color(Color::RGB(0x00D9_D9D9)).set_text_wrap();
    let wrap = Format::new().set_text_wrap();
    let titles = ["文件", "工作表", "单元格", "列", "处理", "问题", "What is wrong", "代码", "原值"];
    for (column, (title, width)) in titles.iter().zip([14, 20, 10, 18, 16, 60, 60, 22, 18]).enumerate() {
        list.write_string_with_format(0, column as u16, *title, &header)?;
        list.set_column_width(column as u16, width)?;
    }
    list.set_freeze_panes(1, 0)?;
    for (row, fault) in (1..ROWS_MAX).zip(&report.faults) {
        list.write_string(row, 0, &fault.file)?;
        list.write_string(row, 1, &fault.sheet)?;
        let cell = format!("{}{}", column_letters(fault.position.unwrap_or(0)), fault.row);
        let sheet =
            sheets.iter().find(|sheet| sheet.part.sheet == fault.sheet && is_in(report, sheet, fault));
        match sheet {
            Some(sheet) if fault.row <= ROWS_MAX && row < LINKS_MAX => {
                let link = Url::new(format!("internal:'{}'!{cell}", sheet.name)).set_text(&cell);
                list.write_url(row, 2, link)?;
            }
            _ => {
                list.write_string(row, 2, &cell)?;
            }
        }
        list.write_string(row, 3, &fault.column)?;
        list.write_string(row, 4, fault.label().0)?;
        list.write_string_with_format(row, 5, &fault.message.zh, &wrap)?;
        list.write_string_with_format(row, 6, &fault.message.en, &wrap)?;
        list.write_string(row, 7, &fault.code)?;
        list.write_string(row, 8, fault.value.as_deref().unwrap_or_default())?;
    }
    // Records registered before: the file is the one they were read from, which is not in this workbook.
    for (row, doubt) in (1 + report.faults.len() as u32..ROWS_MAX).zip(&report.registered) {
        list.write_string(row, 0, &doubt.file)?;
        list.write_string(row, 1, &doubt.sheet)?;
        let place = doubt.row.map_or_else(|| doubt.key.clone(), |row| format!("第 {row} 行"));
        list.write_string(row, 2, place)?;
        list.write_string(row, 3, &doubt.column)?;
        list.write_string(row, 4, "以前已登记，请核对")?;
        let (zh, en) = (&doubt.label.zh, &doubt.label.en);
        list.write_string_with_format(row, 5, format!("{zh} {}：{}", doubt.key, doubt.message.zh), &wrap)?;
        list.write_string_with_format(row, 6, format!("{en} {}: {}", doubt.key, doubt.message.en), &wrap)?;
        list.write_string(row, 7, &doubt.code)?;
        list.write_string(row, 8, doubt.value.as_deref().unwrap_or_default())?;
    }
    let last = ((report.faults.len() + report.registered.len()) as u32).clamp(1, ROWS_MAX - 1);
    list.autofilter(0, 0, last, titles.len() as u16 - 1)?;
    Ok(list)
}

/// Whether the fault's file is the sheet's: reports know files by name.
fn is_in(report: &ImportReport, sheet: &Sheet<'_>, fault: &Fault) -> bool {
    let mut files: Vec<&str> = report.sheets.iter().map(|sheet| sheet.file.as_str()).collect();
    files.dedup();
    files.get(sheet.part.file).is_none_or(|file| *file == fault.file)
}

/// `A`, `Z`, `AA` for 0, 25, 26.
fn column_letters(position: u16) -> String {
    let mut rest = u32::from(position) + 1;
    let mut letters = Vec::new();
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

struct Styles {
    header: Format,
    /// Plain and date formats by what the row or cell is.
    plain: [Format; 2],
    refused_row: [Format; 2],
    held_row: [Format; 2],
    refused_cell: [Format; 2],
    warned_cell: [Format; 2],
}

impl Styles {
    fn new() -> Self {
        let pair = |format: Format| [format.clone(), format.set_num_format("yyyy-mm-dd")];
        let filled = |colour: u32| pair(Format::new().set_background_color(Color::RGB(colour)));
        Self {
            header: Format::new().set_bold().set_text_wrap().set_background_color(Color::RGB(0x00D9_D9D9)),
            plain: pair(Format::new()),
            refused_row: filled(0x00FB_E5E1),
            held_row: filled(0x00ED_EDED),
            refused_cell: pair(
                Format::new()
                    .set_bold()
                    .set_font_color(Color::White)
                    .set_background_color(Color::RGB(0x00C0_392B)),
            ),
            warned_cell: filled(0x00FF_D966),
        }
    }

    fn of(&self, row: Option<&RowMark>, faults: Option<&Vec<&Fault>>) -> &[Format; 2] {
        match (faults, row) {
            (Some(faults), _) if faults.iter().any(|fault| fault.severity == Severity::Refused) => {
                &self.refused_cell
            }
            (Some(_), _) => &self.warned_cell,
            (None, Some(RowMark::Refused)) => &self.refused_row,
            (None, Some(RowMark::Held(_))) => &self.held_row,
            (None, Some(RowMark::Warned) | None) => &self.plain,
        }
    }
}

fn copy(
    sheet: &Sheet<'_>,
    source: &Source,
    marks: &Marks<'_>,
    styles: &Styles,
    failed: &dyn Fn(&XlsxError) -> ImportError,
) -> Result<Worksheet, ImportError> {
    let mut copy = Worksheet::new();
    let header = sheet.part.header.row;
    // Where a sheet uses every column there is no room behind it, and colours say what happened.
    let last = u16::try_from(sheet.part.header.titles.len()).unwrap_or(COLUMNS_MAX);
    copy.set_name(&sheet.name).map_err(|error| failed(&error))?;
    copy.set_freeze_panes(header, 0).map_err(|error| failed(&error))?;
    if !marks.rows.is_empty() {
        copy.set_tab_color(Color::RGB(0x00C0_392B));
    }
    let whole = sheet.part.read <= WHOLE_MAX;
    let mut widths: Vec<usize> = vec![0; usize::from(last) + 1];
    source.read(&sheet.part.sheet, &mut |number, cells| {
        let mark = marks.rows.get(&number);
        if number > ROWS_MAX || !(whole || mark.is_some() || number <= header) {
            return Ok(Flow::Continue);
        }
        let mut row = || -> Result<(), XlsxError> {
            for (column, cell) in (0_u16..).zip(cells) {
                let faults = marks.cells.get(&(number, column));
                let [plain, date] = styles.of(mark, faults);
                let style = if number == header { [&styles.header, date] } else { [plain, date] };
                write_cell(&mut copy, number - 1, column, cell, style)?;
                if number >= header && number < header + WIDTH_ROWS && usize::from(column) < widths.len() {
                    let width = display_width(&cell.to_string());
                    widths[usize::from(column)] = widths[usize::from(column)].max(width);
                }
            }
            for ((_, column), faults) in marks.cells.range((number, 0)..=(number, u16::MAX)) {
                copy.insert_note(number - 1, *column, &note(faults))?;
            }
            let verdict = if number == header { Some("导入结果".to_owned()) } else { mark.map(verdict) };
            if let Some(verdict) = verdict.filter(|_| last < COLUMNS_MAX) {
                let style = if number == header { &styles.header } else { &styles.of(mark, None)[0] };
                copy.write_string_with_format(number - 1, last, verdict, style)?;
            }
            Ok(())
        };
        row().map_err(|error| failed(&error))?;
        Ok(Flow::Continue)
    })?;
    widths[usize::from(last)] = 24;
    widths.truncate(usize::from(COLUMNS_MAX));
    for (column, width) in (0_u16..).zip(widths) {
        copy.set_column_width(column, (width + 2).clamp(6, 32) as f64).map_err(|error| failed(&error))?;
    }
    Ok(copy)
}

fn verdict(mark: &RowMark) -> String {
    match mark {
        RowMark::Refused => "未导入".to_owned(),
        RowMark::Warned => "已导入，请核对".to_owned(),
        RowMark::Held(because) => format!("等待 {because} 改正"),
    }
}

fn note(faults: &[&Fault]) -> Note {
    let text: Vec<String> = faults
        .iter()
        .map(|fault| {
            let (zh, en) = fault.label();
            format!("{zh}：{}\n{en}: {}", fault.message.zh, fault.message.en)
        })
        .collect();
    Note::new(fitting(text.join("\n"))).add_author_prefix(false).set_width(320)
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell<'_>,
    [plain, date]: [&Format; 2],
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty | Cell::Uncomputed => sheet.write_blank(row, column, plain)?,
        Cell::Number(number) => sheet.write_number_with_format(row, column, *number, plain)?,
        Cell::Integer(number) if number.abs() < 1_000_000_000_000_000 => {
            sheet.write_number_with_format(row, column, *number as f64, plain)?
        }
        Cell::Bool(flag) => sheet.write_boolean_with_format(row, column, *flag, plain)?,
        Cell::Date(day) if day.year() >= 1900 => {
            let (year, month, day) = day.ymd();
            let moment = ExcelDateTime::from_ymd(year as u16, month as u8, day as u8)?;
            sheet.write_datetime_with_format(row, column, &moment, date)?
        }
        Cell::BadDate(serial) => sheet.write_number_with_format(row, column, *serial, plain)?,
        other => sheet.write_string_with_format(row, column, fitting(other.to_string()), plain)?,
    };
    Ok(())
}

/// As much of a text as a cell holds.
fn fitting(text: String) -> String {
    if text.encode_utf16().count() <= TEXT_MAX {
        return text;
    }
    let mut units = 0;
    let kept = text.chars().take_while(|letter| {
        units += letter.len_utf16();
        units < TEXT_MAX
    });
    kept.chain(['…']).collect()
}

/// Chinese characters take two columns.
fn display_width(text: &str) -> usize {
    let line = |line: &str| line.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum();
    text.lines().map(line).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        let check = |position, expected: &str| assert_eq!(column_letters(position), expected);
        check(0, "A");
        check(25, "Z");
        check(26, "AA");
        check(701, "ZZ");
        check(702, "AAA");
    }

    #[test]
    fn sheet_names_fit() {
        assert_eq!(sheet_name("a[b]:*?/\\c", ""), "abc");
        assert_eq!(sheet_name(&"村".repeat(40), "-2").chars().count(), 31);
    }
}
