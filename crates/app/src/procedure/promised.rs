//! Whom a procedure's benefit is promised to on a day, sheet by sheet: where there are cases to start.

use std::collections::{BTreeMap, BTreeSet};

use model::flow::Quantity;
use model::{Date, Fen};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};
use store::{Registry, View};

use super::{Declared, declared};
use crate::acting::{ActingError, Pending, known};

/// A sheet's record with those below it who are promised the benefit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// The key of the sheet's record: a village.
    pub sheet: String,
    /// Records by key, with what each is promised where that is money and known.
    pub items: BTreeMap<String, Option<Fen>>,
    /// How many may vote by the records, where the procedure has a vote with an electorate and it is known.
    pub electorate: Option<u64>,
}

/// The sheets with somebody who is promised the procedure's benefit, by key. A procedure without sheets or benefit has
/// none. What is not known to be promised is not.
pub fn promised(
    registry: &Registry,
    program: &Program,
    flow: &str,
    on: Date,
) -> Result<Vec<Promised>, ActingError> {
    let flow = declared(program, flow)?;
    let Some((sheet, below)) = flow.sheet.and_then(|sheet| Some((sheet, edge(program, flow.entity, sheet)?)))
    else {
        return Ok(Vec::new());
    };
    let view = registry.view();
    let mut sheets: BTreeSet<String> = BTreeSet::new();
    let add = |row: &store::ScanRow<'_>| {
        sheets.extend(row.text(0).map(str::to_owned));
        Ok(())
    };
    view.scan(sheet, &[program.entity(sheet).key], add)?;
    let mut found = Vec::new();
    for key in sheets {
        let items = items(program, view, &flow, below, &key, on)?;
        if !items.is_empty() {
            let electorate = electorate(program, view, &flow, sheet, &key, on)?;
            found.push(Promised { sheet: key, items, electorate });
        }
    }
    Ok(found)
}

/// The edge from the procedure's records to what a sheet belongs to.
pub(super) fn edge(program: &Program, child: EntityId, parent: EntityId) -> Option<EdgeId> {
    (0..program.edges.len() as u32).map(EdgeId).find(|id| {
        let edge = program.edge(*id);
        (edge.child, edge.parent) == (child, parent)
    })
}

/// The records below a sheet's that are promised the benefit, with what each is promised.
pub(super) fn items(
    program: &Program,
    view: View<'_>,
    flow: &Declared<'_>,
    below: EdgeId,
    sheet: &str,
    on: Date,
) -> Result<BTreeMap<String, Option<Fen>>, ActingError> {
    let Some(benefit) = flow.benefit else { return Ok(BTreeMap::new()) };
    let keys: BTreeSet<String> = view.children(below, sheet)?.into_iter().collect();
    let columns: BTreeSet<ColumnId> = benefit.amount.into_iter().chain([benefit.who]).collect();
    let values = known(program, view, on, flow.entity, &keys, &columns, &Pending::new())?;
    let amount = |key: &str| match values.value(key, benefit.amount?) {
        Some(Value::Number(fen)) => i64::try_from(*fen).ok().map(Fen::from_fen),
        _ => None,
    };
    let is_promised = |key: &String| values.value(key, benefit.who) == Some(&Value::Bool(true));
    let promised = keys.into_iter().filter(is_promised);
    Ok(promised.map(|key| (key.clone(), amount(&key))).collect())
}

fn electorate(
    program: &Program,
    view: View<'_>,
    flow: &Declared<'_>,
    sheet: EntityId,
    key: &str,
    on: Date,
) -> Result<Option<u64>, ActingError> {
    let mut votes = flow.machine.steps.iter().filter_map(|step| step.vote.as_ref());
    let asked = votes.find_map(|vote| match vote.electorate {
        Some(Quantity::Expression(id)) => Some(ColumnId(id.0)),
        _ => None,
    });
    let Some(column) = asked else { return Ok(None) };
    let values =
        known(program, view, on, sheet, &[key.to_owned()].into(), &[column].into(), &Pending::new())?;
    Ok(match values.value(key, column) {
        Some(Value::Number(count)) => u64::try_from(*count).ok(),
        _ => None,
    })
}
