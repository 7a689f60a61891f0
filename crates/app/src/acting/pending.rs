//! Changes that are not recorded, as they are given.

use pack::program::{ColumnKind, EntityId, Program};
use serde_json::Value as Json;

use super::Pending;
use crate::json_values;

/// Reads `{"household": {"KEY": {"wages": 12000}}}`: fields by record. A field that is `null` is unknown.
pub fn read_pending(program: &Program, text: &str) -> Result<Pending, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Json::Object(tables) = json else { return Err("it is no JSON object".to_owned()) };
    let mut pending = Pending::new();
    for (name, records) in &tables {
        let entity = program.entity_named(name).ok_or_else(|| format!("no entity is called `{name}`"))?;
        let Json::Object(records) = records else {
            return Err(format!("`{name}` must hold records by their keys"));
        };
        for (key, record) in records {
            let Json::Object(fields) = record else {
                return Err(format!("`{name}` `{key}` must hold fields"));
            };
            let fields = fields.iter().map(|(field, json)| read_field(program, entity, name, field, json));
            pending.insert((entity, key.clone()), fields.collect::<Result<_, String>>()?);
        }
    }
    Ok(pending)
}

fn read_field(
    program: &Program,
    entity: EntityId,
    name: &str,
    field: &str,
    json: &Json,
) -> Result<(pack::program::ColumnId, Option<pack::program::Value>), String> {
    let edge = program.edges.iter().find(|edge| edge.child == entity && edge.name == field);
    let named = edge.map(|edge| edge.via).or_else(|| program.column_named(entity, field));
    let recorded = named.filter(|id| matches!(program.column(*id).kind, ColumnKind::Field(_)));
    let id = recorded.ok_or_else(|| format!("`{name}` has no field `{field}`"))?;
    let value =
        json_values::read(program, id, json).map_err(|reason| format!("`{name}.{field}`: {reason}"))?;
    Ok((id, value))
}
