//! Taking back a whole import: each record that it changed becomes what it was before, by a further change. The
//! import and what it wrote stay in the history.
//!
//! A record that was changed since is left alone and reported, as is one that others refer to by now: whoever
//! takes an import back decides about these one by one. Deliberately lacking: taking back events of divisions and
//! of streams, which are met by further events.

use model::Date;
use pack::program::{ColumnId, EdgeId, EntityId, Value};
use rusqlite::{Connection, OptionalExtension as _};

use crate::conflict::FieldConflict;
use crate::error::{Result, StoreError};
use crate::history::{Stored, chain};
use crate::layout::EntityLayout;
use crate::session::{ImportSession, NewSource, Record, Removal, SourceId, SourceKind};
use crate::value::key_text;
use crate::view::RecordState;

/// What taking back an import has done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Undone {
    /// Records that are as before the import again.
    pub records: u64,
    /// Records that were so already.
    pub unchanged: u64,
    /// Records that stay as they are, the one changed last first.
    pub refused: Vec<NotUndone>,
}

/// A record that is not taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct NotUndone {
    /// Name of the entity.
    pub entity: String,
    pub key: String,
    pub reason: NotUndoneReason,
}

#[derive(Clone, Debug, PartialEq)]
pub enum NotUndoneReason {
    /// By a later import. Of each field that differs: as the import wrote it (`seen`), as it is now, and as it was
    /// before the import (`given`).
    ChangedSince { import: u32, fields: Vec<FieldConflict> },
    /// The import brought the record, and this one refers to it.
    Referred { entity: String, key: String },
    /// The open pack does not have the entity or all the fields that the import wrote.
    NotInPack,
}

impl ImportSession<'_> {
    /// Takes back what an import has done to records. Error: `import-missing`; `import-kept`, if it recorded events
    /// of divisions or streams.
    pub fn undo_import(&mut self, import: u32) -> Result<Undone> {
        let result = self.try_undo(import);
        self.settle(result)
    }

    fn try_undo(&mut self, import: u32) -> Result<Undone> {
        let mut undone = Undone::default();
        let mut source = None;
        for touched in touched(&self.transaction, import)? {
            let position = self.layout.entities.iter().position(|entity| entity.id == touched.entity);
            let Some(position) = position else {
                let (entity, key) = (entity_name(&self.transaction, touched.entity)?, touched.key);
                undone.refused.push(NotUndone { entity, key, reason: NotUndoneReason::NotInPack });
                continue;
            };
            let id = EntityId(position as u32);
            let record = Past::read(&self.transaction, self.layout.entity(id), &touched)?;
            if record.is_as_before() {
                undone.unchanged += 1;
            } else if let Some(reason) = self.reason_to_keep(id, &record)? {
                let entity = record.entity.name.clone();
                undone.refused.push(NotUndone { entity, key: touched.key, reason });
            } else {
                let source = match source {
                    Some(source) => source,
                    None => *source.insert(self.undo_source(import)?),
                };
                self.restore(id, record, source)?;
                undone.records += 1;
            }
        }
        Ok(undone)
    }

    fn undo_source(&mut self, import: u32) -> Result<SourceId> {
        self.add_source(NewSource {
            kind: SourceKind::Undo,
            file: format!("import {import}"),
            sheet: String::new(),
            sha256: String::new(),
        })
    }

    fn reason_to_keep(&self, id: EntityId, record: &Past<'_>) -> Result<Option<NotUndoneReason>> {
        if let Some(import) = record.changed_since {
            return Ok(Some(NotUndoneReason::ChangedSince { import, fields: record.fields() }));
        }
        if !record.is_known {
            return Ok(Some(NotUndoneReason::NotInPack));
        }
        match (&record.before, &record.now) {
            (None, Some(now)) => self.referring(id, &record.key, now),
            _ => Ok(None),
        }
    }

    /// A record that refers to this one.
    fn referring(&self, id: EntityId, key: &str, now: &RecordState) -> Result<Option<NotUndoneReason>> {
        for (index, edge) in self.layout.edges.iter().enumerate() {
            let value = now.values[edge.on].as_ref().filter(|_| edge.parent == id);
            let Some(value) = value else { continue };
            let children = self.view().children(EdgeId(index as u32), &key_text(value))?;
            let other = children.into_iter().find(|child| edge.child != id || child != key);
            if let Some(key) = other {
                let entity = self.layout.entity(edge.child).name.clone();
                return Ok(Some(NotUndoneReason::Referred { entity, key }));
            }
        }
        Ok(None)
    }

    /// Writes the record as it was before.
    fn restore(&mut self, id: EntityId, record: Past<'_>, source: SourceId) -> Result<()> {
        let source = Some(source);
        let Some(before) = record.before else {
            return self.remove(id, &[Removal { key: record.key, source, ..Removal::default() }]);
        };
        let (entity, now) = (record.entity, record.now);
        let mut columns: Vec<ColumnId> = Vec::new();
        let mut values = Vec::new();
        for (position, value) in before.values.into_iter().enumerate() {
            let same = now.as_ref().is_some_and(|now| now.values[position] == value);
            if position == entity.key || !same {
                columns.push(entity.fields[position].column);
                values.push(value);
            }
        }
        let valid_from: Option<Date> = before.valid_from;
        self.upsert(id, &columns, &[Record { values, source, valid_from, ..Record::default() }])?;
        Ok(())
    }
}

/// A record that an import has changed.
struct Touched {
    entity: i64,
    key: String,
    /// Its first and its last change by the import.
    first: i64,
    last: i64,
}

/// What an import has changed, the last first: what refers to others comes before them.
fn touched(connection: &Connection, import: u32) -> Result<Vec<Touched>> {
    let last: Option<i64> = connection
        .query_row("SELECT last_change FROM import WHERE id = ?", [import], |row| row.get(0))
        .optional()?;
    let last = last.ok_or(StoreError::ImportMissing { import })?;
    let kept = |table: &str| -> Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE import = ?)");
        Ok(connection.query_row(&sql, [import], |row| row.get(0))?)
    };
    if kept("division_event")? {
        return Err(StoreError::ImportKept { import, what: "divisions" });
    }
    if kept("event")? {
        return Err(StoreError::ImportKept { import, what: "streams" });
    }
    // The changes of one transaction follow one another.
    let before: i64 = connection.query_row(
        "SELECT coalesce(max(last_change), 0) FROM import WHERE id < ?",
        [import],
        |row| row.get(0),
    )?;
    let mut statement = connection.prepare(
        "SELECT entity, key, min(id), max(id) FROM change WHERE id > ? AND id <= ?
         GROUP BY entity, key ORDER BY max(id) DESC",
    )?;
    let rows = statement.query_map([before, last], |row| {
        Ok(Touched { entity: row.get(0)?, key: row.get(1)?, first: row.get(2)?, last: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn entity_name(connection: &Connection, entity: i64) -> Result<String> {
    Ok(connection.query_row("SELECT name FROM entity WHERE id = ?", [entity], |row| row.get(0))?)
}

/// A record around an import; `None` where there was none.
struct Past<'l> {
    entity: &'l EntityLayout,
    key: String,
    before: Option<RecordState>,
    written: Option<RecordState>,
    now: Option<RecordState>,
    /// The first import that has changed it since.
    changed_since: Option<u32>,
    /// Whether the open pack has all fields that the import wrote.
    is_known: bool,
}

impl<'l> Past<'l> {
    fn read(connection: &Connection, entity: &'l EntityLayout, touched: &Touched) -> Result<Self> {
        let chain = chain(connection, entity, &touched.key)?;
        let mut past = Self {
            entity,
            key: touched.key.clone(),
            before: None,
            written: None,
            now: None,
            changed_since: None,
            is_known: true,
        };
        for change in &chain {
            change.apply(entity, &mut past.now)?;
            if change.id < touched.first {
                past.before.clone_from(&past.now);
            }
            if change.id <= touched.last {
                past.written.clone_from(&past.now);
            } else {
                past.changed_since.get_or_insert(change.import);
            }
            if (touched.first..=touched.last).contains(&change.id) {
                past.is_known &= knows_fields(entity, change)?;
            }
        }
        Ok(past)
    }

    fn is_as_before(&self) -> bool {
        let values = |state: &Option<RecordState>| state.as_ref().map(|state| state.values.clone());
        values(&self.before) == values(&self.now)
    }

    fn fields(&self) -> Vec<FieldConflict> {
        let value = |state: &Option<RecordState>, position: usize| -> Option<Value> {
            state.as_ref()?.values[position].clone()
        };
        let fields = self.entity.fields.iter().enumerate().filter_map(|(position, field)| {
            let (seen, now, given) =
                (value(&self.written, position), value(&self.now, position), value(&self.before, position));
            let (column, name) = (field.column, field.name.clone());
            (seen != now || given != now).then_some(FieldConflict { column, name, seen, now, given })
        });
        fields.collect()
    }
}

fn knows_fields(entity: &EntityLayout, change: &Stored) -> Result<bool> {
    let known = |position: usize| entity.fields.iter().any(|field| field.position == position);
    Ok(change.fields(entity)?.iter().all(|(position, value)| value.is_null() || known(*position)))
}
