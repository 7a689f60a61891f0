//! Columns in memory: what a part of a run works on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch, UInt32Array, new_null_array};
use datafusion::arrow::compute::{concat_batches, take};
use datafusion::arrow::datatypes::{Field, Int32Type, Schema};
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::collect;
use pack::program::{EntityId, Program};

use crate::EngineError;
use crate::desugar::Flat;
use crate::lower::stage_plan;
use crate::stages::Stage;

/// Rows of one entity, a contiguous range of `_row`, in order.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The `_row` of the first row.
    pub start: i32,
    pub rows: usize,
    /// By name; `_row` included. All of the same length.
    pub columns: BTreeMap<String, ArrayRef>,
}

impl Table {
    /// A table whose only column is `_row`.
    pub fn new(start: i32, rows: usize) -> Self {
        let row: Int32Array = (start..).take(rows).collect();
        let columns = BTreeMap::from([("_row".to_owned(), Arc::new(row) as ArrayRef)]);
        Self { start, rows, columns }
    }

    /// The named columns as a record batch, in order of name. All but `_row` may hold NULL.
    fn batch(&self, names: &BTreeSet<String>) -> Result<RecordBatch, DataFusionError> {
        let mut fields = Vec::with_capacity(names.len());
        let mut arrays = Vec::with_capacity(names.len());
        for name in names {
            let array = self.columns.get(name).ok_or_else(|| exec_datafusion_err!("no column `{name}`"))?;
            fields.push(Field::new(name, array.data_type().clone(), name != "_row"));
            arrays.push(Arc::clone(array));
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }

    /// The values of another table's column along an edge, NULL where the parent is missing or not here.
    pub fn along(&self, edge: &str, parents: &Table, values: &ArrayRef) -> Result<ArrayRef, EngineError> {
        let Some(edges) = self.columns.get(edge) else {
            return Ok(new_null_array(values.data_type(), self.rows));
        };
        let rows = parents.rows as i64;
        let indices: UInt32Array = edges
            .as_primitive::<Int32Type>()
            .iter()
            .map(|row| {
                let index = i64::from(row?) - i64::from(parents.start);
                (0..rows).contains(&index).then_some(index as u32)
            })
            .collect();
        Ok(take(values, &indices, None)?)
    }
}

/// A table for each entity that takes part, by index of the entity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables(pub Vec<Option<Table>>);

impl Tables {
    pub fn get(&self, entity: EntityId) -> Option<&Table> {
        self.0.get(entity.index()).and_then(Option::as_ref)
    }

    fn scan(
        &self,
        program: &Program,
        entity: EntityId,
        names: &BTreeSet<String>,
    ) -> Result<LogicalPlan, DataFusionError> {
        let name = &program.entities[entity.index()].name;
        let table = self.get(entity).ok_or_else(|| exec_datafusion_err!("no table `{name}`"))?;
        let batch = table.batch(names)?;
        let source = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        LogicalPlanBuilder::scan(name.as_str(), provider_as_source(Arc::new(source)), None)?.build()
    }

    /// Executes stages one after the other, each adding its columns to its entity's table.
    pub async fn evaluate(
        &mut self,
        state: &SessionState,
        flat: &Flat<'_>,
        stages: &[Stage],
    ) -> Result<(), EngineError> {
        for stage in stages {
            let label = format!("{} {}", flat.program.entities[stage.entity.index()].name, stage.number);
            let failed = |error| EngineError::stage(label.as_str(), error);
            let scan = |entity: EntityId, names: &BTreeSet<String>| self.scan(flat.program, entity, names);
            let plan = stage_plan(flat, stage, &scan).map_err(failed)?;
            let batch = execute(state, &plan).await.map_err(failed)?;
            self.add(stage.entity, batch).map_err(failed)?;
        }
        Ok(())
    }

    fn add(&mut self, entity: EntityId, batch: RecordBatch) -> Result<(), DataFusionError> {
        let table = self.0.get_mut(entity.index()).and_then(Option::as_mut);
        let table = table.ok_or_else(|| exec_datafusion_err!("a stage without a table"))?;
        let batch = in_row_order(batch, table)?;
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            if field.name() != "_row" {
                table.columns.insert(field.name().clone(), Arc::clone(array));
            }
        }
        Ok(())
    }
}

/// Plans and runs, and gives the result as one batch.
async fn execute(state: &SessionState, plan: &LogicalPlan) -> Result<RecordBatch, DataFusionError> {
    let physical = state.create_physical_plan(plan).await?;
    let schema = physical.schema();
    let batches = collect(physical, state.task_ctx()).await?;
    Ok(match batches.as_slice() {
        [batch] => batch.clone(),
        _ => concat_batches(&schema, &batches)?,
    })
}

/// The rows in the order of the table, which are all there exactly once.
fn in_row_order(batch: RecordBatch, table: &Table) -> Result<RecordBatch, DataFusionError> {
    if batch.num_rows() != table.rows {
        return Err(exec_datafusion_err!("{} rows became {}", table.rows, batch.num_rows()));
    }
    let rows = batch.column(0).as_primitive::<Int32Type>().values();
    if rows.iter().zip(table.start..).all(|(row, expected)| *row == expected) {
        return Ok(batch);
    }
    let mut indices = vec![u32::MAX; table.rows];
    for (index, row) in rows.iter().enumerate() {
        let place = usize::try_from(i64::from(*row) - i64::from(table.start)).ok();
        match place.and_then(|place| indices.get_mut(place)) {
            Some(slot) if *slot == u32::MAX => *slot = index as u32,
            _ => return Err(exec_datafusion_err!("row {row} is not in the table or there twice")),
        }
    }
    let indices = UInt32Array::from(indices);
    let columns = batch.columns().iter().map(|column| take(column, &indices, None));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
