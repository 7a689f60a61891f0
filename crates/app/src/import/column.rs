//! Staged values: one compact column for each field of a sheet, instead of a value for each cell.

use std::collections::BTreeMap;

use model::Date;
use pack::program::Value;

use super::schema::Reader;

/// Values of one field, by row. Unknown is the smallest integer, or an empty text.
#[derive(Debug, Clone)]
pub enum Column {
    Text(TextColumn),
    /// Scaled numbers.
    Wide(Vec<i64>),
    /// Days, flags, and positions in code lists.
    Narrow(Vec<i32>),
}

/// Texts end to end.
#[derive(Debug, Default, Clone)]
pub struct TextColumn {
    text: String,
    ends: Vec<usize>,
    /// The few rows whose text is another than was read: empty where that was found to be wrong.
    replaced: BTreeMap<usize, String>,
}

const UNKNOWN_WIDE: i64 = i64::MIN;
const UNKNOWN_NARROW: i32 = i32::MIN;

impl TextColumn {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text of a row, empty if unknown.
    pub fn get(&self, row: usize) -> &str {
        if !self.replaced.is_empty()
            && let Some(text) = self.replaced.get(&row)
        {
            return text;
        }
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn append(&mut self, other: &Self) {
        let base = self.text.len();
        self.text.push_str(&other.text);
        let rows = self.ends.len();
        self.ends.extend(other.ends.iter().map(|end| end + base));
        self.replaced.extend(other.replaced.iter().map(|(row, text)| (row + rows, text.clone())));
    }
}

impl Column {
    pub fn for_reader(reader: &Reader) -> Self {
        match reader {
            Reader::Text | Reader::CitizenNumber | Reader::DisabilityCertificate | Reader::DivisionCode => {
                Self::Text(TextColumn::default())
            }
            Reader::Number { .. } => Self::Wide(Vec::new()),
            Reader::Date | Reader::Bool | Reader::Code(_) | Reader::Index => Self::Narrow(Vec::new()),
        }
    }

    pub fn push_unknown(&mut self) {
        match self {
            Self::Text(column) => column.push(""),
            Self::Wide(column) => column.push(UNKNOWN_WIDE),
            Self::Narrow(column) => column.push(UNKNOWN_NARROW),
        }
    }

    pub fn push_text(&mut self, text: &str) {
        match self {
            Self::Text(column) => column.push(text),
            _ => self.push_unknown(),
        }
    }

    pub fn push_integer(&mut self, value: i64) {
        match self {
            Self::Wide(column) => column.push(value),
            Self::Narrow(column) => column.push(i32::try_from(value).unwrap_or(UNKNOWN_NARROW)),
            Self::Text(_) => self.push_unknown(),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Text(column) => column.len(),
            Self::Wide(column) => column.len(),
            Self::Narrow(column) => column.len(),
        }
    }

    /// Makes it `rows` long with unknown values.
    pub fn pad(&mut self, rows: usize) {
        while self.len() < rows {
            self.push_unknown();
        }
    }

    pub fn is_unknown(&self, row: usize) -> bool {
        match self {
            Self::Text(column) => column.get(row).is_empty(),
            Self::Wide(column) => column[row] == UNKNOWN_WIDE,
            Self::Narrow(column) => column[row] == UNKNOWN_NARROW,
        }
    }

    /// The text of a row, empty if unknown or not a text.
    pub fn text(&self, row: usize) -> &str {
        match self {
            Self::Text(column) => column.get(row),
            _ => "",
        }
    }

    /// The value as the program knows it.
    pub fn value(&self, reader: &Reader, row: usize) -> Option<Value> {
        if self.is_unknown(row) {
            return None;
        }
        Some(match (self, reader) {
            (Self::Text(column), _) => Value::Text(column.get(row).to_owned()),
            (Self::Wide(column), _) => Value::Number(i128::from(column[row])),
            (Self::Narrow(column), Reader::Date) => Value::Date(Date::from_days(column[row])?),
            (Self::Narrow(column), Reader::Bool) => Value::Bool(column[row] != 0),
            (Self::Narrow(column), Reader::Code(list)) => {
                Value::Text(list.codes.get(column[row] as usize)?.clone())
            }
            (Self::Narrow(_), _) => return None,
        })
    }

    /// Makes a value unknown.
    pub fn forget(&mut self, row: usize) {
        match self {
            Self::Text(column) => {
                column.replaced.insert(row, String::new());
            }
            Self::Wide(column) => column[row] = UNKNOWN_WIDE,
            Self::Narrow(column) => column[row] = UNKNOWN_NARROW,
        }
    }

    /// Puts a recorded value in the place of what was read. A value that the reader doesn't know stays unknown.
    pub fn set(&mut self, reader: &Reader, row: usize, value: &Value) {
        match (self, value, reader) {
            (Self::Text(column), Value::Text(text), _) => {
                column.replaced.insert(row, text.clone());
            }
            (Self::Wide(column), Value::Number(number), _) => {
                column[row] = i64::try_from(*number).unwrap_or(UNKNOWN_WIDE);
            }
            (Self::Narrow(column), Value::Text(code), Reader::Code(list)) => {
                let position = list.codes.iter().position(|known| known == code);
                column[row] = position.and_then(|at| i32::try_from(at).ok()).unwrap_or(UNKNOWN_NARROW);
            }
            (Self::Narrow(column), Value::Date(date), _) => column[row] = date.days(),
            (Self::Narrow(column), Value::Bool(flag), _) => column[row] = i32::from(*flag),
            _ => {}
        }
    }

    /// Takes the last rows away.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            Self::Text(column) => {
                column.ends.truncate(rows);
                column.replaced.split_off(&rows);
                column.text.truncate(column.ends.last().copied().unwrap_or(0));
            }
            Self::Wide(column) => column.truncate(rows),
            Self::Narrow(column) => column.truncate(rows),
        }
    }

    /// Adds the rows of another column of the same field.
    pub fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Text(column), Self::Text(other)) => column.append(other),
            (Self::Wide(column), Self::Wide(other)) => column.extend_from_slice(other),
            (Self::Narrow(column), Self::Narrow(other)) => column.extend_from_slice(other),
            _ => unreachable!("both columns were made for the same reader"),
        }
    }
}
