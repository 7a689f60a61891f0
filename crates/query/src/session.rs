//! Free queries over a run: what was recorded and what was computed, side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray as _, RecordBatch, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{ColumnarValue, Expr, JoinType, Volatility, cast, create_udf, ident};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast;
use model::access::{DataClass, HIDDEN, mask};
use serde::Deserialize;

use app::masks::Masks;
use engine::RUN_FORMAT;

use crate::SessionError;

#[derive(Deserialize)]
struct Manifest {
    format: u32,
    snapshot: ManifestSnapshot,
}

#[derive(Deserialize)]
struct ManifestSnapshot {
    path: PathBuf,
    rows: BTreeMap<String, u64>,
}

/// Answers a query in DataFusion's SQL over a run directory: a table for every entity (its recorded fields
/// and its results, numbers as scaled integers) and `findings`. Nothing can be changed.
///
/// # Errors
/// [`SessionError::RunFormat`] if the folder is no run, [`SessionError::SnapshotFile`] if its snapshot has been
/// moved, [`SessionError::Query`] if the query is refused or fails.
pub fn query(run: &Path, sql: &str) -> Result<Vec<RecordBatch>, SessionError> {
    query_masked(run, sql, &Masks::new())
}

/// As [`query`], with columns that are masked where they are read: no expression of the query gets behind the
/// mask.
pub fn query_masked(run: &Path, sql: &str, masks: &Masks) -> Result<Vec<RecordBatch>, SessionError> {
    refuse_all_but_a_query(sql)?;
    let manifest = read_manifest(run)?;
    let snapshot = run.join(&manifest.snapshot.path);
    deep(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK_BYTES).build();
        let runtime = runtime.map_err(|error| SessionError::Worker(error.to_string()))?;
        runtime.block_on(async {
            let context = context(run, &snapshot, &manifest, masks).await?;
            let options =
                SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
            let frame = context.sql_with_options(sql, options).await.map_err(SessionError::Query)?;
            frame.collect().await.map_err(SessionError::Query)
        })
    })
}

/// Lets one query through and nothing else. A plan (EXPLAIN in any form, DESCRIBE, SHOW) tells the least and the
/// greatest value of columns behind their masks; COPY, CREATE EXTERNAL TABLE and SET reach files; the rest changes
/// something.
fn refuse_all_but_a_query(sql: &str) -> Result<(), SessionError> {
    let statements = DFParser::parse_sql(sql).map_err(SessionError::Query)?;
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(Statement::Statement(statement)), None) => match *statement {
            ast::Statement::Query(_) => Ok(()),
            _ => Err(SessionError::NotAQuery),
        },
        _ => Err(SessionError::NotAQuery),
    }
}

fn read_manifest(run: &Path) -> Result<Manifest, SessionError> {
    let path = run.join("manifest.json");
    let wrong = |reason: String| SessionError::RunFormat { path: run.to_owned(), reason };
    if !path.is_file() {
        return Err(wrong("it has no `manifest.json`".to_owned()));
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| SessionError::File { path: path.clone(), source: error })?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if manifest.format != RUN_FORMAT {
        return Err(wrong(format!("its format is {}, not {RUN_FORMAT}", manifest.format)));
    }
    Ok(manifest)
}

async fn context(
    run: &Path,
    snapshot: &Path,
    manifest: &Manifest,
    masks: &Masks,
) -> Result<SessionContext, SessionError> {
    let mut config = SessionConfig::new();
    config.options_mut().execution.parquet.schema_force_view_types = false;
    // Statistics of masked columns are no use, and nothing is to print them.
    config.options_mut().execution.collect_statistics = false;
    let context = SessionContext::new_with_config(config);
    for name in manifest.snapshot.rows.keys() {
        let recorded = snapshot.join(format!("{name}.parquet"));
        if !recorded.is_file() {
            return Err(SessionError::SnapshotFile { path: recorded });
        }
        let computed = run.join(format!("{name}.parquet"));
        let table = table(&context, &recorded, &computed).await.map_err(SessionError::Query)?;
        let table = masked(table, masks.get(name)).map_err(SessionError::Query)?;
        context.register_table(name.as_str(), table.into_view()).map_err(SessionError::Query)?;
    }
    let findings = read(&context, &run.join("findings.parquet")).await.map_err(SessionError::Query)?;
    let findings = masked(findings, masks.get("findings")).map_err(SessionError::Query)?;
    context.register_table("findings", findings.into_view()).map_err(SessionError::Query)?;
    Ok(context)
}

async fn read(context: &SessionContext, path: &Path) -> Result<DataFrame, DataFusionError> {
    context.read_parquet(path.to_string_lossy().into_owned(), ParquetReadOptions::default()).await
}

/// Recorded columns, then those results that are not named like one.
async fn table(
    context: &SessionContext,
    recorded: &Path,
    computed: &Path,
) -> Result<DataFrame, DataFusionError> {
    let recorded = read(context, recorded).await?;
    if !computed.is_file() {
        return Ok(recorded);
    }
    let results = read(context, computed).await?;
    let own: Vec<String> = recorded.schema().fields().iter().map(|field| field.name().clone()).collect();
    let names = results.schema().fields().iter().map(|field| field.name().clone());
    let added: Vec<String> = names.filter(|name| !own.contains(name)).collect();
    let row = std::iter::once(ident("_row").alias("__row"));
    let results = results.select(row.chain(added.iter().map(ident)).collect::<Vec<_>>())?;
    let joined = recorded.join(results, JoinType::Left, &["_row"], &["__row"], None)?;
    joined.select(own.iter().chain(&added).map(ident).collect::<Vec<_>>())
}

/// The table with its personal columns masked, whatever their types: they are texts then.
fn masked(
    table: DataFrame,
    masks: Option<&BTreeMap<String, DataClass>>,
) -> Result<DataFrame, DataFusionError> {
    let Some(masks) = masks else { return Ok(table) };
    let fields = table.schema().fields().clone();
    let columns = fields.iter().map(|field| match masks.get(field.name()) {
        Some(class) => hidden(field.name(), field.data_type(), *class),
        None => ident(field.name()),
    });
    table.select(columns.collect::<Vec<_>>())
}

fn hidden(column: &str, ty: &DataType, class: DataClass) -> Expr {
    let is_text = matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_date = matches!(ty, DataType::Date32 | DataType::Date64);
    // As `evaluate::Viewer` shows it. Codes may be dictionaries or texts here; a code that is taken for a text keeps
    // no more than its mask does.
    let shown = move |text: Option<&str>| match text {
        _ if class == DataClass::Health => Some(HIDDEN.to_owned()),
        None => None,
        Some(text) if is_text => Some(mask(text, class)),
        Some(text) if is_date => Some(text.chars().take_while(|letter| *letter != '-').collect()),
        Some(_) => Some(HIDDEN.to_owned()),
    };
    let hide = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = arrays[0].as_string::<i32>();
        Ok(ColumnarValue::Array(Arc::new(texts.iter().map(shown).collect::<StringArray>())))
    };
    let form = match (is_text, is_date) {
        (true, _) => "text",
        (_, true) => "date",
        _ => "value",
    };
    let name = format!("mask_{form}_{}", class.as_str());
    let function =
        create_udf(&name, vec![DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(hide));
    function.call(vec![cast(ident(column), DataType::Utf8)]).alias(column)
}

/// What the deepest query takes, with room: DataFusion plans by recursion.
const STACK_BYTES: usize = 64 << 20;

/// Runs `work` on a thread of its own with a deep stack.
fn deep<T: Send>(work: impl FnOnce() -> Result<T, SessionError> + Send) -> Result<T, SessionError> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("query".to_owned()).stack_size(STACK_BYTES);
        let handle =
            worker.spawn_scoped(scope, work).map_err(|error| SessionError::Worker(error.to_string()))?;
        handle.join().unwrap_or_else(|_| Err(SessionError::Worker("it panicked".to_owned())))
    })
}
