//! Where a sheet's header is: in one row, or in two or three that stand over one another.
//!
//! A row is judged when the two after it are known. A row below a header belongs to it if its cells are words, if it
//! leaves the columns of keys to the row above, and if it makes more columns known; a row above may name a group of
//! columns, or their unit.

use super::ImportError;
use super::cell::Cell;
use super::header::{Header, ROWS_ABOVE_MAX, Surroundings, Titles, recognise, title};
use super::schema::{Schema, money_unit};
use super::source::Merge;

/// Rows that a header may have.
const ROWS_MAX: usize = 3;

type Row = (u32, Vec<Cell<'static>>);

/// The first rows of a sheet, until its header is found.
pub struct Head<'h, 'p> {
    pub schema: &'h Schema<'p>,
    pub around: Surroundings,
    pub file: &'h str,
    pub sheet: &'h str,
    pub merges: &'h [Merge],
    rows: Vec<Row>,
    /// Rows known to stand above the header.
    above: usize,
}

/// What the rows so far come to.
pub enum Found {
    NotYet,
    /// With the rows below it that were read to find it.
    Header(Header, Vec<Row>),
    /// There is none.
    Nothing,
}

impl<'h, 'p> Head<'h, 'p> {
    pub fn new(
        schema: &'h Schema<'p>,
        around: Surroundings,
        (file, sheet): (&'h str, &'h str),
        merges: &'h [Merge],
    ) -> Self {
        Self { schema, around, file, sheet, merges, rows: Vec::new(), above: 0 }
    }

    /// Takes the next filled row.
    pub fn offer(&mut self, number: u32, cells: &[Cell<'_>]) -> Result<Found, ImportError> {
        self.rows.push((number, cells.iter().cloned().map(Cell::into_owned).collect()));
        if self.rows.len() < self.above + ROWS_MAX { Ok(Found::NotYet) } else { self.judge() }
    }

    /// There are no more rows.
    pub fn end(&mut self) -> Result<Found, ImportError> {
        while self.above < self.rows.len() {
            match self.judge()? {
                Found::NotYet => {}
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing)
    }

    /// Judges the first row that is not known to stand above the header.
    fn judge(&mut self) -> Result<Found, ImportError> {
        let first = self.above;
        let mut best: Option<(usize, Header)> = None;
        let mut error = None;
        for count in 1..=ROWS_MAX.min(self.rows.len() - first) {
            let last = first + count - 1;
            if count > 1 && !self.may_continue(last, best.as_ref().map(|(_, header)| header)) {
                break;
            }
            let words = self.titles(first, last);
            let number = self.rows[last].0;
            match recognise(self.schema, &self.around, self.file, self.sheet, number, &words) {
                Ok(Some(header)) if self.is_better(&header, best.as_ref(), first, last) => {
                    best = Some((count, header));
                }
                Ok(_) => {}
                Err(problem) => error = error.or(Some(problem)),
            }
        }
        if let Some((count, header)) = best {
            let below = self.rows.split_off(first + count);
            return Ok(Found::Header(header, below));
        }
        if let Some(error) = error {
            return Err(error);
        }
        self.around.add(&self.rows[first].1);
        self.above += 1;
        Ok(if self.above > ROWS_ABOVE_MAX { Found::Nothing } else { Found::NotYet })
    }

    /// Whether a row can be the next of a header that has the rows before it.
    fn may_continue(&self, row: usize, so_far: Option<&Header>) -> bool {
        let (number, cells) = &self.rows[row];
        let filled = || cells.iter().filter(|cell| !cell.is_blank());
        if *number != self.rows[row - 1].0 + 1
            || filled().next().is_none()
            || !filled().all(|cell| matches!(cell, Cell::Text(_)))
        {
            return false;
        }
        let Some(header) = so_far else { return true };
        let entity = self.schema.entity(header.entity);
        let identifies = |field: usize| {
            entity.fields[field].required || entity.fields[field].names_record || field == entity.key
        };
        header.columns.iter().enumerate().all(|(column, field)| {
            let cell = cells.get(column).unwrap_or(&Cell::Empty);
            let same = || header.titles.get(column).is_some_and(|above| *above == title(cell));
            field.is_none_or(|(field, _)| !identifies(field)) || cell.is_blank() || same()
        })
    }

    fn is_better(&self, header: &Header, best: Option<&(usize, Header)>, first: usize, last: usize) -> bool {
        let Some((_, best)) = best else {
            // Of a title over a header the header alone is meant, so the first row must name a field itself.
            let named = |column: usize| {
                let filled = |row: usize| self.rows[row].1.get(column).is_some_and(|cell| !cell.is_blank());
                filled(first) && !(first + 1..=last).any(filled)
            };
            return first == last
                || header.columns.iter().enumerate().any(|(column, field)| field.is_some() && named(column));
        };
        header.entity == best.entity && (header.matched() > best.matched() || self.is_unit_row(last))
    }

    /// Whether a row only names the units of the columns.
    fn is_unit_row(&self, row: usize) -> bool {
        const UNITS: [&str; 13] =
            ["亩", "平方米", "㎡", "人", "户", "个", "月", "个月", "年", "公里", "%", "是/否", "年月日"];
        let words = self.rows[row].1.iter().filter(|cell| !cell.is_blank()).map(title);
        words
            .map(|word| word.trim_matches(['(', ')', '（', '）']).to_owned())
            .all(|word| UNITS.contains(&word.as_str()) || money_unit(&word).is_some())
    }

    /// The words over each column in some rows, and in the row above them.
    fn titles(&self, first: usize, last: usize) -> Titles {
        let adjacent = |row: usize| row > 0 && self.rows[row - 1].0 + 1 == self.rows[row].0;
        let top = if adjacent(first) { first - 1 } else { first };
        let width = (first..=last).map(|row| self.rows[row].1.len()).max().unwrap_or(0);
        let mut levels: Vec<Vec<String>> = vec![Vec::new(); width];
        for row in top..=last {
            let words = if row == last { self.words(row, width) } else { self.spread(row, last, width) };
            for (column, word) in words.into_iter().enumerate() {
                let is_unit = row == last && row > first && self.is_unit_row(row);
                if word.is_empty() || levels[column].last() == Some(&word) {
                    continue;
                }
                // A unit stands above the name that it belongs to, so that the name stays the lowest.
                let place =
                    if is_unit { levels[column].len().saturating_sub(1) } else { levels[column].len() };
                levels[column].insert(place, word);
            }
        }
        // Words of the row above are no name where the rows themselves have none.
        for (column, words) in levels.iter_mut().enumerate() {
            let own = |row: usize| self.rows[row].1.get(column).is_some_and(|cell| !cell.is_blank());
            if !(first..=last).any(own) {
                words.clear();
            }
        }
        Titles { levels }
    }

    fn words(&self, row: usize, width: usize) -> Vec<String> {
        (0..width).map(|column| self.rows[row].1.get(column).map(title).unwrap_or_default()).collect()
    }

    /// The words of a row that stands over others, each over all columns that it is meant for.
    fn spread(&self, row: usize, last: usize, width: usize) -> Vec<String> {
        let number = self.rows[row].0;
        let mut words = self.words(row, width);
        let merged: Vec<&Merge> = self.merges.iter().filter(|merge| merge.top == number).collect();
        for merge in &merged {
            let Some(word) = words.get(merge.left).cloned() else { continue };
            for covered in words.iter_mut().take(merge.right + 1).skip(merge.left + 1) {
                covered.clone_from(&word);
            }
        }
        if merged.is_empty() {
            // Nothing is merged here: a word stands for the blank cells on its right that have words below.
            let below = |column: usize| {
                (row + 1..=last).any(|row| self.rows[row].1.get(column).is_some_and(|cell| !cell.is_blank()))
            };
            for column in 1..width {
                if words[column].is_empty() && below(column) {
                    let (before, after) = words.split_at_mut(column);
                    after[0].clone_from(&before[column - 1]);
                }
            }
        }
        words
    }
}
