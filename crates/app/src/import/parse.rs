//! Cells as meant: what a person wrote becomes what the field stores, exactly or not at all.

use std::borrow::Cow;

use model::{
    CitizenNumber, Date, DisabilityCertificate, DivisionCode, Fen, Fixed, MoneyUnit, NumberError, Refusal,
    RefusalCode, normalise_header, normalise_text,
};
use pack::program::Blank;

use super::cell::Cell;
use super::schema::{CodePlan, FieldPlan, Reader};

/// What was read.
#[derive(Debug, PartialEq)]
pub enum Parsed<'a> {
    Unknown,
    /// A scaled number, a day, a flag or the position of a code.
    Integer(i64),
    Text(Cow<'a, str>),
}

/// Whole numbers beyond this lost digits in a spreadsheet, which keeps fifteen.
const WHOLE_MAX: f64 = 999_999_999_999_999.0;
const TEXT_MAX: usize = 2000;
const KEY_MAX: usize = 64;

/// Reads a cell for a field. `shift` is that of the column's header (万元 is 4). The refusal quotes
/// the cell; callers mask it where the field is personal.
pub fn parse<'a>(field: &FieldPlan, shift: i8, cell: &'a Cell<'_>) -> Result<Parsed<'a>, Refusal> {
    if cell.is_blank() {
        return match (field.blank, &field.reader) {
            (Blank::No, Reader::Bool) | (Blank::Zero, Reader::Number { .. }) => Ok(Parsed::Integer(0)),
            _ if field.required => Err(RefusalCode::RequiredMissing.into()),
            _ => Ok(Parsed::Unknown),
        };
    }
    if *cell == Cell::Uncomputed {
        return Err(RefusalCode::CellError.into());
    }
    if let Cell::Error(error) = cell {
        return Err(Refusal::new(RefusalCode::CellError).value(error));
    }
    match &field.reader {
        Reader::Text => text(field, cell),
        Reader::CitizenNumber => citizen_number(cell),
        Reader::DisabilityCertificate => {
            let certificate: DisabilityCertificate =
                without_apostrophe(plain(cell)?).parse().map_err(Refusal::from)?;
            Ok(Parsed::Text(Cow::Owned(certificate.expose())))
        }
        Reader::DivisionCode => division_code(cell),
        Reader::Number { decimals, shift: own, money, min, max } => {
            let value = number(cell, *decimals, own + shift, *money)?;
            if value < *min || value > *max {
                let bound = |value: i64| scaled(value, i32::from(*decimals) + i32::from(own + shift));
                let expected = format!("{} – {}", bound(*min), bound(*max));
                return Err(Refusal::new(RefusalCode::OutOfRange).value(cell).expected(expected));
            }
            Ok(Parsed::Integer(value))
        }
        Reader::Date => date(cell).map(|date| Parsed::Integer(date.days().into())),
        Reader::Bool => yes_or_no(cell).map(|flag| Parsed::Integer(flag.into())),
        Reader::Code(list) => code(list, cell),
        Reader::Index => Ok(Parsed::Unknown),
    }
}

/// The cell as the digits or words that were typed.
fn plain<'a>(cell: &'a Cell<'_>) -> Result<Cow<'a, str>, Refusal> {
    let lost = || Refusal::new(RefusalCode::DigitsLost).value(cell);
    match cell {
        Cell::Text(text) => Ok(normalise_text(text)),
        Cell::Number(number) if number.fract() == 0.0 && number.abs() > WHOLE_MAX => Err(lost()),
        _ => Ok(Cow::Owned(cell.to_string())),
    }
}

fn text<'a>(field: &FieldPlan, cell: &'a Cell<'_>) -> Result<Parsed<'a>, Refusal> {
    let text = plain(cell)?;
    let text = if field.digits_matter { without_apostrophe(text) } else { text };
    if field.digits_matter && is_exponent(&text) {
        return Err(Refusal::new(RefusalCode::DigitsLost).value(text));
    }
    let length = text.chars().count();
    if field.names_record && (length > KEY_MAX || text.chars().any(char::is_control)) {
        return Err(Refusal::new(RefusalCode::KeyInvalid).value(text));
    }
    if length > TEXT_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).value(length).expected(format!("≤ {TEXT_MAX}")));
    }
    Ok(Parsed::Text(text))
}

/// Less the apostrophe with which a spreadsheet is told that digits are a text, where it was kept.
fn without_apostrophe(text: Cow<'_, str>) -> Cow<'_, str> {
    const APOSTROPHES: [char; 4] = ['\'', '‘', '’', '`'];
    if !text.starts_with(APOSTROPHES) {
        return text;
    }
    Cow::Owned(text.trim_start_matches(APOSTROPHES).trim_end_matches(APOSTROPHES).to_owned())
}

/// `6.21409E+18`: the text of a cell that had been a number.
fn is_exponent(text: &str) -> bool {
    text.contains("E+") && text.parse::<f64>().is_ok()
}

fn citizen_number<'a>(cell: &'a Cell<'_>) -> Result<Parsed<'a>, Refusal> {
    let number = match cell {
        Cell::Number(number) => CitizenNumber::from_f64(*number),
        Cell::Text(text) => without_apostrophe(Cow::Borrowed(text)).parse::<CitizenNumber>(),
        _ => cell.to_string().parse(),
    };
    let number = number.map_err(Refusal::from)?;
    Ok(Parsed::Text(Cow::Owned(number.expose().to_owned())))
}

fn division_code<'a>(cell: &'a Cell<'_>) -> Result<Parsed<'a>, Refusal> {
    if let Cell::Text(text) = cell
        && text.len() == 12
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with("00")
    {
        return Ok(Parsed::Text(Cow::Borrowed(text)));
    }
    let code: DivisionCode = without_apostrophe(plain(cell)?).parse().map_err(Refusal::from)?;
    Ok(Parsed::Text(Cow::Owned(code.to_string())))
}

/// The cell at `decimals`, where the cell's unit is `10^shift` of the field's.
fn number(cell: &Cell<'_>, decimals: u8, shift: i8, money: bool) -> Result<i64, Refusal> {
    let places = i32::from(decimals) + i32::from(shift);
    let refused = |code: RefusalCode| Refusal::new(code).value(cell);
    let Ok(places) = u8::try_from(places) else { return Err(refused(RefusalCode::TooManyDecimals)) };
    match cell {
        Cell::Number(number) => from_float(*number, places).map_err(Refusal::from),
        Cell::Integer(number) => Fixed::from_integer(*number, places)
            .map(Fixed::mantissa)
            .ok_or_else(|| refused(RefusalCode::OutOfRange)),
        Cell::Decimal(..) => Ok(Fixed::parse(&cell.to_string(), places).map_err(Refusal::from)?.mantissa()),
        Cell::Text(text) => match simple_decimal(text, places) {
            Some(value) => Ok(value),
            None => written_number(text, places, money && shift == 0),
        },
        _ => Err(refused(RefusalCode::NotANumber)),
    }
}

/// Full-width digits, separators, signs, and units after the number.
fn written_number(text: &str, places: u8, money: bool) -> Result<i64, Refusal> {
    let normal = normalise_text(text);
    let bare = normal.trim_start_matches(['¥', '￥']);
    if money {
        return Fen::parse_in(bare, MoneyUnit::Yuan).map(Fen::fen).map_err(Refusal::from);
    }
    let (bare, places) = match bare.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), places),
        None => (bare.trim_end_matches(|char: char| !char.is_ascii_digit()).trim_end(), places),
    };
    // A unit after the number is fine, other words are not.
    let rest = &normal[normal.find(bare).unwrap_or(0) + bare.len()..];
    let unit = rest.trim();
    if bare.is_empty() || !(UNITS.contains(&unit)) {
        return Err(NumberError::NotANumber { text: normal.clone().into_owned() }.into());
    }
    Ok(Fixed::parse(bare, places).map_err(Refusal::from)?.mantissa())
}

/// Units that people write behind a number in a column whose header has the same one.
const UNITS: &[&str] = &[
    "",
    "%",
    "元",
    "亩",
    "平方米",
    "平米",
    "㎡",
    "m2",
    "m²",
    "公里",
    "千米",
    "km",
    "个月",
    "月",
    "人",
    "户",
    "个",
    "年",
];

/// A decimal of plain ASCII digits, which nearly all are; anything else is left to the model.
fn simple_decimal(text: &str, places: u8) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 17 || !digits[0].is_ascii_digit() {
        return None;
    }
    let mut value: i64 = 0;
    let mut fraction: Option<u8> = None;
    for byte in digits {
        match byte {
            b'0'..=b'9' if fraction == Some(places) => {
                if *byte != b'0' {
                    return None;
                }
            }
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                fraction = fraction.map(|count| count + 1);
            }
            b'.' if fraction.is_none() => fraction = Some(0),
            _ => return None,
        }
    }
    if !digits[digits.len() - 1].is_ascii_digit() {
        return None;
    }
    let missing = places - fraction.unwrap_or(0);
    let value = value.checked_mul(10_i64.checked_pow(missing.into())?)?;
    Some(if negative { -value } else { value })
}

/// A spreadsheet's number, which shows fifteen digits: 4230.969999999999 is 4230.97.
fn from_float(value: f64, places: u8) -> Result<i64, NumberError> {
    let exact = |value: f64| {
        let power = 10_f64.powi(places.into());
        let rounded = (value * power).round();
        // The quotient is the float nearest to the decimal, so equality means that it was typed so.
        #[expect(clippy::float_cmp, reason = "equality of representations is the question")]
        let same = rounded.abs() < 9e15 && rounded / power == value;
        same.then_some(rounded as i64)
    };
    if let Some(value) = exact(value) {
        return Ok(value);
    }
    let shown: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    match exact(shown) {
        Some(value) => Ok(value),
        None => Fixed::from_f64(shown, places).map(Fixed::mantissa),
    }
}

fn date(cell: &Cell<'_>) -> Result<Date, Refusal> {
    let refused = || Refusal::new(RefusalCode::NotADate).value(cell);
    match cell {
        Cell::Date(date) => Ok(*date),
        Cell::Number(number) => from_number(*number).ok_or_else(refused),
        Cell::Integer(number) => from_number(*number as f64).ok_or_else(refused),
        Cell::Text(text) => {
            let normal = normalise_text(text);
            let day = normal.split([' ', 'T']).next().unwrap_or_default();
            day.parse()
                .or_else(|_| normal.parse())
                .ok()
                .or_else(|| normal.parse().ok().filter(|_| normal.len() == 5).and_then(from_number))
                .ok_or_else(refused)
        }
        _ => Err(refused()),
    }
}

/// 20150630, or the serial number of a day from 1927 to 2036 in a cell that is not formatted as a date.
fn from_number(number: f64) -> Option<Date> {
    if number.fract() == 0.0 && (18_500_101.0..22_000_101.0).contains(&number) {
        let number = number as i64;
        return Date::from_ymd((number / 10_000) as i32, (number / 100 % 100) as u32, (number % 100) as u32)
            .ok();
    }
    if (10_000.0..50_000.0).contains(&number) { Date::from_excel_serial(number).ok() } else { None }
}

fn yes_or_no(cell: &Cell<'_>) -> Result<bool, Refusal> {
    let refused = || Refusal::new(RefusalCode::NotYesOrNo).value(cell);
    match cell {
        Cell::Bool(flag) => Ok(*flag),
        Cell::Number(0.0) | Cell::Integer(0) => Ok(false),
        Cell::Number(1.0) | Cell::Integer(1) => Ok(true),
        Cell::Text(text) => match text.as_ref() {
            "是" => Ok(true),
            "否" => Ok(false),
            _ => match normalise_header(text).as_str() {
                "是" | "√" | "✓" | "✔" | "☑" | "有" | "对" | "y" | "yes" | "true" | "t" | "1" => {
                    Ok(true)
                }
                "否" | "×" | "✗" | "✘" | "x" | "无" | "没有" | "不是" | "n" | "no" | "false" | "f" | "0" => {
                    Ok(false)
                }
                _ => Err(refused()),
            },
        },
        _ => Err(refused()),
    }
}

fn code<'a>(list: &CodePlan, cell: &'a Cell<'_>) -> Result<Parsed<'a>, Refusal> {
    let text = plain(cell)?;
    let found = list.spellings.get(text.as_ref()).or_else(|| list.spellings.get(&normalise_header(&text)));
    match found {
        Some(index) => Ok(Parsed::Integer((*index).into())),
        None => Err(Refusal::new(RefusalCode::NotInCodeList).value(&text).expected(suggestion(list, &text))),
    }
}

/// The label most like the text, or all of a short list.
fn suggestion(list: &CodePlan, text: &str) -> String {
    let like = |label: &str| strsim::normalized_levenshtein(label, text);
    let best =
        list.labels.iter().map(|label| (like(&label.zh), &label.zh)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, label)) if score >= 0.5 => label.clone(),
        _ => {
            let labels: Vec<&str> = list.labels.iter().map(|label| label.zh.as_str()).collect();
            labels.join("、")
        }
    }
}

/// An integer with its point: `(-5, 2)` is `-0.05`; trailing zeros go.
pub fn scaled(value: i64, decimals: i32) -> String {
    let Ok(decimals) = usize::try_from(decimals) else { return value.to_string() };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if value < 0 { "-" } else { "" })
}
