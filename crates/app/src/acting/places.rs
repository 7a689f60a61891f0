//! Where a record belongs: the divisions above it.

use model::DivisionCode;
use pack::program::{ColumnId, EntityId, Program, Value};
use store::{StoreError, View};

/// The division of a level above a record, or the record itself if it is one.
pub fn division_above(
    program: &Program,
    view: View<'_>,
    entity: EntityId,
    key: &str,
    level: &str,
) -> Result<Option<String>, StoreError> {
    let (mut at, mut key) = (entity, key.to_owned());
    loop {
        if program.entity(at).division.as_deref() == Some(level) {
            return Ok(Some(key));
        }
        let Some(edge) = program.entity(at).parent.map(|edge| program.edge(edge)) else { return Ok(None) };
        let Some(named) = record_text(program, view, at, &key, edge.via)? else { return Ok(None) };
        let found = view.lookup(edge.parent, edge.on, &[&named])?.into_iter().next().flatten();
        let Some(above) = found else { return Ok(None) };
        (at, key) = (edge.parent, above);
    }
}

/// The county that a record belongs to.
pub fn county_of(
    program: &Program,
    view: View<'_>,
    entity: EntityId,
    key: &str,
) -> Result<Option<DivisionCode>, StoreError> {
    Ok(division_above(program, view, entity, key, "county")?.and_then(|code| code.parse().ok()))
}

/// A text field of a record.
pub fn record_text(
    program: &Program,
    view: View<'_>,
    entity: EntityId,
    key: &str,
    column: ColumnId,
) -> Result<Option<String>, StoreError> {
    let Some(position) = program.entity(entity).fields.iter().position(|field| *field == column) else {
        return Ok(None);
    };
    let record = view.record(entity, key)?;
    Ok(match record.and_then(|record| record.values.get(position).cloned().flatten()) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    })
}
