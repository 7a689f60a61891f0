//! Writing records: each difference is one row of the change log and one row of the state, together.

use pack::program::{ColumnId, EntityId};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use crate::error::{Result, StoreError};
use crate::layout::{EntityLayout, Layout};
use crate::session::{ImportSummary, Outcome, Record, Removal};
use crate::value::{Bound, check_value, key_text, key_value, push_json, same};
use model::Moment;

/// `change.kind`.
pub(crate) const INSERT: i64 = 0;
pub(crate) const UPDATE: i64 = 1;
pub(crate) const DELETE: i64 = 2;

/// How records with some fields of an entity map to its tables.
pub(crate) struct Plan<'l> {
    pub entity: &'l EntityLayout,
    /// Positions in the entity's fields, by position in the record.
    pub fields: Vec<usize>,
    /// Position of the key in the record.
    pub key: usize,
    /// Position in the record by number of the field in the registry.
    payload: Vec<Option<usize>>,
    /// A required field that the records do not carry, so that they can only update.
    missing: Option<usize>,
}

impl<'l> Plan<'l> {
    pub fn new(layout: &'l Layout, id: EntityId, columns: &[ColumnId]) -> Result<Self> {
        let entity = layout.entity(id);
        let fields: Vec<usize> =
            columns.iter().map(|&column| layout.position(id, column)).collect::<Result<_>>()?;
        let mut payload = vec![None; entity.recorded.len()];
        for (index, &field) in fields.iter().enumerate() {
            let place = &mut payload[entity.fields[field].position];
            if place.replace(index).is_some() {
                let detail = format!("`{}.{}` is given twice", entity.name, entity.fields[field].name);
                return Err(StoreError::PackInvalid { detail });
            }
        }
        let key = fields.iter().position(|&field| field == entity.key).ok_or_else(|| {
            let detail = format!("the records of `{}` are given without their key", entity.name);
            StoreError::PackInvalid { detail }
        })?;
        let missing = (0..entity.fields.len())
            .find(|position| entity.fields[*position].required && !fields.contains(position));
        Ok(Self { entity, fields, key, payload, missing })
    }

    /// Refuses a record that could not be stored, before anything of its batch is.
    pub fn check(&self, index: usize, record: &Record) -> Result<()> {
        assert_eq!(record.values.len(), self.fields.len(), "a record has one value for each field given");
        let Some(key) = &record.values[self.key] else {
            let (entity, field) = (self.entity.name.clone(), self.entity.key_field().name.clone());
            return Err(StoreError::KeyMissing { entity, field, index });
        };
        for (&field, value) in self.fields.iter().zip(&record.values) {
            let field = &self.entity.fields[field];
            if let Err(error) = check_value(self.entity, field, value.as_ref(), "") {
                // The key is text only where it is needed.
                return match error {
                    StoreError::ValueMissing { .. } | StoreError::ValueMismatch { .. } => {
                        check_value(self.entity, field, value.as_ref(), &key_text(key))
                    }
                    other => Err(other),
                };
            }
        }
        Ok(())
    }

    fn key_text(&self, record: &Record) -> String {
        record.values[self.key].as_ref().map(key_text).expect("the record was checked to have a key")
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|&field| self.entity.fields[field].quoted.as_str())
    }

    /// Parameters: the fields, then [`STATE_COLUMNS`].
    fn insert_sql(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        let marks = "?, ".repeat(names.len());
        format!(
            "INSERT INTO {} ({}, _change, _source, _source_row, _recorded_on, _valid_from, _deleted)
             VALUES ({marks}?, ?, ?, ?, ?, 0) ON CONFLICT ({}) DO NOTHING",
            self.entity.table,
            names.join(", "),
            self.entity.key_field().quoted,
        )
    }

    fn find_sql(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        let (table, key) = (&self.entity.table, &self.entity.key_field().quoted);
        format!("SELECT _id, _change, _deleted, {} FROM {table} WHERE {key} = ?", names.join(", "))
    }

    /// Parameters: the fields, then [`STATE_COLUMNS`], then `_id`. Provenance stays if none is given.
    fn update_sql(&self) -> String {
        let set = self.names().collect::<Vec<_>>().join(" = ?, ");
        let (table, source) = (&self.entity.table, self.fields.len() + 2);
        format!(
            "UPDATE {table} SET {set} = ?, _change = ?,
                 _source = coalesce(?, _source),
                 _source_row = CASE WHEN ?{source} IS NULL THEN _source_row ELSE ?{} END,
                 _recorded_on = ?, _valid_from = coalesce(?, _valid_from) WHERE _id = ?",
            source + 1,
        )
    }

    fn insert_payload(&self, record: &Record, payload: &mut String) {
        payload.push('[');
        let mut nulls = 0;
        for place in &self.payload {
            let value = place.and_then(|index| record.values[index].as_ref());
            if value.is_none() {
                nulls += 1;
                continue;
            }
            for _ in 0..std::mem::take(&mut nulls) {
                payload.push_str("null,");
            }
            push_json(payload, value);
            payload.push(',');
        }
        if payload.ends_with(',') {
            payload.pop();
        }
        payload.push(']');
    }

    fn update_payload(&self, record: &Record, changed: &[usize], payload: &mut String) {
        payload.push('[');
        for (written, &index) in changed.iter().enumerate() {
            if written > 0 {
                payload.push(',');
            }
            payload.push_str(&self.entity.fields[self.fields[index]].position.to_string());
            payload.push(',');
            push_json(payload, record.values[index].as_ref());
        }
        payload.push(']');
    }
}

/// Change, source, source row, recorded on, valid from.
const STATE_COLUMNS: usize = 5;

pub(crate) struct Statements<'c> {
    connection: &'c Connection,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    change: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    pub fn prepare(connection: &'c Connection, plan: &Plan<'_>) -> Result<Self> {
        Ok(Self {
            connection,
            find: connection.prepare_cached(&plan.find_sql())?,
            insert: connection.prepare_cached(&plan.insert_sql())?,
            update: connection.prepare_cached(&plan.update_sql())?,
            change: connection.prepare_cached(CHANGE_SQL)?,
        })
    }
}

const CHANGE_SQL: &str = "INSERT INTO change (import, entity, recorded_at, id, previous, key, kind, payload,
    valid_from, source, source_row) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// A record that is there already.
struct Found {
    id: i64,
    change: i64,
    deleted: bool,
    /// Positions in the record whose values differ.
    changed: Vec<usize>,
}

/// Numbers the changes of a session and counts them.
pub(crate) struct Writer {
    pub import: i64,
    pub recorded_at: Moment,
    last_change: i64,
    inserted: u64,
    updated: u64,
    deleted: u64,
    unchanged: u64,
    /// Whether the last record was new: then the next one probably is, and is inserted without looking.
    guess_new: bool,
    payload: String,
}

impl Writer {
    pub fn new(import: i64, recorded_at: Moment, last_change: i64) -> Self {
        Self {
            import,
            recorded_at,
            last_change,
            inserted: 0,
            updated: 0,
            deleted: 0,
            unchanged: 0,
            guess_new: false,
            payload: String::new(),
        }
    }

    pub fn summary(&self) -> ImportSummary {
        ImportSummary {
            import: self.import as u32,
            inserted: self.inserted,
            updated: self.updated,
            deleted: self.deleted,
            unchanged: self.unchanged,
            last_change: self.last_change as u64,
            events: 0,
            recorded_at: self.recorded_at,
        }
    }

    /// Binds what is equal in all changes of a batch.
    pub fn bind_constants(&self, statements: &mut Statements<'_>, plan: &Plan<'_>) -> Result<()> {
        let change = &mut statements.change;
        change.raw_bind_parameter(1, self.import)?;
        change.raw_bind_parameter(2, plan.entity.id)?;
        change.raw_bind_parameter(3, self.recorded_at.unix_ms())?;
        Ok(())
    }

    pub fn upsert(
        &mut self,
        statements: &mut Statements<'_>,
        plan: &Plan<'_>,
        record: &Record,
    ) -> Result<Outcome> {
        if self.guess_new && plan.missing.is_none() && self.insert(statements, plan, record, None)? {
            return Ok(Outcome::Inserted);
        }
        let found = find(statements, plan, record)?;
        self.guess_new = found.is_none();
        match found {
            None => {
                let inserted = self.insert(statements, plan, record, None)?;
                assert!(inserted, "a record that was not found can be inserted");
                Ok(Outcome::Inserted)
            }
            Some(found) if found.deleted => {
                let sql = format!("DELETE FROM {} WHERE _id = ?", plan.entity.table);
                statements.connection.execute(&sql, [found.id])?;
                let inserted = self.insert(statements, plan, record, Some(found.change))?;
                assert!(inserted, "the row of a deleted record was removed");
                Ok(Outcome::Inserted)
            }
            Some(found) if found.changed.is_empty() => {
                self.unchanged += 1;
                Ok(Outcome::Unchanged)
            }
            Some(found) => self.update(statements, plan, record, &found),
        }
    }

    /// False, with nothing written, if there is a row with this key.
    fn insert(
        &mut self,
        statements: &mut Statements<'_>,
        plan: &Plan<'_>,
        record: &Record,
        previous: Option<i64>,
    ) -> Result<bool> {
        if let Some(field) = plan.missing {
            let (entity, field) = (plan.entity.name.clone(), plan.entity.fields[field].name.clone());
            return Err(StoreError::ValueMissing { entity, key: plan.key_text(record), field });
        }
        self.bind_state(&mut statements.insert, record)?;
        if statements.insert.raw_execute()? == 0 {
            return Ok(false);
        }
        self.payload.clear();
        plan.insert_payload(record, &mut self.payload);
        self.write_change(&mut statements.change, &plan.key_text(record), INSERT, previous, record)?;
        self.inserted += 1;
        self.guess_new = true;
        Ok(true)
    }

    fn update(
        &mut self,
        statements: &mut Statements<'_>,
        plan: &Plan<'_>,
        record: &Record,
        found: &Found,
    ) -> Result<Outcome> {
        self.bind_state(&mut statements.update, record)?;
        statements.update.raw_bind_parameter(record.values.len() + STATE_COLUMNS + 1, found.id)?;
        statements.update.raw_execute()?;
        self.payload.clear();
        plan.update_payload(record, &found.changed, &mut self.payload);
        self.write_change(
            &mut statements.change,
            &plan.key_text(record),
            UPDATE,
            Some(found.change),
            record,
        )?;
        self.updated += 1;
        let column = |&index: &usize| plan.entity.fields[plan.fields[index]].column;
        Ok(Outcome::Updated { fields: found.changed.iter().map(column).collect() })
    }

    /// Values of the fields given and of [`STATE_COLUMNS`], for the change that comes next.
    fn bind_state(&self, statement: &mut CachedStatement<'_>, record: &Record) -> Result<()> {
        for (index, value) in record.values.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, Bound(value.as_ref()))?;
        }
        let next = record.values.len() + 1;
        statement.raw_bind_parameter(next, self.last_change + 1)?;
        statement.raw_bind_parameter(next + 1, record.source.map(|source| source.0))?;
        statement.raw_bind_parameter(next + 2, record.source_row)?;
        statement.raw_bind_parameter(next + 3, self.recorded_at.day().days())?;
        statement.raw_bind_parameter(next + 4, record.valid_from.map(model::Date::days))?;
        Ok(())
    }

    fn write_change(
        &mut self,
        statement: &mut CachedStatement<'_>,
        key: &str,
        kind: i64,
        previous: Option<i64>,
        record: &Record,
    ) -> Result<()> {
        self.last_change += 1;
        statement.raw_bind_parameter(4, self.last_change)?;
        statement.raw_bind_parameter(5, previous)?;
        statement.raw_bind_parameter(6, key)?;
        statement.raw_bind_parameter(7, kind)?;
        statement.raw_bind_parameter(8, &self.payload)?;
        statement.raw_bind_parameter(9, record.valid_from.map(model::Date::days))?;
        statement.raw_bind_parameter(10, record.source.map(|source| source.0))?;
        statement.raw_bind_parameter(11, record.source_row)?;
        statement.raw_execute()?;
        Ok(())
    }

    pub fn remove(
        &mut self,
        connection: &Connection,
        entity: &EntityLayout,
        batch: &[Removal],
    ) -> Result<()> {
        let (table, key_column) = (&entity.table, &entity.key_field().quoted);
        let find = format!("SELECT _id, _change FROM {table} WHERE {key_column} = ? AND _deleted = 0");
        let end = format!("UPDATE {table} SET _deleted = 1, _change = ?, _recorded_on = ? WHERE _id = ?");
        let mut find = connection.prepare_cached(&find)?;
        let mut end = connection.prepare_cached(&end)?;
        let mut change = connection.prepare_cached(CHANGE_SQL)?;
        for removal in batch {
            let key = &removal.key;
            let missing = || StoreError::RecordMissing { entity: entity.name.clone(), key: key.clone() };
            let value = key_value(&entity.key_field().ty, key).ok_or_else(missing)?;
            let found: Option<(i64, i64)> =
                find.query_row([Bound(Some(&value))], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let (id, previous) = found.ok_or_else(missing)?;
            end.execute(params![self.last_change + 1, self.recorded_at.day().days(), id])?;
            change.raw_bind_parameter(1, self.import)?;
            change.raw_bind_parameter(2, entity.id)?;
            change.raw_bind_parameter(3, self.recorded_at.unix_ms())?;
            self.payload.clear();
            self.payload.push_str("[]");
            let record = Record {
                source: removal.source,
                source_row: removal.source_row,
                valid_from: removal.valid_from,
                ..Record::default()
            };
            // As the column holds it, not as it was given: `1` and `01` are one number.
            self.write_change(&mut change, &key_text(&value), DELETE, Some(previous), &record)?;
            self.deleted += 1;
        }
        Ok(())
    }
}

fn find(statements: &mut Statements<'_>, plan: &Plan<'_>, record: &Record) -> Result<Option<Found>> {
    statements.find.raw_bind_parameter(1, Bound(record.values[plan.key].as_ref()))?;
    let mut rows = statements.find.raw_query();
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut found = Found { id: row.get(0)?, change: row.get(1)?, deleted: row.get(2)?, changed: Vec::new() };
    for (index, value) in record.values.iter().enumerate() {
        if !same(row.get_ref(index + 3)?, value.as_ref()) {
            found.changed.push(index);
        }
    }
    Ok(Some(found))
}
