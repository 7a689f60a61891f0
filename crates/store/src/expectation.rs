//! Whether a record is as its writer knew it, and what differs if not.

use pack::program::Value;
use rusqlite::Connection;

use crate::conflict::{Conflict, Expected, FieldConflict, RecordConflict};
use crate::error::{Result, StoreError};
use crate::history::{chain, last_change_of};
use crate::layout::EntityLayout;
use crate::session::{Record, Removal};
use crate::upsert::Plan;
use crate::value::key_text;
use crate::view::RecordState;

/// Error: `changed-meanwhile`.
pub(crate) fn check_record(connection: &Connection, plan: &Plan<'_>, record: &Record) -> Result<()> {
    if record.expected == Expected::Any {
        return Ok(());
    }
    let key = record.values[plan.key].as_ref().map(key_text).expect("the record was checked to have a key");
    let given = |position: usize, seen: &Option<Value>| {
        let index = plan.fields.iter().position(|&field| field == position);
        index.map_or_else(|| seen.clone(), |index| record.values[index].clone())
    };
    check(connection, plan.entity, &key, record.expected, &given)
}

/// Error: `changed-meanwhile`.
pub(crate) fn check_removal(connection: &Connection, entity: &EntityLayout, removal: &Removal) -> Result<()> {
    check(connection, entity, &removal.key, removal.expected, &|_, seen| seen.clone())
}

/// The value that a field was to have, by its position and the value seen.
type Given<'g> = dyn Fn(usize, &Option<Value>) -> Option<Value> + 'g;

fn check(
    connection: &Connection,
    entity: &EntityLayout,
    key: &str,
    expected: Expected,
    given: &Given<'_>,
) -> Result<()> {
    let found = last_change_of(connection, entity, key)?;
    let found = found.filter(|(_, deleted)| !deleted).map(|(change, _)| change);
    let as_expected = match expected {
        Expected::Any => true,
        Expected::Absent => found.is_none(),
        Expected::Change(change) => found == Some(change),
    };
    if as_expected {
        return Ok(());
    }
    let now = replay(connection, entity, key, u64::MAX)?;
    let seen = match expected {
        Expected::Change(change) => replay(connection, entity, key, change)?,
        _ => None,
    };
    let value = |state: &Option<RecordState>, position: usize| state.as_ref()?.values[position].clone();
    let fields = entity.fields.iter().enumerate().filter_map(|(position, field)| {
        let (seen, now) = (value(&seen, position), value(&now, position));
        let given = given(position, &seen);
        let column = field.column;
        (seen != now || given != now).then(|| FieldConflict {
            column,
            name: field.name.clone(),
            seen,
            now,
            given,
        })
    });
    let conflict = RecordConflict {
        entity: entity.name.clone(),
        key: key.to_owned(),
        expected,
        found,
        fields: fields.collect(),
    };
    Err(StoreError::ChangedMeanwhile(Box::new(Conflict::Record(conflict))))
}

/// A record as it was after a change; `None` if it was not there.
fn replay(
    connection: &Connection,
    entity: &EntityLayout,
    key: &str,
    until: u64,
) -> Result<Option<RecordState>> {
    let mut state = None;
    for change in chain(connection, entity, key)? {
        if change.id as u64 <= until {
            change.apply(entity, &mut state)?;
        }
    }
    Ok(state)
}
