//! Registers the entities and fields of a pack in a registry, and adds the tables and columns it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::error::{Result, StoreError};
use crate::layout::{EntityLayout, Layout, RecordedField};

/// Whether tables and columns may be added.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    Allowed,
    Refused,
}

/// Numbers the entities and fields of the layout as the registry does, adding what the pack has grown by in
/// one transaction. A registry that lacks nothing is only read.
pub(crate) fn settle(connection: &mut Connection, layout: &mut Layout, growth: Growth) -> Result<()> {
    let known = read_recorded(connection)?;
    check_compatible(layout, &known)?;
    let missing = missing_field(layout, &known);
    if let (Some((entity, field)), Growth::Refused) = (&missing, growth) {
        return Err(StoreError::PackGrown { entity: entity.clone(), field: field.clone() });
    }
    if growth == Growth::Allowed && (missing.is_some() || lacks_index(connection, layout)?) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        add_missing(&transaction, layout)?;
        transaction.commit()?;
    }
    number(connection, layout)
}

/// Adds what the registry lacks, within a transaction.
pub(crate) fn add_missing(connection: &Connection, layout: &Layout) -> Result<()> {
    // Another process may have added it since the first look.
    let known = read_recorded(connection)?;
    check_compatible(layout, &known)?;
    layout.entities.iter().try_for_each(|entity| add_to_entity(connection, entity, known.get(&entity.name)))
}

/// What the registry knows of an entity.
struct Known {
    id: i64,
    key: String,
    fields: Vec<RecordedField>,
}

fn read_recorded(connection: &Connection) -> Result<BTreeMap<String, Known>> {
    let mut known = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut statement = connection.prepare("SELECT id, name, key FROM entity")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        names.insert(id, name.clone());
        known.insert(name, Known { id, key: row.get(2)?, fields: Vec::new() });
    }
    let mut statement =
        connection.prepare("SELECT entity, name, type FROM field ORDER BY entity, position")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let entity = names.get(&row.get(0)?).and_then(|name| known.get_mut(name));
        let entity = entity.ok_or_else(|| StoreError::damage("a field belongs to no entity"))?;
        entity.fields.push(RecordedField { name: row.get(1)?, ty: row.get(2)? });
    }
    Ok(known)
}

/// A field keeps its type and an entity its key for ever; only then does the log keep its meaning.
fn check_compatible(layout: &Layout, known: &BTreeMap<String, Known>) -> Result<()> {
    for entity in &layout.entities {
        let Some(recorded) = known.get(&entity.name) else { continue };
        let incompatible = |field: &str, recorded: String, declared: String| {
            let (entity, field) = (entity.name.clone(), field.to_owned());
            Err(StoreError::PackIncompatible { entity, field, recorded, declared })
        };
        let key = &entity.key_field().name;
        if *key != recorded.key {
            return incompatible(key, format!("an entity known by `{}`", recorded.key), "the key".into());
        }
        for field in &entity.fields {
            let Some(before) = recorded.fields.iter().find(|before| before.name == field.name) else {
                continue;
            };
            if before.ty != field.ty.describe() {
                return incompatible(
                    &field.name,
                    format!("`{}`", before.ty),
                    format!("`{}`", field.ty.describe()),
                );
            }
        }
    }
    Ok(())
}

/// The first field that the registry has no place for.
fn missing_field(layout: &Layout, known: &BTreeMap<String, Known>) -> Option<(String, String)> {
    let recorded = |entity: &EntityLayout, field: &str| {
        known.get(&entity.name).is_some_and(|known| known.fields.iter().any(|known| known.name == field))
    };
    layout.entities.iter().find_map(|entity| {
        let missing = entity.fields.iter().find(|field| !recorded(entity, &field.name));
        missing.map(|field| (entity.name.clone(), field.name.clone()))
    })
}

fn lacks_index(connection: &Connection, layout: &Layout) -> Result<bool> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'index'")?;
    let there: BTreeSet<String> =
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let lacks = |entity: &EntityLayout| {
        entity.indexed.iter().any(|&position| !there.contains(entity.index_name(position).trim_matches('"')))
    };
    Ok(layout.entities.iter().any(lacks))
}

fn add_to_entity(connection: &Connection, entity: &EntityLayout, known: Option<&Known>) -> Result<()> {
    let (id, recorded) = match known {
        Some(known) => (known.id, known.fields.as_slice()),
        None => (create_entity(connection, entity)?, &[][..]),
    };
    let mut position = recorded.len() as i64;
    for field in &entity.fields {
        if recorded.iter().any(|before| before.name == field.name) {
            continue;
        }
        connection.execute(
            "INSERT INTO field (entity, position, name, type) VALUES (?, ?, ?, ?)",
            params![id, position, field.name, field.ty.describe()],
        )?;
        position += 1;
        if known.is_some() {
            let (table, name, ty) = (&entity.table, &field.quoted, field.ty.sql());
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {name} {ty}"))?;
        }
    }
    create_indexes(connection, entity)
}

/// The state table: the fields, and for each record its last change and where that came from. A deleted
/// record stays as a row with `_deleted`, so that its history can be found.
fn create_entity(connection: &Connection, entity: &EntityLayout) -> Result<i64> {
    let mut sql = format!("CREATE TABLE {} (_id INTEGER PRIMARY KEY", entity.table);
    for field in &entity.fields {
        let unique = if field.column == entity.key_field().column { " NOT NULL UNIQUE" } else { "" };
        let _ = write!(sql, ", {} {}{unique}", field.quoted, field.ty.sql());
    }
    sql.push_str(
        ", _change INTEGER NOT NULL, _source INTEGER, _source_row INTEGER, _recorded_on INTEGER NOT NULL,
           _valid_from INTEGER, _deleted INTEGER NOT NULL) STRICT",
    );
    connection.execute_batch(&sql)?;
    connection.execute(
        "INSERT INTO entity (name, key) VALUES (?, ?)",
        params![entity.name, entity.key_field().name],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(crate) fn create_indexes(connection: &Connection, entity: &EntityLayout) -> Result<()> {
    for &position in &entity.indexed {
        let (name, table) = (entity.index_name(position), &entity.table);
        let column = &entity.fields[position].quoted;
        connection.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))?;
    }
    Ok(())
}

pub(crate) fn drop_indexes(connection: &Connection, entity: &EntityLayout) -> Result<()> {
    for &position in &entity.indexed {
        connection.execute_batch(&format!("DROP INDEX IF EXISTS {}", entity.index_name(position)))?;
    }
    Ok(())
}

/// Gives the layout the numbers that the registry knows entities and fields by.
pub(crate) fn number(connection: &Connection, layout: &mut Layout) -> Result<()> {
    let mut known = read_recorded(connection)?;
    for entity in &mut layout.entities {
        let recorded = known
            .remove(&entity.name)
            .ok_or_else(|| StoreError::damage(format!("entity `{}` is not registered", entity.name)))?;
        entity.id = recorded.id;
        for field in &mut entity.fields {
            let position = recorded.fields.iter().position(|before| before.name == field.name);
            field.position = position
                .ok_or_else(|| StoreError::damage(format!("field `{}` is not registered", field.name)))?;
        }
        entity.recorded = recorded.fields;
    }
    Ok(())
}

/// The fields ever recorded of an entity, by number: another process may have added some since this one looked.
pub(crate) fn recorded_fields(connection: &Connection, entity: &EntityLayout) -> Result<Vec<RecordedField>> {
    let mut statement =
        connection.prepare_cached("SELECT name, type FROM field WHERE entity = ? ORDER BY position")?;
    let rows =
        statement.query_map([entity.id], |row| Ok(RecordedField { name: row.get(0)?, ty: row.get(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
