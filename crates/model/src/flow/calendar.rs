//! Days and working days.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Date, Refusal, RefusalCode};

/// What a period counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayUnit {
    Calendar,
    Working,
}

/// Which days are worked, as the state announces it for each year: Saturdays and Sundays are not, save those
/// that are made up for, and neither are the holidays.
///
/// It says nothing outside `first` to `last`: a period that leaves it is refused, never guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingCalendar {
    pub first: Date,
    pub last: Date,
    /// Days off, whichever day of the week.
    pub holidays: BTreeSet<Date>,
    /// Saturdays and Sundays that are worked.
    pub working_weekends: BTreeSet<Date>,
}

impl WorkingCalendar {
    pub fn is_working(&self, day: Date) -> Result<bool, Refusal> {
        if day < self.first || day > self.last {
            let expected = format!("{} – {}", self.first, self.last);
            return Err(Refusal::new(RefusalCode::CalendarEnds).value(day).expected(expected));
        }
        Ok(!self.holidays.contains(&day) && (!is_weekend(day) || self.working_weekends.contains(&day)))
    }

    /// The last day of a period of `count` days after `from`, whose own day does not count: seven days from
    /// the 1st end with the 8th.
    pub fn add(&self, from: Date, count: u32, unit: DayUnit) -> Result<Date, Refusal> {
        let beyond = || Refusal::new(RefusalCode::CalendarEnds).value(from);
        if unit == DayUnit::Calendar {
            let count = i32::try_from(count).map_err(|_| beyond())?;
            return from.add_days(count).ok_or_else(beyond);
        }
        let mut day = from;
        let mut left = count;
        while left > 0 {
            day = day.add_days(1).ok_or_else(beyond)?;
            if self.is_working(day)? {
                left -= 1;
            }
        }
        Ok(day)
    }

    /// The days after `from` up to and including `until`; 0 if `until` is not later.
    pub fn count(&self, from: Date, until: Date, unit: DayUnit) -> Result<u32, Refusal> {
        let days = u32::try_from(Date::days_between(from, until)).unwrap_or(0);
        if unit == DayUnit::Calendar {
            return Ok(days);
        }
        let mut worked = 0;
        for ahead in 1..=days {
            let day = from.add_days(ahead as i32).ok_or(RefusalCode::CalendarEnds)?;
            worked += u32::from(self.is_working(day)?);
        }
        Ok(worked)
    }
}

/// 1970-01-01 was a Thursday, so that Saturdays leave 2 and Sundays 3.
fn is_weekend(day: Date) -> bool {
    matches!(day.days().rem_euclid(7), 2 | 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("the test writes a date")
    }

    /// October 2015: the National Day week, made up for on Saturday the 10th.
    fn calendar() -> WorkingCalendar {
        WorkingCalendar {
            first: date("2015-10-01"),
            last: date("2015-10-31"),
            holidays: (1..=7).map(|day| Date::from_ymd(2015, 10, day).expect("a day of October")).collect(),
            working_weekends: [date("2015-10-10")].into(),
        }
    }

    #[test]
    fn periods_end_on_the_day_that_the_calendar_says() {
        let check = |from: &str, count, unit, expected: &str| {
            let found = calendar().add(date(from), count, unit);
            assert_eq!(found, Ok(date(expected)), "{count} days from {from}");
            assert_eq!(calendar().count(date(from), date(expected), unit), Ok(count), "{from} to {expected}");
        };
        check("2015-10-01", 7, DayUnit::Calendar, "2015-10-08");
        check("2015-10-01", 1, DayUnit::Working, "2015-10-08");
        check("2015-10-08", 2, DayUnit::Working, "2015-10-10");
        check("2015-10-08", 3, DayUnit::Working, "2015-10-12");
        check("2015-10-16", 1, DayUnit::Working, "2015-10-19");
        check("2015-10-16", 0, DayUnit::Working, "2015-10-16");
        check("2015-10-31", 1, DayUnit::Calendar, "2015-11-01");
    }

    #[test]
    fn a_period_that_leaves_the_calendar_is_refused() {
        let refused =
            calendar().add(date("2015-10-30"), 1, DayUnit::Working).expect_err("the 31st is a Saturday");
        assert_eq!(refused.code, RefusalCode::CalendarEnds);
        assert_eq!(refused.value.as_deref(), Some("2015-11-01"));
        assert!(calendar().count(date("2015-09-29"), date("2015-10-08"), DayUnit::Working).is_err());
    }

    #[test]
    fn nothing_is_counted_backwards() {
        let check = |unit| assert_eq!(calendar().count(date("2015-10-09"), date("2015-10-08"), unit), Ok(0));
        check(DayUnit::Calendar);
        check(DayUnit::Working);
    }
}
