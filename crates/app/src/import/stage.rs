//! Sheets read into staged tables, one table for each entity of the import.

use model::{Refusal, RefusalCode, Text};
use pack::program::EntityId;

use super::ImportError;
use super::cell::Cell;
use super::column::Column;
use super::fault::{RowFault, Severity};
use super::head::{Found, Head};
use super::header::{Header, Surroundings, is_aside};
use super::merged::{Merged, MergedRow};
use super::parse::{Parsed, parse};
use super::schema::{EntityPlan, FieldPlan, Reader, Schema};
use super::source::{Flow, Source};

/// A row of a staged table.
pub type Place = (EntityId, u32);

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

    /// A row as a person finds it: with its sheet unless `beside` is of the same one.
    pub fn place(&self, row: usize, beside: usize, sources: &[Source]) -> Text {
        let (part, other) = (&self.parts[self.part_of(row)], &self.parts[self.part_of(beside)]);
        let number = self.numbers[row];
        let source = &sources[part.file];
        match (part.file == other.file, part.sheet == other.sheet) {
            (true, true) => Text::new(format!("第 {number} 行"), format!("row {number}")),
            (true, false) => {
                let sheet = &part.sheet;
                Text::new(format!("“{sheet}”第 {number} 行"), format!("row {number} of `{sheet}`"))
            }
            (false, _) => source.place(&part.sheet, number),
        }
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
    let around = Surroundings::new(&source.stem(), sheet, target);
    let merges = source.merges(sheet);
    let mut reading = Reading {
        schema,
        file,
        sheet,
        head: Head::new(schema, around, (&source.name, sheet), merges),
        merged: Merged::new(merges),
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
    reading.end()?;
    Ok(reading.staged.map(|(_, table)| table))
}

struct Reading<'r, 'p> {
    schema: &'r Schema<'p>,
    file: usize,
    sheet: &'r str,
    head: Head<'r, 'p>,
    merged: Merged<'r>,
    staged: Option<(Header, Table)>,
}

impl Reading<'_, '_> {
    fn row(&mut self, number: u32, cells: &[Cell<'_>]) -> Result<Flow, ImportError> {
        if cells.iter().all(Cell::is_blank) {
            return Ok(Flow::Continue);
        }
        if self.staged.is_some() {
            self.record(number, cells);
            return Ok(Flow::Continue);
        }
        let found = self.head.offer(number, cells)?;
        Ok(self.settle(found))
    }

    /// A sheet may end before its header could be told from what stands below.
    fn end(&mut self) -> Result<(), ImportError> {
        if self.staged.is_none() {
            let found = self.head.end()?;
            self.settle(found);
        }
        Ok(())
    }

    fn settle(&mut self, found: Found) -> Flow {
        match found {
            Found::NotYet => Flow::Continue,
            Found::Nothing => Flow::Stop,
            Found::Header(header, below) => {
                self.begin(header);
                for (number, cells) in below {
                    self.record(number, &cells);
                }
                Flow::Continue
            }
        }
    }

    fn begin(&mut self, header: Header) {
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
        self.merged.below(header.row);
        self.staged = Some((header, table));
    }

    fn record(&mut self, number: u32, cells: &[Cell<'_>]) {
        let Some((header, table)) = &mut self.staged else { return };
        if is_aside(header, cells) {
            table.parts[0].ignored += 1;
            return;
        }
        let merged = self.merged.row(number, cells);
        stage_row(self.schema, header, table, number, (cells, &merged));
    }
}

fn stage_row(
    schema: &Schema<'_>,
    header: &Header,
    table: &mut Table,
    number: u32,
    (cells, merged): (&[Cell<'_>], &MergedRow<'_>),
) {
    let entity = schema.entity(header.entity);
    let row = table.numbers.len() as u32;
    table.numbers.push(number);
    table.states.push(State::Sound);
    table.parts[0].read += 1;
    for (index, place) in header.columns.iter().enumerate() {
        let Some((position, shift)) = place else { continue };
        let field = &entity.fields[*position];
        let mut cell = cells.get(index).unwrap_or(&Cell::Empty);
        if !merged.is_empty()
            && let Some((above, first)) = merged.over(index).filter(|_| cell.is_blank())
        {
            if matches!(field.reader, Reader::Number { .. }) {
                // One amount for several records: whose it is, only the office knows.
                let column = table.columns[*position].as_mut().expect("made with the header");
                column.push_unknown();
                table.blame(RowFault::shared(row, field, *position, first));
                continue;
            }
            cell = above;
        }
        let column = table.columns[*position].as_mut().expect("made with the header");
        match read_cell(schema, field, *shift, cell) {
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

/// Reads a cell; a mark for nothing is as good as an empty one, unless it means something in the field.
fn read_cell<'c>(
    schema: &Schema<'_>,
    field: &FieldPlan,
    shift: i8,
    cell: &'c Cell<'_>,
) -> Result<Parsed<'c>, Refusal> {
    let is_mark = || matches!(cell, Cell::Text(text) if schema.is_blank_mark(text));
    if matches!(field.reader, Reader::Text) && is_mark() {
        return parse(field, shift, &Cell::Empty);
    }
    match parse(field, shift, cell) {
        Err(_) if is_mark() => parse(field, shift, &Cell::Empty),
        read => read,
    }
}

/// Fault of a row whose key another row has, which is named as it is found.
pub fn repeated_key(row: u32, entity: &EntityPlan, first: &Text) -> RowFault {
    let code = RefusalCode::KeyRepeated;
    let label = &entity.fields[entity.key].label;
    RowFault {
        row,
        field: entity.key,
        code: code.as_str().to_owned(),
        severity: Severity::Refused,
        message: Text::new(
            format!("“{}”与{}重复，同一编号只能有一行。请删除其中一行", label.zh, first.zh),
            format!("the {} is that of {}; one key, one row: delete one of them", label.en, first.en),
        ),
        value: None,
        raw: String::new(),
        taken: true,
    }
}
