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
                    self.report(Diagnostic::new("wrong-type", span, message).hint(
                        "a calendar has `year = 2015`, `reference`, and the days `holidays` and `working_weekends`",
                    ));
                    continue;
                }
            };
            if Date::from_ymd(year.year, 12, 31).is_err() {
                let message = format!("there is no year {}", year.year);
                self.report(
                    Diagnostic::new("calendar-day", table.span_of("year"), message)
                        .hint("write a year from 1 to 9999"),
                );
                continue;
            }
            self.check_days_of_year(table, &year);
            years.retain(|known| known.year != year.year);
            years.push(year);
        }
        years.sort_by_key(|year| year.year);
        if let Some(pair) = years.windows(2).find(|pair| pair[1].year != pair[0].year + 1) {
            let missing = pair[0].year + 1;
            let after = tables.iter().find(|table| table.integer("year") == Some(i64::from(pair[1].year)));
            let place = after.or(tables.last()).expect("two years are of two tables").span_of("year");
            let message =
                format!("there is no calendar of {missing}, between {} and {}", pair[0].year, pair[1].year);
            self.report(
                Diagnostic::new("calendar-gap", place, message).hint(format!(
                    "add `[[calendar]]` with `year = {missing}`: the years follow one another"
                )),
            );
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

    /// Days off are weekdays of the year and days worked in exchange are not: anything else is a slip that would
    /// move every deadline behind it.
    fn check_days_of_year(&self, table: &Table<'_>, year: &Year) {
        let lists = [
            ("holidays", &year.holidays, true, "days off from Monday to Friday"),
            ("working_weekends", &year.working_weekends, false, "Saturdays and Sundays that are worked"),
        ];
        for (key, days, weekdays, what) in lists {
            let fits = |day: &&Date| day.year() == year.year && is_weekend(**day) != weekdays;
            if let Some(day) = days.iter().find(|day| !fits(day)) {
                let kind = if is_weekend(*day) { "at a weekend" } else { "from Monday to Friday" };
                let message = format!("`{day}` has no place among the `{key}` of {}", year.year);
                self.report(
                    Diagnostic::new("calendar-day", table.span_of(key), message)
                        .label(format!("the day is {kind}, in {}", day.year()))
                        .hint(format!(
                            "`{key}` are {what}, in {}; a weekend is off unless it is worked",
                            year.year
                        )),
                );
            }
        }
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
