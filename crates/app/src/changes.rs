//! Changes of records as they are written down.

use evaluate::records::RecordChange;
use model::{Text, text};
use pack::program::{ColumnId, ColumnKind, EntityId, Program, Value};
use serde_json::{Map, Value as Json};

use crate::json_values;

/// Reads `{"household": {"KEY": {"wages": 12000}}, "person": {"KEY": null}}`: fields with their values now, or `null`
/// for a record that is gone. A field that is `null` is unknown, and a key that is not known is a new record.
///
/// # Errors
/// What cannot be understood, in words.
pub fn read(program: &Program, text: &str) -> Result<Vec<RecordChange>, Text> {
    let json: Json = serde_json::from_str(text)
        .map_err(|error| text!("不是 `JSON`（`{error}`）", "it is not JSON: {error}"))?;
    let Json::Object(tables) = json else {
        return Err(Text::new("不是 `JSON` 对象", "it is no JSON object"));
    };
    let mut changes = vec![];
    for (name, records) in &tables {
        let entity = program
            .entity_named(name)
            .ok_or_else(|| text!("没有叫 `{name}` 的实体", "no entity is called `{name}`"))?;
        let Json::Object(records) = records else {
            return Err(text!("`{name}` 应按编号列出记录", "`{name}` must hold records by their keys"));
        };
        for (key, record) in records {
            let fields = match record {
                Json::Null => None,
                Json::Object(given) => Some(fields(program, entity, name, given)?),
                _ => {
                    return Err(text!(
                        "`{name}` `{key}` 既不是字段也不是 `null`",
                        "`{name}` `{key}` is neither fields nor null"
                    ));
                }
            };
            changes.push(RecordChange { entity, key: key.clone(), fields });
        }
    }
    Ok(changes)
}

fn fields(
    program: &Program,
    entity: EntityId,
    name: &str,
    given: &Map<String, Json>,
) -> Result<Vec<(ColumnId, Option<Value>)>, Text> {
    let mut fields = vec![];
    for (field, json) in given {
        let edge = program.edges.iter().find(|edge| edge.child == entity && edge.name == *field);
        let named = edge.map(|edge| edge.via).or_else(|| program.column_named(entity, field));
        let recorded = |id: &ColumnId| {
            matches!(program.column(*id).kind, ColumnKind::Field(_)) && !program.is_derived(*id)
        };
        let id = named
            .filter(recorded)
            .ok_or_else(|| text!("`{name}` 没有字段 `{field}`", "`{name}` has no field `{field}`"))?;
        if fields.iter().any(|(known, _)| *known == id) {
            return Err(text!("`{name}.{field}` 给了两次", "`{name}.{field}` is given twice"));
        }
        let value = json_values::read(program, id, json);
        fields.push((
            id,
            value.map_err(|Text { zh, en }| text!("`{name}.{field}`：{zh}", "`{name}.{field}`: {en}"))?,
        ));
    }
    Ok(fields)
}
