//! The facts of the day: values of columns of a few records, computed from the registry as it is now.
//!
//! Changes that are not recorded can be laid over it, to see what would follow from them; they are nowhere stored.

use std::collections::{BTreeSet, HashMap};

use evaluate::Viewer;
use evaluate::explain::{Asked, Effort, explain};
use evaluate::interpret::{Evaluator, Facts, FactsBuilder};
use evaluate::records::{Branch, LayError, Overlay, RecordChange, Records as _, gather, needed};
use model::{Date, Text};
use pack::program::{ColumnId, EntityId, Program, Value};
use store::{StoreError, View};

use super::ActingError;
use crate::registry_records::RegistryRecords;

/// Records below others that are read for one case at most.
const RECORDS_MAX: usize = 200_000;

/// Changes that are not recorded.
pub type Pending = Vec<RecordChange>;

/// Values of columns of records of one entity.
pub struct Known {
    entity: EntityId,
    facts: Facts,
    rows: HashMap<String, u32>,
    values: HashMap<(u32, ColumnId), Option<Value>>,
}

impl Known {
    /// `None` if unknown, or if it was not asked for.
    pub fn value(&self, key: &str, column: ColumnId) -> Option<&Value> {
        self.values.get(&(*self.rows.get(key)?, column))?.as_ref()
    }
}

/// Computes the columns of the records as of a day. What rests on more than can be read is unknown.
pub fn known(
    program: &Program,
    view: View<'_>,
    as_of: Date,
    entity: EntityId,
    keys: &BTreeSet<String>,
    columns: &BTreeSet<ColumnId>,
    pending: &[RecordChange],
) -> Result<Known, ActingError> {
    let mut records = Overlay::new(RegistryRecords::new(program, view));
    records.change(pending).map_err(not_there)?;
    let mut rows: Vec<(String, u32)> = Vec::with_capacity(keys.len());
    for key in keys {
        let found = records.find(program.entity(entity).key, key)?;
        rows.push((key.clone(), found.unwrap_or_else(|| records.base().row(entity, key))));
    }
    let roots: Vec<(ColumnId, u32)> =
        rows.iter().flat_map(|(_, row)| columns.iter().map(move |column| (*column, *row))).collect();
    let found = needed(&records, &roots, &mut Branch::none(program), RECORDS_MAX)?;
    let Some(mut found) = found else {
        let facts = FactsBuilder::new(program).build();
        return Ok(Known { entity, facts, rows: HashMap::new(), values: HashMap::new() });
    };
    for (_, row) in &rows {
        found.add_row(entity, *row);
    }
    let gathered = gather(&records, found)?;
    let mut evaluator = Evaluator::new(program, &gathered.facts, as_of);
    let mut values = HashMap::new();
    let mut placed = HashMap::new();
    for (key, row) in rows {
        let Some(place) = gathered.place(entity, row) else { continue };
        for column in columns {
            // A division by zero or an overflow is the subject's answer: nothing is known.
            let value = evaluator.value(entity, place, *column).ok().flatten();
            values.insert((place, *column), value);
        }
        placed.insert(key, place);
    }
    Ok(Known { entity, facts: gathered.facts, rows: placed, values })
}

fn not_there(error: LayError<StoreError>) -> ActingError {
    match error {
        LayError::Records(error) => error.into(),
        LayError::Unknown { entity, key } => ActingError::unknown(
            format!("没有编号为 `{key}` 的 {entity}，不能删除"),
            format!("there is no {entity} `{key}` to be removed"),
            Text::new("核对编号", "check the key"),
        ),
        LayError::Key { entity, key } => ActingError::unknown(
            format!("{entity} `{key}` 的编号写成了别的"),
            format!("{entity} `{key}`: its key is given as something else"),
            Text::new("编号只写一次", "give the key once"),
        ),
    }
}

/// What has to be recorded before a column of a record is known, in words.
pub fn missing(program: &Program, known: &Known, as_of: Date, key: &str, column: ColumnId) -> Vec<Text> {
    let Some(row) = known.rows.get(key) else { return Vec::new() };
    let effort = Effort { trials_max: 0, ..Effort::default() };
    let asked = Asked::Column(column);
    let explanation =
        explain(&Viewer::masked(program), &known.facts, as_of, known.entity, *row, asked, effort);
    explanation.map(|it| it.missing.into_iter().map(|gap| gap.text).collect()).unwrap_or_default()
}
