//! Rows and columns while they are made: those made whole, or those of one region.

use std::borrow::Cow;

use crate::divisions::Divisions;
use crate::draw::Gathered;
use crate::plan::{Drawing, Plan};
use crate::reference::{Hop, Reference, Target, Usage};
use crate::values::{UNKNOWN, Values};

/// A row that there is not.
pub const NO_ROW: i32 = -1;

/// Rows of one entity.
#[derive(Default)]
pub struct Table {
    pub rows: usize,
    /// Row of the tree parent. Empty without one.
    pub parents: Vec<i32>,
    /// By position of the reference.
    pub refs: Vec<Vec<i32>>,
    pub columns: Vec<Option<Values>>,
    /// Values that are not recorded, where there are some.
    pub missing: Vec<Option<Vec<bool>>>,
}

/// The tables of a scope. Rows of entities made whole are numbered as in the end; those of a region from 0.
pub struct World<'w, 'p> {
    pub plan: &'w Plan<'p>,
    pub divisions: &'w Divisions,
    /// What was made whole, seen from a region.
    pub base: Option<&'w World<'w, 'p>>,
    /// The region's row in its entity, and the name of its streams.
    pub region: Option<usize>,
    pub name: String,
    pub seed: u64,
    /// Records that the entity of the size gets in this scope.
    pub wanted: u64,
    pub tables: Vec<Option<Table>>,
}

impl Table {
    pub fn new(plan: &Plan<'_>, entity: usize, rows: usize, parents: Vec<i32>) -> Self {
        let shape = &plan.shape.entities[entity];
        Self {
            rows,
            parents,
            refs: vec![Vec::new(); shape.refs.len()],
            columns: shape.columns.iter().map(|_| None).collect(),
            missing: shape.columns.iter().map(|_| None).collect(),
        }
    }
}

impl World<'_, '_> {
    pub fn table(&self, entity: usize) -> Option<&Table> {
        self.tables[entity].as_ref().or_else(|| self.base.and_then(|base| base.table(entity)))
    }

    pub fn rows(&self, entity: usize) -> usize {
        self.table(entity).map_or(0, |table| table.rows)
    }

    /// The rows of a parent whose children are made in this scope.
    pub fn parent_rows(&self, parent: usize) -> std::ops::Range<usize> {
        match self.region {
            Some(row) if Some(parent) == self.plan.shape.region => row..row + 1,
            _ => 0..self.rows(parent),
        }
    }

    /// Rows of an entity that can be referred to from this scope.
    pub fn rows_in_reach(&self, entity: usize) -> std::ops::Range<usize> {
        0..self.rows(entity)
    }

    /// The divisions of a level that are in this scope.
    pub fn division_range(&self, entity: usize) -> std::ops::Range<usize> {
        let all = &self.divisions.0[entity];
        let shape = &self.plan.shape.entities[entity];
        let (Some(region), Some(edge), false) = (self.region, &shape.tree, shape.whole) else {
            return 0..all.len();
        };
        let above = if Some(edge.parent) == self.plan.shape.region {
            region..region + 1
        } else {
            self.division_range(edge.parent)
        };
        // Rows are sorted by parent.
        let from =
            |parent: usize| all.partition_point(|row| row.parent.is_some_and(|own| (own as usize) < parent));
        from(above.start)..from(above.end)
    }

    /// Rows reached along edges, from a range of rows.
    pub fn along(&self, entity: usize, rows: std::ops::Range<usize>, hops: &[Hop]) -> Vec<i32> {
        let mut found: Vec<i32> = rows.map(|row| row as i32).collect();
        let mut at = entity;
        for hop in hops {
            let shape = &self.plan.shape.entities[at];
            let table = self.table(at);
            let (next, parent) = match hop {
                Hop::Tree => (table.map(|table| &table.parents), shape.tree.as_ref().map(|edge| edge.parent)),
                Hop::Ref(index) => (table.map(|table| &table.refs[*index]), Some(shape.refs[*index].parent)),
            };
            for row in &mut found {
                let reached = usize::try_from(*row).ok().and_then(|row| next?.get(row).copied());
                *row = reached.unwrap_or(NO_ROW);
            }
            at = parent.unwrap_or(at);
        }
        found
    }

    /// First row of each parent's children, and the number of children at the end.
    pub fn starts(&self, parent: usize, child: usize) -> Vec<u32> {
        let rows = self.rows(parent);
        let mut starts = Vec::with_capacity(rows + 1);
        if let Some(table) = self.table(child) {
            for (row, above) in table.parents.iter().enumerate() {
                while starts.len() <= *above as usize && *above >= 0 {
                    starts.push(row as u32);
                }
            }
        }
        starts.resize(rows + 1, self.rows(child) as u32);
        starts
    }

    /// The first sibling of each row.
    pub fn first_siblings(&self, entity: usize) -> Vec<u32> {
        let Some(table) = self.table(entity) else { return Vec::new() };
        let mut first = 0;
        let mut firsts = Vec::with_capacity(table.rows);
        for row in 0..table.rows {
            if row > 0 && table.parents.get(row) != table.parents.get(row - 1) {
                first = row;
            }
            firsts.push(first as u32);
        }
        firsts
    }

    /// What the references of a drawing are, for a range of rows.
    pub fn gather(&self, entity: usize, rows: std::ops::Range<usize>, drawing: &Drawing) -> Others<'_> {
        let each = |reference: &Reference| self.reference(entity, rows.clone(), reference);
        Others(drawing.references.iter().map(each).collect())
    }

    fn reference(&self, entity: usize, rows: std::ops::Range<usize>, reference: &Reference) -> Other<'_> {
        match &reference.target {
            Target::Up { hops, entity: target, column } => {
                let all = hops.is_empty() && rows == (0..self.rows(entity));
                let found = (!all).then(|| self.along(entity, rows, hops));
                self.usage(*target, *column, found, &reference.usage)
            }
            Target::First { column } => {
                let firsts = self.first_siblings(entity)[rows].iter().map(|row| *row as i32).collect();
                self.usage(entity, *column, Some(firsts), &reference.usage)
            }
            Target::Position => {
                let firsts = self.first_siblings(entity);
                numbers(rows.map(|row| row as i64 - i64::from(firsts[row])).collect(), &reference.usage)
            }
            Target::Siblings => {
                let mut counts = vec![0_i64; self.rows(entity)];
                let firsts = self.first_siblings(entity);
                for first in &firsts {
                    counts[*first as usize] += 1;
                }
                numbers(rows.map(|row| counts[firsts[row] as usize]).collect(), &reference.usage)
            }
            Target::Count { child, among } => {
                let starts = self.starts(entity, *child);
                let counts = match among {
                    None => rows.map(|row| i64::from(starts[row + 1] - starts[row])).collect(),
                    Some((column, values)) => {
                        let cases = self.usage(*child, *column, None, &Usage::Cases(values.clone()));
                        let hits = |row: usize| {
                            let children = starts[row] as usize..starts[row + 1] as usize;
                            children.filter(|child| cases.number(*child) != UNKNOWN).count() as i64
                        };
                        rows.map(hits).collect()
                    }
                };
                numbers(counts, &reference.usage)
            }
            Target::Sum { child, column } => {
                let starts = self.starts(entity, *child);
                let parts = self.usage(*child, *column, None, &Usage::Number);
                let sum = |row: usize| {
                    let children = starts[row] as usize..starts[row + 1] as usize;
                    children.map(|child| parts.number(child)).filter(|part| *part != UNKNOWN).sum()
                };
                numbers(rows.map(sum).collect(), &reference.usage)
            }
            Target::FirstChild { child, column } => {
                let starts = self.starts(entity, *child);
                let first = |row: usize| {
                    if starts[row] < starts[row + 1] { starts[row] as i32 } else { NO_ROW }
                };
                let found = rows.map(first).collect();
                self.usage(*child, *column, Some(found), &reference.usage)
            }
        }
    }

    /// The values of a column at some rows, as they are used.
    fn usage(&self, entity: usize, column: usize, rows: Option<Vec<i32>>, usage: &Usage) -> Other<'_> {
        let Some(values) = self.table(entity).and_then(|table| table.columns[column].as_ref()) else {
            return match rows {
                // Divisions whose rows are made later are known by their codes.
                Some(rows) if !self.divisions.0[entity].is_empty() => {
                    Other::Codes(&self.divisions.0[entity], rows)
                }
                _ => Other::Unknown,
            };
        };
        let at = |of: &dyn Fn(usize) -> i64| -> Vec<i64> {
            match &rows {
                None => (0..self.rows(entity)).map(of).collect(),
                Some(rows) => rows.iter().map(|row| usize::try_from(*row).map_or(UNKNOWN, of)).collect(),
            }
        };
        let decimals = self.plan.shape.entities[entity].columns[column].decimals();
        match (usage, values) {
            (Usage::Text, _) => Other::Texts(values, rows),
            (Usage::Number, Values::Number(numbers) | Values::Choice(numbers, _)) => match rows {
                None => Other::Numbers(Cow::Borrowed(numbers)),
                Some(_) => Other::Numbers(Cow::Owned(at(&|row| numbers[row]))),
            },
            (Usage::Number, Values::Text(_)) => Other::Unknown,
            (Usage::Bands(bounds), _) => {
                Other::Numbers(Cow::Owned(at(&|row| band(bounds, values.number(row)))))
            }
            (Usage::Cases(cases), Values::Choice(numbers, choices)) => {
                let case: Vec<i64> = choices.iter().map(|choice| case(cases, choice)).collect();
                let of = |row: usize| usize::try_from(numbers[row]).map_or(UNKNOWN, |choice| case[choice]);
                Other::Numbers(Cow::Owned(at(&of)))
            }
            (Usage::Cases(cases), Values::Number(numbers)) => {
                let cases: Vec<i64> = cases.iter().map(|case| as_number(case, decimals)).collect();
                let of = |row: usize| {
                    let found = cases.iter().position(|case| *case == numbers[row] && *case != UNKNOWN);
                    found.map_or(UNKNOWN, |case| case as i64)
                };
                Other::Numbers(Cow::Owned(at(&of)))
            }
            (Usage::Cases(cases), Values::Text(texts)) => {
                Other::Numbers(Cow::Owned(at(&|row| case(cases, texts.get(row)))))
            }
        }
    }
}

fn case(cases: &[String], text: &str) -> i64 {
    cases.iter().position(|case| case == text).map_or(UNKNOWN, |case| case as i64)
}

/// A case as the column stores it: yes and no are 1 and 0.
fn as_number(text: &str, decimals: u8) -> i64 {
    match text {
        "true" => 1,
        "false" => 0,
        _ => text
            .parse::<f64>()
            .map_or(UNKNOWN, |number| (number * 10_f64.powi(decimals.into())).round() as i64),
    }
}

fn band(bounds: &[i64], value: i64) -> i64 {
    if value == UNKNOWN {
        return UNKNOWN;
    }
    bounds.iter().position(|bound| value < *bound).map_or(UNKNOWN, |band| band as i64)
}

fn numbers<'w>(values: Vec<i64>, usage: &Usage) -> Other<'w> {
    let used = match usage {
        Usage::Number | Usage::Text => values,
        Usage::Bands(bounds) => values.iter().map(|value| band(bounds, *value)).collect(),
        Usage::Cases(cases) => {
            let cases: Vec<i64> = cases.iter().map(|case| as_number(case, 0)).collect();
            let find =
                |value: &i64| cases.iter().position(|case| case == value).map_or(UNKNOWN, |case| case as i64);
            values.iter().map(find).collect()
        }
    };
    Other::Numbers(Cow::Owned(used))
}

/// One reference, by row of the range it was gathered for.
pub enum Other<'w> {
    Numbers(Cow<'w, [i64]>),
    Texts(&'w Values, Option<Vec<i32>>),
    Codes(&'w [crate::divisions::Row], Vec<i32>),
    Unknown,
}

impl Other<'_> {
    fn number(&self, row: usize) -> i64 {
        match self {
            Self::Numbers(numbers) => numbers[row],
            Self::Texts(values, rows) => at(rows.as_deref(), row).map_or(UNKNOWN, |row| values.number(row)),
            Self::Codes(..) | Self::Unknown => UNKNOWN,
        }
    }

    fn text(&self, row: usize) -> &str {
        match self {
            Self::Texts(values, rows) => at(rows.as_deref(), row).map_or("", |row| values.text(row)),
            Self::Codes(divisions, rows) => {
                usize::try_from(rows[row]).map_or("", |row| divisions[row].code.as_str())
            }
            Self::Numbers(_) | Self::Unknown => "",
        }
    }
}

fn at(rows: Option<&[i32]>, row: usize) -> Option<usize> {
    rows.map_or(Some(row), |rows| usize::try_from(rows[row]).ok())
}

/// The references of one column.
pub struct Others<'w>(Vec<Other<'w>>);

impl Others<'_> {
    /// No references at all.
    pub fn none() -> Self {
        Self(Vec::new())
    }
}

impl Gathered for Others<'_> {
    fn number(&self, reference: usize, row: usize) -> i64 {
        self.0[reference].number(row)
    }

    fn text(&self, reference: usize, row: usize) -> &str {
        self.0[reference].text(row)
    }
}
