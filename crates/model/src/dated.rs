//! Values that hold for a time, such as parameters and rates.

use thiserror::Error;

use crate::{Date, Period, Refusal, RefusalCode};

/// Values in the order of their periods, no two of which overlap. There may be gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    entries: Vec<(Period, T)>,
}

/// Why a series of dated values cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DatedError {
    #[error("`{first}` and `{second}` overlap")]
    Overlap { first: Period, second: Period },
    /// `from` is the first day without a value; `to` is the next day with one, if there is one.
    #[error("no value is in force from `{from}`{}", until(.to.as_ref()))]
    Gap { from: Date, to: Option<Date> },
}

fn until(to: Option<&Date>) -> String {
    to.map(|to| format!(" until `{to}`")).unwrap_or_default()
}

impl DatedError {
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::Overlap { .. } => RefusalCode::PeriodOverlap,
            Self::Gap { .. } => RefusalCode::PeriodGap,
        }
    }
}

impl From<DatedError> for Refusal {
    fn from(error: DatedError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            DatedError::Overlap { first, second } => refusal.value(format_args!("{first}, {second}")),
            DatedError::Gap { from, .. } => refusal.value(from),
        }
    }
}

impl<T> Dated<T> {
    /// Sorts the entries by period; refuses an overlap.
    pub fn new(mut entries: Vec<(Period, T)>) -> Result<Self, DatedError> {
        entries.sort_by_key(|(period, _)| period.from());
        for pair in entries.windows(2) {
            let (first, second) = (pair[0].0, pair[1].0);
            if first.overlaps(second) {
                return Err(DatedError::Overlap { first, second });
            }
        }
        Ok(Self { entries })
    }

    /// Each value holds from its day until the next one's, the last without an end; refuses two values from
    /// one day.
    pub fn from_starts(mut starts: Vec<(Date, T)>) -> Result<Self, DatedError> {
        starts.sort_by_key(|(from, _)| *from);
        let next: Vec<Option<Date>> =
            starts.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]).collect();
        let mut entries = Vec::with_capacity(starts.len());
        for ((from, value), to) in starts.into_iter().zip(next) {
            let period = Period::new(from, to).map_err(|_| {
                let both = Period::since(from);
                DatedError::Overlap { first: both, second: both }
            })?;
            entries.push((period, value));
        }
        Ok(Self { entries })
    }

    /// The value in force on a day.
    pub fn at(&self, date: Date) -> Result<&T, DatedError> {
        let entry =
            self.entry_at(date).ok_or_else(|| DatedError::Gap { from: date, to: self.next_start(date) })?;
        Ok(&entry.1)
    }

    /// The pieces of a period with the value of each, in order; refuses a period with a day that has none.
    pub fn within(&self, period: Period) -> Result<Vec<(Period, &T)>, DatedError> {
        let mut pieces: Vec<(Period, &T)> = Vec::new();
        let mut day = period.from();
        loop {
            let (entry, value) = self
                .entry_at(day)
                .map(|(entry, value)| (*entry, value))
                .ok_or_else(|| DatedError::Gap { from: day, to: self.next_start(day) })?;
            let piece = entry.intersect(period).expect("the entry and the period both contain the day");
            pieces.push((piece, value));
            match piece.to() {
                Some(to) if period.to() != Some(to) => day = to,
                _ => return Ok(pieces),
            }
        }
    }

    /// Refuses a series with a day between its first and its last that has no value.
    pub fn require_no_gaps(&self) -> Result<(), DatedError> {
        for pair in self.entries.windows(2) {
            let (end, next) = (pair[0].0.to(), pair[1].0.from());
            if let Some(from) = end.filter(|end| *end != next) {
                return Err(DatedError::Gap { from, to: Some(next) });
            }
        }
        Ok(())
    }

    /// The entries in order of their periods.
    pub fn entries(&self) -> &[(Period, T)] {
        &self.entries
    }

    fn entry_at(&self, date: Date) -> Option<&(Period, T)> {
        let after = self.entries.partition_point(|(period, _)| period.from() <= date);
        self.entries[..after].last().filter(|(period, _)| period.contains(date))
    }

    fn next_start(&self, date: Date) -> Option<Date> {
        self.entries.iter().map(|(period, _)| period.from()).find(|from| *from > date)
    }
}
