//! When something was recorded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Date;

/// Office time is China Standard Time, which has had no summer time since 1992 and is eight hours before UTC.
const OFFSET_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// An instant in milliseconds since 1970-01-01T00:00:00Z. Given by the caller: this crate reads no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment(i64);

impl Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The last millisecond of a day in office time: what was known when the day ended.
    pub fn end_of(day: Date) -> Self {
        Self((i64::from(day.days()) + 1) * DAY_MS - OFFSET_MS - 1)
    }

    /// The day in office time. Instants outside the years 1 to 9999 give the nearest day of the calendar.
    pub fn day(self) -> Date {
        let days = self.0.saturating_add(OFFSET_MS).div_euclid(DAY_MS);
        let days = days.clamp(i64::from(Date::MIN.days()), i64::from(Date::MAX.days()));
        Date::from_days(days as i32).expect("the number is within the calendar")
    }
}

/// RFC 3339 in office time, to the second: `2016-01-05T17:30:00+08:00`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.saturating_add(OFFSET_MS).rem_euclid(DAY_MS) / 1000;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{}T{hours:02}:{minutes:02}:{seconds:02}+08:00", self.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_in_office_time() {
        let check = |ms: i64, expected: &str| assert_eq!(Moment::from_unix_ms(ms).to_string(), expected);
        check(0, "1970-01-01T08:00:00+08:00");
        check(1_451_577_599_999, "2015-12-31T23:59:59+08:00");
        check(1_451_577_600_000, "2016-01-01T00:00:00+08:00");
        check(-28_800_001, "1969-12-31T23:59:59+08:00");
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        let day = Date::from_ymd(2015, 12, 31).unwrap();
        assert_eq!(Moment::end_of(day).unix_ms(), 1_451_577_599_999);
        assert_eq!(Moment::end_of(day).day(), day);
    }
}
