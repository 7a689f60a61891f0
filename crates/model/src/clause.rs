//! Clause ids, in the order of the law.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::normalise_text;

/// A clause of the Decision: `7.1`, or `X2.3` in an annex. Ordered as the document is: numbers by value, what
/// has fewer parts first, annexes after the articles (`7` < `7.2` < `7.10` < `X1.1`).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClauseId {
    /// Upper-case letters, empty for an article of the main text.
    annex: String,
    /// At least one; no leading zeros in the text, so equal numbers are equal ids.
    numbers: Vec<u32>,
}

/// The text is not a clause id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a clause id; write it as `7.1` or `X2.3`")]
pub struct ClauseIdError(pub String);

impl ClauseId {
    /// The article that the clause stands in: `X2` for `X2.3`; an article is its own.
    #[must_use]
    pub fn article(&self) -> Self {
        Self { annex: self.annex.clone(), numbers: self.numbers[..1].to_vec() }
    }

    /// The annex letters, empty in the main text.
    pub fn annex(&self) -> &str {
        &self.annex
    }

    /// The numbers from the article down: `[7, 10]` for `7.10`.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }
}

impl Ord for ClauseId {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.annex, &self.numbers).cmp(&(&other.annex, &other.numbers))
    }
}

impl PartialOrd for ClauseId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        f.pad(&format!("{}{}", self.annex, numbers.join(".")))
    }
}

impl fmt::Debug for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ClauseId {
    type Err = ClauseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normal = normalise_text(text);
        let letters = normal.bytes().take_while(u8::is_ascii_uppercase).count();
        let (annex, rest) = normal.split_at(letters);
        let numbers: Option<Vec<u32>> = rest.split('.').map(parse_part).collect();
        match numbers {
            Some(numbers) => Ok(Self { annex: annex.to_owned(), numbers }),
            None => Err(ClauseIdError(text.to_owned())),
        }
    }
}

/// A positive number without leading zeros.
fn parse_part(part: &str) -> Option<u32> {
    let canonical = part.bytes().all(|byte| byte.is_ascii_digit()) && !part.starts_with('0');
    if canonical { part.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_ordered_as_in_the_document() {
        let sorted = ["6.1", "7", "7.1", "7.2", "7.2.1", "7.10", "10.1", "29.3", "X1.1", "X2.3", "X2.10"];
        let ids: Vec<ClauseId> = sorted.iter().map(|text| text.parse().unwrap()).collect();
        assert!(ids.is_sorted());
        let texts: Vec<String> = ids.iter().map(ClauseId::to_string).collect();
        assert_eq!(texts, sorted);
    }

    #[test]
    fn what_is_not_a_clause_is_refused() {
        for text in
            ["", "X", "7.", ".1", "7..1", "7.01", "0", "x1.1", "7.1a", "7-1", "-7", "+7", "99999999999"]
        {
            assert_eq!(text.parse::<ClauseId>(), Err(ClauseIdError(text.into())), "{text}");
        }
    }

    #[test]
    fn a_clause_knows_its_article() {
        let check = |text: &str, article: &str| {
            let id: ClauseId = text.parse().unwrap();
            assert_eq!(id.article().to_string(), article);
        };
        check("7.10", "7");
        check("X2.3", "X2");
        check("７．１", "7");
    }
}
