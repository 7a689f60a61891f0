//! The working days of years: `[[calendar]]` with `year`, the days off on weekdays, and the weekends that are worked.

use std::collections::BTreeSet;

use model::Date;
use model::flow::WorkingCalendar;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::compiler::Compiler;
use crate::diagnostic::Diagnostic;
use crate::surface::Table;

/// One year as the state announces it. A pack that an overlay extends may have said it already; the later counts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    year: i32,
    /// Days off from Monday to Friday.
    #[serde(deserialize_with = "days")]
    holidays: BTreeSet<Date>,
    /// Saturdays and Sundays that are worked.
    #[serde(deserialize_with = "days")]
    working_weekends: BTreeSet<Date>,
    /// The document that announces it.
    #[expect(dead_code, reason = "for who reads the pack")]
    reference: String,
}

impl Compiler<'_> {
    /// Puts the years together. They are consecutive, so that a period never meets a gap that nobody sees.
    pub fn declare_calendars(&mut self, tables: &[Table<'_>]) {
        let mut years: Vec<Year> = Vec::new();
        for table in tables {
            let year: Year = match table.read() {
                Ok(year) => year,
                Err((span, reason)) => {
                    let message = format!("the calendar cannot be read: {reason}");
                    self.report(Diagnostic::new("wrong-type", span, message));
                    continue;
                }
            };
            let outside = year.holidays.iter().chain(&year.working_weekends);
            let outside = outside.filter(|day| day.year() != year.year).min();
            let wrong = year.holidays.iter().find(|day| is_weekend(**day));
            let wrong = wrong.or_else(|| year.working_weekends.iter().find(|day| !is_weekend(**day)));
            if let Some(day) = outside.or(wrong) {
                let message = format!("`{day}` has no place here");
                self.report(Diagnostic::new("calendar-day", table.span, message).hint(
                    "holidays are days from Monday to Friday, working weekends are not, all of the year",
                ));
            }
            years.retain(|known| known.year != year.year);
            years.push(year);
        }
        years.sort_by_key(|year| year.year);
        if let Some(pair) = years.windows(2).find(|pair| pair[1].year != pair[0].year + 1) {
            let message = format!("there is no calendar of {}", pair[0].year + 1);
            let place = tables.last().expect("two years are of two tables").span;
            self.report(Diagnostic::new("calendar-gap", place, message));
        }
        let (Some(first), Some(last)) = (years.first(), years.last()) else { return };
        let day = |year, month, day| Date::from_ymd(year, month, day).expect("every year has this day");
        self.program.calendar = Some(WorkingCalendar {
            first: day(first.year, 1, 1),
            last: day(last.year, 12, 31),
            holidays: years.iter().flat_map(|year| &year.holidays).copied().collect(),
            working_weekends: years.iter().flat_map(|year| &year.working_weekends).copied().collect(),
        });
    }
}

/// 1970-01-01 was a Thursday, so that Saturdays leave 2 and Sundays 3.
fn is_weekend(day: Date) -> bool {
    matches!(day.days().rem_euclid(7), 2 | 3)
}

/// Days as TOML writes them.
fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Date>, D::Error> {
    let written: Vec<toml::value::Datetime> = Vec::deserialize(deserializer)?;
    written.iter().map(|day| day.to_string().parse().map_err(D::Error::custom)).collect()
}
