//! Stretches of days.

use std::fmt;

use thiserror::Error;

use crate::{Date, Refusal, RefusalCode};

/// The days from `from` (counted) to `to` (not counted), or without an end. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    from: Date,
    to: Option<Date>,
}

/// The period would contain no day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a period from `{from}` cannot end before `{to}`, which it does not count")]
pub struct PeriodError {
    pub from: Date,
    pub to: Date,
}

impl From<PeriodError> for Refusal {
    fn from(error: PeriodError) -> Self {
        Self::new(RefusalCode::DateOrder).value(error.to).expected(format_args!("> {}", error.from))
    }
}

impl Period {
    pub fn new(from: Date, to: Option<Date>) -> Result<Self, PeriodError> {
        match to {
            Some(to) if to <= from => Err(PeriodError { from, to }),
            _ => Ok(Self { from, to }),
        }
    }

    pub const fn since(from: Date) -> Self {
        Self { from, to: None }
    }

    /// A calendar year; `None` outside 1 to 9998, whose end is still a date.
    pub fn year(year: i32) -> Option<Self> {
        let from = Date::from_ymd(year, 1, 1).ok()?;
        Some(Self { from, to: Some(from.add_years(1)?) })
    }

    /// The first day.
    pub const fn from(self) -> Date {
        self.from
    }

    /// The day after the last, `None` without an end.
    pub const fn to(self) -> Option<Date> {
        self.to
    }

    pub fn contains(self, date: Date) -> bool {
        self.from <= date && self.to.is_none_or(|to| date < to)
    }

    /// Whether some day is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.intersect(other).is_some()
    }

    /// The days in both.
    pub fn intersect(self, other: Self) -> Option<Self> {
        let to = match (self.to, other.to) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        Self::new(self.from.max(other.from), to).ok()
    }

    /// Both as one, if they overlap or one begins where the other ends.
    pub fn merge(self, other: Self) -> Option<Self> {
        let meets = |left: Self, right: Self| left.to.is_none_or(|to| right.from <= to);
        if !meets(self, other) || !meets(other, self) {
            return None;
        }
        let to = self.to.zip(other.to).map(|(left, right)| left.max(right));
        Some(Self { from: self.from.min(other.from), to })
    }

    /// The number of days, `None` without an end.
    pub fn days(self) -> Option<i32> {
        self.to.map(|to| Date::days_between(self.from, to))
    }
}

/// `2015-01-01..2016-01-01`, or `2015-01-01..` without an end.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..", self.from)?;
        self.to.map_or(Ok(()), |to| write!(f, "{to}"))
    }
}
