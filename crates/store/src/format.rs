//! The format of the registry's own tables, and the steps from each format to the next.
//!
//! A registry of another format is not opened: it is migrated first, on request, in one transaction. What the
//! tables of records look like follows from the pack and is no matter of the format (see [`crate::growth`]).

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, StoreError};
use crate::identity::RegistryId;
use crate::meta::{ID, write_meta};
use crate::registry::{Registry, connect};
use crate::schema::{APPLICATION_ID, EVENT_TABLE, FORMAT, append_only};

/// What a migration has done. Equal formats: there was nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    pub from: i64,
    pub to: i64,
}

/// Brings a registry from the format that is the step's place in [`STEPS`], counted from 1, to the next.
type Step = fn(&Connection, RegistryId) -> Result<()>;

const STEPS: [Step; FORMAT as usize - 1] = [add_streams];

impl Registry {
    /// Brings a registry of an earlier format to the present one, in one transaction: after a failure or a kill
    /// it is as before. `id` becomes the registry's id if its format had none.
    ///
    /// Errors: `registry-missing`, `registry-foreign`, `registry-newer`, `registry-locked`, `registry-corrupt`.
    pub fn migrate(folder: &Path, id: RegistryId) -> Result<Migration> {
        if !Self::exists(folder) {
            return Err(StoreError::Missing { path: folder.to_owned() });
        }
        let mut connection = connect(folder, rusqlite::OpenFlags::empty())?;
        migrate(&mut connection, folder, id).map_err(|error| error.at(folder))
    }
}

fn migrate(connection: &mut Connection, folder: &Path, id: RegistryId) -> Result<Migration> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = recorded_format(&transaction, folder)?;
    if !(1..=FORMAT).contains(&from) {
        return Err(StoreError::damage(format!("format {from} was never written")));
    }
    for step in &STEPS[from as usize - 1..] {
        step(&transaction, id)?;
    }
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    Ok(Migration { from, to: FORMAT })
}

/// The format of a registry that this program can open or migrate.
pub(crate) fn recorded_format(connection: &Connection, folder: &Path) -> Result<i64> {
    let path = folder.to_owned();
    let pragma =
        |name: &str| -> Result<i64> { Ok(connection.pragma_query_value(None, name, |row| row.get(0))?) };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::NotARegistry { path });
    }
    match pragma("user_version")? {
        found if found > FORMAT => Err(StoreError::Newer { path, found, known: FORMAT }),
        found => Ok(found),
    }
}

/// Format 2: streams of events, roles, kinds of sources, and an id.
fn add_streams(connection: &Connection, id: RegistryId) -> Result<()> {
    connection.execute_batch(EVENT_TABLE)?;
    connection.execute_batch(&append_only("event"))?;
    connection.execute_batch(
        "ALTER TABLE import ADD COLUMN role TEXT NOT NULL DEFAULT '';
         ALTER TABLE import ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE source ADD COLUMN kind TEXT NOT NULL DEFAULT 'file';
         DELETE FROM meta WHERE name = 'schema';",
    )?;
    write_meta(connection, ID, &id.to_string())
}
