//! One logical plan for each stage.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{bool_or, count, max, min, sum};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::expr_fn::{rank, row_number};
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, JoinType, LogicalPlan, LogicalPlanBuilder, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowFunctionDefinition, cast, lit,
};
use pack::program::{ColumnId, Direction, EntityId, Frame};

use super::expression::{column, data_type, lower};
use crate::desugar::{Call, CallFunction, Flat, Part, PartFunction, edge_column};
use crate::scalar::Named;
use crate::stages::{AggregatePass, LookupJoin, Stage, Step};

/// Gives a plan that reads the named columns of an entity as far as it is computed.
pub type Scan<'a> = dyn Fn(EntityId, &BTreeSet<String>) -> Result<LogicalPlan> + 'a;

/// The plan of a stage: `_row` and the columns that the stage makes, in no particular order of rows.
///
/// # Errors
/// Those of DataFusion's plan builder, if `scan` does not provide a column the stage reads.
pub fn stage_plan(flat: &Flat<'_>, stage: &Stage, scan: &Scan<'_>) -> Result<LogicalPlan> {
    let mut live: Vec<BTreeSet<String>> = vec![output_names(flat, stage)];
    for step in stage.steps.iter().rev() {
        let after = live.last().cloned().unwrap_or_default();
        live.push(needed_before(step, after));
    }
    let joined = live.pop().unwrap_or_default();
    let mut plan = joins(flat, stage, &joined, scan)?;
    for step in &stage.steps {
        let keep = live.pop().unwrap_or_default();
        plan = add_step(plan, step, &keep)?;
    }
    let outputs = output_order(flat, stage).into_iter().map(|name| column(&name));
    plan.project(outputs.collect::<Vec<_>>())?.build()
}

fn output_order(flat: &Flat<'_>, stage: &Stage) -> Vec<String> {
    let made = stage.columns.iter().map(|id| flat.columns[id].name.clone());
    std::iter::once("_row".to_owned()).chain(made).collect()
}

pub(crate) fn output_names(flat: &Flat<'_>, stage: &Stage) -> BTreeSet<String> {
    output_order(flat, stage).into_iter().collect()
}

/// What must exist before a step so that `after` exists behind it.
pub(crate) fn needed_before(step: &Step, mut after: BTreeSet<String>) -> BTreeSet<String> {
    match step {
        Step::Project(columns) => {
            let used: Vec<_> = columns.iter().filter(|column| after.remove(&column.name)).collect();
            for named in used {
                named.value.columns(&mut |name| {
                    after.insert(name.to_owned());
                });
            }
        }
        Step::Window(calls) => {
            for call in calls {
                after.remove(&call.name);
                let order = call.order.iter().map(|(value, _)| value);
                for value in call.argument.iter().chain(&call.partition).chain(order) {
                    value.columns(&mut |name| {
                        after.insert(name.to_owned());
                    });
                }
            }
        }
    }
    after
}

fn joins(
    flat: &Flat<'_>,
    stage: &Stage,
    joined: &BTreeSet<String>,
    scan: &Scan<'_>,
) -> Result<LogicalPlanBuilder> {
    let mut own = joined.clone();
    own.insert("_row".to_owned());
    for lookup in &stage.lookups {
        own.insert(edge_column(flat.program, lookup.edge));
        lookup.columns.iter().for_each(|(made, _)| {
            own.remove(&flat.columns[made].name);
        });
    }
    for pass in &stage.aggregates {
        pass.parts.iter().for_each(|part| {
            own.remove(&part.name);
        });
    }
    let mut plan = LogicalPlanBuilder::from(scan(stage.entity, &own)?);
    for (number, lookup) in stage.lookups.iter().enumerate() {
        let key = format!("__parent_{number}");
        let parents = parents(flat, lookup, &key, scan)?;
        let edge = edge_column(flat.program, lookup.edge);
        plan = plan.join(parents, JoinType::Left, (vec![edge], vec![key]), None)?;
    }
    for (number, pass) in stage.aggregates.iter().enumerate() {
        let key = format!("__children_{number}");
        let children = children(flat, pass, &key, scan)?;
        plan = plan.join(children, JoinType::Left, (vec!["_row"], vec![key.as_str()]), None)?;
    }
    Ok(plan)
}

/// The parents' columns under the names they get in the child.
fn parents(flat: &Flat<'_>, lookup: &LookupJoin, key: &str, scan: &Scan<'_>) -> Result<LogicalPlan> {
    let name = |id: &ColumnId| flat.columns[id].name.as_str();
    let mut columns: BTreeSet<String> =
        lookup.columns.iter().map(|(_, source)| name(source).to_owned()).collect();
    columns.insert("_row".to_owned());
    let parent = flat.program.edges[lookup.edge.index()].parent;
    let made = lookup.columns.iter().map(|(made, source)| column(name(source)).alias(name(made)));
    let exprs: Vec<Expr> = std::iter::once(column("_row").alias(key)).chain(made).collect();
    LogicalPlanBuilder::from(scan(parent, &columns)?).project(exprs)?.build()
}

/// One row for each parent that has children.
fn children(flat: &Flat<'_>, pass: &AggregatePass, key: &str, scan: &Scan<'_>) -> Result<LogicalPlan> {
    let edge = edge_column(flat.program, pass.edge);
    let mut read = BTreeSet::from([edge.clone()]);
    for part in &pass.parts {
        for value in part.argument.iter().chain(&part.filter) {
            value.columns(&mut |name| {
                read.insert(name.to_owned());
            });
        }
    }
    let mut live = vec![read];
    for step in pass.steps.iter().rev() {
        let after = live.last().cloned().unwrap_or_default();
        live.push(needed_before(&Step::Project(step.clone()), after));
    }
    let own = live.pop().unwrap_or_default();
    let child = flat.program.edges[pass.edge.index()].child;
    let mut plan = LogicalPlanBuilder::from(scan(child, &own)?);
    for step in &pass.steps {
        let keep = live.pop().unwrap_or_default();
        plan = project(plan, step, &keep)?;
    }
    let parts = pass.parts.iter().map(part).collect::<Result<Vec<_>>>()?;
    plan.aggregate(vec![column(&edge).alias(key)], parts)?.build()
}

fn part(part: &Part) -> Result<Expr> {
    let argument = part.argument.as_ref().map_or_else(|| lit(1_i64), lower);
    let call = match part.function {
        PartFunction::CountRows => count(argument),
        PartFunction::Sum => sum(argument),
        PartFunction::Min => min(argument),
        PartFunction::Max => max(argument),
        PartFunction::Or => bool_or(argument),
    };
    let call = match &part.filter {
        Some(filter) => call.filter(lower(filter)).build()?,
        None => call,
    };
    Ok(call.alias(&part.name))
}

fn add_step(plan: LogicalPlanBuilder, step: &Step, keep: &BTreeSet<String>) -> Result<LogicalPlanBuilder> {
    match step {
        Step::Project(columns) => project(plan, columns, keep),
        Step::Window(calls) => {
            // `row_number` and `rank` are unsigned in DataFusion, so that every call is cast.
            let raw = |call: &Call| format!("{}__raw", call.name);
            let mut plan = plan;
            for group in same_order(calls) {
                let windows = group.iter().map(|call| Ok(window(call)?.alias(raw(call))));
                plan = plan.window(windows.collect::<Result<Vec<_>>>()?)?;
            }
            let made: BTreeSet<&str> = calls.iter().map(|call| call.name.as_str()).collect();
            let kept = keep.iter().filter(|name| !made.contains(name.as_str())).map(|name| column(name));
            let typed =
                calls.iter().map(|call| cast(column(&raw(call)), data_type(call.kind)).alias(&call.name));
            plan.project(kept.chain(typed).collect::<Vec<_>>())
        }
    }
}

/// Calls over the same partitions in the same order: one window node takes no others.
fn same_order(calls: &[Call]) -> Vec<Vec<&Call>> {
    let mut groups: Vec<Vec<&Call>> = vec![];
    for call in calls {
        let same =
            |group: &&mut Vec<&Call>| group[0].partition == call.partition && group[0].order == call.order;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(call),
            None => groups.push(vec![call]),
        }
    }
    groups
}

fn project(
    plan: LogicalPlanBuilder,
    columns: &[Named],
    keep: &BTreeSet<String>,
) -> Result<LogicalPlanBuilder> {
    let made: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let kept = keep.iter().filter(|name| !made.contains(name.as_str())).map(|name| column(name));
    let wanted = columns.iter().filter(|column| keep.contains(&column.name));
    let values = wanted.map(|named| lower(&named.value).alias(&named.name));
    plan.project(kept.chain(values).collect::<Vec<_>>())
}

fn window(call: &Call) -> Result<Expr> {
    let function = match call.function {
        CallFunction::RowNumber => row_number(),
        CallFunction::Rank => rank(),
        CallFunction::CountRows => over(datafusion::functions_aggregate::count::count_udaf(), lit(1_i64)),
        CallFunction::Sum => {
            let argument = call.argument.as_ref().map_or_else(|| lit(0_i64), lower);
            over(sum_udaf(), argument)
        }
    };
    let order: Vec<Sort> = call
        .order
        .iter()
        .map(|(value, direction)| lower(value).sort(*direction == Direction::Ascending, false))
        .collect();
    let numbering = matches!(call.function, CallFunction::RowNumber | CallFunction::Rank);
    let frame = if numbering { WindowFrame::new(Some(!order.is_empty())) } else { rows(call.frame) };
    function
        .partition_by(call.partition.iter().map(lower).collect())
        .order_by(order)
        .window_frame(frame)
        .build()
}

fn over(function: std::sync::Arc<datafusion::logical_expr::AggregateUDF>, argument: Expr) -> Expr {
    let definition = WindowFunctionDefinition::AggregateUDF(function);
    Expr::from(WindowFunction::new(definition, vec![argument]))
}

fn rows(frame: Frame) -> WindowFrame {
    let unbounded = || ScalarValue::UInt64(None);
    let end = match frame {
        Frame::Before => WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))),
        Frame::UpToCurrent => WindowFrameBound::CurrentRow,
        Frame::All => WindowFrameBound::Following(unbounded()),
    };
    WindowFrame::new_bounds(WindowFrameUnits::Rows, WindowFrameBound::Preceding(unbounded()), end)
}

/// The Arrow type of a row number or of a reference to one.
pub(crate) const ROW_TYPE: DataType = DataType::Int32;
