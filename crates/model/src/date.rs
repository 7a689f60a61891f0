//! Civil dates without a time or a zone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Refusal, RefusalCode, normalise_text};

/// A day of the proleptic Gregorian calendar, from `0001-01-01` to `9999-12-31`, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Date(i32);

/// Why something is not a date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DateError {
    #[error("`{text}` is not a date")]
    NotADate { text: String },
    #[error("no day is `{year:04}-{month:02}-{day:02}`")]
    Impossible { year: i32, month: u32, day: u32 },
    /// Day 0, the invented 29 February 1900, or beyond the year 9999.
    #[error("the spreadsheet number `{serial}` is not a date")]
    NoSuchSerial { serial: String },
}

impl DateError {
    pub const fn code(&self) -> RefusalCode {
        RefusalCode::NotADate
    }
}

impl From<DateError> for Refusal {
    fn from(error: DateError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            DateError::NotADate { text } => refusal.value(text),
            DateError::Impossible { year, month, day } => {
                refusal.value(format_args!("{year:04}-{month:02}-{day:02}"))
            }
            DateError::NoSuchSerial { serial } => refusal.value(serial),
        }
    }
}

impl Date {
    pub const MIN: Self = Self(days_from_civil(1, 1, 1));
    pub const MAX: Self = Self(days_from_civil(9999, 12, 31));

    /// The day, if the calendar has it.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Result<Self, DateError> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day);
        if exists {
            Ok(Self(days_from_civil(year, month, day)))
        } else {
            Err(DateError::Impossible { year, month, day })
        }
    }

    /// From days since 1970-01-01; `None` outside the years 1 to 9999.
    pub fn from_days(days: i32) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&days).then_some(Self(days))
    }

    /// From a spreadsheet's serial number in the 1900 system; the fraction is the time of day and is
    /// dropped. The system counts 1900-01-01 as 1 and has a 29 February 1900 (60) that never was, so numbers
    /// from 61 on stand one day further from the start. Source: ECMA-376 part 1, 18.17.4.1.
    pub fn from_excel_serial(serial: f64) -> Result<Self, DateError> {
        let refused = || DateError::NoSuchSerial { serial: serial.to_string() };
        if !serial.is_finite() || !(1.0..2_958_466.0).contains(&serial) {
            return Err(refused());
        }
        let start = days_from_civil(1899, 12, 31);
        match serial as i32 {
            60 => Err(refused()),
            day @ ..60 => Ok(Self(start + day)),
            day => Ok(Self(start + day - 1)),
        }
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Year, month (1-12) and day (1-31).
    pub const fn ymd(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    pub const fn year(self) -> i32 {
        self.ymd().0
    }

    pub const fn month(self) -> u32 {
        self.ymd().1
    }

    pub const fn day(self) -> u32 {
        self.ymd().2
    }

    /// `None` outside the years 1 to 9999.
    pub fn add_days(self, days: i32) -> Option<Self> {
        Self::from_days(self.0.checked_add(days)?)
    }

    /// The same day so many months later, or the last of that month if it is shorter: one month after
    /// 2015-01-31 is 2015-02-28. `None` outside the years 1 to 9999.
    pub fn add_months(self, months: i32) -> Option<Self> {
        let (year, month, day) = self.ymd();
        let count = year.checked_mul(12)?.checked_add(month as i32 - 1)?.checked_add(months)?;
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) as u32 + 1);
        Self::from_ymd(year, month, day.min(days_in_month(year, month))).ok()
    }

    /// As [`Date::add_months`] by twelves.
    pub fn add_years(self, years: i32) -> Option<Self> {
        self.add_months(years.checked_mul(12)?)
    }

    /// Completed years (周岁) on a day, if this is the date of birth; `None` before it. Someone born on
    /// 29 February completes a year on 1 March of a common year.
    pub fn age_at(self, on: Self) -> Option<u32> {
        let (year, month, day) = self.ymd();
        let (on_year, on_month, on_day) = on.ymd();
        let before_birthday = (on_month, on_day) < (month, day);
        u32::try_from(on_year - year - i32::from(before_birthday)).ok()
    }

    /// The days from the first date to the second, negative if it is earlier. The same day gives 0.
    pub const fn days_between(from: Self, to: Self) -> i32 {
        to.0 - from.0
    }

    pub const fn is_leap_year(year: i32) -> bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}

/// Days in a month of 1 to 12.
const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if Date::is_leap_year(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01, counting years from March so that the leap day comes last. Source: Howard Hinnant,
/// chrono-compatible low-level date algorithms, `days_from_civil`.
const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]; same source, `civil_from_days`.
const fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month as u32, day as u32)
}

/// `2015-06-30`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        f.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads `2015-06-30`, `2015.6.30`, `2015/06/30`, `2015年6月30日` and `20150630`, full-width or not. The year
/// has four digits, and one separator is used throughout.
impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normal = normalise_text(text);
        let refused = || DateError::NotADate { text: normal.clone().into_owned() };
        let (year, month, day) = split_date(&normal).ok_or_else(refused)?;
        let number = |part: &str, lengths: [usize; 2]| {
            let valid = lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if valid { part.parse::<u32>().map_err(|_| refused()) } else { Err(refused()) }
        };
        Self::from_ymd(number(year, [4, 4])? as i32, number(month, [1, 2])?, number(day, [1, 2])?)
    }
}

fn split_date(text: &str) -> Option<(&str, &str, &str)> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((&text[..4], &text[4..6], &text[6..]));
    }
    if let Some((year, rest)) = text.split_once('年') {
        let (month, rest) = rest.split_once('月')?;
        let day = rest.strip_suffix(['日', '号'])?;
        return Some((year.trim(), month.trim(), day.trim()));
    }
    ['-', '.', '/'].into_iter().find_map(|separator| {
        let (year, rest) = text.split_once(separator)?;
        let (month, day) = rest.split_once(separator)?;
        Some((year, month, day))
    })
}
