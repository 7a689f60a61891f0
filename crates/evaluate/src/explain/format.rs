//! Values and names as people read them.

use model::{Lang, Text};
use pack::program::{Column, ColumnId, EntityId, NumberKind, NumberType, Program, Type, Unit, Value};

use super::tree::ColumnNote;
use crate::Viewer;
use crate::interpret::Facts;

/// Builds both languages with one function.
pub(super) fn both(words: impl Fn(Lang) -> String) -> Text {
    Text::new(words(Lang::Zh), words(Lang::En))
}

/// A value of a type in words: money with two decimals and its unit, codes by their label, dates as
/// ISO writes them, 是/否 for truth, 未知 for unknown.
pub fn value_text(program: &Program, ty: &Type, value: Option<&Value>, lang: Lang) -> String {
    let words = |zh: &str, en: &str| if lang == Lang::Zh { zh.to_owned() } else { en.to_owned() };
    match (value, ty) {
        (None, _) => words("未知", "unknown"),
        (Some(Value::Bool(true)), _) => words("是", "yes"),
        (Some(Value::Bool(false)), _) => words("否", "no"),
        (Some(Value::Number(number)), Type::Number(ty)) => number_text(program, *number, ty, lang),
        (Some(Value::Number(number)), _) => decimal(*number, 0, true),
        (Some(Value::Date(date)), _) => date.to_string(),
        (Some(Value::Text(code)), Type::Code(list)) => {
            let found = program.lists[list.index()].codes.iter().find(|other| other.code == *code);
            found.map_or_else(|| code.clone(), |found| label(&found.label, code, lang).to_owned())
        }
        (Some(Value::Text(text)), _) => text.clone(),
        (Some(Value::Index(index)), _) => format!("{index:.4}"),
    }
}

fn number_text(program: &Program, number: i128, ty: &NumberType, lang: Lang) -> String {
    match ty.kind {
        // Years and small counts are not grouped.
        NumberKind::Count => decimal(number, ty.decimals, number.unsigned_abs() >= 10_000),
        NumberKind::Rate => percent(number, ty.decimals),
        NumberKind::Quantity => {
            let mut text = decimal(number, ty.decimals, true);
            if ty.unit.0.contains_key("yuan") {
                pad_decimals(&mut text, 2);
            } else {
                trim_decimals(&mut text);
            }
            let unit = unit_text(program, &ty.unit, lang);
            if unit.is_empty() { text } else { format!("{text} {unit}") }
        }
    }
}

fn percent(number: i128, decimals: u8) -> String {
    let mut text = match decimals.checked_sub(2) {
        Some(decimals) => decimal(number, decimals, true),
        None => decimal(number.saturating_mul(10_i128.pow(u32::from(2 - decimals))), 0, true),
    };
    trim_decimals(&mut text);
    format!("{text}%")
}

/// An integer scaled by 10^decimals, exactly, with thousands separated if `grouped`.
pub(super) fn decimal(number: i128, decimals: u8, grouped: bool) -> String {
    let width = usize::from(decimals) + 1;
    let digits = format!("{:0width$}", number.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if grouped && index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if decimals > 0 {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

fn trim_decimals(text: &mut String) {
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
}

fn pad_decimals(text: &mut String, least: usize) {
    let have = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if have == 0 {
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', least.saturating_sub(have)));
}

/// `元`, `元/亩`, `kg·m²`; unknown base units are shown by their name.
pub fn unit_text(program: &Program, unit: &Unit, lang: Lang) -> String {
    let part = |sign: i8| {
        let words = unit.0.iter().filter(|(_, power)| power.signum() == sign).map(|(name, power)| {
            let power = power.unsigned_abs();
            let name = match program.units.get(name) {
                Some(label) => label.get(lang),
                None => base_unit(name, lang),
            };
            if power == 1 { name.to_owned() } else { format!("{name}^{power}") }
        });
        words.collect::<Vec<_>>().join("·")
    };
    match (part(1), part(-1)) {
        (over, under) if under.is_empty() => over,
        (over, under) => format!("{over}/{under}"),
    }
}

fn base_unit(name: &str, lang: Lang) -> &str {
    const UNITS: [(&str, &str, &str); 15] = [
        ("sqm", "平方米", "m²"),
        ("yuan", "元", "yuan"),
        ("mu", "亩", "mu"),
        ("m2", "平方米", "m²"),
        ("m", "米", "m"),
        ("km", "公里", "km"),
        ("kg", "公斤", "kg"),
        ("kwh", "千瓦时", "kWh"),
        ("person", "人", "persons"),
        ("household", "户", "households"),
        ("head", "头", "head"),
        ("year", "年", "years"),
        ("month", "个月", "months"),
        ("day", "天", "days"),
        ("place", "处", "places"),
    ];
    match UNITS.iter().find(|unit| unit.0 == name) {
        Some((_, zh, en)) => {
            if lang == Lang::Zh {
                zh
            } else {
                en
            }
        }
        None => name,
    }
}

/// The label in a language, or the name if there is none.
pub(super) fn label<'a>(label: &'a Text, name: &'a str, lang: Lang) -> &'a str {
    match label.get(lang) {
        "" => name,
        words => words,
    }
}

/// As [`label`], in both languages.
pub(super) fn label_text(text: &Text, name: &str) -> Text {
    both(|lang| label(text, name, lang).to_owned())
}

pub(super) fn column_label(column: &Column) -> Text {
    label_text(&column.label, &column.name)
}

pub(super) fn entity_label(program: &Program, entity: EntityId) -> Text {
    let entity = &program.entities[entity.index()];
    label_text(&entity.label, &entity.name)
}

/// Compiler-made columns have no name worth showing.
pub(super) fn is_hidden(column: &Column) -> bool {
    column.is_hidden()
}

/// Decimals of a number type; 0 for others.
pub(super) fn decimals(ty: &Type) -> u8 {
    match ty {
        Type::Number(number) => number.decimals,
        _ => 0,
    }
}

pub(super) fn column_note(viewer: &Viewer<'_>, facts: &Facts, column: ColumnId, row: u32) -> ColumnNote {
    let program = viewer.program();
    let of = &program.columns[column.index()];
    ColumnNote {
        entity: program.entities[of.entity.index()].name.clone(),
        key: viewer.key(of.entity, facts.key(of.entity, row)).into_owned(),
        name: of.name.clone(),
        label: column_label(of),
    }
}
