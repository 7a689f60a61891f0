//! Sheets read into staged tables, one table for each entity of the import.

use model::{RefusalCode, Text};
use pack::program::EntityId;

use super::ImportError;
use super::cell::Cell;
use super::column::Column;
use super::fault::{RowFault, Severity};
use super::header::{Header, ROWS_ABOVE_MAX, Surroundings, is_aside, recognise};
use super::parse::{Parsed, parse};
use super::schema::{EntityPlan, Schema};
use super::source::{Flow, Source};

/// How a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Sound,
    /// It has a fault of its own that keeps it out.
    Refused,
    /// Another row has its key; it counts for nothing.
    Repeated,
    /// A record it belongs to was refused.
    Held,
}

/// One sheet's share of a table.
#[derive(Clone, Debug)]
pub struct Part {
    /// Position of the file among those of the import.
    pub file: usize,
    pub sheet: String,
    pub header: Header,
    /// First row of the table that came from it.
    pub base: usize,
    /// Rows that hold a record.
    pub read: usize,
    /// Blank rows aside: totals, notes, repeated headers.
    pub ignored: usize,
}

/// All rows of one entity in an import, column by column. Absent fields have no column.
#[derive(Debug)]
pub struct Table {
    pub entity: EntityId,
    pub parts: Vec<Part>,
    pub columns: Vec<Option<Column>>,
    /// Row numbers as a spreadsheet counts them.
    pub numbers: Vec<u32>,
    pub states: Vec<State>,
    pub faults: Vec<RowFault>,
}

impl Table {
    pub fn new(entity: &EntityPlan) -> Self {
        Self {
            entity: entity.id,
            parts: Vec::new(),
            columns: entity.fields.iter().map(|_| None).collect(),
            numbers: Vec::new(),
            states: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The sheet a row came from.
    pub fn part_of(&self, row: usize) -> usize {
        self.parts.partition_point(|part| part.base <= row).saturating_sub(1)
    }

    /// The text of a field, empty if unknown or absent.
    pub fn text(&self, field: usize, row: usize) -> &str {
        self.columns[field].as_ref().map_or("", |column| column.text(row))
    }

    /// Adds a fault and lets the row bear it.
    pub fn blame(&mut self, fault: RowFault) {
        let state = &mut self.states[fault.row as usize];
        if fault.severity == Severity::Refused && *state == State::Sound {
            *state = State::Refused;
        }
        self.faults.push(fault);
    }

    /// Adds another sheet's rows at the end.
    pub fn append(&mut self, entity: &EntityPlan, other: Self) {
        let base = self.len();
        for (field, column) in other.columns.into_iter().enumerate() {
            match (column, &mut self.columns[field]) {
                (Some(column), own @ None) if base == 0 => *own = Some(column),
                (Some(column), own) => {
                    let own = own.get_or_insert_with(|| Column::for_reader(&entity.fields[field].reader));
                    own.pad(base);
                    own.append(&column);
                }
                (None, Some(own)) => own.pad(base + other.numbers.len()),
                (None, None) => {}
            }
        }
        self.numbers.extend(other.numbers);
        self.states.extend(other.states);
        let shifted = |fault: RowFault| RowFault { row: fault.row + base as u32, ..fault };
        self.faults.extend(other.faults.into_iter().map(shifted));
        self.parts.extend(other.parts.into_iter().map(|part| Part { base: part.base + base, ..part }));
    }
}

/// Reads one sheet, which holds records of `target` if that is known. `None` if it holds nothing that the
/// pack records; `each` is told the rows read so far now and then, and says whether to go on.
pub fn stage_sheet(
    schema: &Schema<'_>,
    source: &Source,
    target: Option<EntityId>,
    file: usize,
    sheet: &str,
    each: &(dyn Fn(u64) -> bool + Sync),
) -> Result<Option<Table>, ImportError> {
    let mut reading = Reading {
        schema,
        file,
        name: &source.name,
        sheet,
        around: Surroundings::new(&source.stem(), sheet, target),
        above: 0,
        staged: None,
    };
    let mut count = 0;
    source.read(sheet, &mut |number, cells| {
        count += 1;
        if count % 4096 == 0 && !each(4096) {
            return Err(ImportError::Cancelled);
        }
        reading.row(number, cells)
    })?;
    each(count % 4096);
    Ok(reading.staged.map(|(_, table)| table))
}

struct Reading<'r, 'p> {
    schema: &'r Schema<'p>,
    file: usize,
    name: &'r str,
    sheet: &'r str,
    around: Surroundings,
    /// Filled rows seen before the header.
    above: usize,
    staged: Option<(Header, Table)>,
}

impl Reading<'_, '_> {
    fn row(&mut self, number: u32, cells: &[Cell<'_>]) -> Result<Flow, ImportError> {
        if cells.iter().all(Cell::is_blank) {
            return Ok(Flow::Continue);
        }
        let Some((header, table)) = &mut self.staged else { return self.above_header(number, cells) };
        let entity = self.schema.entity(header.entity);
        if is_aside(header, cells) {
            table.parts[0].ignored += 1;
            return Ok(Flow::Continue);
        }
        stage_row(entity, header, table, number, cells);
        Ok(Flow::Continue)
    }

    fn above_header(&mut self, number: u32, cells: &[Cell<'_>]) -> Result<Flow, ImportError> {
        let Some(header) = recognise(self.schema, &self.around, self.name, self.sheet, number, cells)? else {
            self.around.add(cells);
            self.above += 1;
            return Ok(if self.above > ROWS_ABOVE_MAX { Flow::Stop } else { Flow::Continue });
        };
        let entity = self.schema.entity(header.entity);
        let mut table = Table::new(entity);
        for (field, _) in header.columns.iter().flatten() {
            table.columns[*field] = Some(Column::for_reader(&entity.fields[*field].reader));
        }
        table.parts.push(Part {
            file: self.file,
            sheet: self.sheet.to_owned(),
            header: header.clone(),
            base: 0,
            read: 0,
            ignored: 0,
        });
        self.staged = Some((header, table));
        Ok(Flow::Continue)
    }
}

fn stage_row(entity: &EntityPlan, header: &Header, table: &mut Table, number: u32, cells: &[Cell<'_>]) {
    let row = table.numbers.len() as u32;
    table.numbers.push(number);
    table.states.push(State::Sound);
    table.parts[0].read += 1;
    for (index, place) in header.columns.iter().enumerate() {
        let Some((position, shift)) = place else { continue };
        let cell = cells.get(index).unwrap_or(&Cell::Empty);
        let field = &entity.fields[*position];
        let column = table.columns[*position].as_mut().expect("made with the header");
        match parse(field, *shift, cell) {
            Ok(Parsed::Unknown) => column.push_unknown(),
            Ok(Parsed::Integer(value)) => column.push_integer(value),
            Ok(Parsed::Text(text)) => column.push_text(&text),
            Err(refusal) => {
                column.push_unknown();
                table.blame(RowFault::unreadable(row, field, *position, cell, refusal));
            }
        }
    }
}

/// Fault of a row whose key another row has.
pub fn repeated_key(row: u32, entity: &EntityPlan, first: u32) -> RowFault {
    let code = RefusalCode::KeyRepeated;
    let label = &entity.fields[entity.key].label;
    RowFault {
        row,
        field: entity.key,
        code: code.as_str().to_owned(),
        severity: Severity::Refused,
        message: Text::new(
            format!("“{}”与第 {first} 行重复，同一编号只能有一行。请删除其中一行", label.zh),
            format!("the {} is that of row {first}; one key, one row: delete one of them", label.en),
        ),
        value: None,
        raw: String::new(),
    }
}
