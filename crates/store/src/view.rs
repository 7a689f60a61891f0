//! Reading the current state.

use std::path::Path;

use model::Date;
use pack::program::{ColumnId, EdgeId, EntityId, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::error::{Result, StoreError};
use crate::layout::{EntityLayout, FieldType, Layout};
use crate::session::{Deferred, SourceId};
use crate::value::{Bound, decode, key_value};
use model::Moment;

/// The current records, as of the last commit, or with what the session has written so far.
#[derive(Clone, Copy)]
pub struct View<'v> {
    pub(crate) connection: &'v Connection,
    pub(crate) layout: &'v Layout,
    pub(crate) folder: &'v Path,
    pub(crate) deferred: Option<&'v Deferred>,
}

/// One record, now or at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordState {
    /// Aligned with the fields of the entity.
    pub values: Vec<Option<Value>>,
    /// Number of the last change.
    pub change: u64,
    /// Where the last change that had a source came from.
    pub source: Option<SourceId>,
    pub source_row: Option<u32>,
    pub valid_from: Option<Date>,
    /// Day of the last change, in office time.
    pub recorded_on: Date,
}

impl View<'_> {
    /// Number of current records.
    pub fn count(&self, entity: EntityId) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE _deleted = 0", self.layout.entity(entity).table);
        let count =
            || -> Result<i64> { Ok(self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?) };
        count().map(|count| count as u64).map_err(|error| error.at(self.folder))
    }

    /// For each value, the key of the record that holds it in `column`, the least if there are several.
    /// Quick for the key, for references and for unique fields; others are searched through.
    pub fn lookup(&self, entity: EntityId, column: ColumnId, values: &[&str]) -> Result<Vec<Option<String>>> {
        let lookup = || {
            let layout = self.layout.entity(entity);
            let position = self.layout.position(entity, column)?;
            self.build_indexes(entity, position)?;
            let (field, key) = (&layout.fields[position], &layout.key_field().quoted);
            let sql = format!(
                "SELECT CAST(min({key}) AS TEXT) FROM {} WHERE {} = ? AND _deleted = 0",
                layout.table, field.quoted
            );
            self.each(&sql, &field.ty, values, None, |row| Ok(row.get(0)?))
        };
        lookup().map_err(|error: StoreError| error.at(self.folder))
    }

    /// For each value of the parent's matched field, how many current children refer to it along the edge.
    pub fn count_children(&self, edge: EdgeId, values: &[&str]) -> Result<Vec<u64>> {
        let count = || {
            let edge = self.layout.edge(edge);
            self.build_indexes(edge.child, edge.via)?;
            let child = self.layout.entity(edge.child);
            let via = &child.fields[edge.via];
            let (table, name) = (&child.table, &via.quoted);
            let sql = format!("SELECT count(*) FROM {table} WHERE {name} = ? AND _deleted = 0");
            self.each(&sql, &via.ty, values, 0, |row| Ok(row.get::<_, i64>(0)? as u64))
        };
        count().map_err(|error: StoreError| error.at(self.folder))
    }

    /// Keys of the current children of a parent along the edge, in order.
    pub fn children(&self, edge: EdgeId, parent: &str) -> Result<Vec<String>> {
        let children = || -> Result<Vec<String>> {
            let edge = self.layout.edge(edge);
            self.build_indexes(edge.child, edge.via)?;
            let child = self.layout.entity(edge.child);
            let via = &child.fields[edge.via];
            let Some(value) = key_value(&via.ty, parent) else { return Ok(Vec::new()) };
            let (table, key, via) = (&child.table, &child.key_field().quoted, &via.quoted);
            let sql = format!(
                "SELECT CAST({key} AS TEXT) FROM {table} WHERE {via} = ? AND _deleted = 0 ORDER BY {key}"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map([Bound(Some(&value))], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        children().map_err(|error| error.at(self.folder))
    }

    /// The current record with a key.
    pub fn record(&self, entity: EntityId, key: &str) -> Result<Option<RecordState>> {
        let record = || -> Result<Option<RecordState>> {
            let layout = self.layout.entity(entity);
            let key_field = layout.key_field();
            let Some(value) = key_value(&key_field.ty, key) else { return Ok(None) };
            let names = layout.field_names();
            let (table, key_name) = (&layout.table, &key_field.quoted);
            let sql = format!(
                "SELECT _change, _source, _source_row, _valid_from, _recorded_on, {names}
                 FROM {table} WHERE {key_name} = ? AND _deleted = 0"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([Bound(Some(&value))])?;
            rows.next()?.map(|row| record_state(layout, row)).transpose()
        };
        record().map_err(|error| error.at(self.folder))
    }

    /// Streams the current records, in the order in which they were first recorded, to `each`, which sees
    /// the columns asked for by their position in `columns`. An error of `each` stops the scan and is returned.
    pub fn scan(
        &self,
        entity: EntityId,
        columns: &[ColumnId],
        mut each: impl FnMut(&ScanRow<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut scan = || -> Result<()> {
            let layout = self.layout.entity(entity);
            let mut names = String::new();
            let mut types = Vec::with_capacity(columns.len());
            for &column in columns {
                let field = &layout.fields[self.layout.position(entity, column)?];
                names.push_str(&field.quoted);
                names.push_str(", ");
                types.push(&field.ty);
            }
            let sql = format!(
                "SELECT {names}_source, _source_row FROM {} WHERE _deleted = 0 ORDER BY _id",
                layout.table
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                each(&ScanRow { row, types: &types })?;
            }
            Ok(())
        };
        scan().map_err(|error| error.at(self.folder))
    }

    fn build_indexes(&self, entity: EntityId, position: usize) -> Result<()> {
        match self.deferred {
            Some(deferred) if position != self.layout.entity(entity).key => {
                deferred.build(self.connection, self.layout, entity)
            }
            _ => Ok(()),
        }
    }

    fn each<T: Clone>(
        &self,
        sql: &str,
        ty: &FieldType,
        values: &[&str],
        absent: T,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut results = Vec::with_capacity(values.len());
        for text in values {
            // Text is bound as it stands: this runs once a row of an import.
            if *ty == FieldType::Text {
                statement.raw_bind_parameter(1, *text)?;
            } else if let Some(value) = key_value(ty, text) {
                statement.raw_bind_parameter(1, Bound(Some(&value)))?;
            } else {
                results.push(absent.clone());
                continue;
            }
            let mut rows = statement.raw_query();
            results.push(match rows.next()? {
                Some(row) => read(row)?,
                None => absent.clone(),
            });
        }
        Ok(results)
    }
}

fn record_state(layout: &EntityLayout, row: &Row<'_>) -> Result<RecordState> {
    let mut values = Vec::with_capacity(layout.fields.len());
    for (index, field) in layout.fields.iter().enumerate() {
        values.push(decode(row.get_ref(index + 5)?, &field.ty)?);
    }
    Ok(RecordState {
        values,
        change: row.get::<_, i64>(0)? as u64,
        source: row.get::<_, Option<u32>>(1)?.map(SourceId),
        source_row: row.get(2)?,
        valid_from: row.get::<_, Option<i32>>(3)?.map(day).transpose()?,
        recorded_on: day(row.get(4)?)?,
    })
}

/// A stored day.
pub(crate) fn day(days: i32) -> Result<Date> {
    Date::from_days(days).ok_or_else(|| StoreError::damage(format!("{days} is no day")))
}

/// A stored instant.
pub(crate) fn moment(ms: i64) -> Moment {
    Moment::from_unix_ms(ms)
}

/// A record while it streams past.
pub struct ScanRow<'s> {
    row: &'s Row<'s>,
    types: &'s [&'s FieldType],
}

impl ScanRow<'_> {
    /// The text or code in a column; `None` if unknown or of another type.
    pub fn text(&self, index: usize) -> Option<&str> {
        match (self.types[index], self.stored(index)) {
            (FieldType::Text, ValueRef::Text(text)) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// A number (scaled), date (days since 1970) or boolean (0, 1); `None` if unknown, beyond 64 bits or of
    /// another type.
    pub fn integer(&self, index: usize) -> Option<i64> {
        match self.stored(index) {
            ValueRef::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The value in a column; `None` if unknown.
    pub fn value(&self, index: usize) -> Result<Option<Value>> {
        decode(self.stored(index), self.types[index])
    }

    pub fn source(&self) -> Option<SourceId> {
        let id = self.row.get::<_, Option<u32>>(self.types.len()).ok().flatten();
        id.map(SourceId)
    }

    /// Row number as a spreadsheet counts it.
    pub fn source_row(&self) -> Option<u32> {
        self.row.get(self.types.len() + 1).ok().flatten()
    }

    fn stored(&self, index: usize) -> ValueRef<'_> {
        assert!(index < self.types.len(), "the scan was asked for {} columns", self.types.len());
        self.row.get_ref(index).expect("the statement has the columns asked for")
    }
}
