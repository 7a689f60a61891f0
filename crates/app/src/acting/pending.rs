//! Changes that are not recorded, as they are given.

use model::{Text, text};
use pack::program::{ColumnKind, EntityId, Program};
use serde_json::Value as Json;

use super::Pending;
use crate::json_values;

/// Reads `{"household": {"KEY": {"wages": 12000}}}`: fields by record. A field that is `null` is unknown.
pub fn read_pending(program: &Program, text: &str) -> Result<Pending, Text> {
    let json: Json = serde_json::from_str(text)
        .map_err(|error| text!("不是 `JSON`（`{error}`）", "it is not JSON: {error}"))?;
    let Json::Object(tables) = json else {
        return Err(Text::new("不是 `JSON` 对象", "it is no JSON object"));
    };
    let mut pending = Pending::new();
    for (name, records) in &tables {
        let entity = program
            .entity_named(name)
            .ok_or_else(|| text!("没有叫 `{name}` 的实体", "no entity is called `{name}`"))?;
        let Json::Object(records) = records else {
            return Err(text!("`{name}` 应按编号列出记录", "`{name}` must hold records by their keys"));
        };
        for (key, record) in records {
            let Json::Object(fields) = record else {
                return Err(text!("`{name}` `{key}` 应列出字段", "`{name}` `{key}` must hold fields"));
            };
            let fields = fields.iter().map(|(field, json)| read_field(program, entity, name, field, json));
            pending.insert((entity, key.clone()), fields.collect::<Result<_, Text>>()?);
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
) -> Result<(pack::program::ColumnId, Option<pack::program::Value>), Text> {
    let edge = program.edges.iter().find(|edge| edge.child == entity && edge.name == field);
    let named = edge.map(|edge| edge.via).or_else(|| program.column_named(entity, field));
    let recorded = named.filter(|id| matches!(program.column(*id).kind, ColumnKind::Field(_)));
    let id =
        recorded.ok_or_else(|| text!("`{name}` 没有字段 `{field}`", "`{name}` has no field `{field}`"))?;
    let value = json_values::read(program, id, json)
        .map_err(|Text { zh, en }| text!("`{name}.{field}`：{zh}", "`{name}.{field}`: {en}"))?;
    Ok((id, value))
}
