//! Import workbooks to be filled in: a sheet for each entity that an import recognises by its name, with headers,
//! notes on what belongs in a column, and drop-downs for codes. What is filled in here imports as it is.

use std::path::{Path, PathBuf};

use model::{AsProblem as _, Lang, Text};
use pack::program::{
    Blank, CodeList, Column, ColumnId, ColumnKind, Entity, Field, Format as FieldFormat, ListId, Program,
    Type, Value,
};
use pack::type_text;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, ExcelDateTime, Format, Formula,
    Note, Workbook, Worksheet, XlsxError,
};
use thiserror::Error;

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum FormsError {
    Io { path: String, source: std::io::Error },
    Workbook(#[from] XlsxError),
}

/// Rows below the header that drop-downs and formats reach.
const ROWS: u32 = 20_000;
/// Sheet with the code lists that drop-downs show.
const CODES: &str = "codes";

/// Rows that stand in a form already: for a sheet's entity, by field name.
pub type Prefilled<'a> = &'a [(&'a str, Vec<Vec<(&'a str, &'a str)>>)];

/// Writes `forms.zh.xlsx` and `forms.en.xlsx` into a folder and returns their paths.
pub fn write(program: &Program, folder: &Path) -> Result<Vec<PathBuf>, FormsError> {
    let io = |source| FormsError::Io { path: folder.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut written = Vec::new();
    for lang in Lang::ALL {
        let path = folder.join(format!("forms.{}.xlsx", lang.as_str()));
        workbook(program, lang, &[])?.save(&path)?;
        written.push(path);
    }
    Ok(written)
}

/// The forms of a pack in one language.
pub fn workbook(program: &Program, lang: Lang, prefilled: Prefilled<'_>) -> Result<Workbook, FormsError> {
    let mut book = Workbook::new();
    for entity in program.entities.iter().filter(|entity| !entity.sheet.is_empty()) {
        let rows = prefilled.iter().find(|(name, _)| *name == entity.name).map(|(_, rows)| rows.as_slice());
        book.push_worksheet(sheet(program, entity, lang, rows.unwrap_or(&[]))?);
    }
    book.push_worksheet(codes(program, lang)?);
    Ok(book)
}

/// A sheet's name has a word by which an import knows it, whatever the language of its headers.
pub fn sheet_name(entity: &Entity) -> String {
    let letters = entity.sheet.first().map_or("", String::as_str).chars();
    letters.map(|letter| if "[]:*?/\\'".contains(letter) { '-' } else { letter }).take(31).collect()
}

/// The columns of a form: what an office records itself.
pub fn columns<'p>(program: &'p Program, entity: &'p Entity) -> impl Iterator<Item = (ColumnId, &'p Column)> {
    entity.fields.iter().filter(|id| !program.is_derived(**id)).map(|id| (*id, program.column(*id)))
}

fn sheet(
    program: &Program,
    entity: &Entity,
    lang: Lang,
    rows: &[Vec<(&str, &str)>],
) -> Result<Worksheet, FormsError> {
    let mut sheet = Worksheet::new();
    sheet.set_name(sheet_name(entity))?;
    sheet.set_freeze_panes(1, 0)?;
    let head = Format::new().set_bold().set_text_wrap().set_background_color(Color::RGB(0x00E8_EEF4));
    // Required columns differ by more than a colour: their notes say so.
    let required = head.clone().set_background_color(Color::RGB(0x00FC_E4B0));
    for (position, (id, column)) in columns(program, entity).enumerate() {
        let at = position as u16;
        let ColumnKind::Field(field) = &column.kind else { continue };
        let label = column.label.get(lang);
        sheet.write_with_format(0, at, label, if field.required { &required } else { &head })?;
        sheet.insert_note(0, at, &note(program, entity, id, column, field))?;
        sheet.set_column_width(at, (label.chars().count() * 2).clamp(12, 30) as f64)?;
        sheet.set_column_format(at, &cell_format(column))?;
        if let Some(rule) = validation(program, column, field, lang)? {
            sheet.add_data_validation(1, at, ROWS, at, &rule)?;
        }
        for (row, cells) in rows.iter().enumerate() {
            if let Some((_, text)) = cells.iter().find(|(name, _)| *name == column.name) {
                sheet.write_string(row as u32 + 1, at, *text)?;
            }
        }
    }
    Ok(sheet)
}

/// Texts stay texts, so that a number of 18 digits keeps them all.
fn cell_format(column: &Column) -> Format {
    match &column.ty {
        Type::Text => Format::new().set_num_format("@"),
        Type::Date => Format::new().set_num_format("yyyy-mm-dd"),
        _ => Format::new(),
    }
}

fn validation(
    program: &Program,
    column: &Column,
    field: &Field,
    lang: Lang,
) -> Result<Option<DataValidation>, XlsxError> {
    let rule = DataValidation::new();
    let rule = match &column.ty {
        Type::Bool => {
            let words = if lang == Lang::Zh { ["是", "否"] } else { ["yes", "no"] };
            rule.allow_list_strings(&words)?
        }
        Type::Code(list) => rule.allow_list_formula(Formula::new(list_range(program, *list))),
        Type::Date => {
            let first = ExcelDateTime::from_ymd(1900, 1, 1)?;
            rule.allow_date(DataValidationRule::GreaterThanOrEqualTo(first))
        }
        Type::Number(number) => {
            let Some(range) = column.range else { return Ok(None) };
            let percent = i32::from(field.format == FieldFormat::Percent) * 2;
            let shown = |value: i128| value as f64 / 10f64.powi(i32::from(number.decimals) - percent);
            rule.allow_decimal_number(DataValidationRule::Between(shown(range.min), shown(range.max)))
        }
        Type::Text | Type::Index => return Ok(None),
    };
    // Paste goes past a validation anyway; the import is what refuses, with a reason.
    Ok(Some(rule.set_error_style(DataValidationErrorStyle::Warning)))
}

/// Where the labels of a list stand on the sheet of codes: a row for each list.
fn list_range(program: &Program, list: ListId) -> String {
    let last = program.list(list).codes.len();
    let row = list.index() + 1;
    format!("={CODES}!$B${row}:${}${row}", column_name(last))
}

/// `A` for 0, `Z` for 25, `AA` for 26.
fn column_name(mut column: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'A' + (column % 26) as u8));
        if column < 26 {
            return name;
        }
        column = column / 26 - 1;
    }
}

fn codes(program: &Program, lang: Lang) -> Result<Worksheet, FormsError> {
    let mut sheet = Worksheet::new();
    sheet.set_name(CODES)?;
    sheet.set_hidden(true);
    for (row, list) in program.lists.iter().enumerate() {
        sheet.write(row as u32, 0, list.id.as_str())?;
        for (position, label) in labels(list, lang).enumerate() {
            sheet.write(row as u32, position as u16 + 1, label)?;
        }
    }
    Ok(sheet)
}

fn labels(list: &CodeList, lang: Lang) -> impl Iterator<Item = &str> {
    list.codes.iter().map(move |code| code.label.get(lang))
}

/// What belongs in a column, in both languages.
fn note(program: &Program, entity: &Entity, id: ColumnId, column: &Column, field: &Field) -> Note {
    let mut lines: Vec<String> = Vec::new();
    for lang in Lang::ALL {
        let zh = lang == Lang::Zh;
        let both = |text: &Text| text.get(lang).to_owned();
        let say = |chinese: &str, english: &str| if zh { chinese.to_owned() } else { english.to_owned() };
        lines.push(both(&column.label));
        let mut parts = vec![kind(program, column, lang)];
        if let (Some(range), Type::Number(_)) = (column.range, &column.ty) {
            let shown =
                |value: i128| crate::value_text(program, &column.ty, Some(&Value::Number(value)), lang);
            parts.push(format!("{} – {}", shown(range.min), shown(range.max)));
        }
        if field.format == FieldFormat::Percent {
            parts.push(say("按百分数填写", "entered as percent"));
        }
        if entity.key == id {
            parts.push(say("唯一编号", "names the record"));
        }
        parts.push(if field.required { say("必填", "required") } else { blank(field.blank, lang) });
        lines.push(parts.join(if zh { "；" } else { "; " }));
        for edge in program.edges.iter().filter(|edge| edge.via == id) {
            let parent = program.entity(edge.parent);
            let on = program.column(edge.on);
            lines.push(if zh {
                format!("填写{}的{}", both(&parent.label), both(&on.label))
            } else {
                format!("the {} of its {}", both(&on.label), both(&parent.label))
            });
        }
        if !field.purpose.get(lang).is_empty() {
            lines.push(both(&field.purpose));
        }
    }
    Note::new(lines.join("\n")).set_width(280).set_height(150)
}

fn kind(program: &Program, column: &Column, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let words = match &column.ty {
        Type::Bool => ("是或否", "yes or no"),
        Type::Date => ("日期，如 2015-12-31", "a date such as 2015-12-31"),
        Type::Text => ("文字", "text"),
        Type::Index => ("小数", "a decimal"),
        Type::Code(list) => {
            let all: Vec<&str> = labels(program.list(*list), lang).collect();
            return all.join(if zh { "、" } else { ", " });
        }
        Type::Number(number) if number.is_money() => ("金额（元）", "money (yuan)"),
        Type::Number(_) => return type_text(&column.ty, &program.lists),
    };
    if zh { words.0 } else { words.1 }.to_owned()
}

fn blank(blank: Blank, lang: Lang) -> String {
    let (zh, en) = match blank {
        Blank::Unknown => ("空白表示不清楚", "blank: not known"),
        Blank::No => ("空白表示否", "blank: no"),
        Blank::Zero => ("空白表示零", "blank: zero"),
    };
    if lang == Lang::Zh { zh } else { en }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_spreadsheets_name_them() {
        assert_eq!(
            ["A", "Z", "AA", "AZ", "BA"],
            [0, 25, 26, 51, 52].map(column_name).each_ref().map(String::as_str)
        );
    }
}
