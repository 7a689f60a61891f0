//! Free SQL over a run, printed for people or programs.

use std::path::Path;

use app::Viewer;
use app::cells::cell;
use app::masks::masks;
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches;
use model::AsProblem as _;
use pack::program::Value;
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::SessionError;
use crate::session::query_masked;

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Table,
    /// With a header; unknown is empty.
    Csv,
    /// One object a line; numbers as the run stores them, scaled.
    Json,
}

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum QueryError {
    #[error(transparent)]
    Session(#[from] SessionError),
    Print(#[from] ArrowError),
    Csv(#[from] csv::Error),
}

/// An answer as printed.
#[derive(Clone, Debug)]
pub struct Answer {
    pub text: String,
    /// Columns of the answer that are called like personal ones, and are masked unless the viewer sees them.
    pub personal: Vec<String>,
}

/// Answers a query for a viewer. What the viewer does not see is masked, also from the query itself.
pub fn answer(viewer: &Viewer<'_>, run: &Path, sql: &str, format: Format) -> Result<Answer, QueryError> {
    let batches = query_masked(run, sql, &masks(viewer))?;
    let masks = masks(&Viewer::masked(viewer.program()));
    let fields = batches.first().map(|batch| batch.schema().fields().clone()).unwrap_or_default();
    let is_personal = |name: &String| masks.values().any(|columns| columns.contains_key(name));
    let personal = fields.iter().map(|field| field.name().clone()).filter(is_personal).collect();
    Ok(Answer { text: print(&batches, format)?, personal })
}

fn print(batches: &[RecordBatch], format: Format) -> Result<String, QueryError> {
    match format {
        Format::Table => Ok(pretty_format_batches(batches)?.to_string()),
        Format::Csv => csv_text(batches),
        Format::Json => Ok(json_lines(batches)),
    }
}

fn csv_text(batches: &[RecordBatch]) -> Result<String, QueryError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(first) = batches.first() {
        writer.write_record(first.schema().fields().iter().map(|field| field.name()))?;
    }
    let options = FormatOptions::default();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|array| ArrayFormatter::try_new(array, &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            writer.write_record(columns.iter().map(|column| column.value(row).to_string()))?;
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn json_lines(batches: &[RecordBatch]) -> String {
    let mut text = String::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                object.insert(field.name().clone(), json(cell(array, row)));
            }
            text.push_str(&Json::Object(object).to_string());
            text.push('\n');
        }
    }
    text
}

fn json(value: Option<Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Bool(flag)) => Json::from(flag),
        Some(Value::Number(number)) => {
            i64::try_from(number).map_or_else(|_| Json::from(number.to_string()), Json::from)
        }
        Some(Value::Date(date)) => Json::from(date.to_string()),
        Some(Value::Text(text)) => Json::from(text),
        Some(Value::Index(index)) => Json::from(index),
    }
}
