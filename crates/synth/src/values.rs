//! Columns of values, as they are made.

use std::sync::Arc;

/// Unknown in a column of numbers.
pub const UNKNOWN: i64 = i64::MIN;

/// One column of one region.
#[derive(Clone, Debug)]
pub enum Values {
    /// Scaled numbers, days, flags (0 or 1).
    Number(Vec<i64>),
    /// Positions in a list of texts.
    Choice(Vec<i64>, Arc<[String]>),
    Text(Texts),
}

/// Texts end to end. An empty one is unknown.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    pub fn with_capacity(rows: usize) -> Self {
        Self { text: String::with_capacity(rows * 16), ends: Vec::with_capacity(rows) }
    }

    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    /// Adds what `write` appends.
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    pub fn push(&mut self, text: &str) {
        self.push_with(|all| all.push_str(text));
    }
}

impl Values {
    /// The number of a row; unknown for texts.
    pub fn number(&self, row: usize) -> i64 {
        match self {
            Self::Number(values) | Self::Choice(values, _) => values[row],
            Self::Text(_) => UNKNOWN,
        }
    }

    /// The text of a row; empty if unknown or a number.
    pub fn text(&self, row: usize) -> &str {
        match self {
            Self::Number(_) => "",
            Self::Choice(values, texts) => match values[row] {
                UNKNOWN => "",
                index => &texts[index as usize],
            },
            Self::Text(texts) => texts.get(row),
        }
    }

    pub fn is_unknown(&self, row: usize) -> bool {
        match self {
            Self::Number(values) | Self::Choice(values, _) => values[row] == UNKNOWN,
            Self::Text(texts) => texts.get(row).is_empty(),
        }
    }

    /// The rows that are kept, in order.
    pub fn keep(&self, rows: &[u32]) -> Self {
        let numbers = |values: &[i64]| rows.iter().map(|row| values[*row as usize]).collect();
        match self {
            Self::Number(values) => Self::Number(numbers(values)),
            Self::Choice(values, texts) => Self::Choice(numbers(values), Arc::clone(texts)),
            Self::Text(texts) => {
                let mut kept = Texts::with_capacity(rows.len());
                for row in rows {
                    kept.push(texts.get(*row as usize));
                }
                Self::Text(kept)
            }
        }
    }
}
