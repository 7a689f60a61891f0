//! Whether a registry is whole: the file, and the state as a replay of the log.

use pack::program::EntityId;
use rusqlite::Connection;

use crate::error::{Result, StoreError};
use crate::history::chain_from;
use crate::layout::{EntityLayout, Layout};
use crate::registry::Registry;
use crate::value::{key_text, same};

/// What a check has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckSummary {
    /// Records, deleted ones included.
    pub records: u64,
    pub changes: u64,
}

impl Registry {
    /// Reads everything: the file's structure, and every record of the pack's entities against its changes.
    /// Takes minutes on millions of records. Error: `registry-corrupt`, with the first thing that is wrong.
    pub fn check(&self) -> Result<CheckSummary> {
        let check = || -> Result<CheckSummary> {
            let transaction = self.connection.unchecked_transaction()?;
            let verdict: String = transaction.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if verdict != "ok" {
                return Err(StoreError::damage(verdict));
            }
            check_state(&transaction, &self.layout)
        };
        check().map_err(|error| error.at(&self.folder))
    }
}

fn check_state(connection: &Connection, layout: &Layout) -> Result<CheckSummary> {
    let mut summary = CheckSummary { records: 0, changes: 0 };
    for index in 0..layout.entities.len() {
        let entity = layout.entity(EntityId(index as u32));
        let (records, changes) = check_entity(connection, entity)?;
        // Each change is in the chain of one record, so equal numbers mean that no change is left over.
        let logged: i64 =
            connection
                .query_row("SELECT count(*) FROM change WHERE entity = ?", [entity.id], |row| row.get(0))?;
        if logged as u64 != changes {
            let detail = format!("{logged} changes of `{}` are logged and {changes} are used", entity.name);
            return Err(StoreError::damage(detail));
        }
        summary.records += records;
        summary.changes += changes;
    }
    Ok(summary)
}

fn check_entity(connection: &Connection, entity: &EntityLayout) -> Result<(u64, u64)> {
    let names = entity.field_names();
    let mut statement = connection.prepare(&format!(
        "SELECT _change, _deleted, _source, _source_row, _valid_from, _recorded_on, {names} FROM {}",
        entity.table
    ))?;
    let mut rows = statement.query([])?;
    let (mut records, mut changes) = (0, 0);
    while let Some(row) = rows.next()? {
        let field = entity.key_field();
        let key = crate::value::decode(row.get_ref(6 + entity.key)?, &field.ty)?
            .ok_or_else(|| StoreError::damage(format!("a `{}` has no key", entity.name)))?;
        let key = key_text(&key);
        let chain = chain_from(connection, entity, &key, row.get(0)?)?;
        let mut state = None;
        for change in &chain {
            change.apply(entity, &mut state)?;
        }
        records += 1;
        changes += chain.len() as u64;
        let differs = |what: &str| {
            StoreError::damage(format!("`{}` `{key}`: {what} differs from the log", entity.name))
        };
        let Some(state) = state else {
            if row.get(1)? {
                continue;
            }
            return Err(differs("whether it is deleted"));
        };
        if row.get::<_, bool>(1)? {
            return Err(differs("whether it is deleted"));
        }
        for (index, (value, field)) in state.values.iter().zip(&entity.fields).enumerate() {
            if !same(row.get_ref(6 + index)?, value.as_ref()) {
                return Err(differs(&format!("`{}`", field.name)));
            }
        }
        let provenance: (Option<u32>, Option<u32>, Option<i32>, i32) =
            (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        let logged = (
            state.source.map(|source| source.0),
            state.source_row,
            state.valid_from.map(model::Date::days),
            state.recorded_on.days(),
        );
        if provenance != logged {
            return Err(differs("where it came from"));
        }
    }
    Ok((records, changes))
}
