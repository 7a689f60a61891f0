//! What the change log says of a record, and what it was on any day.

use model::Date;
use pack::program::{EntityId, Value};
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value as Json;

use crate::error::{Result, StoreError};
use crate::growth::recorded_fields;
use crate::layout::{EntityLayout, FieldType, RecordedField};
use crate::registry::Registry;
use crate::session::{SourceId, SourceKind};
use crate::upsert::{DELETE, INSERT, UPDATE};
use crate::value::{Bound, from_json, key_text, key_value};
use crate::view::{RecordState, day, moment};
use model::Moment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Insert,
    Update,
    Delete,
}

/// One row of the change log.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub id: u64,
    pub kind: ChangeKind,
    pub import: u32,
    pub actor: String,
    /// In which the actor wrote; empty if in none.
    pub role: String,
    pub recorded_at: Moment,
    pub valid_from: Option<Date>,
    pub source: Option<SourceId>,
    pub source_row: Option<u32>,
    /// What differs from before, in the order in which the fields were first recorded: of an insert what is known,
    /// of a deletion what was. Includes fields that the open pack does not have.
    pub fields: Vec<FieldChange>,
}

/// What a change has done to a field; `None` is unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    pub name: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Where records came from: a sheet of a file, a step of a case, an import taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub id: SourceId,
    pub import: u32,
    pub kind: SourceKind,
    /// The case's stream, if it is a step.
    pub file: String,
    /// The step, if it is one.
    pub sheet: String,
    pub sha256: String,
    pub imported_at: Moment,
    /// Records that the first import of it gave to the registry, unchanged ones included.
    pub rows: u64,
}

/// A transaction of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub id: u32,
    pub actor: String,
    /// In which the actor wrote; empty if in none.
    pub role: String,
    pub recorded_at: Moment,
    pub pack_digest: String,
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    pub unchanged: u64,
    /// Number of the registry's last change when it was done.
    pub last_change: u64,
    /// Events that it appended to streams.
    pub events: u64,
}

impl Registry {
    /// Every change of a record, oldest first; empty if there never was one.
    pub fn history(&self, entity: EntityId, key: &str) -> Result<Vec<Change>> {
        let layout = self.layout.entity(entity);
        let history = || -> Result<Vec<Change>> {
            let chain = chain(&self.connection, layout, key)?;
            let recorded = recorded_fields(&self.connection, layout)?;
            let mut values = vec![None; recorded.len()];
            chain.iter().map(|stored| stored.change(layout, &recorded, &mut values)).collect()
        };
        history().map_err(|error| error.at(&self.folder))
    }

    /// Entities and keys of the records that have changed after a change, in order.
    pub fn changed_since(&self, change: u64) -> Result<Vec<(EntityId, String)>> {
        let changed = || -> Result<Vec<(EntityId, String)>> {
            let sql = "SELECT DISTINCT entity, key FROM change WHERE id > ? ORDER BY entity, key";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement
                .query_map([change as i64], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            let mut changed = Vec::new();
            for row in rows {
                let (number, key) = row?;
                // What an earlier pack had and this one has not is nobody's concern.
                let found = self.layout.entities.iter().position(|entity| entity.id == number);
                changed.extend(found.map(|index| (EntityId(index as u32), key)));
            }
            Ok(changed)
        };
        changed().map_err(|error| error.at(&self.folder))
    }

    /// A record as the registry had it at a moment (use [`Moment::end_of`] for a day); `None` if it was not
    /// recorded yet or deleted by then. Values are aligned with the entity's fields in the open pack.
    pub fn as_of(&self, entity: EntityId, key: &str, at: Moment) -> Result<Option<RecordState>> {
        let layout = self.layout.entity(entity);
        let as_of = || {
            let mut state = None;
            for stored in chain(&self.connection, layout, key)? {
                if stored.recorded_at <= at {
                    stored.apply(layout, &mut state)?;
                }
            }
            Ok(state)
        };
        as_of().map_err(|error: StoreError| error.at(&self.folder))
    }

    /// Everything ever imported, by number.
    pub fn sources(&self) -> Result<Vec<Source>> {
        read_sources(&self.connection).map_err(|error| error.at(&self.folder))
    }

    /// Every transaction, oldest first.
    pub fn imports(&self) -> Result<Vec<Import>> {
        read_imports(&self.connection).map_err(|error| error.at(&self.folder))
    }
}

/// A row of `change`, not yet decoded.
pub(crate) struct Stored {
    pub id: i64,
    previous: Option<i64>,
    pub kind: i64,
    pub import: u32,
    actor: String,
    role: String,
    pub recorded_at: Moment,
    payload: String,
    valid_from: Option<i32>,
    source: Option<u32>,
    source_row: Option<u32>,
    entity: i64,
    key: String,
}

/// The changes of a record, oldest first, along the links from its row of the state.
pub(crate) fn chain(connection: &Connection, layout: &EntityLayout, key: &str) -> Result<Vec<Stored>> {
    let Some(value) = key_value(&layout.key_field().ty, key) else { return Ok(Vec::new()) };
    let sql = format!("SELECT _change FROM {} WHERE {} = ?", layout.table, layout.key_field().quoted);
    let mut state = connection.prepare_cached(&sql)?;
    let last: Option<i64> = state.query_row([Bound(Some(&value))], |row| row.get(0)).optional()?;
    chain_from(connection, layout, &key_text(&value), last)
}

pub(crate) fn chain_from(
    connection: &Connection,
    layout: &EntityLayout,
    key: &str,
    last: Option<i64>,
) -> Result<Vec<Stored>> {
    // The import of a session that is still open has no row yet.
    let mut statement = connection.prepare_cached(
        "SELECT c.id, c.previous, c.kind, c.import, coalesce(i.actor, ''), c.recorded_at, c.payload,
             c.valid_from, c.source, c.source_row, c.entity, c.key, coalesce(i.role, '')
         FROM change c LEFT JOIN import i ON i.id = c.import WHERE c.id = ?",
    )?;
    let mut changes = Vec::new();
    let mut next = last;
    while let Some(id) = next {
        let found = statement.query_row([id], |row| {
            Ok(Stored {
                id: row.get(0)?,
                previous: row.get(1)?,
                kind: row.get(2)?,
                import: row.get(3)?,
                actor: row.get(4)?,
                recorded_at: moment(row.get(5)?),
                payload: row.get(6)?,
                valid_from: row.get(7)?,
                source: row.get(8)?,
                source_row: row.get(9)?,
                entity: row.get(10)?,
                key: row.get(11)?,
                role: row.get(12)?,
            })
        });
        let stored = found.optional()?.filter(|stored| stored.entity == layout.id && stored.key == key);
        let stored = stored.filter(|stored| stored.previous.is_none_or(|previous| previous < stored.id));
        let stored = stored.ok_or_else(|| {
            StoreError::damage(format!("change {id} of `{}` `{key}` is not in the log", layout.name))
        })?;
        next = stored.previous;
        changes.push(stored);
    }
    changes.reverse();
    Ok(changes)
}

/// The last change of a record, and whether the record is deleted; `None` if there never was one.
pub(crate) fn last_change_of(
    connection: &Connection,
    layout: &EntityLayout,
    key: &str,
) -> Result<Option<(u64, bool)>> {
    let Some(value) = key_value(&layout.key_field().ty, key) else { return Ok(None) };
    let sql =
        format!("SELECT _change, _deleted FROM {} WHERE {} = ?", layout.table, layout.key_field().quoted);
    let mut state = connection.prepare_cached(&sql)?;
    let last = state.query_row([Bound(Some(&value))], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    Ok(last.optional()?.map(|(change, deleted)| (change as u64, deleted)))
}

impl Stored {
    /// `recorded` are the entity's fields as the registry has them now: the layout may be older. `values` are
    /// those before the change by number of the field, and afterwards those after it.
    fn change(
        &self,
        layout: &EntityLayout,
        recorded: &[RecordedField],
        values: &mut [Option<Value>],
    ) -> Result<Change> {
        let mut after = if self.kind == UPDATE { values.to_vec() } else { vec![None; values.len()] };
        for (position, value) in self.fields(layout)? {
            let field = recorded.get(position).ok_or_else(|| self.damaged(layout))?;
            after[position] = from_json(&value, &FieldType::recorded(&field.ty))?;
        }
        let mut fields = Vec::new();
        for ((field, before), after) in recorded.iter().zip(values).zip(after) {
            if *before != after {
                let before = std::mem::replace(before, after.clone());
                fields.push(FieldChange { name: field.name.clone(), before, after });
            }
        }
        Ok(Change {
            id: self.id as u64,
            kind: match self.kind {
                INSERT => ChangeKind::Insert,
                UPDATE => ChangeKind::Update,
                DELETE => ChangeKind::Delete,
                _ => return Err(self.damaged(layout)),
            },
            import: self.import,
            actor: self.actor.clone(),
            role: self.role.clone(),
            recorded_at: self.recorded_at,
            valid_from: self.valid_from.map(day).transpose()?,
            source: self.source.map(SourceId),
            source_row: self.source_row,
            fields,
        })
    }

    /// Brings a record from before this change to after it.
    pub fn apply(&self, layout: &EntityLayout, state: &mut Option<RecordState>) -> Result<()> {
        match (self.kind, &state) {
            (INSERT, None) => {
                *state = Some(RecordState {
                    values: vec![None; layout.fields.len()],
                    change: 0,
                    source: None,
                    source_row: None,
                    valid_from: None,
                    recorded_on: self.recorded_at.day(),
                });
            }
            (DELETE, Some(_)) => {
                *state = None;
                return Ok(());
            }
            (UPDATE, Some(_)) => {}
            _ => return Err(self.damaged(layout)),
        }
        let state = state.as_mut().expect("it was there or has just been inserted");
        for (position, value) in self.fields(layout)? {
            let field = layout.fields.iter().position(|field| field.position == position);
            if let Some(field) = field {
                state.values[field] = from_json(&value, &layout.fields[field].ty)?;
            }
        }
        state.change = self.id as u64;
        if let Some(source) = self.source {
            (state.source, state.source_row) = (Some(SourceId(source)), self.source_row);
        } else if self.kind == INSERT {
            state.source_row = self.source_row;
        }
        state.valid_from = self.valid_from.map(day).transpose()?.or(state.valid_from);
        state.recorded_on = self.recorded_at.day();
        Ok(())
    }

    /// Numbers and values of the fields in the payload.
    pub fn fields(&self, layout: &EntityLayout) -> Result<Vec<(usize, Json)>> {
        let json: Vec<Json> = serde_json::from_str(&self.payload).map_err(|_| self.damaged(layout))?;
        if self.kind != UPDATE {
            return Ok(json.into_iter().enumerate().collect());
        }
        let mut fields = Vec::with_capacity(json.len() / 2);
        let mut json = json.into_iter();
        while let Some(position) = json.next() {
            let position = position.as_u64().ok_or_else(|| self.damaged(layout))?;
            fields.push((position as usize, json.next().ok_or_else(|| self.damaged(layout))?));
        }
        Ok(fields)
    }

    fn damaged(&self, layout: &EntityLayout) -> StoreError {
        StoreError::damage(format!("change {} of `{}` `{}` makes no sense", self.id, layout.name, self.key))
    }
}

pub(crate) fn read_sources(connection: &Connection) -> Result<Vec<Source>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, import, file, sheet, sha256, imported_at, rows, kind FROM source ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut sources = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(7)?;
        sources.push(Source {
            id: SourceId(row.get(0)?),
            import: row.get(1)?,
            kind: SourceKind::named(&kind)
                .ok_or_else(|| StoreError::damage(format!("a source is of kind `{kind}`")))?,
            file: row.get(2)?,
            sheet: row.get(3)?,
            sha256: row.get(4)?,
            imported_at: moment(row.get(5)?),
            rows: row.get::<_, i64>(6)? as u64,
        });
    }
    Ok(sources)
}

fn read_imports(connection: &Connection) -> Result<Vec<Import>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, actor, recorded_at, pack_digest, inserted, updated, deleted, unchanged, last_change, role, events
         FROM import ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        let count = |index| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(index)? as u64) };
        Ok(Import {
            id: row.get(0)?,
            actor: row.get(1)?,
            recorded_at: moment(row.get(2)?),
            pack_digest: row.get(3)?,
            inserted: count(4)?,
            updated: count(5)?,
            deleted: count(6)?,
            unchanged: count(7)?,
            last_change: count(8)?,
            role: row.get(9)?,
            events: count(10)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
