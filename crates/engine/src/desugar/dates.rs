//! Ages, months and dates from parts, in arithmetic on year, month and day.

use pack::program::{Comparison, DatePart, Expr, ExprKind, Range};

use super::context::Context;
use crate::EngineError;
use crate::scalar::{self, Scalar};

/// More days than the calendar has.
const DAYS_MAX: i128 = 3_652_059;

/// Months since the year 0 of the first month that is beyond the calendar.
const MONTHS_END: i128 = 120_000;

impl Context<'_> {
    pub fn dates(&mut self, expr: &Expr) -> Result<Scalar, EngineError> {
        Ok(match &expr.kind {
            ExprKind::DatePart { part, a } => scalar::date_part(*part, self.expression(a)?),
            ExprKind::DaysBetween { from, to } => {
                scalar::days_between(self.expression(from)?, self.expression(to)?)
            }
            ExprKind::AddDays { a, days } => {
                let (a, days) = (self.expression(a)?, self.expression(days)?);
                self.add_days(a, days)
            }
            ExprKind::AddMonths { a, months } => {
                let (a, months) = (self.expression(a)?, self.expression(months)?);
                self.add_months(a, months)
            }
            ExprKind::MakeDate { year, month, day } => {
                let (year, month) = (self.expression(year)?, self.expression(month)?);
                let day = self.expression(day)?;
                self.checked_date(year, month, day)
            }
            ExprKind::Age { birth, at } => {
                let (birth, at) = (self.expression(birth)?, self.expression(at)?);
                self.age(birth, at)
            }
            _ => return Err(self.unsound("a date expression has no primitive form")),
        })
    }

    /// Unknown where the number of days is beyond any calendar.
    fn add_days(&mut self, a: Scalar, days: Scalar) -> Scalar {
        let bounds = days.bounds();
        if bounds.min >= -DAYS_MAX && bounds.max <= DAYS_MAX {
            return scalar::add_days(a, days);
        }
        let days = self.repeated(days);
        let sane = within(&days, -DAYS_MAX, DAYS_MAX);
        scalar::case(vec![(sane, scalar::add_days(a, days))], None)
    }

    /// Years less one before the birthday. Who was born on 29 February has it on 1 March of other years.
    fn age(&mut self, birth: Scalar, at: Scalar) -> Scalar {
        let (birth, at) = (self.repeated(birth), self.repeated(at));
        let years = scalar::subtract(
            scalar::date_part(DatePart::Year, at.clone()),
            scalar::date_part(DatePart::Year, birth.clone()),
        );
        let waiting = scalar::less(day_of_year(at), day_of_year(birth));
        scalar::subtract(years, scalar::case(vec![(waiting, scalar::number(1))], Some(scalar::number(0))))
    }

    /// Unknown outside the years 1 to 9999.
    fn add_months(&mut self, a: Scalar, months: Scalar) -> Scalar {
        let a = self.repeated(a);
        let year = scalar::multiply(scalar::date_part(DatePart::Year, a.clone()), scalar::number(12));
        let month = scalar::date_part(DatePart::Month, a.clone());
        let months = scalar::subtract(months, scalar::number(1));
        let count = scalar::add(scalar::add(year, month), months);
        let count = self.atom(count);
        let year = self.atom(scalar::quotient(count.clone(), scalar::number(12)));
        let month = scalar::add(scalar::remainder(count.clone(), scalar::number(12)), scalar::number(1));
        let month = scalar::fit(month, Range { min: 1, max: 12 });
        let month = self.atom(month);
        let last = last_day(&year, &month);
        let last = self.atom(last);
        let day = self.atom(scalar::date_part(DatePart::Day, a));
        let shorter = scalar::greater(day.clone(), last.clone());
        let day = scalar::case(vec![(shorter, last)], Some(day));
        let made = scalar::make_date(year, month, day);
        scalar::case(vec![(within(&count, 12, MONTHS_END - 1), made)], None)
    }

    /// Unknown where the parts make no date.
    fn checked_date(&mut self, year: Scalar, month: Scalar, day: Scalar) -> Scalar {
        let (year, month, day) = (self.repeated(year), self.repeated(month), self.repeated(day));
        let mut valid = vec![within(&year, 1, 9999), within(&month, 1, 12), within(&day, 1, 31)];
        if day.bounds().max > 28 {
            let last = last_day(&year, &month);
            valid.push(scalar::compare(Comparison::LessOrEqual, day.clone(), last));
        }
        let made = scalar::make_date(year, month, day);
        scalar::case(vec![(scalar::and(valid), made)], None)
    }
}

/// Whether a number lies between two bounds; conditions that its own bounds prove are left out.
fn within(number: &Scalar, min: i128, max: i128) -> Scalar {
    let bounds = number.bounds();
    let mut conditions = vec![];
    if bounds.min < min {
        conditions.push(scalar::at_least(number.clone(), scalar::number(min)));
    }
    if bounds.max > max {
        conditions.push(scalar::compare(Comparison::LessOrEqual, number.clone(), scalar::number(max)));
    }
    scalar::and(conditions)
}

/// Month and day as one number, in the order of the year.
fn day_of_year(date: Scalar) -> Scalar {
    let month = scalar::date_part(DatePart::Month, date.clone());
    scalar::add(scalar::multiply(month, scalar::number(100)), scalar::date_part(DatePart::Day, date))
}

/// The last day of a month.
fn last_day(year: &Scalar, month: &Scalar) -> Scalar {
    let divides = |by: i128| {
        let rest = scalar::remainder(year.clone(), scalar::number(by));
        scalar::compare(Comparison::Equal, rest, scalar::number(0))
    };
    let leap = scalar::and(vec![divides(4), scalar::or(vec![scalar::not(divides(100)), divides(400)])]);
    let february = scalar::compare(Comparison::Equal, month.clone(), scalar::number(2));
    let short = scalar::is_in(month.clone(), [4, 6, 9, 11].map(scalar::number).to_vec());
    scalar::case(
        vec![
            (short, scalar::number(30)),
            (scalar::and(vec![february.clone(), leap]), scalar::number(29)),
            (february, scalar::number(28)),
        ],
        Some(scalar::number(31)),
    )
}
