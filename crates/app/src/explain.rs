//! Explains one subject of a stored run: gathers what its results depend on, and asks [`evaluate`].

use evaluate::Viewer;
use evaluate::explain::{Asked, Effort, Explanation};
use evaluate::interpret::Facts;
use evaluate::records::{Branch, Records, gather, needed};
use model::AsProblem as _;
use pack::program::{ColumnId, EntityId, Program, RuleId, RuleKind, Value};
use thiserror::Error;

use crate::run_records::RunRecords;
use crate::tables::TableError;

pub use crate::stored_run::{RunError, StoredRun};

/// Why there is no explanation.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ExplainError {
    #[error(transparent)]
    Run(#[from] RunError),
    UnknownEntity {
        name: String,
        known: String,
    },
    UnknownRecord {
        entity: String,
        key: String,
        /// A key that is there.
        example: Option<String>,
    },
    UnknownRule {
        name: String,
        entity: String,
        /// A name like it that is there.
        near: Option<String>,
    },
    TooMany {
        entity: String,
        key: String,
    },
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Explains what a rule or column says of a record, as the viewer may see it; without a name, everything promised to it.
pub fn explain(
    viewer: &Viewer<'_>,
    run: &StoredRun,
    entity: &str,
    key: &str,
    name: Option<&str>,
) -> Result<Vec<Explanation>, ExplainError> {
    let program = viewer.program();
    run.check_pack(program)?;
    let id = program.entity_named(entity).ok_or_else(|| ExplainError::UnknownEntity {
        name: entity.to_owned(),
        known: program.entities.iter().map(|entity| entity.name.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    let asked = asked(program, id, name)?;
    let records = RunRecords::new(program, run);
    let row = find(records, id, key)?;
    let named = name.is_some();
    let explained = |facts: &Facts, row: u32, asked: Asked| {
        evaluate::explain::explain(viewer, facts, run.as_of, id, row, asked, Effort::default())
    };
    if let Some((facts, row)) = facts_of(records, id, row, &asked, Taken::Outside)? {
        return Ok(asked.into_iter().filter_map(|asked| explained(&facts, row, asked)).collect());
    }
    // All of it rests on too many records: one question at a time, and what still does on the run's result alone.
    let mut all = Vec::new();
    for asked in asked {
        let mut found = facts_of(records, id, row, &[asked], Taken::Outside)?;
        if found.is_none() {
            found = facts_of(records, id, row, &[asked], Taken::Everything)?;
        }
        match found {
            Some((facts, row)) => all.extend(explained(&facts, row, asked)),
            None if named => {
                return Err(ExplainError::TooMany { entity: entity.to_owned(), key: key.to_owned() });
            }
            None => {}
        }
    }
    Ok(all)
}

/// Explains a column of the record in a row, without a search for what would turn it; `None` if it rests on too many
/// records.
pub(crate) fn explain_row(
    records: RunRecords<'_>,
    entity: EntityId,
    row: u32,
    asked: Asked,
) -> Result<Option<Explanation>, ExplainError> {
    let (program, as_of) = (records.program(), records.run().as_of);
    let mut found = facts_of(records, entity, row, &[asked], Taken::Outside)?;
    if found.is_none() {
        found = facts_of(records, entity, row, &[asked], Taken::Everything)?;
    }
    let effort = Effort { trials_max: 0, ..Effort::default() };
    Ok(found.and_then(|(facts, row)| {
        evaluate::explain::explain(&Viewer::masked(program), &facts, as_of, entity, row, asked, effort)
    }))
}

fn asked(program: &Program, entity: EntityId, name: Option<&str>) -> Result<Vec<Asked>, ExplainError> {
    let computes = |position: usize| {
        program
            .columns
            .iter()
            .any(|column| column.entity == entity && column.rule.is_some_and(|rule| rule.index() == position))
    };
    let Some(name) = name else {
        let promised = |kind| matches!(kind, RuleKind::Benefit | RuleKind::Standard | RuleKind::Duty);
        return Ok(program
            .rules
            .iter()
            .enumerate()
            .filter(|(position, rule)| promised(rule.kind) && computes(*position))
            .map(|(position, _)| Asked::Rule(RuleId(position as u32)))
            .collect());
    };
    let rule = program.rules.iter().position(|rule| rule.id == name).filter(|position| computes(*position));
    if let Some(position) = rule {
        return Ok(vec![Asked::Rule(RuleId(position as u32))]);
    }
    if let Some(column) = program.column_named(entity, name) {
        return Ok(vec![Asked::Column(column)]);
    }
    let names: Vec<&str> = program
        .columns
        .iter()
        .filter(|column| column.entity == entity && !column.is_hidden())
        .map(|column| column.name.as_str())
        .collect();
    let near = pack::diagnostic::nearest(name, names);
    Err(ExplainError::UnknownRule {
        name: name.to_owned(),
        entity: program.entity(entity).name.clone(),
        near,
    })
}

/// The row of the record with a key.
fn find(records: RunRecords<'_>, entity: EntityId, key: &str) -> Result<u32, ExplainError> {
    let program = records.program();
    let key_column = program.entity(entity).key;
    if let Some(row) = records.find(key_column, key)? {
        return Ok(row);
    }
    let example = if records.end(entity)? == 0 { None } else { records.value(key_column, 0)? };
    let name = program.entity(entity).name.clone();
    let example = match example {
        Some(Value::Text(known)) => Some(Viewer::masked(program).key(entity, &known).into_owned()),
        _ => None,
    };
    Err(ExplainError::UnknownRecord { entity: name, key: key.to_owned(), example })
}

/// What the subject's branch hangs from, the highest ancestor that is not a division, with all records between
/// them: the household of a person or stay. A division is its own.
fn top_of_branch(
    records: &impl Records<Error = TableError>,
    entity: EntityId,
    row: u32,
) -> Result<(EntityId, Vec<(EntityId, u32)>), TableError> {
    let program = records.program();
    let mut members = vec![(entity, row)];
    let (mut at, mut at_row) = (entity, row);
    while let Some(edge) = program.entity(at).parent {
        let parent = program.edge(edge).parent;
        if program.entity(parent).division.is_some() {
            break;
        }
        let Some(above) = records.parent(edge, at_row)? else { break };
        (at, at_row) = (parent, above);
        members.push((at, at_row));
    }
    Ok((at, members))
}

/// Records below others that are read for one explanation.
pub(crate) const RECORDS_MAX: usize = 20_000;

/// Which results are taken from the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Those outside of the subject's branch.
    Outside,
    Everything,
}

/// Reads what the answers rest on and nothing else; with the subject's row among the facts. `None` if it is too much.
fn facts_of(
    records: RunRecords<'_>,
    entity: EntityId,
    row: u32,
    asked: &[Asked],
    taken: Taken,
) -> Result<Option<(Facts, u32)>, TableError> {
    let program = records.program();
    let mut branch = match taken {
        Taken::Outside => {
            let (top, members) = top_of_branch(&records, entity, row)?;
            Branch::below(program, top, &members)
        }
        Taken::Everything => Branch::none(program),
    };
    let columns = asked.iter().flat_map(|asked| evaluate::explain::asked_columns(program, entity, *asked));
    let roots: Vec<(ColumnId, u32)> = columns.map(|column| (column, row)).collect();
    let Some(mut found) = needed(&records, &roots, &mut branch, RECORDS_MAX)? else { return Ok(None) };
    found.add_row(entity, row);
    // Whoever asks about a route sees the whole of it.
    let routes: Vec<_> = found
        .read()
        .filter_map(|(column, rows)| Some((evaluate::explain::route_of(program, column)?, rows.to_vec())))
        .collect();
    for (column, rows) in routes {
        found.add_read(column, &rows);
    }
    let gathered = gather(&records, found)?;
    let place = gathered.place(entity, row);
    Ok(place.map(|place| (gathered.facts, place)))
}
