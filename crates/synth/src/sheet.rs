//! Records as cells that an import understands.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use pack::program::{ColumnKind, Format, Program, Type};

/// How the records of an entity stand in a sheet.
pub struct Sheet {
    pub entity: String,
    /// The word by which an import knows the sheet.
    pub name: String,
    fields: Vec<SheetField>,
}

struct SheetField {
    /// Column of a snapshot's batch.
    column: usize,
    title: String,
    /// Decimals that are shown.
    decimals: usize,
    /// Labels by code, in order of codes.
    labels: Vec<(String, String)>,
}

pub enum Cell {
    Empty,
    Text(String),
    Number(String),
}

impl Sheet {
    /// `None` for an entity that no import recognises.
    pub fn of(program: &Program, entity: usize) -> Option<Self> {
        let declared = &program.entities[entity];
        let name = declared.sheet.first()?.clone();
        let first = 1 + program.edges.iter().filter(|edge| edge.child.index() == entity).count();
        let mut fields: Vec<SheetField> = Vec::new();
        for (position, id) in declared.fields.iter().enumerate() {
            let column = program.column(*id);
            if matches!(&column.kind, ColumnKind::Field(field) if field.derived.is_some()) {
                continue;
            }
            let percent = matches!(&column.kind, ColumnKind::Field(field) if field.format == Format::Percent);
            let decimals = match &column.ty {
                Type::Number(number) => usize::from(number.decimals),
                _ => 0,
            };
            let mut labels: Vec<(String, String)> = match &column.ty {
                Type::Code(list) => program.lists[list.index()]
                    .codes
                    .iter()
                    .map(|code| (code.code.clone(), code.label.zh.clone()))
                    .collect(),
                _ => Vec::new(),
            };
            labels.sort();
            // A label that another field has would be read as that one.
            let taken = fields.iter().any(|field| field.title == column.label.zh);
            let title = if taken { column.name.clone() } else { column.label.zh.clone() };
            let decimals = if percent { decimals.saturating_sub(2) } else { decimals };
            fields.push(SheetField { column: first + position, title, decimals, labels });
        }
        Some(Self { entity: declared.name.clone(), name, fields })
    }

    pub fn columns(&self) -> usize {
        self.fields.len()
    }

    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.title.as_str())
    }

    pub fn header(&self) -> Vec<u8> {
        let mut line = Vec::new();
        for (index, title) in self.titles().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            quoted(title, &mut line);
        }
        line.push(b'\n');
        line
    }

    /// The batch as lines of a csv file.
    pub fn lines(&self, batch: &RecordBatch) -> Vec<u8> {
        let mut lines = Vec::with_capacity(batch.num_rows() * self.fields.len() * 8);
        for row in 0..batch.num_rows() {
            for column in 0..self.fields.len() {
                if column > 0 {
                    lines.push(b',');
                }
                match self.cell(batch, row, column) {
                    Cell::Empty => {}
                    Cell::Text(text) => quoted(&text, &mut lines),
                    Cell::Number(text) => lines.extend_from_slice(text.as_bytes()),
                }
            }
            lines.push(b'\n');
        }
        lines
    }

    pub fn cell(&self, batch: &RecordBatch, row: usize, column: usize) -> Cell {
        let field = &self.fields[column];
        let array: &ArrayRef = batch.column(field.column);
        if array.is_null(row) {
            return Cell::Empty;
        }
        match array.data_type() {
            DataType::Boolean => {
                Cell::Text(if array.as_boolean().value(row) { "是" } else { "否" }.to_owned())
            }
            DataType::Int64 => {
                Cell::Number(decimal(array.as_primitive::<Int64Type>().value(row).into(), field.decimals))
            }
            DataType::Decimal128(..) => {
                Cell::Number(decimal(array.as_primitive::<Decimal128Type>().value(row), field.decimals))
            }
            DataType::Date32 => {
                let day = model::Date::from_days(array.as_primitive::<Date32Type>().value(row));
                day.map_or(Cell::Empty, |day| Cell::Text(day.to_string()))
            }
            DataType::Float64 => Cell::Number(array.as_primitive::<Float64Type>().value(row).to_string()),
            _ => {
                let text = array.as_string::<i32>().value(row);
                let label = field.labels.binary_search_by(|(code, _)| code.as_str().cmp(text));
                Cell::Text(label.map_or(text, |index| field.labels[index].1.as_str()).to_owned())
            }
        }
    }
}

/// `(-5, 2)` is `-0.05`.
fn decimal(value: i128, decimals: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals > 0 { "." } else { "" };
    format!("{}{whole}{point}{fraction}", if value < 0 { "-" } else { "" })
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_decimals() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(123_450, 2), "1234.50");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn separators_are_quoted() {
        let mut out = Vec::new();
        quoted("a,\"b\"", &mut out);
        assert_eq!(out, b"\"a,\"\"b\"\"\"");
    }
}
