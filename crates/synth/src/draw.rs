//! How a value is drawn.

use std::collections::HashMap;

use crate::random::{Stream, Weighted};
use crate::values::UNKNOWN;

/// A distribution, or a rule over other values. Numbers are scaled as the column. References are by
/// position among those of the column.
#[derive(Clone, Debug)]
pub enum Draw {
    Constant(i64),
    /// Both ends included.
    Uniform(i64, i64),
    /// Every order of magnitude alike.
    Magnitude {
        min: i64,
        max: i64,
    },
    LogNormal {
        ln_median: f64,
        sigma: f64,
    },
    Normal {
        mean: f64,
        deviation: f64,
    },
    Poisson {
        mean: f64,
        unit: i64,
    },
    Weights(Weighted<i64>),
    /// The day of birth of somebody whose completed years are within a band, ends included.
    Ages {
        bands: Weighted<(i64, i64)>,
        as_of: i64,
    },
    /// Completed years since a day.
    Age {
        of: usize,
        as_of: i64,
    },
    Copy(usize),
    /// Values less those with a false flag.
    Sum(Vec<(usize, bool)>),
    /// A part of another value.
    Share {
        of: usize,
        min: f64,
        max: f64,
    },
    /// Another value and something drawn.
    Plus {
        of: usize,
        more: Box<Draw>,
    },
    /// A day so many years after another, somewhere in the year.
    Years {
        of: usize,
        years: Box<Draw>,
    },
    /// The draw of the case that a reference is in; the last one is for all others.
    Choose {
        by: usize,
        draws: Vec<Draw>,
    },
    /// By place among siblings; one of the values at each, the last for all beyond.
    Sequence {
        position: usize,
        values: Vec<Vec<i64>>,
    },
    /// 1 where a text ends so.
    EndsWith {
        of: usize,
        end: String,
    },
    Shaped {
        draw: Box<Draw>,
        shape: Box<Shaping>,
    },
    Template(Vec<Piece>),
    CitizenNumber {
        division: usize,
        birth: usize,
        sex: usize,
    },
}

/// What is done to a drawn number.
#[derive(Clone, Debug, Default)]
pub struct Shaping {
    /// With a chance, one of these values instead.
    pub heaps: Vec<(f64, Vec<i64>)>,
    /// Multiplied by this reference, a plain number.
    pub times: Option<usize>,
    /// Rounded to a multiple.
    pub step: Option<i64>,
    pub min: Option<i64>,
    pub max: Option<i64>,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub enum Piece {
    Literal(String),
    /// So many random digits.
    Digits(usize),
    One(Weighted<String>),
    /// A value of the record or of one above.
    Reference(usize),
}

/// Values of the references of one column, by row.
pub trait Gathered {
    fn number(&self, reference: usize, row: usize) -> i64;
    fn text(&self, reference: usize, row: usize) -> &str;
}

const YEAR_DAYS: f64 = 365.2425;

impl Draw {
    /// The number of a row.
    pub fn number(&self, row: usize, other: &impl Gathered, stream: &mut Stream) -> i64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform(min, max) => stream.between(*min, *max),
            Self::Magnitude { min, max } => {
                let span = (*max - *min) as f64 + 1.0;
                (*min + ((stream.unit() * span.ln()).exp() - 1.0).floor() as i64).min(*max)
            }
            Self::LogNormal { ln_median, sigma } => {
                (ln_median + sigma * stream.normal()).exp().round() as i64
            }
            Self::Normal { mean, deviation } => (mean + deviation * stream.normal()).round() as i64,
            Self::Poisson { mean, unit } => stream.poisson(*mean) * unit,
            Self::Weights(weighted) => *weighted.pick(stream),
            Self::Ages { bands, as_of } => {
                let (from, to) = *bands.pick(stream);
                let youngest = as_of - (from as f64 * YEAR_DAYS).ceil() as i64;
                let oldest = as_of - ((to + 1) as f64 * YEAR_DAYS).floor() as i64 + 1;
                stream.between(oldest.min(youngest), youngest)
            }
            Self::Age { of, as_of } => match other.number(*of, row) {
                UNKNOWN => UNKNOWN,
                birth => completed_years(birth, *as_of),
            },
            Self::Copy(of) => other.number(*of, row),
            Self::Sum(parts) => sum(parts, row, other),
            Self::Share { of, min, max } => {
                let share = min + (max - min) * stream.unit();
                known(other.number(*of, row), |value| (value as f64 * share).round() as i64)
            }
            Self::Plus { of, more } => {
                let more = more.number(row, other, stream);
                known(other.number(*of, row), |value| known(more, |more| value + more))
            }
            Self::Years { of, years } => {
                let years = years.number(row, other, stream);
                let days = ((years as f64 + stream.unit()) * YEAR_DAYS) as i64;
                known(other.number(*of, row), |day| known(years, |_| day + days))
            }
            Self::Choose { by, draws } => {
                let last = draws.len() - 1;
                let case = usize::try_from(other.number(*by, row)).map_or(last, |case| case.min(last));
                draws[case].number(row, other, stream)
            }
            Self::Sequence { position, values } => {
                let place = usize::try_from(other.number(*position, row)).unwrap_or(0).min(values.len() - 1);
                values[place][stream.below(values[place].len() as u64) as usize]
            }
            Self::EndsWith { of, end } => match other.text(*of, row) {
                "" => UNKNOWN,
                text => text.ends_with(end.as_str()).into(),
            },
            Self::Shaped { draw, shape } => shape.apply(draw, row, other, stream),
            Self::Template(_) | Self::CitizenNumber { .. } => UNKNOWN,
        }
    }

    /// Appends the text of a row; `choices` are what numbers stand for.
    pub fn text(
        &self,
        row: usize,
        choices: &[String],
        other: &impl Gathered,
        stream: &mut Stream,
        citizens: &mut Citizens,
        out: &mut String,
    ) {
        match self {
            Self::Template(pieces) => pieces.iter().for_each(|piece| piece.write(row, other, stream, out)),
            Self::CitizenNumber { division, birth, sex } => {
                let (birth, sex) = (other.number(*birth, row), other.number(*sex, row));
                citizens.write(other.text(*division, row), birth, sex, stream, out);
            }
            Self::Copy(of) => out.push_str(other.text(*of, row)),
            Self::Choose { by, draws } => {
                let last = draws.len() - 1;
                let case = usize::try_from(other.number(*by, row)).map_or(last, |case| case.min(last));
                draws[case].text(row, choices, other, stream, citizens, out);
            }
            _ => {
                if let Ok(choice) = usize::try_from(self.number(row, other, stream)) {
                    out.push_str(&choices[choice]);
                }
            }
        }
    }
}

fn known(value: i64, then: impl FnOnce(i64) -> i64) -> i64 {
    if value == UNKNOWN { UNKNOWN } else { then(value) }
}

fn sum(parts: &[(usize, bool)], row: usize, other: &impl Gathered) -> i64 {
    parts.iter().fold(0, |sum, (of, add)| {
        known(sum, |sum| known(other.number(*of, row), |value| if *add { sum + value } else { sum - value }))
    })
}

/// Completed years between two days since 1970.
pub fn completed_years(birth: i64, as_of: i64) -> i64 {
    let day = |days: i64| i32::try_from(days).ok().and_then(model::Date::from_days);
    match (day(birth), day(as_of)) {
        (Some(birth), Some(as_of)) => birth.age_at(as_of).map_or(UNKNOWN, i64::from),
        _ => UNKNOWN,
    }
}

impl Shaping {
    fn apply(&self, draw: &Draw, row: usize, other: &impl Gathered, stream: &mut Stream) -> i64 {
        let mut value = draw.number(row, other, stream);
        let mut heaped = false;
        for (chance, values) in &self.heaps {
            if stream.chance(*chance) {
                value = values[stream.below(values.len() as u64) as usize];
                heaped = true;
            }
        }
        if value == UNKNOWN {
            return UNKNOWN;
        }
        if let Some(times) = self.times {
            let times = other.number(times, row);
            value = if times == UNKNOWN { UNKNOWN } else { value.saturating_mul(times) };
        }
        // A heap is exactly where it is.
        if let Some(step) = self.step.filter(|_| !heaped) {
            value = (value as f64 / step as f64).round() as i64 * step;
        }
        value.max(self.min.unwrap_or(i64::MIN)).min(self.max.unwrap_or(i64::MAX))
    }
}

impl Piece {
    fn write(&self, row: usize, other: &impl Gathered, stream: &mut Stream, out: &mut String) {
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Digits(count) => {
                for _ in 0..*count {
                    out.push(char::from(b'0' + stream.below(10) as u8));
                }
            }
            Self::One(texts) => out.push_str(texts.pick(stream)),
            Self::Reference(of) => match other.text(*of, row) {
                "" => match other.number(*of, row) {
                    UNKNOWN => {}
                    number => out.push_str(&number.to_string()),
                },
                text => out.push_str(text),
            },
        }
    }
}

/// Citizen numbers that a region has given out: no two are equal.
#[derive(Default)]
pub struct Citizens {
    given: HashMap<(i64, bool), (u16, u16)>,
}

/// Numbers of a day and sex.
const ORDERS: u16 = 500;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

impl Citizens {
    /// Appends a number, or nothing where something is unknown or a day has more births than numbers.
    /// `sex` is 1 for men. Source: GB 11643-1999.
    fn write(&mut self, division: &str, birth: i64, sex: i64, stream: &mut Stream, out: &mut String) {
        let start = stream.below(u64::from(ORDERS)) as u16;
        let day = i32::try_from(birth).ok().and_then(model::Date::from_days);
        let (Some(day), Some(division)) = (day, division.get(..6)) else { return };
        if sex == UNKNOWN {
            return;
        }
        let male = sex == 1;
        // The first number of a day is anywhere, the others follow it around.
        let (start, count) = self.given.entry((birth, male)).or_insert((start, 0));
        if *count == ORDERS {
            return;
        }
        let number = (*start + *count) % ORDERS * 2 + u16::from(male);
        *count += 1;
        let (year, month, day) = day.ymd();
        let body = format!("{division}{year:04}{month:02}{day:02}{number:03}");
        let sum: u32 = body.bytes().zip(WEIGHTS).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
        out.push_str(&body);
        out.push(char::from(b"10X98765432"[sum as usize % 11]));
    }
}
